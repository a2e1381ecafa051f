"""A question to a policy: who, to whom, with what; as boxes, and the policy cut down to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from configlet.model.frozen import dataclass
from configlet.model.inventory import Service, Term
from configlet.model.net import FAMILIES, TOP, Addresses, Spans, addresses, subtract
from configlet.model.policy import Entry, Rule
from configlet.packets.boxes import meet
from configlet.packets.differences import Near
from configlet.packets.entries import box_of
from configlet.packets.sets import common
from configlet.pipeline.ends import as_written
from configlet.pipeline.policies import Policies, Spot
from configlet.rules import own_addresses

ASKED = Rule("what is asked", "policy", "allow", Addresses(), Addresses(), (), False, None)
ANYTHING = Service("any", (Term(None),), None)


@dataclass(frozen=True, slots=True)
class Question:
    """Two ends, as they were typed and as addresses. ``own`` are the network's addresses.

    What may begin is told of every address of the ends. What may not is told of those alone that a rule of the policy can
    speak of: every segment has a gateway, to which nothing may.
    """

    source: str
    target: str
    sources: Addresses
    targets: Addresses
    own: Addresses

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

    def theirs(self, spot: Spot) -> list[Entry]:
        """Denies of the network's own addresses at an end that has others too, to stand before ``rows``."""
        whole, anything = ((0, TOP[spot[1]]),), ANYTHING.terms[0]
        ends = (self._own(self.sources.of(*spot), spot), whole), (whole, self._own(self.targets.of(*spot), spot))
        return [Entry(False, box_of(anything, a, b), ASKED) for near, far in ends for a in near for b in far]

    def _own(self, end: Spans, spot: Spot) -> Spans:
        mine = common(end, self.own.of(*spot))
        return () if mine == end else mine


def ask(policies: Policies, source: str, target: str) -> Question:
    """The question about two ends. Raises Refused for a name that the site does not have."""
    inventory, own = policies.inventory, own_addresses(policies.inventory)
    ends = as_written(inventory, source, source=True), as_written(inventory, target, source=False)
    near, far = (_less(end, own) if text == "outside" else end for text, end in zip((source, target), ends, strict=True))
    return Question(source, target, near, far, own)


def _less(end: Addresses, own: Addresses) -> Addresses:
    """What is outside is none of the network's own addresses."""
    return addresses((r, f, span) for r, f, spans in end.parts for span in subtract(spans, own.of(r, f)))


def within(entries: Iterable[Entry], asked: Sequence[Entry]) -> list[Entry]:
    """First-match entries cut to the packets that are asked about; of all others the list says nothing."""
    near = Near(asked)
    return [
        entry if box == entry.box else entry.over(box)
        for entry in entries
        for one in near.meeting(entry.box)
        if (box := meet(entry.box, one.box))
    ]


