"""The words of one access list entry as boxes of packets, and in one canonical form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from configlet.readers.grammar import Source, by_key
from configlet.readers.groups import GROUP, Groups, Part
from configlet.readers.names import Names
from configlet.readers.spans import BITS, Span, Unreadable, address, prefix, wildcard
from configlet.readers.written import Written, ports_text, type_text

Box = tuple[Span, Span, Span, Span, Span, Span, Span]
Group = str

PORTS: Span = (0, 65535)
BIT: Span = (0, 1)
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

    def __init__(self, grammar: Mapping[str, Any], names: Names) -> None:
        self.names = names
        self.by_address = {f: by_key(grammar["fragments_of_port_lines"], f) == "by-address" for f in (4, 6)}
        self.written = Written(grammar["write"])
        self.ends = lru_cache(maxsize=8192)(_end)

    def entry(self, found: re.Match[str], family: int, line: Source, groups: Groups) -> Entry:
        """The meaning of a line whose clauses were matched. Raises Refused at the word that cannot be meant."""
        source = self._at(found, "source", line, lambda text: self._end(text, family, groups))
        destination = self._at(found, "destination", line, lambda text: self._end(text, family, groups))
        if found["proto"].startswith(GROUP):
            return self._grouped(found, family, line, groups, (source, destination))
        proto = self._at(found, "proto", line, lambda text: self.names.proto(text, family))
        sports = self._at(found, "sport", line, lambda text: self.names.ports(text, proto)) or [PORTS]
        dports = self._at(found, "dport", line, lambda text: self.names.ports(text, proto)) or [PORTS]
        types = self._at(found, "icmp", line, lambda text: [self.names.icmp(text, proto, family)])
        flags = self._at(found, "established", line, lambda _: _established(proto)) or BIT
        ports = bool(found["sport"] or found["dport"])
        upper = ports or bool(found["icmp"] or found["established"])
        fragment = (0, 0) if upper else BIT
        if found["fragments"]:
            fragment = self._at(found, "fragments", line, lambda _: _fragments(upper))
        if types and ports:
            line.refuse("This line asks for ports and for an ICMP type", found.start("icmp"))
        boxes = tuple(
            (proto, d, s, dp, sp, flags, fragment)
            for s, sp, d, dp in product(source, sports, destination, types or dports)
        )
        text = self._text(found, family, proto, (source, destination), (sports, dports), types)
        permit, by_address = found["action"] == "permit", self.by_address[family] and ports and flags == BIT
        if by_address and permit:
            boxes += tuple(_non_first(proto, source, destination))
        return Entry(permit, boxes, by_address or not upper or bool(found["fragments"]), text)

    def _grouped(
        self,
        found: re.Match[str],
        family: int,
        line: Source,
        groups: Groups,
        ends: tuple[tuple[Span, ...], tuple[Span, ...]],
    ) -> Entry:
        """An entry whose protocol and ports are those of a group of services."""
        for group in ("sport", "dport", "established", "icmp", "fragments"):
            if found[group]:
                line.refuse("This word stands beside a group of services", found.start(group))
        parts: tuple[Part, ...] = self._at(found, "proto", line, groups.service)
        permit, by_address = found["action"] == "permit", self.by_address[family]
        boxes: list[Box] = []
        for part in parts:
            bit = (0, 0) if part.ports or part.icmp else BIT
            boxes += (
                (part.proto, d, s, dp, sp, BIT, bit)
                for s, sp, d, dp in product(ends[0], part.sports, ends[1], part.dports)
            )
            if part.ports and permit and by_address:
                boxes += _non_first(part.proto, *ends)
        said = [
            self.written.end(family, end, found[group])
            for end, group in zip(ends, ("source", "destination"), strict=True)
        ]
        text = " ".join([found["action"], found["proto"], *said, *([found["log"]] if found["log"] else [])])
        known = all(not part.icmp and (by_address or not part.ports) for part in parts)
        return Entry(permit, tuple(boxes), known, text)

    def _at(self, found: re.Match[str], group: Group, line: Source, mean: Any) -> Any:
        text = found[group]
        if text is None:
            return None
        try:
            return mean(text)
        except Unreadable as why:
            line.refuse(str(why), found.start(group))

    def _end(self, text: str, family: int, groups: Groups) -> tuple[Span, ...]:
        return groups.network(text) if text.startswith(GROUP) else self.ends(text, family)

    def _text(
        self,
        found: re.Match[str],
        family: int,
        proto: Span,
        ends: tuple[tuple[Span, ...], tuple[Span, ...]],
        ports: tuple[list[Span], list[Span]],
        types: list[Span] | None,
    ) -> str:
        parts = [found["action"], self.written.proto(family, proto)]
        for end, group, spans in zip(ends, ("source", "destination"), ports, strict=True):
            parts.append(self.written.end(family, end, found[group]))
            parts += [ports_text(spans)] if found["sport" if group == "source" else "dport"] else []
        parts += ["established"] if found["established"] else []
        parts += [type_text(types[0])] if types else []
        parts += [found[group] for group in ("fragments", "log") if found[group]]
        return " ".join(parts)


def _non_first(proto: Span, sources: Sequence[Span], destinations: Iterable[Span]) -> Iterator[Box]:
    """Non-first fragments that a permit with ports passes, as only its protocol and addresses are asked of them."""
    for destination in destinations:
        yield from ((proto, destination, source, PORTS, PORTS, BIT, (1, 1)) for source in sources)


def _established(proto: Span) -> Span:
    if proto != TCP:
        raise Unreadable("Only TCP is established")
    return 1, 1


def _fragments(upper: bool) -> Span:
    if upper:
        raise Unreadable("A fragment has no ports, types or flags")
    return 1, 1


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
