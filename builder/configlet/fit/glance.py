"""Rows of an ordered, stateless list of which one look shows that they are the law's own rows, in the order of the list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from configlet.fit.classes import Row, classes_of
from configlet.fit.heads import UPPER, First, parts, shared
from configlet.fit.law import Routed
from configlet.model.block import Block
from configlet.model.net import Family, Spans
from configlet.model.policy import DPORT, DST, PROTO, SRC
from configlet.packets.blocks import Item, fragments, rule_of
from configlet.packets.entries import WHOLE
from configlet.packets.near import Near
from configlet.packets.sets import within

_Ends = tuple[object, ...]


def as_they_are(family: Family, initiations: Sequence[Item], replies: Sequence[Item], known: Routed) -> list[Item] | None:
    """The rows where all that the operator wrote is plain: as it stands, less what is denied ahead of all. None where one look
    shows that something else is there."""
    starts, starts_closed, written = parts(initiations, rule_of)
    answers, answers_closed, replied = parts(replies, rule_of)
    replied = [item for item in replied if item.permit]
    if not known.starts or {*map(id, written)}.difference(*known.starts) or {*map(id, replied)}.difference(*known.answers):
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
    permits = _ends(item for part in (replied, written) for item in part if item.permit)
    met = Near([(every, *of, *UPPER, (WHOLE,)) for of in permits.values()])
    shut = [classes.leave(row) for row in both if met.touching(row.sets[DST], row.sets[SRC])]
    closed = _closed({**permits, **_ends(item for item in written if not item.permit)}, both)
    if closed:
        replied, written = ([item for item in part if _key(item) not in closed] for part in (replied, written))
    return [*head, *shut, *replied, *written]


def _key(item: Item) -> _Ends:
    return item.sets[DST:DPORT] if isinstance(item, Block) else item.box[DST:DPORT]


def _ends(found: Iterable[Item]) -> dict[_Ends, tuple[Spans, Spans]]:
    """The destinations and sources of rows, each pair once."""
    one = {_key(item): item for item in found}
    return {
        key: (item.sets[DST], item.sets[SRC]) if isinstance(item, Block) else ((item.box[DST],), (item.box[SRC],))
        for key, item in one.items()
    }


def _closed(ends: dict[_Ends, tuple[Spans, Spans]], denies: Sequence[Row]) -> set[_Ends]:
    """The ends that lie in those of a deny of all between them."""
    by_size = sorted(((_size(row.sets[DST]), row.sets[DST], row.sets[SRC]) for row in denies), reverse=True)
    out: set[_Ends] = set()
    for key, (dst, src) in ends.items():
        size = _size(dst)
        for many, targets, sources in by_size:
            if many < size:
                break
            if within(dst, targets) and within(src, sources):
                out.add(key)
                break
    return out


def _size(spans: Spans) -> int:
    return sum(high - low + 1 for low, high in spans)
