"""What a simulated switch keeps whose configuration is a ``ListConfig``, and how its data plane follows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.switch_lists import Grammar, ListConfig, enter

BOOTED = 86400.0
"""Uptime at the start: the simulated device has been up for a day."""
BATCH = 16
"""Lines that the data plane may lag behind while more lines wait to be read."""


@dataclass(slots=True, kw_only=True)
class ListState:
    """Everything that such a switch keeps. Every access goes through ``lock``."""

    running: ListConfig
    startup: ListConfig
    program: Callable[[ListConfig], None]
    """Puts a configuration into the data plane; raises when it does not take it."""
    grammar: Grammar
    speed: float = 1.0
    lock: threading.RLock = field(default_factory=threading.RLock)
    booted: float = field(default_factory=time.monotonic)
    refusal: str = ""
    """Why no change is made active (a fault on demand)."""
    locked: str = ""
    """Who else has the configuration locked (a fault on demand)."""
    refuses: Callable[[str], bool] = lambda _: False
    """Configuration lines that are refused although they are right (a fault on demand)."""
    unprogrammed: str = ""
    """Why the data plane differs from the running configuration."""
    changed: datetime = field(default_factory=lambda: datetime.now(UTC))
    waiting: int = 0
    """Lines that the data plane does not have yet."""
    active: int = 0
    """Changes that became active as one: commits and rollbacks."""

    def uptime(self) -> float:
        """Seconds of the device's own clock, which runs ``speed`` times as fast as ours."""
        return BOOTED + (time.monotonic() - self.booted) * self.speed


def staged(state: ListState, config: ListConfig, mode: str, line: str) -> str:
    """One line into a configuration that is not in force; the next mode. Raises InvalidInput, Ambiguous and Said."""
    if state.refuses(line):
        raise InvalidInput(0, line.split(maxsplit=1)[0])
    return enter(config, state.grammar, mode, line)


def apply_line(state: ListState, mode: str, line: str) -> str:
    """One line into what runs, in force at once or within a few lines. Raises InvalidInput, Ambiguous and Said."""
    before = len(state.running.acls), dict(state.running.bindings)
    after = staged(state, state.running, mode, line)
    state.changed = datetime.now(UTC)
    state.waiting += 1
    if state.waiting >= BATCH or before != (len(state.running.acls), state.running.bindings):
        settle(state)
    return after


def settle(state: ListState) -> None:
    """Let the data plane have what the lines so far said. What it refuses is accepted all the same, and shown."""
    if not state.waiting:
        return
    state.waiting = 0
    try:
        state.program(state.running)
        state.unprogrammed = ""
    except Exception as why:  # noqa: BLE001 - hardware that fails does not stop a command line
        state.unprogrammed = str(why)


def install(state: ListState, config: ListConfig) -> None:
    """Make a configuration the running one in one instant."""
    state.running = config
    state.changed = datetime.now(UTC)
    state.waiting += 1
    state.active += 1
    settle(state)


def reboot(state: ListState) -> None:
    """Restart with the startup configuration."""
    state.booted = time.monotonic()
    install(state, state.startup.copy())
