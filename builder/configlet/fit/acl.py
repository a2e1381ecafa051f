"""Rows of an ordered, stateless list: what an ACL platform can hold, in the order of the policy.

The layout is: what passes of non-first fragments first; replies as permits (denies that they would cross are cut out of them);
then the initiations as written, with their denies; then deny. Permits ahead of a first-match list only add, so the whole
is exactly "initiations or replies", and the proof confirms it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from configlet.fit.classes import Classes, Row, classes_of
from configlet.fit.law import DEFAULT, INSIDE
from configlet.fit.units import typed
from configlet.model.block import Sets, items, listed
from configlet.model.gate import Law
from configlet.model.net import Family, Span, Spans
from configlet.model.policy import ANY_BIT, ANY_PORT, DST, FRAG, PROTO, SRC, WRITTEN, Entry
from configlet.packets.near import Near
from configlet.packets.sets import inside, meet, meets, minus, minus_all, put

WHOLE, NON_FIRST = (0, 0), (1, 1)
SHARED = (INSIDE.name, "infrastructure addresses")
"""Denies that hold for initiations and replies alike, as their boxes are symmetric."""
_UPPER = ((ANY_PORT,), (ANY_PORT,), (ANY_BIT,))


def acl_rows(law: Law) -> Sequence[Entry]:
    """The rows for a two-list law, blocks as blocks. What none of them passes is denied; the platform writes that line,
    and the one that denies the fragments that no row passes."""
    initiations, replies = (items(part) for part in law.lists)
    classes = classes_of(law.family, initiations, replies)
    first, second = [[classes.enter(e) for e in part] for part in (initiations, replies)]
    fragments = _fragment_rows(classes, first, second)
    whole = _whole_rows(law.family, classes, _only(first, WHOLE), _only(second, WHOLE))
    return listed(classes.leave(row) for part in (fragments, whole) for row in part)


def _only(rows: Iterable[Row], bit: Span) -> list[Row]:
    """The rows as they decide packets with this fragment bit."""
    one = (bit,)
    return [
        row if row.sets[FRAG] == one else row.over(put(row.sets, FRAG, one))
        for row in rows
        if row.sets[FRAG][0][0] <= bit[0] <= row.sets[FRAG][0][1]
    ]


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


def _whole_rows(family: Family, classes: Classes, first: list[Row], second: list[Row]) -> Iterator[Row]:
    starts, starts_closed, starts_written = _parts(first)
    answers, answers_closed, answers_written = _parts(second)
    both, starts_only, answers_only = _shared(starts_closed, answers_closed)
    written, replied = [*starts_only, *starts_written], [*answers_only, *answers_written]
    known = First(written)
    later = [*_replies(family, classes, replied, known), *_pruned(known)]
    yield from starts
    ahead = First(starts)
    yield from (row for row in answers if not ahead.passes(row.sets))
    if both:
        permits = Near([row.sets for row in later if row.permit])
        yield from (row for row in both if any(True for _ in permits.meeting(row.sets)))
    shut = Near([row.sets for row in both])
    yield from (row for row in later if not both or not any(True for _ in shut.holding(row.sets)))


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


def _replies(family: Family, classes: Classes, second: list[Row], ahead: First) -> Iterator[Row]:
    """Replies as rows that take nothing from the initiations behind them.

    A deny that a reply would cross is either cut out of the reply, or its box is decided on the spot: the initiations
    inside it, then the deny. Whichever is shorter; a deny that an earlier reply of the other protocols meets is cut out, as
    those stand behind all.
    """
    numbers = [number for number, row in enumerate(second) if not row.permit]
    denies, gone = Near([second[number].sets for number in numbers]), set[int]()
    broad: list[Row] = []
    spots: dict[int, list[Row]] = {}
    for at, row in enumerate(second):
        if not row.permit:
            continue
        over = [n for n in denies.meeting(row.sets) if numbers[n] < at and n not in gone]
        for n in over:
            if n not in spots:
                spots[n] = [*ahead.within(second[numbers[n]]), second[numbers[n]]]
        tied = any(meets(second[numbers[n]].sets, one.sets) for n in over for one in broad)
        limit = None if tied else 1 + sum(typed(family, r.sets) for n in over for r in spots[n])
        pieces = _cut(family, row.sets, [second[numbers[n]].sets for n in over], limit)
        if pieces is None:
            yield from (r for n in over for r in spots[n])
            gone.update(over)
            pieces = (row.sets,)
        for piece in (row.over(sets) for sets in pieces):
            if not ahead.passes(piece.sets):
                yield from _named(classes, piece)
                if piece.sets[PROTO][-1][1] == classes.rest:
                    broad.append(piece)
    yield from _rest_rows(classes, broad, ahead)


def _cut(family: Family, sets: Sets, denies: Sequence[Sets], limit: int | None) -> tuple[Sets, ...] | None:
    """A product without some denies; None when that takes more lines than ``limit`` (None: as many as it takes)."""
    rest: tuple[Sets, ...] = (sets,)
    for deny in denies:
        rest = tuple(piece for part in rest for piece in minus(part, deny))
        if limit is not None and len(rest) > limit:
            return None
    return rest if limit is None or not denies or sum(typed(family, piece) for piece in rest) <= limit else None


def _named(classes: Classes, row: Row) -> Iterator[Row]:
    for low, high in row.sets[PROTO]:
        for one in range(low, min(high, classes.rest - 1) + 1):
            yield row if low == high and len(row.sets[PROTO]) == 1 else row.over(put(row.sets, PROTO, ((one, one),)))


def _rest_rows(classes: Classes, broad: Sequence[Row], ahead: First) -> Iterator[Row]:
    """Replies of every protocol that nobody names, between two address spans.

    No list has a word for "all but these": so what the initiations say of the named ones there is said first, then they
    are denied there, and then the rest passes.
    """
    for dst, src in dict.fromkeys((row.sets[DST], row.sets[SRC]) for row in broad):
        region: Sets = (((0, classes.rest - 1),), dst, src, *_UPPER, (ANY_BIT,))
        for row in ahead.within(Row(False, region, broad[0].entry)):
            yield from _named(classes, row)
    yield from _denied(classes, broad, WHOLE)
    for row in broad:
        yield row.over(put(row.sets, PROTO, ((0, classes.rest),)))


def _denied(classes: Classes, broad: Sequence[Row], bit: Span) -> Iterator[Row]:
    """Denies of each named protocol where the rest is to pass."""
    for dst, src in dict.fromkeys((row.sets[DST], row.sets[SRC]) for row in broad):
        for one in range(classes.rest):
            box = ((one, one), dst[0], src[0], ANY_PORT, ANY_PORT, ANY_BIT, bit)
            yield Row(False, (((one, one),), dst, src, *_UPPER, (bit,)), Entry(False, box, DEFAULT))


def _pruned(known: First) -> Iterator[Row]:
    """Without rows that decide nothing: rows inside an earlier one, derived denies that no later permit meets."""
    first, near = known.rows, known.near
    for at, row in enumerate(first):
        if near.hidden(at):
            continue
        written = row.permit or row.entry.rule.origin == "policy"
        if written or any(number > at and first[number].permit for number in near.meeting(row.sets)):
            yield row
