"""Replies as rows of a stateless list, and the denies that they would cross."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from configlet.fit.classes import Classes, Row
from configlet.fit.heads import UPPER, First, Shut
from configlet.fit.law import DEFAULT
from configlet.fit.units import typed
from configlet.model.block import Sets
from configlet.model.net import Family, Span, Spans
from configlet.model.policy import ANY_BIT, ANY_PORT, DPORT, DST, PROTO, SRC, Entry
from configlet.packets.near import BROAD, FEW, Near
from configlet.packets.sets import common, meets, minus, put, within


class Answers:
    """Replies as rows that take nothing from the initiations behind them: those of named protocols first, then the rest.

    A deny that a reply would cross is either cut out of the reply, or its box is decided on the spot: the initiations
    inside it, then the deny. Whichever is shorter.
    """

    __slots__ = ("ahead", "bit", "broad", "classes", "closed", "denies", "family", "gone", "numbers", "rows", "shut")

    def __init__(
        self, family: Family, classes: Classes, rows: Sequence[Row], ahead: First, shut: Shut, bit: Span
    ) -> None:
        self.family, self.classes, self.rows, self.ahead, self.bit = family, classes, rows, ahead, bit
        self.shut = shut
        self.closed: list[Sets] = []
        """Replies that what is denied ahead of all holds wholly; they are not written."""
        self.numbers = [number for number, row in enumerate(rows) if not row.permit]
        self.denies = Near([rows[number].sets for number in self.numbers])
        self.broad: list[tuple[int, Row]] = []
        self.gone: set[int] = set()
        """Denies that were decided on the spot, of every protocol."""

    def named(self) -> Iterator[Row]:
        """Replies of the protocols that somebody names. ``broad`` learns those that all others have too."""
        spots: dict[int, list[Row]] = {}
        decided: set[int] = set()
        known: dict[tuple[Spans, ...], Collection[Spans] | None] = {}
        for at, whole in enumerate(self.rows):
            if not whole.permit:
                continue
            sets = whole.sets
            kind = sets[:DPORT]
            if kind not in known:
                known[kind] = self._plain(kind)
            ports = known[kind]
            if ports is not None:
                if self.shut.holds(sets):
                    self.closed.append(sets)
                    continue
                if sets[DPORT][0][1] - sets[DPORT][0][0] >= BROAD and not any(within(sets[DPORT], other) for other in ports):
                    yield whole
                    continue
            row = self._part(whole, 0, self.classes.rest - 1)
            if row is not None:
                over = [n for n in self._over(at, row) if n not in decided]
                for n in over:
                    if n not in spots:
                        spots[n] = self._spot(n)
                pieces: tuple[Sets, ...] | None = (row.sets,)
                if over:
                    pieces = self._pieces(row, over, spots, 1)
                elif self.shut.holds(row.sets):
                    pieces = ()
                    self.closed.append(row.sets)
                if pieces is None:
                    yield from (r for n in over for r in spots[n])
                    decided.update(over)
                    self.gone.update(n for n in over if not self._tied(n))
                    pieces = (row.sets,)
                for piece in pieces:
                    if not self.ahead.passes(piece):
                        yield from named_rows(self.classes, row.over(piece))
            if (rest := self._part(whole, self.classes.rest, self.classes.rest)) is not None:
                self.broad.append((at, rest))

    def _plain(self, kind: tuple[Spans, ...]) -> Collection[Spans] | None:
        """Of replies of a protocol between two ends that surely stand as they are, or surely are closed: the ports of the
        initiations there, where they are many, as such an initiation may pass a reply. None where one look shows neither.
        """
        (low, high), *more = kind[PROTO]
        if low != high or low == self.classes.rest or more or not self.shut.broad or self.denies.touching(*kind[DST:]):
            return None
        rows = self.ahead.near.rows
        ports = {rows[number][DPORT] for number in self.ahead.near.between(*kind[DST:])}
        found = [spans for spans in ports if any(high - low >= BROAD for low, high in spans)]
        return found if len(found) <= FEW else None

    def rest(self) -> Iterator[Row]:
        """Replies of every protocol that nobody names. No list has a word for "all but these": so what the initiations say
        of the named ones there is said first, then they are denied there, and then the rest passes."""
        spots: dict[int, list[Row]] = {}
        many = self.classes.rest + 1
        for at, row in self.broad:
            over = self._over(at, row)
            for n in over:
                if n not in spots:
                    spots[n] = [*self.ahead.within(self._deny(n)), self._deny(n)]
            pieces = self._pieces(row, over, spots, many)
            if pieces is None:
                yield from (r for n in over for r in spots[n])
                self.gone.update(over)
                pieces = (row.sets,)
            for piece in pieces:
                if not self.ahead.passes(piece):
                    yield from self._region(row.over(piece))

    def _deny(self, n: int) -> Row:
        return self.rows[self.numbers[n]]

    def _over(self, at: int, row: Row) -> list[int]:
        """The denies ahead of a reply that it would cross."""
        return [n for n in self.denies.meeting(row.sets) if self.numbers[n] < at and n not in self.gone]

    def _part(self, row: Row, low: int, high: int) -> Row | None:
        """A row of some classes of protocols alone."""
        spans = row.sets[PROTO]
        if low <= spans[0][0] and spans[-1][1] <= high:
            return row
        spans = common(spans, ((low, high),))
        return row if spans == row.sets[PROTO] else row.over(put(row.sets, PROTO, spans)) if spans else None

    def _spot(self, n: int) -> list[Row]:
        """What decides a deny's packets on the spot. Where an earlier reply of the other protocols meets it, only of the
        named ones, as those others stand behind all."""
        deny = self._deny(n)
        mine = self._part(deny, 0, self.classes.rest - 1)
        if mine is None or not self._tied(n):
            return [*self.ahead.within(deny), deny]
        return [one for row in (*self.ahead.within(mine), mine) for one in named_rows(self.classes, row)]

    def _tied(self, n: int) -> bool:
        """Whether an earlier reply of the protocols that nobody names meets a deny."""
        deny, number = self._deny(n), self.numbers[n]
        return any(at < number and meets(deny.sets, row.sets) for at, row in self.broad)

    def _pieces(self, row: Row, over: Sequence[int], spots: dict[int, list[Row]], each: int) -> tuple[Sets, ...] | None:
        """A reply without the denies ahead of it; None where these are shorter said on the spot."""
        limit = typed(self.family, row.sets) + sum(typed(self.family, r.sets) for n in over for r in spots[n]) // each
        return _cut(self.family, row.sets, [self._deny(n).sets for n in over], limit)

    def _region(self, row: Row) -> Iterator[Row]:
        """The rest passes between two ends: what the named protocols may do there, their denies, then everything."""
        classes = self.classes
        region: Sets = (((0, classes.rest - 1),), row.sets[DST], row.sets[SRC], *UPPER, (ANY_BIT,))
        for one in self.ahead.within(row.over(region)):
            yield from named_rows(classes, one)
        yield from denied(classes, [row], self.bit)
        yield row.over(put(row.sets, PROTO, ((0, classes.rest),)))


def _cut(family: Family, sets: Sets, denies: Sequence[Sets], limit: int) -> tuple[Sets, ...] | None:
    """A product without some denies; None when that takes more lines than ``limit``."""
    rest: tuple[Sets, ...] = (sets,)
    for deny in denies:
        rest = tuple(piece for part in rest for piece in minus(part, deny))
        if len(rest) > limit:
            return None
    return rest if not denies or sum(typed(family, piece) for piece in rest) <= limit else None


def named_rows(classes: Classes, row: Row) -> Iterator[Row]:
    """A row of some classes of protocols as one row for each that somebody names."""
    for low, high in row.sets[PROTO]:
        for one in range(low, min(high, classes.rest - 1) + 1):
            yield row if low == high and len(row.sets[PROTO]) == 1 else row.over(put(row.sets, PROTO, ((one, one),)))


def denied(classes: Classes, broad: Sequence[Row], bit: Span) -> Iterator[Row]:
    """Denies of each named protocol where the rest is to pass."""
    for dst, src in dict.fromkeys((row.sets[DST], row.sets[SRC]) for row in broad):
        for one in range(classes.rest):
            box = ((one, one), dst[0], src[0], ANY_PORT, ANY_PORT, ANY_BIT, bit)
            yield Row(False, (((one, one),), dst, src, *UPPER, (bit,)), Entry(False, box, DEFAULT))
