"""First match over the rules as they are written, for many packets in one pass: what confirms every witness.

It takes the policy's rules and nothing of the analysis: no blocks, no neighbours.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from configlet.model.inventory import Term
from configlet.model.net import Family, Spans
from configlet.model.policy import Packet, Policy, Rule

_BEYOND = 1 << 129


class Ask(NamedTuple):
    """A packet, and rules that are not to be looked at."""

    packet: Packet
    without: frozenset[int] = frozenset()


def firsts(policy: Policy, asks: Iterable[Ask]) -> dict[Ask, int | None]:
    """For each packet the place of the first rule that has it; None is the default deny."""
    groups: dict[tuple[str, Family], list[Ask]] = {}
    for ask in dict.fromkeys(asks):
        groups.setdefault((ask.packet.realm, ask.packet.family), []).append(ask)
    return {ask: rule for where, group in groups.items() for ask, rule in _firsts(policy.rules, *where, group)}


def _firsts(rules: Sequence[Rule], realm: str, family: Family, asks: list[Ask]) -> Iterable[tuple[Ask, int | None]]:
    asks.sort(key=lambda ask: ask.packet.dst)
    ends = [ask.packet.dst for ask in asks]
    first: list[int | None] = [None] * len(asks)
    for number, rule in enumerate(rules):
        source = rule.source.of(realm, family)
        for low, high in rule.destination.of(realm, family) if source else ():
            for at in range(bisect_left(ends, low), bisect_right(ends, high)):
                if first[at] is None and number not in asks[at].without and _matches(rule, source, asks[at].packet):
                    first[at] = number
    return zip(asks, first, strict=True)


def _matches(rule: Rule, source: Spans, packet: Packet) -> bool:
    at = bisect_right(source, (packet.src, _BEYOND)) - 1
    return at >= 0 and source[at][1] >= packet.src and any(_term(term, packet) for term in rule.terms)


def _term(term: Term, packet: Packet) -> bool:
    return (
        term.family in (None, packet.family)
        and (term.proto is None or (term.proto == packet.proto and term.dport[0] <= packet.dport <= term.dport[1]))
        and term.sport[0] <= packet.sport <= term.sport[1]
    )
