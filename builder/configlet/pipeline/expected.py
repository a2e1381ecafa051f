"""What the operator expects of the policy, and what it says."""

from __future__ import annotations

from collections.abc import Iterator

from configlet.model.inventory import PolicyTest, Term
from configlet.model.net import FAMILIES, Family, Spans
from configlet.model.policy import Entry, Packet
from configlet.packets.boxes import packet_of, packet_text
from configlet.packets.entries import box_of, split
from configlet.packets.sets import without
from configlet.packets.verdict import first
from configlet.packets.walk import Overrun, more
from configlet.pipeline.question import Question, within
from configlet.pipeline.report import TestSaid
from configlet.pipeline.site import Site
from configlet.rules import select

MANY = 2_000
"""When the ends of a test are more boxes than this, as ``any`` is between gateways, it is asked as two lists."""
_Found = tuple[Packet, Entry | None]


class _Unknown(Exception):  # noqa: N818 - it is an answer
    """The budget of the walk was not enough."""


def run_test(site: Site, test: PolicyTest, many: int = MANY) -> TestSaid:
    """Allow: every packet of it passes; deny: none does; a mix is red, with a witness of each. UNKNOWN is red too."""
    witnesses: dict[bool, _Found] = {}
    unknown = ""
    try:
        for packet, entry in _decided(site, test, many):
            witnesses.setdefault(entry is not None and entry.permit, (packet, entry))
    except _Unknown:
        unknown = "UNKNOWN: the rules there overlap too much for the budget of the walk. Ask about narrower ends."
    ok = not unknown and set(witnesses) == {test.expect == "allow"}
    detail = "\n".join(_said(allowed, *found) for allowed, found in sorted(witnesses.items()))
    nothing = "No packet is like this: the two ends share no realm and family for the service."
    ends = str(test.source), str(test.destination)
    return TestSaid(*ends, test.service.name, test.expect, ok, unknown or detail or nothing, test.place)


def _decided(site: Site, test: PolicyTest, many: int) -> Iterator[_Found]:
    sources = select(site.inventory, test.source, source=True)
    targets = select(site.inventory, test.destination, source=False)
    asked = Question(str(test.source), str(test.destination), sources, targets, site.own())
    for realm in sorted(sources.realms & targets.realms):
        for family in FAMILIES:
            never = site.own().of(realm, family)
            near, far = [without(side.of(realm, family), never) for side in (sources, targets)]
            terms = [term for term in test.service.terms if term.family in (None, family)]
            if len(terms) * len(near) * len(far) > many:
                yield from _walked(site, asked, realm, family, terms)
            else:
                yield from _split(site, realm, family, terms, near, far)


def _split(site: Site, realm: str, family: Family, terms: list[Term], near: Spans, far: Spans) -> Iterator[_Found]:
    """The first part of the question that passes, and the first that does not."""
    entries, seen = site.index(realm, family).between(near, far), set[bool]()
    for box in (box_of(term, s, t) for term in terms for s in near for t in far):
        for part, entry in split(entries, box):
            passes = entry is not None and entry.permit
            if passes not in seen:
                seen.add(passes)
                yield packet_of(family, realm, part), entry


def _walked(site: Site, asked: Question, realm: str, family: Family, terms: list[Term]) -> Iterator[_Found]:
    """One packet that passes and one that does not, where there are such."""
    theirs, rows = asked.theirs((realm, family)), asked.rows((realm, family), terms)
    entries = within(site.entries(realm, family), rows)
    for found in (
        more(family, "too open", ((),), [*theirs, *entries]),
        more(family, "too tight", ([*theirs, *rows],), entries),
    ):
        if isinstance(found, Overrun):
            raise _Unknown
        if found is not None:
            packet = packet_of(family, realm, found)
            yield packet, first(entries, packet)


def _said(allowed: bool, packet: Packet, entry: Entry | None) -> str:
    by = (
        f'"{entry.rule.name}"' + (f" ({entry.rule.place})" if entry.rule.place else "") if entry else "the default deny"
    )
    return f"{'allowed' if allowed else 'denied'}: {packet_text(packet)} by {by}"
