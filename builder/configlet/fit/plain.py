"""Rows of a policy that stand in a list as they are, found once for all gates.

No row of the operator's ahead of such a row shares a packet with it. That holds in every gate's list too, as a gate has some
of the rows, each of them whole or cut; so no list need ask again whether it is hidden there, or crosses a deny as a reply.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile

from configlet.model.block import Sets, sets_of
from configlet.model.net import Family, Spans
from configlet.model.policy import DPORT, DST, FRAG, PROTO, SPORT, SRC, WRITTEN
from configlet.packets.blocks import Item, replies, rule_of
from configlet.packets.boxes import full
from configlet.packets.entries import WHOLE
from configlet.packets.near import BROAD, FEW, Near
from configlet.packets.sets import within

_PORTED = (((6, 6),), ((17, 17),))
MET = 32
"""Rows that meet others, from which it counts whether they are most of those that were looked at."""


class Plain:
    """The plain rows of a whole policy of one realm and family, by their identity, and their replies."""

    __slots__ = ("_answers", "_replies", "answers", "family", "starts")

    def __init__(self, family: Family, found: Sequence[Item]) -> None:
        self.family = family
        self.starts, self._answers = _plain(family, found)
        self._replies: dict[int, tuple[Item, ...]] = {}
        self.answers: set[int] = set()
        """The identities of replies that are held here."""

    def replies(self, found: Iterable[Item], cut: Mapping[int, Item]) -> tuple[list[Item], set[int]]:
        """The replies to a list, and the identities of those that are plain and not held here. ``cut``: what some items were
        cut from, by their identity."""
        held, family, known = self._replies, self.family, self._answers
        out: list[Item] = []
        new: set[int] = set()
        for item in found:
            key = id(item)
            said = held.get(key)
            if said is None:
                said = tuple(replies((item,), family))
                if key in known:
                    held[key] = said
                    self.answers.update(map(id, said))
                elif key in cut and id(cut[key]) in known:
                    new.update(map(id, said))
            out += said
        return out, new


def _plain(family: Family, found: Sequence[Item]) -> tuple[frozenset[int], frozenset[int]]:
    """The initiations that are plain, and those of them of which the one reply is plain too. A row that has all addresses
    and stands behind all others is not looked at: it would be everybody's neighbour."""
    at = sum(1 for _ in takewhile(lambda item: rule_of(item).origin not in WRITTEN, found))
    rows = found[at:]
    sets = [sets_of(item) for item in rows]
    stop = len(rows)
    while stop and sets[stop - 1][DST] == sets[stop - 1][SRC] == (full(family)[DST],):
        stop -= 1
    near = Near(sets[:stop])
    said = [row.permit or rule_of(row).origin == "policy" for row in rows]
    starts = [n for n in _first(near, stop) if said[n] and sets[n][FRAG] == (WHOLE,)]
    wide = [sets[n] for n, row in enumerate(rows) if row.permit and _broad(sets[n][DPORT])]
    answers = _Answers(wide)
    answered = frozenset(id(rows[n]) for n in starts if rows[n].permit and answers.plain(sets[n]))
    return frozenset(id(rows[n]) for n in starts), answered


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
