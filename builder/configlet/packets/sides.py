"""Two first-match lists of packets of which one end is told, compared protocol by protocol.

With default deny a list passes the union of its permits, each less the denies ahead of it. So two lists pass the same where
they have the same permits, and no deny that stands ahead of one of these in one list alone meets it. Of permits that are
the same the first has the fewest denies ahead, and adds what the others add.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import compress, count
from operator import ne
from typing import NamedTuple

from configlet.model.net import Span

Key = tuple[Span, ...]
"""What a row says besides its protocol and the end that is told."""
Keys = Sequence[Key]


class Side:
    """The rows of a list by protocol, in order; of each permit how many groups of ``denies`` stand ahead."""

    __slots__ = ("denies", "permits")

    def __init__(self) -> None:
        self.permits: dict[Span, tuple[list[Key], list[int]]] = {}
        self.denies: list[tuple[Span, Keys]] = []

    def add(self, proto: Span, permit: bool, keys: Keys) -> None:
        """The next rows."""
        if not permit:
            self.denies.append((proto, keys))
            return
        known, ahead = self.permits.setdefault(proto, ([], []))
        known += keys
        ahead += [len(self.denies)] * len(keys)

    def rows(self) -> Iterator[tuple[bool, Span, Key]]:
        """All rows with their protocols; permits between the same denies in any order."""
        by: dict[int, list[tuple[Span, Key]]] = {}
        for proto, (keys, ahead) in self.permits.items():
            for key, number in zip(keys, ahead, strict=True):
                by.setdefault(number, []).append((proto, key))
        for number in range(len(self.denies) + 1):
            yield from ((True, *one) for one in by.get(number, ()))
            for proto, closed in self.denies[number : number + 1]:
                yield from ((False, proto, key) for key in closed)

    def of(self, proto: Span) -> Part | None:
        """The rows of one protocol, or of some that no deny tells apart; None where one does."""
        low, high = proto
        denies: list[Key] = []
        lengths = [0]
        for (first, last), closed in self.denies:
            if first <= low and high <= last:
                denies += closed
            elif first <= high and low <= last:
                return None
            lengths.append(len(denies))
        keys, ahead = self.permits.get(proto, ([], []))
        return Part(keys, [*map(lengths.__getitem__, ahead)], denies)


class Part(NamedTuple):
    """The permits of a protocol in order, how many denies stand ahead of each, and all denies."""

    permits: Keys
    ahead: Sequence[int]
    denies: Keys

    def needed(self) -> list[tuple[bool, Key]]:
        """The rows in order, without the denies that meet none of the permits, or have none behind them."""
        out: list[tuple[bool, Key]] = []
        kept, done = set(met(self.permits, self.denies[: max(self.ahead, default=0)])), 0
        for key, ahead in zip(self.permits, self.ahead, strict=True):
            out += ((False, deny) for deny in self.denies[done:ahead] if deny in kept)
            out.append((True, key))
            done = ahead
        return out


def alike(one: Part, two: Part) -> bool:
    """Whether two lists have the same permits, and none of these meets a deny that is ahead of it in one list alone."""
    if one.permits == two.permits:
        keys, ours, theirs = one.permits, one.ahead, two.ahead
    else:
        mine, other = _first(one), _first(two)
        if mine.keys() != other.keys():
            return False
        keys, ours, theirs = [*mine], [*mine.values()], [*map(other.__getitem__, mine)]
    places = [*zip(ours, theirs, strict=True)]
    odd = _odd(one.denies, two.denies, set(places))
    doubted = met(keys, set[Key]().union(*odd.values()))
    return not doubted or not any(
        met([key], [deny for deny in doubted if deny in odd[place]]) for key, place in zip(keys, places, strict=True)
    )


def _first(part: Part) -> dict[Key, int]:
    """Each permit where it stands first."""
    return dict(zip(reversed(part.permits), reversed(part.ahead), strict=True))


def _odd(one: Keys, two: Keys, places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Collection[Key]]:
    """For so many denies of either list those that are in one alone."""
    same = next(compress(count(), map(ne, one, two)), min(len(one), len(two)))
    return {(n, m): {*one[min(n, m, same) : n]} ^ {*two[min(n, m, same) : m]} for n, m in places}


def met(keys: Keys, others: Iterable[Key]) -> Keys:
    """Those of some others that share a packet with one of some keys."""
    found = [*others]
    for level, column in enumerate(zip(*keys, strict=True)):
        spans = {*column} if found else ()
        found = [one for one in found if any(low <= one[level][1] and one[level][0] <= high for low, high in spans)]
    return [one for one in found if any(_meet(one, key) for key in keys)]


def _meet(a: Key, b: Key) -> bool:
    for (low, high), (first, last) in zip(a, b, strict=True):  # noqa: SIM110 - asked of many pairs
        if low > last or first > high:
            return False
    return True
