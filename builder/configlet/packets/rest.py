"""What boxes of one side have that the other side has not: boxes that another holds go, others are cut around what they share.

A permit of the other side covers what it shares with a box if no deny ahead of it has something of that which is not ahead of
the box too: then all that the box adds there, the other side passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from math import prod

from configlet.model.policy import Box
from configlet.packets.ahead import Added, Ahead, Classed, classed
from configlet.packets.bits import Among, Within
from configlet.packets.boxes import meet, minus

ROOM = 50_000
"""Boxes that are looked at to cut all that is left; what is not cut by then is left whole."""
DENIES, PIECES = 4, 64
"""Denies of the other side alone up to which they are looked at, and pieces of one box above which it is not cut further."""


def not_held(ahead: Ahead, rows: Sequence[Classed], known: Iterable[Added], joined: Iterable[Classed]) -> list[Classed]:
    """The boxes of one side of which no box of the other covers all."""
    if not rows:
        return []
    inside = Among([box for box, _ in rows], Within)
    alive = (1 << len(rows)) - 1
    for other, of in chain(map(classed, known), joined):
        for at in inside.at(other, alive):
            box, less = rows[at]
            if not of or not of & ahead.meeting(box) & ~less:
                alive ^= 1 << at
    return [row for number, row in enumerate(rows) if alive >> number & 1]


def cut(ahead: Ahead, rows: Iterable[Classed], joined: Sequence[Classed]) -> list[Box]:
    """What the boxes of one side have that those left of the other have not, and sometimes more; few boxes are asked for."""
    same, others = dict(joined), list[Classed]()
    todo: list[tuple[Box, list[Box]]] = []
    for box, of in rows:
        more = same[box] & ~of if box in same else -1
        if more >= 0 and more.bit_count() <= DENIES:
            # Of a box that both have, only what the other's own denies have of it is left.
            denied = ahead.less(box, more)[1]
            todo += [(one, [*ahead.less(one, of & ahead.meeting(one))[1]]) for one in denied]
        else:
            others.append((box, of))
    todo += _around(ahead, others, joined) if others else []
    room, out = ROOM, list[Box]()
    for box, holes in todo:
        pieces, room = _without(box, holes, room)
        out += pieces
    return out


def _around(ahead: Ahead, rows: Sequence[Classed], joined: Iterable[Classed]) -> list[tuple[Box, list[Box]]]:
    """Boxes with what others cover of them."""
    holes: list[list[Box]] = [[] for _ in rows]
    near = Among([box for box, _ in rows])
    for other, less in joined:
        for at in near.at(other):
            box, of = rows[at]
            both = meet(box, other)
            if both and not (less and less & ~of & ahead.meeting(both)):
                holes[at].append(both)
    return [(box, around) for (box, _), around in zip(rows, holes, strict=True)]


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
