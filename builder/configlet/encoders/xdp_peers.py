"""From the filters of one local address to what is found for each peer: a trie (IPv4), or prefixes (IPv6)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from configlet.encoders.xdp_rows import Open, Rows
from configlet.encoders.xdp_store import Store
from configlet.model.net import TOP, Family, Span, prefixes

Peers = Sequence[tuple[int, Span, int]]
"""(number of the filter, peer addresses, number of its spec), in order of priority."""


@dataclass(frozen=True, slots=True)
class Found:
    """A prefix, as first and last address, and the reference for peers of which it is the longest prefix."""

    low: int
    high: int
    ref: int


def groups(family: Family, peers: Peers) -> list[tuple[Span, list[tuple[int, int]]]]:
    """The distinct prefixes, outer before inner, each with its filters in order of priority."""
    found: dict[Span, list[tuple[int, int]]] = {}
    for number, span, spec in peers:
        size = span[1] - span[0] + 1
        if not size & (size - 1) and not span[0] & (size - 1):
            found.setdefault(span, []).append((number, spec))
            continue
        for low, length in prefixes(family, span):
            high = low + (1 << ((32 if family == 4 else 128) - length)) - 1
            found.setdefault((low, high), []).append((number, spec))
    return sorted(found.items(), key=lambda item: (item[0][0], -item[0][1]))


def walk(rows: Rows, family: Family, peers: Peers) -> tuple[list[Found], list[tuple[int, int]]]:
    """What is found for each prefix, and the same as intervals: (first address, reference), from 0 on."""
    parts = groups(family, peers)
    stack = [rows.top(TOP[family])]
    found, events = list[Found](), [(0, stack[0].ref)]
    for (low, high), filters in parts:
        _leave(stack, events, low)
        inner: Open = rows.enter(stack[-1], high, filters)
        found.append(Found(low, high, inner.ref))
        events.append((low, inner.ref))
        stack.append(inner)
    _leave(stack, events, TOP[family] + 1)
    return found, _intervals(events, TOP[family])


def _leave(stack: list[Open], events: list[tuple[int, int]], low: int) -> None:
    while len(stack) > 1 and stack[-1].end < low:
        end = stack.pop().end
        events.append((end + 1, stack[-1].ref))


def _intervals(events: list[tuple[int, int]], top: int) -> list[tuple[int, int]]:
    last: dict[int, int] = {}
    for start, ref in events:
        last[start] = ref
    out: list[tuple[int, int]] = []
    for start in sorted(last):
        if start <= top and (not out or out[-1][1] != last[start]):
            out.append((start, last[start]))
    return out


@dataclass(frozen=True, slots=True)
class Root:
    """Where a trie begins, and how addresses are shifted into it."""

    chunk: int
    shift: int
    pre: int


LINE_BITS, WIDE_BITS = 16, 24
LINE, WIDE = 9, 8
WIDELY = 12_000
"""So many /16 in which something begins are all over the space."""


class Trie:
    """Writes the trie of one local IPv4 address."""

    def __init__(self, store: Store, intervals: Sequence[tuple[int, int]]) -> None:
        self.store = store
        self.starts = [start for start, _ in intervals]
        self.refs = tuple(ref for _, ref in intervals)

    def root(self) -> Root:
        """Eight bits at the root for small tables, twelve for larger ones.

        Sixteen where peers are all over the space: a root of 256 KB leaves no room in caches, and so must save chunks.
        """
        cut = len({start >> 16 for start in self.starts}) if len(self.refs) > WIDELY else 0
        bits = 16 if cut > WIDELY else 12 if len(self.refs) > 400 else 8
        refs = tuple(self._slots(0, 32, bits))
        chunks = tuple(refs[i : i + 256] for i in range(0, len(refs), 256))
        return Root(self.store.run(chunks), 16 if bits == 16 else 24, 4 if bits == 12 else 0)

    def _part(self, low: int, bits: int) -> int:
        first = bisect_right(self.starts, low) - 1
        after = bisect_left(self.starts, low + (1 << bits), first)
        if after - first == 1:
            return self.refs[first]
        mask = (1 << bits) - 1
        if bits <= LINE_BITS and after - first <= LINE:
            return self.store.address_line(self._cuts(first, after, mask), self.refs[first:after])
        if LINE_BITS < bits <= WIDE_BITS and after - first <= WIDE:
            return self.store.wide_line(self._cuts(first, after, mask), self.refs[first:after])
        step = min(8, bits)
        copies = 1 << (8 - step)
        return self.store.chunk(tuple(ref for ref in self._slots(low, bits, step) for _ in range(copies)))

    def _cuts(self, first: int, after: int, mask: int) -> tuple[int, ...]:
        wide = 0xFFFF if mask <= 0xFFFF else 0xFFFFFF
        return tuple(start & wide for start in self.starts[first + 1 : after])

    def _slots(self, low: int, bits: int, step: int) -> list[int]:
        """A space of so many bits in slots of ``step`` bits. Slots inside one interval are written in one go."""
        size, count, end = bits - step, 1 << step, low + (1 << bits)
        first = bisect_right(self.starts, low) - 1
        after = bisect_left(self.starts, end, first)
        refs: list[int] = [-1] * count
        for index in range(first, after):
            start = max(self.starts[index], low) - low
            stop = (self.starts[index + 1] if index + 1 < after else end) - low
            one, other = -(-start // (1 << size)), stop >> size
            if one < other:
                refs[one:other] = [self.refs[index]] * (other - one)
        return [ref if ref >= 0 else self._part(low + (index << size), size) for index, ref in enumerate(refs)]
