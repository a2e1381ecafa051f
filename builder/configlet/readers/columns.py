"""Elements of a verdict map by columns: a long list is understood, checked and walked as a whole.

What its lines say besides, their words and where they stand, is found when somebody asks. What does not fit is Unfit, and the
text is read line by line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, count, repeat
from operator import itemgetter, lt
from typing import Any, NamedTuple, NoReturn, TypeVar, cast, overload

from configlet.model.frozen import dataclass
from configlet.model.gate import Line
from configlet.model.policy import Box
from configlet.readers.filter_values import Element, End
from configlet.readers.grammar import Source
from configlet.readers.spans import Span

T = TypeVar("T")


class Unfit(Exception):  # noqa: N818 - it is said of a text
    """This is not written as long lists mostly are."""


class Looked(Exception):  # noqa: N818 - it is said of a walk
    """Something was asked that not all tables answer alike that are said in the same way."""


Told = tuple[Sequence[Sequence[Span]], Sequence[bool | str]]
"""What lines say of which each holds one element and nothing else: the parts of their keys; whether each permits or, in place
of that, the chain to which it leads."""


class Spoken(NamedTuple):
    """The same with all its words: it leads to a chain (``target``), or it permits or not."""

    text: str
    column: int
    spans: tuple[Span, ...]
    verb: str
    target: str
    permit: bool
    label: str


class Columns(Sequence[Element]):
    """The elements that stand in some lines, one in each; ``number`` is the first line's. Those that decide count or not."""

    __slots__ = ("_does", "_ends", "_said", "_words", "axes", "counting", "file", "known", "number", "targets")

    def __init__(
        self,
        file: str,
        number: int,
        axes: Sequence[Sequence[Span]],
        does: Sequence[bool | str],
        words: Callable[[], Sequence[Spoken]],
        *,
        counting: bool,
    ) -> None:
        self.file, self.number, self.counting = file, number, counting
        self.axes, self._does = axes, does
        """Each part of the keys, by element."""
        self.targets = cast("set[str]", {*does} - {True, False})
        """The chains to which elements lead."""
        self.known: dict[object, Any] = {}
        """What others made of it, for as long as it is held."""
        self._words = words
        self._said: Sequence[Spoken] | None = None
        self._ends: Sequence[End] | None = None

    @property
    def told(self) -> Told:
        """What the elements say: the parts of their keys, and what each does."""
        return self.axes, self._does

    @property
    def said(self) -> Sequence[Spoken]:
        """The elements with all their words."""
        if self._said is None:
            self._said = self._words()
        return self._said

    def __len__(self) -> int:
        return len(self._does)

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
        return Element(one.spans, one.verb, one.target, self._end(one), source)

    def _end(self, one: Spoken) -> End | None:
        return None if one.target else End(one.permit, one.label, self.counting)

    def decide(self, ends: Mapping[str, End | None]) -> bool:
        """Whether each element decides, itself or by the chain to which it leads (``ends``)."""
        if self._ends is None:
            found = [self._end(one) or ends.get(one.target) for one in self.said]
            known = [end for end in found if end is not None]
            self._ends = known if len(known) == len(found) else None
        return self._ends is not None

    def lines(self, bases: Sequence[Box], fields: Sequence[int]) -> Iterator[Line]:
        """The lines of all elements, which decide, in each of some boxes, which have every value of the fields that the key
        asks for."""
        assert self._ends is not None
        permits, labels, counted = zip(*self._ends, strict=True)
        texts = [*map(_text, self.said)]
        rows = []
        for base in bases:
            cells = zip(permits, self._within(base, fields), count(self.number), texts, labels, counted)
            rows.append(map(_new, repeat(Line), cells))
        return _in_turn(rows)

    def permits(self, leads: Mapping[str, bool]) -> Sequence[bool]:
        """Whether each element permits; ``leads`` says it of chains."""
        if not self.targets:
            return cast("Sequence[bool]", self._does)
        known: dict[bool | str, bool] = {True: True, False: False}
        known.update(leads)
        return [*map(known.__getitem__, self._does)]

    def _within(self, base: Box, fields: Sequence[int]) -> Iterator[Box]:
        box: list[Iterable[Span]] = [*map(repeat, base)]
        for field, spans in zip(fields, self.axes, strict=True):
            box[field] = spans
        return cast("Iterator[Box]", zip(*box))  # noqa: B905 - most parts repeat for ever


class Hole(Sequence[Element]):
    """A long list of which nothing is known but that each of its elements decides; ``number`` is its first line's. Whoever
    looks at elements is told so by Looked."""

    __slots__ = ("number",)
    targets = frozenset[str]()

    def __init__(self, number: int) -> None:
        self.number = number

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> NoReturn:
        raise Looked

    def __getitem__(self, at: int | slice) -> NoReturn:
        raise Looked

    def __iter__(self) -> NoReturn:
        raise Looked

    def decide(self, *_: object) -> bool:
        """That each element decides: no list is put here that has another."""
        return True

    def lines(self, *_: object) -> NoReturn:
        """There are none to be seen."""
        raise Looked


class Rules(Hole):
    """The same of rules that follow one another: of each place among them only the ``number`` is known. They ask for a packet's
    own addresses, also of packets that begin nothing, and the first that has them decides."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What all elements of a list take of some boxes, a run of lines that speak only of packets that can begin a connection.

    The boxes have every value of the ``fields`` that the key asks for.
    """

    of: Columns | Hole
    bases: tuple[Box, ...]
    fields: tuple[int, ...]

    def __iter__(self) -> Iterator[Line]:
        return self.of.lines(self.bases, self.fields)


_new = tuple.__new__
_text = itemgetter(Spoken._fields.index("text"))


def _in_turn(rows: Sequence[Iterable[T]]) -> Iterator[T]:
    """One of each row after another."""
    return iter(rows[0]) if len(rows) == 1 else chain.from_iterable(zip(*rows, strict=True))


def apart(columns: Columns) -> bool:
    """Whether it is seen at a glance that no two elements share a key: along the last part of the keys none have a value in
    common, or those that have are apart along another part."""
    *others, last = columns.axes
    return _parted(last) or all(
        any(_parted([spans[at] for at in group]) for spans in others) for group in _groups(last)
    )


def _parted(spans: Sequence[Span]) -> bool:
    """Whether intervals are disjoint: then as many end ahead of each as begin ahead of it."""
    lows, highs = zip(*spans, strict=True)
    if lows == highs:
        return len({*lows}) == len(lows)
    return all(map(lt, sorted(highs), sorted(lows)[1:]))


def _groups(spans: Sequence[Span]) -> Iterator[list[int]]:
    """Intervals that have values in common, at least by others between them."""
    group: list[int] = []
    end = -1
    for at in sorted(range(len(spans)), key=spans.__getitem__):
        low, high = spans[at]
        if low > end:
            if len(group) > 1:
                yield group
            group = []
        group.append(at)
        end = max(end, high)
    yield group
