"""How a simulated NX-OS switch shows its configuration, and what its configuration mode knows beside lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.parsers.nxos import NXOS
from configlet.lab.switch_config import Baseline
from configlet.lab.switch_lists import GLOBAL, Grammar, ListConfig, empty, enter, extras, lists, sections
from configlet.lab.switch_match import Ambiguous, Said, incomplete

VERSION = "10.4(3)"
JOB, SCHEDULE = "scheduler job name ", "scheduler schedule name "
CHECKPOINT = "!Command: Checkpoint cmd vdc 1"
LONGEST_NAME = 31
"""Characters of the name of a job or a schedule."""
STAMP = "%a %b %d %H:%M:%S %Y"
FIRE = "%Y:%m:%d:%H:%M"


def body(config: ListConfig) -> list[str]:
    """The lines of a configuration without its heading comments, as NX-OS orders them."""
    out = [f"version {VERSION} Bios:version", f"hostname {config.hostname}"]
    for section in sections(config, ("feature ",)):
        out += section
    for part in (lists(config), sections(config, ("vlan ",)), sections(config, ("vrf ",)), sections(config, ("interface ",))):
        for section in part:
            out += ["", *section]
    for section in extras(config, JOB):
        out += ["", section[0], *(line.strip() for line in section[1:]), "", "end-job"]
    for section in extras(config, SCHEDULE):
        out += ["", *section]
    return [*out, ""]


def text(config: ListConfig, command: str, changed: datetime) -> str:
    """The configuration as ``show running-config`` prints it."""
    now = datetime.now(UTC)
    head = ["", f"!Command: {command}", f"!Running configuration last done at: {changed:{STAMP}}", f"!Time: {now:{STAMP}}", ""]
    return "\n".join([*head, *body(config), ""])


def checkpoint(config: ListConfig, changed: datetime) -> str:
    """The configuration as a checkpoint's file holds it."""
    return "\n".join([CHECKPOINT, f"!Time: {changed:{STAMP}}", "", *body(config), ""])


def parsed(baseline: Baseline, content: str) -> tuple[ListConfig, list[str]]:
    """A whole configuration from a checkpoint's file, and the lines of it that the device refuses."""
    config, mode, bad = empty(NXOS, baseline), GLOBAL, []
    for line in content.splitlines():
        word = line.strip()
        if not word or word.startswith(("!", "version ")):
            continue
        if word == "end-job":
            mode = GLOBAL
            continue
        inside = line.startswith(" ") or mode.startswith(JOB)
        try:
            mode = enter(config, GRAMMAR, mode if inside else GLOBAL, line)
        except (InvalidInput, Ambiguous, Said):
            bad.append(word)
    return config, bad


def _job(config: ListConfig, taken: Sequence[str]) -> str:
    return _section(config, JOB, taken[0])


def _schedule(config: ListConfig, taken: Sequence[str]) -> str:
    return _section(config, SCHEDULE, taken[0])


def _section(config: ListConfig, start: str, name: str) -> str:
    if len(name) > LONGEST_NAME:
        raise InvalidInput(3, name)
    config.extra.setdefault(start + name, [])
    return start + name


def _no_job(config: ListConfig, taken: Sequence[str]) -> str:
    return _gone(config, JOB, taken[0])


def _no_schedule(config: ListConfig, taken: Sequence[str]) -> str:
    return _gone(config, SCHEDULE, taken[0])


def _gone(config: ListConfig, start: str, name: str) -> str:
    if config.extra.pop(start + name, None) is None:
        raise Said(f"ERROR: {start.split()[1].capitalize()} {name} does not exist")
    return GLOBAL


def _in_job(config: ListConfig, header: str, words: list[str], _: str) -> None:
    """A command of a job. Only those are known whose effect is simulated."""
    if words[:3] != ["rollback", "running-config", "checkpoint"] or len(words) != 4:
        raise InvalidInput(0, words[0])
    config.extra[header] = [*config.extra.get(header, []), " ".join(words)]


def _in_schedule(config: ListConfig, header: str, words: list[str], _: str) -> None:
    lines = config.extra.get(header, [])
    match words:
        case ["job", "name", name]:
            if JOB + name not in config.extra:
                raise Said(f"ERROR: Job {name} does not exist")
            config.extra[header] = [f"job name {name}", *(line for line in lines if not line.startswith("job "))]
        case ["time", "start", when]:
            config.extra[header] = [*(line for line in lines if not line.startswith("time ")), f"time start {_when(when)}"]
        case ["job"] | ["job", "name"] | ["time"] | ["time", "start"]:
            raise incomplete(words)
        case _:
            raise InvalidInput(0, words[0])


def _when(word: str) -> str:
    """``+dd:hh:mm`` or ``yyyy:mm:dd:hh:mm`` as it is shown."""
    try:
        if word.startswith("+"):
            days, hours, minutes = (int(part) for part in word[1:].split(":"))
            return f"{datetime.now(UTC) + timedelta(days=days, hours=hours, minutes=minutes):{FIRE}}"
        return f"{datetime.strptime(word, FIRE):{FIRE}}"
    except ValueError:
        raise InvalidInput(2, word) from None


GRAMMAR = Grammar(
    {
        "scheduler job name NAME": _job,
        "scheduler schedule name NAME": _schedule,
        "no scheduler job name NAME": _no_job,
        "no scheduler schedule name NAME": _no_schedule,
    },
    {JOB: _in_job, SCHEDULE: _in_schedule},
)


def submode(mode: str) -> str:
    """What stands behind ``config`` in the prompt for a mode."""
    known = {
        "ip access-list ": "-acl",
        "ipv6 access-list ": "-ipv6-acl",
        "interface ": "-if",
        "vlan ": "-vlan",
        "vrf ": "-vrf",
        JOB: "-job",
        SCHEDULE: "-schedule",
    }
    return next((shown for start, shown in known.items() if mode.startswith(start)), "")
