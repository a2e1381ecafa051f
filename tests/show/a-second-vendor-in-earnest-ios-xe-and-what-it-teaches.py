"""What the third issue must show, at full size: a second vendor beside the first."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from tests.cli_run import DAY, ROOT, configlet
from tests.show_run import Shown, clean_clone, demo_in, passed

STAGES = (
    "workspace",
    "rules",
    "place",
    "fit",
    "render",
    "prove",
    "plan",
    "packets",
    "readers",
    "platforms",
    "pipeline",
)
BUILT = "49232bb"
"""Until here every change of a stage is taken for one that this platform made necessary."""
LEAST_RATE = 990
"""Packets a second of each kind, on average, that are near enough to a thousand."""
AROUND = {**os.environ, "PYTHONPATH": f"{ROOT / 'builder'}:{ROOT}"}


def line_1() -> Shown:
    """`make demo` with two vendors in one policy, and `why` across both."""
    with clean_clone() as clone:
        good, last = demo_in(clone)
    rendered = json.loads(configlet("render", "dc1", "--at", DAY, "--json").stdout)
    vendors = {artifact["platform"] for artifact in rendered["artifacts"]} >= {"eos", "ios", "nftables"}
    said = configlet("why", "dc1", "ogw1", "me1", "engine-orders", "--at", DAY).stdout
    across = [re.search(rf"leaf\d/Vlan\d+/(in|out)/v4 +passes +leaf\d\.{p}\.acl:\d+", said) for p in ("eos", "ios")]
    return good + vendors + sum(map(bool, across)), 4, f"demo, two vendors in dc1, why across both; {last}"


def line_2() -> Shown:
    """An access list of 500 entries replaced ten times under traffic: nothing lost, nothing leaked; the naive way is seen."""
    ours, naive = _replaced("driver"), _replaced("naive")
    lost, leaked = ours["sent"] - ours["allowed"], ours["forbidden"]
    seen = naive["sent"] - naive["allowed"] + naive["forbidden"]
    rates = [found["sent"] / found["seconds"] for found in (ours, naive)]
    enough = min(rates) > LEAST_RATE and len(ours["recipes"]) == 10
    words = f"of {ours['sent']} each, {rates[0]:.0f} a second, {lost} lost and {leaked} leaked"
    words += f" ({', '.join(sorted(set(ours['recipes'])))}; longest time without a packet {ours['longest'] * 1000:.0f} ms)"
    words += f"; the naive way, of {naive['sent']} each, lost or leaked {seen}"
    return enough + (lost == 0) + (leaked == 0) + (seen > 0), 4, words


def _replaced(way: str) -> dict[str, Any]:
    order = json.dumps({"way": way, "entries": 500, "times": 10})
    command = ["unshare", "-Urn", sys.executable, "-m", "tests.lab.ios_packets"]
    ended = subprocess.run(command, cwd=ROOT, env=AROUND, input=order, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.stderr.write(ended.stderr[-3000:])
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def line_3() -> Shown:
    """Every fault at every step: the outcome is what the switch really runs."""
    command = [sys.executable, "-m", "tests.lab.ios_faults"]
    ended = subprocess.run(command, cwd=ROOT, env=AROUND, capture_output=True, text=True, check=False)
    last = (ended.stdout.strip().splitlines() or [""])[-1]
    counts = re.fullmatch(r"(\d+) pushes, .*, (\d+) false", last)
    if ended.returncode or counts is None:
        sys.stderr.write(ended.stdout[-6000:] + ended.stderr[-2000:])
        return 0, 1, last or "the faults could not be shown"
    return int(counts[1]) - int(counts[2]), int(counts[1]), last


def line_4() -> Shown:
    """Planted faults of `ios`, all REFUTED; hostile inputs, all with their place."""
    planted = passed("tests/laws/test_planted_faults_ios.py", "-k", "refuted")
    hostile = passed("tests/tables/test_hostile_inputs.py", "tests/tables/test_hostile_files.py", "-k", "at_its_place")
    enough = planted >= 40 and hostile >= 60
    return (
        planted + hostile if enough else 0,
        100,
        f"{planted} planted faults REFUTED, {hostile} hostile inputs with place",
    )


def line_5() -> Shown:
    """No stage's Python speaks of this platform, and a decision record names each file of a stage that it touched."""
    records = "\n".join(path.read_text() for path in sorted((ROOT / "docs" / "decisions").glob("*.md")))
    changed = list(_changed())
    named = [path for path in changed if path.removeprefix("builder/configlet/") in records]
    for path in sorted(set(changed) - set(named)):
        sys.stderr.write(f"no decision record names {path}\n")
    spoken = list(_spoken())
    for place in spoken:
        sys.stderr.write(f"a stage speaks of the platform: {place}\n")
    words = f"{len(named)} of {len(changed)} touched files are named, {len(spoken)} speak of the platform"
    return len(named) + (not spoken), len(changed) + 1, words


def _changed() -> Iterator[str]:
    """The Python of stages that changed while the platform was built, or later for it alone, by its path.

    A commit that touches several platforms' folders is about what they have in common.
    """

    def git(*words: str, check: bool = True) -> list[str]:
        ended = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=check)
        return ended.stdout.splitlines()

    folders = [f"builder/configlet/{stage}/" for stage in STAGES]
    first = git("log", "--reverse", "--diff-filter=A", "--format=%H", "--", "configlets/ios/platform.yaml")[0]
    built = git("rev-parse", "--verify", "--quiet", f"{BUILT}^{{commit}}", check=False) or ["HEAD"]
    found = set(git("diff", "--name-only", f"{first}^", built[0], "--", *folders))
    for commit in git("log", "--format=%H", f"{built[0]}..HEAD", "--", "configlets/ios"):
        names = git("show", "--format=", "--name-only", commit)
        if all(name.startswith("configlets/ios/") for name in names if name.startswith("configlets/")):
            found |= {name for name in names if name.startswith(tuple(folders))}
    yield from sorted(path for path in found if path.endswith(".py"))


def _spoken() -> Iterator[str]:
    """Where the code of a stage (not its comments and docstrings) has the platform's name."""
    word = re.compile(r"(?i)\b(ios|ios_?xe|cisco|catalyst)\b")
    for path in (p for stage in STAGES for p in sorted((ROOT / "builder" / "configlet" / stage).rglob("*.py"))):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        said = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)}
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and id(node) not in said else getattr(node, "id", "")
            if isinstance(text, str) and word.search(text):
                yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
