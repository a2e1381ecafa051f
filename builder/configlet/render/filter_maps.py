"""Verdict maps: one chain for each local address and direction, disjoint elements, ports before protocols."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

from configlet.model.net import BITS, TOP, Family, Span, Spans, address_text, merge, overlap
from configlet.model.policy import ANY_PORT, ANY_PROTO, DPORT, DST, PROTO, SPORT, SRC, Box, Entry, written_from
from configlet.model.problem import Refused, refuse
from configlet.packets.axis import Axis
from configlet.packets.boxes import change, meet, minus_all
from configlet.packets.near import Near

Row = tuple[Entry, tuple[Span, ...]]
"""A row and the local spans of its gate."""

STAGES = {"ports": 2, "proto": 3, "any": 4}
"""The order of lookups in a part of a chain."""
PARTS = ("network_", "")
"""What the network needs and keeps closed is looked up first, then what the operator wrote: what a map's name says of it."""
PART, OUT = 3, 10
"""How much later the second part is looked up, and all that is said of packets from a local address."""

_new = tuple.__new__
"""One for each element of a long map: the shortest way to make them."""
Key = tuple[int, str, int]
"""A map within a chain: its part, its lookup, and of ``ports`` the protocol."""


class Ending(NamedTuple):
    """What is done with a rule's packets, as an element of a map says it (``comment`` ends in a blank) and as a line does."""

    comment: str
    verdict: str
    line: str


class Element(NamedTuple):
    """One key of a verdict map, for which rule, and what is done: ``comment`` is empty or ends in a blank."""

    key: str
    comment: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Map:
    """One verdict map."""

    name: str
    key: str
    elements: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """One lookup in a local address's chain. ``protocols`` are those of packets of such a connection: its own, and
    ICMP for its errors.
    """

    map: str
    proto: int
    protocols: str
    sport: bool


@dataclass(frozen=True, slots=True)
class Lookups:
    """What one part of a chain looks up of the other end, in this order; an empty name stands for no such map."""

    ports: tuple[Lookup, ...]
    proto: str
    any: str


@dataclass(frozen=True, slots=True)
class Local:
    """The chain of one local address (or group) in one direction: what is looked up of the other end."""

    name: str
    direction: str
    word: str
    end: str
    dispatch: tuple[Element, ...]
    parts: tuple[Lookups, ...]
    maps: tuple[Map, ...]


FEW = 16
"""Ends that may reach into another one, to be looked at one by one."""
WORTH = 8
"""Rows from which local addresses that say the same share a chain; shorter chains are easier to find one by one."""


def piece_of(span: Span, spans: Iterable[Span]) -> bool:
    """Whether a span lies within one of the local ones."""
    first, last = span
    for low, high in spans:  # noqa: SIM110 - asked of every row
        if low <= first and last <= high:
            return True
    return False


@lru_cache(maxsize=16384)
def span_text(family: Family, span: Span) -> str:
    """A span as nft writes it: an address, a prefix, or a range."""
    if span[0] == span[1]:
        return address_text(family, span[0])
    size = span[1] - span[0]
    if not size & (size + 1) and not span[0] & size:
        return f"{address_text(family, span[0])}/{BITS[family] - size.bit_length()}"
    return f"{address_text(family, span[0])}-{address_text(family, span[1])}"


def number_text(span: Span) -> str:
    """Ports, protocols or types: one, or a range."""
    return str(span[0]) if span[0] == span[1] else f"{span[0]}-{span[1]}"


def local_chains(
    operands: Mapping[str, Any], family: Family, rows: Sequence[Row], ending: Callable[[Entry], Ending]
) -> tuple[list[Local], list[tuple[int, Entry]]]:
    """The chains of all local addresses, and each row with the stage at which the text judges it.

    Addresses of which the rows say the same share a chain.
    """
    towards: list[Entry] = []
    origin: list[Entry] = []
    for entry, spans in rows:
        if piece_of(entry.box[DST], spans):
            towards.append(entry)
        elif piece_of(entry.box[SRC], spans):
            origin.append(entry)
    found: list[Local] = []
    placed: list[tuple[int, Entry]] = []
    for direction, mine, other, entries in (("in", DST, SRC, towards), ("out", SRC, DST, origin)):
        known: dict[object, int] = {}
        stages: dict[object, list[int | None]] = {}
        later = OUT if direction == "out" else 0
        pieces = list(_by_piece(entries, mine))
        sizes = Counter(len(inside) for _, inside in pieces)
        for span, inside in pieces:
            said: object = span
            if len(inside) >= WORTH:
                said = _said(inside, mine) if sizes[len(inside)] > 1 else span
            if said in known:
                shared = found[known[said]]
                dispatch = (*shared.dispatch, Element(span_text(family, span), "", f"jump {shared.name}"))
                found[known[said]] = replace(shared, dispatch=dispatch)
                placed += [(at, e) for at, e in zip(stages[said], inside, strict=True) if at is not None]
            else:
                chain = _Chain(operands, family, direction, span, mine, other)
                made = chain.build(inside, ending)
                placed += [(stage + later, entry) for stage, entry in chain.placed]
                if made.maps:
                    at_stage = {id(entry): stage + later for stage, entry in chain.placed}
                    known[said], stages[said] = len(found), [at_stage.get(id(e)) for e in inside]
                    found.append(made)
    return found, placed


