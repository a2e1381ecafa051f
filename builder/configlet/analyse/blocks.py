"""Rules as blocks: products of sets of intervals, so that 100 sources times 10 services times 100 destinations are one.

A block has four sets: service (protocol * 65536 + destination port, or ICMP type and code), destination, source and
source port. Rules speak of whole packets of both flag classes, so nothing else tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from configlet.model.inventory import Term
from configlet.model.net import TOP, Family, Span, Spans, merge
from configlet.model.policy import ANY_BIT, Box, Packet
from configlet.packets.boxes import ICMP, TCP, UDP, packet_of
from configlet.packets.sets import common, touch

SERVICE, DST, SRC, SPORT = range(4)
Block = tuple[Spans, Spans, Spans, Spans]

EVERY_SERVICE: Spans = ((0, (1 << 24) - 1),)
_PORTS = 1 << 16


def services_of(terms: tuple[Term, ...], family: Family) -> tuple[tuple[Spans, Spans], ...]:
    """Terms as services by source ports: (services, source ports), most often a single pair."""
    services: dict[Span, list[Span]] = {}
    for term in terms:
        if term.family in (None, family):
            base = 0 if term.proto is None else term.proto * _PORTS
            span = EVERY_SERVICE[0] if term.proto is None else (base + term.dport[0], base + term.dport[1])
            services.setdefault(term.sport, []).append(span)
    return tuple(((tuple(s) if len(s) == 1 else merge(s)), (sport,)) for sport, s in services.items())


def meet(a: Block, b: Block) -> Block | None:
    """The packets in both blocks; None when there are none."""
    found = tuple(common(x, y) for x, y in zip(a, b, strict=True))
    return (found[0], found[1], found[2], found[3]) if all(found) else None


def touching(a: Block, b: Block) -> bool:
    """Whether two blocks share a packet."""
    return touch(a[1], b[1]) and touch(a[2], b[2]) and touch(a[0], b[0]) and touch(a[3], b[3])


def reaching(block: Block, others: Iterable[Block]) -> list[Block]:
    """Those of some blocks that share a packet with a block: by their first and last values, then exactly."""
    service, dst, src, sport = block
    low_dst, high_dst, low_src, high_src = dst[0][0], dst[-1][1], src[0][0], src[-1][1]
    low, high, low_sport, high_sport = service[0][0], service[-1][1], sport[0][0], sport[-1][1]
    near = [
        other
        for other in others
        if other[1][0][0] <= high_dst
        and other[1][-1][1] >= low_dst
        and other[2][0][0] <= high_src
        and other[2][-1][1] >= low_src
        and other[0][0][0] <= high
        and other[0][-1][1] >= low
        and other[3][0][0] <= high_sport
        and other[3][-1][1] >= low_sport
    ]
    plain = len(service) == len(dst) == len(src) == len(sport) == 1
    return [
        other
        for other in near
        if (plain and len(other[0]) == len(other[1]) == len(other[2]) == len(other[3]) == 1) or touching(block, other)
    ]


def replaced(block: Block, level: int, spans: Spans) -> Block:
    """The block with another set in one dimension."""
    new = (*block[:level], spans, *block[level + 1 :])
    return (new[0], new[1], new[2], new[3])


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
