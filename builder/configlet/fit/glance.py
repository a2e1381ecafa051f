"""Rows of an ordered, stateless list of which one look shows that they are the law's own rows, in the order of the list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress
from operator import attrgetter, itemgetter

from configlet.fit.classes import Row, classes_of
from configlet.fit.heads import SHARED, UPPER, First, parts, shared
from configlet.fit.law import Routed
from configlet.fit.plain import End, spans_of
from configlet.model.block import Block, items
from configlet.model.net import Family, Spans
from configlet.model.policy import DPORT, DST, PROTO, SRC
from configlet.packets.blocks import Item, fragments, rule_of
from configlet.packets.entries import WHOLE
from configlet.packets.sets import touch, within

_Ends = tuple[End, End]
_BOX, _ENDS = attrgetter("box"), itemgetter(DST, SRC)


def as_they_are(family: Family, known: Routed) -> list[Item] | None:
    """The rows where all that the operator wrote is plain: as it stands, less what is denied ahead of all. None where one look
    shows that something else is there."""
    if known.written is None:
        return None
    written, replied = known.written
    (starts, starts_closed, more), (answers, answers_closed, others) = (parts(head, rule_of) for head in known.heads)
    behind = [
        item for head, part in zip(known.heads, known.lists, strict=True) for item in items(part)[len(head) :][:1]
    ]
    if more or any(item.permit for item in others) or any(rule_of(item).name in SHARED for item in behind):
        return None
    heads = (*starts, *answers, *starts_closed, *answers_closed)
    if any(fragments(item) != (WHOLE,) for item in heads):
        return None
    classes = classes_of(family, heads)
    enter = classes.enter
    both, *alone = shared(list(map(enter, starts_closed)), list(map(enter, answers_closed)))
    every = ((0, classes.rest),)
    if any(alone) or any(row.sets[PROTO] != every or row.sets[DPORT:] != (*UPPER, (WHOLE,)) for row in both):
        return None
    ahead = First(list(map(enter, starts)))
    head = [*starts, *(item for item in answers if not ahead.passes(enter(item).sets))]
    if not both:
        return [*head, *replied, *written]
    asked, answered = _ends(written), _ends(replied)
    permits = {*answered, *compress(asked, [item.permit for item in written])}
    shut = [classes.leave(row) for row in both if _touching(row, permits)]
    closed = _closed(permits.union(asked), both)
    if closed:
        replied = list(compress(replied, [ends not in closed for ends in answered]))
        written = list(compress(written, [ends not in closed for ends in asked]))
    return [*head, *shut, *replied, *written]


def _ends(found: Sequence[Item]) -> list[_Ends]:
    """The destination and the source of each row."""
    if Block not in set(map(type, found)):
        return list(map(_ENDS, map(_BOX, found)))
    return [_ENDS(item.sets if isinstance(item, Block) else item.box) for item in found]


def _touching(deny: Row, permits: Iterable[_Ends]) -> bool:
    """Whether a deny of all between its ends meets a permit."""
    to, start = deny.sets[DST], deny.sets[SRC]
    return any(touch(spans_of(dst), to) and touch(spans_of(src), start) for dst, src in permits)


def _closed(found: set[_Ends], denies: Sequence[Row]) -> set[_Ends]:
    """The ends that lie in those of a deny of all between them."""
    ends = tuple({pair[at] for pair in found} for at in range(2))
    few = len(ends[0]) > len(ends[1])
    out: set[_Ends] = set()
    for row in denies:
        held = row.sets[DST], row.sets[SRC]
        one = _within(ends[few], held[few])
        other = _within(ends[not few], held[not few]) if one else one
        out.update(pair for pair in found if pair[few] in one and pair[not few] in other)
    return out


def _within(ends: Iterable[End], spans: Spans) -> set[End]:
    """Those of some ends that lie in a set of addresses."""
    return {end for end in ends if within(spans_of(end), spans)}
