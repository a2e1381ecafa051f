"""How commands show rules and sets of packets, in words and for machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from configlet.cli import say

if TYPE_CHECKING:
    from configlet.model.policy import Rule
    from configlet.pipeline.policies import Set

MOST = 4
"""Boxes shown to people; ``--json`` has all."""


def rule_text(rule: Rule | None, revision: str = "") -> str:
    """A rule by name and place; ``revision`` goes before the place, as git writes it."""
    if rule is None:
        return "the default deny"
    if rule.place is None:
        return f'"{rule.name}" (derived from the inventory)'
    return f'"{rule.name}" {place_text(rule, revision)}'


def place_text(rule: Rule, revision: str = "") -> str:
    """Where a rule is written."""
    return f"{revision}:{rule.place}" if revision else str(rule.place)


def rule_data(rule: Rule | None, revision: str = "") -> dict[str, object]:
    """A rule for machines; the default deny has no place."""
    if rule is None:
        return {"name": "default deny", "origin": "default", "action": "deny", "place": None}
    place = place_text(rule, revision) if rule.place else None
    return {"name": rule.name, "origin": rule.origin, "action": rule.action, "place": place}


def set_data(found: Set) -> dict[str, object]:
    """A set for machines: each box in words and as intervals."""
    from configlet.packets.boxes import box_text

    names = ("proto", "dst", "src", "dport", "sport")
    return {
        "realm": found.realm,
        "family": found.family,
        "example": found.example,
        "boxes": [
            {"text": box_text(found.family, box), **{name: list(box[at]) for at, name in enumerate(names)}}
            for box in found.boxes
        ],
    }


def set_lines(sets: Sequence[Set], several: bool) -> Iterator[str]:
    """The first boxes in words, with their realm where there are several; the network's own addresses are not told."""
    from configlet.packets.boxes import box_text

    texts = [
        box_text(found.family, box) + (f"  (realm {found.realm})" if several else "")
        for found in sets
        for box in found.brief
    ]
    yield from texts[:MOST]
    if len(texts) > MOST:
        yield f"and {say.count(len(texts) - MOST, 'more box', 'more boxes')}: --json has all"


def unknown_text(spots: Sequence[tuple[str, int]]) -> str:
    """What nothing is known of, and why."""
    where = ", ".join(f"realm {realm} IPv{family}" for realm, family in spots)
    return f"UNKNOWN in {where}: the rules there overlap too much for the budget of the walk. This is no answer."
