"""Commands of a simulated IOS-XR router, outside and inside configuration. What is not in this module is refused."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from configlet.lab import switch_iosxr_config as xr_config
from configlet.lab import switch_iosxr_state as xr_state
from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.switch_iosxr_state import Target, XrState
from configlet.lab.switch_match import match
from configlet.lab.switch_words import leave, length, number_in, width


@dataclass(slots=True)
class Session:
    """One login. ``target`` is its target configuration while it is in configuration mode or in the XML agent."""

    user: str
    target: Target | None = None
    configuring: bool = False
    length: int = 24
    over: bool = False


Command = Callable[[XrState, Session, Sequence[str]], str]


def execute(state: XrState, session: Session, line: str) -> str:
    """Carry out one command of the exec mode. Raises InvalidInput, Ambiguous and Said."""
    verb, taken = match(line.split(), EXEC)
    return verb(state, session, [*taken, line])


def show_in_configuration(state: XrState, session: Session, line: str) -> str | None:
    """What a ``show`` command of the configuration mode says; None for a line that is none."""
    if line.split()[:1] != ["show"]:
        return None
    verb, taken = match(line.split(), SHOW_TARGET)
    return verb(state, session, [*taken, line])


def targeted(state: XrState, session: Session) -> Target:
    """The session's target configuration, begun when it has none. One without a line begins anew with what runs."""
    if session.target is None or not session.target.steps:
        session.target = xr_state.target(state)
    return session.target


def _configure(state: XrState, session: Session, _: Sequence[str]) -> str:
    session.configuring, session.target = True, xr_state.target(state)
    state.editing.append(session)
    return ""


def _configure_alone(state: XrState, session: Session, taken: Sequence[str]) -> str:
    xr_state.lock(state, session)
    return _configure(state, session, taken)


def _rollback(state: XrState, session: Session, taken: Sequence[str]) -> str:
    xr_state.rollback(state, number_in(taken, 3, 1, 100), session.user)
    return "Loading Rollback Changes.\nLoaded Rollback Changes in 1 sec\nCommitting.\nConfiguration successfully rolled back.\n"


def _running(state: XrState, _: Session, __: Sequence[str]) -> str:
    return xr_config.text(state.running, state.changed)


def _merge(state: XrState, session: Session, _: Sequence[str]) -> str:
    return xr_config.text(targeted(state, session).config, state.changed)


def _target(state: XrState, session: Session, _: Sequence[str]) -> str:
    lines = [f"{' ' * inside}{said.strip()}" for inside, said in targeted(state, session).steps]
    return "\n".join(["Building configuration...", f"!! IOS XR Configuration {xr_config.VERSION}", *lines, "end", ""])


def _changes(state: XrState, session: Session, _: Sequence[str]) -> str:
    """What a replace would change."""
    new = xr_config.body(xr_config.alone(state.running, targeted(state, session).steps))
    found = difflib.ndiff(xr_config.body(state.running), new)
    lines = [line[0] + line[1:] for line in found if line[0] in "+-"]
    return "\n".join(["Building configuration...", f"!! IOS XR Configuration {xr_config.VERSION}", *lines, "end", ""])


def _commits(state: XrState, _: Session, taken: Sequence[str]) -> str:
    most = int(taken[0]) if len(taken) > 1 and taken[0].isdigit() else len(state.commits)
    out: list[str] = []
    for number, found in enumerate(reversed(state.commits[-most:] if most else []), 1):
        out += [
            f"   {number}) CommitId: {found.number:<20} Label: {found.label or 'NONE'}",
            f"      UserId:   {found.user:<20} Line:  vty0",
            f"      Client:   {found.client:<20} Time:  {found.when:%a %b %d %H:%M:%S %Y}",
            f"      Comment:  {found.comment or 'NONE'}",
        ]
    return "".join(f"{line}\n" for line in out)


def _sessions(state: XrState, _: Session, __: Sequence[str]) -> str:
    """Logins that configure, and a trial that waits, which is a session of its own."""
    rows = [("CLI", "config", "Reserved" if who is state.held else "None") for who in state.editing]
    rows += [("commit-confirm", "cfgmgr_trial_co", "None")] * (state.trial is not None)
    out: list[str] = []
    for number, (client, process, locked) in enumerate(rows, 1):
        out += [
            f"  {number}) Session: 00001000-{number:08x}-00000000  {datetime.now(UTC):%a %b %d %H:%M:%S %Y}",
            f"     Line: vty{number - 1:<27}Lock: {locked}",
            f"     User: {'admin':<30}Client: {client}",
            f"     Process: {process:<27}PID: {20000 + number}",
            "",
        ]
    return "".join(f"{line}\n" for line in out)


def _version(state: XrState, _: Session, __: Sequence[str]) -> str:
    return (
        f"Cisco IOS XR Software, Version {xr_config.VERSION}, simulated by the lab\n\n"
        f"{state.running.hostname} uptime is {int(state.uptime()) // 60} minutes\n"
        f"cisco {state.running.baseline.model} (SIMULATED)\n"
    )


def _clock(_: XrState, __: Session, ___: Sequence[str]) -> str:
    return f"{datetime.now(UTC):%H:%M:%S.%f UTC %a %b %d %Y}\n"


EXEC: dict[str, Command] = {
    **dict.fromkeys(("exit", "logout", "quit"), leave),
    "terminal length LINES": length(0, 512),
    "terminal width COLUMNS": width(0, 512),
    "configure": _configure,
    "configure terminal": _configure,
    "configure exclusive": _configure_alone,
    "rollback configuration last COUNT": _rollback,
    "show version": _version,
    "show clock": _clock,
    "show running-config": _running,
    "show configuration sessions detail": _sessions,
    "show configuration commit list detail": _commits,
    "show configuration commit list COUNT detail": _commits,
}
SHOW_TARGET: dict[str, Command] = {
    "show configuration": _target,
    "show configuration merge": _merge,
    "show configuration changes diff": _changes,
    "show running-config": _running,
}


def commit(state: XrState, session: Session, words: list[str]) -> str:
    """``commit`` with its options. Raises InvalidInput and Said."""
    given: dict[str, str] = {}
    at = 1
    while at < len(words):
        if words[at] == "replace":
            given["replace"] = words[at]
        elif words[at] in ("label", "comment", "confirmed") and at + 1 < len(words):
            at += 1
            given[words[at - 1]] = " ".join(words[at:]) if words[at - 1] == "comment" else words[at]
            at = len(words) if words[at - 1] == "comment" else at
        else:
            raise InvalidInput(at, words[at])
        at += 1
    seconds = given.get("confirmed", "")
    if seconds and not (seconds.isdigit() and xr_state.LEAST <= int(seconds) <= xr_state.MOST):
        raise InvalidInput(words.index(seconds), seconds)
    confirms = put_in_force(
        state, session, replace="replace" in given, label=given.get("label", ""), comment=given.get("comment", ""),
        seconds=int(seconds or 0), client="CLI",
    )  # fmt: skip
    return "% Confirming commit for trial session.\n" if confirms else ""


def put_in_force(
    state: XrState, session: Session, *, replace: bool, label: str, comment: str, seconds: int, client: str
) -> bool:
    """Commit the session's target, which is empty then; whether that confirmed a trial. Raises Said."""
    into = targeted(state, session)
    options = {"label": label, "comment": comment, "client": client}
    confirms = xr_state.commit(state, into, session.user, replace=replace, seconds=seconds, who=session, **options)
    session.target = xr_state.target(state)
    return confirms
