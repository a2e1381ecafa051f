"""Rows of a host's filter table: disjoint boxes, so that one lookup decides and order does not matter.

What the network needs and keeps closed is asked for before what the operator wrote (``written_from``), so a rule's
prefix is not cut around every gateway in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from configlet.fit.clip import met, permitted
from configlet.fit.kernel import KERNEL
from configlet.model.block import Block, Sets, items, listed, sets_of
from configlet.model.gate import Law
from configlet.model.net import Family, Span, Spans
from configlet.model.policy import ANY_PROTO, PROTO, Entry, written_from
from configlet.packets.blocks import Item, rule_of
from configlet.packets.entries import permits_only
from configlet.packets.near import Near
from configlet.packets.sets import minus_all, put

_ALWAYS: dict[Family, set[int]] = {4: {1, 6, 17}, 6: {6, 17, 58}}


def host_rows(law: Law) -> Sequence[Entry]:
    """What the kernel needs as it stands; what the network needs and keeps closed; what the operator wrote.

    Of the last two every permit and every logged deny, less what earlier rows of the same part decide.
    """
    (entries,) = law.lists
    plain = [e for e in items(entries) if wide(e)]
    found = [e for e in items(entries) if not wide(e)]
    at = written_from(rule_of(item) for item in found)
    first = next((number for number, item in enumerate(found[:at]) if not item.permit), at)
    later = permitted([found[first:]])
    return listed((*plain, *_disjoint(law.family, found[:at], later), *_disjoint(law.family, found[at:])))


def towards_rows(law: Law) -> Sequence[Entry]:
    """Of a table that remembers nothing: replies as permits, then the initiations as written, with their denies.

    Permits ahead of a first-match list only add, so the whole is exactly "initiations or replies".
    """
    initiations, replies = law.lists
    closed = any(not item.permit for item in items(replies))
    return listed((*(permits_only(replies) if closed else items(replies)), *items(initiations)))


def wide(item: Item) -> bool:
    """A row of the kernel's own needs that has no local address: written as a statement ahead of the tables."""
    rule = rule_of(item)
    return rule.origin == "infrastructure" and rule in KERNEL


def _by_protocol(protos: Spans, named: Sequence[int]) -> Iterator[Span]:
    """Some protocols in parts: each protocol that somebody names alone, the others between them together."""
    for low, high in protos:
        if (low, high) == ANY_PROTO or low == high:
            yield low, high
            continue
        at = low
        for number in (n for n in named if low <= n <= high):
            if at < number:
                yield at, number - 1
            yield number, number
            at = number + 1
        if at <= high:
            yield at, high


def _disjoint(family: Family, found: Sequence[Item], later: Mapping[int, Spans] | None = None) -> Iterator[Item]:
    """The rows without what they share; with ``later``, the addresses of permits behind them, denies of those as well.

    A deny is looked up after the permits before it, so it is cut around denies alone.
    """
    rows = [sets_of(item) for item in found]
    named = sorted(_ALWAYS[family] | {s[PROTO][0][0] for s in rows if s[PROTO] != (ANY_PROTO,)})
    near = Near(rows)
    for at, item in enumerate(found):
        entry = item.like if isinstance(item, Block) else item
        closes = not entry.permit and not entry.log
        if closes and not later:
            continue
        before = [rows[number] for number in near.earlier(at) if not closes or not found[number].permit]
        pieces = [item] if not before and not isinstance(item, Block) else _parts(entry, rows[at], before, named)
        for piece in pieces:
            yield from met(piece, later) if closes and later else (piece,)


def _parts(entry: Entry, sets: Sets, before: Sequence[Sets], named: Sequence[int]) -> Iterator[Item]:
    """What is left of a row, each protocol that somebody names alone."""
    for piece in minus_all(sets, before):
        yield from (_over(entry, put(piece, PROTO, (proto,))) for proto in _by_protocol(piece[PROTO], named))


def _over(entry: Entry, sets: Sets) -> Item:
    p, d, s, dp, sp, fl, fr = (spans[0] for spans in sets)
    row = entry.over((p, d, s, dp, sp, fl, fr))
    return Block(sets, row) if any(len(spans) > 1 for spans in sets) else row
