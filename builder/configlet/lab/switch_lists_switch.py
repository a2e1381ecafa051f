"""A simulated switch whose configuration is a ``ListConfig``: management, data plane and faults, whatever its vendor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from configlet.lab import enforce
from configlet.lab.parsers.eos import Filters
from configlet.lab.switch_cli import Front
from configlet.lab.switch_config import Baseline
from configlet.lab.switch_faults import KINDS, Faults, check
from configlet.lab.switch_lists import ListConfig
from configlet.lab.switch_lists_state import ListState, install, reboot, settle
from configlet.lab.switch_management import Management
from configlet.lab.switch_scp import NO_FLASH, Flash
from configlet.lab.switch_terminal import Hooks, ShellTerminal

OPERATOR = "operator"
"""Somebody else, who holds the lock under the fault ``hold-lock``."""
FAULTS = KINDS | {"log-line": "count"}


class ListSwitch:
    """A switch with its configuration and data plane. Safe to use from several threads.

    A platform says ``state``, ``text``, ``saved_text`` and ``terminal``, and may end more at a reboot.
    """

    def __init__(
        self,
        baseline: Baseline,
        read: Callable[[str], Filters],
        apply: Callable[[str, str], None],
        speed: float,
    ) -> None:
        self.name = baseline.device
        self.speed = speed
        self.management = Management(speed)
        self._faults = Faults()
        self._enforcer = enforce.Enforcer(baseline.device, baseline.realms, apply, read)
        self._terminals: list[ShellTerminal] = []

    @property
    def state(self) -> ListState:
        """What the switch keeps."""
        raise NotImplementedError

    def text(self, config: ListConfig) -> str:
        """A configuration as the device prints what runs."""
        raise NotImplementedError

    def terminal(self, user: str) -> ShellTerminal:
        """A new login on the command line."""
        raise NotImplementedError

    def _program(self, config: ListConfig) -> None:
        if "ignore-acl" not in self._faults.active:
            self._enforcer.program(self.text(config))

    @property
    def reachable(self) -> bool:
        """Whether the management interface answers at the moment."""
        return self.management.reachable

    @property
    def stall(self) -> float:
        """Seconds of our clock that each answer waits."""
        return self._faults.seconds("stall") / self.speed

    def _hooks(self) -> Hooks:
        state = self.state
        return Hooks(
            self._faults,
            self.speed,
            state.lock,
            lambda: settle(state),
            lambda: state.active,
            self.committed,
            lambda: f"{_now()} {state.running.hostname} %VSHD-5-VSHD_SYSLOG_CONFIG_I: Configured from vty by operator\n",
        )

    def _opened(self, terminal: ShellTerminal) -> ShellTerminal:
        with self.state.lock:
            self._terminals = [*(known for known in self._terminals if not known.over), terminal]
        return terminal

    def front(self, _: str = "") -> Front:
        """What stands behind SSH."""
        return Front(self.management, self.terminal, self._flash(), lambda: self._faults.seconds("slow-aaa") / self.speed)

    def _flash(self) -> Flash:
        return NO_FLASH

    def committed(self) -> None:
        """A change became active; the fault that waits for it cuts the management before the answer is out."""
        if "drop-after-commit" in self._faults.active:
            seconds = self._faults.seconds("drop-after-commit")
            del self._faults.active["drop-after-commit"]
            self.management.cut(seconds)

    def running_text(self) -> str:
        """What ``show running-config`` prints."""
        with self.state.lock:
            return self.text(self.state.running)

    def startup_text(self) -> str:
        """What the device starts with, as it would print it."""
        with self.state.lock:
            return self.text(self.state.startup)

    def fault(self, kind: str, arg: str = "") -> None:
        """Make something go wrong. Raises Refused for a fault that does not exist, or an argument that does not fit.

        ``drop-session N`` and ``log-line N`` after N lines, ``reject-line REGEX`` or ``reject-line N`` (the n-th from
        now on, once), ``drop-after-commit SECONDS``, ``refuse-commit [WHY]``, ``stall SECONDS`` before every answer,
        ``slow-aaa SECONDS`` at every login over SSH, ``hold-lock``, ``ignore-acl``, ``unbind INTERFACE [in|out]``,
        ``reboot [SECONDS]``, and ``clear [KIND]``. Seconds are those of the device's clock, which the lab's speed
        shortens.
        """
        check(kind, arg, self.state.running.baseline, FAULTS)
        with self.state.lock:
            self._FAULTS.get(kind, ListSwitch._lasting)(self, kind, arg)
            self.state.refusal = self._faults.active.get("refuse-commit", "")
            self.state.locked = OPERATOR if "hold-lock" in self._faults.active else ""

    def _lasting(self, kind: str, arg: str) -> None:
        self._faults.counted.pop(kind, None)
        self._faults.active[kind] = arg or {"refuse-commit": "could not program the access list"}.get(kind, "")

    def _clear(self, _: str, arg: str) -> None:
        for kind in [arg] if arg else list(self._faults.active):
            if self._faults.active.pop(kind, None) is not None and kind == "ignore-acl":
                self._program(self.state.running)
        self.management.restore()

    def _unbind(self, _: str, arg: str) -> None:
        interface, _, way = arg.partition(" ")
        config = self.state.running.copy()
        named = config.dialect.named(interface)
        for key in [key for key in config.bindings if key[0] == named and way in ("", key[2])]:
            del config.bindings[key]
        install(self.state, config)

    def _reboot(self, _: str, arg: str) -> None:
        self.restart()
        reboot(self.state)
        self._faults.active.pop("hold-lock", None)
        for terminal in self._terminals:
            terminal.forget()
        self._terminals = []
        self.management.cut(float(arg or 0))

    _FAULTS = {"clear": _clear, "unbind": _unbind, "reboot": _reboot}  # noqa: RUF012

    def restart(self) -> None:
        """End whatever waits to happen by itself."""
        raise NotImplementedError

    def faults(self) -> dict[str, str]:
        """The faults that are active, with their arguments, and what the data plane did not take."""
        extra = {"unprogrammed": self.state.unprogrammed} if self.state.unprogrammed else {}
        return dict(self._faults.active) | extra | ({} if self.reachable else {"unreachable": ""})

    def stop(self) -> None:
        """End what runs on its own; nothing is taken back any more."""
        with self.state.lock:
            self.restart()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y %b %d %H:%M:%S")
