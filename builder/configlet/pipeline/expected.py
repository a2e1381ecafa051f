"""What the operator expects of the policy, and what it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, partial

from configlet.model.inventory import PolicyTest, Selector, Term
from configlet.model.net import FAMILIES, Addresses, Family, Spans
from configlet.model.policy import Entry, Packet
from configlet.model.problem import Place
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


class Ends:
    """The ends of tests of a site, each looked up once: many tests ask about the same one."""

    def __init__(self, site: Site) -> None:
        self.of = cache(partial(self._of, site))
        self.less = cache(partial(self._less, site))

    @staticmethod
    def _of(site: Site, name: str | None, labels: tuple[tuple[str, str], ...], source: bool) -> Addresses:
        return select(site.inventory, Selector(name, labels, Place("")), source=source)

    @staticmethod
    def _less(site: Site, spans: Spans, realm: str, family: Family) -> Spans:
        """What is not the network's own."""
        return without(spans, site.own().of(realm, family))


def run_tests(site: Site, tests: Iterable[PolicyTest]) -> tuple[TestSaid, ...]:
    """What became of each."""
    ends = Ends(site)
    return tuple(run_test(site, test, ends=ends) for test in tests)


def run_test(site: Site, test: PolicyTest, many: int = MANY, ends: Ends | None = None) -> TestSaid:
    """Allow: every packet of it passes; deny: none does; a mix is red, with a witness of each. UNKNOWN is red too."""
    witnesses: dict[bool, _Found] = {}
    unknown = ""
    try:
        for packet, entry in _decided(site, test, many, ends or Ends(site)):
            witnesses.setdefault(entry is not None and entry.permit, (packet, entry))
    except _Unknown:
        unknown = "UNKNOWN: the rules there overlap too much for the budget of the walk. Ask about narrower ends."
    ok = not unknown and set(witnesses) == {test.expect == "allow"}
    detail = "\n".join(_said(allowed, *found) for allowed, found in sorted(witnesses.items()))
    nothing = "No packet is like this: the two ends share no realm and family for the service."
    names = str(test.source), str(test.destination)
    return TestSaid(*names, test.service.name, test.expect, ok, unknown or detail or nothing, test.place)


def _decided(site: Site, test: PolicyTest, many: int, ends: Ends) -> Iterator[_Found]:
    sources = ends.of(test.source.name, test.source.labels, True)
    targets = ends.of(test.destination.name, test.destination.labels, False)
    asked = Question(str(test.source), str(test.destination), sources, targets, site.own())
    for realm in sorted(sources.realms & targets.realms):
        for family in FAMILIES:
            near, far = [ends.less(side.of(realm, family), realm, family) for side in (sources, targets)]
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
