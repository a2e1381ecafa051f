"""Cases beside the templates: rows in a compact form, and the exact text that they give."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from configlet.model.gate import Table
from configlet.model.net import FAMILIES, merge
from configlet.model.policy import Entry
from tests.builders import acl, host, platform, row, span
from tests.nic.ground import Local
from tests.nic.ground import tables as nic_tables
from tests.xdp.towards import table as towards


def document(path: Path) -> dict[str, Any]:
    """A case file."""
    return yaml.safe_load(path.read_text("utf-8"))  # type: ignore[no-any-return]


def tables_of(case: Mapping[str, Any]) -> list[Table]:
    """The tables of a case, whose laws are their rows; a host's family that is not said is closed."""
    if "nic" in case:
        return _of_nic(case)
    tables = [_table(said, case["kind"], case.get("direction", "")) for said in case["tables"]]
    said = {table.family for table in tables}
    if case.get("direction") == "in":
        tables += [towards((), family) for family in FAMILIES if family not in said]
    elif case["kind"] == "filter-table":
        tables += [host((), (), family, owner="host1") for family in FAMILIES if family not in said]
    return tables


def _of_nic(case: Mapping[str, Any]) -> list[Table]:
    """The tables of a NIC in every direction that it judges; the law of each is what the rows mean with its blindness."""
    of = platform(case["nic"])
    spans = {said["family"]: tuple(span(text, said["family"]) for text in said["locals"]) for said in case["tables"]}
    rows_of = {said["family"]: tuple(_entries(said)) for said in case["tables"]}
    policies = [Local(family, merge(spans.get(family, ())), rows_of.get(family, ())) for family in FAMILIES]
    return nic_tables(of, policies, ways=of.kinds[case["kind"]].capability.directions)


def _table(said: Mapping[str, Any], kind: str, received: str) -> Table:
    entries = _entries(said)
    if kind == "acl":
        return acl(entries, said["family"], binding=said["binding"], direction=said["direction"])
    if received:
        return towards(entries, said["family"])
    return host(entries, said["locals"], said["family"], owner="host1")


def _entries(said: Mapping[str, Any]) -> list[Entry]:
    return [
        row(
            item["row"],
            said["family"],
            name=item["rule"],
            log=item.get("log", False),
            reply=item.get("reply", False),
            origin="infrastructure" if item.get("infrastructure") else "policy",
            line=number,
        )
        for number, item in enumerate(said["rows"], 1)
    ]
