"""One login on the command line of a simulated IOS-XE switch: prompts, modes, questions."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from configlet.lab import switch_ios_state as ios_state
from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.switch_cli import END, Ask, Dropped
from configlet.lab.switch_faults import Faults
from configlet.lab.switch_ios_exec import Session, complaint, execute
from configlet.lab.switch_ios_lines import GLOBAL, Ambiguous, Said, submode
from configlet.lab.switch_ios_state import IosState, stamp

BANNER = """
#################################################################
#  Simulated IOS-XE switch of the lab: no vendor software here  #
#################################################################

"""
LONGEST_NAME = 20
"""Characters of the host name that are left of it in the prompt of a configuration mode."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a terminal asks of its switch."""

    faults: Faults
    speed: float
    committed: Callable[[], None]
    """A change under a timer, or a whole file, has become active."""


class IosTerminal:
    """A login. Safe to use from one thread at a time; the switch's lock covers the rest."""

    greeting = BANNER

    def __init__(self, state: IosState, session: Session, hooks: Hooks) -> None:
        self._state = state
        self._session = session
        self._hooks = hooks
        self._asked: Ask | None = None
        self._gone = False

    @property
    def prompt(self) -> str:
        """As IOS-XE prints it, or the question that waits for an answer."""
        if self._asked is not None:
            return self._asked.question
        name, mode = self._state.running.hostname, self._session.mode
        if mode is None:
            return f"{name}{'#' if self._session.privileged else '>'}"
        return f"{name[:LONGEST_NAME]}({submode(mode)})#"

    @property
    def hidden(self) -> bool:
        """A password is not echoed."""
        return self._asked is not None and self._asked.hidden

    @property
    def page(self) -> int:
        """What ``terminal length`` says."""
        return self._session.length

    @property
    def over(self) -> bool:
        """After ``exit``, or when the device forgot this login."""
        return self._session.over

    def line(self, text: str, more: bool) -> str:
        """One line; what is said to it. Raises Dropped."""
        faults = self._hooks.faults
        stall = faults.seconds("stall") if text.strip() else 0.0
        if stall:
            time.sleep(stall / self._hooks.speed)
        with self._state.lock:
            if self._gone:
                raise Dropped
            timer = self._state.timer
            said = self._line(text)
            if not more:
                ios_state.settle(self._state)
            self._after(text, timer)
            if text.strip() and faults.count("log-line"):
                said += f"*{stamp()}: %SYS-5-CONFIG_I: Configured from console by operator on vty7 (192.0.2.99)#\n"
            if text.strip() and faults.count("drop-session"):
                ios_state.settle(self._state)
                raise Dropped
        return said

    def _after(self, text: str, timer: object) -> None:
        """Tell the switch that a change is active: at the end of configuration under a timer, or after a file."""
        words = text.split()
        left = self._session.mode is None and words[:1] in (["end"], [END], ["exit"])
        whole = words[:1] == ["copy"] and words[-1:] == ["running-config"]
        if (self._state.timer is not None and left) or whole or (timer is not self._state.timer and _replaces(words)):
            self._hooks.committed()

    def _line(self, text: str) -> str:
        try:
            if self._asked is not None:
                asked, self._asked = self._asked, None
                return self._answer(asked.then(text.strip()))
            return self._command(text)
        except (InvalidInput, Ambiguous, Said) as refusal:
            return complaint(refusal, text, len(self.prompt))

    def _answer(self, answer: str | Ask) -> str:
        if isinstance(answer, Ask):
            self._asked = answer
            return ""
        return answer

    def _command(self, text: str) -> str:
        session, words = self._session, text.split()
        if text == END or words == ["end"]:
            if session.mode is None and words == ["end"]:
                raise InvalidInput(0, "end")
            return self._leave()
        if not words or words[0].startswith("!"):
            return ""
        if session.mode is None:
            return self._exec(text)
        if words[0] == "do" and len(words) > 1:
            return self._do(text)
        if words == ["exit"]:
            if session.mode == GLOBAL:
                return self._leave()
            session.mode = GLOBAL
            return ""
        session.mode = ios_state.apply_line(self._state, session.mode, text, session.user)
        return ""

    def _exec(self, text: str) -> str:
        try:
            return self._answer(execute(self._state, self._session, text))
        except InvalidInput as refusal:
            if refusal.token == 0 and len(text.split()) == 1 and refusal.what == "Invalid input":
                return "% Unknown command or computer name, or unable to find computer address\n"
            raise

    def _do(self, text: str) -> str:
        skipped = text.index("do") + 2
        mode = self._session.mode
        try:
            said = self._answer(execute(self._state, self._session, text[skipped:]))
        except (InvalidInput, Ambiguous, Said) as refusal:
            return complaint(refusal, text[skipped:], len(self.prompt) + skipped)
        if self._session.mode is not None:
            self._session.mode = mode
        return said

    def _leave(self) -> str:
        self._session.mode = None
        ios_state.release(self._state, self._session.owner)
        return ""

    def forget(self) -> None:
        """The device restarts: nothing of this login is left."""
        self._gone = True

    def hang_up(self) -> None:
        """The connection has ended: leave the configuration mode; a revert timer runs on."""
        with self._state.lock:
            self._leave()
            ios_state.settle(self._state)


def _replaces(words: list[str]) -> bool:
    return words[:2] == ["configure", "replace"]
