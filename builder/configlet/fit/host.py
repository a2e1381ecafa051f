"""Rows of a host's filter table: disjoint boxes, so that one lookup decides and order does not matter.

What the network needs and keeps closed is asked for before what the operator wrote (``written_from``), so a rule's
prefix is not cut around every gateway in it. That a host talks to itself stands there too: a rule inside a segment is
a row towards the host and one from it, and neither is cut around the host's own address, which both of them have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import compress, count, product
from operator import attrgetter, itemgetter, or_

from configlet.fit.clip import Asked, asking, met, permitted
from configlet.fit.kernel import KERNEL
from configlet.fit.reached import Reached
from configlet.model.block import Block, Sets, items, listed, sets_of
from configlet.model.gate import Law
from configlet.model.net import Family, Span, Spans, merge
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DPORT, DST, FRAG, PROTO, SRC, Box, Entry, written_from
from configlet.model.told import Face, Faced, Group, Told, columns, denies, ends, rules, told
from configlet.packets.apart import doubted, doubtful
from configlet.packets.blocks import Item, rule_of
from configlet.packets.entries import permits_only
from configlet.packets.near import Near
from configlet.packets.sets import common, meets, minus_all, put, within

_ALWAYS: dict[Family, set[int]] = {4: {1, 6, 17}, 6: {6, 17, 58}}


def host_rows(law: Law) -> Sequence[Entry]:
    """What the kernel needs as it stands; what the network needs and keeps closed; what the operator wrote.

    Of the last two every permit and every logged deny, less what earlier rows of the same part decide. What a host says
    to itself is decided by the first of them, and may be in several rows of the other.
    """
    (entries,) = law.lists
    faced = _faced(law.family, entries) if isinstance(entries, Faced) else None
    if faced is not None:
        return faced
    plain, found = _split(items(entries))
    if not found:
        return entries
    rules = [item.like.rule if isinstance(item, Block) else item.rule for item in found]
    at = written_from(rules)
    first = next((number for number, item in enumerate(found[:at]) if not item.permit), at)
    later = asking(permitted([found[first:]]))
    network = _disjoint(law.family, found[:at], later)
    return listed((*plain, *network, *_disjoint(law.family, found[at:], own=_itself(found[:first]))))


def _faced(family: Family, entries: Faced) -> Faced | None:
    """The same where what the operator wrote of most addresses is in the head, and that of one is a face. None where it cannot
    be one (``_left``)."""
    plain, found = _split(entries.head)
    at = written_from(map(rule_of, found))
    first = next((number for number, item in enumerate(found[:at]) if not item.permit), at)
    own = _itself(found[:first])
    if not _of_one(entries.face, own):
        return None
    others = list(listed(found[at:]))
    doubts = _doubts(entries.face, own if others else frozenset())
    left = _left(entries.face, others, doubts, own)
    if left is None:
        return None
    network = _disjoint(family, found[:at], Reached(found[first:], entries.face))
    head = [*plain, *network, *(row for row in others if row.permit or row.log)]
    of = [(place, _parted(group, left) if left else group) for place, group in entries.face.groups.items()]
    groups = {place: part for place, group in of if (part := group.once(standing) if group.once(denies) else group)}
    return Faced(items(listed(head)), Face(entries.face.own, groups, observes=entries.face.observes, apart=True))


def _left(
    face: Face, others: Sequence[Entry], doubts: Sequence[tuple[int, Told]], own: frozenset[int]
) -> Mapping[int, Sequence[Told]] | None:
    """What is left of each row of a face that shares a packet with one before it, by number. None where that is not of the same
    protocol or has no room ahead of the next row, and where ``others`` stand ahead of the face."""
    mine, out = (face.own, face.own), dict[int, Sequence[Told]]()
    found = [*others, *(row.at(mine) for _, row in doubts)]
    rows = list(map(sets_of, found))
    earlier = _earlier(rows, own)
    for at, entry in enumerate(found):
        before = [rows[near] for near in earlier(at)] if entry.permit or entry.log else ()
        if not before:
            continue
        if others:
            return None
        number, row = doubts[at]
        pieces = listed(_parts(entry, rows[at], before, ()))
        room, several = range(number + 1, number + len(pieces)), row.proto[0] != row.proto[1] and row.proto != ANY_PROTO
        taken = room and any(n in room for group in face.groups.values() for n in group.numbers)
        if several or taken or any(one.box[PROTO] != row.proto for one in pieces):
            return None
        out[number] = [told(one, row.level) for one in pieces]
    return out


def _parted(group: Group, left: Mapping[int, Sequence[Told]]) -> Group:
    """A group with what is left of some of its rows, which have their number and those behind it."""
    if left.keys().isdisjoint(group.numbers):
        return group
    numbered = zip(group.numbers, group.rows, strict=True)
    both = [(number + more, one) for number, row in numbered for more, one in enumerate(left.get(number, (row,)))]
    return Group(group.level, group.proto, [number for number, _ in both], [one for _, one in both])


def _doubts(face: Face, own: frozenset[int]) -> Sequence[tuple[int, Told]]:
    """The rows of a face that could share a packet with another one of it, or with one of another of the host's ``own``
    addresses, in order, each with its number."""
    found: dict[int, Told] = {}
    for level in (DST, SRC):  # rows towards it and rows from it share only what it says to itself
        found |= doubted([group for group in face.groups.values() if group.level == level])
    for group in face.groups.values() if own else ():
        held = {end for end in group.once(ends) if any(end[0] <= one <= end[1] for one in own if one != face.own)}
        places = [at for at, end in enumerate(columns(group)[0]) if end in held] if held else ()
        found |= {group.numbers[at]: group.row(at) for at in places}
    return sorted(found.items(), key=_FIRST)


def _of_one(face: Face, own: frozenset[int]) -> bool:
    """Whether its rows are of whole packets and none from its address is to nothing but addresses of the host."""
    joined = merge((one, one) for one in own)
    lone = len(joined) == len(own)
    for group in face.groups.values():
        if not group.once(unbroken):
            return False
        if group.level == SRC:
            found = group.once(ends)
            if not found.isdisjoint(joined) or (not lone and any(within((end,), joined) for end in found)):
                return False
    return face.own in own


def unbroken(group: Group) -> bool:
    """Whether all its rows are of whole packets."""
    return all(group.each(unbroken)) if group.parts else columns(group)[-1].count((0, 0)) == len(group)


def standing(group: Group) -> Group | None:
    """The rows of a group that stand in a table: default deny says the others."""
    shut = [at for at in group.once(denies) if not rules(group)[at].log]
    if not shut:
        return group
    some = sorted({*range(len(group))}.difference(shut))
    rows, numbers = [group.row(at) for at in some], [group.numbers[at] for at in some]
    return Group(group.level, group.proto, numbers, rows) if some else None


def _split(entries: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """The rows that the kernel needs, and all others."""
    origins = map(_ORIGIN, [item.like if isinstance(item, Block) else item for item in entries])
    infrastructure = list(compress(count(), map("infrastructure".__eq__, origins)))
    plain = [number for number in infrastructure if wide(entries[number])]
    found = list(entries)
    for number in reversed(plain):
        del found[number]
    return [entries[number] for number in plain], found


_ORIGIN, _BOX, _FIRST = attrgetter("rule.origin"), attrgetter("box"), itemgetter(0)


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


FEW = 16
"""Rows that are looked at one by one sooner than asked for."""
MANY = 16
"""Rows that the blocks of a list may stand for, for each item of it, to be looked at as single rows."""

_WHOLE = (ANY_PROTO, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0))


def _disjoint(
    family: Family, found: Sequence[Item], later: Asked | None = None, own: frozenset[int] = frozenset()
) -> list[Item]:
    """The rows without what they share; with ``later``, the addresses of permits behind them, denies of those as well.

    A deny is looked up after the permits before it, so it is cut around denies alone. ``own``: see ``_earlier``.
    """
    doubted = _doubted(found, own)
    of = [found[at] for at in doubted]
    rows, named = [sets_of(item) for item in of], list[int]()
    earlier, few = _earlier(rows, own), not own and len(rows) <= FEW
    out, shut, done = list[Item](), list[int](), 0
    for number, (at, item) in enumerate(zip(doubted, of, strict=True)):
        out += found[done:at]
        done = at + 1
        entry = item.like if isinstance(item, Block) else item
        closes = not entry.permit and not entry.log
        ahead, shut = shut, shut if entry.permit else [*shut, number]
        if closes and not later:
            continue
        if closes and few:
            before = [rows[near] for near in ahead if meets(rows[near], rows[number])]
        else:
            before = [rows[near] for near in earlier(number) if not closes or not of[near].permit]
        if not before and (not isinstance(item, Block) or _of_one_protocol(item)):
            pieces: Iterable[Item] = (item,)
        else:
            named = named or _named(family, found)
            pieces = _parts(entry, rows[number], before, named)
        for piece in pieces:
            out += met(piece, later) if closes and later else (piece,)
    return [*out, *found[done:]]


def _of_one_protocol(block: Block[Entry]) -> bool:
    """Whether a block is of one protocol or of all, and is not to be parted by them."""
    (low, high), *more = block.sets[PROTO]
    return not more and (low == high or (low, high) == ANY_PROTO)


def _named(family: Family, found: Sequence[Item]) -> list[int]:
    """The protocols that are always asked for, and those of which a row speaks."""
    protos = {item.sets[PROTO][0] if isinstance(item, Block) else item.box[PROTO] for item in found}
    return sorted(_ALWAYS[family] | {low for low, high in protos if (low, high) != ANY_PROTO})


def _doubted(found: Sequence[Item], own: frozenset[int]) -> Sequence[int]:
    """The numbers of the rows that are looked at one by one, in order: blocks, denies that are no rows, and what could
    share a packet with another row. Of what is said of a host's ``own`` addresses, most is seen at once to share none.
    """
    every, some = range(len(found)), Block in set(map(type, found))
    if not own or (some and sum(item.count for item in found if isinstance(item, Block)) > MANY * len(found)):
        return every
    of, boxes = _singly(found) if some else (None, list(map(_BOX, found)))
    sides = _sides(boxes, own, _turned(found, of, own) if of else frozenset())
    if sides is None:
        return every
    out = {at for at, item in enumerate(found) if not item.permit and not rule_of(item).log}
    if some:
        out.update(at for at, item in enumerate(found) if isinstance(item, Block))
    near, columns = _crossed(boxes, sides, own), {level: [box[level] for box in boxes] for level in (DST, SRC, DPORT)}
    for level, by in sides:
        near |= doubtful(by, columns[SRC if level == DST else DST], columns[DPORT])
    return sorted(out.union(near if of is None else map(of.__getitem__, near)))


def _singly(found: Sequence[Item]) -> tuple[Sequence[int], list[Box]]:
    """The boxes of all rows, those of a block one by one, and the number of the row of each."""
    boxes = [[item.box] if isinstance(item, Entry) else list(product(*item.sets)) for item in found]
    return [at for at, some in enumerate(boxes) for _ in some], [box for some in boxes for box in some]


def _turned(found: Sequence[Item], of: Sequence[int], own: frozenset[int]) -> frozenset[int]:
    """The numbers of the boxes of blocks that go to some own address among others: a block from the host, all of it."""
    mine = merge((one, one) for one in own)
    beyond = {at for at, item in enumerate(found) if isinstance(item, Block) and not within(item.sets[DST], mine)}
    return frozenset(number for number, at in enumerate(of) if at in beyond)


_Sides = list[tuple[int, dict[Span, list[int]]]]
"""The dimension of a host's own end, and the numbers of the rows that have one of its addresses there, by protocol."""


