"""One simulated NX-OS switch of the lab. It refuses what it does not know, in the vendor's words."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from configlet.lab import switch_lists, switch_nxos_files, switch_nxos_state
from configlet.lab import switch_nxos_config as nxos_config
from configlet.lab.parsers import nxos
from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.switch_cli import END, Ask
from configlet.lab.switch_lists import GLOBAL, ListConfig
from configlet.lab.switch_lists_state import apply_line, settle
from configlet.lab.switch_lists_switch import ListSwitch
from configlet.lab.switch_match import Ambiguous, Said
from configlet.lab.switch_nxos_baseline import baseline
from configlet.lab.switch_nxos_config import SCHEDULE
from configlet.lab.switch_nxos_exec import Session, execute, structured
from configlet.lab.switch_nxos_state import NxosState
from configlet.lab.switch_scp import Flash, Refuses
from configlet.lab.switch_terminal import ShellTerminal, marked
from configlet.model.inventory import Device, Inventory

BANNER = "Simulated NX-OS switch of the lab: no vendor software here\n\n"
WRONG = "% {} command at '^' marker."


class NxosShell:
    """One login: its modes, and what a line is in each."""

    def __init__(self, state: NxosState, user: str, *, anywhere: bool = False) -> None:
        """``anywhere``: a configuration line is taken outside configuration mode too, as the API takes it."""
        self._state = state
        self.session = Session(user)
        self._anywhere = anywhere

    @property
    def length(self) -> int:
        """What ``terminal length`` says."""
        return self.session.length

    @property
    def over(self) -> bool:
        """After ``exit``."""
        return self.session.over

    @property
    def prompt(self) -> str:
        """As NX-OS prints it."""
        session, name = self.session, self._state.running.hostname
        if session.mode is None:
            return f"{name}# "
        return f"{name}(config{'-s' * bool(session.within)}{nxos_config.submode(session.mode)})# "

    @property
    def hidden(self) -> bool:
        """Every line is echoed."""
        return False

    def run(self, line: str) -> str | Ask:
        """Carry out one line. Raises InvalidInput, Ambiguous and Said."""
        words = line.split()
        if line == END or words == ["end"]:
            if self.session.mode is None and words:
                raise InvalidInput(0, "end")
            return self._leave()
        if not words or words[0].startswith("!"):
            return ""
        if self.session.mode is None:
            return self._outside(line)
        if words == ["exit"]:
            return self._up()
        if self.session.within:
            return self._in_session(words, line)
        return self._configured(line)

    def _outside(self, line: str) -> str | Ask:
        if not self._anywhere:
            return execute(self._state, self.session, line)
        try:
            return execute(self._state, self.session, line)
        except InvalidInput as refusal:
            try:
                self.session.mode = GLOBAL
                return self._configured(line)
            except InvalidInput as other:
                self.session.mode = None
                raise max(refusal, other, key=lambda found: found.token) from None

    def _configured(self, line: str) -> str | Ask:
        assert self.session.mode is not None
        try:
            mode = apply_line(self._state, self.session.mode, line)
        except InvalidInput as refusal:
            return self._do(line, refusal)
        if mode.startswith(SCHEDULE) or self.session.mode.startswith(SCHEDULE) or "scheduler" in line:
            switch_nxos_state.follow(self._state)
        self.session.mode = mode
        return ""

    def _do(self, line: str, refusal: InvalidInput) -> str | Ask:
        """NX-OS carries out commands of the exec mode in configuration mode too."""
        if line.split(maxsplit=1)[0] in ("configure", "exit"):
            raise refusal
        try:
            return execute(self._state, self.session, line)
        except (InvalidInput, Ambiguous):
            raise refusal from None

    def _up(self) -> str:
        session = self.session
        if session.mode == GLOBAL:
            return self._leave()
        session.mode = GLOBAL
        return ""

    def _leave(self) -> str:
        self.session.mode, self.session.within = None, ""
        return ""

    def _in_session(self, words: Sequence[str], line: str) -> str | Ask:
        session = self.session
        found = self._state.sessions.get(session.within)
        if found is None:
            self._leave()
            raise Said("ERROR: The session does not exist any more")
        assert session.mode is not None
        if words == ["verify"]:
            switch_nxos_state.verify(self._state, found)
            return "Verification Successful\n"
        if words == ["commit"]:
            switch_nxos_state.commit(self._state, found)
            self._leave()
            return "Commit Successful\n"
        if words == ["abort"]:
            del self._state.sessions[found.name]
            return self._leave()
        if words[0] == "show":
            return execute(self._state, session, line)
        session.mode = switch_nxos_state.session_line(self._state, found, session.mode, line)
        return ""

    def complaint(self, refusal: Exception, line: str) -> str:
        """What the device says about a line that it refuses."""
        return marked(refusal, line, len(self.prompt), WRONG)

    def hang_up(self) -> None:
        """Sessions stay; the mode is gone."""
        self._leave()


@dataclass(frozen=True, slots=True)
class Reply:
    """What one command of a request gave."""

    text: str = ""
    data: dict[str, object] | None = None
    error: str = ""


class NxosSwitch(ListSwitch):
    """A switch with its configuration, checkpoints, sessions, scheduler and data plane."""

    def __init__(
        self, device: Device, inventory: Inventory, apply: Callable[[str, str], None], speed: float = 1.0
    ) -> None:
        fixed = baseline(device, inventory)
        super().__init__(fixed, nxos.read, apply, speed)
        config = switch_lists.initial(nxos.NXOS, fixed)
        self._state = NxosState(
            running=config,
            startup=config.copy(),
            program=self._program,
            grammar=nxos_config.GRAMMAR,
            speed=speed,
            refuses=self._faults.refuses,
        )

    @property
    def state(self) -> NxosState:
        """What the switch keeps."""
        return self._state

    def text(self, config: ListConfig) -> str:
        """A configuration as ``show running-config`` prints it."""
        return nxos_config.text(config, "show running-config", self._state.changed)

    def terminal(self, user: str) -> ShellTerminal:
        """A new login on the command line."""
        return self._opened(ShellTerminal(BANNER, NxosShell(self._state, user), self._hooks()))

    def _flash(self) -> Flash:
        return Flash(self._read, self._write)

    def _read(self, path: str) -> bytes:
        return self._scp(path, lambda name: switch_nxos_files.content(self._state, name))

    def _write(self, path: str, data: bytes) -> None:
        def write(name: str) -> bytes:
            switch_nxos_files.put(self._state, name, data)
            return b""

        self._scp(path, write)

    def _scp(self, path: str, act: Callable[[str], bytes]) -> bytes:
        with self._state.lock:
            try:
                return act(switch_nxos_files.name_of(path, 0))
            except (InvalidInput, Said) as why:
                raise Refuses(f"{path}: {why}") from why

    def request(self, commands: Sequence[str], user: str) -> list[Reply]:
        """Carry out the commands of one request, as NX-API does; the first that fails is the last of the replies."""
        time.sleep(self.stall)
        shell = NxosShell(self._state, user, anywhere=True)
        replies: list[Reply] = []
        with self._state.lock:
            active = self._state.active
            for command in commands:
                replies.append(_replied(self._state, shell, command))
                if replies[-1].error:
                    break
            settle(self._state)
            if self._state.active != active:
                self.committed()
        return replies

    def restart(self) -> None:
        """End schedules and sessions."""
        switch_nxos_state.stop(self._state)


def _replied(state: NxosState, shell: NxosShell, command: str) -> Reply:
    data = structured(state, command) if shell.session.mode is None else None
    try:
        said = shell.run(command)
    except (InvalidInput, Ambiguous, Said) as refusal:
        return Reply(error=shell.complaint(refusal, command))
    if isinstance(said, Ask):
        return Reply(error="The command asks a question; begin with terminal dont-ask")
    return Reply(said, data)
