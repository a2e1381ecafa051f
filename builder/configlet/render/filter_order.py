"""Whether a text judges the rows of a host's table in their order, wherever two of them say otherwise of a packet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from operator import attrgetter, is_, itemgetter

from configlet.model.block import sets_of
from configlet.model.net import Span, Spans, merge, overlap
from configlet.model.policy import DST, SRC, Box, Entry
from configlet.model.problem import Refused, refuse
from configlet.packets.near import Near
from configlet.render.filter_maps import OUT
from configlet.render.filter_words import Stage

FEW = 4
"""Spans of which each is compared with many others, rather than each of those looked up."""

_BOX, _PERMIT = attrgetter("box"), attrgetter("permit")


def keeps_order(rows: Sequence[Entry], plain: Sequence[Entry], placed: Sequence[Stage]) -> None:
    """Refuse when the text would judge a later row before an earlier one that says otherwise. ``plain`` rows are judged
    ahead of all that are ``placed``.

    Within one direction the maps keep the order; what is left are rows of different ones.
    """
    if all(map(_PERMIT, rows)):
        return
    ahead = all(map(is_, plain, rows))
    stages = placed if ahead else [(-1, plain), *placed]
    permits, denies = _by_direction(stages, True), _by_direction(stages, False)
    doubted = set[int]()
    for direction, of in permits.items():
        boxes = [entry.box for _, some in of for entry in some]
        others = [entry for at, parts in denies.items() if at != direction for _, some in parts for entry in some]
        doubted.update(id(others[number]) for number in meeting(range(len(others)), others, boxes))
    if doubted:
        _look_at(rows, permits, [(stage, [e for e in some if id(e) in doubted]) for of in denies.values() for stage, some in of])


def _by_direction(stages: Iterable[Stage], verdict: bool) -> dict[int, list[Stage]]:
    out: dict[int, list[Stage]] = {}
    for stage, rows in stages:
        some = [entry for entry in rows if entry.permit is verdict]
        if some:
            out.setdefault(stage // OUT, []).append((stage, some))
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


def _look_at(rows: Sequence[Entry], permits: Mapping[int, Sequence[Stage]], denies: Sequence[Stage]) -> None:
    order = {id(entry): index for index, entry in enumerate(rows)}
    singly = {direction: [(stage, entry) for stage, some in of for entry in some] for direction, of in permits.items()}
    near = {direction: Near([sets_of(entry) for _, entry in found]) for direction, found in singly.items()}
    for stage, deny in ((stage, entry) for stage, some in denies for entry in some):
        for direction in (d for d in permits if d != stage // OUT):
            for other in (singly[direction][number] for number in near[direction].meeting(sets_of(deny))):
                first, second = sorted(((stage, deny), other), key=lambda one: order[id(one[1])])
                if first[0] > second[0]:
                    raise cannot(first[1], f'the rule "{second[1].rule.name}" after it would be looked up first')


def cannot(entry: Entry, why: str) -> Refused:
    """The refusal of a row that the table of a host cannot hold."""
    detail = f'The rule "{entry.rule.name}" gives a row that the table cannot hold: {why}. Nothing was rendered.'
    return refuse("Row that cannot be written", detail, entry.rule.place)
