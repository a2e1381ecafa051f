"""One simulated EOS switch of the lab. It refuses what it does not know, in the vendor's words."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from configlet.lab import enforce, switch_config, switch_exec, switch_state
from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.switch_baseline import baseline
from configlet.lab.switch_cli import Front
from configlet.lab.switch_config import Config
from configlet.lab.switch_eos_terminal import EosTerminal, Hooks
from configlet.lab.switch_exec import Reply, Terminal
from configlet.lab.switch_faults import Faults, check
from configlet.lab.switch_lines import CannotRun
from configlet.lab.switch_management import Management
from configlet.lab.switch_scp import NO_FLASH
from configlet.model.inventory import Device, Inventory
from configlet.model.problem import refuse

Command = str | dict[str, Any]
FOREIGN = "maintenance"
"""The session of somebody else that the fault ``hold-lock`` leaves pending."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a list of commands stopped. ``index`` counts from 1; those before it have run and gave ``done``."""

    index: int
    command: str
    code: int
    kind: str
    error: str
    done: tuple[Reply, ...]


class CommandFailed(Exception):  # noqa: N818 - the device's own words
    """A list of commands that stopped, with the failure."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(f"command {failure.index} '{failure.command}' failed: {failure.kind}: {failure.error}")


class Switch:
    """A switch with its configuration, sessions, commit timer and data plane. Safe to use from several threads."""

    def __init__(
        self, device: Device, inventory: Inventory, apply: Callable[[str, str], None], speed: float = 1.0
    ) -> None:
        self.name = device.name
        self.speed = speed
        self._faults = Faults()
        self._enforcer = enforce.Enforcer(device.name, baseline(device, inventory).realms, apply)
        self._state = switch_state.new_state(baseline(device, inventory), self._program, speed)
        self.management = Management(speed)

    def _program(self, config: Config) -> None:
        if "ignore-acl" in self._faults.active:
            return
        try:
            self._enforcer.program(switch_config.show(config, "show running-config", switch_exec.VERSION))
        except enforce.NotProgrammed as failure:
            raise CannotRun(f"session commit failed: {failure}") from failure

    @property
    def reachable(self) -> bool:
        """Whether the management interface answers at the moment."""
        return self.management.reachable

    def terminal(self, user: str) -> EosTerminal:
        """A new login on the command line."""
        return EosTerminal(self._state, Terminal(user, enabled=True, refuses=self._faults.refuses), self._hooks())

    def _hooks(self) -> Hooks:
        return Hooks(self._faults, self.speed, self._after_commit)

    def front(self) -> Front:
        """What stands behind SSH. There is no flash to copy to: NAPALM and netmiko need none on EOS."""
        return Front(self.management, self.terminal, NO_FLASH, lambda: self._faults.seconds("slow-aaa") / self.speed)

    def run(self, commands: Sequence[Command], encoding: str = "json", user: str = "admin") -> list[Any]:
        """Carry out a list of commands as one eAPI request does; one result for each.

        json gives objects, text gives ``{"output": text}``. Raises CommandFailed at the first command that fails.
        """
        self._stall()
        with self._state.lock:
            timer = self._state.timer
            terminal = Terminal(user, refuses=self._faults.refuses)
            replies: list[Reply] = []
            try:
                for index, command in enumerate(commands, 1):
                    replies.append(self._one(terminal, index, command, encoding, replies))
            finally:
                self._hang_up(terminal, replies)
            if self._state.timer is not None and self._state.timer is not timer:
                self._after_commit()
        return [reply.data if encoding == "json" else {"output": reply.text} for reply in replies]

    def _one(self, terminal: Terminal, index: int, command: Command, encoding: str, done: list[Reply]) -> Reply:
        line = command if isinstance(command, str) else str(command.get("cmd", ""))

        def failed(code: int, kind: str, error: str) -> CommandFailed:
            return CommandFailed(Failure(index, line, code, kind, error, tuple(done)))

        try:
            if not isinstance(command, str) and line != "enable":
                raise InvalidInput(0, line)
            reply = switch_exec.execute(self._state, terminal, line)
        except InvalidInput as refusal:
            raise failed(1002, "invalid command", str(refusal)) from None
        except CannotRun as refusal:
            raise failed(1000, "could not run command", str(refusal)) from None
        if encoding == "json" and reply.data is None:
            raise failed(1003, "unconverted command", "Command cannot be used over the API at this time")
        return reply

    def _hang_up(self, terminal: Terminal, done: Sequence[Reply]) -> None:
        try:
            switch_exec.hang_up(self._state, terminal)
        except CannotRun as failure:
            last = Failure(len(done), "end", 1000, "could not run command", str(failure), tuple(done[:-1]))
            raise CommandFailed(last) from None

    def _stall(self) -> None:
        seconds = self._faults.seconds("stall")
        if seconds:
            time.sleep(seconds / self.speed)

    def _after_commit(self) -> None:
        if "drop-after-commit" in self._faults.active:
            self.management.cut(self._faults.seconds("drop-after-commit"))
            del self._faults.active["drop-after-commit"]

    def running_text(self) -> str:
        """What ``show running-config`` prints."""
        with self._state.lock:
            return switch_config.show(self._state.running, "show running-config", switch_exec.VERSION)

    def startup_text(self) -> str:
        """What ``show startup-config`` prints."""
        with self._state.lock:
            return switch_config.show(self._state.startup, "show startup-config", switch_exec.VERSION)

    def fault(self, kind: str, arg: str = "") -> None:
        """Make something go wrong. Raises Refused for a fault that does not exist, or an argument that does not fit.

        ``drop-after-commit SECONDS``, ``reject-line REGEX`` or ``reject-line N`` (the n-th from now on, once),
        ``refuse-commit [WHY]``, ``stall SECONDS``, ``hold-lock``, ``ignore-acl``, ``unbind INTERFACE [in|out]``,
        ``reboot [SECONDS]``; over SSH ``drop-session N`` after N lines and ``slow-aaa SECONDS`` at every login; and
        ``clear [KIND]`` to end them. Seconds are those of the device's clock, which the lab's speed shortens.
        """
        check(kind, arg, self._state.running.baseline)
        with self._state.lock:
            try:
                self._FAULTS.get(kind, Switch._lasting)(self, kind, arg)
            except CannotRun as failure:
                raise refuse("the switch cannot do that now", f"'{kind}' on {self.name}: {failure}.") from failure
            self._state.refusal = self._faults.active.get("refuse-commit", "")

    def _lasting(self, kind: str, arg: str) -> None:
        if kind == "hold-lock":
            switch_state.open_session(self._state, FOREIGN, "operator")
        self._faults.counted.pop(kind, None)
        self._faults.active[kind] = arg or {"refuse-commit": "could not program the access list"}.get(kind, "")

    def _clear(self, _: str, arg: str) -> None:
        for kind in [arg] if arg else list(self._faults.active):
            held = self._faults.active.pop(kind, None)
            if held is not None and kind == "hold-lock":
                self._state.sessions.pop(FOREIGN, None)
            if held is not None and kind == "ignore-acl":
                self._program(self._state.running)
        self.management.restore()

    def _unbind(self, _: str, arg: str) -> None:
        interface, _, way = arg.partition(" ")
        config = self._state.running.copy()
        gone = [key for key in config.bindings if key[0] == interface and way in ("", key[2])]
        for key in gone:
            del config.bindings[key]
        switch_state.install(self._state, config)

    def _reboot(self, _: str, arg: str) -> None:
        switch_state.reload(self._state)
        self._faults.active.pop("hold-lock", None)
        self.management.cut(float(arg or 0))

    _FAULTS = {"clear": _clear, "unbind": _unbind, "reboot": _reboot}  # noqa: RUF012

    def faults(self) -> dict[str, str]:
        """The faults that are active, with their arguments, and what a revert could not program."""
        extra = {"unprogrammed": self._state.unprogrammed} if self._state.unprogrammed else {}
        return dict(self._faults.active) | extra | ({} if self.reachable else {"unreachable": ""})

    def stop(self) -> None:
        """End the commit timer; nothing is reverted any more."""
        with self._state.lock:
            if self._state.timer is not None:
                self._state.timer.thread.cancel()
