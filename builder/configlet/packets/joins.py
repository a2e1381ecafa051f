"""Boxes of two sides, joined with their neighbours until both sides have the same: as numbers, each dimension in its own bits.

Boxes that differ in one dimension alone and touch there are one box. A number without the bits of a dimension is what such
boxes have in common, so that one look into a dictionary finds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from configlet.model.net import Span, merge
from configlet.model.policy import DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC
from configlet.packets.ahead import Ahead, Classed

T = TypeVar("T")
OVER = (False, False, True, True)
"""How often all dimensions are gone through, and whether boxes that overlap are joined too."""
BESIDE = 8
"""How many boxes that touch are tried for one."""
_TURNS = (DPORT, SRC, DST, SPORT, FLAG, FRAG, PROTO)
_CLASS = 7

Spanned = tuple[Span, int]
"""What boxes of a group differ in: a span of one dimension, and the class."""


class _Numbers(dict[T, int]):
    """The spans of one dimension, or the classes, as numbers that are shifted to their place."""

    __slots__ = ("known", "shift")

    def __init__(self, shift: int) -> None:
        self.shift = shift
        self.known: list[T] = []

    def __missing__(self, value: T) -> int:
        found = self[value] = len(self.known) << self.shift
        self.known.append(value)
        return found


class Joins:
    """Boxes of some lists as numbers. ``most`` is how many boxes are entered at most."""

    __slots__ = ("_classes", "_levels", "_mask", "_width")

    def __init__(self, most: int) -> None:
        # A join makes one span of at least two, so that a dimension never has more of them than twice the boxes.
        self._width = (2 * most + 1).bit_length()
        self._mask = (1 << self._width) - 1
        self._levels: list[_Numbers[Span]] = [_Numbers(level * self._width) for level in range(_CLASS)]
        self._classes: _Numbers[int] = _Numbers(_CLASS * self._width)

    def enter(self, boxes: Iterable[Classed]) -> set[int]:
        """The boxes as numbers."""
        one, two, three, four, five, six, seven = self._levels
        classes = self._classes
        return {
            one[p] | two[d] | three[s] | four[dp] | five[sp] | six[fl] | seven[fr] | classes[of]
            for (p, d, s, dp, sp, fl, fr), of in boxes
        }

    def boxes(self, numbers: Iterable[int]) -> list[Classed]:
        """Numbers as boxes with their classes."""
        mask, width, levels, classes = self._mask, self._width, [of.known for of in self._levels], self._classes.known
        out: list[Classed] = []
        for number in numbers:
            spans = []
            for known in levels:
                spans.append(known[number & mask])
                number >>= width  # noqa: PLW2901 - eaten span by span
            out.append((tuple(spans), classes[number]))  # type: ignore[arg-type]
        return out

    def settle(self, one: set[int], two: set[int], ahead: Ahead) -> None:
        """Both sides joined dimension by dimension; what both have is taken out of both.

        The class of a box is the denies ahead of it. Boxes of one class are joined first, and boxes that overlap last: a
        half that a wider row swallows is missing beside its other half.
        """
        for over in OVER:
            before = len(one), len(two)
            for level in _TURNS:
                self._join(one, level, over=over)
                self._join(two, level, over=over)
                if _less(one, two):
                    return
            for level in _TURNS if len(self._classes) > 1 else ():
                self._cross(one, level, ahead, over=over)
                self._cross(two, level, ahead, over=over)
                if _less(one, two):
                    return
            if over and before == (len(one), len(two)):
                return

    def joined(self, numbers: set[int]) -> None:
        """One side alone, joined until nothing touches any more."""
        before = 0
        while before != len(numbers):
            before = len(numbers)
            for level in _TURNS:
                self._join(numbers, level, over=True)

    def _join(self, numbers: set[int], level: int, *, over: bool) -> None:
        """Boxes of one class that differ in one dimension alone and touch there become one."""
        spans = self._levels[level]
        if len(spans) < 2:
            return
        shift, mask, known = spans.shift, self._mask, spans.known
        for key, group in _groups(numbers, ~(mask << shift)):
            found = [known[number >> shift & mask] for number in group]
            joined = merge(found) if over else _chained(found)
            if len(joined) < len(group):
                numbers.difference_update(group)
                numbers.update([key | spans[span] for span in joined])

    def _cross(self, numbers: set[int], level: int, ahead: Ahead, *, over: bool) -> None:
        """Boxes of any class that touch become one, where neither loses a packet by the denies ahead of the other."""
        spans, classes = self._levels[level], self._classes
        shift, mask, top = spans.shift, self._mask, classes.shift
        axis = ahead.axis(level)
        for key, group in _groups(numbers, (1 << top) - 1 & ~(mask << shift)):
            beside = ahead.meeting(self.boxes([key])[0][0], level)
            out: list[Spanned] = []
            for here in sorted((spans.known[number >> shift & mask], classes.known[number >> top]) for number in group):
                _laid(out, here, beside, axis, over=over)
            if len(out) < len(group):
                numbers.difference_update(group)
                numbers.update([key | spans[span] | classes[of] for span, of in out])


def _chained(spans: list[Span]) -> list[Span]:
    """Spans of which each begins where another ends, as one."""
    out: dict[int, int] = {}
    rest: list[Span] = []
    for low, high in sorted(spans):
        first = out.pop(low - 1, low)
        if high in out:
            rest.append((first, high))
        else:
            out[high] = first
    return [*((first, last) for last, first in out.items()), *rest]


def _laid(out: list[Spanned], here: Spanned, beside: int, axis: Mapping[Span, int], *, over: bool) -> None:
    """A span of a group beside those that begin before it, of which it may become a part.

    ``beside`` are the denies that meet the group's boxes in all other dimensions, ``axis`` those that meet a span in this one.
    """
    (low, high), of = here
    for at in range(len(out) - 1, max(len(out) - BESIDE, 0) - 1, -1):
        (first, last), other = out[at]
        if low > last + 1 if over else low != last + 1:
            continue
        if of != other:
            lost = other & ~of & beside & axis[low, high]
            if high <= last and not lost:
                return
            if lost or of & ~other & beside & axis[first, last]:
                continue
        out[at] = (first, max(last, high)), other | of
        return
    out.append(here)


def _less(one: set[int], two: set[int]) -> bool:
    """What both have is taken out of both; whether nothing is left of either."""
    both = one & two
    one -= both
    two -= both
    return not one and not two


def _groups(numbers: Iterable[int], keep: int) -> list[tuple[int, list[int]]]:
    """The numbers that are alike in the bits that are kept, where there are several."""
    first: dict[int, int] = {}
    more: dict[int, list[int]] = {}
    for number in numbers:
        key = number & keep
        other = first.setdefault(key, number)
        if other != number:
            more.setdefault(key, [other]).append(number)
    return list(more.items())
