"""One simulated IOS-XR router of the lab. It refuses what it does not know, in the vendor's words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from configlet.lab import switch_iosxr_config as xr_config
from configlet.lab import switch_iosxr_state, switch_iosxr_xml, switch_lists
from configlet.lab.parsers import iosxr
from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.switch_cli import END, Ask
from configlet.lab.switch_iosxr_baseline import baseline
from configlet.lab.switch_iosxr_exec import Session, commit, execute, show_in_configuration, targeted
from configlet.lab.switch_iosxr_state import XrState
from configlet.lab.switch_lists import GLOBAL, ListConfig
from configlet.lab.switch_lists_switch import ListSwitch
from configlet.lab.switch_terminal import ShellTerminal, marked
from configlet.model.inventory import Device, Inventory

BANNER = "\nSimulated IOS-XR router of the lab: no vendor software here\n\n"
WRONG = "% {} input detected at '^' marker."
PLACE = "RP/0/RP0/CPU0:"
XML = "XML> "
EXITING = (
    "\r\nYou are exiting after a 'commit confirm' with an active rollback session.  If you exit the configuration awaiting "
    "confirmation will not be confirmed and the router will immediately rollback to the previous configuration.\r\n"
)
LEAVING = "Do you wish to exit? [no]:"
TIMED = ("show", "do", "configure", "commit", "rollback")
"""Commands whose answer begins with the time."""
LOSING = "Uncommitted changes found, commit them before exiting(yes/no/cancel)? [cancel]:"


class XrShell:
    """One login: its modes, and what a line is in each. In the XML agent lines are parts of a request."""

    def __init__(self, state: XrState, user: str) -> None:
        self._state = state
        self.session = Session(user)
        self._request: list[str] | None = None

    @property
    def length(self) -> int:
        """What ``terminal length`` says; the XML agent knows no pages."""
        return self.session.length if self._request is None else 0

    @property
    def over(self) -> bool:
        """After ``exit``."""
        return self.session.over

    @property
    def hidden(self) -> bool:
        """The XML agent echoes nothing."""
        return self._request is not None

    @property
    def prompt(self) -> str:
        """As IOS-XR prints it; nothing within a request."""
        if self._request is not None:
            return "" if self._request else XML
        session, name = self.session, f"{PLACE}{self._state.running.hostname}"
        if not session.configuring:
            return f"{name}#"
        return f"{name}(config{xr_config.submode(session.target.mode if session.target else GLOBAL)})#"

    def run(self, line: str) -> str | Ask:
        """Carry out one line. Raises InvalidInput, Ambiguous and Said."""
        if self._request is not None:
            return self._in_agent(line)
        words = line.split()
        said = self._carried_out(words, line)
        if isinstance(said, Ask) or not words or words[0] not in TIMED:
            return said
        return f"{datetime.now(UTC):%a %b %d %H:%M:%S.%f}"[:-3] + f" UTC\n{said}"

    def _carried_out(self, words: list[str], line: str) -> str | Ask:
        if self.session.configuring:
            return self._configured(words, line)
        if not words or words[0].startswith("!"):
            return ""
        if words == ["xml"]:
            self._request = []
            return ""
        return execute(self._state, self.session, line)

    def _in_agent(self, line: str) -> str:
        assert self._request is not None
        if not self._request and line.split() in ([], ["exit"]):
            self._request = None if line.split() else []
            return ""
        self._request.append(line)
        if switch_iosxr_xml.ENDING not in line:
            return ""
        text, self._request = "\n".join(self._request), []
        return switch_iosxr_xml.answer(self._state, self.session, text.strip(), self.complaint)

    def _configured(self, words: list[str], line: str) -> str | Ask:
        state, session = self._state, self.session
        into = targeted(state, session) if session.target is None else session.target
        if line == END or words == ["end"] or (words == ["exit"] and into.mode == GLOBAL):
            return Ask(LOSING, self._lost) if into.steps else self._leave()
        if not words or words[0].startswith("!"):
            return ""
        if words in (["exit"], ["root"]):
            into.mode = GLOBAL
            return ""
        if words == ["clear"]:
            session.target = None
            return ""
        if words == ["abort"]:
            return self._leave()
        if words[0] == "commit":
            return commit(state, session, words)
        if words[:2] == ["do", "show"]:
            return execute(state, session, line.replace("do", "", 1))
        shown = show_in_configuration(state, session, line)
        if shown is not None:
            return shown
        switch_iosxr_state.line(state, into, line)
        return ""

    def _lost(self, answer: str) -> str | Ask:
        if "yes".startswith(answer or "cancel"):
            commit(self._state, self.session, ["commit"])
            return self._leave()
        return self._leave() if "no".startswith(answer or "cancel") else ""

    def _leave(self) -> str | Ask:
        trial = self._state.trial
        if trial is None or trial.who is not self.session:
            return self._left()
        return Ask(f"{EXITING}{LEAVING}", self._given_up)

    def _given_up(self, answer: str) -> str | Ask:
        """The answer to whether the trial is to end now."""
        trial = self._state.trial
        if not answer or not "yes".startswith(answer.lower()):
            return ""
        if trial is not None and trial.who is self.session:
            switch_iosxr_state.taken_back(self._state)
        return self._left()

    def _left(self) -> str:
        session, state = self.session, self._state
        session.configuring, session.target = False, None
        state.editing = [who for who in state.editing if who is not session]
        if state.held is session:
            state.held = None
        return ""

    def complaint(self, refusal: Exception, line: str) -> str:
        """What the device says about a line that it refuses."""
        if isinstance(refusal, InvalidInput) and refusal.what == "Incomplete command":
            return "% Incomplete command.\n"
        return marked(refusal, line, len(self.prompt), WRONG)

    def hang_up(self) -> None:
        """The target configuration of a login, and its lock, go with it; a trial is left to its timer."""
        self._left()


class XrSwitch(ListSwitch):
    """A router with its configuration, commits and data plane."""

    def __init__(
        self, device: Device, inventory: Inventory, apply: Callable[[str, str], None], speed: float = 1.0
    ) -> None:
        fixed = baseline(device, inventory)
        super().__init__(fixed, iosxr.read, apply, speed)
        config = switch_lists.initial(iosxr.IOSXR, fixed)
        self._state = XrState(
            running=config,
            startup=config.copy(),
            program=self._program,
            grammar=xr_config.GRAMMAR,
            speed=speed,
            refuses=self._faults.refuses,
        )

    @property
    def state(self) -> XrState:
        """What the router keeps."""
        return self._state

    def text(self, config: ListConfig) -> str:
        """A configuration as ``show running-config`` prints it."""
        return xr_config.text(config, self._state.changed)

    def startup_text(self) -> str:
        """What was committed for good: there is no other startup configuration."""
        with self._state.lock:
            return self.text(switch_iosxr_state.starts(self._state))

    def terminal(self, user: str) -> ShellTerminal:
        """A new login on the command line."""
        return self._opened(ShellTerminal(BANNER, XrShell(self._state, user), self._hooks()))

    def restart(self) -> None:
        """A commit that waits to be confirmed is not there after a restart of this simulated router."""
        self._state.startup = switch_iosxr_state.starts(self._state).copy()
        switch_iosxr_state.stop(self._state)
