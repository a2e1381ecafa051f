"""A table of what a host receives, whose law is exactly its rows."""

from __future__ import annotations

from collections.abc import Sequence

from configlet.model.gate import Gate, Law, Table
from configlet.model.net import Family
from configlet.model.policy import Entry
from tests.builders import platform


def table(entries: Sequence[Entry], family: Family = 4) -> Table:
    capability = platform("xdp").kinds["filter-table"].capability
    gate = Gate("me1/xdp", "me1", "xdp", "filter-table", "ens1", "in", (4, 6), "", ("engines",), capability)
    return Table(gate, "", family, Law(family, (tuple(entries), ())), tuple(entries))
