"""Commands of a simulated EOS switch outside configuration: what NAPALM's eos driver sends, and little more.

A command that is not in this module is refused, never answered as success.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from configlet.lab import switch_config, switch_state
from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.switch_config import FAMILY_WORD, GLOBAL, Config
from configlet.lab.switch_lines import FAMILY_OF, CannotRun, enter, start_clean
from configlet.lab.switch_state import Session, State

VERSION = "4.33.1F"
COPIED = "Copy completed successfully.\n"
TIMER = re.compile(r"(\d{1,2}):([0-5]\d):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one command: as text, and as data. ``data`` None: EOS has no model for it (error 1003)."""

    text: str = ""
    data: dict[str, Any] | None = field(default_factory=dict)


@dataclass(slots=True)
class Terminal:
    """Where one list of commands stands. ``target`` is the configuration that is being changed, if one is."""

    user: str
    enabled: bool = False
    target: Config | None = None
    session: Session | None = None
    section: str = GLOBAL
    refuses: Callable[[str], bool] = lambda _: False
    """Configuration lines that are refused although they are right (a fault on demand)."""

    def leave(self) -> None:
        """Back to the prompt outside configuration."""
        self.target, self.session, self.section = None, None, GLOBAL


def execute(state: State, terminal: Terminal, line: str) -> Reply:
    """Carry out one command. Raises InvalidInput and CannotRun."""
    words = line.split()
    if not line.isprintable():
        raise InvalidInput(0, words[0] if words else "")
    if not words or words[0].startswith("!"):
        return Reply()
    if words == ["enable"]:
        terminal.enabled = True
        return Reply()
    if words[0] == "show":
        return _show(state, terminal, words)
    if not terminal.enabled:
        raise InvalidInput(0, words[0], "Invalid input (privileged mode required)")
    if terminal.target is not None and words[0] not in ("configure", "copy", "write"):
        return _configuring(state, terminal, terminal.target, line, words)
    return _exec(state, terminal, words)


def _configuring(state: State, terminal: Terminal, target: Config, line: str, words: list[str]) -> Reply:
    if words == ["end"]:
        _close(state, terminal)
    elif words == ["exit"]:
        if terminal.section == GLOBAL:
            _close(state, terminal)
        terminal.section = GLOBAL
    elif terminal.session is not None and words[0] in ("commit", "abort"):
        name = terminal.session.name
        terminal.leave()
        _finish_session(state, name, words)
    elif terminal.session is not None and words == ["rollback", "clean-config"]:
        start_clean(target)
    elif terminal.refuses(line):
        raise InvalidInput(0, words[0])
    else:
        terminal.section = enter(target, terminal.section, line)
    return Reply()


def _close(state: State, terminal: Terminal) -> None:
    """Leave configuration. Outside a session the changes become active here, as EOS commits a list on leaving it."""
    if terminal.target is not None and terminal.session is None:
        switch_state.install(state, terminal.target)
    terminal.leave()


def hang_up(state: State, terminal: Terminal) -> None:
    """The end of a list of commands, wherever it stands."""
    _close(state, terminal)


def _exec(state: State, terminal: Terminal, words: list[str]) -> Reply:
    if terminal.target is not None:
        _close(state, terminal)
    match words:
        case ["configure"] | ["configure", "terminal"]:
            terminal.target = state.running.copy()
        case ["configure", "session", name]:
            terminal.session = switch_state.open_session(state, name, terminal.user)
            terminal.target = terminal.session.config
        case ["configure", "session", name, *rest]:
            _finish_session(state, name, rest, 3)
        case ["configure", "replace", source]:
            switch_state.install(state, _source(state, source, words).copy())
        case ["write", "memory"] | ["write"] | ["copy", "running-config", "startup-config"]:
            state.startup = state.running.copy()
            return Reply(COPIED, {"messages": [COPIED.strip()]})
        case ["copy", source, target] if target.startswith("flash:") and len(target) > len("flash:"):
            state.files[target.replace("flash:/", "flash:")] = _source(state, source, words).copy()
            return Reply(COPIED, {"messages": [COPIED.strip()]})
        case ["reload", "now"]:
            switch_state.reload(state)
        case ["end"] | ["exit"]:
            pass
        case [("configure" | "copy" | "reload") as known, *_] if len(words) > 1:
            raise InvalidInput(1, words[1]) if known != "copy" else InvalidInput(len(words) - 1, words[-1])
        case _:
            raise InvalidInput(0, words[0])
    return Reply()


