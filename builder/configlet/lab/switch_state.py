"""What a simulated EOS switch keeps: running and startup configuration, files, sessions and the commit timer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from configlet.lab import switch_config
from configlet.lab.switch_config import Baseline, Config
from configlet.lab.switch_lines import CannotRun

OPEN_SESSIONS = 5
BOOTED = 86400.0
"""Uptime at the start: the simulated device has been up for a day."""


@dataclass(slots=True)
class Session:
    """A configuration session; its configuration is a copy of the running one from when it was opened."""

    name: str
    user: str
    config: Config
    state: Literal["pending", "committed", "aborted"] = "pending"


@dataclass(slots=True)
class CommitTimer:
    """A commit that the device takes back at ``deadline`` (seconds of its own uptime) unless it is confirmed."""

    session: str
    before: Config
    deadline: float
    thread: threading.Timer


@dataclass(slots=True)
class State:
    """Everything that a switch keeps. Every access goes through ``lock``."""

    running: Config
    startup: Config
    program: Callable[[Config], None]
    """Puts a configuration into the data plane; raises CannotRun when it does not take it."""
    speed: float = 1.0
    files: dict[str, Config] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    timer: CommitTimer | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    booted: float = field(default_factory=time.monotonic)
    restarts: int = 0
    refusal: str = ""
    """The reason for which the hardware refuses every new commit (a fault on demand)."""
    unprogrammed: str = ""
    """Why the data plane differs from the running configuration, if a revert could not be programmed."""

    def uptime(self) -> float:
        """Seconds of the device's own clock, which runs ``speed`` times as fast as ours."""
        return BOOTED + (time.monotonic() - self.booted) * self.speed


def new_state(baseline: Baseline, program: Callable[[Config], None], speed: float) -> State:
    """A device as it came up, with its startup configuration running."""
    config = switch_config.initial(baseline)
    return State(config, config.copy(), program, speed)


def open_session(state: State, name: str, user: str) -> Session:
    """Enter a session: a pending one goes on with its content, a new one copies the running configuration."""
    session = state.sessions.get(name)
    if session is None:
        if sum(s.state == "pending" for s in state.sessions.values()) >= OPEN_SESSIONS:
            raise CannotRun("Maximum number of pending sessions has been reached")
        session = state.sessions[name] = Session(name, user, state.running.copy())
    elif session.state != "pending":
        raise CannotRun(f"Cannot enter session {name} (session is already {session.state})")
    return session


def install(state: State, config: Config) -> None:
    """Make a configuration the running one, first in the data plane. Raises CannotRun with nothing changed."""
    lost = switch_config.missing(config)
    if lost:
        raise CannotRun(f"session commit failed: the simulated hardware cannot be without: {'; '.join(lost[:3])}")
    state.program(config)
    state.running = config
    state.unprogrammed = ""


def commit(state: State, name: str, seconds: float | None) -> None:
    """Commit a session, with the device's timer when ``seconds`` is given; or confirm the one whose timer runs.

    The whole session overwrites what changed since it was opened (EOS User Manual, Configure Session).
    """
    timer, session = state.timer, state.sessions.get(name)
    if timer is not None and timer.session == name:
        timer.thread.cancel()
        state.timer = None
        if seconds is not None:
            _start_timer(state, name, timer.before, seconds)
        return
    if session is None or session.state != "pending":
        raise CannotRun(f"Cannot commit session {name} (no such pending session)")
    if timer is not None:
        raise CannotRun(f"Cannot commit session {name} (the commit timer of session {timer.session} is running)")
    if state.refusal:
        raise CannotRun(f"session commit failed: {state.refusal}")
    before = state.running
    install(state, session.config.copy())
    _finish(state, session, "committed")
    if seconds is not None:
        _start_timer(state, name, before, seconds)


def abort(state: State, name: str) -> None:
    """Drop a pending session, or take back the commit whose timer runs."""
    timer, session = state.timer, state.sessions.get(name)
    if timer is not None and timer.session == name:
        timer.thread.cancel()
        take_back(state, timer)
    elif session is not None and session.state == "pending":
        _finish(state, session, "aborted")
    else:
        raise CannotRun(f"Cannot abort session {name} (no such pending session)")


def take_back(state: State, timer: CommitTimer) -> None:
    """Restore the configuration from before a commit with timer. It happens whatever the data plane answers."""
    state.timer = None
    try:
        install(state, timer.before)
    except CannotRun as failure:
        state.running = timer.before
        state.unprogrammed = str(failure)
    if timer.session in state.sessions:
        state.sessions[timer.session].state = "aborted"


def reload(state: State) -> None:
    """Restart with the startup configuration: pending sessions and a running timer are gone."""
    if state.timer is not None:
        state.timer.thread.cancel()
    state.timer = None
    state.restarts += 1
    state.sessions.clear()
    install(state, state.startup.copy())


def _finish(state: State, session: Session, outcome: Literal["committed", "aborted"]) -> None:
    """One completed session is remembered (maxSavedSessions 1); aborted ones are not."""
    kept = state.timer.session if state.timer else ""
    for other in [s.name for s in state.sessions.values() if s.state != "pending" and s.name != kept]:
        del state.sessions[other]
    session.state = outcome
    if outcome == "aborted":
        del state.sessions[session.name]


def _start_timer(state: State, name: str, before: Config, seconds: float) -> None:
    def expire() -> None:
        with state.lock:
            if state.timer is timer:
                take_back(state, timer)

    thread = threading.Timer(seconds / state.speed, expire)
    thread.daemon = True
    timer = CommitTimer(name, before, state.uptime() + seconds, thread)
    state.timer = timer
    thread.start()
