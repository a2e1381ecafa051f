"""What the fifth issue must show, at full size: every switch is one folder, written, read back and proven."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.cli_run import ROOT
from tests.lab.moved_site import PAIRS, STEPS, moved
from tests.lab.napalm_cycle import DRIVERS
from tests.lab.platform_bench import names
from tests.policies import KINDS
from tests.show_run import Shown, passed

POLICIES, MUTANTS, LEAST = 3000, 200, 0.7
ALL = "tests/laws/test_platforms_all.py"
PLANTED = "tests/laws/test_platforms_planted.py"
AROUND = {**os.environ, "PYTHONPATH": f"{ROOT / 'builder'}:{ROOT}"}
ENTRIES, TIMES, RATE = 500, 2, 5000
LEAST_RATE = 4950
"""Packets a second of each kind, on average, that are near enough to five thousand."""


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


def line_3() -> Shown:
    """dc1 with each pair of leaves moved to each platform that the lab has: check, push, probe, rollback."""
    good, sent, right = 0, 0, 0
    for platform in names():
        for pair in PAIRS:
            found = moved(platform, pair)
            good += not found.red and found.sent == found.right > 0
            sent, right = sent + found.sent, right + found.right
            said = found.red or f"{', '.join(found.green)}; {found.right} of {found.sent} packets as the policy says"
            sys.stderr.write(f"{platform:8} {' and '.join(pair)}: {said}\n")
    words = f"{', '.join(names())}: {', '.join(STEPS)} on {' and '.join('+'.join(pair) for pair in PAIRS)}"
    return good, len(names()) * len(PAIRS), f"{words}; {right:,} of {sent:,} packets as the policy says"


def line_4() -> Shown:
    """Unmodified NAPALM through open, load, compare, commit, confirm, rollback, replace, close."""
    command = ["unshare", "-Urn", sys.executable, "-m", "tests.lab.napalm_cycle"]
    ended = subprocess.run(command, cwd=ROOT, env=AROUND, capture_output=True, text=True, check=False)
    sys.stderr.write(ended.stdout + ended.stderr[-2000:])
    whole = [line.partition(";")[0] for line in ended.stdout.splitlines() if line.endswith("; close")]
    return len(whole), len(DRIVERS), f"{len(whole)} of {len(DRIVERS)} drivers through the whole cycle: {', '.join(whole)}"


def line_5() -> Shown:
    """A list of 500 entries is replaced under traffic on each personality; a leak would be seen."""
    good, said = 0, []
    for platform in names():
        ours, seen = (_replaced(platform, way) for way in ("driver", "unbind"))
        lost, leaked, rate = ours["sent"] - ours["allowed"], ours["forbidden"], ours["sent"] / ours["seconds"]
        good += lost == 0 == leaked and rate > LEAST_RATE and seen["forbidden"] > 0
        said.append(f"{platform} {lost} lost and {leaked} leaked of {ours['sent']:,} each at {rate:.0f}/s")
        sys.stderr.write(f"{said[-1]}; longest time without a packet {ours['longest'] * 1000:.0f} ms; ")
        sys.stderr.write(f"a list taken away leaks {seen['forbidden']} of {seen['sent']}\n")
    return good, len(names()), f"{ENTRIES} entries, {TIMES} times: {'; '.join(said)}"


def _replaced(platform: str, way: str) -> dict[str, Any]:
    order = json.dumps({"platform": platform, "entries": ENTRIES, "times": TIMES, "rate": RATE, "way": way})
    command = ["unshare", "-Urn", sys.executable, "-m", "tests.lab.platform_packets"]
    ended = subprocess.run(command, cwd=ROOT, env=AROUND, input=order, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.stderr.write(ended.stderr[-3000:])
        return {"sent": 1, "allowed": 0, "forbidden": 0, "seconds": 1.0, "longest": 0.0}
    found: dict[str, Any] = json.loads(ended.stdout)
    return found
