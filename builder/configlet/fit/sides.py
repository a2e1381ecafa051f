"""What a policy says of one side of a routed gate, found once for both directions: what the one lets begin there is what the
replies of the other answer."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from itertools import chain, compress, takewhile
from operator import attrgetter
from typing import NamedTuple

from configlet.fit.clip import with_fragments
from configlet.fit.plain import End, Pair, Plain, ends_of, plain, spans_of
from configlet.model.block import Block
from configlet.model.net import Family, Spans
from configlet.model.policy import DST, SRC, WRITTEN, Entry
from configlet.packets.axis import Axis
from configlet.packets.blocks import Item, cut, replied, replies, rule_of
from configlet.packets.sets import within

LISTS, SHARE = 4, 32
"""So many lists were asked for, and together have as many rows as a thirty-second of the policy, when it is worth finding what
none of them need look at."""
KEPT = 16
"""Sides that are remembered: those of a device are asked for one after the other."""
_PERMIT = attrgetter("permit")


class Told(NamedTuple):
    """Rows with the ends of each, by a key of which there is one for each two ends."""

    rows: Sequence[Item]
    keys: Sequence[Hashable]
    ends: Mapping[Hashable, Pair]
    permits: Collection[Hashable]
    """The keys of permits."""


class Side:
    """What the operator wrote of one side."""

    __slots__ = ("numbers", "replies", "rows", "told", "whole")

    def __init__(self, numbers: Sequence[int], rows: Sequence[Item], replies: Sequence[Item], *, whole: bool) -> None:
        self.numbers, self.rows, self.replies, self.whole = numbers, rows, replies, whole
        """The rows of the policy that speak of it, in order; the same, cut to the side, and their replies; and whether
        nothing of any row was cut."""
        self.told: tuple[Told | None, Told | None] | None = None
        """Its rows and their replies where all of them are plain, as soon as somebody asked."""


class Rows:
    """Rows of a policy, found by one of their ends. The first question about an end goes through all of them; an index is
    made when there is a second one."""

    __slots__ = ("_asked", "_ends", "items")

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self._asked: set[int] = set()
        self._ends: dict[int, _Ends] = {}

    def touching(self, level: int, spans: Spans) -> tuple[list[int], Iterable[int]]:
        """The numbers of the rows of which an end lies in the spans, in no order, and of those that may share an address with
        them, lying in them or not."""
        if level not in self._asked:
            self._asked.add(level)
            return [], range(len(self.items))
        if level not in self._ends:
            self._ends[level] = _Ends([i.sets[level] if isinstance(i, Block) else i.box[level] for i in self.items])
        return self._ends[level].touching(spans)

    def cut(self, level: int, spans: Spans) -> tuple[list[int], dict[int, tuple[Item, ...]]]:
        """The numbers of the rows that have an address in the spans, in order, and what is left of those that have others too."""
        items = self.items
        found, some = self.touching(level, spans)
        pieces: dict[int, tuple[Item, ...]] = {}
        first, last = (spans[0][0], spans[-1][1]) if spans else (0, -1)
        whole = len(spans) == 1
        for number in some:
            item = items[number]
            if type(item) is Entry:
                low, high = item.box[level]
                if high < first or last < low:
                    continue
                if whole and first <= low and high <= last:
                    found.append(number)
                    continue
            made = tuple(cut(item, level, spans))
            if made:
                found.append(number)
                if made[0] is not item:
                    pieces[number] = made
        found.sort()
        return found, pieces


class _Ends:
    """Numbers of rows by their end in one dimension, as far fewer ends are told apart than rows."""

    __slots__ = ("_axis", "_numbers")

    def __init__(self, ends: Iterable[End]) -> None:
        by: dict[End, list[int]] = {}
        for number, end in enumerate(ends):
            by.setdefault(end, []).append(number)
        self._numbers = tuple(by.values())
        self._axis = Axis(map(spans_of, by))

    def touching(self, spans: Spans) -> tuple[list[int], list[int]]:
        inside, others = list[int](), list[int]()
        rows, numbers = self._axis.rows, self._numbers
        for at in self._axis.near(spans):
            (inside if within(rows[at], spans) else others).extend(numbers[at])
        return inside, others


class Sides:
    """A policy of one realm and family, as routed gates ask for it."""

    __slots__ = ("_answers", "_known", "_lists", "_looked", "_odd", "_plain", "family", "network", "written")

    def __init__(self, family: Family, found: Sequence[Item]) -> None:
        at = sum(1 for _ in takewhile(lambda item: rule_of(item).origin not in WRITTEN, found))
        self.family = family
        self.network, self.written = Rows(found[:at]), Rows(found[at:])
        """What the network needs and keeps closed, and what the operator wrote behind it."""
        self._lists = self._looked = 0
        self._plain: Plain | None = None
        self._known: dict[object, Side] = {}
        self._answers: dict[int, tuple[Item, ...]] = {}
        """The replies to whole rows by their number, as both lists that have a row are to have the same of them."""
        self._odd: set[int] = set()
        """The rows that have not one reply between the same ends."""

    def plain(self, rows: int) -> Plain | None:
        """The rows that no list need look at, for a list of so many rows; None until it is worth it."""
        self._lists, self._looked = self._lists + 1, self._looked + rows
        if self._plain is None and self._lists > LISTS and self._looked * SHARE >= len(self.written.items):
            self._plain = plain(self.family, self.written.items)
        return self._plain

    def side(self, level: int, spans: Spans, *, match: bool) -> Side:
        """What the operator wrote of which one end, a destination or a source, is in these spans. ``match``: with what it says
        of fragments."""
        key = level, spans, match
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= KEPT:
                self._known.clear()
            found = self._known[key] = self._side(level, spans, match=match)
        return found

    def _side(self, level: int, spans: Spans, *, match: bool) -> Side:
        items = self.written.items
        numbers, pieces = self.written.cut(level, spans)
        rows: Sequence[Item] = tuple(map(items.__getitem__, numbers))
        if pieces:
            rows = tuple(chain.from_iterable(pieces.get(n) or (items[n],) for n in numbers))
        if match:
            rows = with_fragments(rows, match=True)
            back = tuple(replies(rows, self.family))
        else:
            back = tuple(chain.from_iterable(self._replies(numbers, pieces)))
        return Side(numbers, rows, back, whole=not (pieces or match))

    def _replies(self, numbers: Sequence[int], pieces: Mapping[int, Sequence[Item]]) -> Iterable[Sequence[Item]]:
        held, items, family = self._answers, self.written.items, self.family
        for number in set(numbers).difference(held, pieces):
            found = held[number] = replied(items[number], family)
            if len(found) != 1 or not _turned(items[number], found[0]):
                self._odd.add(number)
        if not pieces:
            return map(held.__getitem__, numbers)
        return (tuple(replies(pieces[n], family)) if n in pieces else held[n] for n in numbers)

    def told(self, here: Side, there: Side) -> tuple[Told, Told] | None:
        """The rows of one side and the permits among the replies of the other, where all are plain (``plain`` was asked)."""
        for side in (here, there):
            if side.told is None:
                side.told = self._told(side)
        asked, answered = here.told[0], there.told[1]  # type: ignore[index]
        return (asked, answered) if asked and answered else None

    def _told(self, side: Side) -> tuple[Told | None, Told | None]:
        plain, numbers = self._plain, side.numbers
        if plain is None:
            return None, None
        permitting = list(self.permitting(numbers))
        back = side.replies if len(permitting) == len(numbers) else [item for item in side.replies if item.permit]
        if side.whole and self._odd.isdisjoint(numbers):
            keys, permits = (list(map(plain.pairs.__getitem__, some)) for some in (numbers, permitting))
            kinds, answered = set(keys), set(permits)
            asked = Told(side.rows, keys, {key: plain.ends[key] for key in kinds}, answered)
            replies = Told(back, permits, {key: plain.ends[key][::-1] for key in answered}, answered)
        else:
            asked, replies = _each(side.rows), _each(back)
        return (
            asked if plain.odd.isdisjoint(numbers) else None,
            replies if plain.unanswered.isdisjoint(numbers) else None,
        )

    def permitting(self, numbers: Sequence[int]) -> Iterable[int]:
        """Those of some rows of the operator's that are permits."""
        return compress(numbers, map(_PERMIT, map(self.written.items.__getitem__, numbers)))


def _each(rows: Sequence[Item]) -> Told:
    """Rows with their ends as keys."""
    keys = ends_of(rows)
    return Told(rows, keys, dict(zip(keys, keys, strict=True)), set(compress(keys, map(_PERMIT, rows))))


def _turned(item: Item, reply: Item) -> bool:
    """Whether a reply does the same between the same ends the other way."""
    if isinstance(item, Block) or isinstance(reply, Block):
        return False
    box, other = item.box, reply.box
    return box[DST] is other[SRC] and box[SRC] is other[DST] and item.permit is reply.permit
