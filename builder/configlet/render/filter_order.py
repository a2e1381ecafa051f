"""Whether a text judges the rows of a host's table in their order, wherever two of them say otherwise of a packet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from itertools import compress, count
from operator import itemgetter

from configlet.model.block import sets_of
from configlet.model.net import Span, Spans, merge, overlap
from configlet.model.policy import DST, SRC, Box, Entry
from configlet.model.told import Group, columns, denies, passes
from configlet.model.told import places as told_places
from configlet.packets.apart import reaches
from configlet.packets.near import Near
from configlet.render.filter_maps import OUT
from configlet.render.filter_parted import Row, cannot
from configlet.render.filter_words import Stage

FEW = 4
"""Spans of which each is compared with many others, rather than each of those looked up."""
_Staged = tuple[int, int, Entry]
"""A row with the stage at which it is judged, and its number."""


def keeps_order(plain: Sequence[Row], placed: Sequence[Stage]) -> None:
    """Refuse when the text would judge a later row before an earlier one that says otherwise. ``plain`` rows are judged
    ahead of all that are ``placed``.

    Within one direction the maps keep the order; what is left are rows of different ones.
    """
    denying = [stage for stage in placed if stage.group.once(denies)]
    if not denying and all(entry.permit for _, entry in plain):
        return
    ahead = [number for number, _ in plain] == list(range(len(plain)))
    # A row towards one local end and a row from another share a packet only if the other end of each is that of the other.
    mine = {level: merge({stage.own for stage in placed if stage.group.level == level}) for level in (DST, SRC)}
    others = {DST: mine[SRC], SRC: mine[DST]} if ahead else {}
    found: list[_Staged] = [] if ahead else [(-1, *row) for row in plain]
    shut = _by_direction([*(one for one in found if not one[2].permit), *_singly(denying, others, denies)])
    if not shut:
        return
    permits = _by_direction([*(one for one in found if one[2].permit), *_singly(placed, others, permits_)])
    doubted = set[int]()
    for direction, of in permits.items():
        boxes = [entry.box for _, _, entry in of]
        against = [one for at, some in shut.items() if at != direction for one in some]
        doubted.update(against[at][1] for at in meeting(range(len(against)), [entry for _, _, entry in against], boxes))
    if doubted:
        _look_at(permits, [one for of in shut.values() for one in of if one[1] in doubted])


def _singly(
    placed: Iterable[Stage], others: Mapping[int, Spans], which: Callable[[Group], Sequence[int]]
) -> Iterator[_Staged]:
    """Some rows of each group one by one, those of which the other end is in some addresses."""
    for at, own, order, group in placed:
        places, there = group.once(which), others.get(group.level)
        of = group.parts or (group,)
        if places and (there is None or any(one.once(which) and reaches(one, there) for one in of)):
            ends = columns(group)[0]
            for place in places:
                if there is None or overlap((ends[place],), there):
                    yield at, order[group.numbers[place]], group.row(place).at(own)


def permits_(group: Group) -> Sequence[int]:
    """The places of its permits."""
    found = told_places(group, permits_)
    return list(compress(count(), passes(group))) if found is None else found


def _by_direction(rows: Iterable[_Staged]) -> dict[int, list[_Staged]]:
    out: dict[int, list[_Staged]] = {}
    for one in rows:
        out.setdefault(one[0] // OUT, []).append(one)
    return out


def meeting(numbers: Sequence[int], rows: Sequence[Entry], boxes: Sequence[Box]) -> Sequence[int]:
    """The numbers of rows of which both ends share an address with those of some boxes, each end with any of them."""
    for level in (DST, SRC):
        ends = [rows[number].box[level] for number in numbers]
        met = _reached(set(ends), merge(set(map(itemgetter(level), boxes)))) if ends else ()
        numbers = [number for number, end in zip(numbers, ends, strict=True) if end in met] if met else ()
    return numbers


def _reached(ends: Set[Span], spans: Spans) -> Set[Span]:
    """The ends that share an address with sorted spans."""
    if len(spans) > FEW:
        return {end for end in ends if overlap((end,), spans)}
    return {end for low, high in spans for end in ends if end[0] <= high and low <= end[1]}


def _look_at(permits: Mapping[int, Sequence[_Staged]], denies_: Sequence[_Staged]) -> None:
    near = {direction: Near([sets_of(entry) for _, _, entry in of]) for direction, of in permits.items()}
    for deny in denies_:
        for direction in (d for d in permits if d != deny[0] // OUT):
            for other in (permits[direction][number] for number in near[direction].meeting(sets_of(deny[2]))):
                first, second = sorted((deny, other), key=itemgetter(1))
                if first[0] > second[0]:
                    raise cannot(first[2], f'the rule "{second[2].rule.name}" after it would be looked up first')
