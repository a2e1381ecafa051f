"""Rows of a policy that stand in a list as they are, found once for all gates.

No row of the operator's ahead of such a row shares a packet with it. That holds in every gate's list too, as a gate has some
of the rows, each of them whole or cut; so no list need ask again whether it is hidden there, or crosses a deny as a reply. One
that shares packets with rows ahead of it, and lies in none of them, stands as it is in lists that have all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, count
from operator import attrgetter, ge, itemgetter, not_
from typing import NamedTuple

from configlet.fit.units import ICMPS
from configlet.model.block import Block, Sets, sets_of
from configlet.model.net import Family, Span, Spans, merge
from configlet.model.policy import DPORT, DST, PROTO, SPORT, SRC, Box
from configlet.packets.axis import Runs
from configlet.packets.blocks import Item, rule_of
from configlet.packets.boxes import full
from configlet.packets.entries import WHOLE
from configlet.packets.near import BROAD, FEW, Near
from configlet.packets.sets import inside, touch, within

End = Span | Spans
"""One end of a row, or of a block."""
Pair = tuple[End, End]
"""The destination and the source of a row."""
_PORTED = ((6, 6), (17, 17))
_BOX, _PERMIT, _BOTH = attrgetter("box"), attrgetter("permit"), itemgetter(DST, SRC)
_MANY = 256
"""The place of a row of several protocols or many ports among those of its group, behind all protocols."""
MET = 32
"""Rows that meet others, from which it counts whether they are most of those that were looked at."""


class Plain(NamedTuple):
    """Which rows are plain of what the operator wrote in one realm and family, by their number there."""

    odd: frozenset[int]
    """The initiations that are not."""
    met: frozenset[int]
    """Those that are as long as a list has all of them: each shares packets with a row ahead of it, and lies in none."""
    crossing: frozenset[int]
    """The permits of which a reply may cross a deny."""
    loud: frozenset[int]
    """Those among the other ones that have not one reply, or of which an initiation may pass the reply."""
    types: frozenset[int]
    """The rows of ICMP."""
    ends: Sequence[Pair]
    """The ends of all rows, each pair once."""
    pairs: Sequence[int]
    """Which of these each row has."""


class _Columns(NamedTuple):
    """What all rows say beside their ends; of a block what is around it."""

    protos: Sequence[Span] = ()
    dsts: Sequence[Span] = ()
    srcs: Sequence[Span] = ()
    dports: Sequence[Span] = ()
    sports: Sequence[Span] = ()
    flags: Sequence[Span] = ()
    fragments: Sequence[Span] = ()


def plain(family: Family, rows: Sequence[Item]) -> Plain:
    """The plain rows among some. A row that has all addresses and stands behind all others is not looked at: it would be
    everybody's neighbour."""
    stop, every = len(rows), ((full(family)[DST],),) * 2
    while stop and sets_of(rows[stop - 1])[DST:DPORT] == every:
        stop -= 1
    said = _Columns(*zip(*around(rows), strict=True))
    known: dict[Pair, int] = {}
    each = ends_of(rows) if Block in set(map(type, rows)) else zip(said.dsts, said.srcs, strict=True)
    pairs = [known.setdefault(both, len(known)) for both in each]
    ends = tuple(known)
    hidden, met, crossing = _later(rows[:stop], ends, pairs, said)
    beyond = {*range(stop, len(rows))}
    if said.fragments.count(WHOLE) < len(rows):
        beyond.update(number for number, found in enumerate(said.fragments) if found != WHOLE)
    permits = list(map(_PERMIT, rows))
    crossing = {number for number in beyond | crossing if permits[number]}
    loud = {number for number in _loud(rows, ends, pairs, said) if permits[number]} - crossing
    unwritten = [n for n in compress(count(), map(not_, permits)) if rule_of(rows[n]).origin != "policy"]
    odd = beyond.union(hidden, unwritten)  # a list may do without the latter, depending on what stands behind them
    types = () if ICMPS.isdisjoint(said.protos) else [n for n, proto in enumerate(said.protos) if proto in ICMPS]
    return Plain(frozenset(odd), frozenset(met - odd), frozenset(crossing), frozenset(loud), frozenset(types), ends, pairs)


def around(rows: Sequence[Item]) -> Sequence[Box]:
    """The box of each row, and the one around a block."""
    if Block not in set(map(type, rows)):
        return list(map(_BOX, rows))
    return [tuple((s[0][0], s[-1][1]) for s in row.sets) if isinstance(row, Block) else row.box for row in rows]  # type: ignore[misc]


def ends_of(rows: Sequence[Item]) -> list[Pair]:
    """The destination and the source of each row."""
    if Block not in set(map(type, rows)):
        return list(map(_BOTH, map(_BOX, rows)))
    return [_BOTH(row.sets if isinstance(row, Block) else row.box) for row in rows]


