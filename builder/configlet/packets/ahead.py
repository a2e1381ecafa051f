"""Which denies stand ahead of a permit and have something of it, as the bits of a number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from configlet.model.net import Family, Span
from configlet.model.policy import DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC, Box
from configlet.packets.bits import Bits
from configlet.packets.boxes import full, meet
from configlet.packets.trim import Row

Rows = Sequence[Row]
Added = Box | tuple[Box, int]
"""What a permit adds: its box where no deny ahead meets it, else with the bits of those denies."""
Less = tuple[Box, frozenset[Box]]
"""The same packets: a box without what denies have of it."""
Classed = tuple[Box, int]
"""The same, with the bits of no deny where none meets it."""
_OTHERS = (DPORT, PROTO, SPORT, FRAG, FLAG)


def classed(added: Added) -> Classed:
    """What a permit adds, always with bits."""
    return added if len(added) == 2 else (added, 0)


def denied(lists: Iterable[Rows]) -> set[Box]:
    """The boxes of all denies."""
    return {cast(Box, row.box) for rows in lists for row in rows if not row.permit}


class Ahead:
    """Which of some denies meet a box, and which hold it, as bits."""

    __slots__ = ("_axes", "_by_level", "boxes", "denies", "dst", "others", "src")

    def __init__(self, family: Family, found: Iterable[Box]) -> None:
        whole, self.boxes = full(family), tuple(found)
        self.denies = denies = {box: 1 << number for number, box in enumerate(self.boxes)}
        self.dst, self.src = _Axis(denies, DST), _Axis(denies, SRC)
        told = [level for level in _OTHERS if any(box[level] != whole[level] for box in denies)]
        self.others = [(level, _Axis(denies, level)) for level in told]
        self._axes = [(DST, self.dst), (SRC, self.src), *self.others]
        self._by_level: dict[int, Mapping[Span, int]] = dict(self._axes)

    def added(self, lists: Iterable[Rows], *, dead: bool = False) -> set[Added]:
        """What each permit of some lists adds. Those that a deny ahead holds wholly add nothing; ``dead`` keeps them."""
        denies, to, start, others = self.denies, self.dst, self.src, self.others
        found: set[Added] = set()
        for rows in lists:
            ahead = 0
            for row in rows:
                box = cast(Box, row.box)
                if not row.permit:
                    ahead |= denies[box]
                    continue
                bits = ahead and ahead & to[box[DST]] & start[box[SRC]]
                if bits:
                    for level, axis in others:
                        bits &= axis[box[level]]
                if not bits:
                    found.add(box)
                elif dead or not self.held(box, bits):
                    found.add((box, bits))
        return found

    def held(self, box: Box, bits: int) -> int:
        """Those of some denies that hold a box wholly."""
        bits &= self.dst.holding[box[DST]] & self.src.holding[box[SRC]]
        if bits:
            for level, axis in self.others:
                bits &= axis.holding[box[level]]
        return bits

    def meeting(self, box: Box, but: int = -1) -> int:
        """All denies that have something of a box, wherever they stand; one dimension may be left out."""
        bits = -1
        for level, axis in self._axes:
            if level != but:
                bits &= axis[box[level]]
        return bits

    def axis(self, level: int) -> Mapping[Span, int]:
        """For any span of one dimension the denies that have something of it: all, where none says anything of it."""
        return self._by_level.get(level, _ALL)

    def less(self, box: Box, bits: int) -> Less:
        """What a permit adds, with its denies cut to its box."""
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


class _All(dict[Span, int]):
    """Every bit, whatever is asked for."""

    def __missing__(self, span: Span) -> int:
        return -1


_ALL = _All()
