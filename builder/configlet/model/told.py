"""Rows of a host's table with the host's own end left out, found once for all hosts of which the policy says them.

The rows of one address stand in groups, by the side on which the address is and by protocol; what one prefix has in common
is the same group for each of its hosts, and what is made of a group (``known``) is made once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from operator import attrgetter, itemgetter
from typing import Any, TypeVar

from configlet.model.block import Block, Listed
from configlet.model.net import Span
from configlet.model.policy import DST, SRC, Entry, Rule

T = TypeVar("T")
Item = Entry | Block[Entry]
Key = tuple[Span, Span, Span, Span, Span]
"""What a row says besides its protocol and the end that is left out: the other end, dport, sport, flags, fragments."""


class Told:
    """A row with one end left out. Known by its identity: a rule's row is the same for every address there."""

    __slots__ = ("key", "level", "permit", "proto", "rule")

    def __init__(self, level: int, permit: bool, proto: Span, key: Key, rule: Rule) -> None:
        self.level = level
        self.permit = permit
        self.proto = proto
        self.key = key
        self.rule = rule

    def at(self, own: Span) -> Entry:
        """The row of a host with this address."""
        other, dport, sport, flag, part = self.key
        ends = (own, other) if self.level == DST else (other, own)
        return Entry(self.permit, (self.proto, *ends, dport, sport, flag, part), self.rule)


def told(entry: Entry, level: int) -> Told:
    """A row that passes initiations, without its end at ``level``."""
    proto, dst, src, dport, sport, flag, part = entry.box
    return Told(level, entry.permit, proto, (src if level == DST else dst, dport, sport, flag, part), entry.rule)


class Group:
    """Rows of one protocol towards an address (``level`` DST) or from it (SRC), in order; ``numbers`` say where each stands
    among those of all groups. ``parts``: the groups that it was made of, of which most is known; ``mixed``: at which places the
    rows of the second of two stand, where all others are those of the first."""

    __slots__ = ("_rows", "known", "level", "mixed", "numbers", "parts", "proto")

    def __init__(
        self, level: int, proto: Span, numbers: Sequence[int], rows: Sequence[Told] | None, parts: Sequence[Group] = (),
        mixed: Sequence[int] = (),
    ) -> None:  # fmt: skip
        self.level, self.proto, self.numbers, self._rows, self.parts, self.mixed = level, proto, numbers, rows, parts, mixed
        self.known: dict[object, Any] = {}
        """What was made of these rows, for as long as they are held."""

    @property
    def rows(self) -> Sequence[Told]:
        """The rows one by one; most groups are only asked for what all of them say."""
        if self._rows is None:
            made = self.put(_ROWS) if self.mixed else map(
                Told, repeat(self.level), passes(self), repeat(self.proto), zip(*columns(self), strict=True), rules(self)
            )  # fmt: skip
            self._rows = tuple(made)
        return self._rows

    def row(self, at: int) -> Told:
        """The row at a place."""
        if self._rows is None and self.mixed:
            before = bisect_left(self.mixed, at)
            mine = before < len(self.mixed) and self.mixed[before] == at
            return self.parts[1].row(before) if mine else self.parts[0].row(at - before)
        return self.rows[at]

    def __len__(self) -> int:
        return len(self.numbers)

    def put(self, make: Callable[[Group], Sequence[T]]) -> list[T]:
        """Of two groups what a function says of each row, where the rows of the second are put among those of the first."""
        first, second = self.parts
        found = list(make(first))
        for place, one in zip(self.mixed, make(second), strict=True):
            found.insert(place, one)
        return found

    def once(self, make: Callable[[Group], T]) -> T:
        """What a function of the module finds of these rows."""
        found: Any = self.known.get(make, self)
        if found is self:
            found = make(self)
            if found is not self:  # or it would be held by itself, and never let go of
                self.known[make] = found
        return found  # type: ignore[no-any-return]

    def each(self, make: Callable[[Group], T]) -> list[T]:
        """The same of each group that it was made of."""
        return [part.once(make) for part in self.parts]


def in_turn(group: Group) -> Sequence[Group]:
    """The two groups that it was made of, where all rows of one stand ahead of those of the other; none else."""
    if len(group.parts) != 2:
        return ()
    one, other = group.parts
    if one.numbers[-1] < other.numbers[0]:
        return one, other
    return (other, one) if other.numbers[-1] < one.numbers[0] else ()


