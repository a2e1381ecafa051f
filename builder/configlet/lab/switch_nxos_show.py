"""The ``show`` commands of a simulated NX-OS switch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from configlet.lab import switch_nxos_config as nxos_config
from configlet.lab import switch_nxos_files as files
from configlet.lab.switch_ios_diff import flat
from configlet.lab.switch_match import Said
from configlet.lab.switch_nxos_config import JOB, SCHEDULE
from configlet.lab.switch_nxos_state import NxosState
from configlet.model.net import Family

Show = Callable[[NxosState, Any, Sequence[str]], str]
RULE = "-" * 47
ENDING = "=" * 78


def _running(state: NxosState, _: Any, taken: Sequence[str]) -> str:
    return nxos_config.text(state.running, taken[-1].strip(), state.changed)


def _startup(state: NxosState, _: Any, taken: Sequence[str]) -> str:
    return nxos_config.text(state.startup, taken[-1].strip(), state.changed)


def _version(state: NxosState, _: Any, __: Sequence[str]) -> str:
    days, seconds = divmod(int(state.uptime()), 86400)
    return (
        "Cisco Nexus Operating System (NX-OS) Software, simulated by the lab\n\nSoftware\n"
        f"  NXOS: version {nxos_config.VERSION}\n\nHardware\n  cisco {state.running.baseline.model} Chassis (SIMULATED)\n\n"
        f"  Device name: {state.running.hostname}\n\n"
        f"Kernel uptime is {days} day(s), {seconds // 3600} hour(s), {seconds // 60 % 60} minute(s), {seconds % 60} second(s)\n"
    )


def _hostname(state: NxosState, _: Any, __: Sequence[str]) -> str:
    return f"{state.running.hostname}\n"


def _clock(_: NxosState, __: Any, ___: Sequence[str]) -> str:
    return f"{datetime.now():%H:%M:%S.%f UTC %a %b %d %Y}\n"


def _dir(state: NxosState, _: Any, taken: Sequence[str]) -> str:
    return files.listing(state, files.name_of(taken[0], 1) if len(taken) > 1 else "")


def _file(state: NxosState, _: Any, taken: Sequence[str]) -> str:
    return files.content(state, files.name_of(taken[0], 2)).decode("utf-8", "replace")


def _md5(state: NxosState, _: Any, taken: Sequence[str]) -> str:
    return files.digest(state, files.name_of(taken[0], 2))


def _patch(state: NxosState, _: Any, taken: Sequence[str]) -> str:
    texts = [files.content(state, files.name_of(name, 4)).decode("utf-8", "replace") for name in taken[:2]]
    old, new = (flat(text.splitlines()) for text in texts)
    gone, come = [row for row in old if row not in new], [row for row in new if row not in old]
    lines = [*_commands(gone, "no ", {row[0] for row in new}), *_commands(come, "", set())]
    return "\n".join(["#Generating Rollback Patch", *(["!!", *lines] if lines else ["Rollback Patch is Empty"]), ""])


def _commands(rows: Sequence[tuple[str, str]], word: str, stay: set[str]) -> list[str]:
    """Lines under their headers; of a section that goes as a whole the header alone."""
    out: list[str] = []
    under, removed = "", ""
    for header, line in rows:
        if word and header not in stay:
            out += [f"no {header}"] * (removed != header)
            removed = header
            continue
        if header not in (line, under):
            out.append(header)
        out.append(f"{word}{line}" if header == line else f"  {word}{line.split()[0] if line[0].isdigit() and word else line}")
        under = header
    return out


def _sessions(state: NxosState, _: Any, taken: Sequence[str]) -> str:
    out: list[str] = []
    names = taken[:-1] or list(state.sessions)
    for name in names:
        if name not in state.sessions:
            raise Said(f"ERROR: Session {name} does not exist")
        lines = state.sessions[name].lines
        out += [f"config session name {name}", *(f"{n:04}  {line}" for n, line in enumerate(lines, 1)), ""]
    return "\n".join([*out, f"Number of active configuration sessions = {len(state.sessions)}", ""])


def _summary(state: NxosState, _: Any, __: Sequence[str]) -> str:
    rows = [f"{s.name:20}{s.user:16}{s.opened:%H:%M:%S UTC %b %d %Y}" for s in state.sessions.values()]
    head = [f"{'Name':20}{'Session Owner':16}Creation Time", "-" * 68]
    return "\n".join([*head, *rows, f"Number of active configuration sessions = {len(rows)}", ""])


def _checkpoints(state: NxosState, _: Any, __: Sequence[str]) -> str:
    out = ["User Checkpoint Summary", "-" * 80]
    for number, (name, (when, config)) in enumerate(state.checkpoints.items(), 1):
        size = len(nxos_config.checkpoint(config, when))
        out += [f"{number}) {name}:", "Created by admin", f"Created at {when:%a, %H:%M:%S %d %b %Y}"]
        out += [f"Size is {size:,} bytes", "Description: None", ""]
    return "\n".join([*out, ""])


def _schedules(state: NxosState, _: Any, taken: Sequence[str]) -> str:
    out: list[str] = []
    for header, lines in sorted(state.running.extra.items()):
        name = header.removeprefix(SCHEDULE)
        if not header.startswith(SCHEDULE) or (taken[:-1] and taken[0] != name):
            continue
        job = next((line.split()[-1] for line in lines if line.startswith("job ")), "-NA-")
        when = next((line.split()[-1] for line in lines if line.startswith("time ")), "")
        at = f"Run once on {datetime.strptime(when, nxos_config.FIRE):%a %b %d %H:%M:%S %Y}" if when else "-NA-"
        ran = state.ran.get(header)
        last = f"{ran[0]:%a %b %d %H:%M:%S %Y}" if ran else "Yet to be executed"
        status = ("Success (0)" if ran[1] else "Failed (1)") if ran else "-NA-"
        out += [f"Schedule Name       : {name}", RULE, "User Name           : admin", f"Schedule Type       : {at}"]
        out += [f"Last Execution Time : {last}", RULE, f"{'Job Name':>13}{'Last Execution Status':>34}", RULE]
        out += [f"{job:>13}{status:>34}", ENDING]
    return "\n".join([*out, ""])


def _jobs(state: NxosState, _: Any, taken: Sequence[str]) -> str:
    out: list[str] = []
    for header, lines in sorted(state.running.extra.items()):
        name = header.removeprefix(JOB)
        if header.startswith(JOB) and (not taken[:-1] or taken[0] == name):
            out += [f"Job Name: {name}", RULE, *lines, ENDING]
    return "\n".join([*out, ""])


def _lists(family: Family | None) -> Show:
    def show(state: NxosState, _: Any, taken: Sequence[str]) -> str:
        out: list[str] = []
        for (found, name), entries in sorted(state.running.acls.items()):
            if family in (None, found) and taken[0] in (name, taken[-1]):
                out += ["", f"{'IP' if found == 4 else 'IPv6'} access list {name}"]
                out += [f"        {number} {line}" for number, line in sorted(entries.items())]
        return "".join(f"{line}\n" for line in out)

    return show


_any, _v4, _v6 = _lists(None), _lists(4), _lists(6)
SHOW: dict[str, Show] = {
    "show version": _version,
    "show hostname": _hostname,
    "show clock": _clock,
    "show running-config": _running,
    "show running-config all": _running,
    "show startup-config": _startup,
    "show file FILE": _file,
    "show file FILE md5sum": _md5,
    "show diff rollback-patch file FILE file FILE": _patch,
    "show configuration session": _sessions,
    "show configuration session NAME": _sessions,
    "show configuration session summary": _summary,
    "show checkpoint summary": _checkpoints,
    "show scheduler schedule": _schedules,
    "show scheduler schedule name NAME": _schedules,
    "show scheduler job": _jobs,
    "show scheduler job name NAME": _jobs,
    "show access-lists": _any,
    "show access-lists NAME": _any,
    "show ip access-lists": _v4,
    "show ip access-lists NAME": _v4,
    "show ipv6 access-lists": _v6,
    "show ipv6 access-lists NAME": _v6,
    "dir": _dir,
    "dir FILE": _dir,
}
SHOWS: frozenset[Show] = frozenset(SHOW.values())
"""What can be filtered with a bar."""


def _hostname_object(state: NxosState) -> dict[str, Any]:
    return {"hostname": state.running.hostname}


def _version_object(state: NxosState) -> dict[str, Any]:
    days, seconds = divmod(int(state.uptime()), 86400)
    return {
        "host_name": state.running.hostname,
        "chassis_id": f"{state.running.baseline.model} Chassis (SIMULATED)",
        "nxos_ver_str": nxos_config.VERSION,
        "sys_ver_str": nxos_config.VERSION,
        "kern_uptm_days": days,
        "kern_uptm_hrs": seconds // 3600,
        "kern_uptm_mins": seconds // 60 % 60,
        "kern_uptm_secs": seconds % 60,
    }


STRUCTURED: dict[str, Callable[[NxosState], dict[str, Any]]] = {
    "show hostname": _hostname_object,
    "show version": _version_object,
}
