"""Rows of a policy that stand in a list as they are, found once for all gates.

No row of the operator's ahead of such a row shares a packet with it. That holds in every gate's list too, as a gate has some
of the rows, each of them whole or cut; so no list need ask again whether it is hidden there, or crosses a deny as a reply.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from configlet.model.block import Sets, sets_of
from configlet.model.net import Family, Spans
from configlet.model.policy import DPORT, DST, FRAG, PROTO, SPORT, SRC
from configlet.packets.blocks import Item, rule_of
from configlet.packets.boxes import full
from configlet.packets.entries import WHOLE
from configlet.packets.near import BROAD, FEW, Near
from configlet.packets.sets import within

_PORTED = (((6, 6),), ((17, 17),))
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
    sets = [sets_of(item) for item in rows]
    stop = len(rows)
    while stop and sets[stop - 1][DST] == sets[stop - 1][SRC] == (full(family)[DST],):
        stop -= 1
    near = Near(sets[:stop])
    said = [row.permit or rule_of(row).origin == "policy" for row in rows]
    starts = [n for n in _first(near, stop) if said[n] and sets[n][FRAG] == (WHOLE,)]
    wide = [sets[n] for n, row in enumerate(rows) if row.permit and _broad(sets[n][DPORT])]
    answers = _Answers(wide)
    answered = frozenset(n for n in starts if rows[n].permit and answers.plain(sets[n]))
    return Plain(frozenset(starts), answered)


def _first(near: Near, stop: int) -> Iterator[int]:
    """The rows that share no packet with one ahead of them; where most do, as far as was looked."""
    alone = near.alone()
    asked = met = 0
    for number in range(stop):
        if number in alone:
            yield number
        elif met < MET or met * 2 < asked:
            asked += 1
            if near.earlier(number):
                met += 1
            else:
                yield number


def _broad(ports: Spans) -> bool:
    return any(high - low >= BROAD for low, high in ports)


class _Answers:
    """Whether no initiation passes the replies of another, seen at the ports."""

    __slots__ = ("_known", "_near")

    def __init__(self, wide: Sequence[Sets]) -> None:
        self._near = Near(wide)
        self._known: dict[tuple[Spans, Spans], Sequence[Spans] | None] = {}

    def plain(self, sets: Sets) -> bool:
        """Of an initiation of TCP or UDP that no row ahead of it shares a packet with: such a row has no reply among denies."""
        ports = sets[SPORT]
        if sets[PROTO] not in _PORTED or len(ports) > 1 or not _broad(ports):
            return False
        if not self._near.rows:
            return True
        ends = sets[SRC], sets[DST]
        if ends not in self._known:
            self._known[ends] = self._ports(*ends)
        known = self._known[ends]
        return known is not None and not any(within(ports, other) for other in known)

    def _ports(self, dst: Spans, src: Spans) -> Sequence[Spans] | None:
        """The ports of initiations between the ends of a reply, where they are many; None where they are too many."""
        found = {self._near.rows[number][DPORT] for number in self._near.between(dst, src)}
        return tuple(found) if len(found) <= FEW else None
