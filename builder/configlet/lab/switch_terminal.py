"""One login on the command line of a simulated switch whose vendor's part is a ``Shell``."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from typing import Protocol

from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.switch_cli import Ask, Dropped
from configlet.lab.switch_faults import Faults
from configlet.lab.switch_match import Ambiguous, Said


class Shell(Protocol):
    """What one login is to the vendor's software."""

    @property
    def length(self) -> int:
        """Lines on a page; 0 shows everything at once."""

    @property
    def over(self) -> bool:
        """Whether the login has ended."""

    @property
    def prompt(self) -> str:
        """What stands before the next line."""

    @property
    def hidden(self) -> bool:
        """Whether the next line is not echoed."""

    def run(self, line: str) -> str | Ask:
        """Carry out one line. Raises InvalidInput, Ambiguous and Said."""

    def complaint(self, refusal: Exception, line: str) -> str:
        """What the device says about a line that it refuses."""

    def hang_up(self) -> None:
        """The connection has ended: what this login alone held is gone."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a terminal asks of its switch."""

    faults: Faults
    speed: float
    lock: RLock
    settle: Callable[[], None]
    """Lets the data plane have what the lines so far said."""
    active: Callable[[], int]
    """How many changes have become active as one."""
    committed: Callable[[], None]
    """A change has become active as one."""
    log: Callable[[], str]
    """A line of the device's log."""


class ShellTerminal:
    """A login. Safe to use from one thread at a time; the switch's lock covers the rest."""

    def __init__(self, greeting: str, shell: Shell, hooks: Hooks) -> None:
        self.greeting = greeting
        self._shell = shell
        self._hooks = hooks
        self._asked: Ask | None = None
        self._gone = False

    @property
    def prompt(self) -> str:
        """As the vendor prints it, or the question that waits for an answer."""
        return self._shell.prompt if self._asked is None else self._asked.question

    @property
    def hidden(self) -> bool:
        """Whether the next line is not echoed."""
        return self._shell.hidden if self._asked is None else self._asked.hidden

    @property
    def page(self) -> int:
        """Lines on a page."""
        return self._shell.length

    @property
    def over(self) -> bool:
        """Whether the login has ended."""
        return self._shell.over

    def line(self, text: str, more: bool) -> str:
        """One line; what is said to it. Raises Dropped."""
        hooks, faults = self._hooks, self._hooks.faults
        stall = faults.seconds("stall") if text.strip() else 0.0
        if stall:
            time.sleep(stall / hooks.speed)
        with hooks.lock:
            if self._gone:
                raise Dropped
            active = hooks.active()
            said = self._said(text)
            if not more:
                hooks.settle()
            if hooks.active() != active:
                hooks.committed()
            if text.strip() and faults.count("log-line"):
                said += hooks.log()
            if text.strip() and faults.count("drop-session"):
                hooks.settle()
                raise Dropped
        return said

    def _said(self, text: str) -> str:
        try:
            if self._asked is not None:
                asked, self._asked = self._asked, None
                answer = asked.then(text.strip())
            else:
                answer = self._shell.run(text)
        except (InvalidInput, Ambiguous, Said) as refusal:
            return self._shell.complaint(refusal, text)
        if isinstance(answer, Ask):
            self._asked = answer
            return ""
        return answer

    def forget(self) -> None:
        """The device restarts: nothing of this login is left."""
        self._gone = True

    def hang_up(self) -> None:
        """The connection has ended, one way or the other."""
        with self._hooks.lock:
            if not self._gone:
                self._shell.hang_up()
                self._hooks.settle()


def marked(refusal: Exception, line: str, indent: int, form: str) -> str:
    """A refusal with the mark under its word; ``form`` takes what is wrong: Invalid, Incomplete or Ambiguous."""
    import re

    if isinstance(refusal, Ambiguous):
        return f"{' ' * indent}^\n{form.format('Ambiguous')}\n"
    if not isinstance(refusal, InvalidInput):
        return f"{refusal}\n"
    if refusal.what == "Incomplete command":
        return f"{' ' * (indent + len(line.rstrip()))}^\n{form.format('Incomplete')}\n"
    places = [found.start() for found in re.finditer(r"\S+", line)]
    column = places[refusal.token] if refusal.token < len(places) else len(line)
    return f"{' ' * (indent + column)}^\n{form.format('Invalid')}\n"
