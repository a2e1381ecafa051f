"""The flows that one policy opens and closes against another, exactly, by the two rules that decide them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from configlet.model.net import FAMILIES
from configlet.model.policy import Box, Rule
from configlet.packets.differences import Near, deciders, differences
from configlet.packets.walk import BUDGET, Overrun
from configlet.pipeline.policies import Policies, Set, Spot, deciding, sets
from configlet.rules import own_addresses

_Pair = tuple[bool, Rule | None, Rule | None]


@dataclass(frozen=True, slots=True)
class Change:
    """First packets that only one side lets pass, and what decides them on either side (None: the default deny)."""

    opened: bool
    before: Rule | None
    after: Rule | None
    sets: tuple[Set, ...]


@dataclass(frozen=True, slots=True)
class Diff:
    """All changes, opened first. ``unknown`` are realms and families in which the budget was not enough.

    Nothing is known of those: neither that they are the same, nor how they differ.
    """

    before: str
    after: str
    changes: tuple[Change, ...]
    unknown: tuple[Spot, ...]

    @property
    def same(self) -> bool:
        """Whether both policies let exactly the same packets begin."""
        return not self.changes and not self.unknown


def diff(before: Policies, after: Policies, budget: int = BUDGET) -> Diff:
    """Compare two policies over the whole packet space of every realm that either has."""
    found: dict[_Pair, list[tuple[Spot, Box]]] = {}
    unknown: list[Spot] = []
    for realm in sorted({*before.policy.realms, *after.policy.realms}):
        for family in FAMILIES:
            spot: Spot = realm, family
            parts = _between(before, after, spot, budget)
            if isinstance(parts, Overrun):
                unknown.append(spot)
                continue
            for pair, box in parts:
                found.setdefault(pair, []).append((spot, box))
    own = own_addresses(after.inventory)
    changes = [Change(*pair, sets(parts, own)) for pair, parts in found.items()]
    return Diff(before.name, after.name, tuple(sorted(changes, key=_order)), tuple(unknown))


def _between(before: Policies, after: Policies, spot: Spot, budget: int) -> list[tuple[_Pair, Box]] | Overrun:
    one, other = deciders(before.entries(*spot), after.entries(*spot))
    parts = differences(spot[1], one, other, budget=budget)
    if isinstance(parts, Overrun):
        return parts
    was, now = Near(one), Near(other)
    return [
        ((opened, a.rule if a else None, b.rule if b else None), piece)
        for opened, box in parts
        for part, a in deciding(was, box)
        for piece, b in deciding(now, part)
    ]


def _order(change: Change) -> tuple[object, ...]:
    rule = change.after if change.opened else change.before
    at = (rule.place.file, rule.place.line) if rule and rule.place else ("", 0)
    return (not change.opened, *at, rule.name if rule else "", next(iter(_names(change)), ""))


def _names(change: Change) -> Iterator[str]:
    yield from (rule.name for rule in (change.before, change.after) if rule)
