"""Rules as first-match boxes of one realm and family."""

from __future__ import annotations

from collections.abc import Sequence

from configlet.model.inventory import Term
from configlet.model.net import Family, Span
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DST, SRC, Box, Entry, Policy, Rule
from configlet.packets.boxes import around, meet, minus

WHOLE: Span = (0, 0)


def entries(policy: Policy, realm: str, family: Family) -> tuple[Entry, ...]:
    """A(p) of DESIGN 5.1 as one first-match list with default deny. Boxes speak of whole packets (fragment bit 0)."""
    return tuple(entry for rule in policy.speaking(realm, family) for entry in rule_entries(rule, realm, family))


def rule_entries(rule: Rule, realm: str, family: Family) -> tuple[Entry, ...]:
    """One rule: its sources times its destinations times its terms, never a product across protocols and ports."""
    sources, destinations = rule.source.of(realm, family), rule.destination.of(realm, family)
    if not sources or not destinations:
        return ()
    return tuple(
        Entry(rule.action == "allow", box_of(term, source, destination), rule)
        for term in rule.terms
        if term.family in (None, family)
        for source in sources
        for destination in destinations
    )


def box_of(term: Term, source: Span, destination: Span) -> Box:
    """A term between two spans, for whole packets."""
    proto = ANY_PROTO if term.proto is None else (term.proto, term.proto)
    dport = term.dport if term.proto is not None else ANY_PORT
    return proto, destination, source, dport, term.sport, ANY_BIT, WHOLE


def permits_only(entries: Sequence[Entry]) -> list[Entry]:
    """The same meaning without denies: each permit less the denies before it. Pieces keep their rule."""
    out: list[Entry] = []
    denies: list[Entry] = []
    for entry in entries:
        if not entry.permit:
            denies.append(entry)
            continue
        pieces = [entry.box]
        for deny in denies:
            pieces = [piece for box in pieces for piece in (minus(box, deny.box) if meet(box, deny.box) else (box,))]
        out += [entry.over(piece) for piece in pieces]
    return out


def split(entries: Sequence[Entry], box: Box) -> tuple[tuple[Box, Entry | None], ...]:
    """A box cut into the parts that different entries decide, in order; what no entry decides comes last with None."""
    out: list[tuple[Box, Entry | None]] = []
    rest: list[Box] = [box]
    (low, high), (first, last) = box[DST], box[SRC]
    for entry in entries:
        _, (begin, end), (start, stop), *_ = entry.box
        if begin > high or end < low or start > last or stop < first or meet(entry.box, box) is None:
            continue
        left: list[Box] = []
        for part in rest:
            both = meet(part, entry.box)
            if both is None:
                left.append(part)
            else:
                out.append((both, entry))
                left += around(part, both)
        rest = left
        if not rest:
            break
    return (*out, *((part, None) for part in rest))
