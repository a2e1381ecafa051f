"""How intervals lie to one another: as long as each two are apart or one is within the other, nothing else can be told of
them by what they have in common."""

from __future__ import annotations

from collections.abc import Sequence

from configlet.readers.spans import Span

Nesting = tuple[tuple[int, bool], ...]
"""For each interval the place of the smallest other that holds it, -1 for none, and whether that is the same interval; of
some that are the same the first holds the second, and so on."""


def nesting(spans: Sequence[Span]) -> Nesting | None:
    """How some intervals lie to one another; None where two have only a part of each other."""
    found = [(-1, False)] * len(spans)
    around: list[int] = []
    for low, behind, at in sorted([(low, -high, at) for at, (low, high) in enumerate(spans)]):
        high = -behind
        while around and spans[around[-1]][1] < low:
            around.pop()
        if around:
            outer = spans[around[-1]]
            if outer[1] < high:
                return None
            found[at] = around[-1], outer == (low, high)
        around.append(at)
    return tuple(found)
