"""Which rows of a list can share a packet with a given one, without looking at all of them.

A span lies in exactly one smallest aligned block of addresses; spans that share a value have blocks of which one holds
the other. So the rows around a span are those whose spans begin inside it, and those of the few blocks that hold its
first value. Of the two addresses the one that leaves fewer rows is asked.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from configlet.model.block import Sets
from configlet.model.net import Spans
from configlet.model.policy import DST, SRC
from configlet.packets.sets import inside, meets


class Axis:
    """The spans of all rows in one dimension."""

    __slots__ = ("blocks", "lows", "numbers", "shifts")

    def __init__(self, rows: Iterable[Spans]) -> None:
        found: list[tuple[int, int]] = []
        self.blocks: dict[tuple[int, int], list[int]] = {}
        for number, spans in enumerate(rows):
            for low, high in spans:
                found.append((low, number))
                shift = (low ^ high).bit_length()
                self.blocks.setdefault((shift, low >> shift), []).append(number)
        found.sort()
        self.lows = [low for low, _ in found]
        self.numbers = [number for _, number in found]
        self.shifts = sorted({shift for shift, _ in self.blocks})

    def around(self, value: int) -> Iterator[list[int]]:
        """The rows whose blocks hold a value."""
        for shift in self.shifts:
            found = self.blocks.get((shift, value >> shift))
            if found is not None:
                yield found

    def size(self, spans: Spans) -> int:
        """How many rows ``near`` would look at."""
        begin = sum(bisect_right(self.lows, high) - bisect_left(self.lows, low) for low, high in spans)
        return begin + sum(len(found) for low, _ in spans for found in self.around(low))

    def near(self, spans: Spans) -> set[int]:
        """Every row that can share a value with the spans, and some that do not."""
        out: set[int] = set()
        for low, high in spans:
            out.update(self.numbers[bisect_left(self.lows, low) : bisect_right(self.lows, high)])
            for found in self.around(low):
                out.update(found)
        return out


class Near:
    """The rows of a list, found by their addresses."""

    __slots__ = ("axes", "rows")

    def __init__(self, rows: Sequence[Sets]) -> None:
        self.rows = rows
        self.axes = tuple((level, Axis(sets[level] for sets in rows)) for level in (DST, SRC)) if rows else ()

    def meeting(self, sets: Sets) -> Iterator[int]:
        """The numbers of the rows that share a packet with a product, in order."""
        if not self.axes:
            return
        rows = self.rows
        (one, first), (two, second) = self.axes
        if len(self.rows) <= 4:
            found: Sequence[int] = range(len(self.rows))
        elif first.size(sets[one]) <= second.size(sets[two]):
            found = sorted(first.near(sets[one]))
        else:
            found = sorted(second.near(sets[two]))
        yield from (number for number in found if meets(rows[number], sets))

    def holding(self, sets: Sets) -> Iterator[int]:
        """The numbers of the rows in which a product lies wholly, in order."""
        if not self.axes:
            return
        rows = self.rows
        lists = [list(axis.around(sets[level][0][0])) for level, axis in self.axes]
        fewest = min(lists, key=lambda found: sum(map(len, found)))
        yield from (n for n in sorted({n for found in fewest for n in found}) if inside(sets, rows[n]))
