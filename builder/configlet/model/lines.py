"""Lines that a reader found many at a time: what they say is there, and they themselves are made when somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, overload

from configlet.model.gate import Cell, Line
from configlet.model.policy import Box


class Lines(Sequence[Line]):
    """Lines by what they say: ``permits`` and ``boxes`` have one of each, in order. ``make`` gives the lines themselves."""

    __slots__ = ("_made", "_make", "boxes", "permits")

    def __init__(self, permits: Sequence[bool], boxes: Sequence[Box], make: Callable[[], Iterable[Line]]) -> None:
        self.permits, self.boxes, self._make = permits, boxes, make
        self._made: tuple[Line, ...] | None = None

    def runs(self) -> Iterator[tuple[bool, Sequence[Box]]]:
        """Whether they permit, and the boxes of lines that stand together and do the same."""
        at = 0
        for permit, some in groupby(self.permits):
            end = at + len([*some])
            yield permit, self.boxes[at:end]
            at = end

    def cells(self) -> tuple[Cell, ...]:
        """The lines as rows that are nothing but their boxes."""
        return tuple(map(Cell, self.permits, self.boxes))

    def _all(self) -> tuple[Line, ...]:
        if self._made is None:
            self._made = tuple(self._make())
        return self._made

    def __len__(self) -> int:
        return len(self.boxes)

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