def _said(inside: Sequence[Entry], mine: int) -> tuple[object, ...]:
    """What rows say besides their local address: first the ends of the other side, which differ soonest."""
    other = SRC if mine == DST else DST
    upper = tuple((e.box[PROTO], e.box[DPORT], e.box[SPORT], e.permit, e.log, e.rule.name) for e in inside)
    return tuple(e.box[other] for e in inside), upper


def _by_piece(entries: Sequence[Entry], mine: int) -> Iterator[tuple[Span, list[Entry]]]:
    """The local spans cut where any row begins or ends, each with the rows that hold it, in order."""
    axis = Axis((entry.box[mine],) for entry in entries)
    for low, high in _pieces([entry.box[mine] for entry in entries]):
        numbers = sorted(set(axis.around(low)))
        yield (low, high), [e for e in (entries[n] for n in numbers) if e.box[mine][0] <= low and high <= e.box[mine][1]]


def _apart(spans: Spans) -> bool:
    """Whether no two of some sorted spans share a value."""
    return len(spans) == 1 or all(a[1] < b[0] for a, b in itertools.pairwise(spans))


def _pieces(spans: Sequence[Span]) -> Iterator[Span]:
    """The spans cut where any of them begins or ends, so that each piece is wholly inside or outside of each."""
    cuts = sorted({low for low, _ in spans} | {high + 1 for _, high in spans})
    covered = merge(spans)
    at = 0
    for low, after in itertools.pairwise(cuts):
        while covered[at][1] < low:
            at += 1
        if covered[at][0] <= low:
            yield low, after - 1


