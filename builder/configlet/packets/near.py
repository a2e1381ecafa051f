"""Which rows of a list can share a packet with a given one, without looking at all of them.

A span lies in exactly one smallest aligned block of addresses; spans that share a value have blocks of which one holds
the other. So the rows around a span are those whose spans begin inside it, and those of the few blocks that hold its
first value. Of addresses and ports, what leaves the
fewest rows is asked: many services between the same two ends are told apart by their ports.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from configlet.model.block import Sets
from configlet.model.net import Spans
from configlet.model.policy import DPORT, DST, SRC
from configlet.packets.sets import inside, meets

REMEMBERED = 512
"""Sets whose sizes are remembered: the same few prefixes are asked for again and again, ports hardly ever."""


class Axis:
    """The spans of all rows in one dimension."""

    __slots__ = ("_blocks", "_lonely", "_sizes", "lows", "numbers", "rows")

    def __init__(self, rows: Iterable[Spans]) -> None:
        self.rows = tuple(rows)
        self._lonely: frozenset[int] | None = None
        self._blocks: dict[int, dict[int, int | list[int]]] = {}
        self._sizes: dict[Spans, int] = {}
        self.lows: list[int] | None = None
        self.numbers: list[int] = []

    @property
    def blocks(self) -> dict[int, dict[int, int | list[int]]]:
        """By size of the block; one number where it holds one row, as nearly all do."""
        sizes = self._blocks
        if sizes:
            return sizes
        for number, spans in enumerate(self.rows):
            for low, high in spans:
                shift = (low ^ high).bit_length()
                of = sizes.get(shift)
                if of is None:
                    of = sizes[shift] = {}
                there = of.setdefault(low >> shift, number)
                if type(there) is list:
                    there.append(number)
                elif there != number:
                    of[low >> shift] = [there, number]  # type: ignore[list-item]
        return sizes

    def around(self, value: int) -> list[int]:
        """The rows whose blocks hold a value."""
        out: list[int] = []
        for shift, of in self.blocks.items():
            found = of.get(value >> shift)
            if type(found) is int:
                out.append(found)
            elif found is not None:
                out.extend(found)  # type: ignore[arg-type]
        return out

    def count(self, value: int) -> int:
        """How many rows ``around`` gives."""
        many = 0
        for shift, of in self.blocks.items():
            found = of.get(value >> shift)
            if found is not None:
                many += 1 if type(found) is int else len(found)  # type: ignore[arg-type]
        return many

    def _ordered(self) -> list[int]:
        if self.lows is None:
            found = sorted((low, number) for number, spans in enumerate(self.rows) for low, _ in spans)
            self.lows, self.numbers = [low for low, _ in found], [number for _, number in found]
        return self.lows

    def size(self, spans: Spans) -> int:
        """How many rows ``near`` would look at."""
        known = self._sizes.get(spans)
        if known is None:
            lows = self._ordered()
            begin = sum(bisect_right(lows, high) - bisect_left(lows, low) for low, high in spans)
            known = begin + sum(self.count(low) for low, _ in spans)
            if len(self._sizes) < REMEMBERED:
                self._sizes[spans] = known
        return known

    def lonely(self) -> frozenset[int]:
        """The rows that share no value with any other row."""
        if self._lonely is None:
            found = sorted((low, high, number) for number, spans in enumerate(self.rows) for low, high in spans)
            near: set[int] = set()
            furthest, owner = -1, -1
            for low, high, number in found:
                # Whoever reaches furthest shares the first value of this one when any before it does.
                if low <= furthest and number != owner:
                    near.add(number)
                    near.add(owner)
                if high > furthest:
                    furthest, owner = high, number
            self._lonely = frozenset(range(len(self.rows))) - near
        return self._lonely

    def near(self, spans: Spans) -> set[int]:
        """Every row that can share a value with the spans, and some that do not."""
        out: set[int] = set()
        lows = self._ordered()
        for low, high in spans:
            if low < high:
                out.update(self.numbers[bisect_left(lows, low) : bisect_right(lows, high)])
            out.update(self.around(low))
        return out


TELLING = (DST, SRC, DPORT)
"""What tells rows apart, soonest first."""
FEW = 8
"""Rows that are looked at one by one sooner than asked for in another dimension."""


class Near:
    """The rows of a list, found by their addresses and ports."""

    __slots__ = ("_asked", "_axes", "rows")

    def __init__(self, rows: Sequence[Sets]) -> None:
        self.rows = rows
        self._asked = 0
        self._axes: dict[int, Axis] = {}

    def _axis(self, level: int) -> Axis:
        if level not in self._axes:
            self._axes[level] = Axis(sets[level] for sets in self.rows)
        return self._axes[level]

    def meeting(self, sets: Sets, before: int | None = None) -> Iterator[int]:
        """The numbers of the rows (``before`` one of them) that share a packet with a product, in order."""
        rows, self._asked = self.rows, self._asked + 1
        if len(rows) <= FEW or self._asked < 2:
            found: Sequence[int] = range(len(rows))
        else:
            axis, level = self._axis(DST), DST
            size = axis.size(sets[DST])
            for further in (SRC, DPORT):
                if size > FEW and (other := self._axis(further).size(sets[further])) < size:
                    axis, level, size = self._axis(further), further, other
            found = sorted(axis.near(sets[level])) if size < len(rows) else range(len(rows))
        stop = len(rows) if before is None else before
        return (number for number in found if number < stop and meets(rows[number], sets))

    def holding(self, sets: Sets) -> Iterator[int]:
        """The numbers of the rows in which a product lies wholly, in order."""
        rows, self._asked = self.rows, self._asked + 1
        if len(rows) <= FEW or self._asked < 2:
            found: Iterable[int] = range(len(rows))
        else:
            level, many = DST, self._axis(DST).count(sets[DST][0][0])
            for further in (SRC, DPORT):
                if many > FEW and (other := self._axis(further).count(sets[further][0][0])) < many:
                    level, many = further, other
            found = sorted(set(self._axis(level).around(sets[level][0][0])))
        return (number for number in found if inside(sets, rows[number]))

    def earlier(self, at: int) -> list[int]:
        """The numbers of the rows before one that share a packet with it, in order."""
        return [] if self._alone(at) else [*self.meeting(self.rows[at], at)]

    def hidden(self, at: int) -> bool:
        """Whether a row lies wholly in one that stands before it."""
        if at < FEW:
            return any(inside(self.rows[at], self.rows[number]) for number in range(at))
        if self._alone(at) or self._axis(DST).count(self.rows[at][DST][0][0]) == 1:
            return False
        return any(number < at for number in self.holding(self.rows[at]))

    def _alone(self, at: int) -> bool:
        """Whether no other row shares an address or port with a row; False where one look does not show it."""
        if len(self.rows) <= FEW:
            return at == 0
        for level in TELLING:  # noqa: SIM110 - asked for every row of long lists
            if at in self._axis(level).lonely():
                return True
        return False
