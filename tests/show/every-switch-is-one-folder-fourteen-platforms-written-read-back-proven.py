"""What the fifth issue must show, at full size: every switch is one folder, written, read back and proven."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.policies import KINDS
from tests.show_run import Shown, passed

POLICIES, MUTANTS, LEAST = 3000, 200, 0.7
ALL = "tests/laws/test_platforms_all.py"
PLANTED = "tests/laws/test_platforms_planted.py"


def line_1() -> Shown:
    """Random policies proved or truly refused on every platform, and mutants of each text refuted or refused."""
    with tempfile.TemporaryDirectory(prefix="configlet-show-") as folder:
        counts = Path(folder) / "counts"
        sizes = {"CONFIGLET_POLICIES": str(POLICIES), "CONFIGLET_MUTANTS": str(MUTANTS), "CONFIGLET_COUNTS": str(counts)}
        good = passed(ALL, **sizes)
        lines = counts.read_text(encoding="utf-8").split("\n")[:-1] if counts.is_file() else []
    found = {name: (int(proved), int(refused)) for name, proved, refused in (line.split() for line in lines)}
    for name, (proved, refused) in sorted(found.items()):
        sys.stderr.write(f"{name:24} {proved:5} PROVED  {refused:5} refused\n")
    proved, total = sum(p for p, _ in found.values()), sum(map(sum, found.values()))
    enough = total > 0 and proved / total >= LEAST
    words = (
        f"{len(found)} kinds of platforms, {total:,} policies, {proved:,} PROVED ({100 * proved // max(total, 1)} %), "
        f"the others truly refused; {MUTANTS} mutants of each REFUTED or refused"
    )
    return good + enough, 2 * len(KINDS) + 1, words


def line_2() -> Shown:
    """A wrong name or protocol in the reader's or in the writer's table is caught by the other, on every platform."""
    good = passed(PLANTED, "-k", "wrong")
    return good, max(good, 40), f"{good} planted faults caught: names of ports and protocols, in readers and in writers"
