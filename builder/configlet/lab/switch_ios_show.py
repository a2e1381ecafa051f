"""The ``show`` commands of a simulated IOS-XE switch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from configlet.lab import switch_ios_config as ios_config
from configlet.lab import switch_ios_diff as diff
from configlet.lab import switch_ios_files as files
from configlet.lab.switch_ios_state import NO_CHANGE, IosState, stamp
from configlet.lab.switch_match import Said
from configlet.model.net import Family

Show = Callable[[IosState, Any, Sequence[str]], str]


def _running(state: IosState, _: Any, __: Sequence[str]) -> str:
    return ios_config.show(state.running, state.changed)


def _startup(state: IosState, _: Any, __: Sequence[str]) -> str:
    text = ios_config.file_text(state.startup, state.changed)
    return f"Using {len(text)} out of 2097152 bytes\n{text}"


def _version(state: IosState, _: Any, __: Sequence[str]) -> str:
    days, seconds = divmod(int(state.uptime()), 86400)
    return (
        f"Cisco IOS XE Software, Version {ios_config.RELEASE}\n"
        f"Cisco IOS Software [Dublin], Catalyst L3 Switch Software (CAT9K_IOSXE), Version {ios_config.RELEASE}, "
        "simulated by the lab\n\n"
        f"{state.running.hostname} uptime is {days} days, {seconds // 3600} hours, {seconds // 60 % 60} minutes\n\n"
        f"cisco {state.running.baseline.model} (SIMULATED) processor with 1331521K/6147K bytes of memory.\n"
        "Processor board ID SIMULATED\n\nConfiguration register is 0x102\n\n"
    )


def _archive(state: IosState, _: Any, __: Sequence[str]) -> str:
    if not state.running.archived:
        raise Said("%Archive feature not enabled")
    archive = state.running.archive or {}
    most = int(archive.get("maximum", "10"))
    following = int(state.saved[-1].rpartition("-")[2]) + 1 if state.saved else 1
    rows = [state.saved[n] if n < len(state.saved) else "" for n in range(most)]
    if state.saved:
        rows[len(state.saved) - 1] += " <- Most Recent"
    return "\n".join([
        f"The maximum archive configurations allowed is {most}.",
        f"There are currently {len(state.saved)} archive configurations saved.",
        f"The next archive file will be named {archive['path']}-{following}",
        " Archive #  Name",
        *(f"   {n:<8} {row}" for n, row in enumerate(rows, 1)),
        "",
    ])  # fmt: skip


def _timer(state: IosState, _: Any, __: Sequence[str]) -> str:
    timer = state.timer
    if timer is None:
        raise Said(NO_CHANGE)
    return (
        f"Time configured(UTC): {stamp(timer.started)}\nTimer type: absolute timer\n"
        f"Timer value: {timer.minutes} min\nUser: {timer.user}\n"
    )


def _differences(state: IosState, _: Any, taken: Sequence[str]) -> str:
    words = taken[-1].split()
    names = [*taken[:-1], "running-config"][:2]
    texts = [files.content(state, files.where(name, [*words, name])).decode("utf-8", "replace") for name in names]
    return diff.differences(texts[0].splitlines(), texts[1].splitlines())


def _incremental(state: IosState, _: Any, taken: Sequence[str]) -> str:
    text = files.content(state, files.where(taken[0], taken[-1].split())).decode("utf-8", "replace")
    return diff.incremental(ios_config.body(state.running), text.splitlines())


def _lists(family: Family | None) -> Show:
    def show(state: IosState, _: Any, taken: Sequence[str]) -> str:
        names = taken[:-1]
        out: list[str] = []
        for (found, name), acl in sorted(state.running.acls.items(), key=lambda item: item[0]):
            if family in (None, found) and (not names or name in names):
                out.append(f"{'Extended IP' if found == 4 else 'IPv6'} access list {name}")
                lines = sorted(acl.entries.items())
                out += [f"    {n} {line}" if found == 4 else f"    {line} sequence {n}" for n, line in lines]
        return "".join(f"{line}\n" for line in out)

    return show


def _groups(state: IosState, _: Any, taken: Sequence[str]) -> str:
    out: list[str] = []
    for (kind, name), lines in sorted(state.running.groups.items()):
        if taken[:-1] in ([], [name]):
            out += [f"{kind.capitalize()} object group {name}", *(f" {line}" for line in lines), ""]
    return "".join(f"{line}\n" for line in out)


def _clock(_: IosState, __: Any, ___: Sequence[str]) -> str:
    return f"*{stamp()}\n"


def _privilege(_: IosState, session: Any, __: Sequence[str]) -> str:
    return f"Current privilege level is {15 if session.privileged else 1}\n"


_any, _v4, _v6 = _lists(None), _lists(4), _lists(6)
USER: dict[str, Show] = {"show version": _version, "show clock": _clock, "show privilege": _privilege}
PRIVILEGED: dict[str, Show] = {
    "show running-config": _running,
    "show startup-config": _startup,
    "show archive": _archive,
    "show archive config rollback timer": _timer,
    "show archive config differences": _differences,
    "show archive config differences FILE": _differences,
    "show archive config differences FILE FILE": _differences,
    "show archive config incremental-diffs FILE": _incremental,
    "show archive config incremental-diffs FILE ignorecase": _incremental,
    "show access-lists": _any,
    "show access-lists NAME": _any,
    "show ip access-lists": _v4,
    "show ip access-lists NAME": _v4,
    "show ipv6 access-list": _v6,
    "show ipv6 access-list NAME": _v6,
    "show object-group": _groups,
    "show object-group NAME": _groups,
}
SHOWS: frozenset[Show] = frozenset([*USER.values(), *PRIVILEGED.values()])
"""What can be filtered with a bar."""
