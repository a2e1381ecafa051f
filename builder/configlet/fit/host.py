"""Rows of a host's filter table: disjoint boxes, so that one lookup decides and order does not matter."""

from __future__ import annotations

from collections.abc import Iterator

from configlet.fit.kernel import KERNEL
from configlet.model.gate import Law
from configlet.model.policy import Box, Entry
from configlet.packets.boxes import meet, minus


def host_rows(law: Law) -> tuple[Entry, ...]:
    """What the kernel needs as it stands, then every permit and every logged deny less what earlier rows decide."""
    (entries,) = law.lists
    plain = [e for e in entries if wide(e)]
    return (*plain, *_disjoint([e for e in entries if not wide(e)]))


def wide(entry: Entry) -> bool:
    """A row of the kernel's own needs that has no local address: written as a statement ahead of the tables."""
    return entry.rule in KERNEL


def _disjoint(entries: list[Entry]) -> Iterator[Entry]:
    taken: list[Box] = []
    for entry in entries:
        pieces: list[Box] = [entry.box]
        for other in taken:
            pieces = [part for box in pieces for part in (minus(box, other) if meet(box, other) else (box,))]
        taken += pieces
        if entry.permit or entry.log:
            yield from (entry.over(piece) for piece in pieces)
