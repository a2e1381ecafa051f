"""Rows: for each prefix of peers, which filter wins at each service class; first match is settled here.

A cell holds the number of the filter that wins there (the smaller number, as the first match), the number of all
filters when none does, or a piecewise function of the source port as a tuple of (first port, winner).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

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


@dataclass(frozen=True, slots=True)
class Base:
    """A row that was written: its cells, its references block by block, and its own reference."""

    row: Row
    written: list[Values]
    ref: int


@dataclass(slots=True)
class Open:
    """A prefix that is open while the walk is inside it.

    ``row`` is what wins inside; ``base`` a row that was written, at ``parent``; ``changes`` are the cells in which row
    and base differ, None when they are many.
    """

    end: int
    row: Row
    ref: int
    base: Base
    changes: Changes | None


class Rows:
    """Makes the rows of one generation. ``results`` are the references of the filters, and at the end the default's."""

    def __init__(self, store: Store, covers: Sequence[Cover], count: int, results: Sequence[int]) -> None:
        self.store, self.covers, self.results = store, covers, results
        self.none = len(results) - 1
        sizes = [64] * (count // 64) + ([count % 64] if count % 64 else [])
        self._uniform: dict[tuple[int, int], Block] = {}
        empty: Row = [self._filled(self.none, size) for size in sizes]
        self._refs = _Refs(self)
        self._split: dict[tuple[Cell, int, Span], Cell] = {}
        self._empty = Base(empty, [tuple(map(self._refs.__getitem__, block)) for block in empty], at.DEFAULT)

    def top(self, end: int) -> Open:
        """The space before any prefix: nothing wins anywhere."""
        return Open(end, self._empty.row, at.DEFAULT, self._empty, {})

    def enter(self, outer: Open, end: int, filters: Filters, *, leaf: bool) -> Open:
        """A prefix inside another, with the filters that begin there. A leaf has no prefix inside."""
        base = outer.base
        if leaf and outer.changes is not None:
            ref = self._sparse(outer, filters)
            if ref is not None:
                return Open(end, outer.row, ref, base, None)
        row = self._apply(outer.row, filters)
        kept = None if leaf else self._few(row, base.row)
        runs = self._runs(row, base)
        if runs is not None:
            over = self.store.overlay(runs, base.ref) if runs else base.ref
            if over is not None:
                return Open(end, row, over, base, kept)
        written = [
            old if block is before else tuple(map(self._refs.__getitem__, block))
            for block, before, old in zip(row, base.row, base.written, strict=True)
        ]
        ref = self._dense(written)
        return Open(end, row, ref, Base(row, written, ref), {})

    def _sparse(self, outer: Open, filters: Filters) -> int | None:
        """The reference of a leaf that changes few cells; None when they are many."""
        covers, base = self.covers, outer.base.row
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
        runs: list[tuple[int, int, int]] = []
        for place in sorted(changes):
            ref = self._refs[changes[place]]
            if ref != outer.base.written[place >> 6][place & 63]:
                _add(runs, place, place, ref)
        if not runs:
            return outer.base.ref
        return self.store.overlay(runs, outer.base.ref) if len(runs) <= SPARSE else None

    def _apply(self, outer: Row, filters: Filters) -> Row:
        """A copy of a row with filters applied; blocks that do not change are shared."""
        row, own = list(outer), set[int]()
        for number, spec in filters:
            cover = self.covers[spec]
            for low, high in cover.runs:
                for index in range(low >> 6, (high >> 6) + 1):
                    first, last = max(low - (index << 6), 0), min(high - (index << 6), len(row[index]) - 1)
                    if cover.sport is not None or last - first + 1 < len(row[index]):
                        self._apply_part(row, own, index, (first, last), number, cover.sport)
                    else:
                        self._apply_whole(row, own, index, number)
        return row

    def _apply_whole(self, row: Row, own: set[int], index: int, number: int) -> None:
        """One filter over a whole block: it wins everywhere, nowhere, or here and there."""
        block = row[index]
        try:
            least, most = min(block), max(block)
        except TypeError:
            self._apply_part(row, own, index, (0, len(block) - 1), number, None)
            return
        if type(least) is not int or type(most) is not int:
            self._apply_part(row, own, index, (0, len(block) - 1), number, None)
        elif number < least:
            row[index] = self._filled(number, len(block))
            own.discard(index)
        elif number < most:
            row[index] = [number if number < cell else cell for cell in block]  # type: ignore[operator]
            own.add(index)

    def _filled(self, number: int, size: int) -> Block:
        """A block of one winner; shared, and so never written to."""
        return self._uniform.setdefault((number, size), [number] * size)

    def _apply_part(self, row: Row, own: set[int], index: int, span: Span, number: int, sport: Span | None) -> None:
        block = row[index]
        for place in range(span[0], span[1] + 1):
            cell = block[place]
            if sport is None and type(cell) is int:
                if number > cell:
                    continue
                won: Cell = number
            else:
                won = self._win(cell, number, sport)
            if index not in own:
                own.add(index)
                block = row[index] = list(block)
            block[place] = won

    def _win(self, cell: Cell, number: int, sport: Span | None) -> Cell:
        """A cell after one more filter, which may ask for source ports."""
        span = sport or (0, 65535)
        key = (cell, number, span)
        if key not in self._split:
            self._split[key] = _split(cell, number, span)
        return self._split[key]

    def _few(self, row: Row, base: Row) -> Changes | None:
        """The cells of a row that are not those of its base; None when they are many."""
        found: Changes = {}
        for index, (block, other) in enumerate(zip(row, base, strict=True)):
            if block is not other and block != other:
                found.update((index << 6 | i, cell) for i, cell in enumerate(block) if cell != other[i])
                if len(found) > 2 * SPARSE:
                    return None
        return found

    def _runs(self, row: Row, base: Base) -> list[tuple[int, int, int]] | None:
        """Where a row means something else than its base, as runs of one reference; None when they are many."""
        runs: list[tuple[int, int, int]] = []
        for index, (block, other, old) in enumerate(zip(row, base.row, base.written, strict=True)):
            if block is other:
                continue
            new = tuple(map(self._refs.__getitem__, block))
            if new == old:
                continue
            start = index << 6
            if new.count(new[0]) == len(new) and new[0] not in old:
                _add(runs, start, start + len(new) - 1, new[0])
            else:
                for place, (ref, before) in enumerate(zip(new, old, strict=True), start):
                    if ref != before:
                        _add(runs, place, place, ref)
            if len(runs) > SPARSE:
                return None
        return runs

    def _dense(self, written: list[Values]) -> int:
        """A written row; a result when every cell has that one, whatever the source port."""
        only = written[0][0]
        if only < at.STEP and all(block.count(only) == len(block) for block in written):
            return only
        return self.store.row(tuple(self.store.block(block) for block in written))

    def written(self, cell: Cell) -> int:
        """The reference of a cell: its filter's result, or a function of the source port."""
        if isinstance(cell, int):
            return self.results[cell]
        return self._function([(start, self.results[winner]) for start, winner in cell])

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


class _Refs(dict[Cell, int]):
    """What each cell is written as, found once."""

    def __init__(self, rows: Rows) -> None:
        super().__init__(enumerate(rows.results))
        self.rows = rows

    def __missing__(self, cell: Cell) -> int:
        self[cell] = found = self.rows.written(cell)
        return found


def _add(runs: list[tuple[int, int, int]], first: int, last: int, ref: int) -> None:
    """One more run, joined to the last one where it goes on."""
    if runs and runs[-1][1] == first - 1 and runs[-1][2] == ref:
        runs[-1] = (runs[-1][0], last, ref)
    else:
        runs.append((first, last, ref))


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
