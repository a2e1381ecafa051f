"""The same work for many owners, on all cores where there is much of it.

Workers are forks of a process that has read everything, so nothing is sent to them but a number, and nothing comes back
but what was found.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import TypeVar, cast

from configlet.model.problem import Problem, Refused, refuse

A = TypeVar("A")
B = TypeVar("B")

MOST = 16
"""Workers at most: each has tables of its own."""
MUCH = 1000
"""Rules of a site from which a second process is worth its start."""
AHEAD = 8
"""Items that are done before there are workers: what the first ones teach (which rows are plain, what templates and grammars
compile to) takes as long as a hundred others, and each worker would have to learn it again. They stand evenly among all, as
those of one kind are neighbours and each kind teaches something of its own."""
TOGETHER, TURNS = 32, 4
"""Neighbours that go to one worker, as they have much in common, and how often each worker has a turn at least."""


def cores() -> int:
    """The cores that this process may use."""
    with suppress(AttributeError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def workers(rules: int, groups: int) -> int:
    """How many processes are worth their start for so many rules and groups of owners. One where other threads run, as
    those of open connections do: a fork would take over whatever locks they hold."""
    if threading.active_count() > 1:
        return 1
    return min(cores(), groups, MOST) if rules >= MUCH and hasattr(os, "fork") else 1


def each_group(
    work: Callable[[tuple[str, ...]], B],
    groups: Sequence[tuple[str, ...]],
    rules: int,
    tell: Callable[[int, int], None] | None = None,
    jobs: int | None = None,
) -> Iterator[B]:
    """What ``work`` finds of each group of owners, in order, in ``jobs`` processes (None: as many as are worth it).

    ``tell`` is told how many of how many groups are done. Raises Refused in the end with the problems of all groups.
    """
    problems: list[Problem] = []
    processes = workers(rules, len(groups)) if jobs is None else min(jobs, len(groups))
    for done, (said, found) in enumerate(each(partial(_tried, work), groups, processes)):
        problems += found
        if not found:
            yield cast("B", said)
        if tell:
            tell(done + 1, len(groups))
    if problems:
        raise Refused(problems)


def _tried(work: Callable[[tuple[str, ...]], B], group: tuple[str, ...]) -> tuple[B | None, tuple[Problem, ...]]:
    try:
        return work(group), ()
    except Refused as refused:
        return None, refused.problems


def each(work: Callable[[A], B], items: Sequence[A], processes: int) -> Iterator[B]:
    """``work`` done for every item, in order. Raises Refused when a worker ended before it had answered."""
    gc.freeze()  # what was read before lives on, and need not be looked through for what does not
    try:
        if processes < 2 or len(items) <= AHEAD:
            yield from map(work, items)
        else:
            known = {number: work(items[number]) for number in ahead(len(items))}
            others = [item for number, item in enumerate(items) if number not in known]
            with closing(_shared(work, others, processes)) as found:
                for number in range(len(items)):
                    yield known.pop(number) if number in known else next(found)
    finally:
        gc.unfreeze()


def ahead(count: int) -> Sequence[int]:
    """Which of so many items are done before there are workers: a few that stand evenly among them, the first one too."""
    return range(0, count, -(-count // AHEAD))


def _shared(work: Callable[[A], B], items: Sequence[A], processes: int) -> Generator[B, None, None]:
    """The same by several processes."""
    from configlet.pipeline.forks import Lost, forked

    gc.freeze()  # what is never collected is never written to, and stays one copy
    try:
        yield from forked(lambda number: work(items[number]), len(items), processes, together(len(items), processes))
    except Lost:
        detail = "A process that looked at some owners was ended from outside, perhaps for want of memory. Nothing was decided."
        raise refuse("Work that was not finished", f"{detail} Run it again, with --jobs 1 if memory is short.") from None


def together(count: int, processes: int) -> int:
    """How many of so many items go to a worker at once: few where there are few, so that all workers have some."""
    return max(1, min(TOGETHER, count // (TURNS * processes)))
