"""Which blocks of a list share a packet with a given one, without looking at all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_

from configlet.analyse.blocks import DST, SERVICE, SPORT, SRC, Block, end_of, size, touching
from configlet.analyse.crowd import MOST_BYTES, Crowd, places
from configlet.model.net import Spans, merge
from configlet.packets.sets import touch, without

LEVELS = (DST, SRC, SERVICE, SPORT)
LATER = (SERVICE, SPORT)
"""What is laid out when more than ``CREDIT`` blocks a question were looked at one by one, or ``CHEAP`` where
services have few borders: where little overlaps it never is."""
CREDIT, CHEAP, FIRST = 64, 4, 32
BETWEEN, ROOM = 256, 400_000
"""Blocks between ends that share addresses, up to which they are remembered by these ends, and how many are in all."""
FEW = 4
"""Spans that are looked up without asking whether another way were shorter."""
_MARKS = 512
"""So many numbers say which blocks stand before a place; those between are made of the nearest."""


class Neighbours:
    """Blocks in the order of their rules, and for each the ones that share a packet with it.

    Some of the blocks are the bits of a number. The broader a block, the higher its bit; of equally broad ones the first
    has the highest.
    """

    __slots__ = (
        "_allowed", "_credit", "_crowds", "_ends", "_highs", "_last", "_lows", "_marks", "_own", "_room", "_step", "_whole",
        "all", "bits", "blocks", "exact", "places", "ranked",
    )  # fmt: skip

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = blocks
        breadth = [float(size(b[SERVICE]) * size(b[SPORT])) * size(b[DST]) * size(b[SRC]) for b in blocks]
        self.places = sorted(range(len(blocks) - 1, -1, -1), key=breadth.__getitem__)
        """Of each bit the place of its block."""
        self.bits = [0] * len(blocks)
        for bit, at in enumerate(self.places):
            self.bits[at] = bit
        self.ranked = [blocks[at] for at in self.places]
        """Of each bit the block."""
        self.exact = all(all(block[level] is blocks[0][level] for block in blocks) for level in LATER)
        """Whether ``meeting`` says nothing of blocks that only may touch."""
        borders = len({border for block in blocks for span in block[SERVICE] for border in span})
        self._allowed = CREDIT if borders * len(blocks) > 4 * MOST_BYTES else CHEAP
        self._credit, self._whole = CREDIT * FIRST, self.exact
        self._lows = [block[SERVICE][0][0] for block in self.ranked]
        self._highs = [block[SERVICE][-1][1] for block in self.ranked]
        self._crowds: list[Crowd | None] = [None] * 4
        self._own: list[tuple[list[int], list[int], int, Crowd]] = []
        self._last = -1, 0
        self._ends: dict[tuple[int, ...], list[int]] = {}
        self._room = ROOM
        for level in (DST, SRC):
            self._lay_out(level)
        self.all = (1 << len(blocks)) - 1
        self._step = max(16, len(blocks) // _MARKS)
        self._marks = [0]
        for start in range(0, len(blocks), self._step):
            self._marks.append(self.some(range(start, min(start + self._step, len(blocks))), self._marks[-1]))

    def _lay_out(self, level: int) -> None:
        numbers: dict[int, int] = {}  # by identity: equal sets are mostly one object, and where not nothing is lost
        ids = [numbers.setdefault(id(block[level]), len(numbers)) for block in self.blocks]
        if len(numbers) == 1:
            return
        sets = {number: block[level] for number, block in zip(ids, self.blocks, strict=True)}
        holders: list[list[int]] = [[] for _ in numbers]
        for number, bit in zip(ids, self.bits, strict=True):
            holders[number].append(bit)
        crowd = self._crowds[level] = Crowd([sets[number] for number in range(len(sets))], holders)
        self._own.append((ids, [0] * len(sets), level, crowd))
        self.exact = self.exact and crowd.exact

    def of(self, at: int) -> int:
        """The blocks that share a packet with the block at a place, itself among them."""
        if self._last[0] == at:
            return self._last[1]
        found = 0 if self.exact or self._whole or self._credit < 0 else self._few(at)
        if not found:
            found = self._meeting(at)
            self._credit += self._allowed
            if found != 1 << self.bits[at]:
                found = self.touching(self.blocks[at], found)
        self._last = at, found
        return found

    def _few(self, at: int) -> int:
        """The same where few blocks are between ends that share addresses: those are remembered, as many have these ends. 0
        where they are many."""
        key = tuple([ids[at] for ids, _, _, _ in self._own])
        near = self._ends.get(key)
        if near is None:
            found = self._meeting(at)
            near = places(found) if found.bit_count() <= BETWEEN else []
            self._ends[key] = near if self._room > 0 else []
            self._room -= len(near)
        if not near:
            return 0
        self._credit += self._allowed
        return 1 << near[0] if len(near) == 1 else self._shared(self.blocks[at], near)

    def _meeting(self, at: int) -> int:
        """The blocks that share addresses with the block at a place, or may do."""
        block, found = self.blocks[at], self.all
        for ids, known, level, crowd in self._own:
            number = ids[at]
            touching = known[number]
            if not touching:
                touching = crowd.touching(block[level])
                if number < crowd.room:
                    known[number] = touching
            found &= touching
        return found

    def meeting(self, block: Block, others: int) -> int:
        """Those of some blocks that share a packet with a part of one of ours, or may do."""
        for level in LEVELS:
            crowd = self._crowds[level]
            if crowd is not None:
                others &= crowd.touching(block[level])
        return others

    def narrowed(self, level: int, spans: Spans, others: int) -> int:
        """Those of some blocks that have, or may have, a value of a set in one dimension."""
        crowd = self._crowds[level]
        return others if crowd is None else others & crowd.touching(spans)

    def beyond(self, level: int, rest: Spans, inner: int, others: int) -> int:
        """The same for what is left of a set that all of them touch; ``inner`` of them touch what is not left."""
        if len(rest) <= FEW or inner.bit_count() > 2 * len(rest):
            return self.narrowed(level, rest, others)
        for bit in places(inner):
            if not touch(rest, self.ranked[bit][level]):
                others ^= 1 << bit
        return others

    def touching(self, block: Block, others: int) -> int:
        """Those that do share a packet, of some that ``meeting`` has named."""
        if self.exact:
            return others
        if self._credit < 0 and not self._whole:
            self._whole = True
            self.exact = all(crowd is None or crowd.exact for crowd in self._crowds)
            for level in LATER:
                self._lay_out(level)
            return self.touching(block, self.meeting(block, others))
        return self._shared(block, places(others))

    def _shared(self, block: Block, found: Sequence[int]) -> int:
        """Those of some blocks that do share a packet with a block, looked at one by one."""
        self._credit -= len(found)
        low, high, lows, highs = block[SERVICE][0][0], block[SERVICE][-1][1], self._lows, self._highs
        near = [bit for bit in found if lows[bit] <= high and highs[bit] >= low]
        return reduce(or_, map((1).__lshift__, [bit for bit in near if touching(block, self.ranked[bit])]), 0)

    def gap(self, block: Block, others: int, level: int) -> Spans:
        """The values of a block that none of some blocks has in one dimension."""
        crowd, whole = self._crowds[level], block[level]
        if crowd is not None and self._full(crowd, whole, others, level):
            return ()
        if crowd is not None and crowd.exact:
            found = crowd.gaps(whole, others, 4 * others.bit_count())
            if found is not None:
                return found
        sets = {id(spans): spans for spans in [self.ranked[bit][level] for bit in places(others)]}
        return without(whole, merge([span for spans in sets.values() for span in spans]))

    def _full(self, crowd: Crowd, whole: Spans, others: int, level: int) -> bool:
        """Whether there is no gap, as far as a few steps from one block to the next show it."""
        steps = 2 * FEW
        for low, high in whole:
            end = low - 1
            while end < high:
                value, end = end + 1, -1
                some = others & crowd.at(value)
                while some and end < 0 and steps:
                    bit = some.bit_length() - 1
                    end = end_of(self.ranked[bit][level], value)
                    some ^= 1 << bit
                    steps -= 1
                if end < 0:
                    return False
        return True

    def some(self, those: Iterable[int], others: int = 0) -> int:
        """The blocks at some places, and others."""
        for at in those:
            others |= 1 << self.bits[at]
        return others

    def before(self, place: int) -> int:
        """All blocks that stand before a place."""
        mark, rest = divmod(place, self._step)
        if rest * 2 < self._step or mark + 1 == len(self._marks):
            return self.some(range(place - rest, place), self._marks[mark])
        found = self._marks[mark + 1]
        for at in range(place, min((mark + 1) * self._step, len(self.blocks))):
            found ^= 1 << self.bits[at]
        return found

    def order(self, some: int) -> list[int]:
        """The places of some blocks, rising."""
        return sorted([self.places[bit] for bit in places(some)])
