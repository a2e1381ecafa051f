"""Which services pass between two ends, as a set: whole or in part, for whom, and by which rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from configlet.model.inventory import Service
from configlet.model.policy import PROTO, Box, Entry, Rule
from configlet.packets.boxes import TCP, change, packet_of, packet_text
from configlet.packets.differences import Near, differences
from configlet.packets.walk import BUDGET, Overrun, more
from configlet.pipeline.policies import Names, Policies, Set, Spot, deciding, sets
from configlet.pipeline.question import ANYTHING, Question, ask, within
from configlet.rules import own_addresses

Says = Literal["all", "some", "none", "never", "unknown"]


@dataclass(frozen=True, slots=True)
class Passing:
    """A service that passes. ``whole``: every packet of it, within the question, from each address to each."""

    service: str
    whole: bool
    rules: tuple[Rule, ...]
    sets: tuple[Set, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """``never`` when the ends share no realm and family; ``unknown`` when the budget was not enough somewhere.

    ``denied`` is a packet of the question that may not begin, where there is one, and no matter of the network's own
    addresses (``question.Question``).
    """

    source: str
    target: str
    service: str
    says: Says
    passing: tuple[Passing, ...]
    denied: str
    unknown: tuple[Spot, ...]


def query(policies: Policies, source: str, target: str, service: Service = ANYTHING, budget: int = BUDGET) -> Answer:
    """Ask a policy about two ends, over both families and all realms that they share."""
    question = ask(policies, source, target)
    told = _Told(policies, question, budget)
    for spot in question.spots(policies.policy.realms):
        told.listen(spot, service)
    passing = tuple(told.passing())
    return Answer(source, target, service.name, told.says(), passing, told.denied, tuple(told.unknown))


class _Told:
    """What was found so far."""

    def __init__(self, policies: Policies, question: Question, budget: int) -> None:
        self.policies, self.question, self.budget = policies, question, budget
        self.names = Names(policies.inventory)
        self.near: dict[Spot, tuple[Near[Entry], Service]] = {}
        self.parts: dict[str, list[tuple[Spot, Box]]] = {}
        self.rules: dict[str, dict[Rule, None]] = {}
        self.unknown: list[Spot] = []
        self.denied = ""

    def listen(self, spot: Spot, service: Service) -> None:
        """One realm and family."""
        asked = self.question.rows(spot, service.terms)
        if not asked:
            return
        entries = within(self.policies.entries(*spot), asked)
        self.near[spot] = near, _ = Near(entries), service
        found = differences(spot[1], (), entries, "too open", self.budget)
        if isinstance(found, Overrun):
            self.unknown.append(spot)
            return
        for _, box in found:
            for part, entry in deciding(near, box):
                if entry is not None:
                    self._heard(spot, part, entry.rule)
        self._missed(spot, asked, entries)

    def _missed(self, spot: Spot, asked: list[Entry], entries: list[Entry]) -> None:
        """A packet that was asked about and may not begin; of TCP when there is one, as people know that best."""
        tcp = [row.over(change(row.box, PROTO, (TCP, TCP))) for row in asked if row.box[PROTO][0] <= TCP <= row.box[PROTO][1]]
        for kept in (tcp, asked):
            rows = [*self.question.theirs(spot), *kept] if kept else []
            short = more(spot[1], "too tight", (rows,), entries, self.budget)
            if isinstance(short, Overrun):
                self.unknown.append(spot)
                return
            if short is not None:
                self.denied = self.denied or packet_text(packet_of(spot[1], spot[0], short))
                return

    def _heard(self, spot: Spot, part: Box, rule: Rule) -> None:
        for name, box in self.names.services(rule, spot[1], part):
            self.parts.setdefault(name, []).append((spot, box))
            self.rules.setdefault(name, {})[rule] = None

    def passing(self) -> Iterator[Passing]:
        """Every service that passes, the first rule's first."""
        own = own_addresses(self.policies.inventory)
        for name, parts in self.parts.items():
            rules = tuple(self.rules[name])
            yield Passing(name, self._whole(name, rules[0]), rules, sets(parts, own))

    def _whole(self, name: str, rule: Rule) -> bool:
        terms = self.names.terms(rule, name)
        for spot, (near, service) in self.near.items():
            asked = within(self.question.rows(spot, terms), self.question.rows(spot, service.terms))
            entries = within(near.all_meeting(row.box for row in asked), asked)
            wanted = [*self.question.theirs(spot), *asked]
            if asked and more(spot[1], "too tight", (wanted,), entries, self.budget) is not None:
                return False
        return True

    def says(self) -> Says:
        """The answer in a word."""
        if self.unknown:
            return "unknown"
        if not self.near:
            return "never"
        return "none" if not self.parts else "some" if self.denied else "all"
