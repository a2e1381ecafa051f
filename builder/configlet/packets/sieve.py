"""Where two sides of first-match lists may differ, seen permit by permit, without a walk over all of them.

With default deny a list passes what one of its permits holds and no deny ahead of that permit does: the union of its
permits, each less the denies ahead. Permits with the same box and the same such denies add the same packets on both
sides. Outside of the boxes of all others both sides then pass the same, and a walk inside of those boxes tells the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from configlet.model.net import Family
from configlet.model.policy import Box
from configlet.packets.ahead import Ahead, Less, Rows, classed, denied
from configlet.packets.compact import compact
from configlet.packets.inside import Left
from configlet.packets.long import LONG, left_of_long

MOST, FEW, LEAST = 1024, 128, 16
"""Denies of both sides, permits that only one of them has, and boxes of these when they are joined, above which the walk
is asked instead."""
SHARE = 16
"""One in so many permits of a list may be what only one side has, beside those few."""


def left(family: Family, laws: Sequence[Rows], text: Rows) -> Left | None:
    """Where law and text may differ; None where that may be anywhere."""
    rows = sum(map(len, laws))
    if max(rows, len(text)) > LONG:
        return left_of_long(family, laws, text)
    if len(text) > rows + rows // SHARE + MOST:  # a text that is cut otherwise has too many permits of its own
        return None
    said, known = denied(laws), denied((text,))
    if len(said) + len(known) > MOST or len(known - said) > len(said) + LEAST:
        return None
    ahead = Ahead(family, said | known)
    ours, theirs = ahead.added(laws), ahead.added((text,))
    if ours == theirs:
        return Left([])
    shared = len(ours & theirs)
    if len(ours) + len(theirs) > 2 * shared + MOST + shared // SHARE:
        return None
    one, two = ({ahead.less(*classed(added)) for added in found} for found in (ours - theirs, theirs - ours))
    both = one & two
    if len(one) + len(two) > 2 * len(both) + FEW + len(text) // SHARE:
        return None
    boxes = [box for box, _ in _joined(one - both) ^ _joined(two - both)]
    return Left(boxes) if len(boxes) <= LEAST else None


def _joined(found: Iterable[Less]) -> set[Less]:
    """The same packets, those that the same denies meet in fewer boxes."""
    by: dict[frozenset[Box], list[Box]] = {}
    for box, denies in found:
        by.setdefault(denies, []).append(box)
    return {(box, denies) for denies, boxes in by.items() for box in compact(boxes)}
