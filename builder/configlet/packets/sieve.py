"""Whether two sides of first-match lists pass the same packets, seen permit by permit, without a walk over all of them.

With default deny a list passes what one of its permits holds and no deny ahead of that permit does: the union of its
permits, each less the denies ahead. Permits with the same box and the same such denies add the same packets on both
sides. Outside of the boxes of all others both sides then pass the same, and inside of those boxes a walk compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import cast

from configlet.model.net import Family, Span
from configlet.model.policy import DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC, Box
from configlet.packets.bits import Bits
from configlet.packets.boxes import full, meet
from configlet.packets.compact import compact
from configlet.packets.trim import Cell, Row

MOST, FEW, LEAST = 1024, 128, 16
"""Denies of both sides, permits that only one of them has, and boxes of these when they are joined, above which the walk
is asked instead."""
SHARE = 16
"""One in so many permits of a long list may be what only one side has, beside those few."""
_OTHERS = (DPORT, PROTO, SPORT, FRAG, FLAG)

Rows = Sequence[Row]
Alike = Callable[[Sequence[Rows], Rows], bool]
Added = Box | tuple[Box, int]
"""What a permit adds: its box where no deny ahead meets it, else with the bits of those denies."""
Less = tuple[Box, frozenset[Box]]
"""The same packets: a box without what denies have of it."""


def settled(family: Family, laws: Sequence[Rows], text: Rows, alike: Alike) -> bool:
    """Whether law and text pass the same packets; False where this does not show it.

    ``alike`` is asked whether both are equal inside a few boxes, of lists that hold nothing outside of them.
    """
    rows = sum(map(len, laws))
    if len(text) > rows + rows // SHARE + MOST:  # a text that is cut otherwise has too many permits of its own
        return False
    said, known = _denied(laws), _denied((text,))
    if len(said) + len(known) > MOST or len(known - said) > len(said) + LEAST:
        return False
    ahead = _Ahead(family, said | known)
    ours, theirs = ahead.added(laws), ahead.added((text,))
    if ours == theirs:
        return True
    both = len(ours & theirs)
    if len(ours) + len(theirs) > 2 * both + MOST + both // SHARE:
        return False
    return _apart(ahead, ours - theirs, theirs - ours, laws, text, alike)


def _denied(lists: Iterable[Rows]) -> set[Box]:
    return {cast(Box, row.box) for rows in lists for row in rows if not row.permit}


def _apart(
    ahead: _Ahead, ours: Iterable[Added], theirs: Iterable[Added], laws: Sequence[Rows], text: Rows, alike: Alike
) -> bool:
    """The same, where these permits are not the same on both sides."""
    one, two = {ahead.less(added) for added in ours}, {ahead.less(added) for added in theirs}
    both = one & two
    if len(one) + len(two) > 2 * len(both) + FEW + len(text) // SHARE:
        return False
    one, two = _joined(one - both), _joined(two - both)
    boxes = [box for box, _ in one ^ two]
    return len(boxes) <= LEAST and (not boxes or alike([_inside(rows, boxes) for rows in laws], _inside(text, boxes)))


def _joined(found: Iterable[Less]) -> set[Less]:
    """The same packets, those that the same denies meet in fewer boxes."""
    by: dict[frozenset[Box], list[Box]] = {}
    for box, denied in found:
        by.setdefault(denied, []).append(box)
    return {(box, denied) for denied, boxes in by.items() for box in compact(boxes)}


def _inside(rows: Rows, boxes: Sequence[Box]) -> list[Cell]:
    """What a list says of the packets in some boxes, box by box."""
    return [Cell(row.permit, both) for box in boxes for row in rows if (both := meet(cast(Box, row.box), box))]


class _Ahead:
    """Which of some denies meet a box, and which hold it, as bits."""

    __slots__ = ("boxes", "denies", "dst", "others", "src")

    def __init__(self, family: Family, found: Iterable[Box]) -> None:
        whole, self.boxes = full(family), tuple(found)
        self.denies = denies = {box: 1 << number for number, box in enumerate(self.boxes)}
        self.dst, self.src = _Axis(denies, DST), _Axis(denies, SRC)
        told = [level for level in _OTHERS if any(box[level] != whole[level] for box in denies)]
        self.others = [(level, _Axis(denies, level)) for level in told]

    def added(self, lists: Iterable[Rows]) -> set[Added]:
        """What each permit of some lists adds; those that a deny ahead holds wholly add nothing."""
        denies, to, start, others = self.denies, self.dst, self.src, self.others
        around_to, around_start = to.holding, start.holding
        found: set[Added] = set()
        for rows in lists:
            ahead = 0
            for row in rows:
                box = cast(Box, row.box)
                if not row.permit:
                    ahead |= denies[box]
                    continue
                dst, src = box[DST], box[SRC]
                bits = ahead and ahead & to[dst] & start[src]
                if bits:
                    for level, axis in others:
                        bits &= axis[box[level]]
                if not bits:
                    found.add(box)
                    continue
                held = bits & around_to[dst] & around_start[src]
                if held:
                    for level, axis in others:
                        held &= axis.holding[box[level]]
                if not held:
                    found.add((box, bits))
        return found

    def less(self, added: Added) -> Less:
        """What a permit adds, with its denies cut to its box."""
        if len(added) > 2:
            return added, frozenset()
        box, bits = added
        numbers = (number for number, said in enumerate(reversed(f"{bits:b}")) if said == "1")
        return box, frozenset(both for number in numbers if (both := meet(self.boxes[number], box)))


class _Held(dict[Span, int]):
    """The bits of the denies that have every value of a span in one dimension."""

    __slots__ = ("ends",)

    def __init__(self, ends: Bits) -> None:
        self.ends = ends

    def __missing__(self, span: Span) -> int:
        found = self[span] = self.ends.between(*span)
        return found


class _Axis(Bits):
    """The bits of the denies that share a value with a span in one dimension."""

    __slots__ = ("holding",)

    def __init__(self, denies: dict[Box, int], level: int) -> None:
        super().__init__((box[level], bit) for box, bit in denies.items())
        self.holding = _Held(self)
