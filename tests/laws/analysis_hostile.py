"""Random overlapping fields: ``python -m tests.laws.analysis_hostile RULES``. It must end, and say nothing that is wrong.

What is said to be shadowed or redundant is judged by decision diagrams: a rule must lie inside the rules that are named.
What is said to be decided by a rule is judged by a plain first match over the rules as they are written. Prints one
JSON object with the counts and CPU seconds of the analysis.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from configlet import rules, workspace
from configlet.analyse.blocks import packet_in, rows_of
from configlet.analyse.cover import Meter
from configlet.analyse.judge import judge
from configlet.analyse.spaces import spaces_of
from configlet.analyse.verdicts import Verdicts
from configlet.model.policy import Policy
from tests.laws.analysis_lists import matches
from tests.laws.analysis_size import write
from tests.laws.cudd import Diagrams
from tests.laws.walk_lists import Row

SAMPLE = 300


def policy_of(kind: str, count: int) -> Policy:
    """The expanded policy of a site of `analysis_size`."""
    with tempfile.TemporaryDirectory(prefix="configlet-analysis-") as folder:
        write(kind, count, Path(folder))
        return rules.expand(workspace.load(Path(folder), "dc1", date(2026, 11, 24)).inventory)


def judged(policy: Policy, found: Verdicts) -> int:
    """How many verdicts were judged; fails on the first that is wrong."""
    dice = random.Random(1)
    covered = {number: dead.by for number, dead in found.dead.items()}
    covered |= {n: (*range(n), *spare.by) for n, spare in found.spare.items() if spare.kind == "redundant"}
    some = dice.sample(sorted(covered), min(SAMPLE, len(covered)))
    _inside(policy, {number: covered[number] for number in some})
    parts = [*found.live.items(), *found.lone.items()]
    parts += [(owner, where) for taken in found.taken.values() for owner, where in taken.items()]
    for number, (space, part) in dice.sample(parts, min(SAMPLE, len(parts))):
        packet = packet_in(part, space.realm, space.family)
        first = next((n for n, rule in enumerate(policy.rules) if matches(rule, packet)), None)
        assert first == number, (first, number, packet)
    return len(some) + min(SAMPLE, len(parts))


def _inside(policy: Policy, covered: dict[int, Iterable[int]]) -> None:
    for space in spaces_of(policy):
        diagrams = Diagrams(space.family)
        of: dict[int, list[Row]] = {}
        for block, owner in zip(space.blocks, space.owners, strict=True):
            of.setdefault(owner, []).extend(Row(True, box) for box in rows_of(block, 10_000) or ())
        for number, by in covered.items():
            around = [row for other in by for row in of.get(other, ()) if _near(row, of.get(number, ()))]
            rule = diagrams.permitted(of.get(number, []))
            assert rule & ~diagrams.permitted(around) == diagrams.bdd.false, (number, space.realm)


def _near(row: Row, rows: Iterable[Row]) -> bool:
    return any(all(a[0] <= b[1] and b[0] <= a[1] for a, b in zip(row.box, each.box, strict=True)) for each in rows)


def main(count: int) -> None:
    """Analyse, judge, print."""
    policy = policy_of("hostile", count)
    started = time.process_time()
    found = judge(policy, Meter())
    seconds = time.process_time() - started
    sys.stdout.write(
        json.dumps(
            {
                "rules": len(policy.rules),
                "seconds": round(seconds, 1),
                "live": len(found.live) + len(found.lone),
                "shadowed": len(found.dead),
                "redundant": sum(spare.kind == "redundant" for spare in found.spare.values()),
                "undecided": len(found.undecided),
                "judged": judged(policy, found),
            }
        )
        + "\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
