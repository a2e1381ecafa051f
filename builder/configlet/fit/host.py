"""Rows of a host's filter table: disjoint boxes, so that one lookup decides and order does not matter."""

from __future__ import annotations

from collections.abc import Iterator

from configlet.fit.classes import classes_of
from configlet.fit.kernel import KERNEL
from configlet.model.gate import Law
from configlet.model.net import Family
from configlet.model.policy import ANY_PROTO, PROTO, Box, Entry
from configlet.packets.boxes import change, meet, minus


def host_rows(law: Law) -> tuple[Entry, ...]:
    """What the kernel needs as it stands, then every permit and every logged deny less what earlier rows decide."""
    (entries,) = law.lists
    plain = [e for e in entries if wide(e)]
    return (*plain, *_disjoint(law.family, [e for e in entries if not wide(e)]))


def wide(entry: Entry) -> bool:
    """A row of the kernel's own needs that has no local address: written as a statement ahead of the tables."""
    return entry.rule in KERNEL


def _by_protocol(box: Box, named: tuple[int, ...]) -> Iterator[Box]:
    """A box of some protocols in parts: each protocol that somebody names alone, the others between them together."""
    low, high = box[PROTO]
    if (low, high) == ANY_PROTO or low == high:
        yield box
        return
    for number in (n for n in named if low <= n <= high):
        if low < number:
            yield change(box, PROTO, (low, number - 1))
        yield change(box, PROTO, (number, number))
        low = number + 1
    if low <= high:
        yield change(box, PROTO, (low, high))


def _disjoint(family: Family, entries: list[Entry]) -> Iterator[Entry]:
    named = classes_of(family, entries).named
    taken: list[Box] = []
    for entry in entries:
        pieces: list[Box] = [entry.box]
        for other in taken:
            pieces = [part for box in pieces for part in (minus(box, other) if meet(box, other) else (box,))]
        taken += pieces
        if entry.permit or entry.log:
            yield from (entry.over(part) for piece in pieces for part in _by_protocol(piece, named))
