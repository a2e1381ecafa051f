"""The chain of one local address in one direction: its rows in maps, which have no order of their own."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import compress
from math import inf
from typing import Any

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
Kept = Mapping[Key, tuple[Sequence[int], Group]]
"""The rows of each map, in the order of lookups, and what their numbers are among all rows."""


class Chain:
    """Builds the chain of one local span, of which all ``parts`` are. Raises Refused for a row that no map can hold."""

    def __init__(
        self, operands: Mapping[str, Any], family: Family, direction: str, span: Span, parts: Sequence[Part]
    ) -> None:
        self.operands, self.family, self.direction, self.span = operands, family, direction, span
        self.other = SRC if direction == "in" else DST
        self.name = f"{direction}_{span_text(family, span).translate(_STRANGE)}"
        self.icmp: int = operands["icmp"][family]
        self._requests: tuple[int, ...] = tuple(operands["requests"][family])
        halves = _halves(parts)
        self._apart = [half.apart for half in halves]
        groups = {key: of for part, half in enumerate(halves) for key, of in self._groups(part, half)}
        self.groups: Kept = {key: groups[key] for key in sorted(groups, key=_order)}

    def stages(self, later: int) -> list[Stage]:
        """Its rows by the stage at which they are looked up."""
        return [Stage(_order(key)[0] + later, self.span, *of) for key, of in self.groups.items()]

    def build(self, elements: Elements) -> Local:
        """The chain of these rows."""
        cut = self._overtaken()
        maps: list[Map] = []
        ports: list[list[Lookup]] = [[] for _ in PARTS]
        wide = [{"proto": "", "any": ""} for _ in PARTS]
        for key, (order, group) in self.groups.items():
            sport = key[1] == "ports" and group.once(sported)
            made: Sequence[Element]
            if cut and not cut.keys().isdisjoint(map(order.__getitem__, group.numbers)):
                pieces = [
                    piece
                    for number, row in zip(group.numbers, group.rows, strict=True)
                    for piece in cut.get(order[number], (row,))
                ]
                made = elements.made(key[1], pieces, sport=sport)
            else:
                made = elements.of(key[1], group, sport=sport)
            if not made:
                continue
            maps.append(self._map(key, sport, made))
            if key[1] == "ports":
                ports[key[0]].append(self._lookup(maps[-1].name, key[2], sport))
            else:
                wide[key[0]][key[1]] = maps[-1].name
        parts = tuple(Lookups(tuple(of), **some) for of, some in zip(ports, wide, strict=True))
        dispatch = (Element(span_text(self.family, self.span), "", f"jump {self.name}"),)
        end = "saddr" if self.other == SRC else "daddr"
        word = self.operands["address"][self.family]
        return Local(self.name, self.direction, word, end, dispatch, parts, tuple(maps))

    def _lookup(self, made: str, proto: int, sport: bool) -> Lookup:
        return Lookup(made, proto, _protocols(proto, self.icmp), sport)

    def _groups(self, part: int, half: Part) -> Iterator[tuple[Key, tuple[Sequence[int], Group]]]:
        """Rows by the map that holds them. A protocol whose ports somebody names in a part has a map of its own there."""
        named = {proto[0] for proto, group in half.groups.items() if group.once(ported)}
        out: dict[Key, list[Group]] = {}
        for proto, every in half.groups.items():
            group = self._beginning(every) if proto == (self.icmp, self.icmp) else every
            if not group:
                continue
            if self._refused(group, named):
                raise next(self._refusals(half, named))
            own = proto != ANY_PROTO and proto[0] in named
            key = (part, "ports", proto[0]) if own else (part, "any" if proto == ANY_PROTO else "proto", 0)
            out.setdefault(key, []).append(group)
        return ((key, (half.order, joined(of))) for key, of in out.items())

    def _beginning(self, group: Group) -> Group:
        """The rows of ICMP of which a packet can begin a connection: only requests do."""
        begin = [any(low <= 256 * kind + 255 and 256 * kind <= high for kind in self._requests)
                 for low, high in columns(group)[1]]  # fmt: skip
        if all(begin):
            return group
        known = group.known.get(self._requests)
        if known is None:
            numbers, rows = list(compress(group.numbers, begin)), list(compress(group.rows, begin))
            known = group.known[self._requests] = Group(group.level, group.proto, numbers, rows)
        assert isinstance(known, Group)
        return known

    def _refused(self, group: Group, named: set[int]) -> str:
        """Why no map can hold some of the rows of a protocol, or empty."""
        low, high = group.proto
        if low != high:
            inside = any(low <= number <= high for number in (*named, self.icmp)) and group.proto != ANY_PROTO
            together = "it names some protocols together of which one has rows of its own"
            return together if inside or group.once(ported) else ""
        if low not in named or low in self.operands["ports"]:
            return ""
        return (
            "" if low == self.icmp and not group.once(sported) else f"protocol {low} has no ports that the kernel knows"
        )

    def _refusals(self, half: Part, named: set[int]) -> Iterator[Refused]:
        """One for each row that no map can hold, in order."""
        for _, row in sorted(half.rows(), key=lambda one: one[0]):
            one = Group(row.level, row.proto, (0,), (row,))
            begins = row.proto != (self.icmp, self.icmp) or self._beginning(one)
            if begins and (why := self._refused(one, named)):
                yield _cannot(row, why)

    def _overtaken(self) -> dict[int, list[Told]]:
        """What is left of each row that its lookup would let overtake rows before it, by number."""
        out: dict[int, list[Told]] = {}
        for part, apart in enumerate(self._apart):
            of = [] if apart else [(key, placed) for key, placed in self.groups.items() if key[0] == part]
            if of:
                found = _overtaken(self.family, [(key, group) for key, (_, group) in of])
                order = of[0][1][0]
                out.update((order[number], pieces) for number, pieces in found.items())
        return out

    def _map(self, where: Key, sport: bool, elements: Sequence[Element]) -> Map:
        part, stage, proto = where
        key = str(self.operands["key"][self.family])
        if stage == "ports":
            key += " . inet_service . inet_service" if sport else " . inet_service"
        elif stage == "proto":
            key += " . inet_proto"
        suffix = stage
        if stage == "ports":
            suffix = "icmp" if proto == self.icmp else self.operands["ports"][proto]
        return Map(f"{self.name}_{PARTS[part]}{suffix}", key, elements)


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
    out: dict[int, Told] = {}
    crossed = (_order(k)[0] < _order(other)[0] and _turned(group, behind) for k, group in of for other, behind in of)
    if len(of) > 1 and any(crossed):
        return doubted(group for _, group in of)
    for _, group in of:
        out |= group.once(doubts)
    return out


def _turned(group: Group, behind: Group) -> bool:
    """Whether some row of a group has an earlier one in another group that says otherwise."""
    (permit, deny), (first_permit, first_deny) = group.once(lasts), behind.once(firsts)
    return first_deny < permit or first_permit < deny


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
