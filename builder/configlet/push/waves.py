"""In which order devices are changed.

Opens before closes holds without ordering them: each gate flips as one between two exact laws, so what passes
before and after passes every mixture of old and new gates on its way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from configlet.model.plan import Change

LARGEST = 50


def waves(changes: Sequence[Change], pairs: Mapping[str, str]) -> tuple[tuple[Change, ...], ...]:
    """A canary alone, then at most 5, then at most a twentieth (5 to 50) at a time; no two of a pair together.

    ``pairs`` names the other member by owner, either way round. Hosts go first: a bad host table harms the workloads
    of one host, a bad gateway list those of a segment.
    """
    left = sorted(changes, key=lambda change: (change.kind != "filter-table", change.owner))
    size, found = 1, list[tuple[Change, ...]]()
    while left:
        wave: list[Change] = []
        for change in left:
            if len(wave) < size and not any(_paired(change.owner, other.owner, pairs) for other in wave):
                wave.append(change)
        found.append(tuple(wave))
        left = [change for change in left if change not in wave]
        size = min(LARGEST, max(5, len(changes) // 20))
    return tuple(found)


def _paired(one: str, other: str, pairs: Mapping[str, str]) -> bool:
    # Both artifacts of one owner must not meet on the device either: it has one timer.
    return one == other or pairs.get(one) == other or pairs.get(other) == one
