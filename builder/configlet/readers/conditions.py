"""What one leaf of an entry asks of a packet, by the grammar's conditions; leaves are understood once and remembered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from configlet.readers.grammar import by_key, expand, words
from configlet.readers.names import Names
from configlet.readers.spans import BITS, Span, Unreadable, address, number, prefix

MOST = 65536
"""How many leaves are remembered."""
ANY: dict[int, Span] = {family: (0, (1 << bits) - 1) for family, bits in BITS.items()}


class Meaning(NamedTuple):
    """A field of the entry with its value, and the leaf in its normal form."""

    field: str
    value: Any
    many: bool
    normal: str
    rest: Meaning | None = None
    """What else the same leaf asks."""


class Conditions:
    """The conditions of a grammar, for one family."""

    def __init__(self, grammar: Mapping[str, Any], names: Names, family: int) -> None:
        types = words(grammar["names"]["icmp"][family]) if grammar["names"]["icmp"][family] else "(?!)"
        parts = {name: f"(?:{by_key(said, family)})" for name, said in grammar["parts"].items()} | {"icmp": types}
        known = [said for said in grammar["conditions"] if family in said.get("families", (4, 6))]
        self.rules = [(re.compile(expand(said["path"], parts)), said) for said in known]
        self.names, self.family = names, family
        self.every = frozenset(grammar.get("everywhere", ()))
        self.seen: dict[str, Meaning] = {}

    def meaning(self, leaf: str) -> Meaning:
        """What a leaf asks. Raises Unreadable."""
        found = self.seen.get(leaf)
        if found is None:
            if len(self.seen) >= MOST:
                self.seen.clear()
            found = self.seen[leaf] = self._meaning(leaf)
        return found

    def _meaning(self, leaf: str) -> Meaning:
        for pattern, said in self.rules:
            if found := pattern.fullmatch(leaf):
                return self._value(leaf, found, said)
        raise Unreadable("This condition is not known")

    def _value(self, leaf: str, found: re.Match[str], said: Mapping[str, Any]) -> Meaning:
        field, takes = said.get("field", ""), said.get("takes", "")
        rest = self.meaning(f"+ {found['rest']}") if found.groupdict().get("rest") else None
        behind = "" if rest is None else rest.normal[2:]
        leaf = leaf if rest is None else leaf[: found.start("rest")]
        if not takes:
            return Meaning(field, said.get("is"), False, leaf + behind, rest)
        text = found["value"].strip("'\"")
        value = getattr(self, f"_{takes}")(text)
        normal = _written(takes, value, text)
        start, end = found.span("value")
        return Meaning(field, value, bool(said.get("many")), leaf[:start] + normal + leaf[end:] + behind, rest)

    def _proto(self, text: str) -> Span:
        return self.names.proto(text, self.family)

    def _prefix(self, text: str) -> Span:
        if text in self.every:
            return ANY[self.family]
        low, dash, high = text.partition("-")
        if dash:
            span = address(low, self.family), address(high, self.family)
            if span[0] > span[1]:
                raise Unreadable("This range is reversed")
            return span
        if "/" in text:
            return prefix(text, self.family)
        value = address(text, self.family)
        return value, value

    def _port(self, text: str) -> str:
        """Ports are understood with their protocol, so only their form is looked at here."""
        if text in self.every:
            return ""
        return text

    def _icmp(self, text: str) -> Span:
        return self.names.icmp(text, (self.names.icmp_of[self.family],) * 2, self.family)

    def _number(self, text: str) -> int:
        return number(text, 255)

    def _label(self, text: str) -> str:
        return text


def ports_of(names: Names, text: str, proto: Span, lowest: int) -> list[Span]:
    """Ports such as ``22``, ``ssh``, ``1-2``, ``22,80-90`` or ``[ 22 80-90 ]``. Raises Unreadable."""
    out: list[Span] = []
    for part in re.split(r"[,\s]+", text.strip("[] ")):
        low, dash, high = part.partition("-") if part[:1].isdigit() else (part, "", "")
        said = names.ports(f"range {low} {high}" if dash else f"eq {low}", proto)
        if said[0][0] < lowest:
            raise Unreadable(f"Ports begin at {lowest}")
        out += said
    return out


def _written(takes: str, value: Any, text: str) -> str:
    if takes == "proto":
        return text if value == (0, 255) else str(value[0])
    if takes == "icmp":
        kind, code = divmod(value[0], 256)
        return str(kind) if value[0] != value[1] else text if not text.isdigit() else f"{kind} {code}"
    if takes == "prefix":
        return text.lower() if ":" in text else text
    return text


def merged(spans: Sequence[tuple[Span, bool]]) -> tuple[Span, ...]:
    """Addresses of a list in which the longest prefix decides: those that are in, less those that are excepted."""
    out: list[Span] = []
    for (low, high), keep in sorted(spans, key=lambda item: item[0][0] - item[0][1]):
        cut: list[Span] = []
        for a, b in out:
            if b < low or a > high:
                cut.append((a, b))
                continue
            cut += [(a, low - 1)] if a < low else []
            cut += [(high + 1, b)] if b > high else []
        out = [*cut, (low, high)] if keep else cut
    return tuple(sorted(out))
