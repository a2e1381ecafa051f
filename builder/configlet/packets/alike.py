"""Two sides of first-match lists that are seen to pass the same, many rows at a look.

With default deny a list passes the union of its permits, each less the denies ahead of it. Four things leave that union as
it is:

* A deny that shares no packet with a permit takes nothing from it. So a permit that both sides have adds the same on both,
  if no deny that is ahead of it on one side alone shares a packet with it; those ahead on both sides need not be asked.
* Of permits with one box in one list the first adds all that the others add: these have its denies ahead, if not more.
* A permit that one deny ahead holds wholly adds nothing.
* Permits with the same denies ahead may be any boxes that together are the same packets.

So permits are looked up in the other side by their boxes, run by run. Those of one side alone are held against denies, and
joined where they are few; of the denies only those of one side alone are held against permits. Nothing is refuted here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import chain, groupby, product, repeat
from operator import attrgetter, itemgetter, or_
from typing import Any, cast

from configlet.model.block import Block, Boxed, items
from configlet.model.lines import Lines
from configlet.model.net import Family, Span
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC, Box
from configlet.packets.bits import Bits
from configlet.packets.boxes import full, meet
from configlet.packets.compact import compact

FEW = 64
"""Permits of one side alone up to which these are joined: a list that has more is cut otherwise."""
_PERMIT, _BOX, _FRAG = attrgetter("permit"), attrgetter("box"), itemgetter(FRAG)
_ENDS, _OTHERS = itemgetter(DST, SRC, FRAG), itemgetter(PROTO, DPORT, SPORT, FLAG)
_ANYTHING = ANY_PROTO, ANY_PORT, ANY_PORT, ANY_BIT
_WHOLE, _NON_FIRST = (0, 0), (1, 1)

Run = tuple[Sequence[Box], int]
"""Permits, and the bits of the denies ahead of each of them."""
One = tuple[Box, int]
"""The same of one permit."""


def alike(family: Family, laws: Sequence[Sequence[Boxed]], text: Sequence[Boxed]) -> bool:
    """Whether a law and a text are seen to pass the same packets; False where that is not seen."""
    denies = _Denies()
    said = denies.runs(family, text)
    boxes = [*chain.from_iterable(run for run, _ in said)]
    ahead = [*chain.from_iterable(repeat(bits, len(run)) for run, bits in said)]
    first = dict(zip(reversed(boxes), range(len(boxes) - 1, -1, -1), strict=True))
    seen: set[int | None] = set()
    doubts: list[Run] = []
    ours: list[One] = []
    for run, bits in chain.from_iterable(denies.runs(family, rows) for rows in laws):
        at = [*map(first.get, run)]
        seen.update(at)
        found = [number for number in at if number is not None] if None in at else cast("list[int]", at)
        if len(found) < len(at):
            ours += denies.alive([box for box, number in zip(run, at, strict=True) if number is None], bits)
            if len(ours) > FEW:
                return False
        for other in {*map(ahead.__getitem__, found)} - {bits}:
            doubts.append(([boxes[number] for number in found if ahead[number] == other], bits ^ other))
    theirs = [one for box, at in first.items() if at not in seen for one in denies.alive((box,), ahead[at])]
    if len(theirs) > FEW:
        return False
    one, two = _joined(ours), _joined(theirs)
    if one is None or two is None or one.keys() != two.keys():
        return False
    return denies.apart([*doubts, *(((box,), bits ^ two[box]) for box, bits in one.items())])


def _joined(permits: Iterable[One]) -> dict[Box, int] | None:
    """Permits in fewer boxes, those with the same denies ahead together; None where a box has others in another place."""
    by: dict[int, list[Box]] = {}
    for box, ahead in permits:
        by.setdefault(ahead, []).append(box)
    found = [(box, ahead) for ahead, boxes in by.items() for box in compact(boxes)]
    joined = dict(found)
    return joined if len(joined) == len(found) else None


class _Denies:
    """The denies of all lists, each with a bit."""

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: dict[Box, int] = {}

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
        bits, known = 0, self.known
        for box in boxes:
            bits |= known.setdefault(box, 1 << len(known))
        return bits

    def alive(self, permits: Iterable[Box], ahead: int) -> list[One]:
        """The permits that none of the denies ahead of them holds wholly."""
        out: list[One] = []
        gone: tuple[Span, ...] | None = None
        for box in permits:
            if _ENDS(box) == gone:
                continue
            held = next((deny for deny, bit in self.known.items() if ahead & bit and _holds(deny, box)), None)
            if held is None:
                out.append((box, ahead))
            elif _OTHERS(held) == _ANYTHING:  # what begins and ends there too is held too
                gone = _ENDS(box)
        return out

    def apart(self, doubts: Sequence[Run]) -> bool:
        """Whether of these permits none shares a packet with a deny of its bits."""
        asked = reduce(or_, (bits for _, bits in doubts), 0)
        if not asked:
            return True
        few = [(deny, bit) for deny, bit in self.known.items() if asked & bit]
        to, start = (Bits((deny[level], bit) for deny, bit in few) for level in (DST, SRC))
        for boxes, bits in doubts:
            ends = {end for end in {*map(_ENDS, boxes)} if bits & to[end[0]] & start[end[1]]}
            for box in boxes if ends else ():
                if _ENDS(box) in ends and any(bits & bit and meet(deny, box) for deny, bit in few):
                    return False
        return True


def _runs(family: Family, rows: Sequence[Boxed]) -> Iterator[tuple[bool, Sequence[Box]]]:
    """Rows that stand together and do the same, as their boxes. Behind a row that decides all non-first fragments the others
    are what they say of packets that are none, as nothing else is left to them."""
    fragments = (*full(family)[:FRAG], _NON_FIRST)
    decided = False
    for permit, boxes in rows.runs() if isinstance(rows, Lines) else _together(rows):
        if not decided and fragments in boxes:
            at = boxes.index(fragments)
            yield permit, boxes[: at + permit]
            yield permit, _unfragmented(boxes[at + 1 :])
            decided = True
        else:
            yield permit, _unfragmented(boxes) if decided else boxes


def _together(rows: Sequence[Boxed]) -> Iterator[tuple[bool, Sequence[Box]]]:
    for permit, some in groupby(items(rows), _PERMIT):
        run: list[Any] = [*some]
        if Block in map(type, run):
            parts = (product(*row.sets) if isinstance(row, Block) else (row.box,) for row in run)
            yield permit, [*chain.from_iterable(parts)]
        else:
            yield permit, [*map(_BOX, run)]


def _unfragmented(boxes: Sequence[Box]) -> Sequence[Box]:
    if {*map(_FRAG, boxes)} == {_WHOLE}:
        return boxes
    return [cast(Box, (*box[:FRAG], _WHOLE)) for box in boxes if box[FRAG][0] == 0]


def _holds(deny: Box, box: Box) -> bool:
    return all(low <= first and last <= high for (low, high), (first, last) in zip(deny, box, strict=True))
