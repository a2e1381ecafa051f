"""First-match lists in their parts: what the network needs, what it keeps closed, and what the operator wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Protocol, TypeVar

from configlet.fit.classes import Row
from configlet.fit.law import INSIDE
from configlet.model.block import Sets
from configlet.model.net import Span, Spans
from configlet.model.policy import ANY_BIT, ANY_PORT, DPORT, DST, PROTO, SRC, WRITTEN, Rule
from configlet.packets.near import Near
from configlet.packets.sets import inside, meet, minus_all

SHARED = (INSIDE.name, "infrastructure addresses")
"""Denies that hold for initiations and replies alike, as their boxes are symmetric."""
UPPER = ((ANY_PORT,), (ANY_PORT,), (ANY_BIT,))


T = TypeVar("T", bound="_Judged")


class _Judged(Protocol):
    @property
    def permit(self) -> bool: ...


def parts(rows: Sequence[T], rule: Callable[[T], Rule]) -> tuple[list[T], list[T], list[T]]:
    """Permits of the network ahead of every deny, what it then keeps closed, and the rest, in this order.

    Replies to a permit of every protocol have denies of their own: from there on all belongs to the rest.
    """
    turn = sum(1 for _ in takewhile(lambda row: row.permit and rule(row).origin not in WRITTEN, rows))
    shut = sum(1 for _ in takewhile(lambda row: not row.permit and rule(row).name in SHARED, rows[turn:]))
    return list(rows[:turn]), list(rows[turn : turn + shut]), list(rows[turn + shut :])


def shared(first: Sequence[Row], second: Sequence[Row]) -> tuple[list[Row], list[Row], list[Row]]:
    """Denies of both lists, what only the first denies, what only the second denies.

    A block of the one may lack a span of the other's: what they have in common is said once all the same.
    """
    one, two = [row.sets for row in first], [row.sets for row in second]
    if all(sets in two for sets in one) and all(sets in one for sets in two) and _apart(first):
        return list(first), [], []
    crossed = [(a, b, meet(one.sets, two.sets)) for a, one in enumerate(first) for b, two in enumerate(second)]
    found = list(dict.fromkeys(sets for _, _, sets in crossed if sets))
    kept = {sets for sets in found if not any(sets != other and inside(sets, other) for other in found)}
    pairs = [(a, b, sets) for a, b, sets in crossed if sets and sets in kept]
    said = {sets: first[a] for a, _, sets in reversed(pairs)}
    both = [said[sets].over(sets) for sets in found if sets in kept]
    return both, _without(first, [(a, s) for a, _, s in pairs]), _without(second, [(b, s) for _, b, s in pairs])


def _apart(rows: Sequence[Row]) -> bool:
    """Whether no row lies in another."""
    return not any(inside(one.sets, other.sets) for one in rows for other in rows if one is not other)


def _without(rows: Sequence[Row], said: Sequence[tuple[int, Sets]]) -> list[Row]:
    """What rows decide beside the products that were said for each, by its number."""
    return [
        row.over(piece)
        for at, row in enumerate(rows)
        for piece in minus_all(row.sets, [sets for number, sets in said if number == at])
    ]


class Shut:
    """What is denied ahead of replies and initiations alike, asked whether it holds a whole product.

    Mostly it tells no protocols or ports apart: then the answer is that of all rows between the same ends.
    """

    __slots__ = ("_known", "_near", "broad", "rows")

    def __init__(self, rows: Sequence[Row], bit: Span) -> None:
        self.rows = rows
        self._near = Near([row.sets for row in rows])
        self.broad = all(row.sets[DPORT:] == (*UPPER, (bit,)) for row in rows)
        self._known: dict[tuple[Spans, ...], bool] = {}

    def holds(self, sets: Sets) -> bool:
        """Whether one of the denies holds all of a product of this fragment bit."""
        if not self._near.rows:
            return False
        if not self.broad:
            return any(True for _ in self._near.holding(sets))
        key = sets[:DPORT]
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = any(True for _ in self._near.holding(sets))
        return found

    def leaves(self, rows: list[Row]) -> list[Row]:
        """The rows that none of the denies holds wholly."""
        if self.broad:
            held = {kind for kind, sets in {row.sets[:DPORT]: row.sets for row in rows}.items() if self.holds(sets)}
            return [row for row in rows if row.sets[:DPORT] not in held] if held else rows
        return [row for row in rows if not self.holds(row.sets)]

    def needed(self, permits: Near, every: Spans) -> list[Row]:
        """The denies that share a packet with one of some permits of this fragment bit."""
        if self.broad and {row.sets[PROTO] for row in self.rows} <= {every}:
            return [row for row in self.rows if permits.touching(row.sets[DST], row.sets[SRC])]
        return [row for row in self.rows if any(True for _ in permits.meeting(row.sets))]


class First:
    """A first-match list, asked about whole products."""

    __slots__ = ("near", "rows")

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows, self.near = rows, Near([row.sets for row in rows])

    def passes(self, sets: Sets) -> bool:
        """Whether the first row that meets a product is a permit that holds all of it."""
        if not any(self.rows[number].permit for number in self.near.holding(sets)):
            return False
        found = self.rows[next(iter(self.near.meeting(sets)))]
        return found.permit and inside(sets, found.sets)

    def within(self, deny: Row) -> list[Row]:
        """What decides the packets of a deny: the rows inside it, without denies that no later permit meets."""
        found = [self.rows[n].over(both) for n in self.near.meeting(deny.sets) if (both := _both(self.rows[n], deny))]
        numbers = [at for at, row in enumerate(found) if row.permit]
        permits = Near([found[at].sets for at in numbers])
        return [
            row
            for at, row in enumerate(found)
            if row.permit or any(numbers[n] > at for n in permits.meeting(row.sets))
        ]


def _both(row: Row, deny: Row) -> Sets | None:
    return meet(row.sets, deny.sets)