def places(group: Group, make: Callable[[Group], Sequence[int]]) -> Sequence[int] | None:
    """The places that a function finds, from those of two groups in turn; None where it is not made of such."""
    turn = group.once(in_turn)
    if not turn:
        return None
    first, second = turn
    ahead, behind = first.once(make), second.once(make)
    return (*ahead, *map(len(first).__add__, behind)) if behind else ahead


def of_columns(
    level: int, proto: Span, numbers: Sequence[int], said: Sequence[Sequence[Span]], of: Sequence[Rule], permits: Sequence[bool]
) -> Group:
    """Rows by what they say, column by column, as ``columns`` gives it; the rules of all, and which of them permit."""
    group = Group(level, proto, numbers, None)
    shut = () if all(permits) else tuple([at for at, permit in enumerate(permits) if not permit])
    group.known = {columns: tuple(said), rules: of, denies: shut}
    return group


def columns(group: Group) -> tuple[tuple[Span, ...], ...]:
    """What rows say: other ends, dports, sports, flags, fragments."""
    found: tuple[tuple[Span, ...], ...] | None = group.known.get(columns)
    if found is None:
        if group.mixed:
            found = tuple([tuple(group.put(lambda one, at=at: columns(one)[at])) for at in range(5)])  # type: ignore[misc]
        else:
            found = tuple(zip(*[row.key for row in group.rows], strict=True))
        group.known[columns] = found
    return found


def rules(group: Group) -> Sequence[Rule]:
    """The rule of each row."""
    found: Sequence[Rule] | None = group.known.get(rules)
    if found is None:
        found = group.known[rules] = group.put(rules) if group.mixed else [row.rule for row in group.rows]
    return found


def passes(group: Group) -> Sequence[bool]:
    """Whether each row permits."""
    out = [True] * len(group)
    for at in group.once(denies):
        out[at] = False
    return out


def ends(group: Group) -> frozenset[Span]:
    """The other ends of its rows."""
    return frozenset().union(*group.each(ends)) if group.parts else frozenset(columns(group)[0])


def denies(group: Group) -> tuple[int, ...]:
    """The places of its denies."""
    if group.parts and not any(group.each(denies)):
        return ()
    found = places(group, denies)
    if found is None:
        permits = group.put(passes) if group.mixed else [row.permit for row in group.rows]
        found = [at for at, permit in enumerate(permits) if not permit]
    return tuple(found)


Groups = Mapping[tuple[int, Span], Group]
"""By side and protocol."""


class Face:
    """All rows of one address, in groups. ``observes``: whether some may be of rules that only observe; ``apart``: somebody saw
    that no two of one side share a packet."""

    __slots__ = ("apart", "groups", "known", "observes", "own")

    def __init__(self, own: int, groups: Groups, *, observes: bool = True, apart: bool = False) -> None:
        self.own, self.groups, self.observes, self.apart = own, groups, observes, apart
        self.known: dict[object, Any] = {}
        """What was found of all of them, as of a group."""

    def __len__(self) -> int:
        return sum(map(len, self.groups.values()))

    def entries(self) -> Iterator[Entry]:
        """The rows in order."""
        own = self.own, self.own
        numbers = chain.from_iterable(group.numbers for group in self.groups.values())
        rows = chain.from_iterable(group.rows for group in self.groups.values())
        return (row.at(own) for _, row in sorted(zip(numbers, rows, strict=True), key=_FIRST))


_FIRST, _ROWS = itemgetter(0), attrgetter("rows")


class Faced(Listed[Entry]):
    """The rows of a host of which those behind its ``head`` are of one address. They are made when somebody looks."""

    __slots__ = ("_all", "face", "head")

    def __init__(self, head: Sequence[Item], face: Face) -> None:
        self.head, self.face = tuple(head), face
        self._all: tuple[Item, ...] | None = None
        self._length = -1

    @property
    def items(self) -> tuple[Item, ...]:
        """Those of the head, blocks as blocks, and the others one by one."""
        if self._all is None:
            self._all = (*self.head, *self.face.entries())
        return self._all

    def __len__(self) -> int:
        if self._length < 0:
            self._length = sum(item.count if isinstance(item, Block) else 1 for item in self.head) + len(self.face)
        return self._length


def faces(found: Sequence[Entry], own: int) -> Face:
    """Single rows, each towards an address or from it, as a face."""
    span = own, own
    groups: dict[tuple[int, Span], tuple[list[int], list[Told]]] = {}
    for number, entry in enumerate(found):
        level = DST if entry.box[DST] == span else SRC
        numbers, rows = groups.setdefault((level, entry.box[0]), ([], []))
        numbers.append(number)
        rows.append(told(entry, level))
    return Face(own, {place: Group(*place, *of) for place, of in groups.items()})
