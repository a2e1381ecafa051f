"""Rows of an ordered, stateless list: what an ACL platform can hold, in the order of the policy.

The layout is: what passes of non-first fragments first; replies as permits (denies that they would cross are cut out of them);
then the initiations as written, with their denies; then deny. Permits ahead of a first-match list only add, so the whole
is exactly "initiations or replies", and the proof confirms it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import takewhile

from configlet.fit.classes import Classes, Row, classes_of
from configlet.fit.law import DEFAULT, INSIDE
from configlet.fit.units import typed
from configlet.model.block import Sets, items, listed
from configlet.model.gate import Law
from configlet.model.net import Family, Span, Spans
from configlet.model.policy import ANY_BIT, ANY_PORT, DPORT, DST, FRAG, PROTO, SRC, WRITTEN, Entry
from configlet.packets.near import BROAD, FEW, Near
from configlet.packets.sets import common, inside, meet, meets, minus, minus_all, put, within

WHOLE, NON_FIRST = (0, 0), (1, 1)
SHARED = (INSIDE.name, "infrastructure addresses")
"""Denies that hold for initiations and replies alike, as their boxes are symmetric."""
_UPPER = ((ANY_PORT,), (ANY_PORT,), (ANY_BIT,))


def acl_rows(law: Law) -> Sequence[Entry]:
    """The rows for a two-list law, blocks as blocks. What none of them passes is denied; the platform writes that line,
    and the one that denies the fragments that no row passes."""
    initiations, replies = (items(part) for part in law.lists)
    classes = classes_of(law.family, initiations, replies)
    first, second = (list(map(classes.enter, part)) for part in (initiations, replies))
    fragments = _shorter(law.family, classes, first, second)
    whole = _rows(law.family, classes, first, second, WHOLE)
    return listed([classes.leave(row) if row[3] is None else row[3] for part in (fragments, whole) for row in part])


def _only(rows: list[Row], bit: Span) -> list[Row]:
    """The rows as they decide packets with this fragment bit."""
    one = (bit,)
    if {row.sets[FRAG] for row in rows} <= {(WHOLE,)}:
        return rows if bit == WHOLE else []
    return [
        row if row.sets[FRAG] == one else row.over(put(row.sets, FRAG, one))
        for row in rows
        if row.sets[FRAG][0][0] <= bit[0] <= row.sets[FRAG][0][1]
    ]


def _shorter(family: Family, classes: Classes, first: list[Row], second: list[Row]) -> list[Row]:
    """The rows of fragments, as permits alone or as replies and then the initiations as they are written."""
    permits = list(_fragment_rows(classes, first, second))
    lines = sum(typed(family, row.sets) for row in permits)
    if lines <= len(permits):
        return permits
    ordered = list(_rows(family, classes, first, second, NON_FIRST))
    return ordered if sum(typed(family, row.sets) for row in ordered) < lines else permits


def _fragment_rows(classes: Classes, first: list[Row], second: list[Row]) -> Iterator[Row]:
    """Fragments that pass, by protocol. What the network keeps closed to initiations and replies alike is denied once, and
    not cut out of each permit behind it. Where every protocol but some passes, those that are named are denied behind all
    their permits, and then the rest passes."""
    every = ((0, classes.rest),)
    ahead, both, behind = _around_shared(_only(first, NON_FIRST), _only(second, NON_FIRST), every)
    broad: list[Row] = []
    for row in (*ahead, *both, *behind):
        if row.sets[PROTO] == every or not row.permit:
            yield row
            continue
        yield from _named(classes, row)
        if _of_the_rest(row, every):
            broad.append(row)
    yield from _denied(classes, broad, NON_FIRST)
    yield from (row.over(put(row.sets, PROTO, every)) for row in broad)


def _of_the_rest(row: Row, every: Spans) -> bool:
    """Whether a row speaks of every protocol that nobody names, but not of all those that are named."""
    return row.sets[PROTO] != every and row.sets[PROTO][-1][1] == every[0][1]


def _around_shared(one: list[Row], two: list[Row], every: Spans) -> tuple[list[Row], list[Row], list[Row]]:
    """Permits ahead of the denies that two lists share, those denies, and the permits behind them less all other denies."""
    heads, closed, written = zip(_parts(one), _parts(two), strict=True)
    ahead = [row for part in heads for row in _permits_only(part)]
    if any(row.permit for part in closed for row in part) or any(_of_the_rest(row, every) for row in ahead):
        return [], [], [row for part in (one, two) for row in _permits_only(part)]
    both, *others = _shared(*closed)
    behind = [
        row
        for head, other, rest in zip(heads, others, written, strict=True)
        for row in _permits_only([*(row for row in head if not row.permit), *other, *rest])
    ]
    met = Near([row.sets for row in behind])
    return ahead, [row for row in both if any(True for _ in met.meeting(row.sets))], behind


def _permits_only(rows: Sequence[Row]) -> list[Row]:
    """The same meaning without denies: each permit less the denies before it. Pieces keep their rule."""
    numbers = [number for number, row in enumerate(rows) if not row.permit]
    near = Near([rows[number].sets for number in numbers])
    out: list[Row] = []
    for at, row in enumerate(rows):
        if row.permit:
            denies = [rows[numbers[n]].sets for n in near.meeting(row.sets) if numbers[n] < at]
            out += [row.over(piece) for piece in minus_all(row.sets, denies)]
    return out


def _rows(family: Family, classes: Classes, first: list[Row], second: list[Row], bit: Span) -> list[Row]:
    """What passes of whole packets, or of fragments: what the network needs, what it keeps closed, replies, initiations."""
    starts, starts_closed, starts_written = _parts(_only(first, bit))
    answers, answers_closed, answers_written = _parts(_only(second, bit))
    both, starts_only, answers_only = _shared(starts_closed, answers_closed)
    written, replied = [*starts_only, *starts_written], [*answers_only, *answers_written]
    known = First(written)
    shut = _Shut(both, bit)
    replies = _Answers(family, classes, replied, known, shut, bit)
    later = [*replies.named(), *replies.rest(), *_pruned(known)]
    ahead = First(starts)
    out = [*starts, *(row for row in answers if not ahead.passes(row.sets))]
    if both:
        permits = Near([*[row.sets for row in later if row.permit], *replies.closed])
        out += shut.needed(permits, ((0, classes.rest),))
        later = shut.leaves(later)
    return out + later


def _shared(first: Sequence[Row], second: Sequence[Row]) -> tuple[list[Row], list[Row], list[Row]]:
    """Denies of both lists, what only the first denies, what only the second denies.

    A block of the one may lack a span of the other's: what they have in common is said once all the same.
    """
    crossed = [(a, b, meet(one.sets, two.sets)) for a, one in enumerate(first) for b, two in enumerate(second)]
    found = list(dict.fromkeys(sets for _, _, sets in crossed if sets))
    kept = {sets for sets in found if not any(sets != other and inside(sets, other) for other in found)}
    pairs = [(a, b, sets) for a, b, sets in crossed if sets and sets in kept]
    said = {sets: first[a] for a, _, sets in reversed(pairs)}
    both = [said[sets].over(sets) for sets in found if sets in kept]
    return both, _without(first, [(a, s) for a, _, s in pairs]), _without(second, [(b, s) for _, b, s in pairs])


def _without(rows: Sequence[Row], said: Sequence[tuple[int, Sets]]) -> list[Row]:
    """What rows decide beside the products that were said for each, by its number."""
    return [
        row.over(piece)
        for at, row in enumerate(rows)
        for piece in minus_all(row.sets, [sets for number, sets in said if number == at])
    ]


def _parts(rows: Sequence[Row]) -> tuple[list[Row], list[Row], list[Row]]:
    """Permits of the network ahead of every deny, what it then keeps closed, and the rest, in this order.

    Replies to a permit of every protocol have denies of their own: from there on all belongs to the rest.
    """
    turn = sum(1 for _ in takewhile(lambda row: row.permit and row.entry.rule.origin not in WRITTEN, rows))
    shut = sum(1 for _ in takewhile(lambda row: not row.permit and row.entry.rule.name in SHARED, rows[turn:]))
    return list(rows[:turn]), list(rows[turn : turn + shut]), list(rows[turn + shut :])


class _Shut:
    """What is denied ahead of replies and initiations alike, asked whether it holds a whole product.

    Mostly it tells no protocols or ports apart: then the answer is that of all rows between the same ends.
    """

    __slots__ = ("_known", "_near", "broad", "rows")

    def __init__(self, rows: Sequence[Row], bit: Span) -> None:
        self.rows = rows
        self._near = Near([row.sets for row in rows])
        self.broad = all(row.sets[DPORT:] == (*_UPPER, (bit,)) for row in rows)
        self._known: dict[tuple[Spans, ...], bool] = {}

    def holds(self, sets: Sets) -> bool:
        """Whether one of the denies holds all of a product of this fragment bit."""
        if not self._near.rows:
            return False
        if not self.broad:
            return any(True for _ in self._near.holding(sets))
        key = sets[:DPORT]
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = any(True for _ in self._near.holding(sets))
        return found

    def leaves(self, rows: list[Row]) -> list[Row]:
        """The rows that none of the denies holds wholly."""
        if self.broad:
            held = {kind for kind, sets in {row.sets[:DPORT]: row.sets for row in rows}.items() if self.holds(sets)}
            return [row for row in rows if row.sets[:DPORT] not in held] if held else rows
        return [row for row in rows if not self.holds(row.sets)]

    def needed(self, permits: Near, every: Spans) -> list[Row]:
        """The denies that share a packet with one of some permits of this fragment bit."""
        if self.broad and {row.sets[PROTO] for row in self.rows} <= {every}:
            return [row for row in self.rows if permits.touching(row.sets[DST], row.sets[SRC])]
        return [row for row in self.rows if any(True for _ in permits.meeting(row.sets))]


class First:
    """A first-match list, asked about whole products."""

    __slots__ = ("near", "rows")

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows, self.near = rows, Near([row.sets for row in rows])

    def passes(self, sets: Sets) -> bool:
        """Whether the first row that meets a product is a permit that holds all of it."""
        if not any(self.rows[number].permit for number in self.near.holding(sets)):
            return False
        found = self.rows[next(iter(self.near.meeting(sets)))]
        return found.permit and inside(sets, found.sets)

    def within(self, deny: Row) -> list[Row]:
        """What decides the packets of a deny: the rows inside it, without denies that no later permit meets."""
        found = [self.rows[n].over(both) for n in self.near.meeting(deny.sets) if (both := _both(self.rows[n], deny))]
        numbers = [at for at, row in enumerate(found) if row.permit]
        permits = Near([found[at].sets for at in numbers])
        return [
            row
            for at, row in enumerate(found)
            if row.permit or any(numbers[n] > at for n in permits.meeting(row.sets))
        ]


def _both(row: Row, deny: Row) -> Sets | None:
    return meet(row.sets, deny.sets)


class _Answers:
    """Replies as rows that take nothing from the initiations behind them: those of named protocols first, then the rest.

    A deny that a reply would cross is either cut out of the reply, or its box is decided on the spot: the initiations
    inside it, then the deny. Whichever is shorter.
    """

    __slots__ = ("ahead", "bit", "broad", "classes", "closed", "denies", "family", "gone", "numbers", "rows", "shut")

    def __init__(
        self, family: Family, classes: Classes, rows: Sequence[Row], ahead: First, shut: _Shut, bit: Span
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
                        yield from _named(self.classes, row.over(piece))
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
        return [one for row in (*self.ahead.within(mine), mine) for one in _named(self.classes, row)]

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
        region: Sets = (((0, classes.rest - 1),), row.sets[DST], row.sets[SRC], *_UPPER, (ANY_BIT,))
        for one in self.ahead.within(row.over(region)):
            yield from _named(classes, one)
        yield from _denied(classes, [row], self.bit)
        yield row.over(put(row.sets, PROTO, ((0, classes.rest),)))


def _cut(family: Family, sets: Sets, denies: Sequence[Sets], limit: int) -> tuple[Sets, ...] | None:
    """A product without some denies; None when that takes more lines than ``limit``."""
    rest: tuple[Sets, ...] = (sets,)
    for deny in denies:
        rest = tuple(piece for part in rest for piece in minus(part, deny))
        if len(rest) > limit:
            return None
    return rest if not denies or sum(typed(family, piece) for piece in rest) <= limit else None


def _named(classes: Classes, row: Row) -> Iterator[Row]:
    for low, high in row.sets[PROTO]:
        for one in range(low, min(high, classes.rest - 1) + 1):
            yield row if low == high and len(row.sets[PROTO]) == 1 else row.over(put(row.sets, PROTO, ((one, one),)))


def _denied(classes: Classes, broad: Sequence[Row], bit: Span) -> Iterator[Row]:
    """Denies of each named protocol where the rest is to pass."""
    for dst, src in dict.fromkeys((row.sets[DST], row.sets[SRC]) for row in broad):
        for one in range(classes.rest):
            box = ((one, one), dst[0], src[0], ANY_PORT, ANY_PORT, ANY_BIT, bit)
            yield Row(False, (((one, one),), dst, src, *_UPPER, (bit,)), Entry(False, box, DEFAULT))


def _pruned(known: First) -> Iterator[Row]:
    """Without rows that decide nothing: rows inside an earlier one, derived denies that no later permit meets."""
    first, near = known.rows, known.near
    alone = near.alone()
    for at, row in enumerate(first):
        if at in alone and row.permit:
            yield row
            continue
        if near.hidden(at):
            continue
        written = row.permit or row.entry.rule.origin == "policy"
        if written or any(number > at and first[number].permit for number in near.meeting(row.sets)):
            yield row
