"""Elements of a verdict map by columns: a long list is understood, checked and walked as a whole.

A line of it is looked up as it stands; what it says was found once by the reader of single lines, and is the same object
in every map that has this line. What does not fit is Unfit, and the text is read line by line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count, repeat
from operator import ge, itemgetter
from typing import NamedTuple, overload

from configlet.model.gate import Line
from configlet.readers.filter_values import Element, End
from configlet.readers.grammar import Source
from configlet.readers.spans import Span


class Unfit(Exception):  # noqa: N818 - it is said of a text
    """This is not written as long lists mostly are."""


class Spoken(NamedTuple):
    """What a line says that holds one element and nothing else; ``permit``, ``label`` and ``counted`` are its end's."""

    text: str
    column: int
    spans: tuple[Span, ...]
    verb: str
    target: str
    end: End | None
    permit: bool
    label: str
    counted: bool


class Begun(tuple[Line, ...]):
    """Lines that follow one another and speak only of packets that can begin a connection."""

    __slots__ = ()


class Columns(Sequence[Element]):
    """The elements that stand in some lines, one in each; ``number`` is the first line's."""

    __slots__ = ("_ended", "axes", "file", "number", "said", "targets", "texts")

    def __init__(self, file: str, number: int, said: Sequence[Spoken]) -> None:
        self.file, self.number, self.said = file, number, said
        self.texts, _, spans, _, targets, _, *ended = zip(*said, strict=True)
        self.axes: tuple[tuple[Span, ...], ...] = tuple(zip(*spans, strict=True))
        """Each part of the keys, by element."""
        self.targets = set(targets) - {""}
        """The chains to which elements lead."""
        self._ended: Sequence[Sequence[object]] | None = None if self.targets else ended
        """Whether each element permits, for whom, and whether it counts."""

    def __len__(self) -> int:
        return len(self.said)

    def __iter__(self) -> Iterator[Element]:
        return (self._made(number, one) for number, one in enumerate(self.said))

    @overload
    def __getitem__(self, at: int) -> Element: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Element]: ...
    def __getitem__(self, at: int | slice) -> Element | Sequence[Element]:
        return tuple(self)[at]

    def _made(self, number: int, one: Spoken) -> Element:
        source = Source(self.file, self.number + number, one.column, one.text)
        return Element(one.spans, one.verb, one.target, one.end, source)

    def runs(
        self, bases: Sequence[Sequence[Span]], fields: Sequence[int], ends: Mapping[str, End | None]
    ) -> Begun | None:
        """The lines of all elements in each of some boxes, which have every value of the fields that the key asks for;
        None where an element leads to a chain that has no end (``ends``).
        """
        ended = self._ended = self._ended or self._ends(ends)
        if ended is None:
            return None
        permits, labels, counted = ended
        rows = []
        for base in bases:
            box: list[Iterable[Span]] = [*map(repeat, base)]
            for field, spans in zip(fields, self.axes, strict=True):
                box[field] = spans
            cells = zip(permits, zip(*box), count(self.number), self.texts, labels, counted)  # noqa: B905
            rows.append(map(_new, _LINES, cells))
        return Begun(rows[0] if len(rows) == 1 else chain.from_iterable(zip(*rows, strict=True)))

    def _ends(self, ends: Mapping[str, End | None]) -> Sequence[Sequence[object]] | None:
        found = [one.end or ends.get(one.target) for one in self.said]
        known = [end for end in found if end is not None]
        return None if len(known) < len(found) else [*zip(*known, strict=True)]


_new = tuple.__new__
_LINES = repeat(Line)
_low, _high = itemgetter(0), itemgetter(1)


def apart(columns: Columns) -> bool:
    """Whether it is seen at a glance that no two elements share a key: along one part of the keys none have a value in
    common, or those that have are so along another part."""
    return any(map(_parted, reversed(columns.axes))) or all(
        any(_parted([spans[at] for at in group]) for spans in columns.axes) for group in _groups(columns.axes[-1])
    )


def _parted(found: Iterable[Span]) -> bool:
    """Whether intervals are disjoint."""
    spans = sorted(found)
    lows = map(_low, spans)
    next(lows, None)
    return not any(map(ge, map(_high, spans), lows))


def _groups(spans: Sequence[Span]) -> Iterator[list[int]]:
    """The intervals that have values in common, at least by others between them."""
    group: list[int] = []
    end = -1
    for at in sorted(range(len(spans)), key=spans.__getitem__):
        low, high = spans[at]
        if low > end and group:
            yield group
            group = []
        group.append(at)
        end = max(end, high)
    yield group
