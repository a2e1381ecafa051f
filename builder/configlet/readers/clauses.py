"""The words of one access list entry as boxes of packets, and in one canonical form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any, NamedTuple

from configlet.model.block import Sets
from configlet.model.policy import ANY_BIT, ANY_PORT
from configlet.readers.ends import MOST, Single, SinglePorts, addresses
from configlet.readers.grammar import Source, by_key
from configlet.readers.groups import GROUP, Groups, Part
from configlet.readers.names import Names
from configlet.readers.spans import Span, Unreadable, joined
from configlet.readers.written import Written, ports_text

Box = tuple[Span, Span, Span, Span, Span, Span, Span]
Group = str

_MOST = 65536
"""How many are remembered."""
WIDE = 64
"""Boxes of one entry above which they are kept as products of sets."""
PORTS: Span = ANY_PORT
BIT: Span = ANY_BIT
TCP: Span = (6, 6)
Ports = tuple[tuple[Span, ...], str]
"""Ports, and the words of the normal form with a blank before them."""
_NO_PORTS: Ports = ((PORTS,), "")

Said = tuple[str, ...]
"""An entry on its way to its normal form: words, source, ports, destination, ports, words; or the one text that it is."""
Entry = tuple[bool, tuple[Box, ...], bool, Said, bool, tuple[Sets, ...]]
"""Whether it permits, its boxes in order of the text, whether the sheet says what it does to fragments, what it says,
whether it decides any non-first fragments, and products of sets instead of boxes, where those would be many. A plain
tuple, as a long text has one for each line."""


class Shape(NamedTuple):
    """What an entry says besides its addresses and ports, and the words of its normal form around them."""

    permit: bool
    proto: Span
    types: tuple[Span, ...]
    """The ICMP types that it asks for, if it does; they stand where ports of a destination stand."""
    flags: Span
    flag: str | None
    """The word that asks for these flags, if one does."""
    fragment: Span
    known: bool
    also_fragments: bool
    fragments: bool
    head: str
    tail: str
    ports: dict[str | None, Ports]
    """Ports of this protocol that were understood before."""


WORDS = ("source", "destination", "action", "proto", "sport", "dport", "established", "icmp", "fragments", "log")
"""The clauses of an entry that say what it means: its ends, and what else is asked for."""


class Words:
    """What the words of a grammar mean."""

    def __init__(self, grammar: Mapping[str, Any], names: Names, groups: tuple[str, ...]) -> None:
        self.names, self.groups = names, (GROUP, *groups)
        treats = {f: by_key(grammar["fragments_of_port_lines"], f) for f in (4, 6)}
        self.by_address = {f: treats[f] == "by-address" for f in (4, 6)}
        self.skip = {f: treats[f] == "skip" for f in (4, 6)}
        self.written = Written(grammar["write"])
        self.shapes: dict[int, dict[tuple[object, ...], Shape]] = {4: {}, 6: {}}
        self.ports: dict[Span, dict[str | None, Ports]] = {}
        self.ends: dict[int, dict[str, tuple[Span, ...]]] = {4: {}, 6: {}}
        """Addresses that were understood before."""
        self.single = {family: Single(family, self.groups) for family in (4, 6)}
        self.single_ports: dict[Span, SinglePorts] = {}

    def entry(self, found: re.Match[str], said: Sequence[str], family: int, line: Source, groups: Groups) -> Entry:
        """The meaning of a line whose clauses were matched, and say this (``WORDS``). Raises Refused at the word that
        cannot be meant."""
        from_, to, _, _, sport, dport, *_ = said
        ends, words = self.ends[family], _but_ends(said)
        source = ends.get(from_) or self._address(found, "source", family, line, groups)
        destination = ends.get(to) or self._address(found, "destination", family, line, groups)
        shape = self.shapes[family].get(words)
        if shape is None:
            if found["proto"].startswith(GROUP):
                return self._grouped(found, family, line, groups, (source, destination))
            shape = self._shape(found, family, line, groups)
            if len(self.shapes[family]) < _MOST:
                self.shapes[family][words] = shape
        permit, span, types, flags, _, fragment, known, also, some, head, tail, ports = shape
        sports, middle = ports.get(sport) or self._ported(found, "sport", span, line, groups)
        dports, behind = ports.get(dport) or self._ported(found, "dport", span, line, groups)
        dports = types or dports
        text = head, from_, middle, to, behind, tail
        if len(source) == len(destination) == len(sports) == len(dports) == 1:
            boxes: tuple[Box, ...] = ((span, destination[0], source[0], dports[0], sports[0], flags, fragment),)
        elif len(source) * len(destination) * len(sports) * len(dports) > WIDE:
            return self._block(permit, (span, flags, fragment), (source, destination), (sports, dports), shape, text)
        else:
            boxes = tuple(
                (span, d, s, dp, sp, flags, fragment)
                for s, sp, d, dp in product(source, sports, destination, dports)
            )
        if also:
            boxes += tuple(non_first(span, source, destination))
        return permit, boxes, known, text, some, ()

    def _remembered(self, text: str, proto: Span) -> Ports:
        """Ports of a protocol. Raises Unreadable."""
        spans, known = self.names.ports(text, proto), self.ports[proto]
        if len(known) >= _MOST:
            known.clear()
            known[None] = known[""] = _NO_PORTS
        ports = known[text] = tuple(spans), f" {ports_text(spans)}"
        return ports

    def ported(self, proto: Span) -> SinglePorts:
        """The ports of a protocol that are one span."""
        if proto not in self.single_ports:
            kept = self.names.kept(proto)
            self.single_ports[proto] = SinglePorts(partial(self.names.ports, proto=proto), self.groups, kept)
        return self.single_ports[proto]

    def shape(self, said: Sequence[str], family: int) -> Shape | None:
        """What was understood of an entry besides its addresses and ports."""
        return self.shapes[family].get(_but_ends(said))

    def _block(
        self,
        permit: bool,
        upper: tuple[Span, Span, Span],
        ends: tuple[tuple[Span, ...], tuple[Span, ...]],
        ports: tuple[tuple[Span, ...], tuple[Span, ...]],
        shape: Shape,
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
            spans = addresses(text, family)
        except Unreadable as why:
            line.refuse(str(why), found.start(end))
        known = self.ends[family]
        if len(known) >= MOST:
            known.clear()
        known[text] = spans
        return spans

    def normal(self, family: int, said: Said) -> str:
        """The normal form of an entry."""
        if len(said) == 1:
            return said[0]
        head, source, middle, destination, behind, tail = said
        return f"{head}{self._normal(family, source)}{middle} {self._normal(family, destination)}{behind}{tail}"

    def _normal(self, family: int, end: str) -> str:
        """An address clause in its normal form; a group, and a host that is its own, as they are said."""
        if "group " in end or (family == 4 and end.startswith("host ")):
            return end
        return self.written.end(family, addresses(end, family), end)

    def _ported(self, found: re.Match[str], group: Group, proto: Span, line: Source, groups: Groups) -> Ports:
        """The ports of one end of an entry that has any."""
        text: str = found[group]
        if text.startswith(groups.grammar.words):
            return tuple(self._at(found, group, line, lambda said: groups.ports(said, proto))), f" {text}"
        ports: Ports = self._at(found, group, line, lambda said: self._remembered(said, proto))
        return ports

    def _shape(self, found: re.Match[str], family: int, line: Source, groups: Groups) -> Shape:
        said = found.groupdict()
        proto = self._at(found, "proto", line, lambda text: self.names.proto(text, family))
        known = self.ports.setdefault(proto, {None: _NO_PORTS, "": _NO_PORTS})
        for end in ("sport", "dport"):
            if said[end] not in known:
                self._ported(found, end, proto, line, groups)
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
        tail = [said["established"]] if said["established"] else []
        tail += [self.written.type(types[0])] if types else []
        tail += [said[group] for group in ("fragments", "log") if said[group]]
        return Shape(
            permit,
            proto,
            tuple(types or ()),
            flags,
            said["established"],
            fragment,
            by_address or self.skip[family] or not upper or bool(said["fragments"]),
            by_address and permit,
            bool(fragment[1] or (by_address and permit)),
            f"{said['action']} {self.written.proto(family, proto)} ",
            "".join(f" {word}" for word in tail),
            known,
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


def _but_ends(said: Sequence[str]) -> tuple[object, ...]:
    """What an entry says besides its addresses and ports, and whether it says any of these."""
    _, _, action, proto, sport, dport, *rest = said
    return action, proto, *rest, (sport or dport) is None


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
