"""Object groups of IOS-XE: their lines in bits, and what an entry means with its groups filled in.

In a network group a prefix has a **netmask**, unlike in an entry (Cisco, Object Groups for ACLs).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, summarize_address_range

from configlet.lab.parsers import ios_names as names
from configlet.lab.parsers.eos_entry import Ace, Bits, Ports, Words
from configlet.lab.parsers.ios_entry import (
    Entry,
    Group,
    address,
    icmp_type,
    literal,
    ports,
    printed,
    show_icmp,
    show_ports,
)
from configlet.model.net import TOP, address_text

Groups = Mapping[tuple[str, str], Sequence[str]]
"""(kind, name) to the lines of a group, as IOS-XE prints them."""
KINDS = ("network", "service")
DEEPEST = 16


class Unresolved(Exception):  # noqa: N818 - it is what happened
    """An object group that is not there, is empty, or holds itself."""


@dataclass(frozen=True, slots=True)
class Service:
    """One line of a service group. ``protos`` None is every protocol."""

    protos: tuple[int, ...] | None
    sport: Ports | None = None
    dport: Ports | None = None
    icmp: tuple[int, int | None] | None = None


def network_line(line: Sequence[str]) -> tuple[str, tuple[Bits, ...] | Group]:
    """A line of a network group: as it is printed, and its members or the group that it includes."""
    words = Words(line)
    word = words.peek()
    if word == "group-object":
        words.take()
        name = words.take()
        words.end()
        return f"group-object {name}", Group(name)
    if word == "any":
        words.take()
        words.end()
        return "any", (Bits(0, 0),)
    if word == "range":
        words.take()
        low, high = literal(words, 4, words.take()), literal(words, 4, words.take())
        if low > high:
            raise words.bad()
        words.end()
        nets = summarize_address_range(IPv4Address(low), IPv4Address(high))
        return f"range {address_text(4, low)} {address_text(4, high)}", tuple(_prefix(n.prefixlen, n) for n in nets)
    if word == "host":
        found = address(words, 4)
        words.end()
        assert isinstance(found, Bits)
        return f"host {address_text(4, found.value)}", (found,)
    return _masked(words)


def _masked(words: Words) -> tuple[str, tuple[Bits, ...]]:
    value = literal(words, 4, words.take())
    mask = literal(words, 4, words.take())
    loose = TOP[4] ^ mask
    if loose & (loose + 1):
        raise words.bad()
    words.end()
    if not loose:
        return f"host {address_text(4, value)}", (Bits(value, mask),)
    return f"{address_text(4, value & mask)} {address_text(4, mask)}", (Bits(value & mask, mask),)


def _prefix(length: int, net: object) -> Bits:
    care = TOP[4] ^ (TOP[4] >> length)
    return Bits(int(getattr(net, "network_address")) & care, care)  # noqa: B009 - v4 or v6 network


def service_line(line: Sequence[str]) -> tuple[str, Service | Group]:
    """A line of a service group: as it is printed, and what it matches or the group that it includes."""
    words = Words(line)
    word = words.take()
    if word == "group-object":
        name = words.take()
        words.end()
        return f"group-object {name}", Group(name)
    if word == "tcp-udp":
        protos: tuple[int, ...] | None = (names.TCP, names.UDP)
        label = word
    elif word == "ip":
        protos, label = None, word
    else:
        protos, label = _protocol(words, word)
    first = protos[0] if protos else None
    sport = ports(words, first) if words.skip("source") else None
    dport = ports(words, first)
    icmp = icmp_type(words, 4, first)
    words.end()
    shown = [label, *(["source", *show_ports(first, sport)] if sport else []), *show_ports(first, dport)]
    return " ".join([*shown, *show_icmp(4, icmp)]), Service(protos, sport, dport, icmp)


def _protocol(words: Words, word: str) -> tuple[tuple[int, ...], str]:
    known = names.PROTOCOLS[4]
    if word in known:
        return (known[word],), word
    if word.isascii() and word.isdigit() and int(word) <= 255:
        return (int(word),), printed(known, int(word))
    raise words.bad()


def networks(groups: Groups, name: str, depth: int = 0) -> tuple[Bits, ...]:
    """The members of a network group. Raises Unresolved."""
    found: list[Bits] = []
    for line in _lines(groups, "network", name, depth):
        members = network_line(line.split())[1]
        found += networks(groups, members.name, depth + 1) if isinstance(members, Group) else members
    return tuple(found)


def services(groups: Groups, name: str, depth: int = 0) -> tuple[Service, ...]:
    """The services of a service group. Raises Unresolved."""
    found: list[Service] = []
    for line in _lines(groups, "service", name, depth):
        member = service_line(line.split())[1]
        found += services(groups, member.name, depth + 1) if isinstance(member, Group) else (member,)
    return tuple(found)


def _lines(groups: Groups, kind: str, name: str, depth: int) -> list[str]:
    lines = [line for line in groups.get((kind, name), ()) if not line.startswith("description ")]
    if not lines or depth > DEEPEST:
        raise Unresolved(f"object-group {kind} {name} is not there, empty, or holds itself")
    return lines


def fill(entry: Entry, groups: Groups) -> Iterable[Ace]:
    """The entries in bits that an entry stands for. Raises Unresolved."""
    sources, destinations = _members(entry.source, groups), _members(entry.destination, groups)
    for source in sources:
        for destination in destinations:
            for ace in _by_service(entry, groups):
                yield replace(ace, source=source, destination=destination)


def _members(word: Bits | Group, groups: Groups) -> tuple[Bits, ...]:
    return networks(groups, word.name) if isinstance(word, Group) else (word,)


def _by_service(entry: Entry, groups: Groups) -> Iterable[Ace]:
    anywhere = Bits(0, 0)
    head = (entry.permit, entry.family)
    if not isinstance(entry.proto, Group):
        yield Ace(
            *head, entry.proto, anywhere, anywhere, entry.sport, entry.dport, entry.established, entry.icmp,
            entry.fragments, bool(entry.log),
        )  # fmt: skip
        return
    for service in services(groups, entry.proto.name):
        for proto in service.protos or (None,):
            yield Ace(*head, proto, anywhere, anywhere, service.sport, service.dport, icmp=service.icmp)


__all__ = ["Groups", "Unresolved", "fill", "network_line", "service_line"]
