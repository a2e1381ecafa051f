"""The rules that have nothing to do with any other, found for all of them at once.

Most rules of a large policy are alone: their services differ from those of the others, or the ends of those that have a
service in common. No question has to be asked of such a rule. It decides all of its packets, and nothing beside it would.
So it is not even laid out as blocks: rules are told apart as the columns of a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, compress, count, repeat
from operator import add, and_, attrgetter, gt, is_, itemgetter, not_, sub
from typing import NamedTuple

from configlet.analyse.blocks import DST, EVERY_SERVICE, SERVICE, SRC, services_of
from configlet.analyse.crowd import Crowd, places
from configlet.analyse.spaces import Filling, Layout, Space
from configlet.analyse.verdicts import Where
from configlet.model.net import Family, Span, Spans
from configlet.model.policy import Policy, Rule
from configlet.packets.apart import BROAD, hanging

_TERMS, _PROTO, _DPORT, _FAMILY = map(attrgetter, ("terms", "proto", "dport", "family"))
_FIRST, _LAST = itemgetter(0), itemgetter(1)
_Both = tuple[Sequence[int], Sequence[int]]


class Rows(NamedTuple):
    """Rules or blocks of one space as columns: the first and last of their services, and their ends by numbers; ``to`` and
    ``start`` are what the numbers of destinations and sources mean."""

    lows: Sequence[int]
    highs: Sequence[int]
    destinations: Sequence[int]
    sources: Sequence[int]
    to: Mapping[int, Spans]
    start: Mapping[int, Spans]


class Lone(Mapping[int, Where]):
    """Rules that are alone, each with its first block, which is laid out when somebody asks for it."""

    def __init__(self, numbers: set[int], layout: Layout, services: Services) -> None:
        self._numbers, self._layout, self._services = numbers, layout, services

    def wider(self, ports: int) -> Iterable[int]:
        """The rules that perhaps open more ports than so many; those that have several services perhaps do."""
        ahead, of = self._layout.ahead, self._services
        lows, highs = of.columns(None)
        some = compress(count(ahead), map(ports.__le__, map(sub, highs, lows)))
        return chain(range(ahead), some, map(ahead.__add__, of.several))

    def __getitem__(self, number: int) -> Where:
        if number not in self._numbers:
            raise KeyError(number)
        order = {id(space): at for at, space in enumerate(self._layout.spaces)}
        found = [(space, block) for space, shield, block in self._layout.blocks(number) if shield is None]
        return min(found, key=lambda where: order[id(where[0])])

    def __contains__(self, number: object) -> bool:
        return number in self._numbers

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


def parted(policy: Policy) -> tuple[Lone, tuple[Space, ...]]:
    """The rules of which no block shares a packet with a block of any other; the others laid out."""
    layout = Layout(policy)
    told = set(range(layout.ahead, len(policy.rules)))
    services = Services(policy.rules[layout.ahead :])
    named = _named(policy, layout, services)
    layout.add(sorted(named))
    return Lone(told - named, layout, services), layout.spaces


def _named(policy: Policy, layout: Layout, services: Services) -> set[int]:
    """Of the rules that are not laid out yet those that could share a packet with another, or may have none."""
    first, (sources, destinations, ends) = layout.ahead, policy.numbered()
    kinds: dict[tuple[tuple[str, Family], ...], int] = {}
    kind = {number: kinds.setdefault(tuple([(r, f) for r, f, _ in end.parts]), len(kinds)) for number, end in ends.items()}
    names, many = list(kinds), len(kinds)
    to, start = [*map(kind.__getitem__, destinations[first:])], [*map(kind.__getitem__, sources[first:])]
    both = [*map(add, map(many.__mul__, to), start)]
    spoken = {pair: [key for key in names[pair // many] if key in names[pair % many]] for pair in dict.fromkeys(both)}
    fillings = [layout.opened(*key) for keys in spoken.values() for key in keys]
    silent = {pair for pair, keys in spoken.items() if not keys}
    out = {*compress(count(first), map(silent.__contains__, both))} if silent else set[int]()
    out |= {first + at for at in services.several if not services.said(at, {family for _, family in spoken[both[at]]})}
    for each in dict.fromkeys(fillings):
        where = each.space.realm, each.space.family
        there = {pair for pair, keys in spoken.items() if where in keys}
        numbers: Sequence[int] = range(len(both))
        if len(there) < len(spoken):
            numbers = [*compress(numbers, map(there.__contains__, both))]
        unsaid = {at for at in services.several if not services.said(at, {each.space.family})}
        if unsaid:
            numbers = [at for at in numbers if at not in unsaid]
        out.update(first + numbers[at] for at in _of_space(each, numbers, services, policy, first) if at < len(numbers))
    return out


def _of_space(each: Filling, numbers: Sequence[int], services: Services, policy: Policy, first: int) -> Iterator[int]:
    """Of some rules that speak in a space, by their places among these, those that could share a packet with another rule
    there, and those of which nothing is left of an end."""
    space, (sources, destinations, ends) = each.space, policy.numbered()
    lows, highs = services.columns(space.family)
    begins, finals = _those(lows, numbers), _those(highs, numbers)
    sides, known = list[list[int]](), list[dict[int, Spans]]()
    for level, column in ((DST, destinations), (SRC, sources)):
        side = _those(column[first:], numbers)
        found = {number: ends[number].of(space.realm, space.family) for number in set(side)}
        left = {number: each.without(level, spans) for number, spans in found.items()}
        gone = {number for number, spans in left.items() if not spans}
        if gone:
            yield from compress(count(), map(gone.__contains__, side))
        laid = [block[level] for block in space.blocks]
        sides.append([*side, *map(id, laid)])
        known.append({number: spans or found[number] for number, spans in left.items()} | {id(spans): spans for spans in laid})
    for block in space.blocks:
        begins.append(block[SERVICE][0][0])
        finals.append(block[SERVICE][-1][1])
    yield from doubtful(Rows(begins, finals, sides[0], sides[1], known[0], known[1]))


def _those(column: Sequence[int], numbers: Sequence[int]) -> list[int]:
    return [*column] if len(column) == len(numbers) else [*map(column.__getitem__, numbers)]


class Services:
    """The services of rules as columns: the first and the last of each."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._terms = [*map(_TERMS, rules)]
        firsts = [*map(_FIRST, self._terms)]
        ports, protos = [*map(_DPORT, firsts)], [*map(_PROTO, firsts)]
        bases = [*map({proto: (proto or 0) << 16 for proto in set(protos)}.__getitem__, protos)]
        lows, highs = [*map(add, bases, map(_FIRST, ports))], [*map(add, bases, map(_LAST, ports))]
        for number in compress(count(), map(is_, protos, repeat(None))) if None in protos else ():
            lows[number], highs[number] = EVERY_SERVICE[0]
        self._columns = lows, highs
        self.several = [*compress(count(), map(gt, map(len, self._terms), repeat(1)))]
        if any(map(_FAMILY, firsts)):
            self.several = sorted({*self.several, *compress(count(), map(_FAMILY, firsts))})
        """The rules of several terms, and those of which terms are of one family."""
        self._known: dict[tuple[int, Family], Span | None] = {}

    def columns(self, family: Family | None) -> _Both:
        """Those that rules have in a family; of a rule that has none there it may be anything. None: only one of several."""
        if not self.several or family is None:
            return self._columns
        lows, highs = map(list[int], self._columns)
        for number in self.several:
            lows[number], highs[number] = self._hull(number, family) or EVERY_SERVICE[0]
        return lows, highs

    def said(self, number: int, families: set[Family]) -> bool:
        """Whether a rule has any service in one of some families."""
        return any(self._hull(number, family) for family in families)

    def _hull(self, number: int, family: Family) -> Span | None:
        terms = self._terms[number]
        key = id(terms), family
        if key not in self._known:
            found = [_hull(services) for services, _ in services_of(terms, family)]
            self._known[key] = (min(found)[0], max(high for _, high in found)) if found else None
        return self._known[key]


