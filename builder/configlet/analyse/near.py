"""Which blocks of a list share a packet with a given one, without looking at all of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

from configlet.analyse.blocks import DST, SERVICE, SRC, Block, reaching
from configlet.analyse.crowd import Crowd, affordable, places
from configlet.model.net import Spans
from configlet.packets.sets import touch

CROWD = 0.15
FEW = 40
"""Pairs of ends that are looked up without asking whether another way were shorter."""
DENSE, SAMPLE = 64, 32
"""Where sets of addresses touch so many others in the mean, of so many that are looked at, all are looked up as bits."""
WORDS = 256
"""Blocks in a number of bits that count as one look."""
REMEMBERED = 256
"""A set that touches more others than this is asked anew each time, to save memory."""


class Touching:
    """Sets of intervals, and which of them touch which.

    Intervals are kept by size class, so that those of one class that begin before a value and reach it begin within
    twice that size before it: a question costs a few bisections and the answer itself.
    """

    __slots__ = ("_classes", "_known", "_shares", "sets")

    def __init__(self, sets: Sequence[Spans]) -> None:
        self.sets = sets
        self._known: dict[int, frozenset[int]] = {}
        self._shares: dict[int, float] = {}
        gathered: dict[int, list[tuple[int, int, int]]] = {}
        for number, spans in enumerate(sets):
            for low, high in spans:
                gathered.setdefault((high - low + 1).bit_length(), []).append((low, high, number))
        self._classes = []
        for bits, items in gathered.items():
            items.sort()
            lows, highs, numbers = ([item[i] for item in items] for i in range(3))
            self._classes.append((1 << bits, lows, highs, numbers))

    def __call__(self, number: int) -> frozenset[int]:
        """The numbers of the sets that touch this one, itself among them."""
        known = self._known.get(number)
        if known is None:
            found: set[int] = set()
            for low, high in self.sets[number]:
                self._gather(low, high, found)
            known = frozenset(found)
            if len(known) <= REMEMBERED:
                self._known[number] = known
        return known

    def share(self, number: int) -> float:
        """Of all sets at most this part touches one, without looking at any."""
        known = self._shares.get(number)
        if known is not None:
            return known
        found = 0
        for low, high in self.sets[number]:
            for reach, lows, _, _ in self._classes:
                found += bisect_right(lows, high) - bisect_left(lows, low - reach)
        self._shares[number] = found / len(self.sets)
        return self._shares[number]

    def _gather(self, low: int, high: int, found: set[int]) -> None:
        for reach, lows, highs, numbers in self._classes:
            start, stop = bisect_left(lows, low - reach), bisect_right(lows, high)
            if start == stop:
                continue
            inside = bisect_left(lows, low, start, stop)
            found.update(numbers[inside:stop])
            found.update([numbers[at] for at in range(start, inside) if highs[at] >= low])


class Neighbours:
    """Blocks in the order of their rules, and for each the ones that share a packet with it."""

    __slots__ = (
        "_by", "_crowds", "_highs", "_ids", "_last", "_lows", "_pairs", "_places", "_touching", "_weights", "blocks", "looked",
    )  # fmt: skip

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = blocks
        self.looked = 0
        """How many blocks the last question looked at."""
        self._places: dict[int, int] | None = None
        self._ids: list[list[int]] = []
        self._by: list[list[list[int]]] = []
        self._touching: list[Touching] = []
        for level in (SERVICE, DST, SRC):
            self._enter(level)
        self._pairs: dict[tuple[int, int], list[int]] = {}
        for at, pair in enumerate(zip(self._ids[DST], self._ids[SRC], strict=True)):
            self._pairs.setdefault(pair, []).append(at)
        self._lows = [block[SERVICE][0][0] for block in blocks]
        self._highs = [block[SERVICE][-1][1] for block in blocks]
        self._weights: list[dict[int, int]] = [{}, {}, {}]
        self._last: tuple[tuple[int, int], list[int]] = ((-1, -1), [])
        self._crowds: dict[int, Crowd] | None = None

    def _enter(self, level: int) -> None:
        numbers: dict[int, int] = {}  # by identity: equal sets are mostly one object, and where not nothing is lost
        ids = [numbers.setdefault(id(block[level]), len(numbers)) for block in self.blocks]
        sets = {number: block[level] for number, block in zip(ids, self.blocks, strict=True)}
        by: list[list[int]] = [[] for _ in numbers]
        for at, number in enumerate(ids):
            by[number].append(at)
        self._ids.append(ids)
        self._by.append(by)
        self._touching.append(Touching([sets[number] for number in range(len(numbers))]))

    def of(self, at: int) -> list[int]:
        """The places of the blocks that share a packet with the block at a place, without it, in order."""
        crowds = self._crowds
        if crowds is None:
            crowds = self._crowds = self._dense()
        if crowds:
            candidates = self._in_crowds(at, crowds)
            self.looked = len(candidates) + len(self.blocks) // WORDS
        elif self._crowded(at):
            self.looked = len(self.blocks)
            return self._all(at)
        else:
            candidates = self._candidates(at)
            self.looked = len(candidates)
        if len(candidates) == 1:
            return []
        service, blocks, lows, highs = self.blocks[at][SERVICE], self.blocks, self._lows, self._highs
        low, high = lows[at], highs[at]
        found = [other for other in candidates if lows[other] <= high and highs[other] >= low and other != at]
        if len(service) > 1 or any(len(blocks[other][SERVICE]) > 1 for other in found):
            found = [other for other in found if touch(service, blocks[other][SERVICE])]
        sport = self.blocks[at][3]
        if any(self.blocks[other][3] is not sport for other in found):
            found = [other for other in found if touch(sport, self.blocks[other][3])]
        return found

    def _dense(self) -> dict[int, Crowd]:
        """The dimensions as bits, where sets touch that many others; addresses both or none."""
        step = max(1, len(self.blocks) // SAMPLE)
        sample = range(0, len(self.blocks), step)
        found: dict[int, Crowd] = {}
        for level in (DST, SRC, SERVICE):
            ids, touching = self._ids[level], self._touching[level]
            mean = sum(touching.share(ids[at]) for at in sample) * len(touching.sets) / max(1, len(sample))
            fits = affordable(touching.sets, len(self.blocks))
            if level != SERVICE and (mean < DENSE or not fits):
                return {}
            if fits:
                found[level] = Crowd(touching.sets, self._by[level])
        return found

    def _in_crowds(self, at: int, crowds: Mapping[int, Crowd]) -> list[int]:
        bits = -1
        for level, crowd in crowds.items():
            bits &= crowd.touching(self.blocks[at][level])
        return places(bits)

    def _crowded(self, at: int) -> bool:
        """Whether a look at every block is quicker than any index: much touches it in each dimension."""
        if any(len(spans) > 1 for spans in self.blocks[at]):
            return False
        return all(self._touching[level].share(self._ids[level][at]) > CROWD for level in (SERVICE, DST, SRC))

    def _all(self, at: int) -> list[int]:
        found = reaching(self.blocks[at], self.blocks)
        places = self._places
        if places is None:
            places = self._places = {id(block): place for place, block in enumerate(self.blocks)}
        return [place for place in map(places.__getitem__, map(id, found)) if place != at]

    def _candidates(self, at: int) -> list[int]:
        """The blocks whose ends touch, in order, by the way that looks at the fewest."""
        pair = self._ids[DST][at], self._ids[SRC][at]
        if self._last[0] == pair:
            return self._last[1]
        dst, src = self._touching[DST](pair[0]), self._touching[SRC](pair[1])
        if len(dst) * len(src) <= FEW:
            pairs = self._pairs
            return sorted([other for d in dst for s in src for other in pairs.get((d, s), ())])
        ways = [self._weight(level, self._ids[level][at]) for level in (SERVICE, DST, SRC)]
        if len(dst) * len(src) <= min(ways):
            found = [other for d in dst for s in src for other in self._pairs.get((d, s), ())]
        else:
            level = ways.index(min(ways))
            near, by = self._touching[level](self._ids[level][at]), self._by[level]
            ids_dst, ids_src = self._ids[DST], self._ids[SRC]
            found = [o for number in near for o in by[number] if ids_dst[o] in dst and ids_src[o] in src]
            if level == SERVICE:  # no answer for the other blocks of these ends
                return sorted(found)
        found.sort()
        self._last = pair, found
        return found

    def _weight(self, level: int, number: int) -> int:
        """How many blocks touch a set in one dimension."""
        known = self._weights[level].get(number)
        if known is None:
            by = self._by[level]
            known = self._weights[level][number] = sum([len(by[other]) for other in self._touching[level](number)])
        return known
