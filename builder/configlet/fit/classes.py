"""Protocols as classes, so that "every other protocol" is one value and rows can be cut without enumerating it.

Inside this package the first set of a row may count classes: 0 to n-1 the protocols that somebody names, n the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from configlet.model.block import Block, Sets
from configlet.model.net import Family, Span, Spans
from configlet.model.policy import ANY_PROTO, PROTO, Entry
from configlet.packets.blocks import Item
from configlet.packets.sets import put

TCP, UDP = 6, 17
ICMP: dict[Family, int] = {4: 1, 6: 58}


class Row(NamedTuple):
    """A row or block while it is fitted: its sets count classes of protocols. ``entry`` says all but the packets, and
    ``item`` is what it was made of, as long as it has the same packets.
    """

    permit: bool
    sets: Sets
    entry: Entry
    item: Item | None = None

    def over(self, sets: Sets) -> Row:
        """The same row over other packets."""
        return Row(self.permit, sets, self.entry)


class Classes:
    """The protocols that a list names, and the class of all others."""

    __slots__ = ("_of", "_shared", "named")

    def __init__(self, named: tuple[int, ...]) -> None:
        self.named = named
        self._of: dict[Span, Spans] = {(number, number): ((at, at),) for at, number in enumerate(named)}
        self._of[ANY_PROTO] = ((0, self.rest),)
        self._shared: dict[Span, Spans] = {}

    @property
    def rest(self) -> int:
        """The class of every protocol that is not named."""
        return len(self.named)

    def enter(self, item: Item) -> Row:
        """A row or block with classes instead of protocols."""
        if isinstance(item, Block):
            return Row(item.permit, put(item.sets, PROTO, self._of[item.sets[PROTO][0]]), item.like, item)
        proto, dst, src, dport, sport, flag, fragment = item.box
        one = self._one
        sets = (self._of[proto], (dst,), (src,), one(dport), one(sport), one(flag), one(fragment))
        return Row(item.permit, sets, item, item)

    def _one(self, span: Span) -> Spans:
        found = self._shared.get(span)
        if found is None:
            found = self._shared[span] = (span,)
        return found

    def leave(self, row: Row) -> Item:
        """The row with protocols again: one that is named, or all."""
        if row.item is not None:
            return row.item
        (low, high), *more = row.sets[PROTO]
        proto = (self.named[low],) * 2 if low == high < self.rest and not more else ANY_PROTO
        sets = row.sets
        if all(len(spans) == 1 for spans in sets[1:]):
            box = (proto, sets[1][0], sets[2][0], sets[3][0], sets[4][0], sets[5][0], sets[6][0])
            return row.entry.over(box)
        return Block(put(sets, PROTO, (proto,)), row.entry)


def classes_of(family: Family, *lists: Iterable[Item]) -> Classes:
    """TCP, UDP, ICMP and whatever else is named."""
    named = {proto[0] for items in lists for proto in _protos(items) if proto != ANY_PROTO}
    return Classes(tuple(sorted(named | {TCP, UDP, ICMP[family]})))


def _protos(items: Iterable[Item]) -> Iterator[Span]:
    return (i.sets[PROTO][0] if isinstance(i, Block) else i.box[PROTO] for i in items)
