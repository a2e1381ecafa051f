"""What rows cost: the lines that are typed one by one, and the entries that hardware holds."""

from __future__ import annotations

from functools import lru_cache
from math import prod

from configlet.model.block import Sets
from configlet.model.net import Family, Span, Spans, prefixes
from configlet.model.policy import DPORT, DST, SPORT, SRC


@lru_cache(maxsize=65536)
def lengths(family: Family, span: Span) -> int:
    """How many prefixes a span is."""
    size = span[1] - span[0]
    return 1 if not size & (size + 1) and not span[0] & size else len(prefixes(family, span))


def many(family: Family, spans: Spans) -> int:
    """How many prefixes a set of addresses is."""
    return lengths(family, spans[0]) if len(spans) == 1 else sum(lengths(family, span) for span in spans)


def typed(family: Family, sets: Sets) -> int:
    """How many lines with one prefix at each end a product is."""
    return prod((many(family, sets[SRC]), many(family, sets[DST]), len(sets[DPORT]), len(sets[SPORT])))
