"""What an IOS-XE running configuration says about filtering, in bits.

It reads the whole text of ``show running-config``. The platform's own rules are spelt out here, so that what is
enforced needs none: a bound list that is missing or empty permits everything; an IPv6 list with a line has two implicit
permits for neighbour discovery before its implicit deny; an entry that permits and asks for ports, flags or types
permits later fragments of the same addresses and protocol (Cisco, Access Control Lists and IP Fragments).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from configlet.lab.parsers import ios_groups
from configlet.lab.parsers.eos import Binding, Filters, Unreadable
from configlet.lab.parsers.eos_entry import Ace, Bits, InvalidInput
from configlet.lab.parsers.ios_entry import Entry, parse
from configlet.lab.parsers.ios_groups import Groups, Unresolved
from configlet.lab.parsers.sections import sections
from configlet.model.net import Family

DEFAULT_VRF = "default"
ANYWHERE = Bits(0, 0)
NEIGHBOURS = tuple(Ace(True, 6, 58, ANYWHERE, ANYWHERE, icmp=(kind, None)) for kind in (136, 135))
PLAIN = ("archive", "alias", "line", "vlan", "vrf", "banner")
"""Sections that may name a list in passing and do not filter."""


def read(text: str) -> Filters:
    """The filters of a running configuration. Raises Unreadable with the line."""
    lists: dict[tuple[Family, str], list[str]] = {}
    groups: dict[tuple[str, str], list[str]] = {}
    bindings: list[Binding] = []
    for header, lines in sections(text):
        match header.split():
            case ["ip", "access-list", "extended", name]:
                lists[4, name] = lines
            case ["ipv6", "access-list", name]:
                lists[6, name] = lines
            case ["object-group", kind, name] if kind in ios_groups.KINDS:
                groups[kind, name] = lines
            case ["interface", name]:
                bindings += _bindings(name, lines)
            case [word, *_] if word in PLAIN:
                pass
            case _ if any("access" in line or "filter" in line for line in (header, *lines)):
                raise Unreadable(header)
    bound = {(b.family, b.acl) for b in bindings}
    acls = {key: _judged(key[0], lines, groups) for key, lines in lists.items() if key in bound}
    filtering = tuple(b for b in bindings if acls.get((b.family, b.acl)))
    return Filters({key: aces for key, aces in acls.items() if aces}, filtering)


def _judged(family: Family, lines: Sequence[str], groups: Groups) -> tuple[Ace, ...]:
    """The entries of a list; those of one without groups are known, as most lists are not changed by a line."""
    if any("object-group" in line for line in lines):
        return _entries(family, lines, groups)
    return _alone(family, tuple(lines))


@lru_cache(256)
def _alone(family: Family, lines: tuple[str, ...]) -> tuple[Ace, ...]:
    return _entries(family, lines, {})


def _entries(family: Family, lines: Sequence[str], groups: Groups) -> tuple[Ace, ...]:
    """A list in sequence order with what is implicit; nothing when no line of it judges."""
    numbered: list[tuple[int, tuple[Ace, ...]]] = []
    for line in lines:
        try:
            number, entry = _numbered(family, line)
            if entry is not None:
                numbered.append((number, _filled(entry, groups)))
        except (InvalidInput, Unresolved, ValueError, IndexError) as why:
            raise Unreadable(f"{line}: {why}") from None
    aces = [ace for _, found in sorted(numbered, key=lambda item: item[0]) for ace in found]
    if aces and family == 6:
        aces += NEIGHBOURS
    return tuple(aces)


@lru_cache(8192)
def _numbered(family: Family, line: str) -> tuple[int, Entry | None]:
    """A numbered line; None for a remark."""
    words = line.split()
    at = 1 if family == 4 else 2
    if words[0 if family == 6 else 1] == "remark":
        return 0, None
    if family == 6 and words[0] != "sequence":
        raise InvalidInput(0, words[0])
    return int(words[at - 1]), parse(family, words, at)


def _filled(entry: Entry, groups: Groups) -> tuple[Ace, ...]:
    if not entry.groups:
        return _plain(entry)
    return tuple(ace for found in ios_groups.fill(entry, groups) for ace in _with_fragments(found))


@lru_cache(8192)
def _plain(entry: Entry) -> tuple[Ace, ...]:
    return tuple(ace for found in ios_groups.fill(entry, {}) for ace in _with_fragments(found))


def _with_fragments(ace: Ace) -> Iterable[Ace]:
    """An entry, and what it does to fragments that are not the first."""
    yield ace
    if ace.permit and (ace.sport or ace.dport or ace.established or ace.icmp):
        yield replace(ace, sport=None, dport=None, established=False, icmp=None, fragments=True)


def _bindings(interface: str, lines: Sequence[str]) -> list[Binding]:
    vrf = next((line.split()[2] for line in lines if line.startswith("vrf forwarding ")), DEFAULT_VRF)
    found: list[Binding] = []
    for line in lines:
        match line.split():
            case ["description", *_] | ["switchport", *_]:
                pass
            case ["ip", "access-group", acl, ("in" | "out") as way]:
                found.append(Binding(interface, vrf, 4, "in" if way == "in" else "out", acl))
            case ["ipv6", "traffic-filter", acl, ("in" | "out") as way]:
                found.append(Binding(interface, vrf, 6, "in" if way == "in" else "out", acl))
            case words if any("access" in word or "filter" in word for word in words):
                raise Unreadable(line)
    return found
