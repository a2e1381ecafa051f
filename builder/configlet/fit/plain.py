"""Rows of a policy that stand in a list as they are, found once for all gates.

No row of the operator's ahead of such a row shares a packet with it. That holds in every gate's list too, as a gate has some
of the rows, each of them whole or cut; so no list need ask again whether it is hidden there, or crosses a deny as a reply.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter, itemgetter
from typing import NamedTuple

from configlet.model.block import Block, Sets, sets_of
from configlet.model.net import Family, Span, Spans
from configlet.model.policy import DPORT, DST, FRAG, PROTO, SRC, Entry
from configlet.packets.apart import doubtful
from configlet.packets.axis import Runs
from configlet.packets.blocks import Item, rule_of
from configlet.packets.boxes import full
from configlet.packets.entries import WHOLE
from configlet.packets.near import BROAD, FEW, Near
from configlet.packets.sets import within

End = Span | Spans
"""One end of a row, or of a block."""
Pair = tuple[End, End]
"""The destination and the source of a row."""
_PORTED = ((6, 6), (17, 17))
_BOX, _BOTH = attrgetter("box"), itemgetter(DST, SRC)
MET = 32
"""Rows that meet others, from which it counts whether they are most of those that were looked at."""


class Plain(NamedTuple):
    """The plain rows of what the operator wrote in one realm and family, by their number there."""

    starts: frozenset[int]
    """Of the initiations."""
    answers: frozenset[int]
    """Those of them of which the one reply is plain too."""
    ends: Sequence[Pair]
    """The ends of all rows, each pair once."""
    pairs: Sequence[int]
    """Which of these each row has."""


def plain(family: Family, rows: Sequence[Item]) -> Plain:
    """The plain rows among some. A row that has all addresses and stands behind all others is not looked at: it would be
    everybody's neighbour."""
    stop, every = len(rows), ((full(family)[DST],),) * 2
    while stop and sets_of(rows[stop - 1])[DST:DPORT] == every:
        stop -= 1
    known: dict[Pair, int] = {}
    pairs = [known.setdefault(both, len(known)) for both in ends_of(rows)]
    ends, ports = tuple(known), list(map(_ports, rows))
    starts = [number for number in _first(rows[:stop], ends, pairs, ports) if _written(rows[number])]
    wide = [number for number, (low, high) in enumerate(ports) if high - low >= BROAD]
    asked = _Answers(ends, (sets_of(row) for row in map(rows.__getitem__, wide) if row.permit and _broad(row)))
    answers = [number for number in starts if rows[number].permit and asked.plain(rows[number], pairs[number])]
    return Plain(frozenset(starts), frozenset(answers), ends, pairs)


def ends_of(rows: Sequence[Item]) -> list[Pair]:
    """The destination and the source of each row."""
    if Block not in set(map(type, rows)):
        return list(map(_BOTH, map(_BOX, rows)))
    return [_BOTH(row.sets if isinstance(row, Block) else row.box) for row in rows]


def _written(row: Item) -> bool:
    """Whether a list has a row whatever stands behind it, and it speaks of whole packets."""
    whole = row.sets[FRAG] == (WHOLE,) if isinstance(row, Block) else row.box[FRAG] == WHOLE
    return whole and (row.permit or rule_of(row).origin == "policy")


def _broad(row: Item) -> bool:
    """Whether a row asks for many ports."""
    if isinstance(row, Block):
        return any(high - low >= BROAD for low, high in row.sets[DPORT])
    low, high = row.box[DPORT]
    return high - low >= BROAD


def _first(rows: Sequence[Item], ends: Sequence[Pair], pairs: Sequence[int], ports: Sequence[Span]) -> Iterator[int]:
    """The numbers of the rows that share no packet with one ahead of them; where most that could do, as far as was looked."""
    if not rows:
        return
    by: dict[Span, list[int]] = {}
    for number, row in enumerate(rows):
        by.setdefault(_proto(row) if isinstance(row, Block) else row.box[PROTO], []).append(number)
    runs = _groups(ends)
    groups = list(map(runs.__getitem__, pairs[: len(rows)]))
    spans = [(number, number) for number in range(len(ends))]
    doubts = doubtful(by, list(map(spans.__getitem__, groups)), ports)
    yield from (number for number in range(len(rows)) if number not in doubts)
    together: dict[int, list[int]] = {}
    for number in sorted(doubts):
        together.setdefault(groups[number], []).append(number)
    asked = met = 0
    for numbers in together.values():
        near = Near([sets_of(rows[number]) for number in numbers])
        for at, number in enumerate(numbers):
            if met >= MET and met * 2 >= asked:
                return
            asked += 1
            if near.earlier(at):
                met += 1
            else:
                yield number


def _proto(row: Block[Entry]) -> Span:
    """From the first protocol to the last."""
    return row.sets[PROTO][0][0], row.sets[PROTO][-1][1]


def _ports(row: Item) -> Span:
    """The ports of a row; of a block from the first to the last."""
    return (row.sets[DPORT][0][0], row.sets[DPORT][-1][1]) if isinstance(row, Block) else row.box[DPORT]


def _groups(ends: Sequence[Pair]) -> list[int]:
    """A number for each two ends: those of two numbers share no packet, as one end of them lies in runs of addresses apart."""
    to, start = (_runs(both[at] for both in ends) for at in range(2))
    groups: dict[tuple[int, int], int] = {}
    return [groups.setdefault((to[dst], start[src]), len(groups)) for dst, src in ends]


def _runs(ends: Iterable[End]) -> dict[End, int]:
    distinct = {end: spans_of(end) for end in dict.fromkeys(ends)}
    numbers = Runs(distinct.values()).numbers
    return {end: numbers[spans] for end, spans in distinct.items()}


def spans_of(end: End) -> Spans:
    """An end as a set of addresses: of a row it is one interval, of a block several."""
    return end if isinstance(end[0], tuple) else (end,)


class _Answers:
    """Whether no initiation passes the replies of another, seen at the ports. ``wide``: initiations that ask for many."""

    __slots__ = ("_ends", "_known", "_near")

    def __init__(self, ends: Sequence[Pair], wide: Iterable[Sets]) -> None:
        self._ends, self._near = ends, Near(tuple(wide))
        self._known: dict[tuple[int, Span], bool] = {}

    def plain(self, row: Item, pair: int) -> bool:
        """Of an initiation of TCP or UDP that no row ahead of it shares a packet with: such a row has no reply among denies.
        ``pair``: the number of its ends."""
        if isinstance(row, Block):
            (proto, *more), _, _, _, (ports, *others), *_ = row.sets
            if more or others:
                return False
        else:
            proto, _, _, _, ports, _, _ = row.box
        if proto not in _PORTED or ports[1] - ports[0] < BROAD:
            return False
        if not self._near.rows:
            return True
        found = self._known.get((pair, ports))
        if found is None:
            dst, src = self._ends[pair]
            known = self._ports(spans_of(src), spans_of(dst))
            found = known is not None and not any(within((ports,), other) for other in known)
            self._known[pair, ports] = found
        return found

    def _ports(self, dst: Spans, src: Spans) -> Sequence[Spans] | None:
        """The ports of initiations between the ends of a reply, where they are many; None where they are too many."""
        found = {self._near.rows[number][DPORT] for number in self._near.between(dst, src)}
        return tuple(found) if len(found) <= FEW else None