def _hull(spans: Spans) -> Span:
    return spans[0] if len(spans) == 1 else (spans[0][0], spans[-1][1])


def doubtful(rows: Rows) -> set[int]:
    """The rows that could share a packet with another; those that are not named surely share none."""
    wide = [*map(BROAD.__le__, map(sub, rows.highs, rows.lows))]
    broad = [*compress(count(), wide)]
    narrow: Sequence[int] = [*compress(count(), map(not_, wide))] if broad else range(len(wide))
    out = set(_hanging(rows, narrow))
    if broad:
        out.update(_reaching(rows, broad, narrow))
    return out


def _hanging(rows: Rows, some: Sequence[int]) -> Sequence[int]:
    """Those of some rows of which services hang together with those of another, and both ends."""
    found, groups = hanging([*map(rows.lows.__getitem__, some)], [*map(rows.highs.__getitem__, some)])
    for column, spans in ((rows.destinations, rows.to), (rows.sources, rows.start)):
        some = [*map(some.__getitem__, found)]
        lows, highs = _ranks(spans)
        ends, bases = [*map(column.__getitem__, some)], [*map((2 * len(spans)).__mul__, groups)]
        begins, finals = (map(add, bases, map(ranks.__getitem__, ends)) for ranks in (lows, highs))
        found, groups = hanging([*begins], [*finals])
    return [*map(some.__getitem__, found)]


def _ranks(known: Mapping[int, Spans]) -> tuple[Mapping[int, int], Mapping[int, int]]:
    """The first and the last value of each set, as places among all of these values."""
    hulls = {number: _hull(spans) for number, spans in known.items()}
    rank = {value: at for at, value in enumerate(sorted({value for both in hulls.values() for value in both}))}
    return {n: rank[low] for n, (low, _) in hulls.items()}, {n: rank[high] for n, (_, high) in hulls.items()}


def _reaching(rows: Rows, broad: Sequence[int], narrow: Sequence[int]) -> Iterator[int]:
    """The broad rows that share both ends with another row, and the narrow ones that do with these. Many have the same ends."""
    to, start = _touching(rows.to, rows.destinations, broad), _touching(rows.start, rows.sources, broad)
    ends = map(rows.destinations.__getitem__, narrow), map(rows.sources.__getitem__, narrow)
    hit = [*compress(narrow, map(and_, map(to, ends[0]), map(start, ends[1])))]
    yield from hit
    met = 0
    for dst, src in {(rows.destinations[at], rows.sources[at]) for at in hit}:
        met |= to(dst) & start(src)
    for at in broad:
        found = to(rows.destinations[at]) & start(rows.sources[at])
        if found & (found - 1):
            met |= found
    yield from [broad[bit] for bit in places(met)]


def _touching(known: Mapping[int, Spans], column: Sequence[int], some: Sequence[int]) -> Callable[[int], int]:
    """Which of some rows, as bits, the set of a number shares a value with; the first of them has the bit 0."""
    holders: dict[int, list[int]] = {}
    for bit, at in enumerate(some):
        holders.setdefault(column[at], []).append(bit)
    crowd = Crowd([known[number] for number in holders], [*holders.values()])
    if len(known) > crowd.room:
        return lambda number: crowd.touching(known[number])
    return {number: crowd.touching(spans) for number, spans in known.items()}.__getitem__
