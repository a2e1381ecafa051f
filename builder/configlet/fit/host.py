"""Rows of a host's filter table: disjoint boxes, so that one lookup decides and order does not matter.

What the network needs and keeps closed is asked for before what the operator wrote (``written_from``), so a rule's
prefix is not cut around every gateway in it. That a host talks to itself stands there too: a rule inside a segment is
a row towards the host and one from it, and neither is cut around the host's own address, which both of them have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import or_

from configlet.fit.clip import met, permitted
from configlet.fit.kernel import KERNEL
from configlet.model.block import Block, Sets, items, listed, sets_of
from configlet.model.gate import Law
from configlet.model.net import Family, Span, Spans, merge
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DST, FRAG, PROTO, SRC, Entry, written_from
from configlet.packets.blocks import Item, rule_of
from configlet.packets.entries import permits_only
from configlet.packets.near import Near
from configlet.packets.sets import common, minus_all, put, within

_ALWAYS: dict[Family, set[int]] = {4: {1, 6, 17}, 6: {6, 17, 58}}


def host_rows(law: Law) -> Sequence[Entry]:
    """What the kernel needs as it stands; what the network needs and keeps closed; what the operator wrote.

    Of the last two every permit and every logged deny, less what earlier rows of the same part decide. What a host says
    to itself is decided by the first of them, and may be in several rows of the other.
    """
    (entries,) = law.lists
    plain, found = list[Item](), list[Item]()
    for item in items(entries):
        (plain if wide(item) else found).append(item)
    at = written_from(rule_of(item) for item in found)
    first = next((number for number, item in enumerate(found[:at]) if not item.permit), at)
    later = permitted([found[first:]])
    network = _disjoint(law.family, found[:at], later)
    return listed((*plain, *network, *_disjoint(law.family, found[at:], own=_itself(found[:first]))))


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
    return rule.origin == "infrastructure" and rule.name in _KERNEL and rule in KERNEL


_KERNEL = frozenset(rule.name for rule in KERNEL)


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


def _itself(permits: Sequence[Item]) -> frozenset[int]:
    """The addresses that a host has, where rows before any deny pass all that it says from one of them to the same."""
    ends = [item.box[DST] for item in permits if isinstance(item, Entry) and item.box[DST] == item.box[SRC]
            and (item.box[PROTO], *item.box[SRC + 1 :]) == _WHOLE]  # fmt: skip
    return frozenset(low for low, high in ends if low == high)


_WHOLE = (ANY_PROTO, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0))


def _disjoint(
    family: Family, found: Sequence[Item], later: Mapping[int, Spans] | None = None, own: frozenset[int] = frozenset()
) -> Iterator[Item]:
    """The rows without what they share; with ``later``, the addresses of permits behind them, denies of those as well.

    A deny is looked up after the permits before it, so it is cut around denies alone. ``own``: see ``_earlier``.
    """
    rows = [sets_of(item) for item in found]
    named = sorted(_ALWAYS[family] | {s[PROTO][0][0] for s in rows if s[PROTO] != (ANY_PROTO,)})
    earlier = _earlier(rows, own)
    for at, item in enumerate(found):
        entry = item.like if isinstance(item, Block) else item
        closes = not entry.permit and not entry.log
        if closes and not later:
            continue
        before = [rows[number] for number in earlier(at) if not closes or not found[number].permit]
        pieces = [item] if not before and not isinstance(item, Block) else _parts(entry, rows[at], before, named)
        for piece in pieces:
            yield from met(piece, later) if closes and later else (piece,)


def _earlier(rows: Sequence[Sets], own: frozenset[int]) -> Callable[[int], Sequence[int]]:
    """For each row the earlier ones that share a packet with it; of a row from a host (its addresses are its ``own``) and
    one towards it, which is looked up before, a packet that the host does not say to itself.
    """
    if not own:
        return Near(rows).earlier
    mine = merge((one, one) for one in own)
    towards = [within(row[DST], mine) for row in rows]
    origin = [not here and within(row[SRC], mine) for here, row in zip(towards, rows, strict=True)]
    if all(map(or_, towards, origin)) and not _crossing(rows, towards, mine):
        return _apart(rows, towards)
    near = Near(rows)

    def before(at: int) -> Sequence[int]:
        found = near.earlier(at)
        return [n for n in found if not (towards[n] and _one(rows[n], rows[at]))] if found and origin[at] else found

    return before


def _crossing(rows: Sequence[Sets], towards: Sequence[bool], mine: Spans) -> bool:
    """Whether a row towards a host's addresses has another of them as its source, or says something of fragments."""
    for target, source, part in {(row[DST], row[SRC], row[FRAG]) for row, here in zip(rows, towards, strict=True) if here}:
        both = common(source, mine)
        if part != _WHOLE[-1:] or (both and (both != target or len(both) > 1 or both[0][0] != both[0][1])):
            return True
    return False


def _apart(rows: Sequence[Sets], towards: Sequence[bool]) -> Callable[[int], Sequence[int]]:
    """The same of rows towards a host and rows from it that share only what the host says to itself."""
    sides = {side: [at for at, here in enumerate(towards) if here is side] for side in (True, False)}
    near = {side: Near([rows[at] for at in numbers]) for side, numbers in sides.items()}
    place = {at: number for numbers in sides.values() for number, at in enumerate(numbers)}
    return lambda at: [sides[towards[at]][number] for number in near[towards[at]].earlier(place[at])]


def _one(a: Sets, b: Sets) -> bool:
    """Whether all that two rows share goes from one address to the same, in whole packets."""
    ends = common(a[DST], b[DST])
    return len(ends) == 1 and ends[0][0] == ends[0][1] and common(a[SRC], b[SRC]) == ends and a[FRAG] == b[FRAG] == _WHOLE[-1:]


def _parts(entry: Entry, sets: Sets, before: Sequence[Sets], named: Sequence[int]) -> Iterator[Item]:
    """What is left of a row, each protocol that somebody names alone."""
    for piece in minus_all(sets, before):
        yield from (_over(entry, put(piece, PROTO, (proto,))) for proto in _by_protocol(piece[PROTO], named))


def _over(entry: Entry, sets: Sets) -> Item:
    p, d, s, dp, sp, fl, fr = (spans[0] for spans in sets)
    row = entry.over((p, d, s, dp, sp, fl, fr))
    return Block(sets, row) if any(len(spans) > 1 for spans in sets) else row
