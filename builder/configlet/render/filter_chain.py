"""The chain of one local address in one direction: its rows in maps, which have no order of their own."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import lru_cache
from itertools import compress
from math import inf
from typing import Any, NamedTuple

from configlet.model.net import TOP, Family, Span
from configlet.model.policy import ANY_PORT, ANY_PROTO, DST, SRC, WRITTEN, Entry
from configlet.model.problem import Refused, refuse
from configlet.model.told import Group, Told, columns, denies, passes, rules, told
from configlet.packets.apart import doubted, doubts
from configlet.packets.boxes import minus_all
from configlet.packets.near import Near
from configlet.render.filter_elements import Elements
from configlet.render.filter_parted import Part, grouped, joined
from configlet.render.filter_words import Element, Local, Lookup, Lookups, Map, Stage, span_text

STAGES = {"ports": 2, "proto": 3, "any": 4}
"""The order of lookups in a part of a chain."""
PARTS = ("network_", "")
"""What the network needs and keeps closed is looked up first, then what the operator wrote: what a map's name says of it."""
_STRANGE = str.maketrans(".:/-", "____")
"""What cannot stand in a name, of all that addresses are written with."""
PART = 3
"""How much later the second part is looked up."""
Key = tuple[int, str, int]
"""A map within a chain: its part, its lookup, and of ``ports`` the protocol."""
Look = tuple[Span, bool, bool]
"""Of a group its protocol, whether a row asks for ports, and whether one asks for source ports."""
KNOWN = 1024
"""Kinds of parts of chains of which it is remembered how their groups are looked up."""


class Way(NamedTuple):
    """How the rows of a map are looked up: ``at`` is when, ``suffix`` the end of its name, ``type`` that of its keys,
    ``protocols`` those of packets of such a connection."""

    key: Key
    at: int
    sport: bool
    suffix: str
    type: str
    protocols: str


class Ways:
    """How groups are looked up in one family and style."""

    def __init__(self, icmp: int, requests: Sequence[int], key: str, ports: Mapping[int, str]) -> None:
        self.icmp, self.requests, self.ports, self._key = icmp, requests, ports, key
        self._plans: dict[tuple[int, bool, Sequence[Look]], Sequence[tuple[Way, int]] | None] = {}

    def plan(self, part: int, looks: Sequence[Look], *, typed: bool) -> Sequence[tuple[Way, int]] | None:
        """The map of each group of a part, in the order of lookups, and its place; None where a map has several, or cannot
        hold one of them. ``typed``: somebody asks for types of ICMP."""
        key = part, typed, looks
        if key in self._plans:
            return self._plans[key]
        if len(self._plans) >= KNOWN:
            self._plans.clear()
        named = {proto[0] for proto, ports, _ in looks if ports} | ({self.icmp} if typed else set())
        found = [(self.way(self.key(part, look[0], named), sport=look[2]), at) for at, look in enumerate(looks)]
        apart = len({way.key for way, _ in found}) == len(found) and not any(self.refused(look, named) for look in looks)
        made = self._plans[key] = sorted(found, key=lambda one: _order(one[0].key)) if apart else None
        return made

    def key(self, part: int, proto: Span, named: Set[int]) -> Key:
        """The map of a protocol. One whose ports somebody names in a part has a map of its own there."""
        if proto != ANY_PROTO and proto[0] in named:
            return part, "ports", proto[0]
        return part, "any" if proto == ANY_PROTO else "proto", 0

    def way(self, key: Key, *, sport: bool) -> Way:
        """How a map is looked up; ``sport``: whether a row asks for source ports."""
        part, stage, proto = key
        sport = sport and stage == "ports"
        suffix, kind = stage, self._key
        if stage == "ports":
            kind += " . inet_service . inet_service" if sport else " . inet_service"
            suffix = "icmp" if proto == self.icmp else self.ports.get(proto, "")
        elif stage == "proto":
            kind += " . inet_proto"
        return Way(key, _order(key)[0], sport, f"{PARTS[part]}{suffix}", kind, _protocols(proto, self.icmp))

    def refused(self, look: Look, named: Set[int]) -> str:
        """Why no map can hold some of the rows of a protocol, or empty."""
        proto, ports, sport = look
        low, high = proto
        if low != high:
            inside = any(low <= number <= high for number in (*named, self.icmp)) and proto != ANY_PROTO
            together = "it names some protocols together of which one has rows of its own"
            return together if inside or ports else ""
        if low not in named or low in self.ports:
            return ""
        return "" if low == self.icmp and not sport else f"protocol {low} has no ports that the kernel knows"

    def beginning(self, group: Group) -> Group:
        """The rows of ICMP of which a packet can begin a connection: only requests do."""
        known = group.known.get(self.requests)
        if known is None:
            ends = columns(group)[1]
            begin = [any(low <= 256 * kind + 255 and 256 * kind <= high for kind in self.requests) for low, high in ends]
            some = Group(group.level, group.proto, tuple(compress(group.numbers, begin)), tuple(compress(group.rows, begin)))
            known = group.known[self.requests] = () if all(begin) else some  # not the group, which holds this
        return known if isinstance(known, Group) else group


