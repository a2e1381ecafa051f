"""Lists with blocks as plain boxes: values that no set tells apart become one number, so that a set is a few spans.

Each dimension in which a block has several spans is cut at all borders; pieces that lie in the same sets are one atom.
Lists over atoms pass the same packets as before, with every packet as the atoms of its values; so what the joint walk
finds there holds, and a box that it finds is turned back by taking one piece for each atom.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from configlet.model.block import Block, Boxed, Sets, items, sets_of
from configlet.model.gate import Cell
from configlet.model.lines import Lines
from configlet.model.net import Family, Span, Spans
from configlet.model.policy import Box
from configlet.packets.alike import alike
from configlet.packets.boxes import full
from configlet.packets.inside import Left, inside
from configlet.packets.sieve import left
from configlet.packets.trim import Row, both, same
from configlet.packets.walk import BUDGET, KINDS, Kind, Overrun, differ, more

LOOSE = 4096
"""Rows that blocks may stand for until they are worth atoms."""


class Contradiction(Exception):  # noqa: N818 - it is what was said
    """Two answers that cannot both be true: nothing is known."""


_Lists = tuple[list[Sequence[Row]], Sequence[Row]]
_Answer = Box | Overrun | None


def difference(
    family: Family,
    law: Sequence[Sequence[Boxed]],
    text: Sequence[Boxed],
    kind: Kind | None = None,
    budget: int = BUDGET,
) -> _Answer:
    """``differ``, or ``more`` where a kind is given, of lists that may hold blocks."""
    lists = _single(family, law, text)
    if lists is not None:
        return _of_single(family, lists, _left(family, *lists), kind, budget)
    atoms = _Atoms(family, (sets_of(item) for rows in (*law, text) for item in items(rows)))
    laws, said = [atoms.rows(rows) for rows in law], atoms.rows(text)
    found = differ(family, laws, said, budget) if kind is None else more(family, kind, laws, said, budget)
    return found if found is None or isinstance(found, Overrun) else atoms.back(found)


def _of_single(family: Family, lists: _Lists, where: Left | None, kind: Kind | None, budget: int) -> _Answer:
    """The same of single rows, of which it is known where they may differ."""
    if where is not None:
        (found,) = inside(family, *lists, where.boxes, (kind,))
        if isinstance(found, tuple) or (found is None and where.every):
            return found
    return differ(family, *lists, budget) if kind is None else more(family, kind, *lists, budget)


def each_way(
    family: Family, law: Sequence[Sequence[Boxed]], text: Sequence[Boxed], budget: int = BUDGET
) -> tuple[_Answer, _Answer]:
    """What ``more`` says in either direction, ``too open`` first; both None where the lists are equal.

    OVERRUN where the budget was not enough, once where that was seen before any direction was asked for. Raises
    Contradiction where the lists differ and neither passes more than the other, which is a fault of ours.
    """
    if len(law) > 1 and not _loose(law, text) and alike(family, law, text):
        return None, None
    lists = _single(family, law, text)
    where = None if lists is None else _left(family, *lists)
    if lists is not None and where is not None and where.every:
        first, second = inside(family, *lists, where.boxes, KINDS)
        if not isinstance(first, Overrun) and not isinstance(second, Overrun):
            return first, second

    def asked(kind: Kind | None) -> _Answer:
        if lists is None:
            return difference(family, law, text, kind, budget)
        return _of_single(family, lists, where, kind, budget)

    found = asked(None)
    if found is None or isinstance(found, Overrun):
        return found, None
    first, second = map(asked, KINDS)
    if first is None and second is None:
        raise Contradiction
    return first, second


def _single(family: Family, law: Sequence[Sequence[Boxed]], text: Sequence[Boxed]) -> _Lists | None:
    """The lists as single rows, trimmed; None where blocks are worth atoms."""
    if _loose(law, text):
        return None
    said = text.cells() if isinstance(text, Lines) else tuple(text)
    return both(family, tuple(map(tuple, law)), said)


def _loose(law: Sequence[Sequence[Boxed]], text: Sequence[Boxed]) -> bool:
    """Whether the blocks of these lists stand for so many rows that they are worth atoms."""
    return sum(map(len, (*law, text))) > LOOSE + 2 * sum(len(items(rows)) for rows in (*law, text))


def _left(family: Family, laws: Sequence[Sequence[Row]], text: Sequence[Row]) -> Left | None:
    return Left([]) if same(laws, text) else left(family, laws, text)


class _Atoms:
    """The atoms of each dimension that has any; the others stay as they are."""

    def __init__(self, family: Family, found: Iterable[Sets]) -> None:
        rows = tuple(found)
        self.levels: dict[int, _Level] = {}
        for level, whole in enumerate(full(family)):
            if any(len(sets[level]) > 1 for sets in rows):
                self.levels[level] = _Level(whole, dict.fromkeys(sets[level] for sets in rows))

    def rows(self, rows: Sequence[Boxed]) -> list[Cell]:
        """A list as boxes over atoms."""
        return [Cell(item.permit, box) for item in items(rows) for box in self._boxes(item)]

    def _boxes(self, item: Boxed | Block[Boxed]) -> Iterator[tuple[Span, ...]]:
        levels = self.levels
        return product(*(levels[n].of[s] if n in levels else s for n, s in enumerate(sets_of(item))))

    def back(self, box: Box) -> Box:
        """Packets inside a box over atoms."""
        out = (self.levels[n].pieces[span[0]] if n in self.levels else span for n, span in enumerate(box))
        return tuple(out)  # type: ignore[return-value]


class _Level:
    """One dimension: ``of`` gives each set its spans of atoms, ``pieces`` one piece of each atom."""

    def __init__(self, whole: Span, sets: Iterable[Spans]) -> None:
        named = [spans for spans in sets if spans != (whole,)]
        numbers: dict[tuple[int, ...], int] = {}
        self.pieces: list[Span] = []
        held: list[list[int]] = [[] for _ in named]
        for piece, of in _pieces(whole, named):
            if of not in numbers:
                numbers[of] = len(numbers)
                self.pieces.append(piece)
                for at in of:
                    held[at].append(numbers[of])
        # The last atom reaches to the end, so that all of them are the whole dimension.
        last = len(numbers) - 1
        self.of: dict[Spans, Spans] = {(whole,): (whole,)}
        for spans, mine in zip(named, held, strict=True):
            self.of[spans] = tuple((low, whole[1] if high == last else high) for low, high in _runs(sorted(mine)))


def _pieces(whole: Span, sets: Sequence[Spans]) -> Iterator[tuple[Span, tuple[int, ...]]]:
    """The dimension cut at all borders, each piece with the numbers of the sets that hold it."""
    events: dict[int, list[tuple[bool, int]]] = {whole[0]: []}
    for number, spans in enumerate(sets):
        for low, high in spans:
            events.setdefault(low, []).append((True, number))
            if high < whole[1]:
                events.setdefault(high + 1, []).append((False, number))
    borders = sorted(events)
    active: set[int] = set()
    for at, border in enumerate(borders):
        for begins, number in sorted(events[border]):
            (active.add if begins else active.discard)(number)
        end = borders[at + 1] - 1 if at + 1 < len(borders) else whole[1]
        yield (border, end), tuple(sorted(active))


def _runs(numbers: Sequence[int]) -> Iterator[Span]:
    """Numbers in order as spans."""
    start = 0
    for at in range(1, len(numbers) + 1):
        if at == len(numbers) or numbers[at] != numbers[at - 1] + 1:
            yield numbers[start], numbers[at - 1]
            start = at
