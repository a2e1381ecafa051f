"""What the sixth issue must show of workloads past the kernel, with the command line and at full size."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.cli_run import DAY, configlet
from tests.lab.desk import SITE, accept, cure, workspace
from tests.show_run import Shown, passed

STACKS = 6
"""Tests of stacks: the cells, the kernel, AF_PACKET, macvlan, XDP before both, AF_XDP."""


def line_1() -> Shown:
    """Unguarded in the words of `check`; received with the host's table alone; not received with the NIC's."""
    with tempfile.TemporaryDirectory(prefix="configlet-desk-") as folder:
        site = workspace(Path(folder))
        before = _run(folder, "check", SITE)
        said = [f["detail"] for f in before["sites"][0]["findings"] if f["summary"] == "Unguarded flow"]
        accept(site)
        _run(folder, "lab", "up", SITE)
        try:
            pushed = configlet("push", SITE, "--lab", "--yes", "--at", DAY, cwd=Path(folder)).returncode
            host = _towards(_run(folder, "lab", "probe", SITE)["gaps"])
            cure(site)
            after = _run(folder, "check", SITE)["sites"][0]["status"]
            gates = _run(folder, "lab", "nics", SITE)["gates"]
            probe = _run(folder, "lab", "probe", SITE)
        finally:
            _run(folder, "lab", "down", SITE)
    unguarded = len(said) == 1 and '"me1"' in said[0] and "client2" in said[0]
    received = pushed == 0 and bool(host) and all(host)
    closed = after == 0 and bool(gates) and not probe["differences"] and not _towards(probe["gaps"])
    words = (
        f"check: {'unguarded' if unguarded else 'not unguarded'}; client2 to me1 with nftables alone: {sum(host)} of {len(host)} "
        f"denied packets received; with {', '.join(gates)} (simulated) {len(probe['differences'])} of {probe['sent']} packets "
        f"against the policy; check then {after}"
    )
    return unguarded + received + closed, 3, words


def line_7() -> Shown:
    """Every cell has its sentence and source; workloads behave as their cells say."""
    from configlet.place.stacks import TABLE

    cells = [cell for column in TABLE.values() for cell in column.values()]
    whole = sum(bool(cell.sentence and cell.source) for cell in cells)
    met = passed("tests/lab/test_stacks.py")
    words = f"{whole} of {len(cells)} cells with sentence and source; {met} of {STACKS} tests of stacks passed, none skipped"
    return met + (whole == len(cells)), STACKS + 1, words


def _towards(gaps: list[dict[str, Any]]) -> list[bool]:
    return [gap["arrived"] for gap in gaps if (gap["from"], gap["to"]) == ("client2", "me1")]


def _run(folder: str, *words: str) -> dict[str, Any]:
    ended = configlet(*words, "--json", "--at", DAY, cwd=Path(folder))
    return json.loads(ended.stdout) if ended.stdout else {"sites": [], "gaps": [], "differences": [ended.stderr], "sent": 0}
