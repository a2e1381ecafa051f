"""Products of sets of spans: what two of them share, what is left of one, whether one lies in another."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from configlet.model.block import Sets
from configlet.model.net import Span, Spans
from configlet.model.policy import DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC

_TELLING = (DST, SRC, DPORT, PROTO, SPORT, FRAG, FLAG)
"""Dimensions in the order in which two rows of a policy most often differ."""


def touch(a: Spans, b: Spans) -> bool:
    """Whether two sorted sets of spans share a value."""
    if len(a) == 1:
        return a[0][0] <= b[0][1] and b[0][0] <= a[0][1] if len(b) == 1 else _holds_any(b, a[0])
    if len(b) == 1:
        return _holds_any(a, b[0])
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i][1] < b[j][0]:
            i += 1
        elif b[j][1] < a[i][0]:
            j += 1
        else:
            return True
    return False


def _holds_any(many: Spans, one: Span) -> bool:
    """Whether a set has a value of a span, without walking the set."""
    at = bisect_left(many, (one[1] + 1,))
    return at > 0 and many[at - 1][1] >= one[0]


def within(a: Spans, b: Spans) -> bool:
    """Whether every value of ``a`` is in ``b``; touching spans of ``b`` must be joined."""
    if len(a) == 1:
        low, high = a[0]
        if len(b) == 1:
            return b[0][0] <= low and high <= b[0][1]
        at = bisect_left(b, (low + 1,))
        return at > 0 and high <= b[at - 1][1]
    j = 0
    for low, high in a:
        while j < len(b) and b[j][1] < low:
            j += 1
        if j == len(b) or b[j][0] > low or b[j][1] < high:
            return False
    return True


def common(a: Spans, b: Spans) -> Spans:
    """The values that are in both."""
    if a == b:
        return a
    if len(a) == 1:
        return _of_one(b, a[0])
    if len(b) == 1:
        return _of_one(a, b[0])
    out: list[Span] = []
    i = j = 0
    while i < len(a) and j < len(b):
        low, high = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if low <= high:
            out.append((low, high))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return tuple(out)


def _of_one(many: Spans, one: Span) -> Spans:
    """The values of a set that are in a span, without walking the set."""
    low, high = one
    first, last = bisect_left(many, (low,)), bisect_left(many, (high + 1,))
    if first and many[first - 1][1] >= low:
        first -= 1
    if first == last:
        return ()
    (begin, _), (_, end) = many[first], many[last - 1]
    if low <= begin and end <= high:
        return many[first:last]
    found = list(many[first:last])
    found[0] = max(low, begin), found[0][1]
    found[-1] = found[-1][0], min(high, end)
    return tuple(found)


def without(a: Spans, b: Spans) -> Spans:
    """The values of ``a`` that are not in ``b``."""
    out: list[Span] = []
    j = max(bisect_left(b, a[0]) - 1, 0) if a else 0
    for low, high in a:
        while j < len(b) and b[j][1] < low:
            j += 1
        k, at = j, low
        while k < len(b) and b[k][0] <= high:
            if at < b[k][0]:
                out.append((at, b[k][0] - 1))
            at = b[k][1] + 1
            k += 1
        if at <= high:
            out.append((at, high))
    return tuple(out)


def meets(a: Sets, b: Sets, levels: tuple[int, ...] = _TELLING) -> bool:
    """Whether two products share a packet, as far as these dimensions say."""
    for level in levels:
        x, y = a[level], b[level]
        if x is not y and not touch(x, y):
            return False
    return True


def inside(a: Sets, b: Sets, levels: tuple[int, ...] = _TELLING) -> bool:
    """Whether every packet of ``a`` is in ``b``, as far as these dimensions say."""
    for level in levels:
        x, y = a[level], b[level]
        if x is not y and not within(x, y):
            return False
    return True


def meet(a: Sets, b: Sets) -> Sets | None:
    """The packets that are in both; None when there are none."""
    return tuple(common(x, y) for x, y in zip(a, b, strict=True)) if meets(a, b) else None  # type: ignore[return-value]


def put(sets: Sets, level: int, spans: Spans) -> Sets:
    """The product with another set in one dimension."""
    return (*sets[:level], spans, *sets[level + 1 :])  # type: ignore[return-value]


def minus(a: Sets, b: Sets) -> tuple[Sets, ...]:
    """What is left of ``a`` without ``b``, in disjoint products (at most one for each dimension)."""
    if not meets(a, b):
        return (a,)
    out: list[Sets] = []
    rest = a
    for level in range(len(a)):
        mine, gone = rest[level], b[level]
        if mine is gone or (gone[0][0] <= mine[0][0] and mine[-1][1] <= gone[0][1]):
            continue
        left = without(mine, gone)
        if left:
            out.append(put(rest, level, left))
            rest = put(rest, level, common(rest[level], b[level]))
    return tuple(out)


def minus_all(sets: Sets, others: Iterable[Sets]) -> tuple[Sets, ...]:
    """What is left of a product without any of the others, in disjoint products."""
    rest: tuple[Sets, ...] = (sets,)
    for other in others:
        rest = tuple(piece for part in rest for piece in minus(part, other))
    return rest
