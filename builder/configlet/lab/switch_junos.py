"""One simulated Junos switch of the lab. It refuses what it does not know, in the vendor's words."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import MappingProxyType
from xml.etree.ElementTree import Element

from configlet.lab import enforce, switch_junos_rpc, switch_junos_state
from configlet.lab.parsers import junos as junos_parser
from configlet.lab.switch_cli import Dropped
from configlet.lab.switch_faults import KINDS, Faults, check
from configlet.lab.switch_junos_baseline import baseline, unit
from configlet.lab.switch_junos_facts import Here
from configlet.lab.switch_junos_state import Said, State
from configlet.lab.switch_junos_tree import Load, Node, show, tidy
from configlet.lab.switch_management import Management
from configlet.lab.switch_netconf import Refusal, Service, error
from configlet.model.inventory import Device, Inventory
from configlet.model.problem import refuse

JUNOS_KINDS = MappingProxyType(KINDS | {"hold-lock": "lock", "dirty-candidate": "nothing", "warn-commit": "severity"})
OPERATOR = "operator"
"""Somebody else, who holds the lock under the fault ``hold-lock``, or leaves changes under ``dirty-candidate``."""
FOREIGN_SESSION, FOREIGN_MINUTES = 7, 60
COMPLAINT = "requires 'firewall' license"
REFUSAL = "could not program the firewall filter"


class JunosSwitch:
    """A switch with its candidate, commits, commit timer and data plane. Safe to use from several threads."""

    def __init__(
        self, device: Device, inventory: Inventory, apply: Callable[[str, str], None], speed: float = 1.0
    ) -> None:
        self.name, self.speed = device.name, speed
        self.management = Management(speed)
        self._fixed, root = baseline(device, inventory)
        self._faults = Faults()
        self._enforcer = enforce.Enforcer(device.name, self._fixed.realms, apply, junos_parser.read)
        self._state = State(root, self._program, speed)

    def _program(self, root: Node) -> None:
        if "ignore-acl" in self._faults.active:
            return
        try:
            self._enforcer.program("\n".join(show(root)))
        except enforce.NotProgrammed as why:
            raise Said(f"commit failed: {why}") from why

    @property
    def reachable(self) -> bool:
        """Whether the management interface answers at the moment."""
        return self.management.reachable

    def service(self) -> Service:
        """What stands behind NETCONF."""
        return Service(
            self.management,
            switch_junos_rpc.CAPABILITIES,
            lambda number, user: JunosSession(self, number, user),
            lambda: self._faults.seconds("slow-aaa") / self.speed,
            switch_junos_rpc.NAMESPACE,
        )

    def answer(self, session: int, user: str, request: Element) -> str:
        """Carry out one request. Raises Refusal; Dropped when a fault takes the connection away after it."""
        seconds = self._faults.seconds("stall")
        if seconds:
            time.sleep(seconds / self.speed)
        with self._state.lock:
            pending = self._state.pending
            here = Here(self._state, session, user, self.name, self._fixed.model, self._faults.refuses)
            try:
                said = switch_junos_rpc.answer(here, request)
            finally:
                if self._faults.count("drop-session"):
                    raise Dropped("")
            if request.tag == "commit-configuration" and "warn-commit" in self._faults.active:
                complaint = error(Refusal(COMPLAINT), self._faults.active["warn-commit"])
                said = said.replace("<commit-results>", f"<commit-results>{complaint}")
            if self._state.pending is not None and self._state.pending is not pending:
                self._committed()
        return said

    def _committed(self) -> None:
        if "drop-after-commit" in self._faults.active:
            seconds = self._faults.seconds("drop-after-commit")
            del self._faults.active["drop-after-commit"]
            self.management.cut(seconds)

    def ended(self, session: int) -> None:
        """A session is over: its lock is free, and what it did not commit under it is gone."""
        with self._state.lock:
            if self._state.owner == session:
                switch_junos_state.unlock(self._state, session)

    def running_text(self) -> str:
        """What ``show configuration`` prints."""
        with self._state.lock:
            return switch_junos_rpc.configuration(self._state, self._state.running)

    def startup_text(self) -> str:
        """What it would start with: what was committed last."""
        return self.running_text()

    def fault(self, kind: str, arg: str = "") -> None:
        """Make something go wrong. Raises Refused for a fault that does not exist, or an argument that does not fit.

        ``drop-session N`` after the N-th request, which is carried out, ``reject-line REGEX`` or ``reject-line N`` (the
        n-th statement from now on, once), ``drop-after-commit SECONDS``, ``refuse-commit [WHY]``, ``stall SECONDS``
        before every answer, ``slow-aaa SECONDS`` at every login, ``hold-lock [timer|lock]``, ``dirty-candidate``,
        ``warn-commit [warning|error]`` beside a commit that is done, ``ignore-acl``, ``unbind INTERFACE [in|out]``,
        ``reboot [SECONDS]``, and ``clear [KIND]``. Seconds are those of the device's clock, which the lab's speed shortens.
        """
        check(kind, arg, self._fixed, JUNOS_KINDS)
        with self._state.lock:
            try:
                self._FAULTS.get(kind, JunosSwitch._lasting)(self, kind, arg)
            except Said as why:
                raise refuse("the switch cannot do that now", f"'{kind}' on {self.name}: {why}.") from why
            self._state.refusal = self._faults.active.get("refuse-commit", "")

    def _lasting(self, kind: str, arg: str) -> None:
        if kind in ("hold-lock", "dirty-candidate"):
            switch_junos_state.writable(self._state, FOREIGN_SESSION)
        if kind == "hold-lock" and arg == "timer":
            switch_junos_state.commit(self._state, OPERATOR, FOREIGN_MINUTES, "")
        elif kind == "hold-lock":
            switch_junos_state.lock(self._state, FOREIGN_SESSION, f"{OPERATOR} terminal pts/0\n      exclusive [edit]")
        elif kind == "dirty-candidate":
            Load(self._state.candidate).set(["system", "host-name", "theirs"])
        self._faults.counted.pop(kind, None)
        self._faults.active[kind] = arg or {"refuse-commit": REFUSAL, "hold-lock": "lock", "warn-commit": "warning"}.get(kind, "")

    def _clear(self, _: str, arg: str) -> None:
        for kind in [arg] if arg else list(self._faults.active):
            held = self._faults.active.pop(kind, None)
            if held is not None and kind == "hold-lock" and self._state.owner == FOREIGN_SESSION:
                switch_junos_state.unlock(self._state, FOREIGN_SESSION)
            elif held == "timer" and kind == "hold-lock" and self._state.history[0].user == OPERATOR:
                switch_junos_state.confirm(self._state)
            elif held is not None and kind == "dirty-candidate" and not self._state.owner:
                self._state.candidate = self._state.running.copy()
            elif held is not None and kind == "ignore-acl":
                self._program(self._state.running)
        self.management.restore()

    def _unbind(self, _: str, arg: str) -> None:
        interface, _, way = arg.partition(" ")
        port, number = unit(interface)
        root = self._state.running.copy()
        here = root.at("interfaces", port, f"unit {number}")
        for family in here.children.values() if here else ():
            bound = family.children.get("filter")
            for key in list(bound.children) if bound else []:
                if way in ("", {"input": "in", "output": "out"}[key.split()[0]]):
                    del bound.children[key]  # type: ignore[union-attr]
        tidy(root)
        self._program(root)
        self._state.remember(root, OPERATOR, "cli")
        self._state.candidate = root.copy()

    def _reboot(self, _: str, arg: str) -> None:
        switch_junos_state.reload(self._state)
        self._faults.active.pop("hold-lock", None)
        self.management.cut(float(arg or 0))

    _FAULTS = MappingProxyType({"clear": _clear, "unbind": _unbind, "reboot": _reboot})

    def faults(self) -> dict[str, str]:
        """The faults that are active, with their arguments, and what a revert could not program."""
        extra = {"unprogrammed": self._state.unprogrammed} if self._state.unprogrammed else {}
        return dict(self._faults.active) | extra | ({} if self.reachable else {"unreachable": ""})

    def stop(self) -> None:
        """End the commit timer; nothing is taken back any more."""
        with self._state.lock:
            switch_junos_state.confirm(self._state)


class JunosSession:
    """One NETCONF session with a switch."""

    def __init__(self, switch: JunosSwitch, number: int, user: str) -> None:
        self._switch, self._number, self._user = switch, number, user

    def answer(self, request: Element) -> str:
        """What stands inside the reply to a request."""
        return self._switch.answer(self._number, self._user, request)

    def hang_up(self) -> None:
        """The session has ended."""
        self._switch.ended(self._number)
