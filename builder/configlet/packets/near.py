"""Which rows of a list can share a packet with a given one, without looking at all of them.

Rows between the same two ends are kept together: a list has far fewer pairs of ends than rows. Which pairs of ends share
an address is found once for each pair, and among the rows of one pair, ports tell services apart.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import lt

from configlet.model.block import Sets
from configlet.model.net import Spans
from configlet.model.policy import DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC
from configlet.packets.axis import Axis, Runs
from configlet.packets.sets import inside, meets, touch, within

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
        kinds = range(1) if len(found) == 1 else Axis(by).lonely()
        return [number for n in kinds for number in _by_ports(rows, found[n])]

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

    __slots__ = (
        "_asked", "_axes", "_between", "_ends", "_held", "_lonely", "_met", "_of", "_pair", "_ports", "_runs", "_shared", "rows"
    )  # fmt: skip

    def __init__(self, rows: Sequence[Sets]) -> None:
        self.rows = rows
        self._asked = 0
        self._ends: dict[_Ends, int] = {}
        """Pairs of ends by their number."""
        self._of: tuple[_Ends, ...] = ()
        """The same in the order of their numbers."""
        self._between: list[_Between] = []
        self._pair: list[int] = []
        """The number of each row's pair of ends."""
        self._lonely: frozenset[int] | None = None
        """Rows that share no packet with another, as their pair of ends shares no address with any other, and among those
        of their pair they have their protocol and ports alone.
        """
        self._axes: tuple[Axis, Axis] | None = None
        self._runs: tuple[Runs, Runs] | None = None
        self._shared: dict[tuple[int | None, int | None], list[int]] = {}
        """Pairs of ends by the runs of their destinations and of their sources."""
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

    def touching(self, dst: Spans, src: Spans) -> bool:
        """Whether there is a row of which the ends share addresses with these."""
        self._asked += 1
        if self._asked < FEW and not self._ends:
            return any(touch(row[DST], dst) and touch(row[SRC], src) for row in self.rows)
        return bool(self._pairs(dst, src))

    def between(self, dst: Spans, src: Spans) -> Iterable[int]:
        """The numbers of the rows of which the ends share addresses with these, in no order."""
        return (number for between in self._pairs(dst, src) for number in between.numbers)

    def earlier(self, at: int) -> list[int]:
        """The numbers of the rows before one that share a packet with it, in order."""
        return [*self.meeting(self.rows[at], at)] if at and not self._alone(at) else []

    def hidden(self, at: int) -> bool:
        """Whether a row lies wholly in one that stands before it."""
        return at > 0 and not self._alone(at) and any(number < at for number in self.holding(self.rows[at]))

    def _alone(self, at: int) -> bool:
        """Whether no other row shares a packet with a row; False where one look does not show it."""
        return at in self.alone()

    def alone(self) -> frozenset[int]:
        """The rows of which one look shows that no other row shares a packet with them; none of a few rows."""
        if len(self.rows) <= FEW:
            return frozenset()
        if self._lonely is None:
            self._by_runs()
            pairs = {of[0] for of in self._shared.values() if len(of) == 1}
            if len(pairs) < len(self._between):
                pairs.update(*(axis.lonely() for axis in self._by_end()))
            self._lonely = frozenset(number for pair in pairs for number in self._between[pair].apart(self.rows))
        return self._lonely

    def _meeting(self, sets: Sets) -> Sequence[_Between]:
        """The rows between each two ends that share addresses with those of a product."""
        return self._pairs(sets[DST], sets[SRC])

    def _pairs(self, dst: Spans, src: Spans) -> Sequence[_Between]:
        ends = dst, src
        found = self._met.get(ends)
        if found is None:
            found = self._met[ends] = self._sharing(dst, src)
        return found

    def _sharing(self, dst: Spans, src: Spans) -> Sequence[_Between]:
        if not self.rows:
            return ()
        if not self._ends:
            self._enter()
        pairs = self._ends
        if len(pairs) <= FEW:
            return [
                between
                for (a, b), between in zip(pairs, self._between, strict=True)
                if (a is dst or touch(a, dst)) and (b is src or touch(b, src))
            ]
        runs = self._by_runs()
        near = runs[0].of(dst), runs[1].of(src)
        if None not in near:
            numbers = self._shared.get(near, ())
            if len(numbers) <= MANY:
                ends, between = self._of, self._between
                return [between[n] for n in numbers for a, b in (ends[n],) if touch(a, dst) and touch(b, src)]
        to, start = self._by_end()
        tos, starts = to.rows, start.rows
        if _one(dst) or (not _one(src) and to.size(dst) <= start.size(src)):
            return [self._between[n] for n in to.near(dst) if touch(tos[n], dst) and touch(starts[n], src)]
        return [self._between[n] for n in start.near(src) if touch(starts[n], src) and touch(tos[n], dst)]

    def _by_runs(self) -> tuple[Runs, Runs]:
        if self._runs is None:
            if not self._ends:
                self._enter()
            self._of = tuple(self._ends)
            to, start = self._runs = Runs(a for a, _ in self._of), Runs(b for _, b in self._of)
            tos, starts, shared = to.numbers, start.numbers, self._shared
            for number, (a, b) in enumerate(self._of):
                shared.setdefault((tos[a], starts[b]), []).append(number)
        return self._runs

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


def _by_ports(rows: Sequence[Sets], numbers: Sequence[int]) -> Iterable[int]:
    """Those rows of which none of the others has a destination port."""
    if len(numbers) == 1:
        return numbers
    spans = sorted([span for number in numbers for span in rows[number][DPORT]])
    if all(map(lt, (high for _, high in spans), (low for low, _ in islice(spans, 1, None)))):
        return numbers
    return [numbers[at] for at in Axis([rows[number][DPORT] for number in numbers]).lonely()]


def _one(spans: Spans) -> bool:
    """Whether they are one value, which few spans hold."""
    return len(spans) == 1 and spans[0][0] == spans[0][1]


def _around(row: Sets, dst: Spans, src: Spans) -> bool:
    """Whether both ends lie in those of a row."""
    return within(dst, row[DST]) and within(src, row[SRC])
