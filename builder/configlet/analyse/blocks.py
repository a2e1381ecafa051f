"""Rules as blocks: products of sets of intervals, so that 100 sources times 10 services times 100 destinations are one.

A block has four sets: service (protocol * 65536 + destination port, or ICMP type and code), destination, source and
source port. Rules speak of whole packets of both flag classes, so nothing else tells them apart.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from configlet.model.inventory import Term
from configlet.model.net import TOP, Family, Span, Spans, merge
from configlet.model.policy import ANY_BIT, ANY_PORT, Box, Packet
from configlet.packets.boxes import ICMP, TCP, UDP, packet_of
from configlet.packets.sets import common, touch, within

SERVICE, DST, SRC, SPORT = range(4)
Block = tuple[Spans, Spans, Spans, Spans]

EVERY_SERVICE: Spans = ((0, (1 << 24) - 1),)
EVERY_PORT: Spans = (ANY_PORT,)
_PORTS = 1 << 16


def services_of(terms: tuple[Term, ...], family: Family) -> tuple[tuple[Spans, Spans], ...]:
    """Terms as services by source ports: (services, source ports), most often a single pair."""
    if len(terms) == 1:
        term = terms[0]
        good = term.family is None or term.family == family
        return (((_service_of(term),), EVERY_PORT if term.sport == ANY_PORT else (term.sport,)),) if good else ()
    services: dict[Span, list[Span]] = {}
    for term in terms:
        if term.family in (None, family):
            services.setdefault(term.sport, []).append(_service_of(term))
    return tuple(
        (tuple(s) if len(s) == 1 else merge(s), EVERY_PORT if sport == ANY_PORT else (sport,))
        for sport, s in services.items()
    )


def _service_of(term: Term) -> Span:
    if term.proto is None:
        return EVERY_SERVICE[0]
    base, (low, high) = term.proto * _PORTS, term.dport
    return base + low, base + high


def meet(a: Block, b: Block) -> Block | None:
    """The packets in both blocks; None when there are none."""
    if not touching(a, b):
        return None
    return split(a[0], b[0])[1], split(a[1], b[1])[1], split(a[2], b[2])[1], split(a[3], b[3])[1]


def inside(a: Block, b: Block) -> bool:
    """Whether a block has every packet of another, which comes first."""
    return within(a[1], b[1]) and within(a[2], b[2]) and within(a[0], b[0]) and within(a[3], b[3])


def touching(a: Block, b: Block) -> bool:
    """Whether two blocks share a packet."""
    return touch(a[1], b[1]) and touch(a[2], b[2]) and touch(a[0], b[0]) and touch(a[3], b[3])


def split(mine: Spans, theirs: Spans) -> tuple[Spans, Spans]:
    """Of a set what another has not, and what it has; they share a value."""
    if mine is theirs:
        return (), mine
    if len(theirs) > 1:
        return _walked(mine, theirs)
    start, end = theirs[0]
    if len(mine) > 1:
        return _cut(mine, start, end)
    low, high = mine[0]
    if start <= low:
        return ((), mine) if high <= end else (((end + 1, high),), ((low, end),))
    if high <= end:
        return ((low, start - 1),), ((start, high),)
    return ((low, start - 1), (end + 1, high)), theirs


def _cut(mine: Spans, start: int, end: int) -> tuple[Spans, Spans]:
    """The same with one interval: of many spans most are as they were."""
    first, last = bisect_left(mine, (start,)), bisect_left(mine, (end + 1,))
    if first and mine[first - 1][1] >= start:
        first -= 1
    inner = list(mine[first:last])
    before, behind = mine[:first], mine[last:]
    low, high = inner[0][0], inner[-1][1]
    if low < start:
        before, inner[0] = (*before, (low, start - 1)), (start, inner[0][1])
    if high > end:
        behind, inner[-1] = ((end + 1, high), *behind), (inner[-1][0], end)
    return before + behind, tuple(inner)


def _walked(mine: Spans, theirs: Spans) -> tuple[Spans, Spans]:
    rest: list[Span] = []
    inner: list[Span] = []
    first, stop = max(bisect_left(theirs, mine[0]) - 1, 0), len(theirs)
    for low, high in mine:
        while first < stop and theirs[first][1] < low:
            first += 1
        at, value = first, low
        while at < stop:
            start, end = theirs[at]
            if start > high:
                break
            if value < start:
                rest.append((value, start - 1))
                value = start
            inner.append((value, end if end < high else high))
            value = end + 1
            at += 1
        if value <= high:
            rest.append((value, high))
    return tuple(rest), tuple(inner)


def replaced(block: Block, level: int, spans: Spans) -> Block:
    """The block with another set in one dimension."""
    new = (*block[:level], spans, *block[level + 1 :])
    return (new[0], new[1], new[2], new[3])


def end_of(spans: Spans, value: int) -> int:
    """The last value of the interval of a set that has a value; -1 when none has."""
    if len(spans) == 1:
        return spans[0][1] if spans[0][0] <= value <= spans[0][1] else -1
    at = bisect_left(spans, (value + 1,)) - 1
    return spans[at][1] if at >= 0 and spans[at][1] >= value else -1


def size(spans: Spans) -> int:
    """How many values a set has."""
    if len(spans) == 1:
        return spans[0][1] - spans[0][0] + 1
    return sum([high - low + 1 for low, high in spans])


def packet_in(block: Block, realm: str, family: Family) -> Packet:
    """A plausible packet of a block."""
    proto, dport = _service(block[SERVICE], family)
    dst, src = max(block[DST], key=_width), max(block[SRC], key=_width)
    box: Box = (proto, dst, src, dport, block[SPORT][0], ANY_BIT, (0, 0))
    return packet_of(family, realm, box)


def _width(span: Span) -> int:
    return span[1] - span[0]


def _service(services: Spans, family: Family) -> tuple[Span, Span]:
    """One protocol and destination ports of a set of services, rather TCP, UDP or ICMP than another."""
    for number in (TCP, UDP, ICMP[family]):
        found = common(services, ((number * _PORTS, number * _PORTS + _PORTS - 1),))
        if found:
            return (number, number), (found[0][0] % _PORTS, found[0][1] % _PORTS)
    low, high = services[0]
    number = low // _PORTS
    return (number, number), (low % _PORTS, high % _PORTS if high // _PORTS == number else _PORTS - 1)


def rows_of(block: Block, most: int) -> list[Box] | None:
    """A block as boxes for the walk; None when they were more than ``most``."""
    services = [part for span in block[SERVICE] for part in _protocols(span)]
    if len(services) * len(block[DST]) * len(block[SRC]) * len(block[SPORT]) > most:
        return None
    return [
        (proto, dst, src, dport, sport, ANY_BIT, (0, 0))
        for proto, dport in services
        for dst in block[DST]
        for src in block[SRC]
        for sport in block[SPORT]
    ]


def _protocols(span: Span) -> Iterator[tuple[Span, Span]]:
    """An interval of services as protocols times ports."""
    (first, low), (last, high) = divmod(span[0], _PORTS), divmod(span[1], _PORTS)
    if first == last:
        yield (first, first), (low, high)
        return
    if low:
        yield (first, first), (low, _PORTS - 1)
        first += 1
    if high < _PORTS - 1:
        yield (last, last), (0, high)
        last -= 1
    if first <= last:
        yield (first, last), (0, _PORTS - 1)


def whole(family: Family) -> Spans:
    """Every address of a family."""
    return ((0, TOP[family]),)
