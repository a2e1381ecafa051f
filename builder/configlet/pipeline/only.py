"""These services and nothing else: yes, or the packets that say no."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from configlet.model.inventory import Service
from configlet.model.policy import Box, Entry, Origin, Rule
from configlet.packets.boxes import meet
from configlet.packets.differences import Near, differences
from configlet.packets.walk import BUDGET, Overrun
from configlet.pipeline.policies import Names, Policies, Set, Spot, deciding, sets
from configlet.pipeline.question import ANYTHING, ask, within
from configlet.rules import own_addresses

NETWORK: tuple[Origin, ...] = ("failsafe", "infrastructure")
"""Words that may be allowed like services: everything that rules of this origin pass."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """What passes although it was not named: the rule that lets it, its services there, and the packets."""

    rule: Rule
    services: tuple[str, ...]
    sets: tuple[Set, ...]


@dataclass(frozen=True, slots=True)
class Only:
    """``silent`` are services that were allowed and that nobody can use. ``unknown``: nothing is known there."""

    source: str
    target: str
    allowed: tuple[str, ...]
    beyond: tuple[Beyond, ...]
    silent: tuple[str, ...]
    unknown: tuple[Spot, ...]
    met: bool
    """Whether the two ends share a realm and family at all."""

    @property
    def yes(self) -> bool:
        """Whether nothing else passes, and that is known."""
        return self.met and not self.beyond and not self.unknown


def only(
    policies: Policies, source: str, target: str, allowed: Sequence[Service | Origin], budget: int = BUDGET
) -> Only:
    """Ask whether nothing but the allowed can begin, over both families and every realm that the ends share."""
    question = ask(policies, source, target)
    services = [one for one in allowed if isinstance(one, Service)]
    origins = {one for one in allowed if isinstance(one, str)}
    found: dict[Rule, list[tuple[Spot, Box]]] = {}
    used: set[str] = set()
    unknown: list[Spot] = []
    spots = list(question.spots(policies.policy.realms))
    for spot in spots:
        entries = within(policies.entries(*spot), question.rows(spot, ANYTHING.terms))
        permitted = [row for service in services for row in question.rows(spot, service.terms)]
        passing = differences(spot[1], (), entries, "too open", budget)
        beyond = differences(spot[1], permitted, entries, "too open", budget)
        if isinstance(passing, Overrun) or isinstance(beyond, Overrun):
            unknown.append(spot)
            continue
        used |= {s.name for s in services if _meets(question.rows(spot, s.terms), passing)}
        for part, rule in _decided(Near(entries), beyond):
            if rule.origin not in origins:
                found.setdefault(rule, []).append((spot, part))
    names = tuple(one.name if isinstance(one, Service) else one for one in allowed)
    silent = tuple(s.name for s in services if s.name not in used)
    told, own = Names(policies.inventory), own_addresses(policies.inventory)
    by = tuple(Beyond(rule, _services(told, rule, parts), sets(parts, own)) for rule, parts in found.items())
    return Only(source, target, names, by, silent, tuple(unknown), bool(spots))


def _decided(near: Near[Entry], parts: Sequence[tuple[bool, Box]]) -> Iterator[tuple[Box, Rule]]:
    for _, box in parts:
        for part, entry in deciding(near, box):
            if entry is None:
                raise AssertionError("what passes is decided by a permit")
            yield part, entry.rule


def _meets(rows: Sequence[Entry], parts: Sequence[tuple[bool, Box]]) -> bool:
    return any(meet(row.box, box) for row in rows for _, box in parts)


def _services(names: Names, rule: Rule, parts: Sequence[tuple[Spot, Box]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for spot, box in parts for name, _ in names.services(rule, spot[1], box)))
