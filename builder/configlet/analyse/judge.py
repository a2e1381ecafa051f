"""The questions that are asked of each rule: does it ever decide, what is taken from it, would anybody miss it?"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from configlet.analyse.blocks import Block, meet, size, touching
from configlet.analyse.cover import Meter, uncovered
from configlet.analyse.spaces import Space, repeated, spaces_of
from configlet.model.finding import Kind
from configlet.model.net import Family
from configlet.model.policy import Policy
from configlet.packets.walk import Overrun

KEPT = 10_000_000
"""So many neighbours of blocks are kept for the next pass, in four bytes each; beyond, they are asked for again."""
Where = tuple[Space, Block]


class Dead(NamedTuple):
    """Of a rule that never decides: earlier rules that are enough for it, whether none can be left out, its packets.

    Packets of infrastructure addresses count for nobody; a rule that has no others is dead by the denies that close them.
    """

    by: tuple[int, ...]
    least: bool
    sample: Where
    decide: bool = False
    """Whether each of those rules decides some packets of it; else they hold them all, and it was not found who decides."""


class Spare(NamedTuple):
    """A rule without which every packet has the same verdict. A ``guard`` is a deny behind which the default denies."""

    kind: Literal["redundant", "guard"]
    by: tuple[int, ...]


@dataclass
class Verdicts:
    """What was found of each rule, by its place in the policy."""

    live: dict[int, Where] = field(default_factory=dict)
    """A part of packet space that the rule decides."""
    dead: dict[int, Dead] = field(default_factory=dict)
    taken: dict[int, dict[int, Where]] = field(default_factory=dict)
    """Earlier rules of the other action that decide some of the rule's packets, each with such a part."""
    crossing: dict[int, set[int]] = field(default_factory=dict)
    """Those of them that have packets beyond the rule's too."""
    spare: dict[int, Spare] = field(default_factory=dict)
    undecided: dict[int, list[Kind]] = field(default_factory=dict)


class _Undecided(Exception):  # noqa: N818 - it is an answer
    """The budget ran out before an answer was found."""


class _Asked(NamedTuple):
    """A block, the blocks that are there anyway, and those of which some are to be chosen; all as places in a space."""

    space: Space
    at: int
    fixed: list[int]
    others: list[int]


def judge(policy: Policy, meter: Meter) -> Verdicts:
    """All verdicts: down the policy, then up again for what nobody would miss, last who decides what is never matched."""
    court, total = _Court(policy, meter), meter.left
    written = [number for number in court.subjects if policy.rules[number].origin == "policy"]
    meter.left = total - total // 4 - total // 8
    for number in court.subjects:
        court.down(number)
    meter.left += total // 4
    for number in written:
        court.takers(number)
    meter.left += total // 8
    for number in reversed(written):
        if number in court.found.live:
            court.up(number)
    meter.left += total // 8
    for step in (court.fewest, court.deciding):
        for number in court.found.dead:
            step(number)
    return court.found


