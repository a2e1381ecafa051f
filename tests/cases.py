"""Cases beside the templates: rows in a compact form, and the exact text that they give."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from configlet.model.gate import Table
from configlet.model.net import FAMILIES
from tests.builders import acl, host, row
from tests.xdp.towards import table as towards


def document(path: Path) -> dict[str, Any]:
    """A case file."""
    return yaml.safe_load(path.read_text("utf-8"))  # type: ignore[no-any-return]


def tables_of(case: Mapping[str, Any]) -> list[Table]:
    """The tables of a case, whose laws are their rows; a host's family that is not said is closed."""
    tables = [_table(said, case["kind"], case.get("direction", "")) for said in case["tables"]]
    said = {table.family for table in tables}
    if case.get("direction") == "in":
        tables += [towards((), family) for family in FAMILIES if family not in said]
    elif case["kind"] == "filter-table":
        tables += [host((), (), family, owner="host1") for family in FAMILIES if family not in said]
    return tables


def _table(said: Mapping[str, Any], kind: str, received: str) -> Table:
    entries = [
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
    if kind == "acl":
        return acl(entries, said["family"], binding=said["binding"], direction=said["direction"])
    if received:
        return towards(entries, said["family"])
    return host(entries, said["locals"], said["family"], owner="host1")