def _sides(boxes: Sequence[Box], own: frozenset[int], turned: frozenset[int]) -> _Sides | None:
    """The rows towards each own address and from each (of ``turned`` ones always from); None where an end is no single own
    address, or of fragments."""
    mine = {(one, one) for one in own}
    groups: dict[int, dict[Span, dict[Span, list[int]]]] = {level: {span: {} for span in mine} for level in (DST, SRC)}
    towards, origin = groups[DST].get, groups[SRC].get
    away = set[Span]()
    for number, (proto, dst, src, _, _, _, part) in enumerate(boxes):
        by = towards(dst)
        if by is None:
            by = origin(src)
            away.add(dst)
        elif number in turned:
            by = origin(src)
        if by is None or part != (0, 0):
            return None
        if proto in by:
            by[proto].append(number)
        else:
            by[proto] = [number]
    joined = merge(mine)
    if any(within((span,), joined) for span in away):
        return None
    return [(level, by) for level, of in groups.items() for by in of.values() if by]


def _crossed(boxes: Sequence[Box], sides: _Sides, own: frozenset[int]) -> set[int]:
    """The rows of which the other end is an own address too, where that of a row towards the host is not the same one."""
    out, crossing = set[int](), False
    for level, by in sides:
        other = DST if level == SRC else SRC
        numbers = [at for of in by.values() for at in of]
        ends = dict.fromkeys([boxes[at][other] for at in numbers])  # in the order of the rows, as they lie in memory
        held = {one: {span for span in ends if span[0] <= one <= span[1]} for one in own}
        some = set[Span]().union(*held.values())
        if some:
            out.update(at for at in numbers if boxes[at][other] in some)
            here = boxes[numbers[0]][DST][0]
            crossing |= level == DST and any(spans for one, spans in held.items() if one != here)
    return out if crossing else set()


def _earlier(rows: Sequence[Sets], own: frozenset[int]) -> Callable[[int], Sequence[int]]:
    """For each row the earlier ones that share a packet with it; of a row from a host (its addresses are its ``own``) and
    one towards it, which is looked up before, a packet that the host does not say to itself.
    """
    if not own:
        if len(rows) > FEW:
            return Near(rows).earlier
        return partial(_before, rows, [(to[0][0], to[-1][1], start[0][0], start[-1][1]) for _, to, start, *_ in rows])
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


def _before(rows: Sequence[Sets], hulls: Sequence[tuple[int, int, int, int]], at: int) -> Sequence[int]:
    """The rows ahead of one of a few that share a packet with it."""
    first, last, low, high = hulls[at]
    near = [n for n, (a, b, c, d) in enumerate(hulls[:at]) if a <= last and first <= b and c <= high and low <= d]
    return [n for n in near if meets(rows[n], rows[at])] if near else ()


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
