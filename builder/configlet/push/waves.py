"""In which order devices are changed.

Opens before closes holds without ordering them: each gate flips as one between two exact laws, so what passes
before and after passes every mixture of old and new gates on its way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from configlet.model.plan import SLOW, Change, host_of

LARGEST = 50


def waves(
    changes: Sequence[Change], pairs: Mapping[str, str], takes: Callable[[Change], float] = lambda _: 0.0
) -> tuple[tuple[Change, ...], ...]:
    """A canary alone, then at most 5, then a twentieth of all (5 to 50), then at most 50 at a time; never a pair in one.

    ``pairs`` names the other member by owner, either way round. Hosts go first: a bad host table harms the workloads
    of one host, a bad gateway list those of a segment. Of a host its NICs go before its own table, so that of a workload
    that leaves the kernel the new gate closes first; a table that goes from a NIC goes after all other changes. What
    ``takes`` long to load is in no wave with what does not: the timers of the others would end meanwhile.
    """
    left = sorted(changes, key=_turn)
    sizes = iter((1, 5, min(LARGEST, max(5, len(changes) // 20))))
    found: list[tuple[Change, ...]] = []
    while left:
        size = next(sizes, LARGEST)
        wave: list[Change] = []
        waiting: set[str] = set()
        alike = _sort(left[0], takes)
        for change in left:
            may = len(wave) < size and _sort(change, takes) == alike and host_of(change.owner) not in waiting
            if may and not any(_paired(change.owner, other.owner, pairs) for other in wave):
                wave.append(change)
            else:
                waiting.add(host_of(change.owner))  # what comes after it on this host still does
        found.append(tuple(wave))
        left = [change for change in left if change not in wave]
    return tuple(found)


def _sort(change: Change, takes: Callable[[Change], float]) -> tuple[bool, bool]:
    return _goes(change), takes(change) >= SLOW


def _goes(change: Change) -> bool:
    return change.owner != host_of(change.owner) and bool(change.before) and not change.after


def _turn(change: Change) -> tuple[bool, bool, str, bool]:
    host = host_of(change.owner)
    return _goes(change), change.kind != "filter-table", host, change.owner == host


def _paired(one: str, other: str, pairs: Mapping[str, str]) -> bool:
    # What a host itself has and what its NICs have must not meet either: while one is changed the other stands.
    one, other = host_of(one), host_of(other)
    return one == other or pairs.get(one) == other or pairs.get(other) == one
