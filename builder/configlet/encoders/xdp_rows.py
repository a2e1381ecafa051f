"""Rows: for each prefix of peers, which filter wins at each service class; first match is settled here.

A row is kept as runs of classes, so that what a filter costs does not grow with the number of classes. A cell holds the
number of the filter that wins there (the smaller number, as the first match), the number of all filters when none does,
or a piecewise function of the source port as a tuple of (first port, winner).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from configlet.encoders import xdp_layout as at
from configlet.encoders.xdp_classes import Cover
from configlet.encoders.xdp_store import Store, Values
from configlet.model.net import Span
from configlet.model.problem import refuse

Cell = int | tuple[tuple[int, int], ...]
Filters = Sequence[tuple[int, int]]
"""(number of the filter, number of its spec), in order of priority."""
Pieces = list[tuple[int, int]]
"""(first class or port, reference), from 0 on."""

SPARSE = 8
"""Runs in which a row may differ from a written one before it is written itself."""
FAN, DEPTH = 9, 3
"""Values of a line, and lines under one another that the program looks at."""
BLOCK = 64


@dataclass(frozen=True, slots=True)
class Row:
    """What wins: runs of classes by their first one, and the cell of each. Never written to once it is made."""

    starts: list[int]
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Base:
    """A row that was written: its references as runs, and its own reference."""

    starts: list[int]
    refs: list[int]
    ref: int


@dataclass(frozen=True, slots=True)
class Open:
    """A prefix that is open while the walk is inside it: what wins there, and the written row that it differs from."""

    end: int
    row: Row
    ref: int
    base: Base


class Rows:
    """Makes the rows of one generation. ``results`` are the references of the filters, and at the end the default's."""

    def __init__(self, store: Store, covers: Sequence[Cover], count: int, results: Sequence[int]) -> None:
        self.store, self.covers, self.count, self.results = store, covers, count, results
        self.steps = 0
        """Lines under one another that a row needs at most, behind the first one."""
        self._refs = _Refs(self)
        self._split: dict[tuple[Cell, int, Span], Cell] = {}

    def top(self, end: int) -> Open:
        """The space before any prefix: nothing wins anywhere."""
        return Open(end, Row([0], [len(self.results) - 1]), at.DEFAULT, Base([0], [at.DEFAULT], at.DEFAULT))

    def enter(self, outer: Open, end: int, filters: Filters) -> Open:
        """A prefix inside another, with the filters that begin there."""
        row, base = self._apply(outer.row, filters), outer.base
        starts, refs = self._references(row)
        runs = _differing(base, starts, refs, self.count)
        if runs is not None:
            over = self.store.overlay(runs, base.ref) if runs else base.ref
            if over is not None:
                return Open(end, row, over, base)
        ref = self._write(starts, refs)
        return Open(end, row, ref, Base(starts, refs, ref))

    def _apply(self, outer: Row, filters: Filters) -> Row:
        """A copy of a row with filters applied."""
        starts, cells = outer.starts.copy(), outer.cells.copy()
        for number, spec in filters:
            cover = self.covers[spec]
            for low, high in cover.runs:
                self._apply_run(starts, cells, low, high + 1, number, cover.sport)
        return Row(starts, cells)

    def _apply_run(self, starts: list[int], cells: list[Cell], low: int, end: int, number: int, sport: Span | None) -> None:
        """One filter over classes from ``low`` up to ``end``, which is no more one of them."""
        first = bisect_right(starts, low) - 1
        after = bisect_left(starts, end, first + 1)
        if after == first + 1 and sport is None and type(cells[first]) is int:
            self._cut(starts, cells, first, low, end, number)
            return
        begins, won = ([starts[first]], [cells[first]]) if starts[first] < low else ([], list[Cell]())
        for index in range(first, after):
            cell = cells[index]
            if sport is not None or type(cell) is not int:
                cell = self._win(cell, number, sport)
            elif number < cell:
                cell = number
            if not won or won[-1] != cell:
                begins.append(starts[index] if index > first else max(low, starts[index]))
                won.append(cell)
        if end < (starts[after] if after < len(starts) else self.count) and won[-1] != cells[after - 1]:
            begins.append(end)
            won.append(cells[after - 1])
        starts[first:after], cells[first:after] = begins, won

    def _cut(self, starts: list[int], cells: list[Cell], first: int, low: int, end: int, number: int) -> None:
        """The same inside one run that one filter wins: most are."""
        cell, after = cells[first], first + 1
        if number >= cell:  # type: ignore[operator]
            return
        if end < (starts[after] if after < len(starts) else self.count):
            starts.insert(after, end)
            cells.insert(after, cell)
        if starts[first] < low:
            starts.insert(after, low)
            cells.insert(after, number)
        else:
            cells[first] = number

    def _win(self, cell: Cell, number: int, sport: Span | None) -> Cell:
        """A cell after one more filter, which may ask for source ports."""
        key = (cell, number, sport or (0, 65535))
        if key not in self._split:
            self._split[key] = _split(*key)
        return self._split[key]

    def _references(self, row: Row) -> tuple[list[int], list[int]]:
        """A row as runs of references; equal neighbours are one run."""
        starts, refs, last = list[int](), list[int](), -1
        for start, ref in zip(row.starts, map(self._refs.__getitem__, row.cells), strict=True):
            if ref != last:
                starts.append(start)
                refs.append(ref)
                last = ref
        return starts, refs

    def _write(self, starts: list[int], refs: list[int]) -> int:
        """A result when every class has that one, whatever the source port; a block; or lines of runs.

        Runs that lines of that depth do not hold are written as blocks, class by class.
        """
        if len(refs) == 1 and refs[0] < at.STEP:
            return refs[0]
        if self.count > BLOCK and 1 < len(refs) <= FAN**DEPTH:
            ref, depth = _lines(list(zip(starts, refs, strict=True)), self.store.class_line)
            self.steps = max(self.steps, depth)
            return ref
        cells = [ref for start, end, ref in zip(starts, [*starts[1:], self.count], refs, strict=True) for _ in range(end - start)]
        return self.store.row(tuple(self.store.block(tuple(cells[i : i + BLOCK])) for i in range(0, self.count, BLOCK)))

    def written(self, cell: Cell) -> int:
        """The reference of a cell: its filter's result, or a function of the source port."""
        if isinstance(cell, int):
            return self.results[cell]
        pieces = [(start, self.results[winner]) for start, winner in cell]
        pieces = [piece for i, piece in enumerate(pieces) if i == 0 or piece[1] != pieces[i - 1][1]]
        if len(pieces) > FAN**DEPTH:
            raise refuse(
                "Source ports that no table can hold",
                f"Filters of one service divide its source ports into {len(pieces)} pieces, and {FAN**DEPTH} are looked up. "
                "Use fewer distinct source ports.",
                nature="red",
            )
        return _lines(pieces, self.store.sport_line)[0]


