"""Verdict maps: one chain for each local address and direction, disjoint elements, ports before protocols."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from configlet.model.net import Family, Span, merge
from configlet.model.policy import DPORT, DST, PROTO, SPORT, SRC, Box, Entry
from configlet.packets.axis import Axis
from configlet.render.filter_chain import Chain
from configlet.render.filter_elements import Elements
from configlet.render.filter_parted import By, Parted
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
    rows = parted.rows
    for direction, mine, sides in (("in", DST, parted.towards), ("out", SRC, parted.origin)):
        known: dict[object, tuple[int, list[tuple[int, int]]]] = {}
        later = OUT if direction == "out" else 0
        pieces = _by_piece(parted.boxes, sides, mine)
        sizes = Counter(sum(map(len, by.values())) for _, by in pieces)
        for span, by in pieces:
            size = sum(map(len, by.values()))
            alike = size >= WORTH and sizes[size] > 1
            inside = [rows[number] for number in sorted(itertools.chain(*by.values()))] if alike else ()
            said: object = _said(inside, mine) if alike else span
            if said in known:
                at, stages = known[said]
                dispatch = (*found[at].dispatch, Element(span_text(family, span), "", f"jump {found[at].name}"))
                found[at] = replace(found[at], dispatch=dispatch)
                placed += ((stage, [inside[number]]) for number, stage in stages)
                continue
            chain = Chain(operands, family, direction, span, parted)
            made = chain.build(by, elements)
            of = [(stage + later, some) for stage, some in chain.placed]
            placed += of
            if made.maps:
                if alike:
                    at_stage = {id(entry): stage for stage, some in of for entry in some}
                    numbered = enumerate(map(at_stage.get, map(id, inside)))
                    known[said] = len(found), [(number, stage) for number, stage in numbered if stage is not None]
                found.append(made)
    return found, placed


def _said(inside: Sequence[Entry], mine: int) -> tuple[object, ...]:
    """What rows say besides their local address: first the ends of the other side, which differ soonest."""
    other = SRC if mine == DST else DST
    upper = tuple((e.box[PROTO], e.box[DPORT], e.box[SPORT], e.permit, e.log, e.rule.name) for e in inside)
    return tuple(e.box[other] for e in inside), upper


def _by_piece(boxes: Sequence[Box], sides: Mapping[Span, By], mine: int) -> list[tuple[Span, By]]:
    """The local spans cut where any row begins or ends, each with the rows that hold it."""
    spans = sorted(sides)
    if all(a[1] < b[0] for a, b in itertools.pairwise(spans)):
        return [(span, sides[span]) for span in spans]
    numbers = sorted(itertools.chain(*(of for by in sides.values() for of in by.values())))
    ends = [boxes[number][mine] for number in numbers]
    axis, found = Axis((end,) for end in ends), list[tuple[Span, By]]()
    for low, high in _pieces(ends):
        by: By = {}
        for at in sorted(set(axis.around(low))):
            if ends[at][0] <= low and high <= ends[at][1]:
                by.setdefault(boxes[numbers[at]][PROTO], []).append(numbers[at])
        found.append(((low, high), by))
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
