"""What boxes of one side have that the other side has not: boxes that another holds go, others are cut around what they share.

A permit of the other side covers what it shares with a box if no deny ahead of it has something of that which is not ahead of
the box too: then all that the box adds there, the other side passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from math import prod

from configlet.model.net import Span
from configlet.model.policy import DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC, Box
from configlet.packets.ahead import Added, Ahead, Classed, classed
from configlet.packets.bits import Bits
from configlet.packets.boxes import meet, minus

ROOM = 50_000
"""Boxes that are looked at to cut all that is left; what is not cut by then is left whole."""
DENIES, PIECES = 4, 64
"""Denies of the other side alone up to which they are looked at, and pieces of one box above which it is not cut further."""
_LEVELS = (DST, SRC, DPORT, PROTO, SPORT, FRAG, FLAG)


def not_held(ahead: Ahead, rows: Sequence[Classed], known: Iterable[Added], joined: Iterable[Classed]) -> list[Classed]:
    """The boxes of one side of which no box of the other covers all."""
    if not rows:
        return []
    axes = _axes(rows, _Within)
    alive = (1 << len(rows)) - 1
    for other, of in chain(map(classed, known), joined):
        for at in _at(axes, alive, other):
            box, less = rows[at]
            if not of or not of & ahead.meeting(box) & ~less:
                alive ^= 1 << at
    return [row for number, row in enumerate(rows) if alive >> number & 1]


def cut(ahead: Ahead, rows: Sequence[Classed], joined: Iterable[Classed]) -> list[Box]:
    """What the boxes of one side have that those left of the other have not, and sometimes more; few boxes are asked for."""
    if not rows:
        return []
    holes: list[list[Box]] = [[] for _ in rows]
    behind: dict[int, int] = {}
    axes = _axes(rows, Bits)
    for other, less in joined:
        for at in _at(axes, -1, other):
            box, of = rows[at]
            both = meet(box, other)
            if both is None:
                continue
            more = less and less & ~of & ahead.meeting(both)
            if not more:
                holes[at].append(both)
            elif (
                both == box
                and more.bit_count() <= DENIES
                and (at not in behind or more.bit_count() < behind[at].bit_count())
            ):
                behind[at] = more
    room, out = ROOM, []
    for at, (box, of) in enumerate(rows):
        # Of a box that another holds whole, only what the other's own denies have of it is left.
        todo = [(box, holes[at])]
        if at in behind:
            todo = [
                (denied, [*ahead.less(denied, of & ahead.meeting(denied))[1]])
                for denied in ahead.less(box, behind[at])[1]
            ]
        for one, around in todo:
            pieces, room = _without(one, around, room)
            out += pieces
    return out


def _without(box: Box, holes: Sequence[Box], room: int) -> tuple[list[Box], int]:
    """A box without some others, and what room is left: the largest is taken out first."""
    out: list[Box] = []
    todo = [(box, holes)]
    while todo:
        piece, around = todo.pop()
        room -= len(around)
        near = [both for hole in around if (both := meet(hole, piece))] if room > 0 and len(out) < PIECES else []
        if not near:
            out.append(piece)
            continue
        largest = max(near, key=_size)
        todo += [(part, near) for part in minus(piece, largest)]
    return out, room


def _size(box: Box) -> int:
    return prod([high - low + 1 for low, high in box])


class _Within(Bits):
    """The bits of the spans that lie wholly in a span."""

    __slots__ = ()

    def __missing__(self, span: Span) -> int:
        found = self[span] = self.within(*span)
        return found


def _axes(rows: Sequence[Classed], kind: type[Bits]) -> list[tuple[int, Bits]]:
    bits = [(box, 1 << number) for number, (box, _) in enumerate(rows)]
    return [(level, kind((box[level], bit) for box, bit in bits)) for level in _LEVELS]


def _at(axes: Iterable[tuple[int, Bits]], bits: int, box: Box) -> Iterable[int]:
    """The numbers of some boxes that an axis names in each dimension."""
    for level, axis in axes:
        bits &= axis[box[level]]
        if not bits:
            return ()
    return _numbers(bits)


def _numbers(bits: int) -> Iterable[int]:
    while bits:
        at = bits.bit_length() - 1
        bits ^= 1 << at
        yield at
