"""The chain of one local address in one direction: its rows in maps, which have no order of their own."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from configlet.model.net import TOP, Family, Span
from configlet.model.policy import ANY_PORT, ANY_PROTO, DPORT, DST, PROTO, SPORT, SRC, WRITTEN, Box, Entry
from configlet.model.problem import Refused, refuse
from configlet.packets.apart import doubtful
from configlet.packets.boxes import change, minus_all
from configlet.packets.near import Near
from configlet.render.filter_elements import Elements
from configlet.render.filter_parted import By, Parted, joined
from configlet.render.filter_words import Element, Local, Lookup, Lookups, Map, Stage, span_text

STAGES = {"ports": 2, "proto": 3, "any": 4}
"""The order of lookups in a part of a chain."""
PARTS = ("network_", "")
"""What the network needs and keeps closed is looked up first, then what the operator wrote: what a map's name says of it."""
PART = 3
"""How much later the second part is looked up."""
Key = tuple[int, str, int]
"""A map within a chain: its part, its lookup, and of ``ports`` the protocol."""


class Chain:
    """Builds the chain of one local span. ``placed``: its rows by the stage at which they are looked up."""

    def __init__(self, operands: Mapping[str, Any], family: Family, direction: str, span: Span, parted: Parted) -> None:
        self.operands, self.family, self.direction, self.span = operands, family, direction, span
        self.mine, self.other = (DST, SRC) if direction == "in" else (SRC, DST)
        self.parted, self.rows, self.boxes = parted, parted.rows, parted.boxes
        text = "".join(c if c.isalnum() else "_" for c in span_text(family, span))
        self.name = f"{direction}_{text}"
        self.icmp: int = operands["icmp"][family]
        self.placed: list[Stage] = []

    def build(self, by: By, elements: Elements) -> Local:
        """The chain of these rows, all of which hold its span. Raises Refused for one that no map can hold."""
        groups = {key: of for part, half in enumerate(self._halves(by)) for key, of in self._groups(part, half).items()}
        cut = self._overtaken(groups)
        maps: list[Map] = []
        parts: list[Lookups] = []
        for part in range(len(PARTS)):
            ports: list[Lookup] = []
            wide = {"proto": "", "any": ""}
            for key in sorted((k for k in groups if k[0] == part), key=_order):
                numbers = joined(groups[key])
                rows = [self.rows[number] for number in numbers]
                self.placed.append((_order(key)[0], rows))
                sport = key[1] == "ports" and any(self.boxes[number][SPORT] != ANY_PORT for number in numbers)
                if cut and not cut.keys().isdisjoint(numbers):
                    pieces = [(self.rows[n], box) for n in numbers for box in cut.get(n, (self.boxes[n],))]
                    said = [row for row, _ in pieces], [box for _, box in pieces]
                    made = elements.made(key[1], self.other, *said, sport=sport)
                else:
                    made = elements.of(key[1], numbers, self.parted, self.other, sport=sport)
                if not made:
                    continue
                maps.append(self._map(key, sport, made))
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

    def _halves(self, by: By) -> tuple[By, By]:
        """The rows ahead of the first that the operator wrote, and those from there on."""
        rows = self.rows
        at = min(next((n for n in of if rows[n].rule.origin in WRITTEN), len(rows)) for of in by.values())
        network, written = By(), By()
        for proto, of in by.items():
            cut = bisect_left(of, at)
            if cut:
                network[proto] = of[:cut]
            if cut < len(of):
                written[proto] = of[cut:]
        return network, written

    def _groups(self, part: int, half: By) -> dict[Key, By]:
        """Rows by the map that holds them. A protocol whose ports somebody names in a part has a map of its own there."""
        named = {proto[0] for proto, of in half.items() if any(map(self._ported, of))}
        out: dict[Key, By] = {}
        for proto, some in half.items():
            of = [n for n in some if self._begins(n)] if proto == (self.icmp, self.icmp) else some
            if not of:
                continue
            if self._refused(proto, of, named):
                raise next(self._refusals(half, named))
            ported = proto != ANY_PROTO and proto[0] in named
            key = (part, "ports", proto[0]) if ported else (part, "any" if proto == ANY_PROTO else "proto", 0)
            out.setdefault(key, {})[proto] = of
        return out

    def _ported(self, number: int) -> bool:
        box = self.boxes[number]
        return box[DPORT] != ANY_PORT or box[SPORT] != ANY_PORT

    def _begins(self, number: int) -> bool:
        """Whether a packet of the row can begin a connection; of ICMP only requests do."""
        low, high = self.boxes[number][DPORT]
        if self.boxes[number][PROTO] != (self.icmp, self.icmp):
            return True
        return any(low <= 256 * kind + 255 and 256 * kind <= high for kind in self.operands["requests"][self.family])

    def _refused(self, proto: Span, of: Sequence[int], named: set[int]) -> str:
        """Why no map can hold some of the rows of a protocol, or empty."""
        low, high = proto
        if low != high:
            joined = any(low <= number <= high for number in (*named, self.icmp)) and proto != ANY_PROTO
            together = "it names some protocols together of which one has rows of its own"
            return together if joined or any(map(self._ported, of)) else ""
        if low not in named or low in self.operands["ports"]:
            return ""
        known = low == self.icmp and all(self.boxes[number][SPORT] == ANY_PORT for number in of)
        return "" if known else f"protocol {low} has no ports that the kernel knows"

    def _refusals(self, half: By, named: set[int]) -> Iterator[Refused]:
        """One for each row that no map can hold, in order."""
        for number in filter(self._begins, joined(half)):
            if why := self._refused(self.boxes[number][PROTO], (number,), named):
                yield _cannot(self.rows[number], why)

    def _overtaken(self, groups: Mapping[Key, By]) -> dict[int, list[Box]]:
        """What is left of each row that its lookup would let overtake rows before it: a map has no order of its own."""
        doubted = self._doubted(groups)
        if not doubted:
            return {}
        key = {number: k for k, group in groups.items() for of in group.values() for number in of}
        out: dict[int, list[Box]] = {}
        # Of their own end all say the same here: when it is everything, rows are looked for by the other end.
        whole = (0, TOP[self.family])
        kept = [(key[n], n, change(self.boxes[n], self.mine, whole)) for n in sorted(doubted)]
        near = Near([((p,), (d,), (s,), (dp,), (sp,), (fl,), (fr,)) for _, _, (p, d, s, dp, sp, fl, fr) in kept])
        for at, (mine, number, box) in enumerate(kept):
            permit = self.rows[number].permit
            overtaken = [
                kept[n][2]
                for n in near.earlier(at)
                if kept[n][0] == mine
                or (_order(kept[n][0])[0] > _order(mine)[0] and self.rows[kept[n][1]].permit != permit)
            ]
            if overtaken:
                out[number] = list(minus_all(box, overtaken))
        return out

    def _doubted(self, groups: Mapping[Key, By]) -> set[int]:
        """The rows that could share a packet with another one of their map; in a part with permits and denies, with any
        other one of the part."""
        out, rows = set[int](), self.rows
        ends, ports = self.parted.column(self.other), self.parted.column(DPORT)
        for part in range(len(PARTS)):
            of = [group for key, group in groups.items() if key[0] == part]
            every = {proto: numbers for group in of for proto, numbers in group.items()}
            mixed = len({rows[number].permit for numbers in every.values() for number in numbers}) > 1
            for some in [every] if mixed else of:
                out |= doubtful(some, ends, ports)
        return out

    def _map(self, where: Key, sport: bool, elements: tuple[Element, ...]) -> Map:
        part, stage, proto = where
        key = str(self.operands["key"][self.family])
        if stage == "ports":
            key += " . inet_service . inet_service" if sport else " . inet_service"
        elif stage == "proto":
            key += " . inet_proto"
        names = {**self.operands["ports"], self.icmp: "icmp"}
        suffix = names[proto] if stage == "ports" else stage
        return Map(f"{self.name}_{PARTS[part]}{suffix}", key, elements)


def _order(key: Key) -> tuple[int, int]:
    """When a map is looked up in its chain, and the protocol."""
    return key[0] * PART + STAGES[key[1]], key[2]


def _cannot(entry: Entry, why: str) -> Refused:
    detail = f'The rule "{entry.rule.name}" gives a row that no verdict map can hold: {why}. Nothing was rendered.'
    return refuse("Row that cannot be written", detail, entry.rule.place)
