"""Brute force over the cells that the borders of some lists make: each cell by the first row that has it.

The cells are the bits of a number, so that a row takes all of its cells at once. Nothing here is the product's.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from tests.laws.walk_lists import Row


class Cells:
    """The cells of some lists. Each dimension is cut where a row begins or ends; a cell is one piece of each dimension."""

    def __init__(self, lists: Sequence[Sequence[Row]], tops: Sequence[int]) -> None:
        self.edges: list[list[int]] = []
        for dimension, top in enumerate(tops):
            spans = [row.box[dimension] for rows in lists for row in rows]
            found = {0, *(low for low, _ in spans), *(high + 1 for _, high in spans)}
            self.edges.append(sorted(edge for edge in found if edge <= top))
        self.count = prod(map(len, self.edges))
        self._columns: dict[tuple[int, tuple[int, int]], int] = {}

    def passing(self, rows: Sequence[Row]) -> int:
        """The cells that a first-match list with default deny permits."""
        rest, passed = (1 << self.count) - 1, 0
        for row in rows:
            mine = rest
            for dimension, span in enumerate(row.box):
                mine &= self._column(dimension, span)
            rest &= ~mine
            passed |= mine if row.permit else 0
        return passed

    def inside(self, box: Sequence[tuple[int, int]]) -> int:
        """The cells that a box has something of."""
        found = (1 << self.count) - 1
        for dimension, span in enumerate(box):
            found &= self._column(dimension, span)
        return found

    def _column(self, dimension: int, span: tuple[int, int]) -> int:
        key = dimension, span
        if key not in self._columns:
            edges = self.edges[dimension]
            ends = [*(edge - 1 for edge in edges[1:]), None]
            width = prod(map(len, self.edges[dimension + 1 :]))
            one = 0
            for at, (low, high) in enumerate(zip(edges, ends, strict=True)):
                if low <= span[1] and (high is None or span[0] <= high):
                    one |= ((1 << width) - 1) << at * width
            period, times = width * len(edges), self.count // (width * len(edges))
            self._columns[key] = one * (((1 << period * times) - 1) // ((1 << period) - 1))
        return self._columns[key]
