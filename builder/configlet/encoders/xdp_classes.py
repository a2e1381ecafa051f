"""Service classes: points of the axes that no filter tells apart."""

from __future__ import annotations

import random
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from configlet.encoders import xdp_layout as at
from configlet.model.net import Family, Span
from configlet.model.policy import ANY_BIT, ANY_PORT
from configlet.model.problem import Refused, refuse

Spec = tuple[Family, Span, Span, Span, Span, Span]
"""Family, protocols, destination ports, source ports, flag class, fragment: a box without its addresses."""

_TCP, _UDP, _SCTP = 6, 17, 132
_ECHO: dict[Family, int] = {4: 1, 6: 58}


@dataclass(frozen=True, slots=True)
class Cover:
    """What one spec covers: its classes as runs, and its source ports if it has any."""

    runs: tuple[Span, ...]
    sport: Span | None


@dataclass(frozen=True, slots=True)
class Classes:
    """The service table (one class for each point), how many there are, and what each spec covers."""

    table: bytes
    count: int
    covers: tuple[Cover, ...]



def points(spec: Spec) -> Iterator[Span]:
    """The points of all axes that a spec covers. Raises Refused for what the data path does not look at."""
    family, (low, high), ports, sports, flag, fragment = spec
    if fragment[1]:
        if (ports, sports, flag) != (ANY_PORT, ANY_PORT, ANY_BIT):
            raise _cannot("a fragment that is not the first has no ports and no flags")
        yield at.FRAGMENT + low, at.FRAGMENT + high
    if not fragment[0]:
        yield from _whole(family, low, high, ports, sports, flag)


def _whole(family: Family, low: int, high: int, ports: Span, sports: Span, flag: Span) -> Iterator[Span]:
    if flag != ANY_BIT and (low, high) != (_TCP, _TCP):
        raise _cannot("only TCP has flags")
    special = {_TCP: at.TCP_NEW, _UDP: at.UDP, _SCTP: at.SCTP, _ECHO[family]: at.ECHOES[family]}
    for number in sorted(special):
        if not low <= number <= high:
            continue
        axis = special[number]
        if number == _ECHO[family] and sports != ANY_PORT:
            raise _cannot("ICMP has no source ports")
        if number != _TCP or not flag[0]:
            yield axis + ports[0], axis + ports[1]
        if number == _TCP and flag[1]:
            yield at.TCP_SEEN + ports[0], at.TCP_SEEN + ports[1]
    for first, last in _gaps(low, high, sorted(special)):
        if (ports, sports) != (ANY_PORT, ANY_PORT):
            raise _cannot(f"ports of protocol {first} are not looked at (TCP, UDP and SCTP are)")
        yield at.OTHER + first, at.OTHER + last


def _gaps(low: int, high: int, without: Sequence[int]) -> Iterator[Span]:
    for number in without:
        if low <= number <= high:
            if low < number:
                yield low, number - 1
            low = number + 1
    if low <= high:
        yield low, high


def classes_of(specs: Sequence[Spec]) -> Classes:
    """Points in the same specs are one class, numbered in the order of their first point. Raises Refused."""
    covered = [tuple(points(spec)) for spec in specs]
    cuts, numbers = _sweep(covered)
    count = max(numbers) + 1
    if count > 65536:
        raise refuse(
            "Services that no table can tell apart",
            f"The filters divide ports and types into {count:,} classes; a table has room for 65,536. Use fewer "
            "distinct port ranges.",
            nature="red",
        )
    table = array("H")
    for number, start, end in zip(numbers, cuts, [*cuts[1:], at.POINTS], strict=True):
        table.extend(array("H", [number]) * (end - start))
    runs = _Runs(cuts, numbers)
    covers = tuple(
        Cover(runs.of(spans), None if spec[3] == ANY_PORT else spec[3]) for spec, spans in zip(specs, covered, strict=True)
    )
    return Classes(table.tobytes(), count, covers)


def _sweep(covered: Iterable[Sequence[Span]]) -> tuple[list[int], list[int]]:
    """Where something begins or ends, and the class from there on.

    A set of specs is a sum of random numbers; that two sets share one is as likely as a broken memory, and would be
    found when the tables are read back.
    """
    dice = random.Random(1)  # noqa: S311 - any numbers will do, if they are the same each time
    changes: dict[int, int] = {0: 0}
    for spans in covered:
        weight = dice.getrandbits(127)
        for low, high in spans:
            changes[low] = changes.get(low, 0) ^ weight
            changes[high + 1] = changes.get(high + 1, 0) ^ weight
    changes.pop(at.POINTS, None)
    cuts, numbers, seen, now = [], [], dict[int, int](), 0
    for place in sorted(changes):
        now ^= changes[place]
        cuts.append(place)
        numbers.append(seen.setdefault(now, len(seen)))
    return cuts, numbers


class _Runs:
    """The classes of a spec as runs.

    A class that the spec covers has its first point in one of the spec's spans, and classes are numbered by their first
    points: so those that begin in a span are one run, and all others of the span began in another one.
    """

    def __init__(self, cuts: list[int], numbers: list[int]) -> None:
        self.cuts, most = cuts, -1
        self.before = [0]
        for number in numbers:
            most = max(most, number)
            self.before.append(most + 1)

    def of(self, spans: Iterable[Span]) -> tuple[Span, ...]:
        """The classes of the spans of one spec, each once, in order."""
        out: list[Span] = []
        for low, high in sorted(spans):
            first = self.before[bisect_left(self.cuts, low)]
            after = self.before[bisect_left(self.cuts, high + 1)]
            if out and out[-1][1] + 1 == first:
                first = out.pop()[0]
            if first < after:
                out.append((first, after - 1))
        return tuple(out)


def _cannot(why: str) -> Refused:
    return refuse("Row that no XDP table can hold", f"Such a row cannot be compiled: {why}. Nothing was encoded.")
