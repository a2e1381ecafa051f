"""A question to a policy: who, to whom, with what; as boxes, and the policy cut down to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from configlet.model.inventory import Service, Term
from configlet.model.net import FAMILIES, Addresses
from configlet.model.policy import Entry, Rule
from configlet.packets.boxes import meet
from configlet.packets.differences import Near
from configlet.packets.entries import box_of
from configlet.pipeline.ends import end_of
from configlet.pipeline.policies import Policies, Spot

ASKED = Rule("what is asked", "policy", "allow", Addresses(), Addresses(), (), False, None)
ANYTHING = Service("any", (Term(None),), None)


@dataclass(frozen=True, slots=True)
class Question:
    """Two ends and the services between them, as they were typed and as addresses and terms."""

    source: str
    target: str
    sources: Addresses
    targets: Addresses

    def spots(self, realms: Iterable[str]) -> Iterator[Spot]:
        """The realms and families in which both ends have addresses."""
        for realm in realms:
            for family in FAMILIES:
                if self.sources.of(realm, family) and self.targets.of(realm, family):
                    yield realm, family

    def rows(self, spot: Spot, terms: Iterable[Term]) -> list[Entry]:
        """The packets of some terms between the two ends, as permits."""
        return [
            Entry(True, box_of(term, source, target), ASKED)
            for term in terms
            if term.family in (None, spot[1])
            for source in self.sources.of(*spot)
            for target in self.targets.of(*spot)
        ]


def ask(policies: Policies, source: str, target: str) -> Question:
    """The question about two ends. Raises Refused for a name that the site does not have."""
    inventory = policies.inventory
    ends = end_of(inventory, source, source=True), end_of(inventory, target, source=False)
    return Question(source, target, *ends)


def within(entries: Iterable[Entry], asked: Sequence[Entry]) -> list[Entry]:
    """First-match entries cut to the packets that are asked about; of all others the list says nothing."""
    near = Near(asked)
    return [
        entry if box == entry.box else entry.over(box)
        for entry in entries
        for one in near.meeting(entry.box)
        if (box := meet(entry.box, one.box))
    ]