def _later(
    rows: Sequence[Item], ends: Sequence[Pair], pairs: Sequence[int], said: _Columns
) -> tuple[set[int], set[int], set[int]]:
    """The numbers of the rows that lie in one ahead of them, of all that share a packet with one, and of those that share one
    with what has denies among its replies; where most that could do, of all further ones that could."""
    groups = list(map(_groups(ends).__getitem__, pairs[: len(rows)]))
    together: dict[int, list[int]] = {}
    for number in sorted(_doubtful(groups, said)):
        together.setdefault(groups[number], []).append(number)
    hidden, met, crossing = set[int](), set[int](), set[int]()
    asked = 0
    for numbers in together.values():
        near = Near([sets_of(rows[number]) for number in numbers])
        for at, number in enumerate(numbers):
            if len(met) >= MET and len(met) * 2 >= asked:
                hidden.add(number)
                crossing.add(number)
                continue
            asked += 1
            ahead = near.earlier(at)
            if ahead:
                met.add(number)
            if any(inside(near.rows[at], near.rows[one]) for one in ahead):
                hidden.add(number)
            if not all(rows[numbers[one]].permit and _of_one(near.rows[one][PROTO]) for one in ahead):
                crossing.add(number)  # among the replies to a permit of several protocols are denies
    return hidden, met, crossing


def _of_one(protos: Spans) -> bool:
    return protos[0][0] == protos[-1][1]


def _doubtful(groups: Sequence[int], said: _Columns) -> set[int]:
    """The rows that could share a packet with another one: in the same group of ends, of the same protocol and of ports that
    hang together. Of several protocols or very many ports a row could share one with all of its group."""
    begins, finals, broad = list[int](), list[int](), set[int]()
    for group, (first, last), (low, high) in zip(groups, said.protos, said.dports, strict=False):
        if first == last and high - low < BROAD:
            place = group << 25 | first << 16
        else:
            place = group << 25 | _MANY << 16
            broad.add(group)
        begins.append(place | low)
        finals.append(place | high)
    lows, highs = sorted(begins), sorted(finals)
    # Where as many have ended as began before a place, none reaches from one side of it to the other.
    hanging = {lows[at + one] for at in compress(count(), map(ge, highs, lows[1:])) for one in (0, 1)}
    out = set(compress(count(), map(hanging.__contains__, begins))) if hanging else set[int]()
    if broad:
        some = list(compress(count(), map(broad.__contains__, groups)))
        mixed = {groups[number] for number in some if not begins[number] & _MANY << 16}
        out.update([number for number in some if groups[number] in mixed])
    return out


def _groups(ends: Sequence[Pair]) -> list[int]:
    """A number for each two ends: those of two numbers share no packet, as one end of them lies in runs of addresses apart."""
    to, start = (_runs(map(itemgetter(at), ends)) for at in (0, 1))
    many = len(start)
    return [to[dst] * many + start[src] for dst, src in ends]


def _runs(ends: Iterable[End]) -> dict[End, int]:
    distinct = {end: spans_of(end) for end in dict.fromkeys(ends)}
    numbers = Runs(distinct.values()).numbers
    return {end: numbers[spans] for end, spans in distinct.items()}


def spans_of(end: End) -> Spans:
    """An end as a set of addresses: of a row it is one interval, of a block several."""
    return end if isinstance(end[0], tuple) else (end,)


def _loud(rows: Sequence[Item], ends: Sequence[Pair], pairs: Sequence[int], said: _Columns) -> Iterator[int]:
    """The numbers of the initiations of which one look does not show that they have one reply, and that no initiation passes
    it: of other protocols than TCP and UDP, or from few ports, or where initiations that ask for many ports are."""
    others = set(said.protos).difference(_PORTED)
    if others:
        yield from compress(count(), map(others.__contains__, said.protos))
    few = {ports for ports in set(said.sports) if ports[1] - ports[0] < BROAD}
    if few:
        yield from compress(count(), map(few.__contains__, said.sports))
    if Block in set(map(type, rows)):
        yield from (n for n, row in enumerate(rows) if isinstance(row, Block) and len(row.sets[PROTO]) + len(row.sets[SPORT]) > 2)
    wide = [number for number, (low, high) in enumerate(said.dports) if high - low >= BROAD]
    asked = _Asked(ends, [sets_of(row) for row in map(rows.__getitem__, wide) if row.permit and _broad(row)])
    if asked.pairs:
        of = compress(count(), map(asked.pairs.__contains__, pairs))
        yield from (number for number in of if asked.passes(pairs[number], said.sports[number]))


def _broad(row: Item) -> bool:
    """Whether a row asks for many ports."""
    return any(high - low >= BROAD for low, high in sets_of(row)[DPORT])


class _Asked:
    """Initiations that ask for many ports: whether one of them may pass the replies of another."""

    __slots__ = ("_ends", "_known", "_near", "pairs")

    def __init__(self, ends: Sequence[Pair], wide: Sequence[Sets]) -> None:
        self._ends, self._near = ends, Near(wide)
        self._known: dict[tuple[int, Span], bool] = {}
        to, start = (merge({span for sets in wide for span in sets[level]}) for level in (DST, SRC))
        back, there = ({end for end in {both[at] for both in ends} if touch(spans_of(end), spans)}
                       for at, spans in enumerate((start, to)))  # fmt: skip
        self.pairs = frozenset([pair for pair, (dst, src) in enumerate(ends) if dst in back and src in there])
        """The ends of which a reply can be between those of one of these, by their number."""

    def passes(self, pair: int, ports: Span) -> bool:
        """Whether one of these may pass replies to some ports of initiations between two ends."""
        found = self._known.get((pair, ports))
        if found is None:
            dst, src = self._ends[pair]
            there = {self._near.rows[number][DPORT] for number in self._near.between(spans_of(src), spans_of(dst))}
            found = len(there) > FEW or any(within((ports,), other) for other in there)
            self._known[pair, ports] = found
        return found