def ways_of(operands: Mapping[str, Any], family: Family) -> Ways:
    """How a platform's groups are looked up in a family."""
    ports: Mapping[int, str] = operands["ports"]
    requests = tuple(operands["requests"][family])
    return _ways(operands["icmp"][family], requests, str(operands["key"][family]), tuple(ports.items()))


@lru_cache(maxsize=8)
def _ways(icmp: int, requests: Sequence[int], key: str, ports: tuple[tuple[int, str], ...]) -> Ways:
    return Ways(icmp, requests, key, dict(ports))


class Chain:
    """Builds the chain of one local span, of which all ``parts`` are. Raises Refused for a row that no map can hold."""

    def __init__(
        self, operands: Mapping[str, Any], family: Family, direction: str, span: Span, parts: Sequence[Part]
    ) -> None:
        self.operands, self.family, self.direction, self.span = operands, family, direction, span
        self.other = SRC if direction == "in" else DST
        self.name = f"{direction}_{span_text(family, span).translate(_STRANGE)}"
        self._ways = ways_of(operands, family)
        halves = _halves(parts)
        self._apart = [half.apart for half in halves]
        self.groups = [one for part, half in enumerate(halves) for one in self._groups(part, half)]
        """How each map is looked up, in that order, what the numbers of its rows are among all rows, and the rows."""

    def stages(self, later: int) -> list[Stage]:
        """Its rows by the stage at which they are looked up."""
        return [Stage(way.at + later, self.span, order, group) for way, order, group in self.groups]

    def build(self, elements: Elements) -> Local:
        """The chain of these rows."""
        cut = self._overtaken()
        maps: list[Map] = []
        ports: list[list[Lookup]] = [[] for _ in PARTS]
        wide = [{"proto": "", "any": ""} for _ in PARTS]
        for way, order, group in self.groups:
            part, stage, proto = way.key
            made: Sequence[Element]
            if cut and not cut.keys().isdisjoint(map(order.__getitem__, group.numbers)):
                pieces = [
                    piece
                    for number, row in zip(group.numbers, group.rows, strict=True)
                    for piece in cut.get(order[number], (row,))
                ]
                made = elements.made(stage, pieces, sport=way.sport)
            else:
                made = elements.of(stage, group, sport=way.sport)
            if not made:
                continue
            name = f"{self.name}_{way.suffix}"
            maps.append(Map(name, way.type, made))
            if stage == "ports":
                ports[part].append(Lookup(name, proto, way.protocols, way.sport))
            else:
                wide[part][stage] = name
        parts = tuple([Lookups(tuple(of), some["proto"], some["any"]) for of, some in zip(ports, wide, strict=True)])
        dispatch = (Element(span_text(self.family, self.span), "", f"jump {self.name}"),)
        end = "saddr" if self.other == SRC else "daddr"
        word = self.operands["address"][self.family]
        return Local(self.name, self.direction, word, end, dispatch, parts, tuple(maps))

    def _groups(self, part: int, half: Part) -> Iterable[tuple[Way, Sequence[int], Group]]:
        """Rows by the map that holds them."""
        ways, icmp = self._ways, (self._ways.icmp, self._ways.icmp)
        found, of_icmp = [*half.groups.values()], half.groups.get(icmp)
        if of_icmp:
            found = [one for group in found if (one := ways.beginning(group) if group is of_icmp else group)]
        plan = ways.plan(part, tuple([group.once(look) for group in found]), typed=bool(of_icmp and of_icmp.once(ported)))
        if plan is not None:
            return [(way, half.order, found[at]) for way, at in plan]
        named = {proto[0] for proto, group in half.groups.items() if group.once(ported)}
        out: dict[Key, list[Group]] = {}
        for group in found:
            if ways.refused(group.once(look), named):
                raise next(self._refusals(half, named))
            out.setdefault(ways.key(part, group.proto, named), []).append(group)
        together = [(key, joined(out[key])) for key in sorted(out, key=_order)]
        return [(ways.way(key, sport=group.once(sported)), half.order, group) for key, group in together]

    def _refusals(self, half: Part, named: Set[int]) -> Iterator[Refused]:
        """One for each row that no map can hold, in order."""
        for _, row in sorted(half.rows(), key=lambda one: one[0]):
            one = Group(row.level, row.proto, (0,), (row,))
            begins = row.proto != (self._ways.icmp, self._ways.icmp) or self._ways.beginning(one)
            if begins and (why := self._ways.refused(look(one), named)):
                yield _cannot(row, why)

    def _overtaken(self) -> dict[int, list[Told]]:
        """What is left of each row that its lookup would let overtake rows before it, by number."""
        out: dict[int, list[Told]] = {}
        for part, apart in enumerate(self._apart):
            of = [] if apart else [(way.key, order, group) for way, order, group in self.groups if way.key[0] == part]
            if of:
                found = _overtaken(self.family, [(key, group) for key, _, group in of])
                order = of[0][1]
                out.update((order[number], pieces) for number, pieces in found.items())
        return out


