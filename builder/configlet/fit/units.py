"""What rows cost: the lines that are typed, with groups or one by one, and the entries that hardware holds."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import NamedTuple

from configlet.model.block import Sets
from configlet.model.net import PORTS, Family, Span, Spans, prefixes
from configlet.model.policy import DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC

_PORTED = (6, 17)
ICMPS = frozenset(((1, 1), (58, 58)))
_FREE, _NEW = ((0, 1),), ((0, 0),)


def lengths(family: Family, span: Span) -> int:
    """How many prefixes a span is."""
    size = span[1] - span[0]
    return 1 if not size & (size + 1) and not span[0] & size else _cut(family, span)


@lru_cache(maxsize=65536)
def _cut(family: Family, span: Span) -> int:
    return len(prefixes(family, span))


def many(family: Family, spans: Spans) -> int:
    """How many prefixes a set of addresses is."""
    more = [span for span in spans if span[0] != span[1]]
    return len(spans) - len(more) + sum([lengths(family, span) for span in more])


def typed(family: Family, sets: Sets) -> int:
    """How many lines with one prefix at each end a product is. Of ICMP a line has one type, or one type and code."""
    return many(family, sets[SRC]) * many(family, sets[DST]) * _upper(sets)


def _upper(sets: Sets) -> int:
    if sets[PROTO][0] in ICMPS and sets[DPORT] != (PORTS,):
        return sum(types(span) for span in sets[DPORT])
    return prod((len(sets[DPORT]), len(sets[SPORT])))


def types(span: Span) -> int:
    """Lines for a span of ICMP types and codes: whole types where they are, else each code."""
    low, high = span
    first, last = -(-low // 256), (high + 1) // 256
    if first >= last:
        return high - low + 1
    return last - first + (first * 256 - low) + (high + 1 - last * 256)


class Grouped(NamedTuple):
    """A row as groups: its own lines, and the members of the groups that it names."""

    lines: int
    sources: Spans
    destinations: Spans
    services: Spans


def grouped(sets: Sets, named: bool = True) -> Grouped:
    """How a product is written with groups. An end that is one span has none; services have one where ports alone are
    asked for and the platform has such groups (``named``)."""
    services = sets[DPORT] if named and _serviced(sets) else ()
    lines = 1 if services else _upper(sets)
    source, destination = (spans if len(spans) > 1 else () for spans in (sets[SRC], sets[DST]))
    return Grouped(lines, source, destination, services)


def _serviced(sets: Sets) -> bool:
    low, high = sets[PROTO][0]
    plain = sets[SPORT] == (PORTS,) and sets[FLAG] == _FREE and sets[FRAG] == _NEW
    return plain and len(sets[DPORT]) > 1 and low == high and low in _PORTED


def by_groups(family: Family, sets: Sets, least: int, named: bool = True) -> bool:
    """Whether a product is written with groups: where that is shorter, and it would be ``least`` lines or more else."""
    single = typed(family, sets)
    return single >= least and lines_of(family, grouped(sets, named)) < single


def lines_of(family: Family, made: Grouped) -> int:
    """All lines of a row as groups, each group's own among them."""
    groups = [many(family, spans) for spans in (made.sources, made.destinations) if spans]
    return made.lines + sum(1 + members for members in groups) + (1 + len(made.services) if made.services else 0)
