"""One entry of an IOS-XE access list: words to bits, and bits to the words that IOS-XE prints.

Strict: a word that is not known here is refused with the token at which it stands. IPv4 addresses have wildcards (a set
bit does not matter), IPv6 addresses have prefix lengths. Object groups are IPv4's only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from configlet.lab.parsers import ios_names as names
from configlet.lab.parsers.eos_entry import Bits, InvalidInput, Ports, Words, number
from configlet.model.net import BITS, TOP, Family, address_text

OPERATORS = ("eq", "gt", "lt", "neq", "range")
MOST_PORTS = 10
"""``eq`` and ``neq`` take up to ten ports in an IPv4 list (Cisco, ACL support for multiple ports)."""


@dataclass(frozen=True, slots=True)
class Group:
    """A word of an entry that stands for the members of an object group."""

    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as entered. ``proto`` None is any; a group there is a service group."""

    permit: bool
    family: Family
    proto: int | Group | None
    source: Bits | Group
    destination: Bits | Group
    sport: Ports | None = None
    dport: Ports | None = None
    established: bool = False
    icmp: tuple[int, int | None] | None = None
    fragments: bool = False
    log: str = ""

    @property
    def groups(self) -> tuple[tuple[str, str], ...]:
        """(kind, name) of the object groups in it."""
        found = [("service", self.proto), ("network", self.source), ("network", self.destination)]
        return tuple((kind, word.name) for kind, word in found if isinstance(word, Group))


def parse(family: Family, line: Sequence[str], at: int = 0) -> Entry:
    """The entry that begins with its action at word ``at``. Raises InvalidInput."""
    words = Words(line, at)
    action = words.take()
    if action not in ("permit", "deny"):
        raise words.bad()
    proto = _protocol(words, family)
    plain = None if isinstance(proto, Group) else proto
    source, sport = address(words, family), ports(words, plain)
    destination, dport = address(words, family), ports(words, plain)
    established = plain == names.TCP and words.skip("established")
    icmp = icmp_type(words, family, plain)
    deep = sport or dport or established or icmp or isinstance(proto, Group)
    fragments = not deep and words.skip("fragments")
    log = words.peek() or ""
    if not words.skip("log", "log-input"):
        log = ""
    words.end()
    return Entry(
        action == "permit", family, proto, source, destination, sport, dport, established, icmp, fragments, log
    )


def _protocol(words: Words, family: Family) -> int | Group | None:
    word = words.take()
    if word == names.ANY_PROTOCOL[family]:
        return None
    if word in names.PROTOCOLS[family]:
        return names.PROTOCOLS[family][word]
    if word == "object-group" and family == 4:
        return Group(words.take())
    if word.isascii() and word.isdigit() and int(word) <= 255:
        return int(word)
    raise words.bad()


def literal(words: Words, family: Family, text: str) -> int:
    """An address as a number; the word taken last is refused when it is none."""
    try:
        return int(IPv4Address(text) if family == 4 else IPv6Address(text))
    except AddressValueError:
        raise words.bad() from None


def address(words: Words, family: Family) -> Bits | Group:
    """``any``, ``host A``, ``A WILDCARD``, ``P/LEN`` or, in IPv4, ``object-group NAME``."""
    word = words.take()
    if word == "any":
        return Bits(0, 0)
    if word == "host":
        return Bits(literal(words, family, words.take()), TOP[family])
    if family == 4:
        if word == "object-group":
            return Group(words.take())
        value = literal(words, 4, word)
        care = TOP[4] ^ literal(words, 4, words.take())
        return Bits(value & care, care)
    text, _, length = word.partition("/")
    value = literal(words, 6, text)
    if not (length.isascii() and length.isdigit() and int(length) <= BITS[6]):
        raise words.bad()
    care = TOP[6] ^ (TOP[6] >> int(length))
    return Bits(value & care, care)


