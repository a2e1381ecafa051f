"""A site's policy alone, for questions to it: no platform, no gate, no text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path

from configlet import rules, workspace
from configlet.model.frozen import dataclass
from configlet.model.inventory import Inventory, RuleLine, Term
from configlet.model.net import Addresses, Family, Spans
from configlet.model.policy import DST, SRC, Box, Entry, Policy, Rule
from configlet.packets.boxes import meet, packet_of, packet_text
from configlet.packets.compact import compact
from configlet.packets.differences import Near
from configlet.packets.entries import box_of, entries, split

Spot = tuple[str, Family]
"""A realm and a family: one packet space."""


@dataclass(frozen=True, slots=True)
class Policies:
    """What a site's policy says. ``name`` is how the question called it, ``entries`` A(p) of a realm and family."""

    name: str
    inventory: Inventory
    policy: Policy
    entries: Callable[[str, Family], tuple[Entry, ...]]


def policies(root: Path, site: str, today: date, name: str = "") -> Policies:
    """The policy of a site. Raises Refused with all complaints of the stage that found any."""
    inventory = workspace.load(root, site, today).inventory
    policy = rules.expand(inventory)
    return Policies(name or site, inventory, policy, cache(lambda realm, family: entries(policy, realm, family)))


def deciding(near: Near[Entry], box: Box) -> tuple[tuple[Box, Entry | None], ...]:
    """The box cut into the parts that different entries decide; None is the default deny."""
    return split(near.meeting(box), box)


@dataclass(frozen=True, slots=True)
class Set:
    """Packets of one realm and family as disjoint boxes, and one of them in words.

    ``brief`` are fewer boxes for people: without the gaps that the network's own addresses tear into prefixes.
    """

    realm: str
    family: Family
    boxes: tuple[Box, ...]
    brief: tuple[Box, ...]
    example: str


def sets(parts: Iterable[tuple[Spot, Box]], own: Addresses) -> tuple[Set, ...]:
    """Boxes gathered by realm and family, in as few as touching ones can be. ``own`` are the network's addresses."""
    found: dict[Spot, list[Box]] = {}
    for spot, box in parts:
        found.setdefault(spot, []).append(box)
    return tuple(_set(spot, boxes, own.of(*spot)) for spot, boxes in sorted(found.items()))


def _set(spot: Spot, boxes: Sequence[Box], own: Spans) -> Set:
    few = compact(boxes)
    return Set(*spot, few, compact(few, own), packet_text(packet_of(spot[1], spot[0], few[-1])))


class Names:
    """How the operator calls what a rule passes."""

    def __init__(self, inventory: Inventory) -> None:
        lines = (*inventory.failsafe, *inventory.infrastructure, *inventory.policy)
        self._lines: dict[tuple[str, object], RuleLine] = {(line.name, line.place): line for line in lines}

    def line(self, rule: Rule) -> RuleLine | None:
        """The line that the rule was written in; None when it was derived."""
        return self._lines.get((rule.name, rule.place))

    def services(self, rule: Rule, family: Family, part: Box) -> Iterator[tuple[str, Box]]:
        """The services of the rule with the packets that each has in the box; a derived rule goes by its own name."""
        line = self.line(rule)
        for name, terms in ((s.name, s.terms) for s in line.services) if line else [(rule.name, rule.terms)]:
            for term in terms:
                both = meet(box_of(term, part[SRC], part[DST]), part) if term.family in (None, family) else None
                if both is not None:
                    yield name, both

    def terms(self, rule: Rule, service: str) -> tuple[Term, ...]:
        """What a service of a rule means."""
        line = self.line(rule)
        return next((s.terms for s in line.services if s.name == service), rule.terms) if line else rule.terms
