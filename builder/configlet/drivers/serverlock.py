"""ServerLock NICs of one host, through a session of their manager over SSH.

A NIC that is bound takes rules from its manager alone. The session is a command on the manager's host; the driver writes
a line and reads a line (``mcdi NIC HEX``, ``ok HEX``). A NIC has no timer that could take a change back: the manager's
session keeps it, and says which change it waits for. A NIC that began anew since the line `nics` is answered for with
`lost`, once: its session with the manager ended with it, and what was loaded before is gone. The only manager that
speaks so is the simulated one.
"""

from __future__ import annotations

import base64
import difflib
import re
from contextlib import suppress
from typing import Protocol

from configlet.drivers import serverlock_phases as phases
from configlet.drivers.base import Canonical, Rejected, Target
from configlet.drivers.serverlock_phases import Nic
from configlet.model.plan import Change

COMMAND = "configlet-serverlock-manager"
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
NOBODY = "-"
EACH_MESSAGE = 0.02
"""Seconds for one message through the manager at the most; nobody has measured a real one."""


class Session(Protocol):
    """Lines to the manager and back."""

    def ask(self, line: str) -> str:
        """The manager's answer. Raises Rejected when it refused, Lost when there was none."""

    def close(self) -> None:
        """Leave."""


class ServerlockDriver:
    """The NICs of one host."""

    libraries = ("netmiko",)

    def __init__(self, target: Target, canonical: Canonical, session: Session | None = None) -> None:
        self._target, self._canonical = target, canonical
        self._session = session or _over_ssh(target)
        self._staged: Change | None = None

    @staticmethod
    def takes(change: Change) -> float:
        """A message and its answer for each line of either text, in every NIC."""
        texts = (change.load, change.undo)
        return EACH_MESSAGE * sum(text.count("\nmessage ") * max(1, text.count("\nattach ")) for text in texts)

    def running(self) -> str:
        """The tables of the host's NICs, "" when none has any. Only a simulated NIC can show them."""
        bodies: dict[str, list[str]] = {}
        for name in sorted(self._names()):
            body = "\n".join(self._text(f"dump {name}").splitlines()[2:])
            bodies.setdefault(body, []).append(name)
        if set(bodies) <= {""}:
            return ""
        ordered = sorted(bodies.items(), key=lambda item: not item[0])  # an empty one last, where no other can be its own
        parts = ["\n".join([*(f"attach {name}" for name in names), body]) for body, names in ordered]
        return "\n".join(["configlet-serverlock 1", *parts]) + "\n"

    def load(self, change: Change) -> str:
        """Compare with what runs, and every NIC's sizes with what the table was made for. Nothing is sent to change."""
        before = self._canonical(change.platform, change.kind, self.running())
        if before != change.before:
            raise Rejected("the plan is stale: the NICs no longer hold what the plan was made from")
        if self._canonical(change.platform, change.kind, change.load) != change.after:
            raise Rejected("the table to be loaded does not mean what was planned")
        nics = self._nics()
        phases.check(nics, phases.loads_of(change.load, [nic.name for nic in nics]))
        self._staged = change
        return "\n".join(difflib.unified_diff(before.splitlines(), change.after.splitlines(), "runs", "staged", lineterm=""))

    def commit(self, seconds: int) -> str:
        """Have the manager keep the way back, then both phases over all NICs."""
        change, self._staged = self._staged, None
        if change is None:
            raise Rejected("nothing was staged")
        token = self._named(self._target.token)
        self._session.ask(f"arm {token} {seconds} {_packed(change.undo)}")
        try:
            phases.replace(self._nics(), change.load)
        except Rejected:
            self._session.ask(f"end {token}")
            raise
        return token

    def confirm(self, token: str) -> None:
        """Release every NIC, and have the manager forget the way back. The rules are in NVRAM since the commit."""
        self._mine(token)
        for nic in self._nics():
            phases.release(nic)
        self._session.ask(f"end {token}")

    def revert(self, token: str) -> None:
        """Load what ran before into every NIC, whatever state it is in, and make that permanent."""
        self._mine(token)
        phases.replace(self._nics(), self._text(f"undo {token}"))
        self._session.ask(f"end {token}")

    def pending(self) -> str | None:
        """The token of the change whose way back the manager keeps."""
        found = self._session.ask("pending")
        return None if found == NOBODY else found

    def save(self) -> None:
        """What was committed is in NVRAM."""

    def counters(self) -> dict[str, tuple[int, int]]:
        """Sent and received packets by counter, over all NICs."""
        out: dict[str, tuple[int, int]] = {}
        text = self.running()
        for nic in self._nics() if text else ():
            ids = sorted({int(line[-8:][6:8] + line[-8:][4:6] + line[-8:][2:4] + line[-8:][0:2], 16)
                          for line in text.splitlines() if line.startswith("message 010f")} - {0})  # fmt: skip
            for number, (sent, received) in zip(ids, phases.counts(nic, ids), strict=True):
                before = out.get(f"counter {number}", (0, 0))
                out[f"counter {number}"] = (before[0] + sent, before[1] + received)
        return out

    def close(self) -> None:
        """Leave. What is committed stays, and so does its way back."""
        with suppress(Exception):
            self._session.close()

    def _names(self) -> list[str]:
        return self._session.ask("nics").split()

    def _nics(self) -> list[Nic]:
        return [Nic(name, self._exchange(name)) for name in self._names()]

    def _exchange(self, name: str) -> phases.Exchange:
        return lambda data: bytes.fromhex(self._session.ask(f"mcdi {name} {data.hex()}"))

    def _text(self, line: str) -> str:
        return base64.b64decode(self._session.ask(line)).decode()

    def _mine(self, token: str) -> None:
        if self.pending() != self._named(token):
            raise Rejected(f"no change {token} is pending at the manager")

    def _named(self, token: str) -> str:
        if not _TOKEN.fullmatch(token):
            raise Rejected(f'"{token}" is not the name of a change of ours')
        return token


def _packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode() or "="


def _over_ssh(target: Target) -> Session:
    from configlet.drivers.serverlock_session import SshSession

    return SshSession(target)