@lru_cache(maxsize=64)
def _protocols(proto: int, icmp: int) -> str:
    """A protocol, and that of the errors of its connections."""
    low, high = sorted((proto, icmp))
    return str(icmp) if proto == icmp else f"{{ {low}, {high} }}"


def _halves(parts: Sequence[Part]) -> tuple[Part, Part]:
    """The rows ahead of the first that the operator wrote, and those from there on."""
    if len(parts) == 2:  # a host's front and its face: nearly always the two halves
        front, face = parts
        starts = [group.once(written) for group in face.groups.values()]
        of_network = [group.once(written) == len(group) for group in front.groups.values()]
        if front.order[-1] < face.order[0] and all(of_network) and not any(starts):
            return front, face
    found = [part.order[group.numbers[at]] for part in parts for group in part.groups.values()
             if (at := group.once(written)) < len(group)]  # fmt: skip
    network, wrote = list[Part](), list[Part]()
    for part in parts:
        start = bisect_left(part.order, min(found, default=0))
        if not found or all(group.numbers[-1] < start for group in part.groups.values()):
            network.append(part)
        elif all(group.numbers[0] >= start for group in part.groups.values()):
            wrote.append(part)
        else:
            cut = [(proto, group, bisect_left(group.numbers, start)) for proto, group in part.groups.items()]
            ahead = {proto: _between(group, 0, end) for proto, group, end in cut if end}
            behind = {proto: _between(group, end, len(group)) for proto, group, end in cut if end < len(group)}
            network.append(Part(part.order, ahead, part.apart))
            wrote.append(Part(part.order, behind, part.apart))
    return _one(network), _one(wrote)


def _between(group: Group, start: int, end: int) -> Group:
    """Some of the rows of a group, the same object whenever they are asked for."""
    if end - start == len(group):
        return group
    known = group.known.get((start, end))
    if known is None:
        known = Group(group.level, group.proto, group.numbers[start:end], group.rows[start:end])
        group.known[start, end] = known
    assert isinstance(known, Group)
    return known


