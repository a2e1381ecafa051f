"""The joint interval walk: do a law and a text pass exactly the same packets, and if not, which?

A law is one or two first-match lists with default deny, of which any may permit; a text is one such list. Both are cut
at all borders of one dimension, piece by piece, and what is left is compared one dimension deeper. Equal remainders
end a branch, and a pair that was proven once is not visited again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Final, Literal

from configlet.model.net import Family, Span
from configlet.model.policy import DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC, Box
from configlet.packets.tails import EVERYTHING, NOTHING, Codes, Order, Spent, Tails, normal
from configlet.packets.verdict import Row

Kind = Literal["too open", "too tight"]
KINDS: tuple[Kind, Kind] = ("too open", "too tight")


class Overrun(Enum):
    """The answer when the budget ran out: nothing is known, and above all not that both are equal."""

    OVERRUN = "overrun"


OVERRUN: Final = Overrun.OVERRUN
BUDGET = 100_000_000
FIRST_TRY = 400_000
PER_ROW = 16
"""Steps of the first try for each row, as even equal lists cost some in every dimension."""
ORDERS: tuple[Order, ...] = (
    (PROTO, DST, SRC, DPORT, SPORT, FLAG, FRAG),
    (PROTO, DPORT, DST, SRC, SPORT, FLAG, FRAG),
    (PROTO, SRC, DST, DPORT, SPORT, FLAG, FRAG),
    (PROTO, DPORT, SRC, DST, SPORT, FLAG, FRAG),
)

Pair = tuple[Sequence[Sequence[Row]], Sequence[Row]]
"""A law's lists, and a text."""
_Found = list[Span] | None


def differ(
    family: Family,
    law: Sequence[Sequence[Row]],
    text: Sequence[Row],
    budget: int = BUDGET,
    orders: Sequence[Order] = ORDERS,
) -> Box | Overrun | None:
    """A box of packets that the one passes and the other does not; None when there is none.

    ``budget`` counts steps (one to nine million a second); OVERRUN when it was not enough. ``orders`` of the dimensions
    are tried in turn. Raises ValueError for a law of no list or of more than two.
    """
    return _search(family, [(law, text)], None, budget, orders)


def differ_in(family: Family, pairs: Sequence[Pair], kind: Kind | None, budget: int) -> Box | Overrun | None:
    """The same of the first pair that differs, as ``differ`` or as ``more``; what one pair proves, another need not."""
    return _search(family, pairs, kind, budget, ORDERS)


def more(
    family: Family,
    kind: Kind,
    law: Sequence[Sequence[Row]],
    text: Sequence[Row],
    budget: int = BUDGET,
    orders: Sequence[Order] = ORDERS,
) -> Box | Overrun | None:
    """A box in one direction: ``too open``, the text passes what the law denies; ``too tight``, the other way round."""
    return _search(family, [(law, text)], kind, budget, orders)


def _search(
    family: Family, pairs: Sequence[Pair], kind: Kind | None, budget: int, orders: Sequence[Order]
) -> Box | Overrun | None:
    """Each order of the dimensions with a small budget, then each with a larger one."""
    if any(not 1 <= len(law) <= 2 for law, _ in pairs):
        raise ValueError("a law has one or two lists")
    spent, share = 0, max(FIRST_TRY, PER_ROW * sum(len(rows) for law, text in pairs for rows in (*law, text)))
    while True:
        for order in orders:
            tails = Tails(family, order)
            steps = min(share, budget - spent)
            try:
                walk = _Walk(tails, kind, steps)
                found = walk.first(pairs)
            except Spent:
                spent += steps
                if spent >= budget:
                    return OVERRUN
                continue
            return None if found is None else tails.box(found)
        share *= 4


def _canonical(laws: Sequence[list[int]], text: list[int]) -> tuple[tuple[Codes, ...], Codes]:
    """The law's lists in a form that many equal laws share, and the text.

    What adds nothing goes. Two lists of which one only permits are one list: its permits, then the other.
    """
    found = [one for codes in laws if codes and (one := normal(codes))]
    if len(found) == 2:
        a, b = sorted(found)
        if min(a) >= 0:
            found = [normal(a + b)]
        elif min(b) >= 0:
            found = [normal(b + a)]
        else:
            found = [a] if a == b else [a, b]
    return tuple(found), normal(text)


class _Walk:
    """One walk over a pair: what it has proven, and how many steps it may still take."""

    __slots__ = ("kind", "proven", "steps", "tails")

    def __init__(self, tails: Tails, kind: Kind | None, steps: int) -> None:
        self.tails, self.kind, self.steps = tails, kind, steps
        self.proven: set[tuple[int, tuple[Codes, ...], Codes]] = set()

    def first(self, pairs: Iterable[Pair]) -> _Found:
        """The intervals of packets that law and text of some pair judge differently."""
        for law, text in pairs:
            laws, said = _canonical([self.tails.enter(rows) for rows in law], self.tails.enter(text))
            found = self.visit(0, laws, said)
            if found is not None:
                return found
        return None

    def visit(self, level: int, laws: tuple[Codes, ...], text: Codes) -> _Found:
        """The intervals, from this level on, of packets that law and text judge differently."""
        if laws == ((text,) if text else ()):
            return None
        if self.kind == "too open" and (not text or laws == (EVERYTHING,)):
            return None
        if self.kind == "too tight" and (not laws or text == EVERYTHING):
            return None
        if text in (NOTHING, EVERYTHING) and laws in ((), (EVERYTHING,)):
            return list(self.tails.whole[level:])
        key = (level, laws, text)
        if key in self.proven:
            return None
        found = self._cut(level, (*laws, text))
        if found is None:
            self.proven.add(key)
        return found

    def _cut(self, level: int, lists: tuple[Codes, ...]) -> _Found:
        borders = self.tails.borders(level, lists)
        index = dict(zip(borders, range(len(borders)), strict=True))
        *laws, text = [self._distribute(level, codes, index) for codes in lists]
        for at in range(len(borders) - 1):
            law = [column[at] for column in laws if column[at]]
            if law == ([text[at]] if text[at] else []):
                continue
            found = self.visit(level + 1, *_canonical(law, text[at]))
            if found is not None:
                return [(borders[at], borders[at + 1] - 1), *found]
        return None

    def _distribute(self, level: int, codes: Codes, index: dict[int, int]) -> list[list[int]]:
        column, self.steps = self.tails.distribute(level, codes, index, self.steps)
        return column
