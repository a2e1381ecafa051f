"""The policy at one address of a host, put together from what each prefix around the address has in common."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter, itemgetter
from typing import Any

from configlet.fit.clip import Whole
from configlet.model.block import Block
from configlet.model.net import Span, Spans
from configlet.model.policy import ANY_PROTO, DST, PROTO, SRC, WRITTEN, Entry, written_from
from configlet.model.told import Face, Group, Told, of_columns, told
from configlet.packets.blocks import Item, cut, rule_of

MOST = 32_768
"""Rows of prefixes that are remembered."""
MANY = 64
"""Rows for which a block may stand at an address to be looked at one by one."""
FEW = 8
"""Rows that are put into a longer list one by one."""
_FIRST, _BOX, _RULE, _PERMIT = itemgetter(0), attrgetter("box"), attrgetter("rule"), attrgetter("permit")
Place = tuple[int, Span]


class _Prefix:
    """The rows of which an end is all of a prefix, in groups; ``odd`` are the numbers of those of which one is a part of it."""

    __slots__ = ("groups", "odd")

    def __init__(self, groups: dict[Place, Group], odd: Sequence[int]) -> None:
        self.groups, self.odd = groups, odd


class Facing:
    """What a policy says of single addresses: what the network needs and keeps closed (``network``), and from the first rule on
    that the operator wrote (``written``)."""

    def __init__(self, policy: Sequence[Item]) -> None:
        at = written_from(map(rule_of, policy))
        self.network, self.written = Whole(policy[:at]), Whole(policy[at:])
        self.items = self.written.items
        origins = {rule_of(item).origin for item in self.items}
        self.settled = origins <= WRITTEN
        """Whether nothing of the network's stands behind what the operator wrote."""
        self.observes = "observe" in origins
        self._prefixes: dict[tuple[int, int, int], _Prefix] = {}
        self._joined: dict[tuple[int, int], tuple[Group, Group, Group]] = {}
        self._held = 0

    def of(self, one: int) -> Face | None:
        """What the operator wrote of an address, as ``Whole.at`` gives it, and one by one. None where that would be too many
        rows of one rule."""
        if not self.settled:
            return None
        groups: dict[Place, Group] = {}
        for level in (DST, SRC):
            for shift, prefix in self._around(level, one):
                found = prefix.groups.items()
                odd = self._odd(level, one, shift, prefix.odd) if prefix.odd else ()
                if odd is None:
                    return None
                for place, group in (*found, *odd):
                    there = groups.get(place)
                    groups[place] = self._with(there, group, keep=bool(shift and not odd)) if there else group
        return Face(one, groups, observes=self.observes)

    def _around(self, level: int, one: int) -> Iterator[tuple[int, _Prefix]]:
        """The prefixes around an address that have rows, the broadest first."""
        blocks = self.written.axis(level).blocks
        for shift in sorted(blocks, reverse=True):
            at = one >> shift
            numbers = blocks[shift].get(at)
            if numbers is None:
                continue
            key = level, shift, at
            known = self._prefixes.get(key)
            if known is None:
                every = [numbers] if isinstance(numbers, int) else numbers
                known = self._prefix(level, (at << shift, ((at + 1) << shift) - 1), every)
                if shift:
                    self._keep(len(every))
                    self._prefixes[key] = known
            yield shift, known

    def _prefix(self, level: int, span: Span, numbers: Sequence[int]) -> _Prefix:
        found = list(map(self.items.__getitem__, numbers))
        if set(map(type, found)) == {Entry}:
            protos, *said = zip(*map(_BOX, found), strict=True)
            if said.pop(level - DST).count(span) == len(found):
                turn = _turn(0, level)
                places = [2 * MANY * number + turn for number in numbers]
                columns = [*said, list(map(_RULE, found)), list(map(_PERMIT, found))]
                return _Prefix(dict(_columned(level, protos, places, columns)), ())
        exact, odd = _By(), list[int]()
        for number, item in zip(numbers, found, strict=True):
            if isinstance(item, Entry):
                pieces: Sequence[Item] = (item,) if item.box[level] == span else ()
            else:
                pieces = list(cut(item, level, (span,))) if span in item.sets[level] else ()
            if pieces and all(map(_small, pieces)):
                _put(exact, _each(number, level, pieces))
            else:
                odd.append(number)
        return _Prefix(dict(_groups(level, exact)), list(dict.fromkeys(odd)))

    def _odd(self, level: int, one: int, shift: int, numbers: Iterable[int]) -> Sequence[tuple[Place, Group]] | None:
        """Those of some rows of a prefix that have an address there; None where one is a large block."""
        out = _By()
        for number in numbers:
            item = self.items[number]
            if isinstance(item, Block) and not _stands(item.sets[level], one, shift):
                continue
            pieces = list(cut(item, level, ((one, one),)))
            if not all(map(_small, pieces)):
                return None
            _put(out, _each(number, level, pieces))
        return list(_groups(level, out))

    def _with(self, one: Group, other: Group, *, keep: bool) -> Group:
        """Two groups as one; ``keep``: others will ask for the same."""
        key = id(one), id(other)
        known = self._joined.get(key)
        if known:
            return known[2]
        made = joined(one, other)
        if keep:
            self._keep(len(made))
            self._joined[key] = one, other, made
        return made

    def _keep(self, count: int) -> None:
        """Make room for more rows."""
        self._held += count
        if self._held > MOST:
            self._prefixes.clear()
            self._joined.clear()
            self._held = count


