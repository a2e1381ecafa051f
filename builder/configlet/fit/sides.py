"""What a policy says of one side of a routed gate, found once for both directions: what the one lets begin there is what the
replies of the other answer."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import chain, compress, takewhile
from operator import attrgetter, itemgetter
from typing import cast

from configlet.fit.between import LONG, Among, Between, Spoken, Told, Turned, within_all
from configlet.fit.clip import with_fragments
from configlet.fit.plain import End, Pair, Plain, around, ends_of, plain, spans_of
from configlet.model.block import Block
from configlet.model.net import Family, Span, Spans, keep, merge
from configlet.model.policy import DPORT, DST, SRC, WRITTEN, Entry
from configlet.packets.axis import Axis
from configlet.packets.blocks import Item, cut, replied, replies, rule_of, turned
from configlet.packets.sets import touch, within

LISTS, SHARE = 4, 32
"""So many lists were asked for, and together have as many rows as a thirty-second of the policy, when it is worth finding what
none of them need look at."""
FEW = 16
"""Rows that are all looked at sooner than asked for by their ends."""
KEPT = 16
"""Sides that are remembered: those of a device are asked for one after the other."""
_PERMIT, _BOX, _DPORT = attrgetter("permit"), attrgetter("box"), itemgetter(DPORT)
Pieces = Mapping[int, Sequence[Item]]
"""By the number of a row what of it lies in some addresses."""


class Side:
    """What the operator wrote of one side."""

    __slots__ = ("numbers", "pieces", "replies", "rows", "told", "turned", "whole")

    def __init__(
        self, numbers: Sequence[int], rows: Sequence[Item], replies: Sequence[Item], pieces: Pieces, *, whole: bool
    ) -> None:
        self.numbers, self.rows, self.replies, self.pieces, self.whole = numbers, rows, replies, pieces, whole
        """The rows of the policy that speak of it, in order; the same, cut to the side, and their replies; what is left of
        those that were cut; and whether none was."""
        self.told: tuple[Between | None, Told | None] | None = None
        """Its rows, and the permits among their replies, where all of them are plain, as soon as somebody asked."""
        self.turned = False
        """Whether each permit is then seen to have one reply, between its ends."""


class Rows:
    """Rows of a policy, found by one of their ends. The first question about an end goes through all of them; an index is
    made when there is a second one."""

    __slots__ = ("_asked", "_ends", "_said", "items", "single")

    def __init__(self, items: Sequence[Item]) -> None:
        self.items, self.single = items, Block not in set(map(type, items))
        """The rows, and whether none is a block."""
        self._asked: set[int] = set()
        self._said: dict[int, Sequence[End]] = {}
        """The ends of all rows, from the first question about them to the second."""
        self._ends: dict[int, _Ends] = {}

    def around(self, level: int, spans: Spans) -> Sequence[Item]:
        """The rows of which an end may share an address with the spans, in order."""
        if len(self.items) <= FEW:
            return self.items
        inside, others = self.touching(level, spans)
        return list(map(self.items.__getitem__, sorted((*inside, *others))))

    def touching(self, level: int, spans: Spans) -> tuple[list[int], Iterable[int]]:
        """The numbers of the rows of which an end lies in the spans, in no order, and of those that may share an address with
        them, lying in them or not."""
        if level not in self._asked:
            self._asked.add(level)
            if not self.single or not spans:
                return [], range(len(self.items))
            first, last = spans[0][0], spans[-1][1]
            ends = cast("Sequence[Span]", self._said.setdefault(level, self._all(level)))
            return [], [number for number, (low, high) in enumerate(ends) if low <= last and first <= high]
        if level not in self._ends:
            self._ends[level] = _Ends(self._said.pop(level, ()) or self._all(level))
        return self._ends[level].touching(spans)

    def _all(self, level: int) -> Sequence[End]:
        if self.single:
            return list(map(itemgetter(level), map(_BOX, self.items)))
        return [i.sets[level] if isinstance(i, Block) else i.box[level] for i in self.items]

    def cut(self, level: int, spans: Spans) -> tuple[list[int], dict[int, tuple[Item, ...]]]:
        """The numbers of the rows that have an address in the spans, in order, and what is left of those that have others too."""
        items = self.items
        found, some = self.touching(level, spans)
        pieces: dict[int, tuple[Item, ...]] = {}
        first, last = (spans[0][0], spans[-1][1]) if spans else (0, -1)
        whole = len(spans) == 1
        for number in some:
            item = items[number]
            if type(item) is Entry:
                low, high = item.box[level]
                if high < first or last < low:
                    continue
                if whole and first <= low and high <= last:
                    found.append(number)
                    continue
            made = tuple(cut(item, level, spans))
            if made:
                found.append(number)
                if made[0] is not item:
                    pieces[number] = made
        found.sort()
        return found, pieces


class _Ends:
    """Numbers of rows by their end in one dimension, as far fewer ends are told apart than rows."""

    __slots__ = ("_axis", "_numbers")

    def __init__(self, ends: Iterable[End]) -> None:
        by: dict[End, list[int]] = {}
        for number, end in enumerate(ends):
            by.setdefault(end, []).append(number)
        self._numbers = tuple(by.values())
        self._axis = Axis(map(spans_of, by))

    def touching(self, spans: Spans) -> tuple[list[int], list[int]]:
        inside, others = list[int](), list[int]()
        rows, numbers = self._axis.rows, self._numbers
        for at in self._axis.near(spans):
            if within(rows[at], spans):
                inside += numbers[at]
            elif touch(rows[at], spans):
                others += numbers[at]
        return inside, others


class Sides:
    """A policy of one realm and family, as routed gates ask for it."""

    __slots__ = (
        "_among", "_answers", "_known", "_lists", "_looked", "_more", "_plain", "_spoken", "_unlike", "family", "network",
        "written",
    )  # fmt: skip

    def __init__(self, family: Family, found: Sequence[Item]) -> None:
        at = sum(1 for _ in takewhile(lambda item: rule_of(item).origin not in WRITTEN, found))
        self.family = family
        self.network, self.written = Rows(found[:at]), Rows(found[at:])
        """What the network needs and keeps closed, and what the operator wrote behind it."""
        self._lists = self._looked = 0
        self._plain: Plain | None = None
        self._among = Among(frozenset(), frozenset())
        self._known: dict[object, Side] = {}
        self._spoken: dict[tuple[int, int], tuple[Side, Side, Spoken]] = {}
        """What permits of two sides speak of, by the identities of these."""
        self._answers: list[Item | None] = [None] * len(self.written.items)
        """The replies to whole rows by their number, as both lists that have a row are to have the same of them."""
        self._more: dict[int, tuple[Item, ...]] = {}
        """The same of those rows that have not one reply between the same ends."""
        self._unlike = set[int]()
        """The rows of which the one reply may have other ports."""

    def plain(self, rows: int) -> Plain | None:
        """The rows that no list need look at, for a list of so many rows; None until it is worth it."""
        self._lists, self._looked = self._lists + 1, self._looked + rows
        if self._plain is None and self._lists > LISTS and self._looked * SHARE >= len(self.written.items):
            self._plain = plain(self.family, self.written.items)
            closed = [i.sets[at] for i in self.network.items if isinstance(i, Block) and not i.permit for at in (DST, SRC)]
            ends = {end for pair in self._plain.ends for end in pair}
            keep(chain.from_iterable(map(spans_of, ends)))
            keep(set(map(_DPORT, around(self.written.items))))
            spans = frozenset().union(*(spans for spans in closed if len(spans) >= LONG))
            self._among = Among(spans, frozenset(within_all(ends, merge(spans))))
        return self._plain

    def side(self, level: int, spans: Spans, *, match: bool) -> Side:
        """What the operator wrote of which one end, a destination or a source, is in these spans. ``match``: with what it says
        of fragments."""
        key = level, spans, match
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= KEPT:
                self._known.clear()
                self._spoken.clear()
            found = self._known[key] = self._side(level, spans, match=match)
        return found

    def _side(self, level: int, spans: Spans, *, match: bool) -> Side:
        items = self.written.items
        numbers, pieces = self.written.cut(level, spans)
        rows: Sequence[Item] = tuple(map(items.__getitem__, numbers))
        if pieces:
            rows = tuple(chain.from_iterable(pieces.get(n) or (items[n],) for n in numbers))
        if match:
            rows = with_fragments(rows, match=True)
            back: Sequence[Item] = tuple(replies(rows, self.family))
        else:
            back = self._replies(numbers, pieces)
        return Side(numbers, rows, back, pieces, whole=not (pieces or match))

    def _replies(self, numbers: Sequence[int], pieces: Pieces) -> Sequence[Item]:
        held, more, items, family = self._answers, self._more, self.written.items, self.family
        new = [n for n in numbers if held[n] is None and n not in more and n not in pieces]
        for number, one in zip(new, turned(map(items.__getitem__, new), family), strict=True):
            found = (one,) if one else replied(items[number], family)
            if one or (len(found) == 1 and _same_ends(items[number], found[0])):
                held[number] = found[0]
                if not one:
                    self._unlike.add(number)
            else:
                more[number] = found
        if not pieces and more.keys().isdisjoint(numbers):
            return tuple(map(held.__getitem__, numbers))  # type: ignore[arg-type]
        return tuple(chain.from_iterable(self._replied(number, pieces) for number in numbers))

    def _replied(self, number: int, pieces: Pieces) -> Iterable[Item]:
        if number in pieces:
            return replies(pieces[number], self.family)
        one = self._answers[number]
        return self._more[number] if one is None else (one,)

    def told(self, here: Side, there: Side) -> tuple[Between, Told] | None:
        """The rows of one side and the permits among the replies of the other, where all are plain (``plain`` was asked)."""
        for side in (here, there):
            if side.told is None:
                side.told = self._told(side)
        asked, answered = here.told[0], there.told[1]  # type: ignore[index]
        return (asked, answered) if asked and answered else None

    def _told(self, side: Side) -> tuple[Between | None, Told | None]:
        plain, numbers, rows, back = self._plain, side.numbers, side.rows, side.replies
        if plain is None:
            return None, None
        mine = frozenset(numbers)  # of two sets the shorter one is looked up
        permitting = numbers if all(map(_PERMIT, rows)) else list(self.permitting(numbers))
        if len(permitting) < len(numbers):
            back = [item for item in back if item.permit]
        if side.whole and mine.isdisjoint(self._more):
            keys = list(map(plain.pairs.__getitem__, numbers))
            permits = keys if permitting is numbers else list(map(plain.pairs.__getitem__, permitting))
            kinds = set(keys)
            ends: dict[Hashable, Pair] = dict(zip(kinds, map(plain.ends.__getitem__, kinds), strict=True))
            single = self.written.single and mine.isdisjoint(plain.types)
            asked = Between(rows, keys, ends, set(permits), single=single, among=self._among)
            replies: Told = Turned(back, permits, asked, ported=mine.isdisjoint(self._unlike))
            side.turned = True
        else:
            asked, replies = _each(rows), _each(back)
        loud = mine & plain.loud
        if loud:
            each = chain.from_iterable(self._replied(number, side.pieces) for number in loud)
            replies.loud = set(map(plain.pairs.__getitem__, loud)) if side.turned else set(ends_of(list(each)))
        return (
            asked if mine.isdisjoint(plain.odd) and plain.met.isdisjoint(side.pieces) else None,
            replies if mine.isdisjoint(plain.crossing) else None,
        )

    def permitting(self, numbers: Sequence[int]) -> Iterable[int]:
        """Those of some rows of the operator's that are permits."""
        return compress(numbers, map(_PERMIT, map(self.written.items.__getitem__, numbers)))

    def spoken(self, here: Side, there: Side) -> tuple[Spoken, int]:
        """What permits of both lists of a gate speak of (``told`` said so much of these sides), and as which of the two ends it
        has destinations: where each reply is between the ends of its row, one list has as its sources what the other has as
        destinations."""
        for turn, (one, other) in enumerate(((here, there), (there, here)) if here.turned and there.turned else ((here, there),)):
            known = self._spoken.get((id(one), id(other)))
            if known and known[0] is one and known[1] is other:
                return known[2], turn
        asked, answered = here.told[0].spoken, there.told[1].spoken  # type: ignore[index, union-attr]
        to, start = (merge({span for end in asked[at] | answered[at] for span in spans_of(end)}) for at in (0, 1))
        made = Spoken((to, start))
        self._spoken[id(here), id(there)] = here, there, made
        return made, 0


def _each(rows: Sequence[Item]) -> Between:
    """Rows with their ends as keys."""
    keys = ends_of(rows)
    return Between(rows, keys, dict(zip(keys, keys, strict=True)), set(compress(keys, map(_PERMIT, rows))), single=False)


def _same_ends(item: Item, reply: Item) -> bool:
    """Whether a reply does the same between the same ends the other way."""
    if isinstance(item, Block) or isinstance(reply, Block):
        return False
    box, other = item.box, reply.box
    return box[DST] == other[SRC] and box[SRC] == other[DST] and item.permit is reply.permit
