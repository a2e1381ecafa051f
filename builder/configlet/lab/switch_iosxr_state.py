"""What a simulated IOS-XR router keeps beside its configuration: commits, the lock, and a commit that waits.

A login collects lines in a target configuration of its own; a commit puts them in force in one instant and for good. A
commit that is to be confirmed (a trial) is taken back by the device in so many seconds unless the login that made it
commits again. Every other login is kept out meanwhile. The login that leaves its configuration takes the trial back at
once; one whose connection is cut leaves it to the timer, and nobody can confirm it any more. So it was reported of IOS
XRv 9000 24.3.1 and in ansible-collections/cisco.iosxr#260. That ``abort`` leaves as ``end`` does, and that a rollback is
kept out too, is the worse of what is not known.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

from configlet.lab import switch_iosxr_config as xr_config
from configlet.lab.switch_lists import GLOBAL, ListConfig, missing
from configlet.lab.switch_lists_state import ListState, install, staged
from configlet.lab.switch_match import Said

LOCKED = "% The configuration namespace is locked by another session"
NOT_ALONE = "Cannot enter exclusive mode. "
EMPTY = "% No configuration changes to commit."
UNEXPIRED = "% Cannot commit because there is an unexpired trial/rollback session '00001000-{:08x}-00000000'."
OTHERS = (
    "One or more commits have occurred from other configuration sessions since this session started or since the last "
    "commit was made from this session."
)
FAILED = (
    "% Failed to commit one or more configuration items during a pseudo-atomic operation. All changes made have been "
    "reverted. Please issue 'show configuration failed [inheritance]' from this session to view the errors"
)
FIRST = 1000000001
LEAST, MOST = 30, 65535
"""Seconds in which a commit can be asked to be confirmed on the command line."""


@dataclass(slots=True)
class Target:
    """The target configuration of one login: its lines, what running became of them, and since which commit."""

    config: ListConfig
    since: int
    steps: list[tuple[bool, str]] = field(default_factory=list)
    mode: str = GLOBAL


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit, with what ran before it."""

    number: int
    user: str
    label: str
    comment: str
    client: str
    when: datetime
    before: ListConfig


@dataclass(frozen=True, slots=True)
class Trial:
    """A commit that the device takes back unless the login that made it commits again."""

    number: int
    before: ListConfig
    thread: threading.Timer
    who: object


@dataclass(slots=True, kw_only=True)
class XrState(ListState):
    """Everything that a router keeps. Every access goes through ``lock``."""

    commits: list[Commit] = field(default_factory=list)
    trial: Trial | None = None
    held: object | None = None
    """The login that has the configuration locked for itself."""
    editing: list[object] = field(default_factory=list)
    """Logins in configuration mode, whether they have it locked or not."""

    def foreign(self, who: object) -> bool:
        """Whether a trial of another login is under way."""
        return self.trial is not None and self.trial.who is not who


def target(state: XrState) -> Target:
    """A target configuration without a line."""
    return Target(state.running.copy(), len(state.commits))


def line(state: XrState, into: Target, said: str) -> None:
    """One line into a target configuration. Raises InvalidInput, Ambiguous and Said."""
    after = staged(state, into.config, into.mode, said)
    into.steps.append((after == into.mode != GLOBAL, said))
    into.mode = after


def lock(state: XrState, who: object) -> None:
    """Lock the configuration for one login. Raises Said when somebody else has it, or a trial under way."""
    if state.locked or state.held not in (None, who):
        raise Said(LOCKED)
    if state.foreign(who):
        raise Said(f"{NOT_ALONE}A trial commit is underway in another configuration session.")
    state.held = who


def commit(
    state: XrState, into: Target, user: str, *, replace: bool = False, label: str = "", comment: str = "",
    seconds: int = 0, client: str = "CLI", who: object = None,
) -> bool:  # fmt: skip
    """Put a target in force in one instant, or nothing of it; whether that confirmed a trial. Raises Said with why not."""
    if state.locked or state.held not in (None, who):
        raise Said(LOCKED)
    confirms = state.trial is not None and not state.foreign(who)
    if not into.steps:
        if not confirms:
            raise Said(EMPTY)
        _confirmed(state)
        return True
    if state.foreign(who):
        raise Said(unexpired(state))
    if into.since != len(state.commits):
        raise Said(OTHERS)
    config = xr_config.alone(state.running, into.steps) if replace else into.config.copy()
    lost = missing(config)
    if lost or state.refusal:
        raise Said(f"{FAILED}\n{state.refusal or '; '.join(lost[:3])}")
    before = state.running
    install(state, config)
    if state.unprogrammed:
        why = state.unprogrammed
        install(state, before)
        raise Said(f"{FAILED}\n{why}")
    _confirmed(state)
    _kept(state, before, user, label, comment, client)
    if seconds:
        _start(state, before, seconds, who)
        state.held = None
    return confirms


def unexpired(state: XrState) -> str:
    """What keeps everybody else out while a trial is under way."""
    assert state.trial is not None
    return UNEXPIRED.format(state.trial.number & 0xFFFFFFFF)


def _kept(state: XrState, before: ListConfig, user: str, label: str, comment: str, client: str) -> None:
    number = FIRST + len(state.commits)
    state.commits.append(Commit(number, user, label, comment, client, datetime.now(UTC), before))


def rollback(state: XrState, count: int, user: str) -> None:
    """Take the last commits back; that is a commit too. Raises Said."""
    if not 1 <= count <= len(state.commits):
        raise Said("% There are not so many commits")
    if state.held is not None or state.locked:
        raise Said(LOCKED)
    if state.trial is not None:
        raise Said(unexpired(state))
    before, found = state.running, state.commits[-count].before
    install(state, found.copy())
    _kept(state, before, user, "", "", "Rollback")


def _confirmed(state: XrState) -> None:
    if state.trial is not None:
        state.trial.thread.cancel()
        state.trial = None


def _start(state: XrState, before: ListConfig, seconds: int, who: object) -> None:
    def expire() -> None:
        with state.lock:
            if state.trial is trial:
                taken_back(state)

    thread = threading.Timer(seconds / state.speed, expire)
    thread.daemon = True
    trial = state.trial = Trial(state.commits[-1].number, before, thread, who)
    thread.start()


def taken_back(state: XrState) -> None:
    """What ran before the trial runs again."""
    assert state.trial is not None
    before, now = state.trial.before, state.running
    _confirmed(state)
    install(state, before)
    _kept(state, now, "admin", "", "", "Rollback")


def starts(state: XrState) -> ListConfig:
    """What the device would start with: what was committed for good."""
    return state.trial.before if state.trial is not None else state.running


def stop(state: XrState) -> None:
    """End the timer without taking anything back; a restart unlocks too."""
    _confirmed(state)
    state.held = None
    state.editing.clear()
