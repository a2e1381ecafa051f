"""Long runs of the walk: random small pairs before three judges, and mutants of long lists, with a new seed each round.

``python soak/soak_walk.py``           for CONFIGLET_SOAK seconds (600)
``python soak/soak_walk.py --broken``  breaks the engine in each of the ways below; the laws must notice every one
"""

# ruff: noqa: E501 - a fault is one line

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "builder"), str(ROOT)]

TAILS, WALK = "tails.py", "walk.py"
BROKEN = (
    (TAILS, "if tail in seen:\n            continue", "if False:\n            continue", "a repeated tail is kept"),
    (TAILS, "run[:] = (code,)\n            break", "run.append(code)", "a full tail swallows nothing"),
    (TAILS, "            break\n        run.append(code)", "        run.append(code)", "rows behind a full tail count"),
    (TAILS, "if runs[-1][0] < 0:", "if runs[-1][0] >= 0:", "permits at the end are dropped"),
    (TAILS, "return tuple([code for run in runs for code in sorted(run)])", "return tuple(sorted(sum(runs, [])))", "sorted over all runs"),
    (TAILS, "self.after[level].append(span[1] + 1)", "self.after[level].append(span[1] + (span[0] == 0))", "a border is off by one"),
    (TAILS, "self.after[0].append(high + 1)", "self.after[0].append(high + 1 - (low == 6))", "a border of protocols is off by one"),
    (TAILS, "ids.get((span, tail))", "ids.get((span, 0))", "tails of different ends are taken for one"),
    (WALK, "key = (level, laws, text)", "key = (0, laws, text)", "what one dimension proved counts for another"),
    (TAILS, "for cell in column[start:stop]:", "for cell in column[start : stop - 1]:", "the last piece of a row is lost"),
    (WALK, "found = [normal(a + b)]", "found = [normal(b + a)]", "a deny of one list silences the other"),
    (WALK, "found = [a] if a == b else [a, b]", "found = [a]", "one list of two is forgotten"),
    (TAILS, "deeper = rest[tail] if code >= 0 else ~rest[tail]", "deeper = rest[tail]", "denies are taken for permits"),
    (WALK, "                    return OVERRUN", "                    return None", "an overrun is equal"),
    (TAILS, "steps -= stop - start", "steps -= 0", "a budget is not looked at"),
    (WALK, "return [(borders[at], borders[at + 1] - 1), *found]", "return [(borders[at], borders[at + 1]), *found]", "the box that is found is too wide"),
    (WALK, 'if self.kind == "too open" and (not text or laws == (EVERYTHING,))', 'if self.kind == "too open" and (text or laws == (EVERYTHING,))', "too open is not looked for"),
    (WALK, 'if self.kind == "too tight" and (not laws or text == EVERYTHING)', 'if self.kind == "too tight" and (not laws or text)', "too tight ends early"),
    (WALK, "return list(self.tails.whole[level:])", "return list(self.tails.whole[level + 1 :])", "a box loses a dimension"),
)  # fmt: skip


def broken() -> int:
    """How many of the faults no law noticed."""
    missed = 0
    for file, old, new, what in BROKEN:
        with tempfile.TemporaryDirectory(prefix="configlet-broken-") as folder:
            copy = Path(folder)
            shutil.copytree(ROOT / "builder", copy / "builder", ignore=shutil.ignore_patterns("__pycache__"))
            (copy / "tests" / "laws").mkdir(parents=True)
            for path in [*(ROOT / "tests" / "laws").glob("*walk*.py"), ROOT / "tests" / "laws" / "cudd.py"]:
                shutil.copy(path, copy / "tests" / "laws")
            shutil.copy(ROOT / "pyproject.toml", copy)
            path = copy / "builder" / "configlet" / "packets" / file
            text = path.read_text()
            assert text.count(old) == 1, (file, old)
            path.write_text(text.replace(old, new))
            command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "tests/laws/test_walk.py"]
            around = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
            ended = subprocess.run(command, cwd=copy, env=around, capture_output=True, text=True, check=False)
        noticed = ended.returncode == 1
        missed += not noticed
        print("noticed" if noticed else "MISSED ", what, flush=True)
    print(f"{len(BROKEN) - missed} of {len(BROKEN)} faults of the engine noticed")
    return missed


def soak(seconds: float) -> None:
    """Rounds until the time is over; an AssertionError names the pair, the line before it the seed."""
    from tests.laws.walk_judge import Judges, mutants
    from tests.laws.walk_lists import pairs

    judges, seed, end = Judges(), int(time.time()), time.monotonic() + seconds
    small = equal = refuted = same = 0
    while time.monotonic() < end:
        print(f"seed {seed}: {small} pairs ({equal} equal), {refuted} mutants refuted, {same} of the same meaning", flush=True)
        found = [judges.one_mind(*pair) for pair in pairs(seed, 5_000)]
        small, equal = small + len(found), equal + sum(found)
        for family in (4, 6):
            counts = mutants(family, 1_000, 200, seed, judges)
            refuted, same = refuted + counts.refuted, same + counts.same
        seed += 1
    print(f"{small} pairs ({equal} equal), {refuted} mutants refuted, {same} of the same meaning, nobody disagreed")


if __name__ == "__main__":
    if "--broken" in sys.argv:
        raise SystemExit(broken())
    soak(float(os.environ.get("CONFIGLET_SOAK", "600")))
