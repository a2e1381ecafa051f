"""First match over the rules as they are written, for many packets in one pass: what confirms every witness.

It takes the policy's rules and nothing of the analysis: no blocks, no neighbours.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import and_, itemgetter, or_
from typing import NamedTuple

from configlet.model.inventory import Term
from configlet.model.net import Family, Span, Spans
from configlet.model.policy import Packet, Policy, Rule

_BEYOND = 1 << 129
_MARK, _MARKS = 16, 2048


class Ask(NamedTuple):
    """A packet, and rules that are not to be looked at."""

    packet: Packet
    without: frozenset[int] = frozenset()


def firsts(policy: Policy, asks: Iterable[Ask]) -> dict[Ask, int | None]:
    """For each packet the place of the first rule that has it; None is the default deny."""
    groups: dict[tuple[str, Family], list[Ask]] = {}
    for ask in dict.fromkeys(asks):
        groups.setdefault((ask.packet.realm, ask.packet.family), []).append(ask)
    return {ask: rule for where, group in groups.items() for ask, rule in _firsts(policy, *where, group)}


def _firsts(policy: Policy, realm: str, family: Family, asks: list[Ask]) -> Iterable[tuple[Ask, int | None]]:
    first: list[int | None] = [None] * len(asks)
    start, to = _Axis([ask.packet.src for ask in asks]), _Axis([ask.packet.dst for ask in asks])
    service = _Axis([ask.packet.proto << 16 | ask.packet.dport for ask in asks])
    # By identity, as equal sets of addresses are one object: `rules.expand`.
    sources, destinations, ends = policy.numbered()
    tos = {number: to.within(end.of(realm, family)) for number, end in ends.items()}
    starts = {number: start.within(end.of(realm, family)) for number, end in ends.items()}
    services = dict[tuple[Term, ...], int]()
    left = (1 << len(asks)) - 1
    between = enumerate(map(and_, map(tos.__getitem__, destinations), map(starts.__getitem__, sources)))
    for number, both in filter(itemgetter(1), between):
        rule, some = policy.rules[number], left & both
        if some:
            others = services.get(rule.terms)
            if others is None:
                others = services[rule.terms] = service.within(map(_services, rule.terms))
            some &= others
        while some:
            at = some.bit_length() - 1
            some ^= 1 << at
            if number not in asks[at].without and _matches(rule, realm, family, asks[at].packet):
                first[at] = number
                left ^= 1 << at
    return zip(asks, first, strict=True)


class _Axis:
    """Values, and which of them lie in intervals: as the bits of a number. ``_marks`` are the bits of the first few values."""

    def __init__(self, values: Sequence[int]) -> None:
        self._order = sorted(range(len(values)), key=values.__getitem__)
        self._values = [values[at] for at in self._order]
        self._step = max(_MARK, len(values) // _MARKS)
        self._known: dict[Span, int] = {}
        self._marks = [0]
        for end in range(self._step, len(values) + 1, self._step):
            self._marks.append(self._marks[-1] | self._some(end - self._step, end))

    def within(self, spans: Iterable[Span]) -> int:
        """The bits of the values that lie in one of some intervals."""
        return reduce(or_, map(self._between, spans), 0)

    def _between(self, span: Span) -> int:
        known = self._known.get(span)
        if known is None:
            begin, end = bisect_left(self._values, span[0]), bisect_right(self._values, span[1])
            known = self._some(begin, end) if end - begin < self._step else self._before(end) ^ self._before(begin)
            if len(self._known) < _MARKS:
                self._known[span] = known
        return known

    def _before(self, end: int) -> int:
        mark = end // self._step
        return self._marks[mark] | self._some(mark * self._step, end)

    def _some(self, begin: int, end: int) -> int:
        return reduce(or_, map((1).__lshift__, self._order[begin:end]), 0)


def _services(term: Term) -> Span:
    return (0, 1 << 24) if term.proto is None else (term.proto << 16 | term.dport[0], term.proto << 16 | term.dport[1])


def _matches(rule: Rule, realm: str, family: Family, packet: Packet) -> bool:
    return (
        _has(rule.source.of(realm, family), packet.src)
        and _has(rule.destination.of(realm, family), packet.dst)
        and any(_term(term, packet) for term in rule.terms)
    )


def _has(spans: Spans, value: int) -> bool:
    at = bisect_right(spans, (value, _BEYOND)) - 1
    return at >= 0 and spans[at][1] >= value


def _term(term: Term, packet: Packet) -> bool:
    return (
        term.family in (None, packet.family)
        and (term.proto is None or (term.proto == packet.proto and term.dport[0] <= packet.dport <= term.dport[1]))
        and term.sport[0] <= packet.sport <= term.sport[1]
    )