class _Court:
    def __init__(self, policy: Policy, meter: Meter) -> None:
        self.rules, self.meter = policy.rules, meter
        self.spaces = spaces_of(policy)
        self.found = Verdicts()
        self.at: dict[int, list[tuple[Space, int]]] = {}
        for space in self.spaces:
            for at, owner in enumerate(space.owners):
                self.at.setdefault(owner, []).append((space, at))
        self.asked = self._asked()
        self.subjects = [number for number, rule in enumerate(self.rules) if rule.place]
        self.kept = 0
        self.gone: set[int] = set()
        """Rules that can be removed together: those that never decide, then those that were found redundant."""

    def _asked(self) -> dict[int, list[tuple[Space, int]]]:
        """The blocks of each rule of which something is to be asked: those of a realm that repeats another are not."""
        bases: dict[Family, Space] = {}
        again: dict[int, set[int]] = {}
        for space in sorted(self.spaces, key=lambda space: len(space.blocks), reverse=True):
            base = bases.setdefault(space.family, space)
            again[id(space)] = repeated(base, space) if base is not space else set()
        if not any(again.values()):
            return self.at
        return {
            owner: [(space, at) for space, at in blocks if at not in again[id(space)]] for owner, blocks in self.at.items()
        }

    def down(self, number: int) -> None:
        """Whether the rule ever decides."""
        try:
            asked = self._earlier(number)
        except _Undecided:
            self._doubt(number, "fully-shadowed")
            return
        if asked and not any(each.others for each in asked):
            self._alone(number, asked)
            return
        decided = [self._ever(number, each) for each in asked]
        if number in self.found.live:
            return
        if not all(decided):
            self._doubt(number, "fully-shadowed")
            return
        self.gone.add(number)
        closed = [(space, *each) for space in self.spaces for each in space.closed.get(number, ())]
        parts = [*((each.space, each.space.blocks[each.at]) for each in asked), *((s, block) for s, _, block in closed)]
        if parts:
            everybody = {each.space.owners[other] for each in asked for other in each.others}
            by = everybody or {shield for _, shield, _ in closed}
            self.found.dead[number] = Dead(tuple(sorted(by)), not everybody, parts[0], not everybody)

    def fewest(self, number: int) -> None:
        """Of a rule that never decides, as few rules as are enough for it."""
        dead = self.found.dead[number]
        if dead.decide:
            return
        try:
            chosen, least = self._least(self._earlier(number))
        except _Undecided:
            return
        self.found.dead[number] = dead._replace(by=tuple(sorted(chosen)), least=least)

    def deciding(self, number: int) -> None:
        """The same of rules that decide its packets, where those that were found are hidden behind others."""
        dead = self.found.dead[number]
        if dead.decide:
            return
        try:
            asked = self._earlier(number)
            if not all(self._decides(asked, owner) for owner in dead.by):
                chosen, least = self._least([each._replace(others=self._deciding(each, asked)) for each in asked])
                dead = dead._replace(by=tuple(sorted(chosen)), least=least)
            self.found.dead[number] = dead._replace(decide=True)
        except _Undecided:
            return

    def _earlier(self, number: int) -> list[_Asked]:
        return [_Asked(space, at, [], self._before(space, at)) for space, at in self.asked.get(number, ())]

    def _deciding(self, each: _Asked, asked: list[_Asked]) -> list[int]:
        owners = each.space.owners
        return [other for other in each.others if self._decides(asked, owners[other])]

    def _decides(self, asked: list[_Asked], owner: int) -> bool:
        """Whether an earlier rule decides packets of the blocks that are asked of, and is not hidden behind others."""
        for space, at, _, others in asked:
            owners = space.owners
            before = [other for other in others if owners[other] < owner]
            for other in (other for other in others if owners[other] == owner):
                common = meet(space.blocks[at], space.blocks[other])
                if common is not None and self._free(space, common, before) is not None:
                    return True
        return False

    def _alone(self, number: int, asked: list[_Asked]) -> None:
        """Nothing before it has a packet of it."""
        for each in asked:
            each.space.live[each.at] = each.space.blocks[each.at]
        self.found.live[number] = asked[0].space, asked[0].space.blocks[asked[0].at]

    def _ever(self, number: int, asked: _Asked) -> bool:
        """Whether it could be decided if a block ever decides; then also a part that it does decide."""
        space, at, _, earlier = asked
        try:
            part = self._free(space, space.blocks[at], earlier)
        except _Undecided:
            return False
        if part is not None:
            space.live[at] = part
            self.found.live.setdefault(number, (space, part))
        return True

    def _before(self, space: Space, at: int) -> list[int]:
        owners = space.owners
        return [other for other in self._near(space, at) if owners[other] < owners[at]]

    def _near(self, space: Space, at: int) -> Sequence[int]:
        known = space.known.get(at)
        if known is not None:
            return known
        if self.meter.left <= 0:
            raise _Undecided
        found: Sequence[int] = space.near.of(at)
        self.meter.left -= space.near.looked // 4
        self.kept += len(found)
        if self.kept <= KEPT:
            space.known[at] = found if len(found) < 16 else array("I", found)
        return found

    def _free(self, space: Space, block: Block, covers: Sequence[int]) -> Block | None:
        if not covers:
            return block
        if len(covers) > 1:
            covers = sorted(covers, key=space.narrowness.__getitem__)
        found = uncovered(space.family, block, [space.blocks[cover] for cover in covers], self.meter)
        if isinstance(found, Overrun):
            raise _Undecided
        return found

    def takers(self, number: int) -> None:
        """What earlier rules of the other action take; of those that somebody wrote, as what is derived is no mistake."""
        taken: dict[int, Where] = {}
        try:
            for space, at in self.asked.get(number, ()):
                for owner, part in self._taken(space, at, taken):
                    taken[owner] = space, part
            crossing = {owner for owner in taken if not self._inside(owner, number)}
        except _Undecided:
            self._doubt(number, "partly-shadowed", "contradicting")
            return
        if taken:
            self.found.taken[number], self.found.crossing[number] = dict(sorted(taken.items())), crossing

    def _taken(self, space: Space, at: int, known: dict[int, Where]) -> Iterator[tuple[int, Block]]:
        mine, owners, rules = space.blocks[at], space.owners, self.rules
        action = rules[owners[at]].action
        earlier = self._before(space, at)
        for order, other in enumerate(earlier):
            owner = owners[other]
            if rules[owner].action == action or not rules[owner].place or owner in known:
                continue
            live = space.live.get(other)
            part = meet(live, mine) if live else None
            if part is None:
                common = meet(mine, space.blocks[other])
                before = [each for each in earlier[:order] if owners[each] != owner]
                part = self._free(space, common, before) if common else None
            if part is not None:
                yield owner, part

    def _inside(self, inner: int, outer: int) -> bool:
        """Whether every packet of one rule is a packet of another, where infrastructure addresses count for nobody."""
        around: dict[int, list[int]] = {}
        for space, at in self.at[outer]:
            around.setdefault(id(space), []).append(at)
        return all(
            id(space) in around and self._free(space, part, around[id(space)]) is None
            for space, at in self.at[inner]
            if (part := space.blocks[at] if self.rules[inner].origin == "policy" else space.open_part(at)) is not None
        )

    def _least(self, asked: list[_Asked]) -> tuple[set[int], bool]:
        """Owners whose blocks, with the fixed ones, cover every block asked of; none of them can be left out.

        Greedy by what they share, then those go that are not needed. When the budget ends, all that there are.
        """
        try:
            chosen = self._enough(asked)
            for owner in sorted(chosen, reverse=True):
                if len(chosen) > 1 and self._covers(asked, chosen - {owner}):
                    chosen.discard(owner)
        except _Undecided:
            return {each.space.owners[other] for each in asked for other in each.others}, False
        return chosen, True

    def _enough(self, asked: list[_Asked]) -> set[int]:
        chosen: set[int] = set()
        for each in asked:
            block, blocks = each.space.blocks[each.at], each.space.blocks
            while (part := self._free(each.space, block, _with(each, chosen))) is not None:
                reaching = [other for other in each.others if touching(part, blocks[other])]
                chosen.add(each.space.owners[max(reaching, key=lambda o: _shared(block, blocks[o]))])
        return chosen

    def _covers(self, asked: list[_Asked], chosen: set[int]) -> bool:
        return all(
            self._free(each.space, each.space.blocks[each.at], _with(each, chosen)) is None for each in asked
        )

    def up(self, number: int) -> None:
        """Whether anything would change without the rule, given that what is gone already is gone."""
        asked: list[_Asked] = []
        others: list[list[int]] = []
        action = self.rules[number].action
        try:
            if action == "allow" and any(self._needed(number, space, at) for space, at in self.asked[number]):
                return
            for space, at in self.asked[number]:
                near = [n for n in self._near(space, at) if space.owners[n] not in self.gone]
                later = [n for n in near if space.owners[n] > number]
                same = [n for n in later if self.rules[space.owners[n]].action == action]
                asked.append(_Asked(space, at, [n for n in near if space.owners[n] < number], same))
                others.append([n for n in later if self.rules[space.owners[n]].action != action])
            self._judge_spare(number, asked, others)
        except _Undecided:
            self._doubt(number, "redundant")

    def _needed(self, number: int, space: Space, at: int) -> bool:
        """Whether an allow decides packets of a block and no allow behind it has any of them."""
        owners, gone, rules = space.owners, self.gone, self.rules
        return at in space.live and not any(
            owners[n] > number and owners[n] not in gone and rules[owners[n]].action == "allow"
            for n in self._near(space, at)
        )

    def _judge_spare(self, number: int, asked: list[_Asked], others: list[list[int]]) -> None:
        left = any(self._left(each) for each in asked)
        if left and self.rules[number].action == "allow":
            return
        if any(self._turned(each, other) for each, theirs in zip(asked, others, strict=True) for other in theirs):
            return
        if left:
            self.found.spare[number] = Spare("guard", ())
            return
        self.gone.add(number)
        self.found.spare[number] = Spare("redundant", tuple(sorted(self._least(asked)[0])))

    def _left(self, asked: _Asked) -> bool:
        """Whether a packet that the block decides has no rule of the same action behind it."""
        space, at, fixed, same = asked
        if not same and at in space.live:
            return True
        return self._free(space, space.blocks[at], [*fixed, *same]) is not None

    def _turned(self, asked: _Asked, other: int) -> bool:
        """Whether a packet that the block decides would be decided by a later block of the other action."""
        space, at, fixed, same = asked
        common = meet(space.blocks[at], space.blocks[other])
        before = [each for each in same if space.owners[each] < space.owners[other]]
        return common is not None and self._free(space, common, [*fixed, *before]) is not None

    def _doubt(self, number: int, *kinds: Kind) -> None:
        self.found.undecided.setdefault(number, []).extend(kinds)


def _with(asked: _Asked, chosen: set[int]) -> list[int]:
    return [*asked.fixed, *(other for other in asked.others if asked.space.owners[other] in chosen)]


def _shared(block: Block, cover: Block) -> float:
    """How many packets two blocks share."""
    share = 1.0
    for spans in meet(block, cover) or ():
        share *= size(spans)
    return share
