"""What one login is to a simulated IOS-XE switch: prompts, modes, questions."""

from __future__ import annotations

from configlet.lab import switch_ios_state as ios_state
from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.switch_cli import END, Ask
from configlet.lab.switch_ios_exec import Session, complaint, execute
from configlet.lab.switch_ios_lines import GLOBAL, submode
from configlet.lab.switch_ios_state import IosState
from configlet.lab.switch_match import Ambiguous, Said

BANNER = """
#################################################################
#  Simulated IOS-XE switch of the lab: no vendor software here  #
#################################################################

"""
LONGEST_NAME = 20
"""Characters of the host name that are left of it in the prompt of a configuration mode."""


class IosShell:
    """One login: its modes, and what a line is in each."""

    hidden = False
    """Every line is echoed but the answers of questions that say otherwise."""

    def __init__(self, state: IosState, session: Session) -> None:
        self._state = state
        self._session = session
        self.active = 0
        """Changes that this login made active: configuration under a timer that it left, and whole files."""

    @property
    def prompt(self) -> str:
        """As IOS-XE prints it."""
        name, mode = self._state.running.hostname, self._session.mode
        if mode is None:
            return f"{name}{'#' if self._session.privileged else '>'}"
        return f"{name[:LONGEST_NAME]}({submode(mode)})#"

    @property
    def length(self) -> int:
        """What ``terminal length`` says."""
        return self._session.length

    @property
    def over(self) -> bool:
        """After ``exit``, or when the device forgot this login."""
        return self._session.over

    def complaint(self, refusal: Exception, line: str) -> str:
        """What IOS-XE says about a line that it refuses."""
        return complaint(refusal, line, len(self.prompt))

    def run(self, line: str) -> str | Ask:
        """Carry out one line. Raises InvalidInput, Ambiguous and Said."""
        timer = self._state.timer
        try:
            return self._line(line)
        finally:
            words = line.split()
            left = self._session.mode is None and words[:1] in (["end"], [END], ["exit"])
            whole = words[:1] == ["copy"] and words[-1:] == ["running-config"]
            replaced = words[:2] == ["configure", "replace"] and timer is not self._state.timer
            self.active += (self._state.timer is not None and left) or whole or replaced

    def _line(self, text: str) -> str | Ask:
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

    def _exec(self, text: str) -> str | Ask:
        try:
            return execute(self._state, self._session, text)
        except InvalidInput as refusal:
            if refusal.token == 0 and len(text.split()) == 1 and refusal.what == "Invalid input":
                return "% Unknown command or computer name, or unable to find computer address\n"
            raise

    def _do(self, text: str) -> str | Ask:
        skipped = text.index("do") + 2
        mode = self._session.mode
        try:
            said = execute(self._state, self._session, text[skipped:])
        except (InvalidInput, Ambiguous, Said) as refusal:
            return complaint(refusal, text[skipped:], len(self.prompt) + skipped)
        if self._session.mode is not None:
            self._session.mode = mode
        return said

    def _leave(self) -> str:
        self._session.mode = None
        ios_state.release(self._state, self._session.owner)
        return ""

    def hang_up(self) -> None:
        """The connection has ended: leave the configuration mode; a revert timer runs on."""
        self._leave()
