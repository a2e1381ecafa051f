"""Commands of a simulated NX-OS switch outside configuration. What is not in this module is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from configlet.lab import switch_nxos_config as nxos_config
from configlet.lab import switch_nxos_files as files
from configlet.lab import switch_nxos_show as shows
from configlet.lab import switch_nxos_state as nxos_state
from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.switch_cli import Ask
from configlet.lab.switch_ios_diff import filtered
from configlet.lab.switch_lists import GLOBAL
from configlet.lab.switch_match import Said, match
from configlet.lab.switch_nxos_state import NxosState
from configlet.lab.switch_words import leave, length, width

SAVED = "[########################################] 100%\nCopy complete, now saving to disk (please wait)...\nCopy complete.\n"
ENTER = "Enter configuration commands, one per line. End with CNTL/Z.\n"
FILTERS = {"include": "include", "exclude": "exclude", "begin": "begin", "section": "section"}


@dataclass(slots=True)
class Session:
    """One login. ``mode`` None is outside configuration; ``within`` is the configuration session that it is in."""

    user: str
    mode: str | None = None
    within: str = ""
    quiet: bool = False
    """After ``terminal dont-ask`` no question is asked."""
    length: int = 24
    over: bool = False


Answer = str | Ask
Command = Callable[[NxosState, Session, Sequence[str]], Answer]


def execute(state: NxosState, session: Session, line: str) -> Answer:
    """Carry out one command. Raises InvalidInput, Ambiguous and Said."""
    command, bar, rest = line.partition("|")
    verb, taken = match(command.split(), COMMANDS)
    if not bar:
        return verb(state, session, [*taken, command])
    if verb not in shows.SHOWS or not rest.split():
        raise InvalidInput(len(command.split()), "|")
    wanted, pattern = match(rest.split(), {f"{name} ...": full for name, full in FILTERS.items()})
    try:
        re.compile(" ".join(pattern))
    except re.error:
        raise Said("Failed to compile regular expression") from None
    said = verb(state, session, [*taken, command])
    assert isinstance(said, str)
    return filtered(said, wanted, " ".join(pattern))


def structured(state: NxosState, line: str) -> dict[str, Any] | None:
    """What a command gives as an object; None for one that gives none."""
    try:
        verb, _ = match(line.split(), shows.STRUCTURED)
    except InvalidInput:
        return None
    return verb(state)


def _ask(_: NxosState, session: Session, taken: Sequence[str]) -> Answer:
    session.quiet = taken[-1].split()[0] != "no"
    return ""


def _configure(_: NxosState, session: Session, __: Sequence[str]) -> Answer:
    session.mode, session.within = GLOBAL, ""
    return ENTER


def _configure_session(state: NxosState, session: Session, taken: Sequence[str]) -> Answer:
    found = nxos_state.opened(state, taken[0], session.user)
    session.mode, session.within = GLOBAL, found.name
    return f"Config Session started, Session ID is {1 + list(state.sessions).index(found.name)}\n{ENTER}"


def _save(state: NxosState, _: Session, __: Sequence[str]) -> Answer:
    state.startup = state.running.copy()
    return SAVED


def _checkpoint(state: NxosState, _: Session, taken: Sequence[str]) -> Answer:
    name = taken[0]
    if name in state.checkpoints:
        raise Said("ERROR: checkpoint already exists")
    if len(name) > 80 or not name.isprintable():
        raise InvalidInput(1, name)
    if len(state.checkpoints) >= nxos_state.MOST_CHECKPOINTS:
        raise Said("ERROR: the maximum number of user checkpoints is reached")
    state.checkpoints[name] = (datetime.now(UTC), state.running.copy())
    return "Done\n"


def _no_checkpoint(state: NxosState, _: Session, taken: Sequence[str]) -> Answer:
    if state.checkpoints.pop(taken[0], None) is None:
        raise Said("ERROR: checkpoint does not exist")
    return ""


def _checkpoint_file(state: NxosState, session: Session, taken: Sequence[str]) -> Answer:
    name = files.name_of(taken[0], 2)

    def sure(answer: str) -> Answer:
        if not "yes".startswith(answer.lower() or "no"):
            return ""
        files.put(state, name, nxos_config.checkpoint(state.running, state.changed).encode())
        return "Done\n"

    if name in state.files and not session.quiet:
        return Ask("There is already a file existing with this name. Do you want to overwrite (y/n)?  [n] ", sure)
    return sure("y")


def _rollback(state: NxosState, _: Session, taken: Sequence[str]) -> Answer:
    kept = state.checkpoints.get(taken[0])
    if kept is None:
        raise Said("ERROR: checkpoint does not exist")
    return nxos_state.rollback(state, kept[1])


def _rollback_file(state: NxosState, _: Session, taken: Sequence[str]) -> Answer:
    content = files.content(state, files.name_of(taken[0], 3)).decode("utf-8", "replace")
    if not content.lstrip().startswith(nxos_config.CHECKPOINT):
        raise Said("ERROR: the file is no checkpoint of this device\nRollback failed.")
    config, bad = nxos_config.parsed(state.running.baseline, content)
    if bad:
        return f"Executing Rollback Patch\nERROR: {'; '.join(bad[:3])}\nRollback failed.\n"
    return nxos_state.rollback(state, config, state.refusal)


def _delete(state: NxosState, session: Session, taken: Sequence[str]) -> Answer:
    name = files.name_of(taken[0], 1)

    def sure(answer: str) -> Answer:
        if answer.lower() not in ("", "y", "yes"):
            return ""
        files.content(state, name)
        del state.files[name]
        return ""

    quiet = session.quiet or taken[-1].split()[-1] == "no-prompt"
    return sure("y") if quiet else Ask(f'Do you want to delete "/{name}" ? (yes/no/abort)   [y] ', sure)


COMMANDS: dict[str, Command] = {
    "exit": leave,
    "terminal length LINES": length(0, 511),
    "terminal width COLUMNS": width(24, 511),
    "terminal dont-ask": _ask,
    "no terminal dont-ask": _ask,
    "configure": _configure,
    "configure terminal": _configure,
    "configure session NAME": _configure_session,
    "copy running-config startup-config": _save,
    "checkpoint NAME": _checkpoint,
    "checkpoint file FILE": _checkpoint_file,
    "no checkpoint NAME": _no_checkpoint,
    "rollback running-config checkpoint NAME": _rollback,
    "rollback running-config file FILE": _rollback_file,
    "delete FILE": _delete,
    "delete FILE no-prompt": _delete,
    **shows.SHOW,
}
