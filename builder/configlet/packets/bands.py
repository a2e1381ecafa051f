"""Rows of one side of an address that do the same and stand together, by columns: what many of them say is held once."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from itertools import chain, groupby, repeat
from operator import itemgetter

from configlet.model.net import Span, Spans, merge, overlap
from configlet.model.told import Key

Rest = tuple[Span, Span, Span]
"""What rows say of sport, flags and fragments."""
_REST = itemgetter(2, 3, 4)


class Peers:
    """The other ends of some rows, in order; what is found of them is found once."""

    __slots__ = ("_crowd", "_distinct", "_wide", "spans")

    def __init__(self, spans: tuple[Span, ...], distinct: Set[Span] | None = None) -> None:
        self.spans = spans
        self._distinct = distinct
        self._crowd: Spans | None = None
        self._wide: Sequence[Span] | None = None

    @property
    def distinct(self) -> Set[Span]:
        """Each once."""
        if self._distinct is None:
            self._distinct = {*self.spans}
        return self._distinct

    @property
    def crowd(self) -> Spans:
        """All of their addresses, sorted and disjoint."""
        if self._crowd is None:
            self._crowd = merge(self.distinct)
        return self._crowd

    def part(self, start: int, end: int) -> Peers:
        """Some of them."""
        return self if end - start == len(self.spans) else Peers(self.spans[start:end])

    def holding(self, some: Iterable[int]) -> list[Span]:
        """Those that have an address of some, in any order and perhaps more than once."""
        distinct, wide = self.distinct, self._wide
        if wide is None:
            wide = self._wide = [span for span in distinct if span[0] != span[1]]
        found = []
        for one in some:
            if (one, one) in distinct:
                found.append((one, one))
            found += [span for span in wide if span[0] <= one <= span[1]]
        return found

    def around(self, spans: Collection[Span]) -> list[Span]:
        """Those of some spans that share an address with one of these."""
        if not spans:
            return []
        crowd, out = self.crowd, []
        for span in spans:
            begun = bisect_left(crowd, (span[1] + 1,))  # those that begin no later than it ends
            if begun and crowd[begun - 1][1] >= span[0]:
                out.append(span)
        return out


class Band:
    """The other ends and the dports of some rows, and the rest, in which they are alike. ``whole``: the band of which these rows
    are a part, from ``start``."""

    __slots__ = ("peers", "ports", "rest", "start", "whole")

    def __init__(
        self, peers: Peers, ports: tuple[Span, ...], rest: Rest, whole: Band | None = None, start: int = 0
    ) -> None:
        self.peers, self.ports, self.rest, self.whole, self.start = peers, ports, rest, whole, start

    def __len__(self) -> int:
        return len(self.ports)

    def rows(self) -> Iterator[Key]:
        """The rows one by one."""
        sport, flag, part = self.rest
        return zip(self.peers.spans, self.ports, repeat(sport), repeat(flag), repeat(part))

    def part(self, start: int, end: int) -> Band:
        """Some of the rows."""
        if end - start == len(self.ports):
            return self
        return Band(self.peers.part(start, end), self.ports[start:end], self.rest, self, start)

    def without(self, ends: Set[Span]) -> Band:
        """Those that have another end than one of some."""
        if ends.isdisjoint(self.peers.distinct):
            return self
        kept = [at for at, end in enumerate(self.peers.spans) if end not in ends]
        ports = tuple([self.ports[at] for at in kept])
        return Band(Peers(tuple([self.peers.spans[at] for at in kept])), ports, self.rest)

    @property
    def alike(self) -> tuple[Span, Rest] | None:
        """What all of the rows say but for their ends; None where they differ in that."""
        port = self.ports[0]
        return (port, self.rest) if self.ports.count(port) == len(self.ports) else None

    def beside(self, other: Band) -> bool:
        """Whether their rests share something."""
        return self.rest == other.rest or all(
            low <= last and first <= high for (low, high), (first, last) in zip(self.rest, other.rest, strict=True)
        )

    def meets(self, other: Band) -> bool:
        """Whether they could share a packet, seen from their ends and the rest."""
        return self.beside(other) and overlap(self.peers.crowd, other.peers.crowd)

    def facing(self, bands: Iterable[Band]) -> list[Key]:
        """The rows that could share a packet with one of some others, seen from their ends and the rest."""
        near = {end for band in bands if self.beside(band) for end in band.peers.around(self.peers.spans)}
        return [key for key in self.rows() if key[0] in near] if near else []

    def same(self, other: Band) -> bool:
        """Whether another one has the same rows in the same order."""
        ends = self.peers is other.peers or self.peers.spans == other.peers.spans
        return ends and self.ports == other.ports and self.rest == other.rest


def single(key: Key) -> Band:
    """One row."""
    end, port, sport, flag, part = key
    return Band(Peers((end,)), (port,), (sport, flag, part))


def banded(keys: Iterable[Key]) -> list[Band]:
    """Rows as bands, in order."""
    out = []
    for rest, some in groupby(keys, _REST):
        ends, ports, *_ = zip(*some, strict=True)
        out.append(Band(Peers(ends), ports, rest))
    return out


def joined(bands: Sequence[Band]) -> Band | None:
    """Some bands as one; None where they are not alike in the rest, and where there is none."""
    if len(bands) < 2:
        return bands[0] if bands else None
    rest, whole = bands[0].rest, bands[0].whole
    if whole and _parts_of(whole, bands):
        return whole
    if any(band.rest != rest for band in bands):
        return None
    ends = chain.from_iterable([band.peers.spans for band in bands])
    return Band(Peers(tuple(ends)), tuple(chain.from_iterable([band.ports for band in bands])), rest)


def _parts_of(whole: Band, bands: Sequence[Band]) -> bool:
    """Whether some bands are all parts of one, in order."""
    at = 0
    for band in bands:
        if band.whole is not whole or band.start != at:
            return False
        at += len(band.ports)
    return at == len(whole.ports)


def keys(bands: Iterable[Band]) -> list[Key]:
    """The rows of some bands one by one."""
    return [*chain.from_iterable([band.rows() for band in bands])]
