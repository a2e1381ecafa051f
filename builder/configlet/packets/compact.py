"""Disjoint boxes said with fewer boxes: neighbours in one dimension become one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from configlet.model.net import Span, Spans, merge
from configlet.model.policy import DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC, Box
from configlet.packets.boxes import change

_TURNS = (DPORT, SPORT, FLAG, FRAG, SRC, DST, PROTO)


def compact(boxes: Iterable[Box], holes: Spans = ()) -> tuple[Box, ...]:
    """The same packets in at most as many boxes, sorted; the boxes given must be disjoint.

    ``holes`` are addresses that do not matter: boxes that only they part become one, which then has them too.
    """
    found = sorted(set(boxes))
    while True:
        before = len(found)
        for dimension in _TURNS:
            found = _joined(found, dimension, holes if dimension in (SRC, DST) else ())
        if len(found) == before:
            return tuple(sorted(found))


def _joined(boxes: list[Box], dimension: int, holes: Spans) -> list[Box]:
    if len({box[dimension] for box in boxes}) < 2:
        return boxes
    alike: dict[tuple[object, ...], list[Box]] = {}
    for box in boxes:
        alike.setdefault((*box[:dimension], *box[dimension + 1 :]), []).append(box)
    return [
        change(group[0], dimension, span)
        for group in alike.values()
        for span in _filled([box[dimension] for box in group], holes)
    ]


def _filled(spans: Sequence[Span], holes: Spans) -> Iterable[Span]:
    """The spans, joined where nothing but holes is between two of them."""
    if len(spans) < 2:
        return spans
    out: list[Span] = []
    within = merge((*spans, *holes)) if holes else ()
    at = 0
    for low, high in merge(spans):
        while at < len(within) and within[at][1] < low:
            at += 1
        if out and at < len(within) and within[at][0] <= out[-1][0]:
            out[-1] = out[-1][0], high
        else:
            out.append((low, high))
    return out
