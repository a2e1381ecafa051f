"""Many rows as one: a set of spans in each dimension, and lists that hold such blocks and show single rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, product
from math import prod
from typing import Any, Generic, Protocol, TypeVar, cast, overload

from configlet.model.frozen import dataclass
from configlet.model.net import Spans

Sets = tuple[Spans, Spans, Spans, Spans, Spans, Spans, Spans]
"""For each dimension of a box the spans of which any may hold; never empty, sorted and disjoint."""


class Boxed(Protocol):
    """A row with a box that can be laid over another: an ``Entry`` of ours, a ``Line`` that a reader found."""

    @property
    def permit(self) -> bool:
        """Whether the packets of the box pass."""

    @property
    def box(self) -> Any:
        """Seven closed intervals."""

    def over(self, box: Any) -> Any:
        """The same row over another box."""


T = TypeVar("T", bound=Boxed)


@dataclass(frozen=True, slots=True)
class Block(Generic[T]):
    """The product of seven sets of spans. ``like`` says all but the box; its own box means nothing here."""

    sets: Sets
    like: T

    @property
    def permit(self) -> bool:
        """Whether its packets pass."""
        return self.like.permit

    @property
    def count(self) -> int:
        """How many rows it stands for."""
        return prod(map(len, self.sets))

    def rows(self) -> Iterator[T]:
        """Its rows: services outermost, then sources, then destinations, as a rule is read."""
        protos, destinations, sources, dports, sports, flags, fragments = self.sets
        over = self.like.over
        for p, fl, fr, sp, dp, s, d in product(protos, flags, fragments, sports, dports, sources, destinations):
            yield over((p, d, s, dp, sp, fl, fr))


class Listed(Sequence[T]):
    """A list of rows of which some are blocks. Whoever goes through it sees single rows, made when they are looked at."""

    __slots__ = ("_items", "_length")

    def __init__(self, items: Iterable[T | Block[T]], length: int = -1) -> None:
        self._items, self._length = tuple(items), length
        """``length``: how many rows these are, where that is known."""

    @property
    def items(self) -> tuple[T | Block[T], ...]:
        """What it holds, blocks as blocks."""
        return self._items

    def __iter__(self) -> Iterator[T]:
        return chain.from_iterable(item.rows() if isinstance(item, Block) else (item,) for item in self.items)

    def __len__(self) -> int:
        if self._length < 0:
            blocks = [item.count for item in self.items if isinstance(item, Block)]
            self._length = len(self.items) - len(blocks) + sum(blocks)
        return self._length

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[T]: ...
    def __getitem__(self, at: int | slice) -> T | Sequence[T]:
        if isinstance(at, slice):
            return tuple(self)[at]
        found = next(islice(self, at if at >= 0 else at + len(self), None), None)
        if found is None:
            raise IndexError(at)
        return found

    def __eq__(self, other: object) -> bool:
        return self.items == other.items if isinstance(other, Listed) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.items)


class Parted(Listed[T]):
    """The same of parts, of which whoever goes through them may have met some in another list."""

    __slots__ = ("parts",)

    def __init__(self, parts: Sequence[Sequence[T | Block[T]]], length: int) -> None:
        super().__init__((), length)
        self.parts = parts

    @property
    def items(self) -> tuple[T | Block[T], ...]:
        """What its parts hold."""
        if not self._items:
            self._items = tuple(chain.from_iterable(self.parts))
        return self._items

    def __reduce__(self) -> tuple[Any, ...]:
        return Listed, (self.items, len(self))


class Answers(tuple[T, ...]):
    """One reply to each permit among some rows, in their order: of the same protocol, between the same ends and ports the other
    way."""

    of: Sequence[T]

    def __new__(cls, rows: Iterable[T], of: Sequence[T]) -> Answers[T]:
        """``of``: the rows that they answer."""
        made = super().__new__(cls, rows)
        made.of = of
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (tuple(self),)


def listed(items: Iterable[T | Block[T]]) -> Sequence[T]:
    """The items as a list of rows: a tuple where none is a block, and a block of one row is that row."""
    found = tuple(items)
    kinds = list(map(type, found))
    if Block not in kinds:
        return cast("tuple[T, ...]", found)
    counts = [item.count for item, kind in zip(found, kinds, strict=True) if kind is Block]  # type: ignore[union-attr]
    length = len(found) - len(counts) + sum(counts)
    if 1 in counts:
        found = tuple(next(i.rows()) if isinstance(i, Block) and i.count == 1 else i for i in found)
        return Listed(found, length) if any(isinstance(i, Block) for i in found) else cast("tuple[T, ...]", found)
    return Listed(found, length)


def items(rows: Sequence[T]) -> Sequence[T | Block[T]]:
    """What a list holds, blocks as blocks."""
    return rows.items if isinstance(rows, Listed) else rows


def sets_of(item: Boxed | Block[Any]) -> Sets:
    """A row or a block as sets of spans."""
    if isinstance(item, Block):
        return item.sets
    p, d, s, dp, sp, fl, fr = item.box
    return (p,), (d,), (s,), (dp,), (sp,), (fl,), (fr,)