def ports(words: Words, proto: int | None) -> Ports | None:
    """A port operator with its numbers, when one follows and the protocol has ports."""
    if proto not in names.PORTS or words.peek() not in OPERATORS:
        return None
    operator = words.take()
    low, high = {"gt": (0, 65534), "lt": (1, 65535)}.get(operator, (0, 65535))
    found = [_port(words, proto, low, high)]
    if operator == "range":
        found.append(_port(words, proto, found[0], high))
    while operator == "eq" and len(found) < MOST_PORTS and _is_port(words.peek(), proto):
        found.append(_port(words, proto, low, high))
    return Ports(operator, tuple(found))


def _is_port(word: str | None, proto: int) -> bool:
    return word is not None and (word in names.PORTS[proto] or word.isdigit())


def _port(words: Words, proto: int, low: int, high: int) -> int:
    word = words.peek()
    if word is not None and low <= names.PORTS[proto].get(word, -1) <= high:
        return names.PORTS[proto][words.take()]
    return number(words, low, high)


def icmp_type(words: Words, family: Family, proto: int | None) -> tuple[int, int | None] | None:
    """An ICMP type with or without its code, when one follows."""
    if proto != {4: names.ICMP, 6: names.ICMPV6}[family]:
        return None
    word = words.peek()
    if word in names.ICMP_TYPES[family]:
        return names.ICMP_TYPES[family][words.take()]
    if word is None or not word.isdigit():
        return None
    kind = number(words, 0, 255)
    following = words.peek()
    return kind, number(words, 0, 255) if following is not None and following.isdigit() else None


def printed(known: dict[str, int], value: int) -> str:
    """The first name of a number, or the number."""
    return next((name for name, found in known.items() if found == value), str(value))


def show(entry: Entry) -> str:
    """The entry as IOS-XE prints it in the running configuration: names for what it names, IPv6 in capitals."""
    words = ["permit" if entry.permit else "deny", *_show_protocol(entry)]
    proto = None if isinstance(entry.proto, Group) else entry.proto
    words += show_address(entry.family, entry.source) + show_ports(proto, entry.sport)
    words += show_address(entry.family, entry.destination) + show_ports(proto, entry.dport)
    words += ["established"] * entry.established + show_icmp(entry.family, entry.icmp)
    return " ".join([*words, *(["fragments"] * entry.fragments), *([entry.log] if entry.log else [])])


def _show_protocol(entry: Entry) -> list[str]:
    if isinstance(entry.proto, Group):
        return ["object-group", entry.proto.name]
    if entry.proto is None:
        return [names.ANY_PROTOCOL[entry.family]]
    return [printed(names.PROTOCOLS[entry.family], entry.proto)]


def show_address(family: Family, bits: Bits | Group) -> list[str]:
    """An address as an entry prints it."""
    if isinstance(bits, Group):
        return ["object-group", bits.name]
    top = TOP[family]
    loose = top ^ bits.care
    if not bits.care:
        return ["any"]
    if not loose:
        return ["host", address_text(family, bits.value).upper()]
    if family == 6:
        return [f"{address_text(6, bits.value).upper()}/{BITS[6] - loose.bit_length()}"]
    return [address_text(4, bits.value), address_text(4, loose)]


def show_ports(proto: int | None, found: Ports | None) -> list[str]:
    """A port operator as an entry prints it."""
    if found is None or proto is None:
        return []
    return [found.operator, *(printed(names.PORTS[proto], n) for n in found.numbers)]


def show_icmp(family: Family, icmp: tuple[int, int | None] | None) -> list[str]:
    """An ICMP type as an entry prints it: by name where the pair has one."""
    if icmp is None:
        return []
    name = next((name for name, found in names.ICMP_TYPES[family].items() if found == icmp), "")
    return [name] if name else [str(part) for part in icmp if part is not None]


__all__ = ["Entry", "Group", "InvalidInput", "parse", "show"]
