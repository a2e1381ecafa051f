"""A simulated ServerLock manager: one session to the simulated NICs of one host, a line at a time.

It keeps the way back of a change, and takes it when its time is up and nobody ended it.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from configlet.drivers import serverlock_phases as phases
from configlet.drivers.base import Lost, Rejected, Trouble
from configlet.lab.nic.serverlock import ServerLockNic


@dataclass(slots=True)
class Pending:
    """A change that may be taken back: its name, when, and the text of before."""

    token: str
    until: float
    undo: str


@dataclass(slots=True)
class Manager:
    """The NICs by name. ``faults`` counts messages down to a loss of power: (messages left, before or after it acts)."""

    nics: Mapping[str, ServerLockNic]
    clock: Callable[[], float] = time.monotonic
    pending: Pending | None = None
    faults: dict[str, tuple[int, bool]] = field(default_factory=dict)
    sent: int = 0
    known: dict[str, int] = field(default_factory=dict)
    """How often each NIC had begun when its session with the manager did: a NIC that begins anew has another session."""

    def answer(self, line: str) -> str:
        """``ok WORDS``, ``refused WHY`` or ``lost WHY``."""
        self.expire()
        verb, *words = line.split(" ")
        verbs: dict[str, Callable[..., str]] = {
            "nics": self._nics, "mcdi": self._mcdi, "dump": self._dump, "arm": self._arm, "end": self._end,
            "undo": self._undo, "pending": self._pending,
        }  # fmt: skip
        handler = verbs.get(verb)
        if handler is None:
            return f'refused there is no "{verb}"'
        try:
            return f"ok {handler(*words)}"
        except (TypeError, KeyError, ValueError, binascii.Error) as error:
            return f"refused {error}"
        except Lost as error:
            return f"lost {error}"

    def expire(self) -> None:
        """Take a change back whose time is up; when that fails, again with the next line."""
        if self.pending and self.clock() >= self.pending.until:
            with suppress(Trouble):
                phases.replace([phases.Nic(name, nic.exchange) for name, nic in self.nics.items()], self.pending.undo)
                self.pending = None

    def _nics(self) -> str:
        self.known = {name: nic.boots for name, nic in self.nics.items()}
        return " ".join(self.nics)

    def _mcdi(self, name: str, data: str) -> str:
        self.sent += 1
        nic, request = self.nics[name], bytes.fromhex(data)
        if self.known.setdefault(name, nic.boots) != nic.boots:
            self.known[name] = nic.boots
            raise Lost(f"{name} began anew since it was last asked")
        left, acts = self.faults.get(name, (-1, False))
        if left >= 0:
            self.faults[name] = (left - 1, acts)
        if left == 0:
            if acts:
                nic.exchange(request)
            nic.lose_power()
            self.known[name] = nic.boots
            raise Lost(f"{name} lost power")
        return nic.exchange(request).hex()

    def _dump(self, name: str) -> str:
        return _packed(self.nics[name].dump(name))

    def _arm(self, token: str, seconds: str, undo: str) -> str:
        if self.pending:
            raise ValueError(f"{self.pending.token} is pending")
        text = base64.b64decode(undo).decode() if undo != "=" else ""
        self.pending = Pending(token, self.clock() + int(seconds), text)
        return ""

    def _end(self, token: str) -> str:
        if self.pending is None or self.pending.token != token:
            raise ValueError(f"{token} is not pending")
        self.pending = None
        return ""

    def _undo(self, token: str) -> str:
        if self.pending is None or self.pending.token != token:
            raise ValueError(f"{token} is not pending")
        return _packed(self.pending.undo)

    def _pending(self) -> str:
        return self.pending.token if self.pending else "-"


def _packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Here:
    """A session without a network: the manager in the same process."""

    def __init__(self, manager: Manager) -> None:
        self.manager = manager

    def ask(self, line: str) -> str:
        """The manager's answer."""
        return meant(self.manager.answer(line))

    def close(self) -> None:
        """Nothing is open."""


def meant(answer: str) -> str:
    """What an answer says. Raises Rejected or Lost."""
    word, _, rest = answer.partition(" ")
    if word == "ok":
        return rest
    raise (Rejected if word == "refused" else Lost)(rest)
