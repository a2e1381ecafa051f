"""A second engine for the laws of the walk: decision diagrams of CUDD, by way of ``dd``. It shares no code with the walk.

A value is its bits, the highest first; an interval is two comparisons; a list is folded from its last row to its first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dd import cudd

from configlet.model.net import BITS, Family, Span
from tests.laws.walk_lists import Row

ORDER = (0, 3, 1, 2, 4, 5, 6)
"""proto, dport, dst, src, sport, flag, fragment: dimensions from the top of the diagram."""


class Diagrams:
    """Lists of one family as diagrams; equal lists are the same diagram."""

    def __init__(self, family: Family) -> None:
        self.widths = (8, BITS[family], BITS[family], 16, 16, 1, 1)
        self.bdd: Any = cudd.BDD()
        self.bdd.configure(reordering=False)
        self.bdd.declare(*(self._name(d, bit) for d in ORDER for bit in range(self.widths[d])))
        self.spans: dict[tuple[int, Span], Any] = {}

    def permitted(self, rows: Sequence[Row]) -> Any:
        """The packets that a first-match list with default deny permits."""
        found = self.bdd.false
        for row in reversed(rows):
            box = self._box(row.box)
            found = found | box if row.permit else found & ~box
        return found

    def law(self, lists: Sequence[Sequence[Row]]) -> Any:
        """The packets that any of some lists permits."""
        found = self.bdd.false
        for rows in lists:
            found = found | self.permitted(rows)
        return found

    @staticmethod
    def _name(dimension: int, bit: int) -> str:
        return f"d{dimension}_{bit}"

    def _box(self, box: Sequence[Span]) -> Any:
        found = self.bdd.true
        for dimension in reversed(ORDER):
            found = self._span(dimension, box[dimension]) & found
        return found

    def _span(self, dimension: int, span: Span) -> Any:
        key = dimension, span
        if key not in self.spans:
            self.spans[key] = self._bound(dimension, span[0], below=False) & self._bound(dimension, span[1], below=True)
        return self.spans[key]

    def _bound(self, dimension: int, bound: int, *, below: bool) -> Any:
        """Values at most (``below``) or at least a bound: from the lowest bit to the highest."""
        found, width = self.bdd.true, self.widths[dimension]
        for bit in reversed(range(width)):
            variable = self.bdd.var(self._name(dimension, bit))
            one = bool(bound >> (width - 1 - bit) & 1)
            side = ~variable if below else variable
            found = side | found if one == below else side & found
        return found
