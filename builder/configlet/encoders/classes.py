"""Overlapping sets cut into disjoint classes, for hardware that gives each value one number. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from configlet.model.net import Span, Spans


@dataclass(frozen=True, slots=True)
class Classes:
    """Values that lie in the same sets are one class, from 1; class 0 is what lies in none."""

    pieces: tuple[tuple[Span, int], ...]
    """Disjoint spans in order, each with its class; what is between them has class 0."""
    of: dict[Spans, tuple[int, ...]]
    """The classes that make up each set."""
    count: int


def classes_of(sets: Iterable[Spans]) -> Classes:
    """The coarsest classes of which every set is a union. Numbered by the first value of each."""
    known = list(dict.fromkeys(sets))
    events: dict[int, list[tuple[bool, int]]] = {}
    for number, spans in enumerate(known):
        for low, high in spans:
            events.setdefault(low, []).append((True, number))
            events.setdefault(high + 1, []).append((False, number))
    numbers: dict[frozenset[int], int] = {}
    pieces: list[tuple[Span, int]] = []
    active: set[int] = set()
    borders = sorted(events)
    for low, after in pairwise(borders):
        for begins, number in sorted(events[low]):
            (active.add if begins else active.discard)(number)
        if active:
            mark = numbers.setdefault(frozenset(active), len(numbers) + 1)
            _add(pieces, (low, after - 1), mark)
    of: dict[int, list[int]] = {number: [] for number in range(len(known))}
    for members, mark in numbers.items():
        for number in members:
            of[number].append(mark)
    return Classes(tuple(pieces), {spans: tuple(of[n]) for n, spans in enumerate(known)}, len(numbers))


def _add(pieces: list[tuple[Span, int]], span: Span, mark: int) -> None:
    if pieces and pieces[-1][1] == mark and pieces[-1][0][1] + 1 == span[0]:
        pieces[-1] = ((pieces[-1][0][0], span[1]), mark)
    else:
        pieces.append((span, mark))


def cuts(pieces: Sequence[tuple[Span, int]], top: int) -> list[tuple[int, int]]:
    """The whole axis as intervals: the last value of each, and its class."""
    out: list[tuple[int, int]] = []
    at = 0
    for (low, high), mark in pieces:
        if at < low:
            out.append((low - 1, 0))
        out.append((high, mark))
        at = high + 1
    if at <= top:
        out.append((top, 0))
    return out