def _stands(spans: Spans, one: int, shift: int) -> bool:
    """Whether it is at the prefix of this size that an address is among some ends: there may be others at prefixes around it."""
    return any(low <= one <= high and (low ^ high).bit_length() == shift for low, high in spans)


def _turn(number: int, level: int) -> int:
    """Where the rows of an item of the policy stand: each towards an address, then from it."""
    return MANY * (2 * number + (level == SRC))


def _small(item: Item) -> bool:
    """Whether the rows of an item are looked at one by one: few, and of one protocol or of all."""
    if not isinstance(item, Block):
        return True
    return item.count <= MANY and all(low == high or (low, high) == ANY_PROTO for low, high in item.sets[PROTO])


def _each(number: int, level: int, pieces: Iterable[Item]) -> list[tuple[int, Told]]:
    """The rows of an item that was cut to an address, one by one."""
    rows = [row for piece in pieces for row in (piece.rows() if isinstance(piece, Block) else (piece,))]
    return [(at, told(row, level)) for at, row in enumerate(rows, _turn(number, level))]


_By = dict[Span, tuple[list[int], list[Told]]]
"""Rows by protocol, with the number of each."""


def _put(found: _By, rows: Iterable[tuple[int, Told]]) -> None:
    for number, row in rows:
        numbers, some = found.setdefault(row.proto, ([], []))
        numbers.append(number)
        some.append(row)


def _columned(
    level: int, protos: Sequence[Span], places: Sequence[int], said: Sequence[Sequence[Any]]
) -> Iterator[tuple[Place, Group]]:
    """Rows by protocol: the place of each, and column by column what they say, their rules, and whether they permit."""
    by: dict[Span, list[int]] = {}
    for at, proto in enumerate(protos):
        by.setdefault(proto, []).append(at)
    for proto, rows in by.items():
        pick = itemgetter(*rows) if len(rows) > 1 else lambda column, at=rows[0]: (column[at],)
        *columns, rules, permits = map(pick, said) if len(by) > 1 else said
        yield (level, proto), of_columns(level, proto, pick(places) if len(by) > 1 else places, columns, rules, permits)


def _groups(level: int, found: _By) -> Iterator[tuple[Place, Group]]:
    return (((level, proto), Group(level, proto, tuple(of[0]), tuple(of[1]))) for proto, of in found.items())


def joined(one: Group, other: Group) -> Group:
    """The rows of both in order; no number is in both."""
    few, many = (one, other) if len(one) < len(other) else (other, one)
    if len(few) > FEW:
        both = sorted(zip((*one.numbers, *other.numbers), (*one.rows, *other.rows), strict=True), key=_FIRST)
        numbers, rows = zip(*both, strict=True)
        return Group(one.level, one.proto, numbers, rows, (many, few))
    order, places = list(many.numbers), list[int]()
    for number in few.numbers:
        at = bisect_left(order, number)
        order.insert(at, number)
        places.append(at)
    return Group(one.level, one.proto, order, None, (many, few), places)
