"""What an EOS running configuration says about filtering: access lists in bits, and where they are bound.

It reads the whole text of ``show running-config``. Sections that do not filter are passed over by their headers only;
inside an access list, and for every access group, a line that is not known is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from configlet.lab.parsers.eos_entry import Ace, InvalidInput, parse
from configlet.model.net import Family

DEFAULT_VRF = "default"
FAMILIES: dict[str, Family] = {"ip": 4, "ipv6": 6}


@dataclass(frozen=True, slots=True)
class Binding:
    """An access list bound to an interface of a VRF."""

    interface: str
    vrf: str
    family: Family
    way: Literal["in", "out"]
    acl: str


@dataclass(frozen=True, slots=True)
class Filters:
    """Everything of a configuration that filters."""

    acls: dict[tuple[Family, str], tuple[Ace, ...]]
    bindings: tuple[Binding, ...]


class Unreadable(Exception):  # noqa: N818 - it is what happened
    """A filtering line of the running configuration that this parser does not know."""


def read(text: str) -> Filters:
    """The filters of a running configuration. Raises Unreadable with the line."""
    acls: dict[tuple[Family, str], tuple[Ace, ...]] = {}
    bindings: list[Binding] = []
    for header, lines in _sections(text):
        match header.split():
            case [("ip" | "ipv6") as word, "access-list", name]:
                acls[FAMILIES[word], name] = _entries(FAMILIES[word], lines)
            case ["interface", name]:
                bindings += _bindings(name, lines)
            case _ if any("access" in line for line in (header, *lines)):
                raise Unreadable(header)
    return Filters(acls, tuple(bindings))


def _sections(text: str) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("!") or not line.strip():
            continue
        if not line.startswith(" "):
            found.append((line, []))
        elif found:
            found[-1][1].append(line.strip())
        else:
            raise Unreadable(line)
    return found


def _entries(family: Family, lines: list[str]) -> tuple[Ace, ...]:
    numbered: dict[int, Ace] = {}
    for line in lines:
        words = line.split()
        if line == "counters per-entry" or words[1:2] == ["remark"]:
            continue
        try:
            numbered[int(words[0])] = parse(family, words, 1)
        except (InvalidInput, ValueError) as why:
            raise Unreadable(f"{line}: {why}") from None
    return tuple(ace for _, ace in sorted(numbered.items()))


def _bindings(interface: str, lines: list[str]) -> list[Binding]:
    vrf = next((line.split()[1] for line in lines if line.startswith("vrf ")), DEFAULT_VRF)
    found: list[Binding] = []
    for line in lines:
        match line.split():
            case ["description", *_] | ["switchport", "access", "vlan", _]:
                pass
            case [("ip" | "ipv6") as word, "access-group", acl, "in"]:
                found.append(Binding(interface, vrf, FAMILIES[word], "in", acl))
            case [("ip" | "ipv6") as word, "access-group", acl, "out"]:
                found.append(Binding(interface, vrf, FAMILIES[word], "out", acl))
            case words if any("access" in word for word in words):
                raise Unreadable(line)
    return found
