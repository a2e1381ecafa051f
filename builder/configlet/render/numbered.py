"""Rows of a list with their numbers. Most rows stand in other lists too, under another number; and nearly all say what many
others say, but for their remark, their ends and a port."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple, overload

Values = tuple[str, ...]
Numbers = tuple[int | str, ...]
Parts = tuple[str, bool, str, str, bool, str, str, str, str, str]
"""The texts around the words that a line says itself. Those ahead of its remark and behind it are cut where a number stands,
if one does."""


class Row(NamedTuple):
    """One line of a list in finished words, without its number; a remark has no other words."""

    remark: str = ""
    action: str = ""
    proto: str = ""
    source: str = ""
    destination: str = ""
    sport: str = ""
    dport: str = ""
    established: str = ""
    icmp: str = ""
    fragments: str = ""
    log: str = ""


TOGETHER = 4096
"""Rows of a long list that are looked at together: what is made of them on the way is let go of before the next."""
OWN = 0, 3, 5, 4, 6
"""What a line says itself: remark, source and its port, destination and its port, in the order in which they are written."""
UNSAID = Row()[1:]
_own, _rest = itemgetter(*OWN), itemgetter(slice(1, 3), slice(7, None))
_filled = itemgetter(*(OWN.index(at) if at in OWN else len(OWN) + at for at in range(len(Row()))))


class Shape:
    """What lines have in common: all that they do not say themselves, and which of these words they have."""

    __slots__ = ("apart", "bare", "form", "noted", "odd", "own", "parts", "row", "takes", "text", "uses")

    def __init__(self, row: Row, own: tuple[int, ...], *, apart: bool, text: bool) -> None:
        self.row, self.own, self.text = row, own, text
        """What the lines say, and the numbers of the words that each has of its own, which are empty here; and whether
        these surely are text."""
        self.apart = apart and OWN[0] in own
        """Whether the remark is a row of the list, ahead of the rest or (``lone``) without it."""
        self.takes = 1 + (self.apart and not self.lone)
        """How many rows of the list a line is."""
        self.bare = self
        """The shape without a remark."""
        self.noted: Shape | None = None
        """The shape with one, where it was met."""
        self.form: object = None
        """The loop of a template that wrote such lines last, and how it does (``render.forms``)."""
        self.parts: tuple[Parts, ...] = ()
        self.uses: tuple[int, ...] = ()
        self.odd = 0
        """How much of the texts is no printable ASCII, such as the ends of lines."""

    @property
    def lone(self) -> bool:
        """Whether lines are a remark and nothing else."""
        return self.own == OWN[:1] and not any(self.row)

    def rows(self, said: Values) -> tuple[Values, ...]:
        """The rows of a line that says these words itself."""
        row: Values = _filled((*said, *self.row))
        if not self.apart:
            return (row,)
        remark = (said[0], *UNSAID)
        return (remark,) if self.lone else (remark, ("", *row[1:]))


Line = tuple[Shape, str, str, str, str, str]
"""One row of a table, or a part of it, in finished words with the remark ahead of it: its shape, and the words of ``OWN``."""


class Shapes:
    """One shape for all lines that have it, so that lines say the same where their shape and their own words are the same."""

    __slots__ = ("_apart", "_known")

    def __init__(self, *, apart: bool) -> None:
        self._apart = apart
        self._known: dict[object, Shape] = {}

    def of(self, row: Row) -> Shape:
        """The shape of a row."""
        own = tuple([at for at in OWN if row[at]])
        text = {*map(type, _own(row))} == {str}
        key = own, text, _rest(row)
        found = self._known.get(key)
        if found is None:
            rest = Row(*("" if at in OWN else value for at, value in enumerate(row)))
            found = self._known[key] = Shape(rest, own, apart=self._apart, text=text)
            if row.remark:
                found.bare = self.of(row._replace(remark=""))
                found.bare.noted = found
        return found

    def line(self, row: Row) -> Line:
        """A row as a line."""
        return (self.of(row), *_own(row))

    def reworded(self, line: Line, **words: str) -> Line:
        """A line with some of its words replaced."""
        shape, remark, source, start, destination, to = line
        own = shape.row._replace(remark=remark, source=source, sport=start, destination=destination, dport=to)
        return self.line(own._replace(**words))


class Numbered(Sequence[Numbers]):
    """The rows of a list: whoever goes through them sees each with its number ahead of its values."""

    __slots__ = ("lines", "numbers")

    def __init__(self, numbers: Sequence[int], lines: Sequence[Line]) -> None:
        self.numbers, self.lines = numbers, lines

    def __iter__(self) -> Iterator[Numbers]:
        rows = (row for shape, *said in self.lines for row in shape.rows(tuple(said)))
        return ((number, *row) for number, row in zip(self.numbers, rows, strict=True))

    def __repr__(self) -> str:
        return repr(tuple(self))

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, at: int) -> Numbers: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Numbers]: ...
    def __getitem__(self, at: int | slice) -> Numbers | Sequence[Numbers]:
        return tuple(self)[at]
