"""Which rows of a list could share a packet with another row of it, found for the whole list at once.

Most rows of a list share no packet with any other: their ports differ, or the ends of those that have a port in common.
That is seen on sorted numbers, whatever row they are of. Who is named here may still share nothing with anybody; who is
not named surely does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress, count
from operator import lt, not_

from configlet.model.net import Span, merge, overlap

BROAD = 1024
"""Ports of a row from which it is compared by its end alone, as it would hang together with whatever is between."""

Rows = Sequence[Span] | Mapping[int, Span]


def linked(spans: Sequence[Span]) -> list[list[int]]:
    """The numbers of the spans in groups that hang together: of different groups no two share a value. Spans that stand
    alone are left out.

    Where as many spans have ended as began before a value, none reaches from one side of it to the other.
    """
    if len(spans) < 2:
        return []
    begins, finals = zip(*spans, strict=True)
    lows = sorted(begins)
    apart = list(map(lt, sorted(finals), lows[1:]))
    if False not in apart:
        return []
    group: dict[int, int] = {}
    for at in compress(count(), map(not_, apart)):
        group[lows[at + 1]] = group.setdefault(lows[at], at)
    found: dict[int, list[int]] = {}
    for number, low in enumerate(begins):
        if low in group:
            found.setdefault(group[low], []).append(number)
    return list(found.values())


def doubtful(by: Mapping[Span, Sequence[int]], ends: Rows, ports: Rows) -> set[int]:
    """The numbers of the rows that could share a packet with another one, by their protocol, other end and ports.

    ``by``: their numbers by protocol; ``ends`` and ``ports``: what a number has of each.
    """
    out = set[int]()
    broad: list[int] = []
    narrow: list[Sequence[int]] = []
    for (first, last), numbers in by.items():
        if first != last:
            broad += numbers
            continue
        some = [ports[n] for n in numbers]
        wide = [n for n, (low, high) in zip(numbers, some, strict=True) if high - low >= BROAD]
        few = sorted(set(numbers).difference(wide)) if wide else numbers
        broad += wide
        narrow.append(few)
        for together in linked([ports[n] for n in few] if wide else some):
            of = [few[at] for at in together]
            out.update(of[at] for group in linked([ends[n] for n in of]) for at in group)
    if broad:
        out |= _reaching(broad, narrow, ends)
    return out


def _reaching(broad: Sequence[int], narrow: Sequence[Sequence[int]], ends: Rows) -> set[int]:
    """Those of some rows, and of others beside them, that could share an end with one of the former."""
    mine = [ends[n] for n in broad]
    out = {broad[at] for group in linked(mine) for at in group}
    reached = merge(mine)
    others = {end for numbers in narrow for end in {ends[n] for n in numbers} if overlap((end,), reached)}
    if others:
        out.update(n for numbers in narrow for n in numbers if ends[n] in others)
        there = merge(others)
        out.update(n for n in broad if overlap((ends[n],), there))
    return out
