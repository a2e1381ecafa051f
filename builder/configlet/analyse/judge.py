"""The questions that are asked of each rule: does it ever decide, what is taken from it, would anybody miss it?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from configlet.analyse.blocks import DST, SRC, Block, inside, meet, size, split, touching
from configlet.analyse.cover import Meter, uncovered
from configlet.analyse.lone import parted
from configlet.analyse.spaces import Space, repeated
from configlet.analyse.standing import Standing
from configlet.analyse.verdicts import Dead, Spare, Verdicts, Where
from configlet.model.finding import Kind
from configlet.model.inventory import Action
from configlet.model.net import Family
from configlet.model.policy import Policy
from configlet.packets.walk import Overrun

_SPANS = 16
"""So many intervals of a block are a step wherever it is met with another."""
_GUARD = Spare("guard", ())
_OTHER: dict[Action, Action] = {"allow": "deny", "deny": "allow"}


class _Undecided(Exception):  # noqa: N818 - it is an answer
    """The budget ran out before an answer was found."""


class _Asked(NamedTuple):
    """A block by its place, the blocks that are there anyway, and those of which some are to be chosen."""

    here: Standing
    at: int
    fixed: int
    others: int

    @property
    def block(self) -> Block:
        """The block that is asked of."""
        return self.here.space.blocks[self.at]


def judge(policy: Policy, meter: Meter, *, guards: bool = True) -> Verdicts:
    """All verdicts: down the policy, then up again for what nobody would miss, last who decides what is never matched.

    Without ``guards`` nothing is said of denies that stand guard: there are many, and they always do.
    """
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
    if guards:
        denies = [number for number in court.found.lone if policy.rules[number].action == "deny"]
        court.found.spare.update((n, _GUARD) for n in denies if policy.rules[n].origin == "policy")
    else:
        court.found.spare = {number: spare for number, spare in court.found.spare.items() if spare.kind != "guard"}
    meter.left += total // 8
    for step in (court.fewest, court.deciding):
        for number in court.found.dead:
            step(number)
    return court.found


class _Court:
    def __init__(self, policy: Policy, meter: Meter) -> None:
        self.rules, self.meter = policy.rules, meter
        lone, self.spaces = parted(policy)
        self.found = Verdicts(lone, lone.wider)
        self.at: dict[int, list[tuple[Space, int]]] = {}
        for space in self.spaces:
            for at, owner in enumerate(space.owners):
                self.at.setdefault(owner, []).append((space, at))
        self.stands: dict[int, Standing] = {}
        self.asked = self._asked()
        self.subjects = [number for number, rule in enumerate(self.rules) if rule.place and number not in lone]

    def _asked(self) -> dict[int, list[tuple[Standing, int]]]:
        """The blocks of each rule of which something is to be asked: those of a realm that repeats another are not."""
        bases: dict[Family, Space] = {}
        again: dict[int, set[int]] = {}
        for space in sorted(self.spaces, key=lambda space: len(space.blocks), reverse=True):
            base = bases.setdefault(space.family, space)
            again[id(space)] = repeated(base, space) if base is not space else set()
        return {
            owner: [(self._standing(space), at) for space, at in blocks if at not in again[id(space)]]
            for owner, blocks in self.at.items()
            if self.rules[owner].place
        }

    def _standing(self, space: Space) -> Standing:
        known = self.stands.get(id(space))
        if known is None:
            known = self.stands[id(space)] = Standing(space, self.rules)
        return known

    def _remove(self, number: int) -> None:
        """The rule is one of those that can be removed together: they never decide, or were found redundant."""
        for space, at in self.at.get(number, ()):
            if id(space) in self.stands:
                self.stands[id(space)].remove(at)

    def down(self, number: int) -> None:
        """Whether the rule ever decides."""
        try:
            asked = self._earlier(number)
        except _Undecided:
            self._doubt(number, "fully-shadowed")
            return
        decided = [self._ever(number, each) for each in asked]
        if number in self.found.live:
            return
        if not all(decided):
            self._doubt(number, "fully-shadowed")
            return
        self._remove(number)
        closed = [(space, *each) for space in self.spaces for each in space.closed.get(number, ())]
        parts = [*((each.here.space, each.block) for each in asked), *((s, block) for s, _, block in closed)]
        if parts:
            everybody = _owners(asked)
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
                owners = [owner for owner in sorted(_owners(asked)) if self._decides(asked, owner)]
                chosen, least = self._least([e._replace(others=e.here.of(e.others, owners)) for e in asked])
                dead = dead._replace(by=tuple(sorted(chosen)), least=least)
            self.found.dead[number] = dead._replace(decide=True)
        except _Undecided:
            return

    def _earlier(self, number: int) -> list[_Asked]:
        return [_Asked(here, at, 0, self._sharing(here, at) and here.earlier(at)) for here, at in self.asked.get(number, ())]

    def _decides(self, asked: list[_Asked], owner: int) -> bool:
        """Whether an earlier rule decides packets of the blocks that are asked of, and is not hidden behind others."""
        for each in asked:
            for other in each.here.near.order(each.here.of(each.others, (owner,))):
                common = meet(each.block, each.here.space.blocks[other])
                before = each.others & each.here.before(other)
                if common is not None and self._part(each.here, common, before) is not None:
                    return True
        return False

    def _ever(self, number: int, asked: _Asked) -> bool:
        """Whether it could be decided if a block ever decides; then also a part that it does decide."""
        here, at, _, earlier = asked
        try:
            part = self._free(here, asked.block, earlier)
        except _Undecided:
            return False
        if part is not None:
            here.space.live[at] = part
            self.found.live.setdefault(number, (here.space, part))
        return True

    def _sharing(self, here: Standing, at: int) -> int:
        """The blocks that share packets with one, itself among them; nothing where there is no other."""
        found = here.sharing(at)
        if found and self.meter.left <= 0:
            raise _Undecided
        return found

    def _free(self, here: Standing, block: Block, covers: int) -> Block | None:
        found = uncovered(here.space.family, here.near, block, covers, self.meter)
        if isinstance(found, Overrun):
            raise _Undecided
        return found

    def _part(self, here: Standing, part: Block, covers: int) -> Block | None:
        """The same of a part of a block, some neighbours of which may not share packets with it."""
        return self._free(here, part, covers and here.near.touching(part, here.near.meeting(part, covers)))

    def takers(self, number: int) -> None:
        """What earlier rules of the other action take; of those that somebody wrote, as what is derived is no mistake."""
        taken: dict[int, Where] = {}
        try:
            for here, at in self.asked.get(number, ()):
                if self._sharing(here, at):
                    for owner, part in self._taken(here, at, taken):
                        taken[owner] = here.space, part
            crossing = {owner for owner in taken if not self._inside(owner, number)}
        except _Undecided:
            self._doubt(number, "partly-shadowed", "contradicting")
            return
        if taken:
            self.found.taken[number], self.found.crossing[number] = dict(sorted(taken.items())), crossing

    def _taken(self, here: Standing, at: int, known: dict[int, Where]) -> Iterator[tuple[int, Block]]:
        mine, owners, blocks = here.space.blocks[at], here.owners, here.space.blocks
        earlier = here.earlier(at)
        for other in here.near.order(earlier & here.written & here.acting[_OTHER[self.rules[owners[at]].action]]):
            owner = owners[other]
            if owner in known:
                continue
            self.meter.left -= (len(mine[DST]) + len(mine[SRC])) // _SPANS
            live = here.space.live.get(other)
            part = meet(live, mine) if live else None
            if part is None:
                common = meet(mine, blocks[other])
                part = self._part(here, common, earlier & here.before(other)) if common else None
            if part is not None:
                yield owner, part

    def _inside(self, inner: int, outer: int) -> bool:
        """Whether every packet of one rule is a packet of another, where infrastructure addresses count for nobody."""
        around: dict[int, list[int]] = {}
        for space, at in self.at[outer]:
            around.setdefault(id(space), []).append(at)
        return all(
            id(space) in around and self._held(space, part, around[id(space)])
            for space, at in self.at[inner]
            if (part := space.blocks[at] if self.rules[inner].origin == "policy" else space.open_part(at)) is not None
        )

    def _held(self, space: Space, part: Block, around: list[int]) -> bool:
        if len(around) == 1:
            return inside(part, space.blocks[around[0]])
        here = self._standing(space)
        return self._part(here, part, here.near.some(around)) is None

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
            return _owners(asked), False
        return chosen, True

    def _enough(self, asked: list[_Asked]) -> set[int]:
        chosen: set[int] = set()
        for each in asked:
            block, blocks, near, shared = each.block, each.here.space.blocks, each.here.near, dict[int, float]()
            while (part := self._free(each.here, block, _with(each, chosen))) is not None:
                reaching = [other for other in near.order(near.meeting(part, each.others)) if touching(part, blocks[other])]
                shared.update({other: _shared(block, blocks[other]) for other in reaching if other not in shared})
                chosen.add(each.here.owners[max(reaching, key=shared.__getitem__)])
        return chosen

    def _covers(self, asked: list[_Asked], chosen: set[int]) -> bool:
        return all(self._free(each.here, each.block, _with(each, chosen)) is None for each in asked)

    def up(self, number: int) -> None:
        """Whether anything would change without the rule, given that what is gone already is gone."""
        asked: list[_Asked] = []
        others: list[int] = []
        action = self.rules[number].action
        try:
            for here, at in self.asked[number]:
                near = self._sharing(here, at)
                if not near and action == "allow" and at in here.space.live:
                    return
                near &= here.left
                later = here.behind(at, near)
                same = later & here.acting[action]
                if action == "allow" and not same and at in here.space.live:
                    return
                asked.append(_Asked(here, at, near and near & here.before(at), same))
                others.append(later ^ same)
            self._judge_spare(number, asked, others)
        except _Undecided:
            self._doubt(number, "redundant")

    def _judge_spare(self, number: int, asked: list[_Asked], others: list[int]) -> None:
        left = any(self._left(each) for each in asked)
        if left and self.rules[number].action == "allow":
            return
        for each, theirs in zip(asked, others, strict=True):
            if any(self._turned(each, other) for other in each.here.near.order(theirs)):
                return
        if left:
            self.found.spare[number] = _GUARD
            return
        self._remove(number)
        self.found.spare[number] = Spare("redundant", tuple(sorted(self._least(asked)[0])))

    def _left(self, asked: _Asked) -> bool:
        """Whether a packet that the block decides has no rule of the same action behind it."""
        here, at, fixed, same = asked
        live = here.space.live.get(at)
        if live is not None and self._part(here, live, same) is not None:
            return True  # nobody before it has any of that part, so only few need to be looked at
        return self._free(here, asked.block, fixed | same) is not None

    def _turned(self, asked: _Asked, other: int) -> bool:
        """Whether a packet that the block decides would be decided by a later block of the other action."""
        here, at, fixed, same = asked
        theirs, before, live = here.space.blocks[other], same and same & here.before(other), here.space.live.get(at)
        some = meet(live, theirs) if live else None
        if some is not None and not (before and here.near.meeting(some, before)):
            return True
        common = meet(asked.block, theirs)
        return common is not None and self._part(here, common, fixed | before) is not None

    def _doubt(self, number: int, *kinds: Kind) -> None:
        self.found.undecided.setdefault(number, []).extend(kinds)


def _owners(asked: list[_Asked]) -> set[int]:
    return {owner for each in asked for owner in each.here.rules(each.others)}


def _with(asked: _Asked, chosen: set[int]) -> int:
    return asked.fixed | asked.here.of(asked.others, chosen)


def _shared(block: Block, cover: Block) -> float:
    """How many packets two blocks share, which do share some."""
    share = 1.0
    for mine, theirs in zip(block, cover, strict=True):
        share *= size(mine if mine is theirs else split(mine, theirs)[1])
    return share
