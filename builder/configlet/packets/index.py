"""A first-match list that is found by address: what concerns a few addresses is looked up, not searched."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Generic, TypeVar

from configlet.model.net import Span
from configlet.model.policy import DST, SRC
from configlet.packets.axis import Axis
from configlet.packets.verdict import Row

R = TypeVar("R", bound=Row)


class Spans:
    """Distinct intervals, found by what they meet."""

    __slots__ = ("_axis", "_spans")

    def __init__(self, spans: Iterable[Span]) -> None:
        self._spans = tuple(spans)
        self._axis = Axis((span,) for span in self._spans)

    def meeting(self, low: int, high: int) -> list[Span]:
        """The intervals that share a value with ``low`` to ``high``."""
        found = (self._spans[number] for number in self._axis.near(((low, high),)))
        return [span for span in found if span[0] <= high and low <= span[1]]


class Index(Generic[R]):
    """A first-match list and where each address stands in it. The list itself stays as it is."""

    __slots__ = ("_at", "_last", "_spans", "rows")

    def __init__(self, rows: Sequence[R]) -> None:
        self.rows = rows
        at: dict[int, dict[Span, list[int]]] = {SRC: {}, DST: {}}
        boxes = [row.box for row in rows]
        for dimension, places in at.items():
            for number, span in enumerate(map(itemgetter(dimension), boxes)):
                if span in places:
                    places[span].append(number)
                else:
                    places[span] = [number]
        self._at = at
        self._last: dict[int, tuple[tuple[Span, ...], frozenset[int]]] = {}
        self._spans = {dimension: Spans(places) for dimension, places in at.items()}

    def spans(self, dimension: int) -> Iterable[Span]:
        """The distinct intervals of an address dimension."""
        return self._at[dimension].keys()

    def numbers(self, dimension: int, spans: Iterable[Span]) -> frozenset[int]:
        """The places, in the list, of the rows that meet any of the spans in an address dimension. The last answer is remembered,
        as one end is asked about with many others."""
        asked, known = tuple(spans), self._last.get(dimension)
        if known is None or known[0] != asked:
            places = self._at[dimension]
            hit = {found for low, high in asked for found in self._spans[dimension].meeting(low, high)}
            known = self._last[dimension] = asked, frozenset([number for span in hit for number in places[span]])
        return known[1]

    def at(self, dimension: int, spans: Iterable[Span]) -> tuple[R, ...]:
        """The rows that meet any of the spans in an address dimension, in order."""
        return self.of(self.numbers(dimension, spans))

    def between(self, sources: Iterable[Span], destinations: Iterable[Span]) -> tuple[R, ...]:
        """The rows that meet any of the sources and any of the destinations, in order."""
        return self.of(self.numbers(SRC, sources) & self.numbers(DST, destinations))

    def of(self, numbers: Iterable[int]) -> tuple[R, ...]:
        """The rows at these places, in order."""
        rows = self.rows
        return tuple(rows[number] for number in sorted(numbers))


class Cells:
    """Addresses that some intervals cannot tell apart: two of one cell lie in the same ones, and at the edge of none."""

    __slots__ = ("_cuts", "_known", "_numbers", "_spans")

    def __init__(self, spans: Iterable[Span]) -> None:
        found = set(spans)
        self._spans = Spans(found)
        self._cuts = sorted({cut for lo, hi in found for cut in (lo, lo + 1, hi, hi + 1)})
        self._known: dict[int, int] = {}
        self._numbers: dict[tuple[tuple[Span, bool, bool], ...], int] = {}

    def of(self, address: int) -> int:
        """The number of an address's cell."""
        at = bisect_right(self._cuts, address)
        found = self._known.get(at)
        if found is None:
            around = sorted(self._spans.meeting(address, address))
            key = tuple((span, span[0] == address, span[1] == address) for span in around)
            found = self._known[at] = self._numbers.setdefault(key, len(self._numbers))
        return found
