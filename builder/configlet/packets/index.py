"""A first-match list that is found by address: what concerns a few addresses is looked up, not searched."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from configlet.model.net import Span
from configlet.model.policy import DST, SRC
from configlet.packets.verdict import Row

R = TypeVar("R", bound=Row)


class Spans:
    """Distinct intervals, found by what they meet, whatever their lengths and however they nest.

    Those of about one length (from a power of two to the next) stand together, sorted: which of them meet an interval
    is then a run of neighbours, of which only the first few can be strangers.
    """

    __slots__ = ("_lengths",)

    def __init__(self, spans: Iterable[Span]) -> None:
        found: dict[int, list[Span]] = {}
        for span in spans:
            found.setdefault((span[1] - span[0]).bit_length(), []).append(span)
        self._lengths = [(1 << bits, sorted(same)) for bits, same in sorted(found.items())]

    def meeting(self, low: int, high: int) -> list[Span]:
        """The intervals that share a value with ``low`` to ``high``."""
        out: list[Span] = []
        for length, spans in self._lengths:
            start = bisect_left(spans, (low - length,))
            stop = bisect_right(spans, (high + 1,))
            out += [span for span in spans[start:stop] if span[1] >= low and span[0] <= high]
        return out


class Index(Generic[R]):
    """A first-match list and where each address stands in it. The list itself stays as it is."""

    __slots__ = ("_at", "_spans", "rows")

    def __init__(self, rows: Sequence[R]) -> None:
        self.rows = rows
        at: dict[int, dict[Span, list[int]]] = {SRC: {}, DST: {}}
        for dimension, places in at.items():
            for number, row in enumerate(rows):
                span = row.box[dimension]
                if span in places:
                    places[span].append(number)
                else:
                    places[span] = [number]
        self._at = at
        self._spans = {dimension: Spans(places) for dimension, places in at.items()}

    def spans(self, dimension: int) -> Iterable[Span]:
        """The distinct intervals of an address dimension."""
        return self._at[dimension].keys()

    def numbers(self, dimension: int, spans: Iterable[Span]) -> set[int]:
        """The places, in the list, of the rows that meet any of the spans in an address dimension."""
        places = self._at[dimension]
        hit = {found for low, high in spans for found in self._spans[dimension].meeting(low, high)}
        return {number for span in hit for number in places[span]}

    def at(self, dimension: int, spans: Iterable[Span]) -> tuple[R, ...]:
        """The rows that meet any of the spans in an address dimension, in order."""
        return self.of(self.numbers(dimension, spans))

    def between(self, sources: Iterable[Span], destinations: Iterable[Span]) -> tuple[R, ...]:
        """The rows that meet any of the sources and any of the destinations, in order."""
        ends = tuple(destinations)
        found = self.at(SRC, sources)
        return tuple(
            row for row in found if any(lo <= row.box[DST][1] and row.box[DST][0] <= hi for lo, hi in ends)
        )

    def of(self, numbers: Iterable[int]) -> tuple[R, ...]:
        """The rows at these places, in order."""
        rows = self.rows
        return tuple(rows[number] for number in sorted(numbers))