def _one(parts: Sequence[Part]) -> Part:
    """Parts as one."""
    if len(parts) < 2:
        return parts[0] if parts else Part((), {})
    rows = sorted((row for part in parts for row in part.rows()), key=lambda one: one[0])
    return grouped(rows[0][1].level, rows)


def _overtaken(family: Family, of: Sequence[tuple[Key, Group]]) -> Mapping[int, list[Told]]:
    """What is left of each row of a part of a chain that its lookup would let overtake rows before it: a map has no order of
    its own."""
    doubts = _doubted(of)
    if not doubts:
        return {}
    key = {number: k for k, group in of for number in group.numbers}
    # Of their own end all say the same here: when it is everything, rows are looked for by the other end.
    whole = (0, TOP[family])
    kept = [(key[number], number, doubts[number], doubts[number].at(whole).box) for number in sorted(doubts)]
    near = Near([((p,), (d,), (s,), (dp,), (sp,), (fl,), (fr,)) for _, _, _, (p, d, s, dp, sp, fl, fr) in kept])
    out: dict[int, list[Told]] = {}
    for at, (mine, number, row, box) in enumerate(kept):
        overtaken = [
            before
            for k, _, other, before in map(kept.__getitem__, near.earlier(at))
            if k == mine or (_order(k)[0] > _order(mine)[0] and other.permit != row.permit)
        ]
        if overtaken:
            left = minus_all(box, overtaken)
            out[number] = [told(Entry(row.permit, piece, row.rule), row.level) for piece in left]
    return out


def _doubted(of: Sequence[tuple[Key, Group]]) -> dict[int, Told]:
    """The rows that could share a packet with another one of their map; with any other one, where a lookup asks for a row
    before it asks for an earlier one that says otherwise."""
    if len(of) > 1:
        said = [(_order(key)[0], *group.once(lasts), *group.once(firsts)) for key, group in of]
        for at, permit, deny, _, _ in said:
            if any(at < later and (first_deny < permit or first < deny) for later, _, _, first, first_deny in said):
                return doubted(group for _, group in of)
    out: dict[int, Told] = {}
    for _, group in of:
        out |= group.once(doubts)
    return out


def lasts(group: Group) -> tuple[int, int]:
    """The number of the last permit and of the last deny; -1 where there is none."""
    shut = group.once(denies)
    if not shut:
        return group.numbers[-1], -1
    found = passes(group)
    at = len(found) - 1 - found[::-1].index(True) if len(shut) < len(group) else -1
    return group.numbers[at] if at >= 0 else -1, group.numbers[shut[-1]]


def firsts(group: Group) -> tuple[float, float]:
    """The number of the first permit and of the first deny; infinite where there is none."""
    shut = group.once(denies)
    if not shut:
        return group.numbers[0], inf
    at = passes(group).index(True) if len(shut) < len(group) else -1
    return group.numbers[at] if at >= 0 else inf, group.numbers[shut[0]]


def written(group: Group) -> int:
    """The place of the first row that the operator wrote."""
    if group.parts:
        found = [part.numbers[at] for part in group.parts if (at := part.once(written)) < len(part)]
        return bisect_left(group.numbers, min(found)) if found else len(group)
    return next((at for at, rule in enumerate(rules(group)) if rule.origin in WRITTEN), len(group))


def look(group: Group) -> Look:
    """What decides which map holds a group."""
    return group.proto, group.once(ported), group.once(sported)


def ported(group: Group) -> bool:
    """Whether a row asks for ports."""
    if group.parts:
        return any(group.each(ported))
    return columns(group)[1].count(ANY_PORT) < len(group) or group.once(sported)


def sported(group: Group) -> bool:
    """Whether a row asks for source ports."""
    return any(group.each(sported)) if group.parts else columns(group)[2].count(ANY_PORT) < len(group)


def _order(key: Key) -> tuple[int, int]:
    """When a map is looked up in its chain, and the protocol."""
    return key[0] * PART + STAGES[key[1]], key[2]


def _cannot(row: Told, why: str) -> Refused:
    detail = f'The rule "{row.rule.name}" gives a row that no verdict map can hold: {why}. Nothing was rendered.'
    return refuse("Row that cannot be written", detail, row.rule.place)
