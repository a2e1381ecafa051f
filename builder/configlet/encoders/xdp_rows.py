"""Rows: for each prefix of peers, which filter wins at each service class; first match is settled here.

A cell holds the number of the filter that wins there (the smaller number, as the first match), the number of all
filters when none does, or a piecewise function of the source port as a tuple of (first port, winner).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from configlet.encoders import xdp_layout as at
from configlet.encoders.xdp_classes import Cover
from configlet.encoders.xdp_store import Store, Values
from configlet.model.net import Span
from configlet.model.problem import refuse

Cell = int | tuple[tuple[int, int], ...]
Block = list[Cell]
Row = list[Block]
Filters = Sequence[tuple[int, int]]
"""(number of the filter, number of its spec), in order of priority."""
Changes = dict[int, Cell]

SPARSE = 8
"""Cells that a leaf may change before a whole row is made for it."""
FAN = 9


@dataclass(slots=True)
class Open:
    """A prefix that is open while the walk is inside it.

    ``row`` is what wins inside; ``base`` a row that was written, at ``parent``; ``changes`` are the cells in which row
    and base differ, None when they are many.
    """

    end: int
    row: Row
    ref: int
    base: Row
    parent: int
    changes: Changes | None


class Rows:
    """Makes the rows of one generation. ``results`` are the references of the filters, and at the end the default's."""

    def __init__(self, store: Store, covers: Sequence[Cover], count: int, results: Sequence[int]) -> None:
        self.store, self.covers, self.results = store, covers, results
        self.none = len(results) - 1
        sizes = [64] * (count // 64) + ([count % 64] if count % 64 else [])
        self._empty: Row = [[self.none] * size for size in sizes]
        self._split: dict[tuple[Cell, int, Span], Cell] = {}
        self._functions: dict[Cell, int] = {}
        self._blocks: dict[int, tuple[Block, int, Values]] = {}
        # Without source ports every cell is a number, and a list is asked faster than a method.
        plain = all(cover.sport is None for cover in covers)
        self._look: Callable[[Any], int] = self.results.__getitem__ if plain else self._value

    def top(self, end: int) -> Open:
        """The space before any prefix: nothing wins anywhere."""
        return Open(end, self._empty, at.DEFAULT, self._empty, at.DEFAULT, {})

    def enter(self, outer: Open, end: int, filters: Filters, *, leaf: bool) -> Open:
        """A prefix inside another, with the filters that begin there. A leaf has no prefix inside."""
        if leaf and outer.changes is not None:
            ref = self._sparse(outer, filters)
            if ref is not None:
                return Open(end, outer.row, ref, outer.base, outer.parent, None)
        row, changed = self._apply(outer.row, filters)
        differ = self._differ(row, outer.base, changed if outer.row is outer.base else None)
        runs = self._changed_runs(sorted(differ.items()), outer.base)
        kept = differ if len(differ) <= 2 * SPARSE else None
        if not runs:
            return Open(end, row, outer.parent, outer.base, outer.parent, kept)
        over = self.store.overlay(runs, outer.parent) if len(runs) <= SPARSE else None
        if over is not None:
            return Open(end, row, over, outer.base, outer.parent, kept)
        ref = self._dense(row)
        return Open(end, row, ref, row, ref, {})

    def _sparse(self, outer: Open, filters: Filters) -> int | None:
        """The reference of a leaf that changes few cells; None when they are many."""
        covers, base = self.covers, outer.base
        changes: Changes = dict(outer.changes or ())
        for number, spec in filters:
            cover = covers[spec]
            if not cover.few:
                return None
            for place in cover.few:
                cell = changes[place] if place in changes else base[place >> 6][place & 63]
                if cover.sport is None and type(cell) is int:
                    if number < cell:
                        changes[place] = number
                else:
                    changes[place] = self._win(cell, number, cover.sport)
            if len(changes) > 2 * SPARSE:
                return None
        runs = self._changed_runs(sorted(changes.items()), base)
        if not runs:
            return outer.parent
        return self.store.overlay(runs, outer.parent) if len(runs) <= SPARSE else None

    def _apply(self, outer: Row, filters: Filters) -> tuple[Row, set[int]]:
        """A copy of a row with filters applied; blocks that do not change are shared. Also which ones do."""
        row, own = list(outer), set[int]()
        for number, spec in filters:
            cover = self.covers[spec]
            for low, high in cover.runs:
                for index in range(low >> 6, (high >> 6) + 1):
                    first, last = max(low - (index << 6), 0), min(high - (index << 6), 63)
                    self._apply_block(row, own, index, (first, last), number, cover.sport)
        return row, own

    def _apply_block(self, row: Row, own: set[int], index: int, span: Span, number: int, sport: Span | None) -> None:
        block = row[index]
        first, last = span
        if index not in own:
            cells = block[first : last + 1]
            if sport is None and all(type(cell) is int and cell < number for cell in cells):
                return
            own.add(index)
            block = row[index] = list(block)
        for place in range(first, min(last + 1, len(block))):
            cell = block[place]
            if sport is None and type(cell) is int:
                if number < cell:
                    block[place] = number
            else:
                block[place] = self._win(cell, number, sport)

    def _win(self, cell: Cell, number: int, sport: Span | None) -> Cell:
        """A cell after one more filter, which may ask for source ports."""
        span = sport or (0, 65535)
        key = (cell, number, span)
        if key not in self._split:
            self._split[key] = _split(cell, number, span)
        return self._split[key]

    def _differ(self, row: Row, base: Row, blocks: set[int] | None) -> Changes:
        """The cells of a row that are not those of its base."""
        found: Changes = {}
        for index in sorted(blocks) if blocks is not None else range(len(row)):
            block, other = row[index], base[index]
            if block is not other:
                found.update((index << 6 | i, cell) for i, cell in enumerate(block) if cell != other[i])
        return found

    def _changed_runs(self, changes: Sequence[tuple[int, Cell]], base: Row) -> list[tuple[int, int, int]]:
        """Changed cells as runs of one reference, without those that mean what the base means."""
        runs: list[tuple[int, int, int]] = []
        look = self._look
        for place, cell in changes:
            ref = look(cell)
            if ref == look(base[place >> 6][place & 63]):
                continue
            if runs and runs[-1][1] == place - 1 and runs[-1][2] == ref:
                runs[-1] = (runs[-1][0], place, ref)
            else:
                runs.append((place, place, ref))
        return runs

    def _dense(self, row: Row) -> int:
        """A written row; a result when every cell has that one, whatever the source port."""
        written = [self._block(block) for block in row]
        if len({number for _, number, _ in written[:-1]}) <= 1:
            values = set(written[0][2]) | set(written[-1][2])
            if len(values) == 1 and (only := values.pop()) < at.STEP:
                return only
        return self.store.row(tuple(number for _, number, _ in written))

    def _block(self, block: Block) -> tuple[Block, int, Values]:
        """The block itself (so that nothing else takes its place in memory), its number, and what it holds."""
        known = self._blocks.get(id(block))
        if known is None:
            values = tuple(map(self._look, block))
            known = self._blocks[id(block)] = block, self.store.block(values), values
        return known

    def _value(self, cell: Cell) -> int:
        return self.results[cell] if type(cell) is int else self._written(cell)

    def _written(self, cell: Cell) -> int:
        """The reference of a function of the source port."""
        if type(cell) is int:
            return self.results[cell]
        assert isinstance(cell, tuple)
        if cell not in self._functions:
            self._functions[cell] = self._function([(start, self.results[winner]) for start, winner in cell])
        return self._functions[cell]

    def _function(self, pieces: list[tuple[int, int]]) -> int:
        level = [piece for i, piece in enumerate(pieces) if i == 0 or piece[1] != pieces[i - 1][1]]
        if len(level) > FAN**3:
            raise refuse(
                "Source ports that no table can hold",
                f"Filters of one service divide its source ports into {len(level)} pieces, and {FAN**3} are looked up. "
                "Use fewer distinct source ports.",
                nature="red",
            )
        while len(level) > 1:
            level = [self._line(level[i : i + FAN]) for i in range(0, len(level), FAN)]
        return level[0][1]

    def _line(self, pieces: Sequence[tuple[int, int]]) -> tuple[int, int]:
        values: Values = tuple(ref for _, ref in pieces)
        return pieces[0][0], values[0] if len(values) == 1 else self.store.sport_line(
            tuple(start for start, _ in pieces[1:]), values
        )


def _split(cell: Cell, number: int, span: Span) -> Cell:
    pieces = ((0, cell),) if isinstance(cell, int) else cell
    out: list[tuple[int, int]] = []
    for (start, winner), (end, _) in pairwise((*pieces, (65536, 0))):
        for low, high in _parts(start, end - 1, span):
            won = min(winner, number) if span[0] <= low and high <= span[1] else winner
            if not out or out[-1][1] != won:
                out.append((low, won))
    return out[0][1] if len(out) == 1 else tuple(out)


def _parts(low: int, high: int, span: Span) -> Iterator[Span]:
    for first, last in ((low, min(high, span[0] - 1)), (max(low, span[0]), min(high, span[1])), (max(low, span[1] + 1), high)):
        if first <= last:
            yield first, last
