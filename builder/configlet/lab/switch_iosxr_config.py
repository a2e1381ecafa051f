"""How a simulated IOS-XR router shows its configuration, and what its configuration mode knows beside lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.switch_lists import GLOBAL, Grammar, ListConfig, empty, enter, extras, lists, sections
from configlet.lab.switch_match import Ambiguous, Said

VERSION = "7.11.2"
ALIAS = "alias exec "


def body(config: ListConfig) -> list[str]:
    """The lines of a configuration without its heading comments, as IOS-XR orders them."""
    out = [f"hostname {config.hostname}"]
    parts: tuple[Iterable[list[str]], ...]
    parts = (sections(config, ("vrf ",)), extras(config, ALIAS), lists(config), sections(config, ("interface ", "ssh ", "xml ")))
    for part in parts:
        for section in part:
            out += [*section, "!"] if len(section) > 1 or section[0].startswith("interface ") else section
    return [*out, "end"]


def text(config: ListConfig, changed: datetime) -> str:
    """The configuration as ``show running-config`` prints it."""
    head = ["Building configuration...", f"!! IOS XR Configuration {VERSION}"]
    head += [f"!! Last configuration change at {changed:%a %b %d %H:%M:%S %Y} by admin", "!"]
    return "\n".join([*head, *body(config), ""])


def replayed(config: ListConfig, steps: Sequence[tuple[bool, str]]) -> ListConfig:
    """A configuration after lines that were taken once; each with whether it stood under the one before."""
    mode = GLOBAL
    for inside, line in steps:
        try:
            mode = enter(config, GRAMMAR, mode if inside else GLOBAL, line)
        except (InvalidInput, Ambiguous, Said) as why:
            raise Said(f"% Failed to commit: {line.strip()}: {why}") from None
    return config


def alone(like: ListConfig, steps: Sequence[tuple[bool, str]]) -> ListConfig:
    """What the lines say without anything else."""
    return replayed(empty(like.dialect, like.baseline), steps)


def _alias(config: ListConfig, taken: Sequence[str]) -> str:
    config.extra = {header: lines for header, lines in config.extra.items() if header.split()[2] != taken[0]}
    config.extra[f"{ALIAS}{taken[0]} {' '.join(taken[1:-1])}"] = []
    return GLOBAL


def _no_alias(config: ListConfig, taken: Sequence[str]) -> str:
    config.extra = {header: lines for header, lines in config.extra.items() if header.split()[2] != taken[0]}
    return GLOBAL


GRAMMAR = Grammar({"alias exec NAME ...": _alias, "no alias exec NAME": _no_alias})


def submode(mode: str) -> str:
    """What stands behind ``config`` in the prompt for a mode."""
    known = {"ipv4 access-list ": "-ipv4-acl", "ipv6 access-list ": "-ipv6-acl", "interface ": "-if", "vrf ": "-vrf"}
    return next((shown for start, shown in known.items() if mode.startswith(start)), "")
