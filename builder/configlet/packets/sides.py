"""Two first-match lists of packets of which one end is told, compared protocol by protocol.

With default deny a list passes the union of its permits, each less the denies ahead of it. So a permit that both have adds
the same to both where no deny that stands ahead of it in one list alone meets it, and the lists pass the same where the
others do. Of permits that are the same the first has the fewest denies ahead, and adds what the others add.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate, chain, compress, count, repeat
from operator import itemgetter, ne
from typing import NamedTuple

from configlet.model.net import Span
from configlet.model.policy import ANY_PORT
from configlet.model.told import Key
from configlet.packets.bands import Band, Rest, banded, joined, keys, single

Row = tuple[bool, Key]
Placed = Sequence[tuple[Key, int]]
"""Permits, and how many denies stand ahead of each."""
Odd = tuple[Sequence[Span], tuple[Span, Rest] | None]
_BAND, _AHEAD = itemgetter(0), itemgetter(1)
FEW = 8
"""Permits of a protocol of which all ports are looked at."""


class Side:
    """The rows of a list by protocol, in order, those in a list one by one; of each permit how many groups of ``denies``
    stand ahead. ``like``: the same side of another list, which is whole; what shares nothing with a permit of that need not be
    denied here."""

    __slots__ = ("_like", "_passed", "_ports", "denies", "permits")

    def __init__(self, like: Side | None = None) -> None:
        self._like = like
        self._passed: dict[Span, Sequence[Span]] = {}
        self._ports: Sequence[tuple[Span, Collection[Span]]] | None = None
        self.permits: dict[Span, list[tuple[Band | list[Key], int]]] = {}
        self.denies: list[tuple[Span, Band]] = []

    def asks(self, proto: Span, port: Span) -> bool:
        """Whether denies of a protocol and some ports count."""
        return self._like is None or self._like.passing(proto, port)

    def passing(self, proto: Span, port: Span) -> bool:
        """Whether permits could share a packet with rows of a protocol and some ports."""
        passed = self._passed.get(proto)
        if passed is None:
            if self._ports is None:
                self._ports = [(of, _ports(some)) for of, some in self.permits.items()]
            low, high = proto
            passed = [span for of, ports in self._ports if of[0] <= high and low <= of[1] for span in ports]
            self._passed[proto] = passed
        for low, high in passed:  # noqa: SIM110 - asked of many rows
            if low <= port[1] and port[0] <= high:
                return True
        return False

    def add(self, proto: Span, permit: bool, band: Band) -> None:
        """The next rows."""
        if not permit:
            self.denies.append((proto, band))
        elif proto in self.permits:
            self.permits[proto].append((band, len(self.denies)))
        else:
            self.permits[proto] = [(band, len(self.denies))]

    def row(self, proto: Span, permit: bool, key: Key) -> None:
        """The next one."""
        if not permit:
            if self.asks(proto, key[1]):
                self.denies.append((proto, single(key)))
            return
        ahead = len(self.denies)
        known = self.permits.setdefault(proto, [])
        if known and known[-1][1] == ahead and isinstance(known[-1][0], list):
            known[-1][0].append(key)
        else:
            known.append(([key], ahead))

    def rows(self) -> Iterator[tuple[bool, Span, Key]]:
        """All rows with their protocols; permits between the same denies in any order."""
        by: dict[int, list[tuple[Span, Key]]] = {}
        for proto, some in self.permits.items():
            for rows, number in some:
                of = by.setdefault(number, [])
                of += zip(repeat(proto), rows if isinstance(rows, list) else rows.rows())
        for number in range(len(self.denies) + 1):
            yield from ((True, *one) for one in by.get(number, ()))
            for proto, band in self.denies[number : number + 1]:
                yield from ((False, proto, key) for key in band.rows())

    def of(self, proto: Span) -> Part | None:
        """The rows of one protocol, or of some that no row tells apart; None where one does."""
        low, high = proto
        denies: list[Band] = []
        lengths = [0]
        for (first, last), band in self.denies:
            if first <= low and high <= last:
                denies.append(band)
            elif first <= high and low <= last:
                return None
            lengths.append(len(denies))
        permits: list[tuple[Band, int]] = []
        found = [self.permits[proto]] if proto in self.permits else []
        for other, some in self.permits.items():
            if other[0] <= high and low <= other[1] and other != proto:
                if low < other[0] or other[1] < high:
                    return None
                found.append(some)
        for rows, ahead in found[0] if len(found) == 1 else sorted(chain.from_iterable(found), key=_AHEAD):
            if isinstance(rows, list):
                permits += zip(banded(rows), repeat(lengths[ahead]))
            else:
                permits.append((rows, lengths[ahead]))
        return Part(permits, denies)


def _ports(some: Sequence[tuple[Band | list[Key], int]]) -> Collection[Span]:
    """The ports of a few permits; any of more."""
    if sum(len(rows) for rows, _ in some) > FEW:
        return (ANY_PORT,)
    return {port for rows, _ in some for _, port, *_ in (rows if isinstance(rows, list) else rows.rows())}


class Part(NamedTuple):
    """The permits of a protocol in order, how many of the denies stand ahead of each, and all denies."""

    permits: Sequence[tuple[Band, int]]
    denies: Sequence[Band]

    @property
    def placed(self) -> Placed:
        """The permits one by one."""
        return [*chain.from_iterable(zip(band.rows(), repeat(ahead)) for band, ahead in self.permits)]

    def needed(self, permits: Placed) -> list[Row]:
        """Some of the permits in order, with the denies ahead that meet any of them."""
        out: list[Row] = []
        found = sorted(permits, key=_AHEAD)
        bands, done = banded([key for key, _ in found]), 0
        for key, ahead in found:
            for shut in self.denies[done:ahead]:
                out += [(False, deny) for deny in _meeting(shut.facing(bands), [one for one, _ in found])]
            out.append((True, key))
            done = ahead
        return out


def left(one: Part, two: Part, known: dict[object, Odd]) -> tuple[Placed, Placed] | None:
    """The permits of either list that are not seen to add the same to both; None where all are. ``known``: what was found of
    these lists' denies, as long as they are held."""
    ours, theirs = joined([*map(_BAND, one.permits)]), joined([*map(_BAND, two.permits)])
    if ours is None or theirs is None or not ours.same(theirs):
        return _left(one, two, known)
    out: list[tuple[Key, int, int]] = []
    for start, end, n, m in _stretches(one.permits, two.permits):
        if near := _near(ours, one.denies[:n], two.denies[:m], known):
            out += ((key, n, m) for key in _meeting(keys((ours.part(start, end),)), near))
    return _both(out) if out else None


