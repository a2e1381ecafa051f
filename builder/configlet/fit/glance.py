"""Rows of an ordered, stateless list of which one look shows that they are the law's own rows, in the order of the list."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import compress

from configlet.fit.classes import Row, classes_of
from configlet.fit.heads import SHARED, UPPER, First, parts, shared
from configlet.fit.law import Routed
from configlet.fit.plain import End, Pair, spans_of
from configlet.fit.sides import Told
from configlet.model.block import items
from configlet.model.net import Family, Spans
from configlet.model.policy import DPORT, DST, PROTO, SRC
from configlet.packets.blocks import Item, fragments, rule_of
from configlet.packets.entries import WHOLE
from configlet.packets.sets import touch, within


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
        return [*head, *replied.rows, *written.rows]
    permits = {part.ends[key] for part in (replied, written) for key in part.permits}
    shut = [classes.leave(row) for row in both if _touching(row, permits)]
    closed = _closed({*replied.ends.values(), *written.ends.values()}, both)
    return [*head, *shut, *_open(replied, closed), *_open(written, closed)]


def _open(part: Told, closed: set[Pair]) -> Iterable[Item]:
    """The rows that are not between ends that are closed."""
    if closed.isdisjoint(part.ends.values()):
        return part.rows
    there = {key for key, ends in part.ends.items() if ends not in closed}
    return compress(part.rows, map(there.__contains__, part.keys))


def _touching(deny: Row, permits: Iterable[Pair]) -> bool:
    """Whether a deny of all between its ends meets a permit."""
    to, start = deny.sets[DST], deny.sets[SRC]
    return any(touch(spans_of(dst), to) and touch(spans_of(src), start) for dst, src in permits)


def _closed(found: set[Pair], denies: Sequence[Row]) -> set[Pair]:
    """The ends that lie in those of a deny of all between them."""
    ends = tuple({pair[at] for pair in found} for at in range(2))
    few = len(ends[0]) > len(ends[1])
    out: set[Pair] = set()
    for row in denies:
        held = row.sets[DST], row.sets[SRC]
        one = _within(ends[few], held[few])
        other = _within(ends[not few], held[not few]) if one else one
        if other:
            out.update([pair for pair in found if pair[few] in one and pair[not few] in other])
    return out


def _within(ends: Iterable[End], spans: Spans) -> set[End]:
    """Those of some ends that lie in a set of addresses."""
    out = set[End]()
    for end in ends:
        low, high = end[0], end[-1]
        if isinstance(low, int):  # one interval, as nearly all are
            at = bisect_left(spans, (low + 1,))
            if at and high <= spans[at - 1][1]:  # type: ignore[operator]
                out.add(end)
        elif within(spans_of(end), spans):
            out.add(end)
    return out
