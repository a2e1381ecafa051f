"""The blocks of a space by what their rules do, and which of them stand before or behind one that they share packets with."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_

from configlet.analyse.crowd import places
from configlet.analyse.spaces import Space
from configlet.model.inventory import Action
from configlet.model.policy import Rule

FEW = 4
"""So many neighbours of a block are remembered, as a number of so many bits is long."""


class Standing:
    """Some blocks of one space are the bits of a number, as in ``near.Neighbours``."""

    __slots__ = ("_few", "acting", "left", "near", "owners", "space", "written")

    def __init__(self, space: Space, rules: Sequence[Rule]) -> None:
        self.space, self.near, self.owners = space, space.near, space.owners
        mine = [rules[self.owners[at]] for at in reversed(self.near.places)]
        self.acting: dict[Action, int] = {
            action: _bits(rule.action == action for rule in mine) for action in ("allow", "deny")
        }
        """The blocks of rules with an action; ``written`` are those of rules that somebody wrote."""
        self.written = _bits(rule.place is not None for rule in mine)
        self.left = self.near.all
        """The blocks of rules that are not gone."""
        self._few: dict[int, tuple[int, ...]] = {}

    def remove(self, at: int) -> None:
        """The block at a place is gone."""
        self.left ^= 1 << self.near.bits[at]

    def sharing(self, at: int) -> int:
        """The blocks that share a packet with the one at a place; 0 where there is none but itself."""
        known = self._few.get(at)
        if known is not None:
            return reduce(or_, map((1).__lshift__, known), 0)
        found = self.near.of(at)
        if found == 1 << self.near.bits[at]:
            self._few[at], found = (), 0
        elif found.bit_count() <= FEW:
            self._few[at] = tuple(places(found))
        return found

    def earlier(self, at: int) -> int:
        """Those of them that are of earlier rules."""
        found = self.sharing(at)
        return found and found & self.before(at)

    def before(self, at: int) -> int:
        """All blocks of rules before that of a block."""
        owners = self.owners
        first = at if at == 0 or owners[at - 1] != owners[at] else bisect_left(owners, owners[at])
        return self.near.before(first)

    def behind(self, at: int, some: int) -> int:
        """Those of some blocks that are of later rules than a block."""
        owners = self.owners
        after = at + 1 if at + 1 == len(owners) or owners[at + 1] != owners[at] else bisect_right(owners, owners[at])
        return some ^ (some & self.near.before(after))

    def of(self, some: int, owners: Iterable[int]) -> int:
        """Those of some blocks that are of some rules."""
        return some & self.near.some(
            at for owner in owners for at in range(bisect_left(self.owners, owner), bisect_right(self.owners, owner))
        )

    def rules(self, some: int) -> set[int]:
        """The rules of some blocks."""
        return {self.owners[self.near.places[bit]] for bit in places(some)}


def _bits(said: Iterable[bool]) -> int:
    """The highest bit comes first."""
    return int("0" + "".join(["1" if yes else "0" for yes in said]), 2)
