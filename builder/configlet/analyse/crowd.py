"""Which blocks touch a set of intervals in one dimension, as the bits of a number.

The dimension is cut at all borders; between two of them stand the bits of the blocks that have it. A question is an ``or``
of what stands between its ends, and of the answers in several dimensions an ``and``.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_

from configlet.model.net import Span, Spans, merge

MOST_BYTES = 1 << 25
"""What the pieces of one dimension may take together, and what is remembered of it again."""
_WIDE = 8
"""So many pieces are one in the next coarser layer."""
_SINGLY = 16
_SOME = re.compile(rb"[^\0]")
_BITS = tuple(tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256))


class Crowd:
    """The blocks of one dimension. Each has a set of disjoint intervals there.

    Where the pieces were too many, neighbouring ones are one: then more blocks are said to touch than do (``exact`` is False).
    """

    __slots__ = ("_borders", "_known", "_layers", "exact", "room")

    def __init__(self, sets: Sequence[Spans], holders: Sequence[Sequence[int]]) -> None:
        """``holders`` are the bits of the blocks that have each set."""
        bits = [reduce(or_, map((1).__lshift__, numbers)) for numbers in holders]
        every = sorted({0, *(border for spans in sets for low, high in spans for border in (low, high + 1))})
        step = 1
        while len(every) // step * sum(map(len, holders)) > 32 * MOST_BYTES:  # far too many to be tried
            step *= 2
        self._borders, pieces = every, _pieces(sets, bits, every) if step == 1 else None
        while pieces is None:
            step *= 2
            self._borders = [*every[:-1:step], every[-1]]
            pieces = _pieces([_rough(spans, self._borders) for spans in sets], bits, self._borders)
        self.exact = step == 1
        self._layers = [pieces]
        while len(self._layers[-1]) > _WIDE:
            below = self._layers[-1]
            self._layers.append([reduce(or_, below[at : at + _WIDE]) for at in range(0, len(below), _WIDE)])
        self._known: dict[Span, int] = {}
        self.room = MOST_BYTES // (sum(map(len, holders)) // 8 + 64)
        """So many answers may be remembered."""

    def touching(self, spans: Spans) -> int:
        """The bits of the blocks that share a value with a set, or may do."""
        return self._one(spans[0]) if len(spans) == 1 else reduce(or_, map(self._one, spans))

    def at(self, value: int) -> int:
        """The bits of the blocks that have a value, or may have it."""
        return self._layers[0][self._at(value)]

    def gaps(self, spans: Spans, bits: int, most: int) -> Spans | None:
        """The values of a set that none of some blocks has; None when that takes a look at more pieces than ``most``."""
        cuts = [(self._at(low), self._at(high)) for low, high in spans]
        if sum([last - first for first, last in cuts]) + len(cuts) > most:
            return None
        return tuple([gap for span, cut in zip(spans, cuts, strict=True) for gap in self._free(span, *cut, bits)])

    def _free(self, span: Span, first: int, last: int, bits: int) -> Iterator[Span]:
        pieces, borders, begin = self._layers[0], self._borders, -1
        for at in range(first, last + 1):
            if pieces[at] & bits:
                if begin >= 0:
                    yield begin, borders[at] - 1
                begin = -1
            elif begin < 0:
                begin = max(span[0], borders[at])
        if begin >= 0:
            yield begin, span[1]

    def _at(self, value: int) -> int:
        return bisect_right(self._borders, value) - 1

    def _one(self, span: Span) -> int:
        known = self._known.get(span)
        if known is not None:
            return known
        first, last, found = self._at(span[0]), self._at(span[1]), 0
        for layer in self._layers[:-1]:
            while first <= last and first % _WIDE:
                found |= layer[first]
                first += 1
            while first <= last and (last + 1) % _WIDE:
                found |= layer[last]
                last -= 1
            if first > last:
                break
            first, last = first // _WIDE, last // _WIDE
        else:
            found = reduce(or_, self._layers[-1][first : last + 1], found)
        if len(self._known) >= self.room:
            self._known.clear()
        self._known[span] = found
        return found


def _pieces(sets: Sequence[Spans], bits: Sequence[int], borders: Sequence[int]) -> list[int] | None:
    """The bits of the blocks between a border and the next; None when they take too much room."""
    turns = dict.fromkeys(borders, 0)
    for spans, mine in zip(sets, bits, strict=True):
        for low, high in spans:
            turns[low] ^= mine
            turns[high + 1] ^= mine
    held, room, found = 0, MOST_BYTES, []
    for turn in turns.values():
        held ^= turn
        room -= held.bit_length() // 8 + 32
        if room < 0:
            return None
        found.append(held)
    return found


def _rough(spans: Spans, borders: Sequence[int]) -> Spans:
    """A set with all values of the pieces that it touches."""
    return merge(
        (borders[bisect_right(borders, low) - 1], borders[bisect_right(borders, high)] - 1) for low, high in spans
    )


def places(bits: int) -> list[int]:
    """The numbers of the bits that are set, falling."""
    found: list[int] = []
    while bits:
        if len(found) == _SINGLY:
            data = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
            rest = [8 * some.start() + bit for some in _SOME.finditer(data) for bit in _BITS[data[some.start()]]]
            return found + rest[::-1]
        top = bits.bit_length() - 1
        found.append(top)
        bits ^= 1 << top
    return found
