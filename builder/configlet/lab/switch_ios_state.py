"""What a simulated IOS-XE switch keeps: running and startup configuration, flash, and the revert timer.

There is no candidate. A line changes the running configuration at once; the data plane follows every line, or every few
lines while more of them wait (``settle``). ``configure terminal revert timer`` keeps a copy of the running
configuration, which the device restores unless the change is confirmed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from configlet.lab import switch_ios_config as ios_config
from configlet.lab.switch_config import Baseline
from configlet.lab.switch_ios_config import IosConfig
from configlet.lab.switch_ios_lines import GLOBAL, Ambiguous, InvalidInput, enter
from configlet.lab.switch_match import Said

BOOTED = 86400.0
BATCH = 16
"""Lines that the data plane may lag behind while more lines wait to be read."""
ABRUPT = ("no ip access-list", "no ipv6 access-list", "ip access-group", "ipv6 traffic-filter")
"""Lines after which the data plane is programmed before anything else happens."""
NO_CHANGE = "%No Rollback Confirmed Change pending"


@dataclass(slots=True)
class RevertTimer:
    """A change that the device takes back unless it is confirmed."""

    user: str
    minutes: int
    before: IosConfig
    started: datetime
    thread: threading.Timer | None = None


@dataclass(slots=True)
class IosState:
    """Everything that a switch keeps. Every access goes through ``lock``."""

    running: IosConfig
    startup: IosConfig
    program: Callable[[IosConfig], None]
    """Puts a configuration into the data plane; raises when it does not take it."""
    speed: float = 1.0
    files: dict[str, bytes] = field(default_factory=dict)
    """Flash: names without the file system to contents. It survives a reload."""
    saved: list[str] = field(default_factory=list)
    """Names of the configurations in the archive."""
    timer: RevertTimer | None = None
    locked_by: str = ""
    """Who has locked the configuration mode for himself."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    booted: float = field(default_factory=time.monotonic)
    refusal: str = ""
    """Why no change is begun (a fault on demand)."""
    refuses: Callable[[str], bool] = lambda _: False
    """Configuration lines that are refused although they are right (a fault on demand)."""
    unprogrammed: str = ""
    """Why the data plane differs from the running configuration."""
    changed: str = ""
    """When and by whom the running configuration was changed last."""
    waiting: int = 0
    """Lines that the data plane does not have yet."""

    def uptime(self) -> float:
        """Seconds of the device's own clock, which runs ``speed`` times as fast as ours."""
        return BOOTED + (time.monotonic() - self.booted) * self.speed


def new_state(baseline: Baseline, program: Callable[[IosConfig], None], speed: float) -> IosState:
    """A device as it came up, with its startup configuration running."""
    config = ios_config.initial(baseline)
    return IosState(config, config.copy(), program, speed, changed=f"{stamp()} by console")


def stamp(when: datetime | None = None) -> str:
    """A time as IOS-XE prints it."""
    return (when or datetime.now(UTC)).strftime("%H:%M:%S UTC %a %b %d %Y")


def apply_line(state: IosState, mode: str, line: str, user: str) -> str:
    """One configuration line; the mode in which the next one stands. Raises InvalidInput, Ambiguous and Said."""
    if state.refuses(line):
        raise InvalidInput(0, line.split(maxsplit=1)[0])
    after = enter(state.running, mode, line)
    state.changed = f"{stamp()} by {user}"
    state.waiting += 1
    plain = " ".join(line.split())
    if state.waiting >= BATCH or plain.removeprefix("no ").startswith(ABRUPT) or plain.startswith(ABRUPT):
        settle(state)
    return after


def settle(state: IosState) -> None:
    """Let the data plane have what the lines so far said. What it refuses is accepted all the same, and shown."""
    if not state.waiting:
        return
    state.waiting = 0
    try:
        state.program(state.running)
        state.unprogrammed = ""
    except Exception as why:  # noqa: BLE001 - hardware that fails does not stop a command line
        state.unprogrammed = str(why)


def install(state: IosState, config: IosConfig, user: str) -> None:
    """Make a configuration the running one in one instant."""
    state.running = config
    state.changed = f"{stamp()} by {user}"
    state.waiting += 1
    settle(state)


def begin(state: IosState, user: str, minutes: int) -> str:
    """Keep what runs, and restore it in so many minutes unless it is confirmed; what the device says. Raises Said."""
    if not state.running.archived:
        raise Said("%Please turn config archive on before using this command")
    if state.timer is not None:
        raise Said(f"%Rollback Confirmed Change is already pending, started by user {state.timer.user}")
    before = state.running.copy()
    path = archive_now(state)
    state.timer = RevertTimer(user, minutes, before, datetime.now(UTC))
    _start(state, state.timer)
    return f"Rollback Confirmed Change: Backing up current running config to {path}\n"


def archive_now(state: IosState) -> str:
    """Put what runs into the archive; the name of the file."""
    archive = state.running.archive or {}
    first, most = int(state.saved[-1].rpartition("-")[2]) if state.saved else 0, int(archive.get("maximum", "10"))
    name = f"{archive['path']}-{first + 1}"
    state.files[name.removeprefix("flash:").lstrip("/")] = ios_config.file_text(state.running, state.changed).encode()
    state.saved.append(name)
    for old in state.saved[:-most]:
        state.files.pop(old.removeprefix("flash:").lstrip("/"), None)
    del state.saved[:-most]
    return name


def again(state: IosState, minutes: int) -> None:
    """Start the running timer anew with another duration."""
    timer = _pending(state)
    _stop(timer)
    timer.minutes = minutes
    _start(state, timer)


def confirm(state: IosState) -> None:
    """Keep the change."""
    _stop(_pending(state))
    state.timer = None


def revert_now(state: IosState) -> None:
    """Take the change back."""
    _stop(_pending(state))
    _take_back(state)


def _pending(state: IosState) -> RevertTimer:
    if state.timer is None:
        raise Said(NO_CHANGE)
    return state.timer


def _take_back(state: IosState) -> None:
    timer, state.timer = state.timer, None
    if timer is not None:
        install(state, timer.before, "Rollback Confirmed Change")


def _start(state: IosState, timer: RevertTimer) -> None:
    def expire() -> None:
        with state.lock:
            if state.timer is timer and timer.thread is thread:
                _take_back(state)

    thread = threading.Timer(timer.minutes * 60 / state.speed, expire)
    thread.daemon = True
    timer.thread = thread
    thread.start()


def _stop(timer: RevertTimer) -> None:
    if timer.thread is not None:
        timer.thread.cancel()


def stop(state: IosState) -> None:
    """End the timer without taking anything back."""
    if state.timer is not None:
        _stop(state.timer)


def reload(state: IosState) -> None:
    """Restart with the startup configuration: a running timer and a lock are gone, flash stays."""
    stop(state)
    state.timer, state.locked_by, state.booted = None, "", time.monotonic()
    install(state, state.startup.copy(), "console")


def parsed(baseline: Baseline, text: str) -> tuple[IosConfig, list[str]]:
    """A whole configuration from a file, and the lines of it that the device refuses."""
    config, mode, bad = ios_config.empty(baseline), GLOBAL, []
    for line in text.splitlines():
        word = line.strip()
        if not word or word.startswith("!"):
            continue
        if word == "end":
            break
        try:
            mode = enter(config, GLOBAL if not line.startswith(" ") else mode, line)
        except (InvalidInput, Ambiguous, Said):
            bad.append(word)
    return config, bad


def release(state: IosState, user: str) -> None:
    """Give the lock of the configuration mode back, if this user has it."""
    if state.locked_by == user:
        state.locked_by = ""
