"""What a reference of the XDP tables means for every service: the boxes of packets that it passes, without addresses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, groupby, pairwise
from typing import NamedTuple

from configlet.model.net import Family, Span
from configlet.readers.xdp_dump import Dump, Numbers

ANY_PORT, ANY_BIT = (0, 65535), (0, 1)
DROPS = 0x10000000
PARENT = 0x7FFFFFFF
ROW, SPORTS, OVER64, OVER32, OVER16 = 8, 10, 12, 13, 14
AXES: dict[Family, tuple[tuple[int, int, Span], ...]] = {
    4: ((17, 131072, ANY_BIT), (1, 196608, ANY_BIT), (132, 327680, ANY_BIT)),
    6: ((17, 131072, ANY_BIT), (58, 262144, ANY_BIT), (132, 327680, ANY_BIT)),
}
"""Protocol and the first point of its axis; TCP has two axes, by flags."""
OTHER, FRAGMENT = 393216, 393472
OWN: dict[Family, tuple[int, ...]] = {4: (1, 6, 17, 132), 6: (6, 17, 58, 132)}


class Service(NamedTuple):
    """A box of packets without its addresses, and the name of the result that passes it."""

    proto: Span
    dport: Span
    sport: Span
    flag: Span
    fragment: Span
    label: str


Outcome = tuple[tuple[Span, int], ...]
"""What one class gives, by source ports: (ports, number of a result that passes). Empty: nothing passes."""


class Services:
    """The service half of the tables, each reference looked through once."""

    def __init__(self, dump: Dump) -> None:
        self.dump = dump
        points = chain.from_iterable(dump.arrays["svc"])
        self.runs: list[tuple[int, int, int]] = []
        at = 0
        for number, group in groupby(points):
            size = len(list(group))
            self.runs.append((at, at + size - 1, number))
            at += size
        self.classes = sorted({number for _, _, number in self.runs})
        self.known: dict[tuple[Family, int], tuple[Service, ...]] = {}

    def of(self, family: Family, ref: int) -> tuple[Service, ...]:
        """What passes where the peer's address led to this reference."""
        key = family, ref
        if key not in self.known:
            outcomes = {number: self._outcome(ref, number) for number in self.classes}
            self.known[key] = tuple(self._services(family, outcomes))
        return self.known[key]

    def _services(self, family: Family, outcomes: dict[int, Outcome]) -> Iterator[Service]:
        if not any(outcomes.values()):
            return
        for low, high, outcome in self._axis(0, 65536, outcomes):
            for first, last, seen in self._axis(65536 + low, high - low + 1, outcomes, low):
                if outcome == seen:
                    yield from self._boxes((6, 6), (first, last), ANY_BIT, outcome)
                else:
                    yield from self._boxes((6, 6), (first, last), (0, 0), outcome)
                    yield from self._boxes((6, 6), (first, last), (1, 1), seen)
        for proto, start, flag in AXES[family]:
            for low, high, outcome in self._axis(start, 65536, outcomes):
                yield from self._boxes((proto, proto), (low, high), flag, outcome)
        for low, high, outcome in self._axis(OTHER, 256, outcomes):
            for span in _without((low, high), OWN[family]):
                yield from self._boxes(span, ANY_PORT, ANY_BIT, outcome)
        for low, high, outcome in self._axis(FRAGMENT, 256, outcomes):
            yield from self._boxes((low, high), ANY_PORT, ANY_BIT, outcome, (1, 1))

    def _axis(
        self, start: int, size: int, outcomes: dict[int, Outcome], shown: int = 0
    ) -> Iterator[tuple[int, int, Outcome]]:
        """Runs of one outcome on an axis, counted from ``shown``."""
        now: tuple[int, int, Outcome] | None = None
        for low, high, number in self.runs:
            first, last = max(low, start) - start + shown, min(high, start + size - 1) - start + shown
            if first > last:
                continue
            if now is not None and now[2] == outcomes[number]:
                now = now[0], last, now[2]
                continue
            if now is not None:
                yield now
            now = first, last, outcomes[number]
        if now is not None:
            yield now

    def _boxes(
        self, proto: Span, ports: Span, flag: Span, outcome: Outcome, fragment: Span = (0, 0)
    ) -> Iterator[Service]:
        for sports, result in outcome:
            names = self.dump.names
            yield Service(proto, ports, sports, flag, fragment, names[result] if result < len(names) else "?")

    def _outcome(self, ref: int, number: int) -> Outcome:
        """What a reference gives for one class, through overlay, row and source ports as the program goes."""
        ref = self._overlay(ref, number)
        for _ in range(self.dump.constants["steps"]):
            ref = self._overlay(ref, number) if ref >> 28 == OVER64 else ref
        ref = self._row(ref, number)
        if not self.dump.constants["use_sport"]:
            return _result(ANY_PORT, ref)
        return tuple(self._sports(ANY_PORT, ref, 3))

    def _overlay(self, ref: int, number: int) -> int:
        kind, index = ref >> 28, ref & 0x0FFFFFFF
        if kind == OVER16:
            line = _at(self.dump, "overs16", index)
            if line is None:
                return DROPS
            return line[2] if line[0] <= number <= line[1] else line[3]
        if kind in (OVER32, OVER64):
            cuts = 4 if kind == OVER32 else 8
            line = _at(self.dump, "lines32" if kind == OVER32 else "lines64", index)
            if line is None:
                return DROPS
            value = line[cuts + sum(start <= number for start in line[:cuts])]
            return line[2 * cuts + 1] if value == PARENT else value
        return ref

    def _row(self, ref: int, number: int) -> int:
        if ref >> 28 != ROW:
            return ref
        block = ref & 0x0FFFFFFF
        if self.dump.constants["blocks"] > 1:
            cell = block * self.dump.constants["blocks"] + (number >> 6)
            line = _at(self.dump, "rowptr", cell >> 4)
            if line is None:
                return DROPS
            block = line[cell & 15]
        cells = _at(self.dump, "cells", block)
        return DROPS if cells is None else cells[number & 63]

    def _sports(self, ports: Span, ref: int, left: int) -> Iterator[tuple[Span, int]]:
        if ref >> 28 != SPORTS or not left:
            yield from _result(ports, ref)
            return
        line = _at(self.dump, "lines64", ref & 0x0FFFFFFF)
        if line is None:
            return
        borders = sorted({ports[0], ports[1] + 1, *(s for s in line[:8] if ports[0] < s <= ports[1])})
        for low, after in pairwise(borders):
            value = line[8 + sum(start <= low for start in line[:8])]
            yield from self._sports((low, after - 1), value, left - 1)


def _result(ports: Span, ref: int) -> Outcome:
    """A result that passes; a reference that leads on after the last step drops."""
    return () if ref & (0x80000000 | DROPS) else ((ports, ref & 0x0FFFFFFF),)


def _at(dump: Dump, table: str, index: int) -> Numbers | None:
    elements = dump.arrays[table]
    return elements[index] if index < len(elements) else None


def _without(span: Span, numbers: tuple[int, ...]) -> Iterator[Span]:
    low, high = span
    for number in numbers:
        if low <= number <= high:
            if low < number:
                yield low, number - 1
            low = number + 1
    if low <= high:
        yield low, high
