"""What a push acts with, gathered in one value."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from math import ceil
from threading import Event
from typing import Literal, TypeVar

from configlet.drivers.base import Canonical, Driver, Lost, Make, Rejected, Target, Trouble, Unreachable
from configlet.journal import Journal
from configlet.model.plan import Change
from configlet.model.problem import Refused

Step = Literal["check", "stage", "commit", "probe", "confirm", "revert", "ask", "done"]
Progress = Callable[[str, Step, str], None]
"""(owner, step, words): told from several threads as things happen."""
Probe = Callable[[Target, Change, Driver], None]
"""Called over a new connection while the device's timer runs; raises to have the change taken back."""

Takes = Callable[[Change], float]
"""Seconds that a device may need to load a change, or to take it back."""

AT_ONCE = 16
_In = TypeVar("_In")
_Out = TypeVar("_Out")

LONGEST = 82_800
"""Seconds; above 23 h the timer of an EOS session wraps."""
MARGIN = 15.0
"""Seconds beyond the device's timer for which a device that does not answer is asked again."""


def at_once(_: Change) -> float:
    """The device takes a change as one."""
    return 0.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as the push sees it: ``now`` in epoch seconds, for the journal outlives the process."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Means:
    """The devices and how to reach them, the journal, and what to call on the way."""

    targets: Mapping[str, Target]
    make: Make
    canonical: Canonical
    probe: Probe
    journal: Journal
    seconds: int
    progress: Progress
    clock: Clock
    margin: float = MARGIN
    takes: Takes = field(default=at_once)
    slowest: float = 0.0
    """Seconds that the slowest of a wave takes to load: the others wait for it under their timers."""
    interrupted: Event = field(default_factory=Event)

    @contextmanager
    def talk(self, change: Change, run: str = "") -> Iterator[Driver]:
        """A new connection to the change's device, in the name of this run or of an earlier one.

        A driver may be anybody's, so whatever else it raises is ``Lost``: the device is to be asked.
        """
        try:
            driver = self.make(self.target(change, run))
        except (Trouble, Refused):
            raise
        except Exception as error:
            raise Unreachable(_words(error)) from error
        try:
            yield driver
        except (Trouble, Refused):
            raise
        except Exception as error:
            raise Lost(_words(error)) from error
        finally:
            with suppress(Trouble):
                driver.close()

    def target(self, change: Change, run: str = "") -> Target:
        """Where the change's device is, in the name of this run or of an earlier one."""
        return replace(self.targets[change.owner], run=run or self.journal.run, patience=self.takes(change))

    def timer(self, change: Change) -> int:
        """Seconds of the device's own timer: what was asked for, from when all of its wave is there."""
        return min(LONGEST, self.seconds + ceil(max(self.takes(change), self.slowest)))

    def silence(self, change: Change) -> float:
        """Seconds beyond the timer after which a device that does not answer is given up: it may be taking back."""
        return self.margin + self.takes(change)

    def shown(self, change: Change, driver: Driver) -> str:
        """The canonical text of our sections on the device, now; ``Rejected`` when it cannot be understood."""
        text = driver.running()
        try:
            return self.canonical(change.platform, change.kind, text)
        except Refused as refused:
            raise Rejected(f"what it runs in our sections cannot be understood: {refused}") from refused


def no_probe(target: Target, change: Change, driver: Driver) -> None:
    """Reconnecting and reading back is all; both are done before any probe."""


def quiet(owner: str, step: Step, words: str) -> None:
    """Say nothing."""


def each(act: Callable[[_In, Means], _Out], items: Sequence[_In], means: Means) -> tuple[_Out, ...]:
    """All items side by side, all of them finished before anything that one raised is raised.

    Interrupted, those that wait for a device stop waiting; the devices' own timers stand behind what was committed.
    """
    with ThreadPoolExecutor(max_workers=min(AT_ONCE, len(items)) or 1, thread_name_prefix="push") as pool:
        waiting = [pool.submit(act, item, means) for item in items]
        try:
            wait(waiting)
        except BaseException:
            means.interrupted.set()
            raise
    return tuple(future.result() for future in waiting)


def _words(error: Exception) -> str:
    return f"the driver failed with {type(error).__name__}: {error}"
