"""Disjoint boxes said with fewer boxes: neighbours in one dimension become one."""

from __future__ import annotations

from collections.abc import Iterable

from configlet.model.net import merge
from configlet.model.policy import DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC, Box
from configlet.packets.boxes import change

_TURNS = (DPORT, SPORT, FLAG, FRAG, SRC, DST, PROTO)


def compact(boxes: Iterable[Box]) -> tuple[Box, ...]:
    """The same packets in at most as many boxes, sorted; the boxes given must be disjoint."""
    found = sorted(set(boxes))
    while True:
        before = len(found)
        for dimension in _TURNS:
            found = _joined(found, dimension)
        if len(found) == before:
            return tuple(sorted(found))


def _joined(boxes: list[Box], dimension: int) -> list[Box]:
    alike: dict[tuple[object, ...], list[Box]] = {}
    for box in boxes:
        alike.setdefault((*box[:dimension], *box[dimension + 1 :]), []).append(box)
    return [
        change(group[0], dimension, span) for group in alike.values() for span in merge(box[dimension] for box in group)
    ]