class _Chain:
    """Builds the chain of one local span."""

    def __init__(
        self, operands: Mapping[str, Any], family: Family, direction: str, span: Span, mine: int, other: int
    ) -> None:
        self.operands, self.family, self.direction, self.span = operands, family, direction, span
        self.mine, self.other = mine, other
        text = "".join(c if c.isalnum() else "_" for c in span_text(family, span))
        self.name = f"{direction}_{text}"
        self.icmp: int = operands["icmp"][family]
        self.placed: list[tuple[int, Entry]] = []

    def build(self, entries: Sequence[Entry], ending: Callable[[Entry], Ending]) -> Local:
        groups = self._groups(entries)
        boxes = self._boxes(groups, entries)
        maps: list[Map] = []
        parts: list[Lookups] = []
        for part in range(len(PARTS)):
            ports: list[Lookup] = []
            wide = {"proto": "", "any": ""}
            for key in sorted((k for k in groups if k[0] == part), key=_order):
                self.placed += [(_order(key)[0], e) for e in groups[key]]
                pieces = [(e, box) for e in groups[key] for box in boxes[id(e)]]
                if not pieces:
                    continue
                sport = any(e.box[SPORT] != ANY_PORT for e in groups[key])
                maps.append(self._map(key, sport, pieces, ending))
                if key[1] == "ports":
                    ports.append(self._lookup(maps[-1].name, key[2], sport))
                else:
                    wide[key[1]] = maps[-1].name
            parts.append(Lookups(tuple(ports), wide["proto"], wide["any"]))
        dispatch = (Element(span_text(self.family, self.span), "", f"jump {self.name}"),)
        end = "saddr" if self.other == SRC else "daddr"
        word = self.operands["address"][self.family]
        return Local(self.name, self.direction, word, end, dispatch, tuple(parts), tuple(maps))

    def _lookup(self, made: str, proto: int, sport: bool) -> Lookup:
        both = ", ".join(str(n) for n in sorted({proto, self.icmp}))
        return Lookup(made, proto, both if proto == self.icmp else f"{{ {both} }}", sport)

    def _groups(self, entries: Sequence[Entry]) -> dict[Key, list[Entry]]:
        """Rows by the map that holds them. A protocol whose ports somebody names in a part has a map of its own there."""
        at = written_from(entry.rule for entry in entries)
        out: dict[Key, list[Entry]] = {}
        for part, rows in enumerate((entries[:at], entries[at:])):
            named = {e.box[PROTO][0] for e in rows if e.box[DPORT] != ANY_PORT or e.box[SPORT] != ANY_PORT}
            for entry in rows:
                if self._begins(entry):
                    out.setdefault((part, *self._where(entry, named)), []).append(entry)
        return out

    def _begins(self, entry: Entry) -> bool:
        """Whether a packet of the row can begin a connection; of ICMP only requests do."""
        low, high = entry.box[DPORT]
        if entry.box[PROTO] != (self.icmp, self.icmp):
            return True
        return any(low <= 256 * kind + 255 and 256 * kind <= high for kind in self.operands["requests"][self.family])

    def _where(self, entry: Entry, named: set[int]) -> tuple[str, int]:
        (low, high), ports = entry.box[PROTO], (entry.box[DPORT], entry.box[SPORT])
        if (low, high) == ANY_PROTO and ports == (ANY_PORT, ANY_PORT):
            return "any", 0
        if low != high:
            if ports != (ANY_PORT, ANY_PORT) or any(low <= number <= high for number in (*named, self.icmp)):
                raise _cannot(entry, "it names some protocols together of which one has rows of its own")
            return "proto", 0
        if low not in named:
            return "proto", 0
        if low not in self.operands["ports"] and (low != self.icmp or ports[1] != ANY_PORT):
            raise _cannot(entry, f"protocol {low} has no ports that the kernel knows")
        return "ports", low

    def _boxes(self, groups: Mapping[Key, list[Entry]], entries: Sequence[Entry]) -> dict[int, list[Box]]:
        """Each row less the rows before it that its lookup would overtake: a map has no order of its own."""
        key = {id(e): k for k, group in groups.items() for e in group}
        out = {id(e): [e.box] for e in entries if id(e) in key}
        doubted = self._doubted(groups)
        # Of their own end all say the same here: when it is everything, rows are looked for by the other end.
        kept = [(k, e, change(e.box, self.mine, (0, TOP[self.family]))) for e in entries if (k := key.get(id(e))) in doubted]
        near = Near([((p,), (d,), (s,), (dp,), (sp,), (fl,), (fr,)) for _, _, (p, d, s, dp, sp, fl, fr) in kept])
        for at, (mine, entry, box) in enumerate(kept):
            overtaken = [
                kept[n][2]
                for n in near.earlier(at)
                if kept[n][0] == mine or (_order(kept[n][0])[0] > _order(mine)[0] and kept[n][1].permit != entry.permit)
            ]
            if overtaken:
                out[id(entry)] = list(minus_all(box, overtaken))
        return out

    def _doubted(self, groups: Mapping[Key, list[Entry]]) -> set[Key]:
        """The maps in which a row could be overtaken: by one of its own map that it is not told apart from at a glance, or
        by one of the other verdict in another map of its part."""
        mixed = {part for part in range(len(PARTS)) if self._crossed([e for k in groups if k[0] == part for e in groups[k]])}
        return {k for k, group in groups.items() if k[0] in mixed or not self._told_apart(k[1], group)}

    def _crossed(self, rows: Sequence[Entry]) -> bool:
        """Whether a permit and a deny share a packet, or are too many to be looked at one by one."""
        few, many = sorted(([e for e in rows if e.permit is verdict] for verdict in (True, False)), key=len)
        return len(few) > FEW or any(meet(one.box, other.box) for one in few for other in many)

    def _told_apart(self, stage: str, group: Sequence[Entry]) -> bool:
        """Whether a few looks at the other ends of rows, and at their ports or protocols, show that no two share a packet."""
        upper = DPORT if stage == "ports" else PROTO
        found: dict[Span, list[Span]] = {}
        for entry in group:
            found.setdefault(entry.box[self.other], []).append(entry.box[upper])
        ends = {end: tuple(sorted(spans)) for end, spans in sorted(found.items())}
        reaching: list[Span] = []
        for end, spans in ends.items():
            reaching = [one for one in reaching if one[1] >= end[0]]
            if len(reaching) > FEW or not _apart(spans) or any(overlap(ends[one], spans) for one in reaching):
                return False
            reaching.append(end)
        return True

    def _map(
        self, where: Key, sport: bool, pieces: Sequence[tuple[Entry, Box]], ending: Callable[[Entry], Ending]
    ) -> Map:
        part, stage, proto = where
        key = str(self.operands["key"][self.family])
        if stage == "ports":
            key += " . inet_service . inet_service" if sport else " . inet_service"
        elif stage == "proto":
            key += " . inet_proto"
        names = {**self.operands["ports"], self.icmp: "icmp"}
        suffix = names[proto] if stage == "ports" else stage
        elements = tuple([_new(Element, (self._key(stage, sport, box), *ending(entry)[:2])) for entry, box in pieces])
        return Map(f"{self.name}_{PARTS[part]}{suffix}", key, elements)

    def _key(self, stage: str, sport: bool, box: Box) -> str:
        end = span_text(self.family, box[self.other])
        if stage == "proto":
            return f"{end} . {number_text(box[PROTO])}"
        if stage == "ports":
            ports = number_text(box[DPORT])
            return f"{end} . {number_text(box[SPORT])} . {ports}" if sport else f"{end} . {ports}"
        return end


def _order(key: Key) -> tuple[int, int]:
    """When a map is looked up in its chain, and the protocol."""
    return key[0] * PART + STAGES[key[1]], key[2]


def _cannot(entry: Entry, why: str) -> Refused:
    detail = f'The rule "{entry.rule.name}" gives a row that no verdict map can hold: {why}. Nothing was rendered.'
    return refuse("Row that cannot be written", detail, entry.rule.place)