def _finish_session(state: State, name: str, words: list[str], token: int = 0) -> None:
    match words:
        case ["commit"]:
            switch_state.commit(state, name, None)
        case ["commit", "timer", text] if (found := TIMER.fullmatch(text)) and text.strip("0:"):
            hours, minutes, seconds = map(int, found.groups())
            switch_state.commit(state, name, float(hours * 3600 + minutes * 60 + seconds))
        case ["abort"]:
            switch_state.abort(state, name)
        case _:
            raise InvalidInput(token + len(words) - 1, words[-1])


def _source(state: State, name: str, words: list[str]) -> Config:
    known = {"running-config": state.running, "startup-config": state.startup, **state.files}
    config = known.get(name.replace("flash:/", "flash:"))
    if config is None:
        if name.startswith("flash:"):
            raise CannotRun(f"Error opening {name} (No such file or directory)")
        raise InvalidInput(words.index(name), name)
    return config


def _show(state: State, terminal: Terminal, words: list[str]) -> Reply:
    known = SHOWS.get(" ".join(words[1:]))
    if known is not None:
        return known(state)
    privileged = terminal.enabled
    match words[1:]:
        case [("running-config" | "startup-config") as which, *rest] if privileged and rest in ([], ["sanitized"]):
            config = state.running if which == "running-config" else state.startup
            return Reply(switch_config.show(config, " ".join(words), VERSION), None)
        case ["session-config", "named", name, *rest] if privileged and rest in ([], ["diffs"], ["sanitized"]):
            if name not in state.sessions:
                raise CannotRun(f"Session {name} does not exist")
            config = state.sessions[name].config
            text = diffs(state, name) if rest == ["diffs"] else switch_config.show(config, " ".join(words), VERSION)
            return Reply(text, None)
        case [("ip" | "ipv6") as word, "access-lists", *name] if len(name) < 2:
            return Reply(_access_lists(state.running, word, name), None)
    raise InvalidInput(len(words) - 1, words[-1]) if len(words) > 1 else InvalidInput(0, "show", "Incomplete command")


def diffs(state: State, name: str) -> str:
    """The difference between the running configuration and a session, as a unified diff."""
    old, new = switch_config.body(state.running), switch_config.body(state.sessions[name].config)
    lines = difflib.unified_diff(old, new, "system:/running-config", f"session:/{name}-session-config", lineterm="")
    return "".join(f"{line}\n" for line in lines)


def _access_lists(config: Config, word: str, names: list[str]) -> str:
    out = []
    for (family, name), acl in sorted(config.acls.items()):
        if family == FAMILY_OF[word] and names in ([], [name]):
            lines = switch_config.acl_lines(family, name, acl)
            out += [f"{FAMILY_WORD[family].upper().replace('V', 'v')} Access List {name}"]
            out += ["        " + line.strip() for line in lines[1:]] + [""]
    return "".join(f"{line}\n" for line in out)


def _version(state: State) -> Reply:
    model = state.running.baseline.model
    data = {
        "modelName": model, "version": VERSION, "uptime": round(state.uptime(), 2), "mfgName": "Arista (simulated)",
        "hardwareRevision": "00.00", "serialNumber": "SIMULATED", "systemMacAddress": "02:1c:73:00:00:01",
        "architecture": "i686", "internalVersion": VERSION, "isIntlVersion": False,
    }  # fmt: skip
    text = f"Arista {model} (simulated)\nSoftware image version: {VERSION}\nUptime: {int(state.uptime())} seconds\n"
    return Reply(text, data)


def _hostname(state: State) -> Reply:
    name = state.running.hostname
    return Reply(f"Hostname: {name}\nFQDN:     {name}\n", {"hostname": name, "fqdn": name})


def _sessions(state: State) -> Reply:
    """From EOS 4.32 on the timer is named at the top, and only while it runs; its session is committed already."""
    fixed = {"commitUser": "", "description": "", "instances": {}}
    data: dict[str, Any] = {
        "sessions": {s.name: {"state": s.state, **fixed} for s in state.sessions.values()},
        "maxSavedSessions": 1,
        "maxOpenSessions": switch_state.OPEN_SESSIONS,
        "mergeOnCommit": False,
        "saveToStartupConfigOnCommit": False,
    }
    rows = [f"  {s.name:<30} {s.state:<12} {s.user}" for s in state.sessions.values()]
    return Reply("\n".join(["  Name                           State        User", *rows]) + "\n", data)


def _sessions_detail(state: State) -> Reply:
    reply = _sessions(state)
    if state.timer is None or reply.data is None:
        return reply
    timer = {"commitTimerSessionName": state.timer.session, "commitTimerExpireTime": round(state.timer.deadline, 2)}
    return Reply(reply.text, reply.data | timer)


SHOWS: dict[str, Callable[[State], Reply]] = {
    "version": _version,
    "hostname": _hostname,
    "configuration sessions": _sessions,
    "configuration sessions detail": _sessions_detail,
}
