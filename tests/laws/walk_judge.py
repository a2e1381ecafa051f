"""Judges beside the walk: first match, brute force over cells, decision diagrams; and mutants for them to judge."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import product
from math import prod
from typing import NamedTuple

from configlet.model.net import Family
from configlet.packets.walk import OVERRUN, differ
from tests.laws.cudd import Diagrams
from tests.laws.walk_lists import Point, Row, Rows, corners, law_permits, long_rows, meets, mutated, passing, permits

MOST_CELLS = 4_000


class Judges:
    """Brute force and decision diagrams of both families."""

    def __init__(self) -> None:
        self.diagrams: dict[Family, Diagrams] = {4: Diagrams(4), 6: Diagrams(6)}

    def one_mind(self, family: Family, law: Sequence[Rows], text: Rows) -> bool:
        """Whether a small pair is equal. All judges must say the same, and what the walk found must differ."""
        passed = 0
        for rows in law:
            passed |= passing(family, rows)
        by_cells = passed == passing(family, text)
        by_diagram = self.equal(family, law, text)
        box = differ(family, law, text)
        assert box is not OVERRUN
        assert (box is None) == by_cells == by_diagram, (family, law, text, box)
        if isinstance(box, tuple):
            assert law_permits(law, lowest(box)) != permits(text, lowest(box)), (family, law, text, box)
        return by_cells

    def equal(self, family: Family, law: Sequence[Sequence[Row]], text: Sequence[Row]) -> bool:
        """What the decision diagrams say."""
        diagrams = self.diagrams[family]
        return bool(diagrams.law(law) == diagrams.permitted(text))


def lowest(box: Sequence[tuple[int, int]]) -> Point:
    return tuple(low for low, _ in box)


class Mutants(NamedTuple):
    """How many single-row mutants were refuted by a true packet, and how many mean the same (by how many diagrams)."""

    refuted: int
    same: int
    by_diagram: int


def mutants(family: Family, rows: int, count: int, seed: int, judges: Judges | None = None) -> Mutants:
    """Mutants of one list; fails where the walk and a judge disagree, or a packet is not true.

    With ``count`` refuted ones it stops; those that mean the same are counted beside.
    """
    dice, judges = random.Random(seed), judges or Judges()
    law = long_rows(dice, family, rows)
    refuted = same = by_diagram = 0
    while refuted < count:
        mutant, before, after = mutated(dice, law)
        near, hull = _near(law, mutant, before, after)
        grid = corners(near, hull)
        if prod(map(len, grid)) > MOST_CELLS:
            by_diagram += 1
            changed = not judges.equal(family, near[:1], near[1])
        else:
            changed = any(permits(near[0], point) != permits(near[1], point) for point in product(*grid))
        box = differ(family, [law], mutant)
        assert box is not OVERRUN
        assert (box is not None) == changed, (before, after)
        if isinstance(box, tuple):
            assert permits(law, lowest(box)) != permits(mutant, lowest(box)), (before, after)
        refuted, same = refuted + changed, same + (not changed)
    return Mutants(refuted, same, by_diagram)


def _near(law: Rows, mutant: Rows, before: Row, after: Row | None) -> tuple[list[Rows], tuple[tuple[int, int], ...]]:
    """The rows of both lists that meet the changed row, before or after: only its packets can be judged otherwise."""
    hull = tuple((min(a[0], b[0]), max(a[1], b[1])) for a, b in zip(before.box, (after or before).box, strict=True))
    return [[row for row in rows if meets(row.box, hull)] for rows in (law, mutant)], hull
