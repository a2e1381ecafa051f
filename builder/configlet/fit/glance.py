"""Rows of an ordered, stateless list of which one look shows that they are the law's own rows, in the order of the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from configlet.fit.classes import classes_of
from configlet.fit.heads import SHARED, UPPER, First, parts, shared
from configlet.fit.law import Routed
from configlet.model.block import items
from configlet.model.net import Family
from configlet.model.policy import DPORT, DST, PROTO, SRC
from configlet.packets.blocks import Item, fragments, rule_of
from configlet.packets.entries import WHOLE


class Glance(NamedTuple):
    """The rows of a list: those of the network, and behind them what the operator wrote, replies first."""

    head: Sequence[Item]
    replied: Sequence[Item]
    written: Sequence[Item]


def as_they_are(family: Family, known: Routed) -> Glance | None:
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
    denies = [(row.sets[DST], row.sets[SRC]) for row in both]
    if replied.loud and not set(replied.closed(denies)).issuperset(replied.loud):
        return None
    if not both:
        return Glance(head, replied.open(()), written.rows)
    shut = [row for row, deny in zip(both, denies, strict=True) if written.touches(deny) or replied.touches(deny)]
    return Glance([*head, *map(classes.leave, shut)], replied.open(denies), written.open(denies))
