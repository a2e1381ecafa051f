"""Long lists, permit by permit: what only one side has is joined with its neighbours until both sides have the same.

A list that is cut otherwise, by port masks or halved prefixes, becomes its law again; the walk would cut every dimension at
every border of the pieces to find that out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from configlet.model.gate import Cell
from configlet.model.net import Family
from configlet.model.policy import Box
from configlet.packets.ahead import Added, Ahead, Classed, Rows, classed, denied
from configlet.packets.inside import Left
from configlet.packets.joins import Joins
from configlet.packets.rest import cut, not_held
from configlet.packets.trim import Row

LONG = 8192
"""Rows of one side from which on this is tried."""
DENIES, MANY, MOST, PROBES = 16_384, 4096, 1024, 8
"""Boxes of denies above which nothing is tried; boxes that only one side has after joining, above which none is looked
for in the other side, and above which, after that, a few of them on either side are all that is compared."""


def left_of_long(family: Family, laws: Sequence[Rows], text: Rows) -> Left | None:
    """Where law and text may differ; None where that may be anywhere."""
    said, known = denied(laws), denied((text,))
    if len(said | known) > DENIES:
        return None
    if said != known:
        laws, text = [_denies_joined(rows) for rows in laws], _denies_joined(text)
        said, known = denied(laws), denied((text,))
    ahead = Ahead(family, said | known)
    ours, theirs = ahead.added(laws, dead=True), ahead.added((text,), dead=True)
    one, two = _apart(ahead, ours - theirs, theirs - ours)
    if len(one) + len(two) > MANY:
        return _probes(one, two)
    our, their = not_held(ahead, one, theirs, two), not_held(ahead, two, ours, one)
    if len(our) + len(their) > MOST:
        return _probes(our, their)
    return Left([*cut(ahead, our, two), *cut(ahead, their, one)])


def _probes(one: Sequence[Classed], two: Sequence[Classed]) -> Left:
    return Left([box for box, _ in (*one[:PROBES], *two[:PROBES])], every=False)


def _denies_joined(rows: Rows) -> Rows:
    """The list with the denies of each run, in which their order does not matter, joined."""
    found: list[Classed] = []
    run, last = 0, True
    for row in rows:
        run += last is not row.permit
        last = row.permit
        if not last:
            found.append((cast(Box, row.box), run))
    joins = Joins(len(found))
    numbers = joins.enter(found)
    joins.joined(numbers)
    by: dict[int, list[Row]] = {}
    for box, of in joins.boxes(numbers):
        by.setdefault(of, []).append(Cell(permit=False, box=box))
    out: list[Row] = []
    run, last = 0, True
    for row in rows:
        run += last is not row.permit
        last = row.permit
        if last:
            out.append(row)
        else:
            out += by.pop(run, ())
    return out


def _apart(ahead: Ahead, ours: set[Added], theirs: set[Added]) -> list[list[Classed]]:
    """What is left of two sides when both are joined."""
    joins = Joins(len(ours) + len(theirs))
    one, two = (joins.enter(map(classed, found)) for found in (ours, theirs))
    joins.settle(one, two, ahead)
    return [[row for row in joins.boxes(found) if not ahead.held(*row)] for found in (one, two)]
