"""One simulated IOS-XE switch of the lab. It refuses what it does not know, in the vendor's words."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from configlet.lab import enforce, switch_ios_files, switch_ios_state
from configlet.lab import switch_ios_config as ios_config
from configlet.lab.parsers import ios as ios_parser
from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.switch_cli import Front
from configlet.lab.switch_faults import IOS_KINDS, Faults, check
from configlet.lab.switch_ios_baseline import baseline
from configlet.lab.switch_ios_config import IosConfig
from configlet.lab.switch_ios_exec import Session
from configlet.lab.switch_ios_shell import BANNER, IosShell
from configlet.lab.switch_management import Management
from configlet.lab.switch_match import Said
from configlet.lab.switch_scp import Flash, Refuses
from configlet.lab.switch_terminal import Hooks, ShellTerminal
from configlet.model.inventory import Device, Inventory
from configlet.model.problem import refuse

OPERATOR = "operator"
"""Somebody else, who holds the lock under the fault ``hold-lock``."""
FOREIGN_MINUTES = 60
CHANGED = "%SYS-5-CONFIG_I: Configured from console by operator on vty7 (192.0.2.99)#"
REFUSAL = "Error: Rollback Confirmed Change could not be started (No space left on device)"


class IosSwitch:
    """A switch with its configuration, flash, revert timer and data plane. Safe to use from several threads."""

    def __init__(
        self, device: Device, inventory: Inventory, apply: Callable[[str, str], None], speed: float = 1.0
    ) -> None:
        self.name = device.name
        self.speed = speed
        self.management = Management(speed)
        fixed = baseline(device, inventory)
        self._faults = Faults()
        self._enforcer = enforce.Enforcer(device.name, fixed.realms, apply, ios_parser.read)
        self._state = switch_ios_state.new_state(fixed, self._program, speed)
        self._state.refuses = self._faults.refuses
        self._lines = itertools.count(1)
        self._terminals: list[ShellTerminal] = []

    def _program(self, config: IosConfig) -> None:
        if "ignore-acl" not in self._faults.active:
            self._enforcer.program(ios_config.show(config, ""))

    @property
    def reachable(self) -> bool:
        """Whether the management interface answers at the moment."""
        return self.management.reachable

    def terminal(self, user: str, password: str = "") -> ShellTerminal:
        """A new login. ``password`` is what ``enable`` asks for when logins are not privileged."""
        owner = f"user '{user}' process '{300 + next(self._lines)}' from terminal '1'"
        session = Session(user, owner, password, privileged="ask-enable" not in self._faults.active)
        state, shell = self._state, IosShell(self._state, session)
        hooks = Hooks(
            self._faults,
            self.speed,
            state.lock,
            lambda: switch_ios_state.settle(state),
            lambda: shell.active,
            self._committed,
            lambda: f"*{switch_ios_state.stamp()}: {CHANGED}\n",
        )
        terminal = ShellTerminal(BANNER, shell, hooks)
        with state.lock:
            self._terminals = [*(t for t in self._terminals if not t.over), terminal]
        return terminal

    def front(self, password: str) -> Front:
        """What stands behind SSH; ``password`` is that of ``enable``."""
        flash = Flash(self._read, self._write)
        delay = self._faults
        return Front(
            self.management,
            lambda user: self.terminal(user, password),
            flash,
            lambda: delay.seconds("slow-aaa") / self.speed,
        )

    def _read(self, path: str) -> bytes:
        return self._scp(path, lambda place: switch_ios_files.content(self._state, place))

    def _write(self, path: str, data: bytes) -> None:
        def write(place: switch_ios_files.Where) -> bytes:
            switch_ios_files.put(self._state, place.name, data)
            return b""

        self._scp(path, write)

    def _scp(self, path: str, act: Callable[[switch_ios_files.Where], bytes]) -> bytes:
        with self._state.lock:
            if ios_config.SCP not in self._state.running.switches:
                raise Refuses("Administratively disabled.")
            try:
                place = switch_ios_files.where(path, ["dir", path])
                if place.kind != "flash":
                    raise Refuses(f"{path}: Operation not permitted")
                return act(place)
            except (InvalidInput, Said) as why:
                raise Refuses(f"{path}: {why}") from why

    def _committed(self) -> None:
        """A change became active; the fault that waits for it cuts the management before the answer is out."""
        if "drop-after-commit" in self._faults.active:
            seconds = self._faults.seconds("drop-after-commit")
            del self._faults.active["drop-after-commit"]
            self.management.cut(seconds)

    def running_text(self) -> str:
        """What ``show running-config`` prints."""
        with self._state.lock:
            return ios_config.show(self._state.running, self._state.changed)

    def startup_text(self) -> str:
        """What ``show startup-config`` prints, without its heading."""
        with self._state.lock:
            return ios_config.file_text(self._state.startup, self._state.changed)

    def fault(self, kind: str, arg: str = "") -> None:
        """Make something go wrong. Raises Refused for a fault that does not exist, or an argument that does not fit.

        ``drop-session N`` and ``log-line N`` after N lines, ``reject-line REGEX`` or ``reject-line N`` (the n-th from
        now on, once), ``drop-after-commit SECONDS``, ``refuse-commit [WHY]``, ``stall SECONDS`` before every answer,
        ``slow-aaa SECONDS`` at every login, ``hold-lock [timer|lock]``, ``ask-enable``, ``ignore-acl``, ``unbind INTERFACE
        [in|out]``, ``reboot [SECONDS]``, and ``clear [KIND]``. Seconds are those of the device's clock, which the lab's
        speed shortens.
        """
        check(kind, arg, self._state.running.baseline, IOS_KINDS)
        with self._state.lock:
            try:
                self._FAULTS.get(kind, IosSwitch._lasting)(self, kind, arg)
            except Said as why:
                raise refuse("the switch cannot do that now", f"'{kind}' on {self.name}: {why}.") from why
            self._state.refusal = self._faults.active.get("refuse-commit", "")

    def _lasting(self, kind: str, arg: str) -> None:
        if kind == "hold-lock":
            arg = arg or "timer"
            if arg == "timer":
                switch_ios_state.begin(self._state, OPERATOR, FOREIGN_MINUTES)
            else:
                self._state.locked_by = f"user '{OPERATOR}' process '3' from terminal '0'"
        self._faults.counted.pop(kind, None)
        self._faults.active[kind] = arg or {"refuse-commit": REFUSAL}.get(kind, "")

    def _clear(self, _: str, arg: str) -> None:
        for kind in [arg] if arg else list(self._faults.active):
            held = self._faults.active.pop(kind, None)
            if held == "lock" and kind == "hold-lock":
                self._state.locked_by = ""
            elif held == "timer" and kind == "hold-lock" and self._state.timer and self._state.timer.user == OPERATOR:
                switch_ios_state.confirm(self._state)
            elif held is not None and kind == "ignore-acl":
                self._program(self._state.running)
        self.management.restore()

    def _unbind(self, _: str, arg: str) -> None:
        interface, _, way = arg.partition(" ")
        config = self._state.running.copy()
        for key in [key for key in config.bindings if key[0] == interface and way in ("", key[2])]:
            del config.bindings[key]
        switch_ios_state.install(self._state, config, OPERATOR)

    def _reboot(self, _: str, arg: str) -> None:
        switch_ios_state.reload(self._state)
        self._faults.active.pop("hold-lock", None)
        for terminal in self._terminals:
            terminal.forget()
        self._terminals = []
        self.management.cut(float(arg or 0))

    _FAULTS = {"clear": _clear, "unbind": _unbind, "reboot": _reboot}  # noqa: RUF012

    def faults(self) -> dict[str, str]:
        """The faults that are active, with their arguments, and what the data plane did not take."""
        extra = {"unprogrammed": self._state.unprogrammed} if self._state.unprogrammed else {}
        return dict(self._faults.active) | extra | ({} if self.reachable else {"unreachable": ""})

    def stop(self) -> None:
        """End the revert timer; nothing is taken back any more."""
        with self._state.lock:
            switch_ios_state.stop(self._state)
