"""The policy laid out for the analysis: in each realm and family, the blocks of its rules in order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress, count
from operator import attrgetter, not_

from configlet.analyse.blocks import DST, EVERY_PORT, EVERY_SERVICE, SRC, Block, replaced, services_of, whole
from configlet.analyse.near import Neighbours
from configlet.model.net import Family, Spans
from configlet.model.policy import Policy, Rule
from configlet.packets.sets import without

_PLACE = attrgetter("place")
FEW = 24
"""So many odd blocks of two realms are looked at even where most of them are odd."""


@dataclass
class Space:
    """One realm and family. ``owners`` are places in the policy's rules, rising; ``live`` a part that a block decides.

    Infrastructure addresses are taken out of the rules behind the two denies that close them, once for each set of
    addresses; a rule of which nothing is left stands in ``closed`` with the deny that took the last of it. ``shields`` are
    those addresses, by the end at which they are closed.
    """

    realm: str
    family: Family
    blocks: list[Block] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    live: dict[int, Block] = field(default_factory=dict)
    closed: dict[int, list[tuple[int, Block]]] = field(default_factory=dict)
    shields: dict[int, Spans] = field(default_factory=dict)

    def open_part(self, at: int) -> Block | None:
        """What a block has beyond infrastructure addresses; of a rule behind the two denies that is all of it."""
        block = self.blocks[at]
        for level, closed in self.shields.items():
            rest = without(block[level], closed)
            if not rest:
                return None
            block = replaced(block, level, rest)
        return block

    @cached_property
    def near(self) -> Neighbours:
        """Which blocks share packets."""
        return Neighbours(self.blocks)


def spaces_of(policy: Policy) -> tuple[Space, ...]:
    """All realms and families in which a rule has packets."""
    layout = Layout(policy)
    layout.add(range(layout.ahead, len(policy.rules)))
    return layout.spaces


class Layout:
    """A policy while its rules are laid out. All but the first are once it is known what closes an end for all behind it:
    then the blocks of each are the same whichever others are laid out."""

    def __init__(self, policy: Policy) -> None:
        self.rules = policy.rules
        self.filling: dict[tuple[str, Family], Filling] = {}
        # By identity, as equal sets of addresses are one object, and equal lists of services: `rules.expand`.
        self._terms: dict[Family, dict[int, tuple[tuple[Spans, Spans], ...]]] = {4: {}, 6: {}}
        self._known: dict[tuple[int, int], list[_Ends]] = {}
        derived = [*compress(count(1), map(not_, map(_PLACE, self.rules)))]
        self.ahead = derived[-1] if derived else 0
        """How many rules are laid out from the beginning: no derived one stands behind them."""
        self.add(range(self.ahead))

    @property
    def spaces(self) -> tuple[Space, ...]:
        """What is laid out, by realm and family."""
        return tuple(each.space for each in self.filling.values())

    def opened(self, realm: str, family: Family) -> Filling:
        """The space of a realm and family, from now on."""
        found = self.filling.get((realm, family))
        if found is None:
            found = self.filling[realm, family] = Filling(Space(realm, family))
        return found

    def add(self, numbers: Iterable[int]) -> None:
        """Lay out some rules."""
        for number in numbers:
            for space, shield, block in self.blocks(number):
                if shield is None:
                    space.blocks.append(block)
                    space.owners.append(number)
                else:
                    space.closed.setdefault(number, []).append((shield, block))

    def blocks(self, number: int) -> Iterator[tuple[Space, int | None, Block]]:
        """The blocks of a rule, each with its space, and with the deny that closes all of it."""
        rule = self.rules[number]
        key = id(rule.source), id(rule.destination)
        ends = self._known.get(key)
        if ends is None or not rule.place:
            ends = self._known[key] = self._between(number, rule)
            if not rule.place and len(ends) < len(rule.destination.parts):
                self._known.clear()  # it may close an end for all that stands behind it
        for family, space, dst, src, shield in ends:
            services = self._terms[family].get(id(rule.terms))
            if services is None:
                services = self._terms[family][id(rule.terms)] = services_of(rule.terms, family)
            for service, sport in services:
                yield space, shield, (service, dst, src, sport)

    def _between(self, number: int, rule: Rule) -> list[_Ends]:
        """The ends of a rule in each space but where it is a derived deny that closes one."""
        out = []
        for realm, family, destination in rule.destination.parts:
            source = rule.source.of(realm, family)
            if source:
                each = self.opened(realm, family)
                if rule.place or not each.closes(number, rule, destination, source):
                    out.append(each.left(destination, source))
        return out


_Ends = tuple[Family, Space, Spans, Spans, int | None]
"""What is left of both ends of a rule in a space; where of one nothing is left, the ends, and the deny that closes it."""


def repeated(base: Space, other: Space) -> set[int]:
    """Places of ``other`` of which nothing new can be asked: the same block with the same neighbours is in ``base``.

    Sets of addresses are in every realm, and rules between them are the same in each: a block that touches none of those
    that only one of the two has fares in both alike.
    """
    mine: dict[int, list[int]] = {}
    for at, owner in enumerate(base.owners):
        mine.setdefault(owner, []).append(at)
    twins: dict[int, int] = {}
    for at, (owner, block) in enumerate(zip(other.owners, other.blocks, strict=True)):
        twin = next((each for each in mine.get(owner, ()) if base.blocks[each] == block), None)
        if twin is not None:
            twins[at] = twin
    odd = [block for at, block in enumerate(other.blocks) if at not in twins]
    known = set(twins.values())
    odd += [block for at, block in enumerate(base.blocks) if at not in known]
    if len(odd) > max(FEW, len(twins)):
        return set()
    near, touched = base.near, 0
    for block in odd:
        touched |= near.touching(block, near.meeting(block, near.all))
    return {at for at, twin in twins.items() if not touched >> near.bits[twin] & 1}


class Filling:
    """A space while rules are added to it: which addresses are closed by now, and what is left of each set of them."""

    __slots__ = ("_left", "_shields", "space")

    def __init__(self, space: Space) -> None:
        self.space = space
        self._shields: dict[int, tuple[int, Spans]] = {}
        self._left: dict[int, dict[int, Spans]] = {DST: {}, SRC: {}}

    def closes(self, number: int, rule: Rule, dst: Spans, src: Spans) -> bool:
        """Whether a derived rule is the deny that closes one end for every rule behind it; then it does so from now on."""
        family = self.space.family
        if rule.action != "deny" or services_of(rule.terms, family) != ((EVERY_SERVICE, EVERY_PORT),):
            return False
        level, spans = (DST, dst) if src == whole(family) else (SRC, src)
        if whole(family) not in (dst, src) or level in self._shields:
            return False
        self._shields[level], self._left[level] = (number, spans), {}
        self.space.shields[level] = spans
        return True

    def left(self, dst: Spans, src: Spans) -> _Ends:
        """What is left of two ends."""
        space, to, start = self.space, self.without(DST, dst), self.without(SRC, src)
        if to and start:
            return space.family, space, to, start, None
        return space.family, space, dst, src, self._shields[SRC if to else DST][0]

    def without(self, level: int, spans: Spans) -> Spans:
        """What is left of a set without what is closed; the same object whenever the same set is asked about."""
        known = self._left[level].get(id(spans))
        if known is None:
            rest = _less(spans, self._shields[level][1]) if level in self._shields else spans
            known = self._left[level][id(spans)] = spans if rest == spans else rest
        return known


def _less(spans: Spans, closed: Spans) -> Spans:
    """The set without what is closed, which is much and mostly elsewhere."""
    start = bisect_right(closed, spans[0]) - 1
    return without(spans, closed[max(start, 0) : bisect_right(closed, (spans[-1][1] + 1, 0))])
