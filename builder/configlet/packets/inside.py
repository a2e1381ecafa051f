"""Two sides of first-match lists compared in some boxes alone, of which the sieve knows that nothing differs elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast

from configlet.model.gate import Cell
from configlet.model.net import Family
from configlet.model.policy import DST, SRC, Box
from configlet.packets.ahead import Rows
from configlet.packets.bits import Among
from configlet.packets.boxes import meet
from configlet.packets.walk import FIRST_TRY, ORDERS, OVERRUN, Kind, Overrun, Pair, differ_in

MOST, EACH = 100_000, 4
"""Rows of all boxes together, or so many for each row of the lists, above which nothing is compared here."""
FEW = 8
"""Boxes up to which each is held against every row."""


class Left(NamedTuple):
    """Boxes of packets on which two sides may differ; ``every``: outside of them they do not."""

    boxes: Sequence[Box]
    every: bool = True


def inside(
    family: Family, laws: Sequence[Rows], text: Rows, boxes: Sequence[Box], kinds: Sequence[Kind | None] = (None,)
) -> tuple[Box | Overrun | None, ...]:
    """For each kind a box of packets in some boxes that only one side passes, as ``walk.more``; None when there is none.

    OVERRUN where that would take long.
    """
    boxes = sorted(boxes)  # so that it does not matter which side is called the law
    cut = [_inside(rows, boxes) for rows in (*laws, text)] if boxes else []
    if any(of is None for of in cut):
        return (OVERRUN,) * len(kinds)
    pairs: list[Pair] = [(sides[:-1], sides[-1]) for sides in zip(*cast("list[list[list[Cell]]]", cut), strict=True)]
    return tuple(differ_in(family, pairs, kind, len(ORDERS) * FIRST_TRY) for kind in kinds)


def _inside(rows: Rows, boxes: Sequence[Box]) -> list[list[Cell]] | None:
    """What a list says of the packets in each of some boxes; None where that is much."""
    if len(boxes) <= FEW:
        return [[*_near(rows, box)] for box in boxes]
    among = Among(boxes)
    out: list[list[Cell]] = [[] for _ in boxes]
    room = MOST + EACH * len(rows)
    for row in rows:
        near = among.at(row.box)
        room -= len(near)
        if room < 0:
            return None
        for at in near:
            both = meet(cast(Box, row.box), boxes[at])
            if both:
                out[at].append(Cell(row.permit, both))
    return out


def _near(rows: Rows, box: Box) -> Iterable[Cell]:
    """What a list says of the packets in one box."""
    (low, high), (first, last) = box[DST], box[SRC]
    for row in rows:
        of = row.box
        if of[DST][0] <= high and low <= of[DST][1] and of[SRC][0] <= last and first <= of[SRC][1]:
            both = meet(cast(Box, of), box)
            if both:
                yield Cell(row.permit, both)
