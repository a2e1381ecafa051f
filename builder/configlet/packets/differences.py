"""All packets on which two first-match lists differ, as disjoint boxes; and which rows of a long list can meet a box.

The walk is that of ``walk``: both lists are cut at all borders of one dimension and compared one dimension deeper. It
does not stop at the first difference: each pair of remainders answers with its boxes, once, however often it is met.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from configlet.model.block import Sets, T, items, listed, sets_of
from configlet.model.net import Family, Span
from configlet.model.policy import Box
from configlet.packets import near
from configlet.packets.sets import meets
from configlet.packets.tails import EVERYTHING, NOTHING, Codes, Order, Spent, Tails, normal
from configlet.packets.verdict import Row
from configlet.packets.walk import BUDGET, FIRST_TRY, ORDERS, OVERRUN, Kind, Overrun

Part = tuple[bool, Box]
"""A box of packets that the second list passes and the first does not (True), or the other way round (False)."""

_Tail = tuple[bool, tuple[Span, ...]]
R = TypeVar("R", bound=Row)

MANY = 200
"""Rows that only one of two lists has, up to which all rows are looked at one by one for what meets them."""


def differences(
    family: Family,
    before: Sequence[Row],
    after: Sequence[Row],
    kind: Kind | None = None,
    budget: int = BUDGET,
    orders: Sequence[Order] = ORDERS,
) -> tuple[Part, ...] | Overrun:
    """Every packet that one list passes and the other does not, in disjoint boxes; none when the lists are equal.

    ``kind`` asks in one direction: ``too open``, what only ``after`` passes; ``too tight``, what only ``before`` does.
    OVERRUN when the budget of steps (one to nine million a second; a box found is a step too) was not enough.
    """
    spent, share = 0, FIRST_TRY
    while True:
        for order in orders:
            tails = Tails(family, order)
            steps = min(share, budget - spent)
            try:
                walk = _Walk(tails, kind, steps)
                found = walk.visit(0, normal(tails.enter(before)), normal(tails.enter(after)))
            except Spent:
                spent += steps
                if spent >= budget:
                    return OVERRUN
                continue
            return tuple((opened, tails.box(spans)) for opened, spans in found)
        share *= 4


def deciders(before: Sequence[T], after: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    """The rows and blocks of either list that can have a say in a packet on which the two differ; of equal lists none.

    Where the rows that both have stand in one order, a packet that lies in no other row meets the same rows in both. So what
    differs lies in rows of one list alone, and is decided by them and by what meets them. Both lists whole where the
    common rows stand in another order, or more than ``MANY`` rows are in one list alone.
    """
    lists = items(before), items(after)
    keys = [[(row.permit, sets_of(row)) for row in rows] for rows in lists]
    first, second = map(Counter, keys)
    alike = {key for key, count in first.items() if second[key] == count}
    shared = [[key for key in of_list if key in alike] for of_list in keys]
    own = {sets for of_list in keys for permit, sets in of_list if (permit, sets) not in alike}
    if shared[0] != shared[1] or len(own) > MANY:
        return before, after
    was, now = (
        listed(row for row, (_, mine) in zip(rows, of_list, strict=True) if any(meets(mine, sets) for sets in own))
        for rows, of_list in zip(lists, keys, strict=True)
    )
    return was, now


class _Walk:
    """One walk over a pair of lists, with the answer of each pair of remainders."""

    __slots__ = ("kind", "known", "steps", "tails")

    def __init__(self, tails: Tails, kind: Kind | None, steps: int) -> None:
        self.tails, self.kind, self.steps = tails, kind, steps
        self.known: dict[tuple[int, Codes, Codes], tuple[_Tail, ...]] = {}

    def visit(self, level: int, one: Codes, other: Codes) -> tuple[_Tail, ...]:
        """The differences from this level on."""
        if one == other or self._beside(one, other):
            return ()
        if one in (NOTHING, EVERYTHING) and other in (NOTHING, EVERYTHING):
            return ((other == EVERYTHING, self.tails.whole[level:]),)
        key = level, one, other
        if key not in self.known:
            self.known[key] = tuple(self._cut(level, one, other))
        return self.known[key]

    def _beside(self, one: Codes, other: Codes) -> bool:
        """Whether nothing can differ in the direction that is asked for."""
        if self.kind == "too open":
            return not other or one == EVERYTHING
        return self.kind == "too tight" and (not one or other == EVERYTHING)

    def _cut(self, level: int, one: Codes, other: Codes) -> Iterator[_Tail]:
        """The pieces of this dimension; neighbours that differ alike are one piece."""
        bottom, top = self.tails.whole[level]
        borders = self.tails.borders(level, (one, other))
        index = dict(zip(borders, range(len(borders)), strict=True))
        columns = [self._distribute(level, codes, index) for codes in (one, other)]
        start = bottom
        last: tuple[_Tail, ...] = ()
        for at, border in enumerate(borders[:-1]):
            here, there = columns[0][at], columns[1][at]
            found = () if here == there else self.visit(level + 1, normal(here), normal(there))
            if found != last:
                yield from self._emit((start, border - 1), last)
                start, last = border, found
        yield from self._emit((start, top), last)

    def _emit(self, span: Span, found: tuple[_Tail, ...]) -> Iterator[_Tail]:
        self._spend(len(found))
        return ((opened, (span, *spans)) for opened, spans in found)

    def _distribute(self, level: int, codes: Codes, index: dict[int, int]) -> list[list[int]]:
        column, self.steps = self.tails.distribute(level, codes, index, self.steps)
        return column

    def _spend(self, steps: int) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise Spent


class Near(Generic[R]):
    """The rows of a list, found by their addresses: the few that can meet a box, without reading all."""

    __slots__ = ("_near", "rows")

    def __init__(self, rows: Iterable[R]) -> None:
        self.rows = tuple(rows)
        self._near = near.Near([_sets(row.box) for row in self.rows])

    def meeting(self, box: Box) -> list[R]:
        """The rows, in order, that share a packet with the box."""
        return [self.rows[at] for at in self._near.meeting(_sets(box))]

    def all_meeting(self, boxes: Iterable[Box]) -> list[R]:
        """The rows, in order and each once, that share a packet with any of the boxes."""
        return [self.rows[at] for at in sorted({at for box in boxes for at in self._near.meeting(_sets(box))})]


def _sets(box: tuple[Span, ...]) -> Sets:
    p, d, s, dp, sp, fl, fr = box
    return (p,), (d,), (s,), (dp,), (sp,), (fl,), (fr,)
