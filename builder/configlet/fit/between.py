"""Rows of a list with the ends of each: a list has far fewer ends than rows, and both lists of a gate ask the same of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from itertools import compress
from typing import NamedTuple

from configlet.fit.clip import meeting
from configlet.fit.plain import End, Pair, spans_of
from configlet.fit.units import ICMPS, lengths, typed, types
from configlet.model.block import Answers, Block
from configlet.model.net import PORTS, Family, Span, Spans
from configlet.model.policy import DPORT, PROTO
from configlet.packets.blocks import Item
from configlet.packets.sets import touch, within

LONG = 8
"""Spans of a set from which it is remembered what of them permits speak of, and which ends lie in such sets."""
Ends = tuple[Spans, Spans]
"""All destinations and all sources of a row."""


class Among(NamedTuple):
    """The spans of all long sets that the network keeps closed, and the ends of rows that lie in these."""

    spans: frozenset[Span]
    ends: frozenset[End]


class Between:
    """Rows by a key of which there is one for each two ends, a destination and a source."""

    __slots__ = ("_among", "_closed", "_every", "_left", "_lying", "_widest", "ends", "keys", "loud", "permits", "rows", "single")

    def __init__(
        self,
        rows: Sequence[Item],
        keys: Sequence[Hashable],
        ends: Mapping[Hashable, Pair],
        permits: Collection[Hashable],
        *,
        single: bool,
        among: Among | None = None,
    ) -> None:
        self.rows, self.keys, self.ends, self.permits, self.single = rows, keys, ends, permits, single
        """The rows, the key of each, the ends of each key, the keys of permits, and whether each row surely is one line between
        two prefixes: none is a block, or speaks of types of ICMP."""
        self._among = among
        """What may lie in long sets of denies that are parts of those, where that is known."""
        self.loud: Collection[Hashable] = ()
        """The keys of rows that are plain only where they are closed."""
        self._closed: tuple[Sequence[Ends], Collection[Hashable]] = (), ()
        self._left: tuple[Collection[Hashable], Collection[Hashable] | None, Sequence[Item]] = (), None, rows
        """The keys that were closed last, those that are open then, and their rows."""
        self._lying: dict[Ends, Collection[Hashable]] = {}
        """What lies in short denies."""
        self._every: tuple[set[End], set[End]] | None = None
        self._widest = 0

    @property
    def spoken(self) -> tuple[set[End], set[End]]:
        """The destinations and the sources of permits."""
        pairs = list(map(self.ends.__getitem__, self.permits))
        return {dst for dst, _ in pairs}, {src for _, src in pairs}

    def touches(self, deny: Ends) -> bool:
        """Whether some permit shares addresses with a deny at both ends."""
        to, start = deny
        return any(
            touch(spans_of(dst), to) and touch(spans_of(src), start) for dst, src in map(self.ends.__getitem__, self.permits)
        )

    def closed(self, denies: Sequence[Ends]) -> Collection[Hashable]:
        """The keys of the rows of which both ends lie in those of one of some denies."""
        known, found = self._closed
        if len(known) == len(denies) and all(one in known for one in denies) and all(one in denies for one in known):
            return found
        out = set[Hashable]()
        for deny in denies:
            out.update(self._in_one(deny) if len(deny[0]) + len(deny[1]) < LONG else self._in(deny))
        self._closed = denies, found if found == out else out  # mostly the other list has another span or two, that close no more
        return self._closed[1]

    def _in_one(self, deny: Ends) -> Collection[Hashable]:
        """The same of one deny, and remembered."""
        found = self._lying.get(deny)
        if found is None:
            if len(self._lying) >= LONG:
                self._lying.clear()
            found = self._lying[deny] = self._in(deny)
        return found

    def _in(self, deny: Ends) -> Collection[Hashable]:
        ends = self.every
        few = len(ends[0]) > len(ends[1])
        one = self._within(ends[few], deny[few])
        other = self._within(ends[not few], deny[not few]) if one else one
        return [key for key, pair in self.ends.items() if pair[few] in one and pair[not few] in other] if other else ()

    def _within(self, ends: set[End], spans: Spans) -> set[End]:
        if len(spans) >= LONG and self._among is not None and self._among.spans.issuperset(spans):
            ends = ends & self._among.ends
        return within_all(ends, spans)

    def open(self, denies: Sequence[Ends]) -> Sequence[Item]:
        """The rows that do not lie in one of some denies of all between their ends; the same object, asked again for the same."""
        return self.left(denies)[1]

    def left(self, denies: Sequence[Ends]) -> tuple[Collection[Hashable] | None, Sequence[Item]]:
        """The same, behind all keys that such rows have; None where all rows are left."""
        closed = self.closed(denies)
        if not closed:
            return None, self.rows
        if self._left[0] is not closed:
            there = set(self.ends).difference(closed)
            self._left = closed, there, tuple(compress(self.rows, map(there.__contains__, self.keys)))
        return self._left[1:]

    def lines(self, family: Family) -> int:
        """No less lines than the rows are."""
        return len(self.rows) * self.widest(family) if self.single else _lines(family, self.rows, self.widest(family))

    def widest(self, family: Family) -> int:
        """The prefixes of the longest destination times those of the longest source, but for blocks."""
        if not self._widest:
            to, start = self.every
            self._widest = _longest(family, to) * _longest(family, start)
        return self._widest

    @property
    def every(self) -> tuple[set[End], set[End]]:
        """The destinations and the sources of all rows."""
        if self._every is None:
            self._every = {dst for dst, _ in self.ends.values()}, {src for _, src in self.ends.values()}
        return self._every


class Turned:
    """The replies to all permits among some rows, one to each, between the same two ends the other way."""

    __slots__ = ("_of", "_ported", "keys", "loud", "rows")

    def __init__(self, rows: Sequence[Item], keys: Sequence[Hashable], of: Between, *, ported: bool = False) -> None:
        self.rows, self.keys, self._of, self._ported = rows, keys, of, ported
        """``ported``: whether each has the ports of its permit too, the other way."""
        self.loud: Collection[Hashable] = ()
        """The keys of rows that are plain only where they are closed."""

    @property
    def spoken(self) -> tuple[set[End], set[End]]:
        """The destinations and the sources of permits."""
        to, start = self._of.spoken
        return start, to

    def touches(self, deny: Ends) -> bool:
        """Whether some permit shares addresses with a deny at both ends."""
        return self._of.touches(deny[::-1])

    def closed(self, denies: Sequence[Ends]) -> Collection[Hashable]:
        """The keys of the rows of which both ends lie in those of one of some denies."""
        return self._of.closed([deny[::-1] for deny in denies])

    def open(self, denies: Sequence[Ends]) -> Sequence[Item]:
        """The rows that do not lie in one of some denies of all between their ends."""
        there, of = self._of.left([deny[::-1] for deny in denies])
        rows = self.rows if there is None else compress(self.rows, map(there.__contains__, self.keys))
        return Answers(rows, of) if self._ported else tuple(rows)  # type: ignore[type-var]

    def lines(self, family: Family) -> int:
        """No less lines than the rows are."""
        of, rows = self._of, self.rows
        return len(rows) * of.widest(family) if of.single else _lines(family, rows, of.widest(family))


Told = Between | Turned
"""Rows of a list that are asked by their ends."""


class Spoken:
    """The addresses that permits of both lists of a gate speak of, destinations and sources of the one list."""

    __slots__ = ("_ends", "_met")

    def __init__(self, ends: Ends) -> None:
        self._ends = ends
        self._met: list[tuple[Spans, int, Spans]] = []

    def meeting(self, at: int, some: Spans) -> Spans:
        """Those of some spans that share an address with destinations (0) or sources (1)."""
        if len(some) < LONG:
            return meeting(some, self._ends[at])
        for known, where, found in self._met:
            if known is some and where == at:
                return found
        self._met.append((some, at, meeting(some, self._ends[at])))
        return self._met[-1][2]


def _longest(family: Family, ends: Iterable[End]) -> int:
    """The prefixes of the longest of some ends, but for those of blocks."""
    return max([lengths(family, end) for end in ends if end[0] != end[-1] and isinstance(end[0], int)], default=1)


def _lines(family: Family, rows: Sequence[Item], widest: int) -> int:
    blocks = [row for row in rows if isinstance(row, Block)]
    boxes = [row.box for row in rows if not isinstance(row, Block)]
    more = sum(types(box[DPORT]) for box in boxes if box[PROTO] in ICMPS and box[DPORT] != PORTS)
    return (len(boxes) + more) * widest + sum(typed(family, block.sets) for block in blocks)


def within_all(ends: Iterable[End], spans: Spans) -> set[End]:
    """Those of some ends that lie in a set of addresses."""
    out = set[End]()
    for end in ends:
        low, high = end[0], end[-1]
        if isinstance(low, int):  # one interval, as nearly all are
            at = bisect_left(spans, (low + 1,))
            if at and high <= spans[at - 1][1]:  # type: ignore[operator]
                out.add(end)
        elif within(spans_of(end), spans):
            out.add(end)
    return out
