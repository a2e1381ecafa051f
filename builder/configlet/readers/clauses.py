"""The words of one access list entry as boxes of packets, and in one canonical form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from configlet.readers.grammar import Source
from configlet.readers.spans import BITS, Span, Unreadable, address, address_text, complement, number, prefix, wildcard

Box = tuple[Span, Span, Span, Span, Span, Span, Span]
Group = str

PORTS: Span = (0, 65535)
TCP: Span = (6, 6)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its boxes in order of the text, and whether the sheet says what it does to fragments."""

    permit: bool
    boxes: tuple[Box, ...]
    fragments_known: bool
    canonical: str


class Words:
    """What the words of a grammar mean."""

    def __init__(self, grammar: Mapping[str, Any]) -> None:
        self.names = grammar["names"]
        self.any = grammar["any"]
        self.ported: list[int] = grammar["ported"]
        self.icmp_of = grammar["icmp_of"]
        self.words = {f: {6: "tcp", 17: "udp", n: "icmp" if f == 4 else "icmpv6"} for f, n in self.icmp_of.items()}
        self.ends = lru_cache(maxsize=8192)(_end)

    def entry(self, found: re.Match[str], family: int, line: Source) -> Entry:
        """The meaning of a line whose clauses were matched. Raises Refused at the word that cannot be meant."""
        proto = self._at(found, "proto", line, lambda text: self._proto(text, family))
        source = self._at(found, "source", line, lambda text: self.ends(text, family))
        destination = self._at(found, "destination", line, lambda text: self.ends(text, family))
        sports = self._at(found, "sport", line, lambda text: self._ports(text, proto)) or [PORTS]
        dports = self._at(found, "dport", line, lambda text: self._ports(text, proto)) or [PORTS]
        types = self._at(found, "icmp", line, lambda text: [self._icmp(text, proto, family)])
        flags = self._at(found, "established", line, lambda _: self._established(proto)) or (0, 1)
        upper = bool(found["sport"] or found["dport"] or found["icmp"] or found["established"])
        fragment = (0, 0) if upper else (0, 1)
        if found["fragments"]:
            fragment = self._at(found, "fragments", line, lambda _: self._fragments(upper))
        if types and (found["dport"] or found["sport"]):
            line.refuse("This line asks for ports and for an ICMP type", found.start("icmp"))
        boxes = tuple(
            (proto, d, s, dp, sp, flags, fragment)
            for s, sp, d, dp in product(source, sports, destination, types or dports)
        )
        ends = _ends_text(family, source, found["source"]), _ends_text(family, destination, found["destination"])
        text = self._text(found, family, proto, ends, (sports, dports), types)
        return Entry(found["action"] == "permit", boxes, not upper or bool(found["fragments"]), text)

    def _at(self, found: re.Match[str], group: Group, line: Source, mean: Any) -> Any:
        text = found[group]
        if text is None:
            return None
        try:
            return mean(text)
        except Unreadable as why:
            line.refuse(str(why), found.start(group))

    def _proto(self, text: str, family: int) -> Span:
        if text == self.any[family]:
            return 0, 255
        value = self.names["proto"].get(text)
        value = number(text, 255) if value is None else value
        return value, value

    def _port(self, text: str) -> int:
        value = self.names["portname"].get(text)
        return number(text, 65535) if value is None else int(value)

    def _ports(self, text: str, proto: Span) -> list[Span]:
        if proto[0] != proto[1] or proto[0] not in self.ported:
            raise Unreadable("Ports stand beside a protocol that has none")
        operator, *said = text.split()
        values = [self._port(word) for word in said]
        if operator == "range":
            low, high = values
            if low > high:
                raise Unreadable("This range is reversed")
            return [(low, high)]
        if operator in ("gt", "lt"):
            span = (values[0] + 1, 65535) if operator == "gt" else (0, values[0] - 1)
            if span[0] > span[1]:
                raise Unreadable("No port is left")
            return [span]
        spans = [(value, value) for value in sorted(set(values))]
        return spans if operator == "eq" else complement(spans, 65535)

    def _icmp(self, text: str, proto: Span, family: int) -> Span:
        if proto != (self.icmp_of[family],) * 2:
            raise Unreadable("An ICMP type stands beside another protocol")
        first, *rest = text.split()
        named = self.names["icmp"][family].get(first)
        values = list(named) if named is not None else [number(first, 255)]
        values += [number(word, 255) for word in rest]
        if len(values) > 2:
            raise Unreadable("This ICMP name has a code already")
        low = values[0] * 256
        return (low + values[1],) * 2 if len(values) == 2 else (low, low + 255)

    def _established(self, proto: Span) -> Span:
        if proto != TCP:
            raise Unreadable("Only TCP is established")
        return 1, 1

    def _fragments(self, upper: bool) -> Span:
        if upper:
            raise Unreadable("A fragment has no ports, types or flags")
        return 1, 1

    def _text(
        self,
        found: re.Match[str],
        family: int,
        proto: Span,
        ends: tuple[str, str],
        ports: tuple[list[Span], list[Span]],
        types: list[Span] | None,
    ) -> str:
        word = self.any[family] if proto == (0, 255) else self.words[family].get(proto[0], str(proto[0]))
        parts = [found["action"], word]
        for end, group, spans in ((ends[0], "sport", ports[0]), (ends[1], "dport", ports[1])):
            parts += [end] + ([_ports_text(spans)] if found[group] else [])
        parts += ["established"] if found["established"] else []
        if types:
            kind, code = divmod(types[0][0], 256)
            parts.append(f"{kind} {code}" if types[0][0] == types[0][1] else str(kind))
        parts += [found[group] for group in ("fragments", "log") if found[group]]
        return " ".join(parts)


def _end(text: str, family: int) -> tuple[Span, ...]:
    if text == "any":
        return ((0, (1 << BITS[family]) - 1),)
    first, _, rest = text.partition(" ")
    if first == "host":
        value = address(rest, family)
        return ((value, value),)
    if rest:
        if family != 4:
            raise Unreadable("IPv6 has no wildcards")
        return wildcard(first, rest)
    return (prefix(text, family),)


@lru_cache(maxsize=8192)
def _ends_text(family: int, spans: tuple[Span, ...], said: str) -> str:
    low, high = spans[0]
    if len(spans) > 1:
        return said
    if (low, high) == (0, (1 << BITS[family]) - 1):
        return "any"
    if low == high:
        return f"host {address_text(family, low)}"
    return f"{address_text(family, low)}/{BITS[family] - (high - low + 1).bit_length() + 1}"


def _ports_text(spans: list[Span]) -> str:
    if all(low == high for low, high in spans):
        return "eq " + " ".join(str(low) for low, _ in spans)
    if len(spans) == 1:
        return f"range {spans[0][0]} {spans[0][1]}"
    gaps = complement(spans, 65535)
    return "neq " + " ".join(str(port) for low, high in gaps for port in range(low, high + 1))
