"""Addresses as closed integer intervals ("spans"), sorted and disjoint."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import islice
from typing import Literal

from configlet.model.frozen import dataclass

Family = Literal[4, 6]
Span = tuple[int, int]
Spans = tuple[Span, ...]
IPNetwork = IPv4Network | IPv6Network
IPAddress = IPv4Address | IPv6Address

FAMILIES: tuple[Family, Family] = (4, 6)
BITS: dict[Family, int] = {4: 32, 6: 128}
TOP: dict[Family, int] = {4: 2**32 - 1, 6: 2**128 - 1}
PORTS: Span = (0, 65535)
_FAMILIES: dict[type, Family] = {IPv4Address: 4, IPv4Network: 4, IPv6Address: 6, IPv6Network: 6}
KEPT: dict[Span, Span] = {}
"""One object for each span that policies with many lists say. What is read of a text has the same, so that where a law and its
text are compared, and where a table is asked for a span, nobody looks into it."""
_MOST = 1 << 17


def keep(spans: Iterable[Span]) -> None:
    """Keep these objects; those that were kept before go where they are too many together."""
    found = {span: span for span in islice(spans, _MOST)}
    if len(KEPT) + len(found) > _MOST:
        KEPT.clear()
    KEPT.update(found)


def span_of(network: IPNetwork) -> Span:
    """The first and last address of a prefix as integers."""
    low = int(network.network_address)
    return low, low | (1 << network.max_prefixlen - network.prefixlen) - 1


def family_of(value: IPNetwork | IPAddress) -> Family:
    """4 or 6."""
    return _FAMILIES.get(type(value)) or (4 if value.version == 4 else 6)


def address_text(family: Family, value: int) -> str:
    """An address as people write it."""
    if family == 4:
        return _block_text(value >> 8) + _LAST[value & 255]
    return str(IPv6Address(value))


@lru_cache(maxsize=4096)
def _block_text(block: int) -> str:
    """The first three octets of an address, which many addresses of one site share."""
    return f"{block >> 16}.{block >> 8 & 255}.{block & 255}."


_LAST = tuple(map(str, range(256)))


def merge(spans: Iterable[Span]) -> Spans:
    """Sorted, disjoint, touching spans joined."""
    out: list[Span] = []
    found = sorted(spans)
    if len(found) == 1:
        return tuple(found)
    first, last = 0, -2
    for lo, hi in found:
        if lo > last + 1:
            if last >= 0:
                out.append((first, last))
            first, last = lo, hi
        elif hi > last:
            last = hi
    if last >= 0:
        out.append((first, last))
    return tuple(out)


def covers(spans: Spans, value: int) -> bool:
    """Whether an address is in sorted, disjoint spans."""
    at = bisect_right(spans, (value, TOP[6])) - 1
    return at >= 0 and value <= spans[at][1]


def overlap(a: Spans, b: Spans) -> bool:
    """Whether two sets of sorted, disjoint spans share an address."""
    few, many = (a, b) if len(a) <= len(b) else (b, a)
    for lo, hi in few:
        at = bisect_right(many, (hi, TOP[6])) - 1
        if at >= 0 and many[at][1] >= lo:
            return True
    return False


def intersect(a: Iterable[Span], b: Spans) -> Spans:
    """The addresses that are in both. Linear after sorting."""
    left, right, out, i, j = merge(a), merge(b), [], 0, 0
    while i < len(left) and j < len(right):
        (lo, hi), (x, y) = left[i], right[j]
        if lo <= y and x <= hi:
            out.append((lo if lo > x else x, hi if hi < y else y))
        if hi < y:
            i += 1
        else:
            j += 1
    return tuple(out)


def subtract(a: Iterable[Span], b: Iterable[Span]) -> Spans:
    """The addresses of ``a`` that are not in ``b``. Linear after sorting."""
    holes, out, at = merge(b), [], 0
    for lo, hi in merge(a):
        while at < len(holes) and holes[at][1] < lo:
            at += 1
        left, hole = lo, at
        while hole < len(holes) and holes[hole][0] <= hi:
            if holes[hole][0] > left:
                out.append((left, holes[hole][0] - 1))
            left = holes[hole][1] + 1
            hole += 1
        if left <= hi:
            out.append((left, hi))
    return tuple(out)


def prefixes(family: Family, span: Span) -> tuple[tuple[int, int], ...]:
    """A span as the fewest prefixes: (first address, prefix length)."""
    bits, (lo, hi) = BITS[family], span
    out: list[tuple[int, int]] = []
    while lo <= hi:
        size = min((lo & -lo).bit_length() - 1 if lo else bits, (hi - lo + 1).bit_length() - 1)
        out.append((lo, bits - size))
        lo += 1 << size
    return tuple(out)


@dataclass(frozen=True, slots=True)
class Addresses:
    """A set of addresses in realms: (realm, family) to spans. Absent means none."""

    parts: tuple[tuple[str, Family, Spans], ...] = ()

    def of(self, realm: str, family: Family) -> Spans:
        """The spans in one realm and family; empty when there are none."""
        for r, f, spans in self.parts:
            if f == family and r == realm:
                return spans
        return ()

    @property
    def realms(self) -> frozenset[str]:
        """The realms in which this set has addresses."""
        return frozenset(realm for realm, _, _ in self.parts)


def addresses(items: Iterable[tuple[str, Family, Span]]) -> Addresses:
    """Gather loose spans into one set."""
    found: dict[tuple[str, Family], list[Span]] = {}
    for realm, family, span in items:
        found.setdefault((realm, family), []).append(span)
    return Addresses(tuple((r, f, merge(spans)) for (r, f), spans in sorted(found.items())))
