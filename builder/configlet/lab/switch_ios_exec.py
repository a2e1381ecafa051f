"""Commands of a simulated IOS-XE switch outside configuration. What is not in this module is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from configlet.lab import switch_ios_config as ios_config
from configlet.lab import switch_ios_diff as diff
from configlet.lab import switch_ios_files as files
from configlet.lab import switch_ios_show as shows
from configlet.lab import switch_ios_state as ios_state
from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.switch_cli import Ask
from configlet.lab.switch_ios_files import RUNNING, STARTUP, Where
from configlet.lab.switch_ios_lines import GLOBAL, Ambiguous
from configlet.lab.switch_ios_state import IosState
from configlet.lab.switch_match import Said, match
from configlet.lab.switch_words import leave, length, number_in, width

SAVED = "Building configuration...\n[OK]\n"
MOST_MINUTES = 120
ENTER = "Enter configuration commands, one per line.  End with CNTL/Z.\n"
FILTERS = {"include": "include", "exclude": "exclude", "begin": "begin", "section": "section"}


@dataclass(slots=True)
class Session:
    """One login. ``mode`` None is outside configuration; ``owner`` tells two logins of one user apart."""

    user: str
    owner: str
    password: str
    privileged: bool = True
    mode: str | None = None
    length: int = 24
    over: bool = False


Answer = str | Ask
Command = Callable[[IosState, Session, Sequence[str]], Answer]


def execute(state: IosState, session: Session, line: str) -> Answer:
    """Carry out one command. Raises InvalidInput, Ambiguous and Said."""
    command, bar, rest = line.partition("|")
    words = command.split()
    forms = {**_USER, **(_PRIVILEGED if session.privileged else {})}
    verb, taken = match(words, forms)
    if not bar:
        return verb(state, session, [*taken, command])
    at = len(words) + 1
    if verb not in shows.SHOWS or not rest.split():
        raise InvalidInput(len(words), "|") if verb not in shows.SHOWS else Said("% Incomplete command.")
    try:
        wanted, pattern = match(rest.split(), {f"{name} ...": full for name, full in FILTERS.items()})
    except InvalidInput as refusal:
        raise InvalidInput(at + refusal.token, refusal.word, refusal.what) from None
    try:
        re.compile(" ".join(pattern))
    except re.error:
        raise Said("% Failed to compile regular expression.") from None
    text = verb(state, session, [*taken, command])
    assert isinstance(text, str)
    return diff.filtered(text, wanted, " ".join(pattern))


def _enable(_: IosState, session: Session, __: Sequence[str]) -> Answer:
    if session.privileged:
        return ""
    tries = 3

    def checked(password: str) -> Answer:
        nonlocal tries
        tries -= 1
        if password == session.password:
            session.privileged = True
            return ""
        return Ask("Password: ", checked, hidden=True) if tries else "% Bad secrets\n\n"

    return Ask("Password: ", checked, hidden=True)


def _disable(_: IosState, session: Session, __: Sequence[str]) -> Answer:
    session.privileged = False
    return ""


def _configure(state: IosState, session: Session, _: Sequence[str]) -> Answer:
    if state.locked_by not in ("", session.owner):
        raise Said(f"Configuration mode locked exclusively by {state.locked_by}. Please try later.")
    session.mode = GLOBAL
    return ENTER


def _configure_asking(state: IosState, session: Session, taken: Sequence[str]) -> Answer:
    def answered(word: str) -> Answer:
        if word not in ("", "terminal"):
            raise Said('?Must be "terminal", "memory" or "network"')
        return _configure(state, session, taken)

    return Ask("Configuring from terminal, memory, or network [terminal]? ", answered)


def _configure_locked(state: IosState, session: Session, taken: Sequence[str]) -> Answer:
    said = _configure(state, session, taken)
    state.locked_by = session.owner
    return said


def _configure_timed(state: IosState, session: Session, taken: Sequence[str]) -> Answer:
    minutes = number_in(taken, 4, 1, MOST_MINUTES)
    _willing(state)
    if state.locked_by not in ("", session.owner):
        return _configure(state, session, taken)
    said = ios_state.begin(state, session.user, minutes)
    return said + str(_configure(state, session, taken))


def _willing(state: IosState) -> None:
    if state.refusal:
        raise Said(f"%{state.refusal}")


def _confirm(state: IosState, _: Session, __: Sequence[str]) -> Answer:
    ios_state.confirm(state)
    return ""


def _revert_now(state: IosState, _: Session, __: Sequence[str]) -> Answer:
    ios_state.revert_now(state)
    name = state.saved[-1] if state.saved else "running-config"
    return f"Rollback Confirmed Change: rolling to:{name}\n\nTotal number of passes: 1\nRollback Done\n\n"


def _revert_timer(state: IosState, _: Session, taken: Sequence[str]) -> Answer:
    ios_state.again(state, number_in(taken, 3, 1, MOST_MINUTES))
    return ""


def _save(state: IosState, _: Session, __: Sequence[str]) -> Answer:
    state.startup = state.running.copy()
    return SAVED


def _asking(state: IosState, question: str, then: Callable[[str], Answer]) -> Answer:
    """Ask unless ``file prompt quiet`` is configured."""
    return then("") if ios_config.QUIET in state.running.switches else Ask(question, then)


def _copy(state: IosState, session: Session, taken: Sequence[str]) -> Answer:
    words = taken[-1].split()
    source, target = files.where(taken[0], words), files.where(taken[1], words)
    if target.kind == "null:" or (source.kind == "flash" and not source.name):
        raise InvalidInput(len(words) - 1, words[-1])
    suggested = target.name or source.name or source.kind if target.kind == "flash" else target.kind

    def named(answer: str) -> Answer:
        place = Where(target.kind, answer or suggested) if target.kind == "flash" else target
        return _copied(state, session, source, place)

    return _asking(state, f"Destination filename [{suggested}]? ", named)


def _copied(state: IosState, session: Session, source: Where, target: Where) -> str:
    data = files.content(state, source)
    if target.kind == "flash":
        files.put(state, target.name, data)
        return files.copied(data)
    if target.kind == STARTUP:
        if source.kind == RUNNING:
            return str(_save(state, session, ()))
        found, bad = ios_state.parsed(state.running.baseline, data.decode("utf-8", "replace"))
        if bad or ios_config.missing(found):
            raise Said("%Error parsing the file: it is no whole configuration of this device")
        state.startup = found
        return files.copied(data)
    if source.kind == RUNNING:
        raise Said("%Error copying running-config to itself")
    _willing(state)
    return merge(state, session, data.decode("utf-8", "replace")) + files.copied(data)


def merge(state: IosState, session: Session, text: str) -> str:
    """``copy FILE running-config``: one line after the other; a refused line is reported and the next one tried."""
    mode, out = GLOBAL, []
    for line in text.splitlines():
        word = line.strip()
        if not word or word.startswith("!"):
            continue
        if word == "end":
            break
        if word == "exit":
            mode = GLOBAL
            continue
        try:
            mode = ios_state.apply_line(state, mode, word, session.user)
        except (InvalidInput, Ambiguous, Said) as refusal:
            out.append(f"{word}\n{complaint(refusal, word, 0)}")
    ios_state.settle(state)
    return "".join(out)


def complaint(refusal: Exception, line: str, indent: int) -> str:
    """What the device says about a line that begins at column ``indent``."""
    if isinstance(refusal, Ambiguous):
        return f'% Ambiguous command:  "{line.strip()}"\n'
    if isinstance(refusal, InvalidInput):
        if refusal.what == "Incomplete command":
            return "% Incomplete command.\n\n"
        places = [found.start() for found in re.finditer(r"\S+", line)]
        column = places[refusal.token] if refusal.token < len(places) else len(line)
        return " " * (indent + column) + "^\n% Invalid input detected at '^' marker.\n\n"
    return f"{refusal}\n"


def _replace(state: IosState, session: Session, taken: Sequence[str]) -> Answer:
    words = taken[-1].split()
    options = _options(words)
    place = files.where(words[2], words)

    def sure(answer: str) -> Answer:
        if not "yes".startswith(answer.lower() or "no"):
            return "\n"
        return _replaced(state, session, place, options)

    if options["force"]:
        return _replaced(state, session, place, options)
    return Ask(
        "This will apply all necessary additions and deletions\nto replace the current running configuration with "
        "the\ncontents of the specified configuration file, which is\nassumed to be a complete configuration, not a "
        "partial\nconfiguration. Enter Y if you are sure you want to proceed. ? [no]: ",
        sure,
    )


def _options(words: Sequence[str]) -> dict[str, int]:
    """``force``, ``error`` (revert on an error) and ``timer`` (minutes) of a replace."""
    found = {"force": 0, "error": 0, "timer": 0}
    at = 3
    while at < len(words):
        if words[at] in ("force", "nolock", "ignorecase"):
            found["force"] |= words[at] == "force"
            at += 1
        elif list(words[at : at + 3]) == ["revert", "trigger", "error"]:
            found["error"] = 1
            at += 3
        else:
            at += words[at] == "revert"
            minutes = words[at + 1] if at + 1 < len(words) and words[at] in ("timer", "time") else ""
            if not minutes.isdigit() or not 1 <= int(minutes) <= MOST_MINUTES:
                raise InvalidInput(min(at, len(words) - 1), words[min(at, len(words) - 1)])
            found["timer"] = int(minutes)
            at += 2
    return found


def _replaced(state: IosState, session: Session, place: Where, options: dict[str, int]) -> str:
    text = files.content(state, place).decode("utf-8", "replace")
    _willing(state)
    if not re.search(r"^version \S", text, re.M) or not re.search(r"^end\s*$", text, re.M):
        raise Said("%The input file is not a valid config file.")
    found, bad = ios_state.parsed(state.running.baseline, text)
    lost = ios_config.missing(found)
    if options["error"] and not state.running.archived:
        raise Said("%Please turn config archive on before using this command")
    said = ios_state.begin(state, session.user, options["timer"]) if options["timer"] else ""
    if bad or lost:
        stars = "********"
        said += "\n".join(
            ["The following commands are failed to apply to the IOS image.", stars, *bad, *lost, stars, ""]
        )
        said += "Total number of passes: 5\nRollback aborted after 5 passes\n"
        if options["error"]:
            if options["timer"]:
                ios_state.confirm(state)
            return said + "The original configuration has been successfully restored.\n"
        found.present = set(ios_config.initial(found.baseline).present)
        ios_state.install(state, found, session.user)
        return said
    same = ios_config.body(found) == ios_config.body(state.running)
    ios_state.install(state, found, session.user)
    return f"{said}Total number of passes: {int(not same)}\nRollback Done\n\n"


def _dir(state: IosState, _: Session, taken: Sequence[str]) -> Answer:
    place = files.where(taken[0], taken[-1].split()) if len(taken) > 1 else Where("flash")
    return files.listing(state, place)


def _more(state: IosState, _: Session, taken: Sequence[str]) -> Answer:
    return files.content(state, files.where(taken[0], taken[-1].split())).decode("utf-8", "replace")


def _verify(state: IosState, _: Session, taken: Sequence[str]) -> Answer:
    return files.digest(state, files.where(taken[0], taken[-1].split()))


def _delete(state: IosState, _: Session, taken: Sequence[str]) -> Answer:
    place = files.where(taken[0], taken[-1].split())

    def named(answer: str) -> Answer:
        here = Where("flash", answer or place.name)
        return _asking(state, f"Delete {here.shown}? [confirm]", lambda sure: _deleted(state, here, sure))

    return _asking(state, f"Delete filename [{place.name}]? ", named)


def _deleted(state: IosState, place: Where, sure: str = "") -> str:
    if sure not in ("", "y", "yes"):
        return "\n"
    files.content(state, place)
    if place.kind != "flash":
        raise Said(f"%Error deleting {place.shown} (Operation not permitted)")
    del state.files[place.name]
    return ""


def _delete_forced(state: IosState, _: Session, taken: Sequence[str]) -> Answer:
    return _deleted(state, files.where(taken[0], taken[-1].split()))


_USER: dict[str, Command] = {
    "enable": _enable,
    "disable": _disable,
    **dict.fromkeys(("exit", "logout", "quit"), leave),
    "terminal length LINES": length(0, 512),
    "terminal width COLUMNS": width(0, 512),
    **shows.USER,
}
_PRIVILEGED: dict[str, Command] = {
    "configure": _configure_asking,
    "configure terminal": _configure,
    "configure terminal lock": _configure_locked,
    "configure terminal revert timer MINUTES": _configure_timed,
    "configure confirm": _confirm,
    "configure revert now": _revert_now,
    "configure revert timer MINUTES": _revert_timer,
    "configure replace URL": _replace,
    "configure replace URL ...": _replace,
    "write": _save,
    "write memory": _save,
    "copy SOURCE TARGET": _copy,
    "dir": _dir,
    "dir URL": _dir,
    "more URL": _more,
    "verify /md5 URL": _verify,
    "delete URL": _delete,
    "delete /force URL": _delete_forced,
    **shows.PRIVILEGED,
}
