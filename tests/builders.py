"""Tables made by hand, for tests of everything that starts from a table."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from ipaddress import ip_network
from pathlib import Path

from configlet.fit.law import Scope, routed
from configlet.fit.sides import Sides
from configlet.model.block import items
from configlet.model.gate import Gate, Law, Table
from configlet.model.net import TOP, Addresses, Family, Span, span_of
from configlet.model.platform import Platform
from configlet.model.policy import Box, Entry, Origin, Rule
from configlet.model.problem import Place
from configlet.platforms import load
from configlet.platforms.content import search

PROTOS = {
    "ip": (0, 255),
    "icmp": (1, 1),
    "igmp": (2, 2),
    "tcp": (6, 6),
    "udp": (17, 17),
    "icmpv6": (58, 58),
    "ospf": (89, 89),
}


def platform(name: str, root: Path | None = None) -> Platform:
    """A platform as it ships, or with a workspace's folder over it."""
    return _shipped()[name] if root is None else load(search(root))[name]


@cache
def _shipped() -> dict[str, Platform]:
    return load(search(None))


def span(text: str, family: Family) -> Span:
    """``any``, a prefix, an address, or ``low-high``."""
    if text == "any":
        return 0, TOP[family]
    if "-" in text:
        low, high = text.split("-")
        return span(low, family)[0], span(high, family)[1]
    return span_of(ip_network(text))


def numbers(text: object, *, types: bool = False) -> Span:
    """A port, a range, or (``types``) an ICMP type or ``type/code``."""
    said = str(text)
    if types and "/" in said:
        kind, code = said.split("/")
        return (int(kind) * 256 + int(code),) * 2
    low, _, high = said.partition("-")
    first, last = int(low), int(high or low)
    return (first * 256, last * 256 + 255) if types else (first, last)


def row(
    said: str,
    family: Family = 4,
    *,
    name: str = "",
    log: bool = False,
    reply: bool = False,
    origin: Origin = "policy",
    line: int = 1,
) -> Entry:
    """A row from words: ``permit tcp 10.0.0.0/8 10.1.0.1 to 22 from 1024-65535 established|fragments|whole``."""
    words = said.split()
    proto = PROTOS[words[1]] if words[1] in PROTOS else (int(words[1]), int(words[1]))
    source, destination = span(words[2], family), span(words[3], family)
    dport: Span = (0, 65535)
    sport, flag, fragment = dport, (0, 1), (0, 0)
    rest = iter(words[4:])
    for word in rest:
        if word in ("to", "type"):
            dport = numbers(next(rest), types=word == "type")
        elif word == "from":
            sport = numbers(next(rest))
        elif word == "established":
            flag = (1, 1)
        elif word == "fragments":
            fragment = (1, 1)
        elif word == "all":
            fragment = (0, 1)
        else:
            raise ValueError(word)
    permit = {"permit": True, "deny": False}[words[0]]
    none = Addresses()
    title = name or f"rule {line}"
    action = "allow" if permit else "deny"
    rule = Rule(title, origin, action, none, none, (), log, Place("policy.yaml", line, 3))  # type: ignore[arg-type]
    box: Box = (proto, destination, source, dport, sport, flag, fragment)
    return Entry(permit, box, rule, reply)


def rows(texts: Sequence[str], family: Family = 4, **more: object) -> tuple[Entry, ...]:
    """Several rows; each has a rule of its own."""
    return tuple(row(text, family, line=i, **more) for i, text in enumerate(texts, 1))  # type: ignore[arg-type]


def acl(
    entries: Sequence[Entry],
    family: Family = 4,
    *,
    binding: str = "Vlan120",
    direction: str = "in",
    owner: str = "leaf1",
) -> Table:
    """An EOS table whose law is exactly its rows."""
    capability = platform("eos").kinds["acl"].capability
    name = f"{owner}/{binding}/{direction}/v{family}"
    gate = Gate(name, owner, "eos", "acl", binding, direction, (family,), "trading", ("order-gateways",), capability)  # type: ignore[arg-type]
    return Table(gate, "trading", family, Law(family, (tuple(entries),)), tuple(entries))


def host(entries: Sequence[Entry], locals_: Sequence[str], family: Family = 4, *, owner: str = "ogw1") -> Table:
    """A host's table whose law is exactly its rows."""
    capability = platform("nftables").kinds["filter-table"].capability
    spans = tuple((6 if ":" in text else 4, span(text, 6 if ":" in text else 4)) for text in locals_)
    gate = Gate(
        f"{owner}/nftables", owner, "nftables", "filter-table", "inet configlet", "both", (4, 6), "", ("order-gateways",),
        capability, locals=spans,  # type: ignore[arg-type]
    )  # fmt: skip
    return Table(gate, "trading", family, Law(family, (tuple(entries),)), tuple(entries))


def routed_lists(
    rules: Sequence[Entry], scope: Scope, direction: str, family: Family
) -> tuple[Sequence[Entry], Sequence[Entry]]:
    """The lists of an interface, of a policy that is given as rows."""
    return routed(Sides(family, items(rules)), scope, direction).lists
