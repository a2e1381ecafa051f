"""Which blocks touch a set of intervals in one dimension, as the bits of a number: for lists in which much overlaps.

The dimension is cut at all borders; between two of them stand the bits of the blocks that have it. A question is an ``or``
of what stands between its ends, and of the answers in several dimensions an ``and``.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import reduce
from operator import or_

from configlet.model.net import Span, Spans

MOST_BYTES = 1 << 25
"""What the pieces of one dimension may take together."""
_SOME = re.compile(rb"[^\0]")
_BITS = tuple(tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256))


class Crowd:
    """The blocks of one dimension. Each has a set of disjoint intervals there."""

    __slots__ = ("_borders", "_known", "_pieces")

    def __init__(self, sets: Sequence[Spans], holders: Sequence[Sequence[int]]) -> None:
        """``holders`` are the places of the blocks that have each set."""
        turns: dict[int, int] = {}
        for spans, places in zip(sets, holders, strict=True):
            bits = reduce(or_, map((1).__lshift__, places))
            for low, high in spans:
                turns[low] = turns.get(low, 0) ^ bits
                turns[high + 1] = turns.get(high + 1, 0) ^ bits
        self._borders = sorted(turns)
        self._pieces: list[int] = []
        held = 0
        for border in self._borders:
            held ^= turns[border]
            self._pieces.append(held)
        self._known: dict[Span, int] = {}

    def touching(self, spans: Spans) -> int:
        """The bits of the blocks that share a value with a set."""
        known = self._known
        return reduce(or_, [known[span] if span in known else self._between(span) for span in spans])

    def _between(self, span: Span) -> int:
        low, high = span
        pieces = self._pieces[max(bisect_right(self._borders, low) - 1, 0) : bisect_right(self._borders, high)]
        found = self._known[span] = reduce(or_, pieces, 0)
        return found


def affordable(sets: Sequence[Spans], blocks: int) -> bool:
    """Whether the pieces of a dimension are few enough for a list of so many blocks."""
    borders = {border for spans in sets for low, high in spans for border in (low, high + 1)}
    return len(borders) * (blocks // 8 + 1) <= MOST_BYTES


def places(bits: int) -> list[int]:
    """The numbers of the bits that are set, rising."""
    data = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
    return [8 * found.start() + bit for found in _SOME.finditer(data) for bit in _BITS[data[found.start()]]]
