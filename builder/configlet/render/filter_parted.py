"""The rows of a host's table by where they are looked up: each local end, each direction, each protocol.

Rows are held without their local end, and those of one end and protocol as a group, so that what hosts have in common is
the same object for all of them: what is made of it is made once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import NamedTuple

from configlet.model.block import Block, items
from configlet.model.net import Span
from configlet.model.policy import ANY_BIT, DPORT, DST, FLAG, FRAG, PROTO, SRC, Entry
from configlet.model.problem import Refused, refuse
from configlet.model.told import Face, Faced, Group, Item, Told, columns, ends, told
from configlet.packets.boxes import change
from configlet.render.filter_front import Front, key_of, put_in, side_of

MOST = 16_384
"""Rows that are remembered, those of some tens of hosts."""
Row = tuple[int, Entry]
"""A row and its number among those of a family."""
_BOX, _REPLY, _SETS = attrgetter("box"), attrgetter("reply"), attrgetter("sets")
_FIRST = itemgetter(0)
_WHOLE = (0, 0)
"""What a row says of fragments when it is of whole packets."""


class Part(NamedTuple):
    """Rows of one local end and direction by protocol. ``order``: what the numbers that they have there are among all rows;
    ``apart``: no two share a packet."""

    order: Sequence[int]
    groups: Mapping[Span, Group]
    apart: bool = False

    def __len__(self) -> int:
        return sum(map(len, self.groups.values()))

    def rows(self) -> Iterator[tuple[int, Told]]:
        """The rows with their numbers, one protocol after the other."""
        for group in self.groups.values():
            yield from ((self.order[number], row) for number, row in zip(group.numbers, group.rows, strict=True))


def grouped(level: int, rows: Sequence[tuple[int, Told]]) -> Part:
    """Rows in order as a part of their own."""
    by: _By = {}
    for number, (_, row) in enumerate(rows):
        numbers, some = by.setdefault(row.proto, ([], []))
        numbers.append(number)
        some.append(row)
    return Part([number for number, _ in rows], {proto: Group(level, proto, *of) for proto, of in by.items()})


def joined(groups: Sequence[Group]) -> Group:
    """The groups of several protocols as one, in order; it has the protocols between them too."""
    if len(groups) == 1:
        return groups[0]
    pairs = [pair for of in groups for pair in zip(of.numbers, of.rows, strict=True)]
    numbers, rows = zip(*sorted(pairs, key=_FIRST), strict=True)
    hull = min(of.proto[0] for of in groups), max(of.proto[1] for of in groups)
    return Group(groups[0].level, hull, numbers, rows)


def piece_of(span: Span, spans: Iterable[Span]) -> bool:
    """Whether a span lies within one of the local ones."""
    first, last = span
    for low, high in spans:  # noqa: SIM110 - asked of every row
        if low <= first and last <= high:
            return True
    return False


@dataclass(slots=True)
class Parted:
    """The rows of a family: those towards each local span, those from it, and those of which neither end is local."""

    towards: dict[Span, list[Part]] = field(default_factory=dict)
    origin: dict[Span, list[Part]] = field(default_factory=dict)
    plain: list[Row] = field(default_factory=list)
    count: int = 0

    def take(self, rows: Sequence[Entry], spans: Sequence[Span]) -> None:
        """The rows of one table, whose gate has these local spans. Raises Refused for one that no table can hold."""
        face = _face(rows, spans) if isinstance(rows, Faced) else None
        found = rows.head if face and isinstance(rows, Faced) else items(rows)
        if not self._front(found, spans):
            if not _sayable(found):
                face, found = None, list(_whole(rows))
            self._enter(found, _locals(found, spans))
        if face:
            own, last = (face.own, face.own), max((group.numbers[-1] for group in face.groups.values()), default=-1)
            order = range(self.count, self.count + last + 1)
            for level, side in ((DST, self.towards), (SRC, self.origin)):
                groups = {proto: group for (at, proto), group in face.groups.items() if at == level}
                if groups:
                    side.setdefault(own, []).append(Part(order, groups, face.apart))
            self.count += len(order)

    def _front(self, found: Sequence[Item], spans: Sequence[Span]) -> bool:
        """Enter rows as they were entered for another host; False where they have to be looked at one by one."""
        mine = {span: number for number, span in enumerate(spans)}
        key = key_of(found, mine) if all(low == high for low, high in spans) else None
        if key is None:
            return False
        common, start = _common(), self.count
        front = common.fronts.get(key)
        if front is None:
            common.make_room()
            front = common.fronts[key] = common.front(found, mine)
        self.plain += ((start + number, found[at]) for number, at in front.plain)  # type: ignore[misc]
        for level, own, order, by in front.sides:
            groups = {
                proto: put_in(group, level, proto, [(number, found[at]) for number, at in more]) if more else group
                for proto, (group, more) in by.items()
            }
            numbers = [start + number for number in order] if start else order
            side = self.towards if level == DST else self.origin
            side.setdefault(spans[own], []).append(Part(numbers, groups))  # type: ignore[arg-type]
        self.count += front.count
        return True

    def _enter(self, found: Iterable[Item], local: frozenset[Span]) -> None:
        common = _common()
        common.make_room()
        sides: dict[tuple[int, Span], tuple[list[int], _By]] = {}
        for item in _singly(found, local):
            level = _level(item, local)
            if level is None:
                self.plain.append((self.count, item))  # type: ignore[arg-type]
                self.count += 1
                continue
            order, by = sides.setdefault(
                (level, item.sets[level][0] if isinstance(item, Block) else item.box[level]), ([], {})
            )
            for row in common.block(item, level) if isinstance(item, Block) else (common.row(item, level),):
                numbers, rows = by.get(row.proto) or by.setdefault(row.proto, ([], []))
                numbers.append(len(order))
                rows.append(row)
                order.append(self.count)
                self.count += 1
        for (level, own), (order, by) in sides.items():
            groups = {proto: common.group(level, proto, *of) for proto, of in by.items()}
            (self.towards if level == DST else self.origin).setdefault(own, []).append(Part(order, groups))


_By = dict[Span, tuple[list[int], list[Told]]]


def _level(item: Item, local: frozenset[Span]) -> int | None:
    """At which end a row is local, or all rows of a block; towards a local end, if both ends are."""
    dst, src = (item.sets[DST][0], item.sets[SRC][0]) if isinstance(item, Block) else (item.box[DST], item.box[SRC])
    return DST if dst in local else SRC if src in local else None


class _Common:
    """Rows without their local end, and groups of them: each is one object, whichever tables say it. A rule is known by its
    identity, for as long as a row of it is held here."""

    def __init__(self) -> None:
        self.told: dict[tuple[object, ...], Told] = {}
        self.blocks: dict[tuple[object, ...], Sequence[Told]] = {}
        self.groups: dict[tuple[object, ...], Group] = {}
        self.fronts: dict[tuple[object, ...], Front] = {}
        self.spread: dict[tuple[object, ...], dict[Span, Told]] = {}
        self.held = 0

    def make_room(self) -> None:
        """Let go of all when it is much."""
        if self.held + len(self.told) > MOST:
            self.held = 0
            for known in (self.told, self.blocks, self.groups, self.fronts, self.spread):
                known.clear()

    def row(self, entry: Entry, level: int) -> Told:
        """A row that has a local end."""
        proto, dst, src, dport, sport, _, _ = entry.box
        key = level, entry.permit, proto, src if level == DST else dst, dport, sport, id(entry.rule)
        found = self.told.get(key)
        if found is None:
            found = self.told[key] = told(entry, level)
        return found

    def block(self, block: Block[Entry], level: int) -> Sequence[Told]:
        """The rows of a block that has one local end."""
        sets, end = block.sets, SRC if level == DST else DST
        if all(map((1).__eq__, map(len, (*sets[:end], *sets[end + 1 :])))):
            return self._spread(block, level, sets[end])
        key = level, block.permit, sets[:level], sets[level + 1 :], id(block.like.rule)
        found = self.blocks.get(key)
        if found is None:
            found = self.blocks[key] = [told(entry, level) for entry in block.rows()]
            self.held += len(found)
        return found

    def _spread(self, block: Block[Entry], level: int, ends_: Sequence[Span]) -> Sequence[Told]:
        """The same of one that differs in its other ends alone: of those most are in the blocks of other hosts too."""
        like, (proto, *upper) = block.like, [spans[0] for spans in (block.sets[PROTO], *block.sets[DPORT:])]
        known = self.spread.setdefault((level, like.permit, proto, *upper, id(like.rule)), {})
        missing = [end for end in ends_ if end not in known]
        if missing:
            dport, sport, flag, part = upper
            known.update((e, Told(level, like.permit, proto, (e, dport, sport, flag, part), like.rule)) for e in missing)
            self.held += len(missing)
        return list(map(known.__getitem__, ends_))

    def front(self, found: Sequence[Item], mine: Mapping[Span, int]) -> Front:
        """Rows by where they are looked up, but those of which both ends are local."""
        out = Front(found)
        sides: dict[tuple[int, int], tuple[list[int], dict[Span, tuple[list[int], list[Told], list[tuple[int, int]]]]]] = {}
        for at, item in enumerate(found):
            side = side_of(item, mine)
            if side is None:
                out.plain.append((out.count, at))
                out.count += 1
                continue
            level, own = side
            order, by = sides.setdefault((level, own), ([], {}))
            if isinstance(item, Entry) and item.box[SRC] in mine and item.box[DST] in mine:
                by.setdefault(item.box[PROTO], ([], [], []))[2].append((len(order), at))
                order.append(out.count)
                out.count += 1
                continue
            found_ = self.block(item, level) if isinstance(item, Block) else (self.row(item, level),)
            for proto, some in _by_proto(found_):
                numbers, rows, _ = by.get(proto) or by.setdefault(proto, ([], [], []))
                numbers += range(len(order), len(order) + len(some))
                rows += some
                order += range(out.count, out.count + len(some))
                out.count += len(some)
        for (level, own), (order, by) in sides.items():
            groups = {p: (self.group(level, p, n, rows) if rows else None, more) for p, (n, rows, more) in by.items()}
            out.sides.append((level, own, order, groups))
        self.held += out.count
        return out

    def group(self, level: int, proto: Span, numbers: Iterable[int], rows: Iterable[Told]) -> Group:
        """Rows of one protocol."""
        key = level, tuple(numbers), tuple(rows)
        found = self.groups.get(key)
        if found is None:
            found = self.groups[key] = Group(level, proto, *key[1:])
            self.held += len(found)
        return found


def _by_proto(rows: Sequence[Told]) -> Iterable[tuple[Span, Sequence[Told]]]:
    """Rows of a rule in turn, those of one protocol together."""
    if rows[0].proto == rows[-1].proto:  # they stand in the order of their protocols
        return ((rows[0].proto, rows),)
    return [(row.proto, (row,)) for row in rows]


@lru_cache(maxsize=1)
def _common() -> _Common:
    return _Common()


def _locals(found: Iterable[Item], spans: Sequence[Span]) -> frozenset[Span]:
    """The ends that are local."""
    ends_ = {end for item in found if isinstance(item, Block) for level in (DST, SRC) for end in item.sets[level]}
    for box in (item.box for item in found if isinstance(item, Entry)):
        ends_.add(box[DST])
        ends_.add(box[SRC])
    if all(low == high for low, high in spans):
        return frozenset(ends_.intersection(spans))
    return frozenset(end for end in ends_ if piece_of(end, spans))


def _singly(found: Iterable[Item], local: frozenset[Span]) -> Iterator[Item]:
    """Rows, and those blocks of which all rows have one local end."""
    for item in found:
        if isinstance(item, Block):
            to, start = item.sets[DST], item.sets[SRC]
            if (len(to) > 1 or to[0] not in local) and (
                len(start) > 1 or start[0] not in local or not local.isdisjoint(to)
            ):
                yield from item.rows()
                continue
        yield item


def _face(rows: Faced, spans: Sequence[Span]) -> Face | None:
    """The face of rows, where each of them is looked up at the address of it."""
    face, lone = rows.face, all(low == high for low, high in spans)
    if not piece_of((face.own, face.own), spans):
        return None
    for group in face.groups.values():
        if not group.once(whole):
            return None
        if group.level == SRC:  # a row towards another own address is looked up there
            found = group.once(ends)
            if not found.isdisjoint(spans) or (not lone and any(piece_of(end, spans) for end in found)):
                return None
    return face


def whole(group: Group) -> bool:
    """Whether its rows ask for no flags and are of whole packets."""
    if group.parts:
        return all(group.each(whole))
    _, _, _, flags, parts = columns(group)
    return flags.count(ANY_BIT) == parts.count(_WHOLE) == len(group)


def _sayable(found: Iterable[Item]) -> bool:
    """The same of all rows, none of which is a reply."""
    blocks = [item for item in found if isinstance(item, Block)]
    rows = [item for item in found if isinstance(item, Entry)] if blocks else found
    boxes = list(map(_BOX, rows))
    return (
        {ANY_BIT}.issuperset(map(itemgetter(FLAG), boxes))
        and {_WHOLE}.issuperset(map(itemgetter(FRAG), boxes))
        and all((*block.sets[FLAG], *block.sets[FRAG]) == (ANY_BIT, _WHOLE) for block in blocks)
        and not any(map(_REPLY, [*rows, *(block.like for block in blocks)] if blocks else rows))
    )


def _whole(rows: Iterable[Entry]) -> Iterator[Entry]:
    """The rows for whole packets; what they say of fragments must be the deny that stands first in the text. The rule of
    replies does not log."""
    for entry in rows:
        if entry.box[FLAG] != ANY_BIT:
            raise cannot(entry, "a table that remembers connections does not ask for TCP flags")
        if entry.box[FRAG][1] and entry.permit:
            raise cannot(entry, "fragments are judged whole, after they are put together")
        if entry.box[FRAG][0] == 0:
            rule = replace(entry.rule, log=False) if entry.reply and entry.rule.log else entry.rule
            yield Entry(entry.permit, change(entry.box, FRAG, _WHOLE), rule)


def cannot(entry: Entry, why: str) -> Refused:
    """The refusal of a row that the table of a host cannot hold."""
    detail = f'The rule "{entry.rule.name}" gives a row that the table cannot hold: {why}. Nothing was rendered.'
    return refuse("Row that cannot be written", detail, entry.rule.place)
