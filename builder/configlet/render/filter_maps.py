"""Verdict maps: one chain for each local address and direction, disjoint elements, ports before protocols."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from configlet.model.net import Family, Span, merge
from configlet.model.policy import DST, SRC
from configlet.packets.axis import Axis
from configlet.render.filter_chain import Chain
from configlet.render.filter_elements import Elements
from configlet.render.filter_parted import Part, Parted, grouped
from configlet.render.filter_words import Element, Local, Stage, span_text

OUT = 10
"""How much later all is looked up that is said of packets from a local address."""
WORTH = 8
"""Rows from which local addresses that say the same share a chain; shorter chains are easier to find one by one."""


def local_chains(
    operands: Mapping[str, Any], family: Family, parted: Parted, elements: Elements
) -> tuple[list[Local], list[Stage]]:
    """The chains of all local addresses, and the rows by the stage at which the text judges them.

    Addresses of which the rows say the same share a chain.
    """
    found: list[Local] = []
    placed: list[Stage] = []
    for direction, level, sides in (("in", DST, parted.towards), ("out", SRC, parted.origin)):
        known: dict[object, int] = {}
        pieces = _by_piece(sides, level)
        sizes = [sum(map(len, parts)) for _, parts in pieces]
        several = len(set(sizes)) < len(sizes)
        counts = Counter(sizes) if several else {}
        for (span, parts), size in zip(pieces, sizes, strict=True):
            said: object = _said(parts) if several and size >= WORTH and counts[size] > 1 else span
            chain = Chain(operands, family, direction, span, parts)
            placed += chain.stages(OUT if direction == "out" else 0)
            if said in known:
                at = known[said]
                dispatch = (*found[at].dispatch, Element(span_text(family, span), "", f"jump {found[at].name}"))
                found[at] = found[at]._replace(dispatch=dispatch)
                continue
            made = chain.build(elements)
            if made.maps:
                known[said] = len(found)
                found.append(made)
    return found, placed


def _said(parts: Sequence[Part]) -> tuple[object, ...]:
    """What rows say besides their local address: first the ends of the other side, which differ soonest."""
    rows = [row for _, row in sorted((row for part in parts for row in part.rows()), key=lambda one: one[0])]
    upper = tuple((row.proto, row.key[1], row.key[2], row.permit, row.rule.log, row.rule.name) for row in rows)
    return tuple(row.key[0] for row in rows), upper


def _by_piece(sides: Mapping[Span, Sequence[Part]], level: int) -> list[tuple[Span, Sequence[Part]]]:
    """The local spans cut where any row begins or ends, each with the rows that hold it."""
    spans = sorted(sides)
    if all(a[1] < b[0] for a, b in itertools.pairwise(spans)):
        return [(span, sides[span]) for span in spans]
    held = ((*row, own) for own, parts in sides.items() for part in parts for row in part.rows())
    rows = sorted(held, key=lambda one: one[0])
    ends = [own for _, _, own in rows]
    axis, found = Axis((end,) for end in ends), list[tuple[Span, Sequence[Part]]]()
    for low, high in _pieces(ends):
        inside = [at for at in sorted(set(axis.around(low))) if ends[at][0] <= low and high <= ends[at][1]]
        found.append(((low, high), [grouped(level, [rows[at][:2] for at in inside])]))
    return found


def _pieces(spans: Sequence[Span]) -> Iterator[Span]:
    """The spans cut where any of them begins or ends, so that each piece is wholly inside or outside of each."""
    cuts = sorted({low for low, _ in spans} | {high + 1 for _, high in spans})
    covered = merge(spans)
    at = 0
    for low, after in itertools.pairwise(cuts):
        while covered[at][1] < low:
            at += 1
        if covered[at][0] <= low:
            yield low, after - 1
