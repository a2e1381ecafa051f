"""The three maps of a ServerLock NIC: one trie that gives each remote address a subnet id, a tree for ports a side.

Two things are not in the published header, and are assumptions here: how a tree's entry finds its children (taken: an
implicit binary heap), and how many address bits a level of the trie takes (taken: log2 of the entries of a node). That
IPv6 has a root of its own (taken: node 1) is a third.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from configlet.encoders.mcdi import LEAF
from configlet.model.net import BITS, FAMILIES, Family, Span

ROOT: dict[Family, int] = {4: 0, 6: 1}

Pieces = Sequence[tuple[Span, int]]
"""Disjoint spans in order, each with its id."""


@dataclass(slots=True)
class Nodes:
    """The nodes of the trie; equal ones are one. Children have greater numbers than the parents that name them."""

    entries: int
    other: int
    made: list[tuple[int, ...]] = field(default_factory=list)
    known: dict[tuple[int, ...], int] = field(default_factory=dict)

    def number(self, entries: tuple[int, ...]) -> int:
        """The number of a node that is not a root."""
        if entries not in self.known:
            self.known[entries] = len(self.made) + len(ROOT)
            self.made.append(entries)
        return self.known[entries]


def nodes(pieces: dict[Family, Pieces], entries: int, other: int) -> list[tuple[int, tuple[int, ...]]]:
    """Every node with its number, leaves before parents, the roots last. ``other`` is the id of all else."""
    store = Nodes(entries, other)
    roots = [(ROOT[f], _entries(store, pieces.get(f, ()), 0, BITS[f])) for f in FAMILIES]
    return [*((at + len(ROOT), made) for at, made in enumerate(store.made)), *roots]


def _entries(store: Nodes, pieces: Pieces, low: int, bits: int) -> tuple[int, ...]:
    """The entries of the node that covers ``bits`` bits from ``low`` on."""
    below = bits - (store.entries.bit_length() - 1)
    size = 1 << below
    out: list[int] = []
    at = 0
    for first in range(low, low + (size * store.entries), size):
        last = first + size - 1
        while at < len(pieces) and pieces[at][0][1] < first:
            at += 1
        out.append(_entry(store, pieces, at, (first, last), below))
    return tuple(out)


def _entry(store: Nodes, pieces: Pieces, at: int, span: Span, below: int) -> int:
    first, last = span
    if at == len(pieces) or pieces[at][0][0] > last:
        return store.other
    (low, high), mark = pieces[at]
    if low <= first and last <= high:
        return mark
    end = at
    while end < len(pieces) and pieces[end][0][0] <= last:
        end += 1
    return store.number(_entries(store, pieces[at:end], first, below)) * store.entries


def heap(intervals: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Intervals (last port, id) over all ports as a complete binary tree: key and leaf id of each entry.

    A port that is at most the key goes left, a greater one right.
    """
    inner = len(intervals) - 1
    out: list[tuple[int, int]] = [(0, 0)] * (2 * inner + 1)
    ordered: Iterator[tuple[int, int]] = iter(intervals)
    keys: list[int] = []

    def fill(index: int) -> None:
        if index >= inner:
            last, mark = next(ordered)
            keys.append(last)
            out[index] = (LEAF, mark)
            return
        fill(2 * index + 1)
        out[index] = (keys[-1], 0)
        fill(2 * index + 2)

    fill(0)
    return out
