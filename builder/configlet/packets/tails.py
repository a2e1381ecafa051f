"""Rows of a list as small numbers, so that lists can be compared, hashed and sorted quickly.

A *tail* is what is left of a box from some level on: its first interval there, and the tail one level deeper. Each
level numbers its distinct tails; 0 is the tail that is full in all remaining dimensions. A row is its tail where it
permits and ``~tail`` where it denies, so that the least of a list tells at once whether anything denies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter

from configlet.model.net import Family, Span
from configlet.model.policy import Box
from configlet.packets.boxes import full
from configlet.packets.verdict import Row

Codes = tuple[int, ...]
Order = tuple[int, ...]

DEPTH = 7
HALF = 3
NOTHING: Codes = ()
"""The list that denies everything, on every level."""
EVERYTHING: Codes = (0,)
"""The list that permits everything, on every level."""


class Spent(Exception):  # noqa: N818 - it is what happened
    """The steps that a walk may take are used up: nothing is known."""


class Tails:
    """The tails of some lists, with the dimensions in one order."""

    __slots__ = ("_boxes", "_ids", "_pick", "_suffixes", "after", "low", "order", "rest", "whole")

    def __init__(self, family: Family, order: Order) -> None:
        self.order = order
        self._pick = itemgetter(*order)
        self.whole: tuple[Span, ...] = self._pick(full(family))
        self.low: list[list[int]] = [[lo] for lo, _ in self.whole]
        self.after: list[list[int]] = [[hi + 1] for _, hi in self.whole]
        """The first value behind the interval."""
        self.rest: list[list[int]] = [[0] for _ in self.whole]
        self._ids: list[dict[tuple[Span, int], int]] = [{(span, 0): 0} for span in self.whole]
        self._boxes: dict[tuple[Span, ...], int] = {full(family): 0}
        self._suffixes: dict[tuple[Span, ...], int] = {}

    def enter(self, rows: Iterable[Row]) -> list[int]:
        """The rows as codes of the first level, in order."""
        boxes, number = self._boxes, self._number
        out: list[int] = []
        for row in rows:
            tail = boxes.get(row.box)
            if tail is None:
                tail = boxes[row.box] = number(row.box)
            out.append(tail if row.permit else ~tail)
        return out

    def _number(self, box: tuple[Span, ...]) -> int:
        """The number of a box that is new. Its deeper half is mostly a service that was met before."""
        spans: tuple[Span, ...] = self._pick(box)
        suffix = spans[HALF:]
        tail = self._suffixes.get(suffix)
        if tail is None:
            tail = self._suffixes[suffix] = self._inner(spans, DEPTH, HALF, 0)
        low, high = spans[0]
        self.low[0].append(low)
        self.after[0].append(high + 1)
        self.rest[0].append(self._inner(spans, HALF, 1, tail))
        return len(self.rest[0]) - 1

    def _inner(self, spans: tuple[Span, ...], start: int, stop: int, tail: int) -> int:
        """The number of the tail at level ``stop``, given the number ``tail`` of its part from ``start`` on."""
        for level in range(start - 1, stop - 1, -1):
            span = spans[level]
            ids = self._ids[level]
            found = ids.get((span, tail))
            if found is None:
                found = ids[span, tail] = len(ids)
                self.low[level].append(span[0])
                self.after[level].append(span[1] + 1)
                self.rest[level].append(tail)
            tail = found
        return tail

    def borders(self, level: int, lists: Iterable[Codes]) -> list[int]:
        """The first values of the pieces into which the lists cut a dimension, and the first value behind it."""
        low, after = self.low[level], self.after[level]
        bottom, top = self.whole[level]
        borders = {bottom, top + 1}
        for codes in lists:
            tails = [code if code >= 0 else ~code for code in codes]
            borders.update([low[tail] for tail in tails])
            borders.update([after[tail] for tail in tails])
        return sorted(borders)

    def distribute(self, level: int, codes: Codes, index: dict[int, int], steps: int) -> tuple[list[list[int]], int]:
        """For each piece between two borders (``index`` numbers them) the rows that cover it, one level deeper.

        Also the steps that are left. Raises Spent when there were not enough.
        """
        low, after, rest = self.low[level], self.after[level], self.rest[level]
        column: list[list[int]] = [[] for _ in range(len(index) - 1)]
        for code in codes:
            tail = code if code >= 0 else ~code
            deeper = rest[tail] if code >= 0 else ~rest[tail]
            start, stop = index[low[tail]], index[after[tail]]
            steps -= stop - start
            if stop - start == 1:
                column[start].append(deeper)
                continue
            if steps < 0:
                raise Spent
            for cell in column[start:stop]:
                cell.append(deeper)
        if steps < 0:
            raise Spent
        return column, steps

    def box(self, spans: Iterable[Span]) -> Box:
        """Intervals in this order as a box."""
        by = dict(zip(self.order, spans, strict=True))
        return (by[0], by[1], by[2], by[3], by[4], by[5], by[6])


def normal(codes: Sequence[int]) -> Codes:
    """The same first-match list with default deny in a form that many equal lists share.

    A repeated tail is dead; a full tail swallows its own run and all behind it; inside a run of one action order does
    not matter; denies at the end change nothing.
    """
    if len(codes) < 2:
        return tuple(codes) if codes and codes[0] >= 0 else NOTHING
    if min(codes) >= 0:
        kept = set(codes)
        return EVERYTHING if 0 in kept else tuple(sorted(kept))
    runs = _runs(codes)
    if runs[-1][0] < 0:
        runs.pop()
    if len(runs) == 1:
        return tuple(sorted(runs[0]))
    return tuple([code for run in runs for code in sorted(run)])


def _runs(codes: Sequence[int]) -> list[list[int]]:
    """What is not dead, cut where the action changes."""
    seen: set[int] = set()
    runs: list[list[int]] = []
    run: list[int] = []
    permits: bool | None = None
    for code in codes:
        tail = code if code >= 0 else ~code
        if tail in seen:
            continue
        seen.add(tail)
        if (code >= 0) is not permits:
            permits = code >= 0
            run = []
            runs.append(run)
        if not tail:
            run[:] = (code,)
            break
        run.append(code)
    return runs
