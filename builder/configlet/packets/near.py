"""Which rows of a list can share a packet with a given one, without looking at all of them.

Rows between the same two ends are kept together: a list has far fewer pairs of ends than rows. Which pairs of ends share
an address is found once for each pair, and among the rows of one pair, ports tell services apart.

A span lies in exactly one smallest aligned block of addresses; spans that share a value have blocks of which one holds
the other. So the spans around a span are those that begin inside it, and those of the few blocks that hold its first
value.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from configlet.model.block import Sets
from configlet.model.net import Spans
from configlet.model.policy import DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC
from configlet.packets.sets import inside, meets, touch, within

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


FEW = 8
"""Rows, or pairs of ends, that are looked at one by one sooner than asked for."""
BROAD = 1024
"""Ports of a row from which it is looked at whatever ports are asked for."""
MANY = 64
"""Pairs of ends that share addresses with one, from which ports of the whole list are asked first."""
_UPPER = (DPORT, PROTO, SPORT, FRAG, FLAG)
"""Dimensions beside the ends in the order in which two rows of a policy most often differ."""

_Ends = tuple[Spans, Spans]


class _Between:
    """The rows between two ends, found by their destination ports."""

    __slots__ = ("_broad", "_lows", "_sorted", "_widest", "numbers")

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self._lows: list[int] | None = None
        self._sorted: list[int] = []
        self._broad: list[int] = []
        self._widest = 0

    def near(self, rows: Sequence[Sets], ports: Spans) -> Sequence[int]:
        """The rows that can share a port with these, and some that do not."""
        numbers = self.numbers
        if len(numbers) <= FEW:
            return numbers
        lows = self._lows if self._lows is not None else self._ordered(rows)
        if len(ports) == 1:
            low, high = ports[0]
            found = self._sorted[bisect_left(lows, low - self._widest) : bisect_right(lows, high)]
            return found + self._broad if self._broad else found
        found = [*self._broad]
        for low, high in ports:
            found += self._sorted[bisect_left(lows, low - self._widest) : bisect_right(lows, high)]
        return found

    def around(self, rows: Sequence[Sets], ports: Spans) -> Sequence[int]:
        """The rows that can have all of these ports, and some that do not."""
        numbers = self.numbers
        if len(numbers) <= FEW:
            return numbers
        lows = self._lows if self._lows is not None else self._ordered(rows)
        low, high = ports[0]
        if high - low > self._widest:
            return self._broad
        return self._sorted[bisect_left(lows, high - self._widest) : bisect_right(lows, low)] + self._broad

    def apart(self, rows: Sequence[Sets]) -> Iterable[int]:
        """Those of which none of the others has the protocol, or none the ports."""
        if len(self.numbers) == 1:
            return self.numbers
        by: dict[Spans, list[int]] = {}
        for number in self.numbers:
            by.setdefault(rows[number][PROTO], []).append(number)
        found = list(by.values())
        return [of[at] for n in Axis(by).lonely() for of in (found[n],) for at in Axis(rows[n][DPORT] for n in of).lonely()]

    def _ordered(self, rows: Sequence[Sets]) -> list[int]:
        narrow: list[tuple[int, int]] = []
        for number in self.numbers:
            ports = rows[number][DPORT]
            widest = max([high - low for low, high in ports])
            if widest >= BROAD:
                self._broad.append(number)
                continue
            self._widest = max(self._widest, widest)
            narrow += [(low, number) for low, _ in ports]
        narrow.sort()
        self._lows, self._sorted = [low for low, _ in narrow], [number for _, number in narrow]
        return self._lows


class Near:
    """The rows of a list, found by their addresses and ports."""

    __slots__ = ("_asked", "_axes", "_between", "_ends", "_held", "_lonely", "_met", "_pair", "_ports", "rows")

    def __init__(self, rows: Sequence[Sets]) -> None:
        self.rows = rows
        self._asked = 0
        self._ends: dict[_Ends, int] = {}
        """Pairs of ends by their number."""
        self._between: list[_Between] = []
        self._pair: list[int] = []
        """The number of each row's pair of ends."""
        self._lonely: frozenset[int] | None = None
        """Rows that share no packet with another, as their pair of ends shares no address with any other, and among those
        of their pair they have their protocol and ports alone.
        """
        self._axes: tuple[Axis, Axis] | None = None
        self._ports: Axis | None = None
        self._met: dict[_Ends, Sequence[_Between]] = {}
        self._held: dict[_Ends, Sequence[_Between]] = {}

    def meeting(self, sets: Sets, before: int | None = None) -> Iterator[int]:
        """The numbers of the rows (``before`` one of them) that share a packet with a product, in order."""
        rows, self._asked = self.rows, self._asked + 1
        stop = len(rows) if before is None else before
        if len(rows) <= FEW or self._asked < 2:
            return (number for number in range(stop) if meets(rows[number], sets))
        met, ports = self._meeting(sets), sets[DPORT]
        if len(met) > MANY:
            if self._ports is None:
                self._ports = Axis([row[DPORT] for row in rows])
            if self._ports.size(ports) < len(met):
                return (number for number in sorted(self._ports.near(ports)) if number < stop and meets(rows[number], sets))
        found = {number for between in met for number in between.near(rows, ports)}
        return (number for number in sorted(found) if number < stop and meets(rows[number], sets, _UPPER))

    def holding(self, sets: Sets) -> Iterator[int]:
        """The numbers of the rows in which a product lies wholly, in order."""
        rows, self._asked = self.rows, self._asked + 1
        if len(rows) <= FEW or self._asked < 2:
            return (number for number, row in enumerate(rows) if inside(sets, row))
        ends = sets[DST], sets[SRC]
        held = self._held.get(ends)
        if held is None:
            held = self._held[ends] = [b for b in self._meeting(sets) if _around(rows[b.numbers[0]], *ends)]
        found = {number for between in held for number in between.around(rows, sets[DPORT])}
        return (number for number in sorted(found) if inside(sets, rows[number], _UPPER))

    def earlier(self, at: int) -> list[int]:
        """The numbers of the rows before one that share a packet with it, in order."""
        return [*self.meeting(self.rows[at], at)] if at and not self._alone(at) else []

    def hidden(self, at: int) -> bool:
        """Whether a row lies wholly in one that stands before it."""
        return at > 0 and not self._alone(at) and any(number < at for number in self.holding(self.rows[at]))

    def _alone(self, at: int) -> bool:
        """Whether no other row shares a packet with a row; False where one look does not show it."""
        if len(self.rows) <= FEW:
            return False
        if self._lonely is None:
            pairs = frozenset[int]().union(*(axis.lonely() for axis in self._by_end()))
            self._lonely = frozenset(number for pair in pairs for number in self._between[pair].apart(self.rows))
        return at in self._lonely

    def _meeting(self, sets: Sets) -> Sequence[_Between]:
        """The rows between each two ends that share addresses with those of a product."""
        ends = sets[DST], sets[SRC]
        found = self._met.get(ends)
        if found is None:
            found = self._sharing(*ends)
            self._met[ends] = found
        return found

    def _sharing(self, dst: Spans, src: Spans) -> Sequence[_Between]:
        if not self._ends:
            self._enter()
        pairs = self._ends
        if len(pairs) <= FEW:
            return [
                between
                for (a, b), between in zip(pairs, self._between, strict=True)
                if (a is dst or touch(a, dst)) and (b is src or touch(b, src))
            ]
        to, start = self._by_end()
        tos, starts = to.rows, start.rows
        if _one(dst) or (not _one(src) and to.size(dst) <= start.size(src)):
            return [self._between[n] for n in to.near(dst) if touch(tos[n], dst) and touch(starts[n], src)]
        return [self._between[n] for n in start.near(src) if touch(starts[n], src) and touch(tos[n], dst)]

    def _by_end(self) -> tuple[Axis, Axis]:
        if self._axes is None:
            if not self._ends:
                self._enter()
            self._axes = Axis([a for a, _ in self._ends]), Axis([b for _, b in self._ends])
        return self._axes

    def _enter(self) -> None:
        pairs, between = self._ends, self._between
        for number, row in enumerate(self.rows):
            ends = row[DST], row[SRC]
            at = pairs.get(ends)
            if at is None:
                at = pairs[ends] = len(between)
                between.append(_Between())
            between[at].numbers.append(number)
            self._pair.append(at)


def _one(spans: Spans) -> bool:
    """Whether they are one value, which few spans hold."""
    return len(spans) == 1 and spans[0][0] == spans[0][1]


def _around(row: Sets, dst: Spans, src: Spans) -> bool:
    """Whether both ends lie in those of a row."""
    return within(dst, row[DST]) and within(src, row[SRC])
