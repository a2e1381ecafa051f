"""What the permits of a host's law speak of, asked for the addresses that the network keeps closed.

A site has some hundred of those, and what the rows of one prefix reach of them is the same for all its hosts: it is found
once for a group of rows, as bits of one number.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import compress, repeat

from configlet.model.block import Block
from configlet.model.net import Span, Spans, merge, overlap
from configlet.model.policy import DST, SRC
from configlet.model.told import Face, Group, columns, denies, passes
from configlet.packets.apart import reached
from configlet.packets.blocks import Item

FEW = 4
"""Spans from which a set is long."""
MANY = 8
"""Spans that are sooner looked up all at once."""
KNOWN, GROUPS, PARTS = 64, 2048, 256
"""Long sets that are remembered, and of each the groups that were asked for and the parts that were made."""


class Reached:
    """The ends that the permits of a list speak of, of which the last rows are a face."""

    __slots__ = ("_ends", "_face", "_groups", "_own")

    def __init__(self, head: Sequence[Item], face: Face) -> None:
        self._ends, self._face, self._own = _permitted(head), face, (face.own, face.own)
        groups: dict[int, list[Group]] | None = face.known.get(Reached)
        if groups is None:
            of = [one for group in face.groups.values() for one in each_of(group) if one.once(permitted_spans)]
            groups = face.known[Reached] = {level: [one for one in of if one.level == other] for level, other in _OTHER}
        self._groups = groups
        for level, other in _OTHER:
            if groups[other]:  # it is the own end of those
                self._ends[level] = *self._ends[level], self._own

    def __call__(self, level: int, some: Spans) -> Spans:
        """Those of some sorted spans that have one of these ends in a dimension, whole."""
        known, groups = self._ends[level], self._groups[level]
        if len(some) == 1:
            if (some[0] == self._own and self._groups[DST + SRC - level]) or _meets(some[0], known):
                return some
            return some if any(overlap(some, group.once(permitted_spans)) for group in groups) else ()
        if len(some) < FEW:
            there = {span for span in some if _meets(span, known)}
            if len(there) < len(some):
                near = [spans for group in groups if overlap(some, spans := group.once(permitted_spans))]
                there.update(span for span in some if any(_meets(span, spans) for spans in near))
            return some if len(there) == len(some) else tuple([span for span in some if span in there])
        long, part = _long(some)
        reach: int | None = self._face.known.get((long, level))
        if reach is None:
            reach = 0
            for group in groups:
                reach |= long.of(group)
            self._face.known[long, level] = reach
        return long.part((long.bits(known) | reach) & part)


def permitted_spans(group: Group) -> Spans:
    """The other ends of its permits."""
    if not group.once(denies):
        return group.once(reached)
    return merge(set(compress(columns(group)[0], passes(group))))


def each_of(group: Group) -> Sequence[Group]:
    """The groups that it was made of in the end, of which most is known; itself where it was made of none."""
    return [one for part in group.parts for one in each_of(part)] if group.parts else (group,)


def _meets(span: Span, found: Iterable[Span]) -> bool:
    first, last = span
    for low, high in found:  # noqa: SIM110 - asked of every deny of every host
        if low <= last and first <= high:
            return True
    return False


_OTHER = (DST, SRC), (SRC, DST)
def _permitted(head: Sequence[Item]) -> dict[int, Spans]:
    """The ends of the permits of a short list."""
    to, start = list[Span](), list[Span]()
    for item in head:
        if item.permit:
            if isinstance(item, Block):
                to += item.sets[DST]
                start += item.sets[SRC]
            else:
                to.append(item.box[DST])
                start.append(item.box[SRC])
    return {DST: merge(to), SRC: merge(start)}


_DIGITS = bytes.maketrans(b"01", b"\0\1")


class _Long:
    """A long set of spans, of which parts are numbers with a bit for each span."""

    __slots__ = ("_groups", "_highs", "_lows", "_parts", "spans")

    def __init__(self, spans: Spans) -> None:
        self.spans = spans
        self._lows, self._highs = zip(*spans, strict=True)
        self._groups: dict[int, tuple[Group, int]] = {}
        self._parts: dict[int, Spans] = {}

    def bits(self, found: Sequence[Span]) -> int:
        """The spans that share a value with some others."""
        out = 0
        if len(found) < MANY:
            for low, high in found:
                first, last = bisect_left(self._highs, low), bisect_right(self._lows, high)
                if first < last:
                    out |= (1 << last - first) - 1 << first
            return out
        lows, highs = zip(*found, strict=True)
        firsts = list(map(bisect_left, repeat(self._highs), lows))
        lasts = list(map(bisect_right, repeat(self._lows), highs))
        for first, last in zip(firsts, lasts, strict=True) if firsts != lasts else ():
            out |= (1 << last - first) - 1 << first
        return out

    def of(self, group: Group) -> int:
        """The spans that the other ends of the permits of a group meet."""
        known = self._groups.get(id(group))
        if known:
            return known[1]
        if len(self._groups) >= GROUPS:
            self._groups.clear()
        found = self.bits(group.once(permitted_spans))
        self._groups[id(group)] = group, found
        return found

    def part(self, bits: int) -> Spans:
        """The spans of some bits, the same object whenever they are asked for."""
        found = self._parts.get(bits)
        if found is None:
            found = tuple(compress(self.spans, f"{bits:b}"[::-1].encode().translate(_DIGITS)))
            if len(self._parts) >= PARTS:
                for part in self._parts.values():
                    _PARTS.pop(id(part), None)
                self._parts.clear()
            self._parts[bits] = found
            _PARTS[id(found)] = self, bits
        return found


_LONG: dict[int, _Long] = {}
"""By the identity of the set, which is held there."""
_PARTS: dict[int, tuple[_Long, int]] = {}
"""Of parts of such sets, which, by identity too; the sets hold them."""


def _long(some: Spans) -> tuple[_Long, int]:
    """A long set, and which of its spans are meant."""
    part = _PARTS.get(id(some))
    if part:
        return part
    known = _LONG.get(id(some))
    if known is None:
        if len(_LONG) >= KNOWN:
            _LONG.clear()
            _PARTS.clear()
        known = _LONG[id(some)] = _Long(some)
    return known, -1
