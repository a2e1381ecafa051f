"""What a simulated NX-OS switch keeps beside its configuration: files, checkpoints, sessions, and schedules that wait.

A line in configuration mode is in force at once. A session collects lines, which ``commit`` puts in force in one instant.
There is no commit timer: what takes a change back by itself is a job of the scheduler that rolls back to a checkpoint.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from configlet.lab import switch_nxos_config as nxos_config
from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.switch_lists import GLOBAL, ListConfig, enter, missing
from configlet.lab.switch_lists_state import ListState, install, staged
from configlet.lab.switch_match import Ambiguous, Said
from configlet.lab.switch_nxos_config import JOB, SCHEDULE

MOST_SESSIONS, MOST_COMMANDS = 32, 20_000
MOST_CHECKPOINTS = 10
DONE = "Rollback completed successfully."


@dataclass(slots=True)
class ConfigSession:
    """A configuration session: its lines, and what the configuration of when it was opened became of them."""

    name: str
    user: str
    opened: datetime
    config: ListConfig
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class NxosState(ListState):
    """Everything that a switch keeps. Every access goes through ``lock``."""

    files: dict[str, bytes] = field(default_factory=dict)
    """Bootflash: names without the file system to contents. It survives a reload."""
    checkpoints: dict[str, tuple[datetime, ListConfig]] = field(default_factory=dict)
    sessions: dict[str, ConfigSession] = field(default_factory=dict)
    ran: dict[str, tuple[datetime, bool]] = field(default_factory=dict)
    """Schedules that were carried out: when, and whether their job succeeded."""
    waits: dict[str, tuple[str, threading.Timer]] = field(default_factory=dict)
    """Schedules that wait: the line that says when, and the thread."""


def opened(state: NxosState, name: str, user: str) -> ConfigSession:
    """Enter a session: one that is there goes on, a new one begins with what runs. Raises Said."""
    session = state.sessions.get(name)
    if session is None:
        if len(state.sessions) >= MOST_SESSIONS:
            raise Said("ERROR: Maximum number of sessions reached")
        session = state.sessions[name] = ConfigSession(name, user, datetime.now(UTC), state.running.copy())
    return session


def session_line(state: NxosState, session: ConfigSession, mode: str, line: str) -> str:
    """One line into a session. It knows access lists and bindings only. Raises InvalidInput, Ambiguous and Said."""
    if sum(len(other.lines) for other in state.sessions.values()) >= MOST_COMMANDS:
        raise Said("ERROR: Maximum number of commands reached")
    words = line.split()
    if mode == GLOBAL and words[0] not in ("ip", "ipv6", "interface", "no"):
        raise InvalidInput(0, words[0])
    after = staged(state, session.config, mode, line)
    session.lines.append("  " * (after == mode != GLOBAL) + " ".join(words))
    return after


def verify(state: NxosState, session: ConfigSession) -> ListConfig:
    """What runs with the session's lines behind it. Raises Said when they do not fit what runs now."""
    if state.locked:
        raise Said(f"ERROR: Failed to acquire the lock: it is held by {state.locked}")
    config, mode = state.running.copy(), GLOBAL
    for number, line in enumerate(session.lines, 1):
        try:
            mode = enter(config, state.grammar, mode if line.startswith(" ") else GLOBAL, line)
        except (InvalidInput, Ambiguous, Said) as why:
            raise Said(f"ERROR: Verification failed at {number:04} {line.strip()}: {why}") from None
    return config


def commit(state: NxosState, session: ConfigSession) -> None:
    """Put a session in force in one instant; nothing of it when anything of it fails. Raises Said."""
    config = verify(state, session)
    if state.refusal:
        raise Said(f"ERROR: Commit failed: {state.refusal}. The configuration was reverted")
    before = state.running
    install(state, config)
    if state.unprogrammed:
        why = state.unprogrammed
        install(state, before)
        raise Said(f"ERROR: Commit failed: {why}. The configuration was reverted")
    del state.sessions[session.name]


def rollback(state: NxosState, config: ListConfig, refusal: str = "") -> str:
    """Make a kept configuration the running one, in one instant here; what the device says."""
    lost = missing(config)
    if refusal or lost:
        why = refusal or f"the simulated hardware cannot be without: {'; '.join(lost[:3])}"
        return f"Collecting Running-Config\n#Generating Rollback Patch\nERROR: {why}\nRollback failed.\n"
    install(state, config.copy())
    follow(state)
    return (
        "Note: Applying config parallelly may fail Rollback verification\nCollecting Running-Config\n"
        "#Generating Rollback Patch\nExecuting Rollback Patch\nGenerating Running-config for verification\n"
        f"Generating Patch for verification\nVerification is Successful.\n\n{DONE}\n"
    )


def follow(state: NxosState) -> None:
    """Start the threads of schedules that are new or have another time, and end those of schedules that are gone."""
    wanted = {}
    for header, lines in state.running.extra.items():
        when = next((line for line in lines if line.startswith("time start ")), "")
        if header.startswith(SCHEDULE) and when and any(line.startswith("job ") for line in lines):
            wanted[header] = when
    for header, (when, thread) in list(state.waits.items()):
        if wanted.get(header) != when:
            thread.cancel()
            del state.waits[header]
    for header, when in wanted.items():
        if header not in state.waits:
            _start(state, header, when)
    state.ran = {header: found for header, found in state.ran.items() if header in wanted}


def _start(state: NxosState, header: str, when: str) -> None:
    at = datetime.strptime(when.rsplit(maxsplit=1)[-1], nxos_config.FIRE).replace(tzinfo=UTC)
    # A time is shown in whole minutes; the simulated scheduler waits them from the moment of its command.
    seconds = max(0.0, (at - datetime.now(UTC) + timedelta(seconds=59.999)).total_seconds()) // 60 * 60

    def fire() -> None:
        with state.lock:
            if state.waits.get(header, ("", None))[1] is thread:
                _carry_out(state, header)

    thread = threading.Timer(seconds / state.speed, fire)
    thread.daemon = True
    state.waits[header] = (when, thread)
    state.ran.pop(header, None)
    thread.start()


def _carry_out(state: NxosState, header: str) -> None:
    job = next(line for line in state.running.extra[header] if line.startswith("job ")).split()[-1]
    good = True
    for line in list(state.running.extra.get(JOB + job, ())):
        kept = state.checkpoints.get(line.split()[-1])
        good = good and kept is not None and DONE in rollback(state, kept[1])
    if header in state.running.extra:
        state.ran[header] = (datetime.now(UTC), good)


def stop(state: NxosState) -> None:
    """End what waits; a restart forgets sessions too."""
    for _, thread in state.waits.values():
        thread.cancel()
    state.waits.clear()
    state.sessions.clear()
