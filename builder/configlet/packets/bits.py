"""Which of some spans a span meets, as the bits of a number: one look for each dimension, and an ``and`` of the answers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import itemgetter, or_

from configlet.model.net import Span
from configlet.model.policy import DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC, Box

_HIGH = itemgetter(1)
_LEVELS = (DST, SRC, DPORT, PROTO, SPORT, FRAG, FLAG)


class Bits(dict[Span, int]):
    """Spans of one dimension, each with bits; of any span asked for, the bits of those that share a value with it."""

    __slots__ = ("_begun", "_ended", "_highs", "_lows")

    def __init__(self, found: Iterable[tuple[Span, int]]) -> None:
        by: dict[Span, int] = {}
        for span, bits in found:
            by[span] = by.get(span, 0) | bits
        lows, highs = sorted(by), sorted(by, key=_HIGH)
        self._lows, self._highs = [low for low, _ in lows], [high for _, high in highs]
        self._begun = [*accumulate((by[span] for span in lows), or_, initial=0)]
        self._ended = [*accumulate((by[span] for span in highs), or_, initial=0)]

    def __missing__(self, span: Span) -> int:
        low, high = span
        found = self[span] = self.between(high, low)
        return found

    def between(self, begun: int, ended: int) -> int:
        """The bits of those that begin at one value or before it, without those that end before the other."""
        return self._begun[bisect_right(self._lows, begun)] & ~self._ended[bisect_left(self._highs, ended)]

    def within(self, low: int, high: int) -> int:
        """The bits of those that lie from one value to another wholly."""
        return self._ended[bisect_left(self._highs, high + 1)] & ~self._begun[bisect_left(self._lows, low)]


class Within(Bits):
    """Of any span asked for, the bits of the spans that lie wholly in it."""

    __slots__ = ()

    def __missing__(self, span: Span) -> int:
        found = self[span] = self.within(*span)
        return found


class Among:
    """Some boxes by number, found by what they share with a box, or by what lies ``Within`` it."""

    __slots__ = ("_axes",)

    def __init__(self, boxes: Sequence[Box], kind: type[Bits] = Bits) -> None:
        self._axes = [(n, kind((box[n], 1 << at) for at, box in enumerate(boxes))) for n in _LEVELS]

    def at(self, box: tuple[Span, ...], bits: int = -1) -> list[int]:
        """The numbers of those, of these bits."""
        for level, axis in self._axes:
            bits &= axis[box[level]]
            if not bits:
                return []
        out: list[int] = []
        while bits:
            out.append(bits.bit_length() - 1)
            bits ^= 1 << out[-1]
        return out
