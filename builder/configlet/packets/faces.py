"""The rows of an address (``model/told.py``) as bands of a side, group by group: what hosts share is made once."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from operator import itemgetter

from configlet.model.net import Span
from configlet.model.told import Group, columns, denies, ends
from configlet.packets.bands import Band, Peers, banded
from configlet.packets.sides import Side

Bands = Sequence[tuple[bool, Band]]
_FIRST, _TURN = itemgetter(0), itemgetter(0, 1)


def bands_of(group: Group) -> Bands:
    """The rows of a group, those that do the same and stand together as one."""
    if not group:
        return ()
    others, ports, *rest = columns(group)
    if not group.once(denies) and all(column.count(column[0]) == len(group) for column in rest):
        return ((True, Band(Peers(others, group.once(ends)), ports, (rest[0][0], rest[1][0], rest[2][0]))),)
    turns = groupby(group.rows, lambda row: row.permit)
    return [(permit, band) for permit, rows in turns for band in banded([row.key for row in rows])]


def outside(group: Group, inner: Collection[Span]) -> Group:
    """Those of its rows whose other end is none of some."""
    if not inner:
        return group
    kept = [at for at, row in enumerate(group.rows) if row.key[0] not in inner]
    return Group(group.level, group.proto, [group.numbers[at] for at in kept], [group.rows[at] for at in kept])


def put(side: Side, groups: Iterable[Group]) -> None:
    """The rows of some groups, which stand as their numbers say."""
    found = [group for group in groups if group]
    shut = sorted((group.numbers[at], group.proto, group.rows[at].key) for group in found for at in group.once(denies))
    permits = [one for group in found for one in _permits(group)]
    done = [start for *_, start, _ in permits]

    def add(places: Sequence[int]) -> None:
        for at, (group, band, start, _) in enumerate(permits):
            if done[at] < places[at]:
                side.add(group.proto, True, band.part(done[at] - start, places[at] - start))
                done[at] = places[at]

    placed = [
        (tuple([bisect_left(group.numbers, number, start, end) for group, _, start, end in permits]), proto, key)
        for number, proto, key in shut
    ]
    for (places, proto), some in groupby(placed, _TURN):
        add(places)
        for band in banded([key for *_, key in some]):
            side.add(proto, False, band)
    add([end for *_, end in permits])


def _permits(group: Group) -> Iterable[tuple[Group, Band, int, int]]:
    """The permits of a group, each time with the places from where to where they stand."""
    at = 0
    for permit, band in group.once(bands_of):
        end = at + len(band)
        if permit:
            yield group, band, at, end
        at = end
