"""The spans of many rows in one dimension: which of them can share a value with some others.

A span lies in exactly one smallest aligned block of addresses; spans that share a value have blocks of which one holds
the other. So the spans around a span are those that begin inside it, and those of the few blocks that hold its first
value.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from configlet.model.net import Spans

REMEMBERED = 512
"""Sets whose sizes are remembered: the same few prefixes are asked for again and again, ports hardly ever."""


class Axis:
    """The spans of all rows in one dimension."""

    __slots__ = ("_blocks", "_lonely", "_sizes", "lows", "numbers", "rows")

    def __init__(self, rows: Iterable[Spans]) -> None:
        self.rows = tuple(rows)
        self._lonely: frozenset[int] | None = None
        self._blocks: dict[int, dict[int, int | list[int]]] = {}
        self._sizes: dict[Spans, int] = {}
        self.lows: list[int] | None = None
        self.numbers: list[int] = []

    @property
    def blocks(self) -> dict[int, dict[int, int | list[int]]]:
        """By size of the block; one number where it holds one row, as nearly all do."""
        sizes = self._blocks
        if sizes:
            return sizes
        for number, spans in enumerate(self.rows):
            for low, high in spans:
                shift = (low ^ high).bit_length()
                of = sizes.get(shift)
                if of is None:
                    of = sizes[shift] = {}
                there = of.setdefault(low >> shift, number)
                if type(there) is list:
                    there.append(number)
                elif there != number:
                    of[low >> shift] = [there, number]  # type: ignore[list-item]
        return sizes

    def around(self, value: int) -> list[int]:
        """The rows whose blocks hold a value."""
        out: list[int] = []
        for shift, of in self.blocks.items():
            found = of.get(value >> shift)
            if type(found) is int:
                out.append(found)
            elif found is not None:
                out.extend(found)  # type: ignore[arg-type]
        return out

    def count(self, value: int) -> int:
        """How many rows ``around`` gives."""
        many = 0
        for shift, of in self.blocks.items():
            found = of.get(value >> shift)
            if found is not None:
                many += 1 if type(found) is int else len(found)  # type: ignore[arg-type]
        return many

    def _ordered(self) -> list[int]:
        if self.lows is None:
            found = sorted((low, number) for number, spans in enumerate(self.rows) for low, _ in spans)
            self.lows, self.numbers = [low for low, _ in found], [number for _, number in found]
        return self.lows

    def size(self, spans: Spans) -> int:
        """How many rows ``near`` would look at."""
        known = self._sizes.get(spans)
        if known is None:
            lows = self._ordered()
            begin = sum(bisect_right(lows, high) - bisect_left(lows, low) for low, high in spans)
            known = begin + sum(self.count(low) for low, _ in spans)
            if len(self._sizes) < REMEMBERED:
                self._sizes[spans] = known
        return known

    def lonely(self) -> frozenset[int]:
        """The rows that share no value with any other row."""
        if self._lonely is None:
            found = sorted((low, high, number) for number, spans in enumerate(self.rows) for low, high in spans)
            near: set[int] = set()
            furthest, owner = -1, -1
            for low, high, number in found:
                # Whoever reaches furthest shares the first value of this one when any before it does.
                if low <= furthest and number != owner:
                    near.add(number)
                    near.add(owner)
                if high > furthest:
                    furthest, owner = high, number
            self._lonely = frozenset(range(len(self.rows))) - near
        return self._lonely

    def near(self, spans: Spans) -> set[int]:
        """Every row that can share a value with the spans, and some that do not."""
        out: set[int] = set()
        lows = self._ordered()
        for low, high in spans:
            if low < high:
                out.update(self.numbers[bisect_left(lows, low) : bisect_right(lows, high)])
            out.update(self.around(low))
        return out


class Runs:
    """Sets of one dimension in runs that share no value with each other; a set with gaps counts as if it had none."""

    __slots__ = ("_highs", "_lows", "numbers")

    def __init__(self, sets: Iterable[Spans]) -> None:
        self.numbers: dict[Spans, int] = {}
        """The run of each set."""
        self._lows: list[int] = []
        self._highs: list[int] = []
        furthest = -1
        # Not a set: rows mostly stand in some order of their addresses, and what is nearly in order is soon sorted.
        for low, high, spans in sorted([(spans[0][0], spans[-1][1], spans) for spans in dict.fromkeys(sets)]):
            if low > furthest:
                self._lows.append(low)
                self._highs.append(high)
                furthest = high
            elif high > furthest:
                self._highs[-1] = furthest = high
            self.numbers[spans] = len(self._lows) - 1

    def of(self, spans: Spans) -> int | None:
        """The one run that a set shares values with, -1 where there is none; None where there may be several."""
        known = self.numbers.get(spans)
        if known is not None:
            return known
        first, last = bisect_left(self._highs, spans[0][0]), bisect_right(self._lows, spans[-1][1]) - 1
        return None if first < last else first if first == last else -1
