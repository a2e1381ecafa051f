"""Rows of a list with their numbers. Most rows stand in other lists too, under another number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

Values = tuple[str, ...]
Row = tuple[int | str, ...]


class Line:
    """The values of a row but its number, and how they were written last: the texts around the number, and by which loop."""

    __slots__ = ("form", "texts", "values")

    def __init__(self, values: Values) -> None:
        self.values = values
        self.form: object = None
        self.texts: Values = ()


class Numbered(Sequence[Row]):
    """The rows of a list: whoever goes through them sees each with its number ahead of its values."""

    __slots__ = ("lines", "numbers")

    def __init__(self, numbers: Sequence[int], lines: Sequence[Line]) -> None:
        self.numbers, self.lines = numbers, lines

    def __iter__(self) -> Iterator[Row]:
        return ((number, *line.values) for number, line in zip(self.numbers, self.lines, strict=True))

    def __repr__(self) -> str:
        return repr(tuple(self))

    def __len__(self) -> int:
        return len(self.lines)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | Sequence[Row]:
        return tuple(self)[at]
