"""One login on the command line of a simulated EOS switch, for clients that use SSH instead of eAPI."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from configlet.lab import switch_exec, switch_ios_diff
from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.switch_cli import END, Dropped
from configlet.lab.switch_config import GLOBAL
from configlet.lab.switch_exec import Reply, Terminal
from configlet.lab.switch_faults import Faults
from configlet.lab.switch_lines import CannotRun
from configlet.lab.switch_state import State

SESSION_SHOWN = 6
"""Characters of a session's name in the prompt."""
FILTERS = ("include", "exclude", "begin", "section")


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a terminal asks of its switch."""

    faults: Faults
    speed: float
    committed: Callable[[], None]
    """A commit with a timer has become active."""


class EosTerminal:
    """A login. Safe to use from one thread at a time; the switch's lock covers the rest."""

    greeting = ""
    hidden = False

    def __init__(self, state: State, terminal: Terminal, hooks: Hooks) -> None:
        self._state = state
        self._terminal = terminal
        self._hooks = hooks
        self._page = 24
        self._restarts = state.restarts
        self._over = False

    @property
    def prompt(self) -> str:
        """As EOS prints it."""
        name, here = self._state.running.hostname, self._terminal
        if here.target is None:
            return f"{name}{'#' if here.enabled else '>'}"
        session = f"-s-{here.session.name[:SESSION_SHOWN]}" if here.session else ""
        return f"{name}(config{session}{_section(here.section)})#"

    @property
    def page(self) -> int:
        """What ``terminal length`` says."""
        return self._page

    @property
    def over(self) -> bool:
        """After ``exit``."""
        return self._over

    def line(self, text: str, more: bool) -> str:  # noqa: ARG002 - changes become active at once or at a commit
        """One line; what is said to it. Raises Dropped."""
        faults = self._hooks.faults
        stall = faults.seconds("stall") if text.strip() else 0.0
        if stall:
            time.sleep(stall / self._hooks.speed)
        with self._state.lock:
            if self._state.restarts != self._restarts:
                raise Dropped
            timer = self._state.timer
            said = self._line("end" if text == END else text)
            if self._state.timer is not None and self._state.timer is not timer:
                self._hooks.committed()
            if text.strip() and faults.count("drop-session"):
                raise Dropped
        return said

    def _line(self, text: str) -> str:
        try:
            return self._command(text)
        except InvalidInput as refusal:
            return f"% {refusal.what}\n"
        except CannotRun as refusal:
            return f"% {refusal}\n"

    def _command(self, text: str) -> str:
        outside = self._terminal.target is None
        match text.split():
            case ["terminal", "width", columns] if columns.isdigit():
                return f"Width set to {columns} columns.\n"
            case ["terminal", "length", lines] if lines.isdigit():
                self._page = int(lines)
                return f"Pagination set to {lines} lines.\n" if self._page else "Pagination disabled.\n"
            case ["exit" | "logout"] if outside:
                self._over = True
                return ""
            case ["disable"] if outside:
                self._terminal.enabled = False
                return ""
        command, bar, rest = text.partition("|")
        reply = switch_exec.execute(self._state, self._terminal, command if _piped(text) else text)
        return _through(reply, rest.split()) if bar and _piped(text) else reply.text

    def hang_up(self) -> None:
        """The connection has ended: what was not committed is dropped, a commit timer runs on."""
        with self._state.lock:
            self._terminal.leave()


def _piped(text: str) -> bool:
    return text.split()[:1] == ["show"]


def _through(reply: Reply, words: list[str]) -> str:
    """A reply behind a bar."""
    if words == ["json"]:
        if reply.data is None:
            raise CannotRun("This is an unconverted command")
        return json.dumps(reply.data, indent=4) + "\n"
    if len(words) < 2 or words[0] not in FILTERS:
        raise InvalidInput(0, "|")
    try:
        return switch_ios_diff.filtered(reply.text, words[0], " ".join(words[1:]))
    except re.error as why:
        raise CannotRun(f"invalid regular expression: {why}") from why


def _section(section: str) -> str:
    match section.split():
        case ["ip", "access-list", name]:
            return f"-acl-{name}"
        case ["ipv6", "access-list", name]:
            return f"-ipv6-acl-{name}"
        case ["interface", name]:
            return f"-if-{re.sub('[a-z]{2,}', lambda word: word[0][:1], name)}"
        case [word, *_] if section != GLOBAL:
            return f"-{word}"
    return ""