def _lines(pieces: Pieces, write: Callable[[Values, Values], int]) -> tuple[int, int]:
    """The reference of runs as a tree of lines, and how many lines are under one another."""
    depth = 0
    while len(pieces) > 1:
        pieces = [_line(pieces[i : i + FAN], write) for i in range(0, len(pieces), FAN)]
        depth += 1
    return pieces[0][1], depth


def _line(pieces: Pieces, write: Callable[[Values, Values], int]) -> tuple[int, int]:
    """The start and the reference of so few runs; one alone needs no line."""
    starts, refs = zip(*pieces, strict=True)
    return starts[0], write(starts[1:], refs) if len(refs) > 1 else refs[0]


def _differing(base: Base, starts: list[int], refs: list[int], count: int) -> list[tuple[int, int, int]] | None:
    """Where a row means something else than its base: (first class, last class, reference); None when that is many."""
    runs: list[tuple[int, int, int]] = []
    theirs, others, size, many = base.starts, base.refs, len(base.starts), len(starts)
    mine = other = place = 0
    while place < count:
        mine_end = starts[mine + 1] if mine + 1 < many else count
        other_end = theirs[other + 1] if other + 1 < size else count
        end = mine_end if mine_end < other_end else other_end
        if (ref := refs[mine]) != others[other]:
            if runs and runs[-1][1] == place - 1 and runs[-1][2] == ref:
                runs[-1] = (runs[-1][0], end - 1, ref)
            elif len(runs) == SPARSE:
                return None
            else:
                runs.append((place, end - 1, ref))
        mine += end == mine_end
        other += end == other_end
        place = end
    return runs


class _Refs(dict[Cell, int]):
    """What each cell is written as, found once."""

    def __init__(self, rows: Rows) -> None:
        super().__init__(enumerate(rows.results))
        self.rows = rows

    def __missing__(self, cell: Cell) -> int:
        self[cell] = found = self.rows.written(cell)
        return found


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
