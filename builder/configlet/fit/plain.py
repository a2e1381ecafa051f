"""Rows of a policy that stand in a list as they are, found once for all gates.

No row of the operator's ahead of such a row shares a packet with it. That holds in every gate's list too, as a gate has some
of the rows, each of them whole or cut; so no list need ask again whether it is hidden there, or crosses a deny as a reply.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from configlet.model.block import Block, Sets, sets_of
from configlet.model.net import Family, Span, Spans
from configlet.model.policy import DPORT, DST, FRAG
from configlet.packets.apart import doubtful
from configlet.packets.axis import Runs
from configlet.packets.blocks import Item, rule_of
from configlet.packets.boxes import full
from configlet.packets.entries import WHOLE
from configlet.packets.near import BROAD, FEW, Near
from configlet.packets.sets import within

End = Span | Spans
"""One end of a row, or of a block."""
_PORTED = ((6, 6), (17, 17))
MET = 32
"""Rows that meet others, from which it counts whether they are most of those that were looked at."""


class Plain(NamedTuple):
    """The plain rows of what the operator wrote in one realm and family, by their number there."""

    starts: frozenset[int]
    """Of the initiations."""
    answers: frozenset[int]
    """Those of them of which the one reply is plain too."""


def plain(family: Family, rows: Sequence[Item]) -> Plain:
    """The plain rows among some. A row that has all addresses and stands behind all others is not looked at: it would be
    everybody's neighbour."""
    stop, every = len(rows), ((full(family)[DST],),) * 2
    while stop and sets_of(rows[stop - 1])[DST:DPORT] == every:
        stop -= 1
    starts = [number for number in _first(rows[:stop]) if _written(rows[number])]
    answers = _Answers(sets_of(row) for row in rows if row.permit and _broad(row))
    return Plain(frozenset(starts), frozenset(n for n in starts if rows[n].permit and answers.plain(rows[n])))


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


def _first(rows: Sequence[Item]) -> Iterator[int]:
    """The numbers of the rows that share no packet with one ahead of them; where most that could do, as far as was looked."""
    if not rows:
        return
    protos, targets, sources, ports = zip(*map(_seen, rows), strict=True)
    groups = _groups(targets, sources)
    by: dict[Span, list[int]] = {}
    for number, proto in enumerate(protos):
        by.setdefault(proto, []).append(number)
    doubts = doubtful(by, [(group, group) for group in groups], ports)
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


def _seen(row: Item) -> tuple[Span, End, End, Span]:
    """The protocol and both ends of a row, and its ports; of a block from the first to the last."""
    if isinstance(row, Block):
        protos, to, start, dports, *_ = row.sets
        return (protos[0][0], protos[-1][1]), to, start, (dports[0][0], dports[-1][1])
    proto, dst, src, dport, *_ = row.box
    return proto, dst, src, dport


def _groups(targets: Sequence[End], sources: Sequence[End]) -> list[int]:
    """A number for each row: those of two numbers share no packet, as one end of them lies in runs of addresses apart."""
    to, start = _runs(targets), _runs(sources)
    pairs: dict[tuple[int, int], int] = {}
    return [pairs.setdefault((to[dst], start[src]), len(pairs)) for dst, src in zip(targets, sources, strict=True)]


def _runs(ends: Iterable[End]) -> dict[End, int]:
    distinct = {end: spans_of(end) for end in set(ends)}
    numbers = Runs(distinct.values()).numbers
    return {end: numbers[spans] for end, spans in distinct.items()}


def spans_of(end: End) -> Spans:
    """An end as a set of addresses: of a row it is one interval, of a block several."""
    return end if isinstance(end[0], tuple) else (end,)


class _Answers:
    """Whether no initiation passes the replies of another, seen at the ports. ``wide``: initiations that ask for many."""

    __slots__ = ("_known", "_near")

    def __init__(self, wide: Iterable[Sets]) -> None:
        self._near = Near(tuple(wide))
        self._known: dict[tuple[End, End], Sequence[Spans] | None] = {}

    def plain(self, row: Item) -> bool:
        """Of an initiation of TCP or UDP that no row ahead of it shares a packet with: such a row has no reply among denies."""
        dst: End
        src: End
        if isinstance(row, Block):
            (proto, *more), dst, src, _, (ports, *others), *_ = row.sets
            if more or others:
                return False
        else:
            proto, dst, src, _, ports, _, _ = row.box
        if proto not in _PORTED or ports[1] - ports[0] < BROAD:
            return False
        if not self._near.rows:
            return True
        ends = src, dst
        if ends not in self._known:
            self._known[ends] = self._ports(spans_of(src), spans_of(dst))
        known = self._known[ends]
        return known is not None and not any(within((ports,), other) for other in known)

    def _ports(self, dst: Spans, src: Spans) -> Sequence[Spans] | None:
        """The ports of initiations between the ends of a reply, where they are many; None where they are too many."""
        found = {self._near.rows[number][DPORT] for number in self._near.between(dst, src)}
        return tuple(found) if len(found) <= FEW else None
