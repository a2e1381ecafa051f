"""Two sides of first-match lists that are seen to pass the same, many rows at a look.

With default deny a list passes the union of its permits, each less the denies ahead of it. Four things leave that union as
it is:

* A deny that shares no packet with a permit takes nothing from it. So a permit that both sides have adds the same on both,
  if no deny that is ahead of it on one side alone shares a packet with it; those ahead on both sides need not be asked.
* Of permits with one box in one list the first adds all that the others add: these have its denies ahead, if not more.
* A permit that one deny ahead holds wholly adds nothing.
* Permits with the same denies ahead may be any boxes that together are the same packets.

So permits are looked for in the other side by their boxes, run by run: in their order first, and what is left by its box.
Those of one side alone are held against denies, and joined where they are few; of the denies only those of one side alone
are held against permits. Nothing is refuted here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import chain, compress, count, product, repeat
from operator import attrgetter, itemgetter, ne, or_
from typing import Any

from configlet.model.block import Block, Boxed, Listed, items
from configlet.model.lines import Lines, stretches
from configlet.model.net import Family
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DST, FRAG, SRC, Box
from configlet.packets.bits import Bits
from configlet.packets.boxes import full, meet
from configlet.packets.compact import compact

FEW, LOOKS = 64, 2
"""Permits of one side alone up to which these are joined: a list that has more is cut otherwise. How often all permits may be
looked at for nothing, to find those that both sides have in the same order."""
_PERMIT, _BOX = attrgetter("permit"), attrgetter("box")
_FRAG, _TO, _FROM = itemgetter(FRAG), itemgetter(DST), itemgetter(SRC)
_ENDS = itemgetter(DST, SRC, FRAG)
_WHOLE, _NON_FIRST = (0, 0), (1, 1)

Run = tuple[Sequence[Box], int]
"""Permits, and the bits of the denies ahead of each of them."""
One = tuple[Box, int]
"""The same of one permit."""


def alike(family: Family, laws: Sequence[Sequence[Boxed]], text: Sequence[Boxed]) -> bool:
    """Whether a law and a text are seen to pass the same packets; False where that is not seen."""
    denies = _Denies()
    theirs = denies.runs(family, text)
    ours = [*chain.from_iterable(denies.runs(family, rows) for rows in laws)]
    if not ours and not theirs:
        return True
    one, two = [*ours], [*theirs]
    return _same(denies, one, two, _in_order(one, two)) or _same(denies, ours, theirs, [])


def _same(denies: _Denies, ours: Sequence[Run], theirs: Sequence[Run], doubts: list[Run]) -> bool:
    """The same of the permits that are left of both sides beside some that both have, of which there are these doubts."""
    ahead = {box: bits for boxes, bits in reversed(theirs) for box in boxes}
    many = len(ahead) > FEW
    seen: set[Box] = set()
    alone: list[One] = []
    for run, bits in ours:
        left = run if many else denies.alive(run, bits)
        both = [box for box in left if box in ahead]
        if both:
            doubts += [((box,), bits ^ ahead[box]) for box in both if bits != ahead[box]]
            seen.update(both)
            left = [box for box in left if box not in ahead]
        alone += zip(denies.alive(left, bits) if many else left, repeat(bits), strict=False)
        if len(alone) > FEW:
            return False
    others = [(box, bits) for box, bits in ahead.items() if box not in seen and denies.alive((box,), bits)]
    if len(others) > FEW:
        return False
    one, two = _joined(alone), _joined(others)
    if one is None or two is None or one.keys() != two.keys():
        return False
    return denies.apart([*doubts, *(((box,), bits ^ two[box]) for box, bits in one.items())])


def _in_order(law: list[Run], text: list[Run]) -> list[Run]:
    """Permits that both sides have in the same order are left out of the runs. Given are those that have other denies ahead of
    them in the law than in the text, with these.

    A text most often has what it has of a law in the law's order, so that nearly all are found by one look at each.
    """
    doubts: list[Run] = []
    looks, which = LOOKS * sum(len(run) + 1 for run, _ in (*law, *text)), 0
    for number, (boxes, bits) in enumerate(text):
        at = tried = 0
        while at < len(boxes) and tried < len(law) and looks > 0:
            run, ahead = law[which]
            left = _left(run, boxes[at:])
            met = len(run) - len(left)
            if met:
                if bits != ahead:
                    doubts.append((boxes[at : at + met], bits ^ ahead))
                law[which] = left, ahead
                at, tried = at + met, 0
            else:
                looks -= len(run) + 1
            which, tried = (which + 1) % len(law), tried + 1
        text[number] = boxes[at:], bits
    return doubts


def _left(run: Sequence[Box], boxes: Sequence[Box]) -> Sequence[Box]:
    """A run without the first of some boxes, as many as it has in their order."""
    if len(run) == len(boxes) and run == boxes:
        return ()
    left: list[Box] = []
    rest = iter(boxes)
    want = next(rest, None)
    for box in run:
        if box == want:
            want = next(rest, None)
        else:
            left.append(box)
    return left


def _joined(permits: Iterable[One]) -> dict[Box, int] | None:
    """Permits in fewer boxes, those with the same denies ahead together; None where a box has others in another place."""
    by: dict[int, list[Box]] = {}
    for box, ahead in permits:
        by.setdefault(ahead, []).append(box)
    found = [(box, ahead) for ahead, boxes in by.items() for box in compact(boxes)]
    joined = dict(found)
    return joined if len(joined) == len(found) else None


class _Denies:
    """The denies of all lists by number; bits say which of them are meant."""

    __slots__ = ("boxes", "known")

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        """In the order of their numbers."""
        self.known: dict[Box, int] = {}
        """The number of each."""

    def runs(self, family: Family, rows: Sequence[Boxed]) -> list[Run]:
        """The permits of a list, with the denies ahead of them."""
        out: list[Run] = []
        ahead = 0
        for permit, boxes in _runs(family, rows):
            if permit:
                out.append((boxes, ahead))
            else:
                ahead |= self._bits(boxes)
        return out

    def _bits(self, boxes: Sequence[Box]) -> int:
        """The bits of some denies. Those of which the first is known stand together in another list too, most often."""
        bits = at = 0
        while at < len(boxes):
            rest = boxes[at:] if at else boxes
            first = self.known.setdefault(rest[0], len(self.boxes))
            if first < len(self.boxes):
                others = self.boxes[first : first + len(rest)]
                same = _until(map(ne, rest, others), len(others))
            else:
                numbers = map(self.known.setdefault, rest, count(first))
                same = _until(map(ne, numbers, count(first)), len(rest))
                self.boxes += rest[:same]
            bits |= (1 << same) - 1 << first
            at += same
        return bits

    def alive(self, permits: Sequence[Box], ahead: int) -> Sequence[Box]:
        """The permits that none of the denies ahead of them holds wholly."""
        if not ahead or not permits:
            return permits
        ends = [*map(_ENDS, permits)]
        every = {end: (ANY_PROTO, *end[:2], ANY_PORT, ANY_PORT, ANY_BIT, end[2]) for end in ends}
        dead = {end for end, box in every.items() if _held(box, self._of(ahead))}
        if len(dead) == len(every):
            return ()
        denies = [*self._of(ahead)]
        return [box for box, end in zip(permits, ends, strict=True) if end not in dead and not _held(box, denies)]

    def _of(self, bits: int) -> Iterator[Box]:
        """The denies that are meant."""
        return compress(self.boxes, map("1".__eq__, f"{bits:b}"[::-1]))

    def apart(self, doubts: Sequence[Run]) -> bool:
        """Whether of these permits none shares a packet with a deny of its bits."""
        asked = reduce(or_, (bits for _, bits in doubts), 0)
        if not asked:
            return True
        few = [(self.boxes[at], 1 << at) for at in compress(count(), map("1".__eq__, f"{asked:b}"[::-1]))]
        to, start = (Bits((deny[level], bit) for deny, bit in few) for level in (DST, SRC))
        for boxes, bits in doubts:
            met = {end: near for end in {*map(_TO, boxes)} if (near := bits & to[end])}
            both = reduce(or_, met.values(), 0)
            if not both or not any(both & start[end] for end in {*map(_FROM, boxes)}):
                continue
            for box in boxes:
                near = met.get(box[DST], 0) and met[box[DST]] & start[box[SRC]]
                if near and any(near & bit and meet(deny, box) for deny, bit in few):
                    return False
        return True


def _runs(family: Family, rows: Sequence[Boxed]) -> Iterator[tuple[bool, Sequence[Box]]]:
    """Rows that stand together and do the same, as their boxes. Behind a row that decides all non-first fragments the others
    are what they say of packets that are none, as nothing else is left to them."""
    fragments = (*full(family)[:FRAG], _NON_FIRST)
    decided = False
    for permit, boxes in rows.runs() if isinstance(rows, Lines) else _together(rows):
        if {*map(_FRAG, boxes)} <= {_WHOLE}:
            yield permit, boxes
        elif decided:
            yield permit, _unfragmented(boxes)
        elif fragments in boxes:
            at = boxes.index(fragments)
            yield permit, boxes[: at + permit]
            yield permit, _unfragmented(boxes[at + 1 :])
            decided = True
        else:
            yield permit, boxes


def _together(rows: Sequence[Boxed]) -> Iterator[tuple[bool, Sequence[Box]]]:
    """The same as they stand; denies that a block stands for, most often those of another list too, by themselves."""
    found: Sequence[Any] = items(rows)
    for permit, first, end in stretches([*map(_PERMIT, found)]):
        run = found[first:end]
        if not isinstance(rows, Listed) or Block not in map(type, run):
            yield permit, [*map(_BOX, run)]
        elif permit:
            parts = (product(*row.sets) if isinstance(row, Block) else (row.box,) for row in run)
            yield permit, [*chain.from_iterable(parts)]
        else:
            for row in run:
                yield permit, [*product(*row.sets)] if isinstance(row, Block) else [row.box]


def _unfragmented(boxes: Sequence[Box]) -> Sequence[Box]:
    return [
        (proto, to, start, dport, sport, flag, _WHOLE)
        for proto, to, start, dport, sport, flag, part in boxes
        if part[0] == 0
    ]


def _until(ends: Iterable[bool], most: int) -> int:
    """How many there are ahead of the first that is an end."""
    return next(compress(count(), ends), most)


def _held(box: Box, denies: Iterable[Box]) -> bool:
    """Whether one of some denies holds a box wholly."""
    _, (least, most), (start, end), *_ = box
    for deny in denies:
        if deny[DST][0] <= least and most <= deny[DST][1] and deny[SRC][0] <= start and end <= deny[SRC][1]:
            if all(low <= first and last <= high for (low, high), (first, last) in zip(deny, box, strict=True)):
                return True
    return False
