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

_new = tuple.__new__
"""A row for each of a long list: the shortest way to make one."""
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

    __slots__ = ("_of", "_one", "named", "rest")

    def __init__(self, named: tuple[int, ...]) -> None:
        self.named, self.rest = named, len(named)
        """The protocols, and the class of every other one."""
        self._of: dict[Span, Spans] = {(number, number): ((at, at),) for at, number in enumerate(named)}
        self._of[ANY_PROTO] = ((0, self.rest),)
        self._one: dict[Span, Spans] = {}
        """Spans that most rows say as sets of one: one object for each, as that is known to be equal at once."""

    def enter(self, item: Item) -> Row:
        """A row or block with classes instead of protocols."""
        if isinstance(item, Block):
            return Row(item.permit, put(item.sets, PROTO, self._of[item.sets[PROTO][0]]), item.like, item)
        proto, dst, src, dport, sport, flag, fragment = item.box
        one = self._one.setdefault
        told = one(sport, (sport,)), one(flag, (flag,)), one(fragment, (fragment,))
        return _new(Row, (item.permit, (self._of[proto], (dst,), (src,), (dport,), *told), item, item))

    def leave(self, row: Row) -> Item:
        """The row with protocols again: one that is named, or all."""
        if row.item is not None:
            return row.item
        (low, high), *more = row.sets[PROTO]
        proto = (self.named[low],) * 2 if low == high < self.rest and not more else ANY_PROTO
        sets = row.sets
        _, dst, src, dport, sport, flag, fragment = sets
        if len(dst) == len(src) == len(dport) == len(sport) == len(flag) == len(fragment) == 1:
            return row.entry.over((proto, dst[0], src[0], dport[0], sport[0], flag[0], fragment[0]))
        return Block(put(sets, PROTO, (proto,)), row.entry)


def classes_of(family: Family, *lists: Iterable[Item]) -> Classes:
    """TCP, UDP, ICMP and whatever else is named."""
    named = {proto[0] for items in lists for proto in _protos(items) if proto != ANY_PROTO}
    return Classes(tuple(sorted(named | {TCP, UDP, ICMP[family]})))


def _protos(items: Iterable[Item]) -> Iterator[Span]:
    return (i.sets[PROTO][0] if isinstance(i, Block) else i.box[PROTO] for i in items)
