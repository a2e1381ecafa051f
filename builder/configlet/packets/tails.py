"""Rows of a list as small numbers, so that lists can be compared, hashed and sorted quickly.

A *tail* is what is left of a box from some level on: its first interval there, and the tail one level deeper. Each
level numbers its distinct tails; 0 is the tail that is full in all remaining dimensions. A row is ``tail*2 + permit``.
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
NOTHING: Codes = ()
"""The list that denies everything, on every level."""
EVERYTHING: Codes = (1,)
"""The list that permits everything, on every level."""


class Tails:
    """The tails of some lists, with the dimensions in one order."""

    __slots__ = ("_ids", "_known", "_pick", "high", "low", "order", "rest", "whole")

    def __init__(self, family: Family, order: Order) -> None:
        self.order = order
        self._pick = itemgetter(*order)
        self.whole: tuple[Span, ...] = self._pick(full(family))
        self.low: list[list[int]] = [[lo] for lo, _ in self.whole]
        self.high: list[list[int]] = [[hi] for _, hi in self.whole]
        self.rest: list[list[int]] = [[0] for _ in self.whole]
        self._ids: list[dict[tuple[Span, int], int]] = [{(span, 0): 0} for span in self.whole]
        self._known: dict[tuple[Span, ...], int] = {}

    def enter(self, rows: Iterable[Row]) -> list[int]:
        """The rows as codes of the first level, in order."""
        pick, known, half = self._pick, self._known, DEPTH // 2
        out: list[int] = []
        for row in rows:
            spans = pick(row.box)
            deep = known.get(spans[half:])
            if deep is None:
                deep = known[spans[half:]] = self._number(spans, DEPTH, half, 0)
            out.append(self._number(spans, half, 0, deep) * 2 + row.permit)
        return out

    def _number(self, spans: tuple[Span, ...], start: int, stop: int, tail: int) -> int:
        """The number of the tail at level ``stop``, given the number ``tail`` of its part from ``start`` on."""
        for level in range(start - 1, stop - 1, -1):
            key = spans[level], tail
            ids = self._ids[level]
            found = ids.get(key)
            if found is None:
                found = ids[key] = len(ids)
                self.low[level].append(key[0][0])
                self.high[level].append(key[0][1])
                self.rest[level].append(tail)
            tail = found
        return tail

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
        return tuple(codes) if codes and codes[0] & 1 else NOTHING
    seen: set[int] = set()
    runs: list[list[int]] = []
    run: list[int] = []
    action = -1
    for code in codes:
        tail = code >> 1
        if tail in seen:
            continue
        seen.add(tail)
        if code & 1 != action:
            action = code & 1
            run = []
            runs.append(run)
        if not tail:
            run[:] = (code,)
            break
        run.append(code)
    if not action:
        runs.pop()
    if len(runs) == 1:
        return tuple(sorted(runs[0]))
    return tuple([code for run in runs for code in sorted(run)])
