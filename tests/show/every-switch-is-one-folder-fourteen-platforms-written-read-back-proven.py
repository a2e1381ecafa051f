"""What the fifth issue must show, at full size: every switch is one folder, written, read back and proven."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from configlet.model.problem import Refused
from tests.cli_run import ROOT, configlet
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
        good = passed(ALL, "-n", "2", "--dist", "load", "-vv", **sizes)
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
# What exists, and a platform that came as a folder.

IMPORT = (
    "tests/laws/test_import.py",
    "tests/laws/test_import_chains.py",
    "tests/tables/test_import_chains.py",
    "tests/tables/test_import_command.py",
)
FIFTEENTH = "configlets/sros"


def line_6() -> Shown:
    """Running configurations: each list read whole or refused with its line, in our words and another platform's. Those that
    are tried are of our own writing; ``CONFIGLET_FOREIGN=DIR`` tries a folder of real ones, one folder for each platform."""
    good = passed(*IMPORT, CONFIGLET_POLICIES="50", CONFIGLET_CHAINS="400")
    read, refused, wrong, files = _foreign(os.environ.get("CONFIGLET_FOREIGN", ""))
    words = f"{good} laws and tables of import held"
    if files:
        words += f"; of {files} foreign files {read} lists read and proven in our words, {refused} refused with their line, "
        words += f"{wrong} neither"
    return good - wrong, max(good, 110), words


def _foreign(folder: str) -> tuple[int, int, int, int]:
    """Lists that were read and proven as rules, that were refused at a line, and that were neither; and how many files."""
    from configlet.pipeline import imported

    read = refused = wrong = 0
    files = [path for path in sorted(Path(folder).rglob("*")) if path.is_file()] if folder else []
    for path in files:
        try:
            said = imported.running(None, path.relative_to(folder).parts[0], path)
        except Refused as why:
            refused, wrong = refused + 1, wrong + (why.problems[0].place is None)
            continue
        refused += len(said.unread)
        wrong += sum(one.problem.place is None for one in said.unread)
        for one in said.found:
            try:
                made = imported.made("site", [one], said, date(2026, 11, 28))
                good = all(proof.verdict == "PROVED" for proof in made.proofs)
            except Refused as why:
                good = "answers only" in str(why)
            read, wrong = read + good, wrong + (not good)
            if not good:
                sys.stderr.write(f"{path}: {one.name} was read and is not proven\n")
    return read, refused, wrong, len(files)


def line_7() -> Shown:
    """The fifteenth platform came in a commit that touched its folder only, and no Python; and it stands."""
    added = _git("log", "--diff-filter=A", "--format=%H", "--", f"{FIFTEENTH}/platform.yaml").split()
    touched = _git("show", "--name-only", "--format=", added[-1]).split() if added else []
    outside = [name for name in touched if not name.startswith(f"{FIFTEENTH}/")]
    python = [name for name in touched if name.endswith(".py")]
    name = Path(FIFTEENTH).name
    complete = configlet("platforms", "check", name, cwd=ROOT).returncode == 0
    good = passed(ALL, PLANTED, "-k", name, CONFIGLET_POLICIES="300", CONFIGLET_MUTANTS="200")
    parts = (bool(touched), not outside, not python, complete, good > 3)
    words = f"{name}: its commit touched {len(touched) - len(outside)} files of its folder and {len(outside)} others; "
    return sum(parts), len(parts), words + f"`platforms check` {'complete' if complete else 'incomplete'}, {good} laws held"


def _git(*words: str) -> str:
    return subprocess.run(("git", *words), cwd=ROOT, capture_output=True, text=True, check=True).stdout
