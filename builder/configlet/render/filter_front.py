"""The rows ahead of a host's face by where they are looked up, found once for all hosts of which they say the same.

What hosts do not have in common is their own addresses: a row of which both ends are such is put in for each host.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from configlet.model.block import Block
from configlet.model.net import Span
from configlet.model.policy import ANY_BIT, DST, FRAG, SRC, Entry
from configlet.model.told import Group, Item, Told, told

LONG = 8
"""Ends from which those of a block are known by their identity."""
_WHOLE = (0, 0)
_BITS = (ANY_BIT, _WHOLE)
_SETS = ((ANY_BIT,), (_WHOLE,))
Key = tuple[object, ...]


class Front:
    """Rows of single local addresses, which stand as numbers. ``held``: the rows that it was made of, so that what is known by
    identity stays."""

    __slots__ = ("count", "held", "plain", "sides")

    def __init__(self, held: Sequence[Item]) -> None:
        self.held = held
        self.count = 0
        self.plain: list[tuple[int, int]] = []
        """The number of each row without a local end, and its place."""
        self.sides: list[tuple[int, int, Sequence[int], Mapping[Span, tuple[Group | None, Sequence[tuple[int, int]]]]]] = []
        """The side and address, the numbers of its rows, and by protocol those that all hosts have; then for each row that is
        put in, its number on this side and its place."""


def key_of(found: Iterable[Item], mine: Mapping[Span, int]) -> Key | None:
    """What rows say besides the host's addresses, each of which is single (``mine``, with the number of each). None where they
    have to be looked at one by one."""
    out: list[object] = []
    for item in found:
        if type(item) is Entry:
            proto, dst, src, dport, sport, *bits = item.box
            if (*bits,) != _BITS or item.reply:
                return None
            to, start = mine.get(dst), mine.get(src)
            if to is None and start is None:
                out.append(None)
            elif to is None or start is None:
                other = dst if to is None else src
                out.append((to, start, item.permit, proto, other, dport, sport, id(item.rule)))
            else:
                out.append((to, start, proto))
        elif isinstance(item, Block):
            said = _block(item, mine)
            if said is None:
                return None
            out.append(said)
    return tuple(out)


def _block(block: Block[Entry], mine: Mapping[Span, int]) -> Key | None:
    sets = block.sets
    to, start = sets[DST], sets[SRC]
    if sets[FRAG - 1 :] != _SETS or block.like.reply:
        return None
    level = DST if len(to) == 1 and to[0] in mine else SRC
    own, other = (to, start) if level == DST else (start, to)
    if len(own) > 1 or own[0] not in mine:
        return None
    if (level == SRC or len(other) == 1) and not mine.keys().isdisjoint(other):
        return None
    ends = other if len(other) < LONG else id(other)
    return level, mine[own[0]], block.permit, sets[0], ends, sets[3], sets[4], id(block.like.rule)


def side_of(item: Item, mine: Mapping[Span, int]) -> tuple[int, int] | None:
    """At which side a row is local, or all of a block, and at which address; towards one, if both ends are."""
    dst, src = (item.sets[DST][0], item.sets[SRC][0]) if isinstance(item, Block) else (item.box[DST], item.box[SRC])
    if isinstance(item, Entry) or len(item.sets[DST]) == 1:
        to = mine.get(dst)
        if to is not None:
            return DST, to
    start = mine.get(src)
    return None if start is None else (SRC, start)


def put_in(shared: Group | None, level: int, proto: Span, rows: Sequence[tuple[int, Item]]) -> Group:
    """A group with rows of this host."""
    numbers = tuple([number for number, _ in rows])
    some: tuple[Told, ...] = tuple([told(row, level) for _, row in rows if isinstance(row, Entry)])
    few = Group(level, proto, numbers, some)
    if shared is None:
        return few
    if numbers[-1] < shared.numbers[0]:
        return Group(level, proto, (*numbers, *shared.numbers), None, (shared, few), range(len(some)))
    both = sorted(zip((*numbers, *shared.numbers), (*some, *shared.rows), strict=True), key=lambda one: one[0])
    numbers, some = zip(*both, strict=True)
    return Group(level, proto, numbers, some, (shared, few))
