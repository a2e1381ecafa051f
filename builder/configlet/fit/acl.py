"""Rows of an ordered, stateless list: what an ACL platform can hold, in the order of the policy.

The layout is: what passes of non-first fragments first; replies as permits (denies that they would cross are cut out of them);
then the initiations as written, with their denies; then deny. Permits ahead of a first-match list only add, so the whole
is exactly "initiations or replies", and the proof confirms it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from configlet.fit.answers import Answers, denied, named_rows
from configlet.fit.budget import at_most
from configlet.fit.classes import Classes, Row, classes_of
from configlet.fit.glance import as_they_are
from configlet.fit.heads import First, Shut, parts, shared
from configlet.fit.law import Routed
from configlet.fit.units import typed
from configlet.model.block import Parted, items, listed
from configlet.model.gate import Law
from configlet.model.net import Family, Span, Spans
from configlet.model.policy import FRAG, PROTO, Entry
from configlet.packets.blocks import Item
from configlet.packets.near import Near
from configlet.packets.sets import minus_all, put

WHOLE, NON_FIRST = (0, 0), (1, 1)


def acl_rows(law: Law, known: Routed | None = None) -> Sequence[Entry]:
    """The rows for a two-list law, blocks as blocks. What none of them passes is denied; the platform writes that line,
    and the one that denies the fragments that no row passes. ``known``: what it is made of."""
    return counted_rows(law, known)[0]


def counted_rows(law: Law, known: Routed | None) -> tuple[Sequence[Entry], int]:
    """The same, and how many lines they are at most, where that is seen without looking at each; else 0."""
    found = as_they_are(law.family, known) if known else None
    if found is not None and known is not None and known.written is not None:
        lines = at_most(law.family, found.head) + sum(part.lines(law.family) for part in known.written)
        return _parted(*found, single=known.single), lines
    return _each_row(law), 0


def _parted(head: Sequence[Item], *more: Sequence[Item], single: bool) -> Sequence[Entry]:
    """Rows of the network ahead of parts of others; ``single``: of these none is a block."""
    first = listed(head)
    return Parted((items(first), *more), len(first) + sum(len(part if single else listed(part)) for part in more))


def _each_row(law: Law) -> Sequence[Entry]:
    initiations, replies = (items(part) for part in law.lists)
    classes = classes_of(law.family, initiations, replies)
    first, second = (list(map(classes.enter, part)) for part in (initiations, replies))
    fragments = _shorter(law.family, classes, first, second)
    whole = _rows(law.family, classes, first, second, WHOLE)
    return listed([classes.leave(row) if row[3] is None else row[3] for part in (fragments, whole) for row in part])


def _row_parts(rows: Sequence[Row]) -> tuple[list[Row], list[Row], list[Row]]:
    return parts(rows, lambda row: row.entry.rule)


def _only(rows: list[Row], bit: Span) -> list[Row]:
    """The rows as they decide packets with this fragment bit."""
    one = (bit,)
    if {row.sets[FRAG] for row in rows} <= {(WHOLE,)}:
        return rows if bit == WHOLE else []
    return [
        row if row.sets[FRAG] == one else row.over(put(row.sets, FRAG, one))
        for row in rows
        if row.sets[FRAG][0][0] <= bit[0] <= row.sets[FRAG][0][1]
    ]


def _shorter(family: Family, classes: Classes, first: list[Row], second: list[Row]) -> list[Row]:
    """The rows of fragments, as permits alone or as replies and then the initiations as they are written."""
    permits = list(_fragment_rows(classes, first, second))
    lines = sum(typed(family, row.sets) for row in permits)
    if lines <= len(permits):
        return permits
    ordered = list(_rows(family, classes, first, second, NON_FIRST))
    return ordered if sum(typed(family, row.sets) for row in ordered) < lines else permits


def _fragment_rows(classes: Classes, first: list[Row], second: list[Row]) -> Iterator[Row]:
    """Fragments that pass, by protocol. What the network keeps closed to initiations and replies alike is denied once, and
    not cut out of each permit behind it. Where every protocol but some passes, those that are named are denied behind all
    their permits, and then the rest passes."""
    every = ((0, classes.rest),)
    ahead, both, behind = _around_shared(_only(first, NON_FIRST), _only(second, NON_FIRST), every)
    broad: list[Row] = []
    for row in (*ahead, *both, *behind):
        if row.sets[PROTO] == every or not row.permit:
            yield row
            continue
        yield from named_rows(classes, row)
        if _of_the_rest(row, every):
            broad.append(row)
    yield from denied(classes, broad, NON_FIRST)
    yield from (row.over(put(row.sets, PROTO, every)) for row in broad)


def _of_the_rest(row: Row, every: Spans) -> bool:
    """Whether a row speaks of every protocol that nobody names, but not of all those that are named."""
    return row.sets[PROTO] != every and row.sets[PROTO][-1][1] == every[0][1]


def _around_shared(one: list[Row], two: list[Row], every: Spans) -> tuple[list[Row], list[Row], list[Row]]:
    """Permits ahead of the denies that two lists share, those denies, and the permits behind them less all other denies."""
    heads, closed, written = zip(_row_parts(one), _row_parts(two), strict=True)
    ahead = [row for part in heads for row in _permits_only(part)]
    if any(row.permit for part in closed for row in part) or any(_of_the_rest(row, every) for row in ahead):
        return [], [], [row for part in (one, two) for row in _permits_only(part)]
    both, *others = shared(*closed)
    behind = [
        row
        for head, other, rest in zip(heads, others, written, strict=True)
        for row in _permits_only([*(row for row in head if not row.permit), *other, *rest])
    ]
    met = Near([row.sets for row in behind])
    return ahead, [row for row in both if any(True for _ in met.meeting(row.sets))], behind


def _permits_only(rows: Sequence[Row]) -> list[Row]:
    """The same meaning without denies: each permit less the denies before it. Pieces keep their rule."""
    numbers = [number for number, row in enumerate(rows) if not row.permit]
    near = Near([rows[number].sets for number in numbers])
    out: list[Row] = []
    for at, row in enumerate(rows):
        if row.permit:
            denies = [rows[numbers[n]].sets for n in near.meeting(row.sets) if numbers[n] < at]
            out += [row.over(piece) for piece in minus_all(row.sets, denies)]
    return out


def _rows(family: Family, classes: Classes, first: list[Row], second: list[Row], bit: Span) -> list[Row]:
    """What passes of whole packets, or of fragments: what the network needs, what it keeps closed, replies, initiations."""
    starts, starts_closed, starts_written = _row_parts(_only(first, bit))
    answers, answers_closed, answers_written = _row_parts(_only(second, bit))
    both, starts_only, answers_only = shared(starts_closed, answers_closed)
    written, replied = [*starts_only, *starts_written], [*answers_only, *answers_written]
    known = First(written)
    shut = Shut(both, bit)
    replies = Answers(family, classes, replied, known, shut, bit)
    later = [*replies.named(), *replies.rest(), *_pruned(known)]
    ahead = First(starts)
    out = [*starts, *(row for row in answers if not ahead.passes(row.sets))]
    if both:
        permits = Near([*[row.sets for row in later if row.permit], *replies.closed])
        out += shut.needed(permits, ((0, classes.rest),))
        later = shut.leaves(later)
    return out + later


def _pruned(known: First) -> Iterator[Row]:
    """Without rows that decide nothing: rows inside an earlier one, derived denies that no later permit meets."""
    first, near = known.rows, known.near
    alone = near.alone()
    for at, row in enumerate(first):
        if at in alone and row.permit:
            yield row
            continue
        if near.hidden(at):
            continue
        written = row.permit or row.entry.rule.origin == "policy"
        if written or any(number > at and first[number].permit for number in near.meeting(row.sets)):
            yield row