def _near(permits: Band, one: Sequence[Band], two: Sequence[Band], known: dict[object, Odd]) -> Sequence[Key]:
    """The denies of one list alone that could share a packet with some permits, seen from their other ends and the rest."""
    ours, theirs = [*filter(permits.beside, one)], [*filter(permits.beside, two)]
    if not ours and not theirs:
        return ()
    key = tuple(map(id, (*ours, None, *theirs)))
    found = known.get(key)
    if found is None:
        found = known[key] = _odd(ours, theirs)
    ends, alike = found
    near = permits.peers.around(ends)
    if alike is None:
        return [deny for deny in {*keys(ours)} ^ {*keys(theirs)} if deny[0] in near] if near else ()
    port, rest = alike
    return [(end, port, *rest) for end in near]


def _odd(one: Sequence[Band], two: Sequence[Band]) -> Odd:
    """The ends of denies that are in one list alone, or have another row there; and what all say else, if they say the same."""
    first, second = joined(one), joined(two)
    said = {band.alike for band in (first, second) if band is not None}
    if len(said) != 1 or None in said or (first is None and one) or (second is None and two):
        return [*{key[0] for key in {*keys(one)} ^ {*keys(two)}}], None
    return _alone(first.peers.spans if first else (), second.peers.spans if second else ()), said.pop()


def _alone(one: Sequence[Span], two: Sequence[Span]) -> Sequence[Span]:
    """Those of some ends that are in one list alone."""
    same = next(compress(count(), map(ne, one, two)), min(len(one), len(two)))
    return [*({*one[same:]} ^ {*two[same:]})]


def _left(one: Part, two: Part, known: dict[object, Odd]) -> tuple[Placed, Placed] | None:
    """The same of lists that are not the same from first to last, with those permits of both that meet one of these."""
    mine, other = dict(reversed(one.placed)), dict(reversed(two.placed))
    shared: dict[tuple[int, int], list[Key]] = {}
    for key, ahead in mine.items():
        if key in other:
            shared.setdefault((ahead, other[key]), []).append(key)
    alone = [*(key for key in mine if key not in other), *(key for key in other if key not in mine)]
    apart = banded(alone)
    out: list[tuple[Key, int, int]] = []
    for (n, m), some in shared.items():
        for band in banded(some):
            near = [*_near(band, one.denies[:n], two.denies[:m], known), *(alone if any(map(band.meets, apart)) else ())]
            out += ((key, n, m) for key in _meeting(keys((band,)), near))
    ours, theirs = _both(out)
    ours += [(key, ahead) for key, ahead in mine.items() if key not in other]
    theirs += [(key, ahead) for key, ahead in other.items() if key not in mine]
    return (ours, theirs) if ours or theirs else None


def _both(found: Sequence[tuple[Key, int, int]]) -> tuple[list[tuple[Key, int]], list[tuple[Key, int]]]:
    return [(key, n) for key, n, _ in found], [(key, m) for key, _, m in found]


def _stretches(
    one: Sequence[tuple[Band, int]], two: Sequence[tuple[Band, int]]
) -> Iterator[tuple[int, int, int, int]]:
    """Of two lists of as many permits from where to where these have so many denies ahead in the one and in the other."""
    if len(one) == len(two) == 1:
        yield 0, len(one[0][0]), one[0][1], two[0][1]
        return
    ends = [[*accumulate(len(band) for band, _ in permits)] for permits in (one, two)]
    at = first = second = 0
    while at < ends[0][-1]:
        end = min(ends[0][first], ends[1][second])
        if at < end:
            yield at, end, one[first][1], two[second][1]
        at = end
        first += end == ends[0][first]
        second += end == ends[1][second]


def _meeting(permits: Sequence[Key], denies: Sequence[Key]) -> list[Key]:
    """Those of some permits that share a packet with one of some denies."""
    return [key for key in permits if any(_meet(key, deny) for deny in denies)] if denies else []


def _meet(a: Key, b: Key) -> bool:
    for (low, high), (first, last) in zip(a, b, strict=True):  # noqa: SIM110 - asked of many pairs
        if low > last or first > high:
            return False
    return True
