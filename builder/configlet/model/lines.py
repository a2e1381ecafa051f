"""Lines that a reader found many at a time: what they say is there, and they themselves are made when somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, cast, overload

from configlet.model.gate import Cell, Line
from configlet.model.net import Span
from configlet.model.policy import Box

Said = tuple[bool, Box]
"""Permit or deny, and of what."""


class Run(NamedTuple):
    """Rows that follow one another: of each of some elements one in each of some boxes, its ``bases``.

    ``axes`` are what the elements say of each of the ``fields``, of which a base has everything; ``permits`` by element.
    """

    bases: Sequence[Box]
    fields: tuple[int, ...]
    axes: Sequence[Sequence[Span]]
    permits: Sequence[bool]
    known: dict[object, Any]
    """What was made of these elements before, for this list of them or for another one that has the same."""

    def rows(self) -> Iterator[Said]:
        """The rows one by one."""
        for permit, *spans in zip(self.permits, *self.axes, strict=True):
            for base in self.bases:
                box = list(base)
                for field, span in zip(self.fields, spans, strict=True):
                    box[field] = span
                yield permit, cast(Box, tuple(box))


def stretches(permits: Sequence[bool]) -> Iterator[tuple[bool, int, int]]:
    """Where rows begin that do the same, and where these end."""
    first, last = 0, len(permits)
    while first < last:
        permit = permits[first]
        try:
            end = permits.index(not permit, first)
        except ValueError:
            end = last
        yield permit, first, end
        first = end


Parts = Sequence[Run | Sequence[Said]]


class Lines(Sequence[Line]):
    """Lines by what they say. ``make`` gives the lines themselves, ``in_order`` the parts in their order, where that is another
    one."""

    __slots__ = ("_columns", "_in_order", "_made", "_make", "parts")

    def __init__(
        self, parts: Parts, make: Callable[[], Iterable[Line]], in_order: Callable[[], Parts] | None = None
    ) -> None:
        self.parts, self._make, self._in_order = parts, make, in_order
        """The lines, some of them together; only such stand in another order as share no packet."""
        self._columns: tuple[Sequence[bool], Sequence[Box]] | None = None
        self._made: tuple[Line, ...] | None = None

    @classmethod
    def of(cls, permits: Sequence[bool], boxes: Sequence[Box], make: Callable[[], Iterable[Line]]) -> Lines:
        """Lines that are as many as these boxes, in order."""
        found = cls((), make)
        found._columns = permits, boxes
        return found

    @property
    def columns(self) -> tuple[Sequence[bool], Sequence[Box]]:
        """Whether each line permits, and its box."""
        if self._columns is None:
            parts = self._in_order() if self._in_order else self.parts
            rows = [row for part in parts for row in (part.rows() if isinstance(part, Run) else part)]
            self._columns = [permit for permit, _ in rows], [box for _, box in rows]
        return self._columns

    def runs(self) -> Iterator[tuple[bool, Sequence[Box]]]:
        """Whether they permit, and the boxes of lines that stand together and do the same."""
        permits, boxes = self.columns
        for permit, first, end in stretches(permits):
            yield permit, boxes[first:end]

    def cells(self) -> tuple[Cell, ...]:
        """The lines as rows that are nothing but their boxes."""
        return tuple(map(Cell, *self.columns))

    def _all(self) -> tuple[Line, ...]:
        if self._made is None:
            self._made = tuple(self._make())
        return self._made

    def __len__(self) -> int:
        if self._columns is None:
            return sum(len(p.bases) * len(p.permits) if isinstance(p, Run) else len(p) for p in self.parts)
        return len(self._columns[0])

    def __iter__(self) -> Iterator[Line]:
        return iter(self._all())

    @overload
    def __getitem__(self, at: int) -> Line: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Line, ...]: ...
    def __getitem__(self, at: int | slice) -> Any:
        return self._all()[at]

    def __eq__(self, other: object) -> bool:
        return self._all() == tuple(other) if isinstance(other, (Lines, tuple)) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._all())
