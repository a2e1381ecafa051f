"""The policy laid out for the analysis: in each realm and family, the blocks of its rules in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from configlet.analyse.blocks import DST, EVERY_SERVICE, SRC, Block, blocks_of, less, replaced, whole
from configlet.analyse.near import Neighbours
from configlet.model.net import FAMILIES, Family, Spans, merge
from configlet.model.policy import ANY_PORT, Policy, Rule


@dataclass
class Space:
    """One realm and family. ``owners`` are places in the policy's rules, rising; ``live`` a part that a block decides.

    Infrastructure addresses are taken out of the rules behind the two denies that close them, once for each set of
    addresses; a rule of which nothing is left stands in ``closed`` with the deny that took the last of it.
    """

    realm: str
    family: Family
    blocks: list[Block] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    live: dict[int, Block] = field(default_factory=dict)
    closed: dict[int, list[tuple[int, Block]]] = field(default_factory=dict)

    @cached_property
    def near(self) -> Neighbours:
        """Which blocks share packets."""
        return Neighbours(self.blocks)


def spaces_of(policy: Policy) -> Iterator[Space]:
    """All realms and families in which a rule has packets."""
    for realm in policy.realms:
        for family in FAMILIES:
            space = Space(realm, family)
            _fill(space, policy)
            if space.blocks or space.closed:
                yield space


def _fill(space: Space, policy: Policy) -> None:
    shields: dict[int, tuple[int, Callable[[Spans], Spans]]] = {}
    same: dict[Spans, Spans] = {}
    for number, rule in enumerate(policy.rules):
        for block in blocks_of(rule, space.realm, space.family):
            level = _shields(rule, block, space.family)
            if level is not None and level not in shields:
                shields[level] = number, _without(block[level])
                continue
            block = (block[0], same.setdefault(block[1], block[1]), same.setdefault(block[2], block[2]), block[3])
            part, taken = block, -1
            for side, (shield, strip) in shields.items():
                rest = strip(part[side])
                if not rest:
                    taken = shield
                    break
                part = part if rest is part[side] else replaced(part, side, rest)
            if taken >= 0:
                space.closed.setdefault(number, []).append((taken, block))
            else:
                space.blocks.append(part)
                space.owners.append(number)


def _shields(rule: Rule, block: Block, family: Family) -> int | None:
    """The end that a derived deny closes for every rule behind it; None for any other rule."""
    if rule.place or rule.action != "deny" or block[0] != EVERY_SERVICE or block[3] != (ANY_PORT,):
        return None
    if block[SRC] == whole(family):
        return DST
    return SRC if block[DST] == whole(family) else None


def _without(closed: Spans) -> Callable[[Spans], Spans]:
    known: dict[Spans, Spans] = {}
    gone = merge(closed)

    def strip(spans: Spans) -> Spans:
        found = known.get(spans)
        if found is None:
            rest = less(spans, gone)
            found = known[spans] = spans if rest == spans else rest
        return found

    return strip
