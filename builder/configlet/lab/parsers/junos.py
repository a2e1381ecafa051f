"""What a Junos configuration says about filtering: terms of firewall filters in bits, and where they are bound.

It reads the whole text of ``show configuration``. What the platform does by itself is spelt out here: a packet that no
term matches is discarded, a term without an action accepts, and of IPv6 the *first* next header is compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import product
from typing import Literal

from configlet.lab.parsers.eos import Binding, Filters, Unreadable
from configlet.lab.parsers.eos_entry import Ace, Bits, Ports
from configlet.lab.parsers.junos_names import HEADERS, ICMP, ICMP_TYPES, ICMPV6, PORTS, PROTOCOLS, TCP, UDP
from configlet.lab.parsers.junos_text import Malformed, Statement, statements
from configlet.model.net import BITS, TOP, Family

FAMILIES: dict[str, Family] = {"inet": 4, "inet6": 6}
WAYS: dict[str, Literal["in", "out"]] = {"input": "in", "output": "out"}
DEFAULT_VRF = "default"
ANYWHERE = Bits(0, 0)
_NOTES = ("log", "syslog")
_FILTERING = re.compile(r"\b(filter|rpf-check|simple-filter|input-list|output-list|service)\b")


def read(text: str) -> Filters:
    """The filters of a configuration. Raises Unreadable with the statement."""
    acls: dict[tuple[Family, str], tuple[Ace, ...]] = {}
    bindings: list[Binding] = []
    try:
        top = {statement.name: statement for statement in statements(text)}
    except Malformed as why:
        raise Unreadable(str(why)) from why
    realms = _realms(top.get("routing-instances"))
    for statement in top.values():
        if statement.name == "firewall":
            acls |= dict(_families(statement))
        elif statement.name == "interfaces":
            bindings += _bindings(statement, realms)
        elif statement.name != "routing-instances" and _mentions(statement):
            raise Unreadable(statement.name)
    return Filters(acls, tuple(bindings))


def interface(name: str) -> str:
    """The lab's name of a logical interface: ``irb.120`` is Vlan120, ``Ethernet1.0`` is Ethernet1."""
    port, _, unit = name.rpartition(".")
    if port == "irb":
        return f"Vlan{unit}"
    return port if unit == "0" else name


def _inner(statement: Statement | None) -> tuple[Statement, ...]:
    return () if statement is None or statement.inner is None else statement.inner


def _mentions(statement: Statement) -> bool:
    return bool(_FILTERING.search(statement.name)) or any(_mentions(inner) for inner in _inner(statement))


def _realms(instances: Statement | None) -> dict[str, str]:
    """Logical interface to its routing instance."""
    found: dict[str, str] = {}
    for instance in _inner(instances):
        for line in _inner(instance):
            match line.words:
                case ["interface", name]:
                    found[name] = instance.name
                case _ if _mentions(line):
                    raise Unreadable(f"{instance.name} {line.name}")
    return found


def _bindings(interfaces: Statement, realms: Mapping[str, str]) -> Iterator[Binding]:
    for port in _inner(interfaces):
        for unit in _inner(port):
            match unit.words:
                case ["unit", number]:
                    for family in _inner(unit):
                        yield from _bound(f"{port.name}.{number}", family, realms)
                case _ if _mentions(unit):
                    raise Unreadable(f"{port.name} {unit.name}")


def _bound(name: str, family: Statement, realms: Mapping[str, str]) -> Iterator[Binding]:
    for line in _inner(family):
        match [*family.words, *line.words]:
            case ["family", ("inet" | "inet6") as word, "filter"]:
                for bound in _inner(line):
                    match bound.words:
                        case [("input" | "output") as way, acl]:
                            realm = realms.get(name, DEFAULT_VRF)
                            yield Binding(interface(name), realm, FAMILIES[word], WAYS[way], acl)
                        case _:
                            raise Unreadable(f"{name} {family.name} filter {bound.name}")
            case _ if _mentions(line):
                raise Unreadable(f"{name} {family.name} {line.name}")


def _families(firewall: Statement) -> Iterator[tuple[tuple[Family, str], tuple[Ace, ...]]]:
    for family in _inner(firewall):
        match family.words:
            case ["family", ("inet" | "inet6") as word]:
                for one in _inner(family):
                    match one.words:
                        case ["filter", name]:
                            yield (FAMILIES[word], name), _filter(FAMILIES[word], one)
                        case _:
                            raise Unreadable(f"firewall {family.name} {one.name}")
            case _:
                raise Unreadable(f"firewall {family.name}")


def _filter(family: Family, one: Statement) -> tuple[Ace, ...]:
    found: list[Ace] = []
    for term in _inner(one):
        match term.words:
            case ["term", _]:
                found += _term(family, term)
            case ["interface-specific"]:
                pass
            case _:
                raise Unreadable(f"{one.name} {term.name}")
    return tuple(found)


@lru_cache(16384)
def _term(family: Family, term: Statement) -> tuple[Ace, ...]:
    asked: dict[str, list[str]] = {}
    permit = True
    for part in _inner(term):
        if part.words == ("from",):
            for line in _inner(part):
                _ask(asked, line, term)
        elif part.words == ("then",):
            permit = _action(part, term)
        else:
            raise Unreadable(f"{term.name} {part.name}")
    return tuple(_aces(family, permit, asked, term))


