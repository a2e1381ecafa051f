"""How one vendor writes numbered access lists and their bindings, as data; and what such a running configuration says.

For platforms whose lists are a header with one numbered entry a line, and that need no more than this to be told apart.
Everything that a configuration may hold about filtering is read or is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address

from configlet.lab.parsers.eos import Binding, Filters, Unreadable
from configlet.lab.parsers.eos_entry import Ace, Bits, InvalidInput, Ports, parse
from configlet.lab.parsers.sections import sections
from configlet.lab.parsers.vocabulary import Vocabulary
from configlet.lab.switch_config import Way
from configlet.model.net import BITS, FAMILIES, TOP, Family, address_text

DEFAULT_VRF = "default"
ANYWHERE = Bits(0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """One vendor's way. Compared by identity, as there is one of each."""

    vocabulary: Vocabulary
    head: Mapping[Family, str]
    """What stands before the name of a list."""
    bind: Mapping[Family, str]
    """What stands before the name of a list that an interface is bound to."""
    ways: Mapping[str, Way]
    vrf: str
    """What stands before the name of an interface's VRF."""
    indent: str
    last_sequence: int
    host: Mapping[Family, str]
    """How one address is shown."""
    wildcard: bool
    """Whether IPv4 prefixes are shown with a wildcard, not with a length."""
    empty_permits: bool
    """Whether a bound list that is missing or has no entry permits everything. Else the lab drops everything."""
    unwritten: Mapping[Family, tuple[Ace, ...]]
    """Entries that stand before the implicit deny of a list."""
    overwrites: bool = False
    """Whether an entry takes the place of the one that has its number; else it is refused."""
    port: tuple[str, str] = ("", "")
    """The beginning of an interface's name here, and what the lab's wiring calls it."""
    plain: tuple[str, ...] = field(default=())
    """Sections that may speak of lists in passing and do not filter."""

    def wired(self, interface: str) -> str:
        """The wiring's name of an interface."""
        here, there = self.port
        return there + interface.removeprefix(here) if here and interface.startswith(here) else interface

    def named(self, interface: str) -> str:
        """The device's name of an interface of the wiring."""
        here, there = self.port
        return here + interface.removeprefix(there) if there and interface.startswith(there) else interface

    def way(self, way: Way) -> str:
        """The word for a direction."""
        return next(word for word, found in self.ways.items() if found == way)

    def entry(self, family: Family, words: Sequence[str], at: int = 0) -> Ace:
        """The entry that begins with its action at word ``at``. Raises InvalidInput."""
        return parse(family, words, at, self.vocabulary)


def read(dialect: Dialect, text: str) -> Filters:
    """The filters of a running configuration. Raises Unreadable with the line."""
    acls: dict[tuple[Family, str], tuple[Ace, ...]] = {}
    bindings: list[Binding] = []
    for header, lines in sections(text):
        family = _family(dialect, header)
        if family is not None:
            name = header.removeprefix(dialect.head[family]).strip()
            acls[family, name] = _entries(dialect, family, tuple(lines))
        elif header.startswith("interface "):
            bindings += _bindings(dialect, header.removeprefix("interface "), lines)
        elif not header.startswith(dialect.plain) and any(_filters(line) for line in (header, *lines)):
            raise Unreadable(header)
    if dialect.empty_permits:
        bindings = [bound for bound in bindings if acls.get((bound.family, bound.acl))]
    return Filters(acls, tuple(bindings))


def _family(dialect: Dialect, header: str) -> Family | None:
    return next((f for f in FAMILIES if header.startswith(f"{dialect.head[f]} ") and len(header.split()) == 3), None)


def _filters(line: str) -> bool:
    return "access" in line or "filter" in line


@lru_cache(512)
def _entries(dialect: Dialect, family: Family, lines: tuple[str, ...]) -> tuple[Ace, ...]:
    """A list in sequence order with what is implicit; nothing when no line of it judges."""
    numbered: dict[int, Ace] = {}
    for line in lines:
        words = line.split()
        if words[1:2] == ["remark"]:
            continue
        try:
            numbered[int(words[0])] = _entry(dialect, family, " ".join(words[1:]))
        except (InvalidInput, ValueError) as why:
            raise Unreadable(f"{line}: {why}") from None
    aces = tuple(ace for _, ace in sorted(numbered.items()))
    return (*aces, *dialect.unwritten.get(family, ())) if aces else ()


@lru_cache(16384)
def _entry(dialect: Dialect, family: Family, text: str) -> Ace:
    return dialect.entry(family, text.split() or [""])


def _bindings(dialect: Dialect, interface: str, lines: Sequence[str]) -> Iterator[Binding]:
    vrf = next((line.removeprefix(dialect.vrf).strip() for line in lines if line.startswith(dialect.vrf)), DEFAULT_VRF)
    for line in lines:
        words = line.split()
        family = next((f for f in FAMILIES if line.startswith(f"{dialect.bind[f]} ")), None)
        if family is not None and len(words) == 4 and words[3] in dialect.ways:
            yield Binding(dialect.wired(interface), vrf, family, dialect.ways[words[3]], words[2])
        elif words[0] not in ("description", "switchport") and _filters(line):
            raise Unreadable(line)


def show(dialect: Dialect, ace: Ace) -> str:
    """The entry as the device prints it: names for what it names."""
    known = dialect.vocabulary
    words = ["permit" if ace.permit else "deny"]
    words.append(known.any_protocol[ace.family] if ace.proto is None else _printed(known.protocols[ace.family], ace.proto))
    words += [_address(dialect, ace.family, ace.source), *_ports(known, ace.proto, ace.sport)]
    words += [_address(dialect, ace.family, ace.destination), *_ports(known, ace.proto, ace.dport)]
    words += ["established"] * ace.established + _icmp(known, ace)
    return " ".join([*words, *(["fragments"] * ace.fragments), *(["log"] * ace.log)])


def _printed(named: Mapping[str, int], value: int) -> str:
    return next((name for name, found in named.items() if found == value), str(value))


def _address(dialect: Dialect, family: Family, bits: Bits) -> str:
    loose = TOP[family] ^ bits.care
    value = address_text(family, bits.value)
    if not bits.care:
        return "any"
    if not loose:
        return dialect.host[family].format(value)
    if loose & (loose + 1) or (dialect.wildcard and family == 4):
        return f"{value} {IPv4Address(loose)}"
    return f"{value}/{BITS[family] - loose.bit_length()}"


def _ports(known: Vocabulary, proto: int | None, found: Ports | None) -> list[str]:
    if found is None or proto is None:
        return []
    return [found.operator, *(_printed(known.ports[proto], number) for number in found.numbers)]


def _icmp(known: Vocabulary, ace: Ace) -> list[str]:
    if ace.icmp is None:
        return []
    name = next((name for name, found in known.icmp_types[ace.family].items() if found == ace.icmp), "")
    return [name] if name else [str(part) for part in ace.icmp if part is not None]
