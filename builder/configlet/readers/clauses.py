"""The words of one access list entry as boxes of packets, and in one canonical form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from configlet.model.block import Sets
from configlet.readers.grammar import Source, by_key
from configlet.readers.groups import GROUP, Groups, Part
from configlet.readers.names import Names
from configlet.readers.spans import BITS, Span, Unreadable, address, joined, netmask, prefix, wildcard
from configlet.readers.written import Written, ports_text

Box = tuple[Span, Span, Span, Span, Span, Span, Span]
Group = str

_MOST_SHAPES, _MOST_ENDS = 65536, 512
"""How many are remembered: more distinct addresses than that are not met again soon, and cost memory."""
WIDE = 64
"""Boxes of one entry above which they are kept as products of sets."""
PORTS: Span = (0, 65535)
BIT: Span = (0, 1)
TCP: Span = (6, 6)


Said = tuple[str, ...]
"""An entry on its way to its normal form: words, source, words, destination, words; or the one text that it is."""
Entry = tuple[bool, tuple[Box, ...], bool, Said, bool, tuple[Sets, ...]]
"""Whether it permits, its boxes in order of the text, whether the sheet says what it does to fragments, what it says,
whether it decides any non-first fragments, and products of sets instead of boxes, where those would be many. A plain
tuple, as a long text has one for each line."""


class _Shape(NamedTuple):
    """What an entry says besides its addresses, and the words of its normal form around them."""

    permit: bool
    proto: Span
    sports: tuple[Span, ...]
    dports: tuple[Span, ...]
    flags: Span
    fragment: Span
    known: bool
    also_fragments: bool
    fragments: bool
    head: str
    middle: str
    tail: str


WORDS = ("source", "destination", "action", "proto", "sport", "dport", "established", "icmp", "fragments", "log")
"""The clauses of an entry that say what it means: its ends, and what else is asked for."""


class Words:
    """What the words of a grammar mean."""

    def __init__(self, grammar: Mapping[str, Any], names: Names) -> None:
        self.names = names
        treats = {f: by_key(grammar["fragments_of_port_lines"], f) for f in (4, 6)}
        self.by_address = {f: treats[f] == "by-address" for f in (4, 6)}
        self.skip = {f: treats[f] == "skip" for f in (4, 6)}
        self.written = Written(grammar["write"])
        self.shapes: dict[int, dict[tuple[str | None, ...], _Shape]] = {4: {}, 6: {}}
        self.ends: dict[int, dict[str, tuple[Span, ...]]] = {4: {}, 6: {}}
        """Addresses that were understood before."""

    def entry(self, found: re.Match[str], said: Sequence[str], family: int, line: Source, groups: Groups) -> Entry:
        """The meaning of a line whose clauses were matched, and say this (``WORDS``). Raises Refused at the word that
        cannot be meant."""
        from_, to, *rest = said
        ends, words = self.ends[family], tuple(rest)
        source = ends.get(from_) or self._address(found, "source", family, line, groups)
        destination = ends.get(to) or self._address(found, "destination", family, line, groups)
        shape = self.shapes[family].get(words)
        if shape is None:
            if found["proto"].startswith(GROUP):
                return self._grouped(found, family, line, groups, (source, destination))
            shape = self._shape(found, family, line, groups)
            if len(self.shapes[family]) < _MOST_SHAPES and not any("group " in (found[g] or "") for g in ("sport", "dport")):
                self.shapes[family][words] = shape
        permit, proto, sports, dports, flags, fragment, known, also, fragments, head, middle, tail = shape
        text = head, from_, middle, to, tail
        if len(source) == len(destination) == len(sports) == len(dports) == 1:
            boxes: tuple[Box, ...] = ((proto, destination[0], source[0], dports[0], sports[0], flags, fragment),)
        elif len(source) * len(destination) * len(sports) * len(dports) > WIDE:
            return self._block(permit, (proto, flags, fragment), (source, destination), (sports, dports), shape, text)
        else:
            boxes = tuple(
                (proto, d, s, dp, sp, flags, fragment)
                for s, sp, d, dp in product(source, sports, destination, dports)
            )
        if also:
            boxes += tuple(non_first(proto, source, destination))
        return permit, boxes, known, text, fragments, ()

    def _block(
        self,
        permit: bool,
        upper: tuple[Span, Span, Span],
        ends: tuple[tuple[Span, ...], tuple[Span, ...]],
        ports: tuple[tuple[Span, ...], tuple[Span, ...]],
        shape: _Shape,
        text: Said,
    ) -> Entry:
        """The same as products of sets, where single boxes would be many."""
        proto, flags, fragment = upper
        source, destination = (joined(spans) for spans in ends)
        sports, dports = (joined(spans) for spans in ports)
        sets: list[Sets] = [((proto,), destination, source, dports, sports, (flags,), (fragment,))]
        if shape.also_fragments:
            sets.append(((proto,), destination, source, (PORTS,), (PORTS,), (BIT,), ((1, 1),)))
        return permit, (), shape.known, text, shape.fragments, tuple(sets)

    def _address(self, found: re.Match[str], end: Group, family: int, line: Source, groups: Groups) -> tuple[Span, ...]:
        """The addresses of one end."""
        text = found[end]
        try:
            if text.startswith(groups.grammar.words):
                return groups.network(text, family)
            spans = _end(text, family)
        except Unreadable as why:
            line.refuse(str(why), found.start(end))
        known = self.ends[family]
        if len(known) >= _MOST_ENDS:
            known.clear()
        known[text] = spans
        return spans

    def normal(self, family: int, said: Said) -> str:
        """The normal form of an entry."""
        if len(said) == 1:
            return said[0]
        head, source, middle, destination, tail = said
        return f"{head}{self._normal(family, source)}{middle}{self._normal(family, destination)}{tail}"

    def _normal(self, family: int, end: str) -> str:
        """An address clause in its normal form; a group, and a host that is its own, as they are said."""
        if "group " in end or (family == 4 and end.startswith("host ")):
            return end
        return self.written.end(family, _end(end, family), end)

    def _ports(self, text: str, proto: Span, groups: Groups) -> list[Span]:
        return groups.ports(text, proto) if text.startswith(groups.grammar.words) else self.names.ports(text, proto)

    def _shape(self, found: re.Match[str], family: int, line: Source, groups: Groups) -> _Shape:
        said = found.groupdict()
        proto = self._at(found, "proto", line, lambda text: self.names.proto(text, family))
        sports = said["sport"] and self._at(found, "sport", line, lambda text: self._ports(text, proto, groups))
        dports = said["dport"] and self._at(found, "dport", line, lambda text: self._ports(text, proto, groups))
        types = said["icmp"] and self._at(found, "icmp", line, lambda text: [self.names.icmp(text, proto, family)])
        flags = (said["established"] and self._at(found, "established", line, lambda _: _established(proto))) or BIT
        ports = bool(said["sport"] or said["dport"])
        upper = ports or bool(said["icmp"] or said["established"])
        fragment = (0, 0) if upper else BIT
        if said["fragments"]:
            fragment = self._at(found, "fragments", line, lambda _: _fragments(upper))
        if types and ports:
            line.refuse("This line asks for ports and for an ICMP type", found.start("icmp"))
        permit, by_address = said["action"] == "permit", self.by_address[family] and ports and flags == BIT
        from_, to = (said[g] if "group " in (said[g] or "") else ports_text(p) if p else "" for g, p in
                     (("sport", sports), ("dport", dports)))  # fmt: skip
        tail = [to] if dports else []
        tail += [said["established"]] if said["established"] else []
        tail += [self.written.type(types[0])] if types else []
        tail += [said[group] for group in ("fragments", "log") if said[group]]
        return _Shape(
            permit,
            proto,
            tuple(sports or [PORTS]),
            tuple(types or dports or [PORTS]),
            flags,
            fragment,
            by_address or self.skip[family] or not upper or bool(said["fragments"]),
            by_address and permit,
            bool(fragment[1] or (by_address and permit)),
            f"{said['action']} {self.written.proto(family, proto)} ",
            f" {from_} " if sports else " ",
            "".join(f" {word}" for word in tail),
        )

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
        sets: tuple[Sets, ...] = ()
        if sum(len(p.sports) * len(p.dports) for p in parts) * len(ends[0]) * len(ends[1]) > WIDE:
            sets = tuple(_service_sets(parts, ends, fragments=permit and by_address))
        for part in parts if not sets else ():
            bit = (0, 0) if part.ports or part.icmp else BIT
            boxes += (
                (part.proto, d, s, dp, sp, BIT, bit)
                for s, sp, d, dp in product(ends[0], part.sports, ends[1], part.dports)
            )
            if part.ports and permit and by_address:
                boxes += non_first(part.proto, *ends)
        said = [
            self.written.end(family, end, found[group])
            for end, group in zip(ends, ("source", "destination"), strict=True)
        ]
        text = " ".join([found["action"], found["proto"], *said, *([found["log"]] if found["log"] else [])])
        known = all(not part.icmp and (by_address or not part.ports) for part in parts)
        return permit, tuple(boxes), known, (text,), True, sets

    def _at(self, found: re.Match[str], group: Group, line: Source, mean: Any) -> Any:
        text = found[group]
        if text is None:
            return None
        try:
            return mean(text)
        except Unreadable as why:
            line.refuse(str(why), found.start(group))


def _service_sets(
    parts: Sequence[Part], ends: tuple[tuple[Span, ...], tuple[Span, ...]], *, fragments: bool
) -> Iterator[Sets]:
    """The services of a group between two ends: those of one protocol and source port as one product."""
    source, destination = (joined(spans) for spans in ends)
    found: dict[tuple[Span, tuple[Span, ...], Span], list[Span]] = {}
    for part in parts:
        bit = (0, 0) if part.ports or part.icmp else BIT
        found.setdefault((part.proto, joined(part.sports), bit), []).extend(part.dports)
    for (proto, sports, bit), dports in found.items():
        yield (proto,), destination, source, joined(dports), sports, (BIT,), (bit,)
    for proto in dict.fromkeys(part.proto for part in parts if part.ports and fragments):
        yield (proto,), destination, source, (PORTS,), (PORTS,), (BIT,), ((1, 1),)


def non_first(proto: Span, sources: Sequence[Span], destinations: Iterable[Span]) -> Iterator[Box]:
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
    if "/" in text:
        base, _, mask = text.partition("/")
        return (netmask(base, mask) if "." in mask else prefix(text, family),)
    first, _, rest = text.partition(" ")
    if first == "host" or not rest:
        value = address(rest or first, family)
        return ((value, value),)
    if family != 4:
        raise Unreadable("IPv6 has no wildcards")
    return wildcard(first, rest)