def _ask(asked: dict[str, list[str]], line: Statement, term: Statement) -> None:
    """One condition: a list of addresses in braces, or a word with its values."""
    key, *values = line.words
    if line.inner is not None:
        if key not in ("source-address", "destination-address") or values:
            raise Unreadable(f"{term.name} from {line.name}")
        for address in line.inner:
            if len(address.words) != 1 or address.inner is not None:
                raise Unreadable(f"{term.name} from {line.name} {address.name}")
        values = [address.name for address in line.inner]
    asked.setdefault(key, []).extend([*values, *line.members])


def _action(part: Statement, term: Statement) -> bool:
    permit = True
    for line in _inner(part):
        match line.words:
            case ["accept"]:
                permit = True
            case ["discard"] | ["reject"] | ["reject", _]:
                permit = False
            case ["count", _]:
                pass
            case [word] if word in _NOTES:
                pass
            case _:
                raise Unreadable(f"{term.name} then {line.name}")
    return permit


def _aces(family: Family, permit: bool, asked: dict[str, list[str]], term: Statement) -> Iterator[Ace]:
    known = _KNOWN | ({"protocol", "is-fragment"} if family == 4 else {"next-header"})
    for key in asked:
        if key not in known:
            raise Unreadable(f"{term.name} from {key}")
    protocols = _protocols(family, asked, term)
    sports, dports = (_ports(asked.get(f"{way}-port", []), protocols, term) for way in ("source", "destination"))
    established = _established(asked, protocols, term)
    sources, destinations = (_addresses(family, asked.get(f"{w}-address", []), term) for w in ("source", "destination"))
    kinds = _icmp(family, asked, protocols, term)
    later = "is-fragment" in asked
    for proto, source, destination, sport, dport, icmp in product(
        protocols, sources, destinations, sports, dports, kinds
    ):
        first = family == 6 and proto is not None
        yield Ace(permit, family, proto, source, destination, sport, dport, established, icmp, later, first=first)


_KNOWN = frozenset(
    {"source-address", "destination-address", "source-port", "destination-port", "icmp-type", "icmp-code"}
    | {"tcp-established", "tcp-flags"}
)


def _protocols(family: Family, asked: Mapping[str, list[str]], term: Statement) -> list[int | None]:
    values = asked.get("protocol" if family == 4 else "next-header", [])
    names = PROTOCOLS if family == 4 else HEADERS
    return [_number(value, names, 255, term) for value in values] or [None]


def _ports(values: list[str], protocols: Iterable[int | None], term: Statement) -> list[Ports | None]:
    if values and not set(protocols) <= {TCP, UDP}:
        raise Unreadable(f"{term.name}: ports of a protocol that is not said, or has none")
    return [_port(value, term) for value in values] or [None]


def _port(value: str, term: Statement) -> Ports:
    if value in PORTS:
        return Ports("eq", (PORTS[value],))
    low, dash, high = value.partition("-")
    if not dash:
        return Ports("eq", (_number(value, PORTS, 65535, term),))
    first, last = (_number(end, PORTS, 65535, term) for end in (low, high))
    if last < first:
        raise Unreadable(f"{term.name}: the range {value} is reversed")
    return Ports("range", (first, last))


def _established(asked: Mapping[str, list[str]], protocols: list[int | None], term: Statement) -> bool:
    flags = asked.get("tcp-flags")
    if flags is not None and [re.sub(r'[\s"]', "", flag) for flag in flags] != ["(ack|rst)"]:
        raise Unreadable(f"{term.name} from tcp-flags {' '.join(flags)}")
    found = flags is not None or "tcp-established" in asked
    if found and protocols != [TCP]:
        raise Unreadable(f"{term.name}: TCP flags of another protocol")
    return found


def _addresses(family: Family, values: list[str], term: Statement) -> list[Bits]:
    return [_prefix(family, value, term) for value in values] or [ANYWHERE]


def _prefix(family: Family, value: str, term: Statement) -> Bits:
    from ipaddress import ip_network

    try:
        network = ip_network(value)
    except ValueError as why:
        raise Unreadable(f"{term.name}: {why}") from None
    if network.version != family:
        raise Unreadable(f"{term.name}: {value} is of the other family")
    care = TOP[family] ^ (TOP[family] >> network.prefixlen) if network.prefixlen < BITS[family] else TOP[family]
    return Bits(int(network.network_address), care)


def _icmp(
    family: Family, asked: Mapping[str, list[str]], protocols: list[int | None], term: Statement
) -> list[tuple[int, int | None] | None]:
    types, codes = asked.get("icmp-type", []), asked.get("icmp-code", [])
    if not types and not codes:
        return [None]
    if not types or protocols != [ICMP if family == 4 else ICMPV6]:
        raise Unreadable(f"{term.name}: an ICMP type or code of another protocol, or a code without its type")
    kinds = [_number(kind, ICMP_TYPES[family], 255, term) for kind in types]
    numbers: list[int | None] = [_number(code, {}, 255, term) for code in codes] or [None]
    return [(kind, code) for kind in kinds for code in numbers]


def _number(value: str, names: Mapping[str, int], most: int, term: Statement) -> int:
    if value in names:
        return names[value]
    if not (value.isascii() and value.isdigit() and int(value) <= most):
        raise Unreadable(f"{term.name}: {value}")
    return int(value)


