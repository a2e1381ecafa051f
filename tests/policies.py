"""Random policies, and what every platform makes of them: the ground of the laws over all platforms that are found."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal

from hypothesis import strategies as st

from configlet.fit.acl import acl_rows
from configlet.fit.host import host_rows
from configlet.fit.law import Scope, at_locals
from configlet.fit.tables import fitted
from configlet.model.gate import Artifact, Gate, Law, Reading, Table
from configlet.model.inventory import Term
from configlet.model.net import FAMILIES, TOP, Addresses, Family, Span
from configlet.model.platform import Platform
from configlet.model.policy import Box, Entry, Rule
from configlet.model.problem import Place
from configlet.platforms import load
from configlet.platforms.content import search
from configlet.prove import prove
from configlet.readers import read
from configlet.render import render
from tests.builders import routed_lists, span

ALL = load(search(None))
KINDS = [(name, kind) for name, known in sorted(ALL.items()) for kind, said in known.kinds.items() if not said.encoder]
"""Of those that are text; tables that an encoder makes have laws of their own."""
IDS = [f"{name}-{kind}" for name, kind in KINDS]

NEAR: dict[Family, str] = {4: "10.1.20.0/24", 6: "2001:db8:1:20::/64"}
HERE: dict[Family, str] = {4: "10.1.20.11", 6: "2001:db8:1:20::11"}
NETS: dict[Family, tuple[str, ...]] = {
    4: ("10.1.20.0/24", "10.1.20.11", "10.1.20.0/25", "10.1.20.3-10.1.20.9", "any", "10.1.0.0/16", "10.1.10.0/24", "10.1.10.7",
        "10.1.10.3-10.1.10.9", "203.0.113.0/26", "203.0.113.128/26", "198.51.100.0/24", "0.0.0.0/1"),
    6: ("2001:db8:1:20::/64", "2001:db8:1:20::11", "2001:db8:1:20::/65", "any", "2001:db8::/32", "2001:db8:1:10::/64",
        "2001:db8:1:10::7", "2001:db8:1:10::3-2001:db8:1:10::9", "2001:db8:f::/48", "8000::/1"),
}  # fmt: skip
PORTS = (0, 1, 22, 53, 80, 443, 1023, 1024, 9001, 32767, 65534, 65535)
TYPES = {4: (0, 3, 8, 11, 13), 6: (1, 2, 128, 129, 135)}
ICMP: dict[Family, int] = {4: 1, 6: 58}


@dataclass(frozen=True)
class Line:
    """One rule of a random policy: ends, services as (proto, dport, sport), verdict and log."""

    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    services: tuple[tuple[Span, Span, Span], ...]
    permit: bool
    log: bool


@dataclass(frozen=True)
class Case:
    """A random policy at one gate: both families, one direction, and what becomes of fragments."""

    lines: dict[Family, tuple[Line, ...]]
    direction: Literal["in", "out"]
    fragments: bool


@cache
def _one_of(*said: object) -> st.SearchStrategy[Any]:
    """One of some values; made once, as making a strategy takes longer than drawing from it."""
    return st.sampled_from(said)


@cache
def _upto(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


@cache
def _ends(family: Family) -> st.SearchStrategy[list[str]]:
    return st.lists(_one_of(*NETS[family]), min_size=1, max_size=3, unique=True)


def spans_of(draw: st.DrawFn, fields: frozenset[str]) -> Span:
    low = draw(_one_of(*(PORTS if "zero" in fields else PORTS[1:])))
    return low, min(65535, low + draw(_one_of(0, 0, 0, 1, 15, 400, 65535)))


FIELDS = ("icmp", "types", "codes", "logs", "protocols", "every", "zero")
"""What some policies ask for beyond TCP, UDP, their ports and ranges, groups and denies: so that a platform that lacks
a word still proves most of them."""


@st.composite
def services(draw: st.DrawFn, family: Family, fields: frozenset[str]) -> tuple[Span, Span, Span]:
    """All protocols, TCP and UDP with and without ports, ICMP with types and codes, a protocol by number."""
    every: Span = (0, 65535)
    more = [
        (field, kind) for field, kind in (("icmp", "icmp"), ("every", "any"), ("protocols", "other")) if field in fields
    ]
    kind = draw(_one_of("tcp", "tcp", "tcp", "udp", "udp", "whole", *(kind for _, kind in more)))
    if kind in ("tcp", "udp"):
        number = 6 if kind == "tcp" else 17
        sport = spans_of(draw, fields) if draw(_upto(0, 5)) == 0 else every
        return (number, number), spans_of(draw, fields), sport
    if kind == "icmp" and "types" in fields:
        number = draw(_one_of(*TYPES[family])) * 256
        code = draw(_one_of(None, 0, 4)) if "codes" in fields else None
        types = (number, number + 255) if code is None else (number + code,) * 2
        return (ICMP[family],) * 2, types, every
    if kind == "any":
        return (0, 255), every, every
    whole = {"icmp": (ICMP[family],), "whole": (6, 17)}
    number = draw(_one_of(*whole.get(kind, (2, 47, 50, 89, 103, 112, 132))))
    return (number, number), every, every


@cache
def _some_services(family: Family, fields: frozenset[str]) -> st.SearchStrategy[list[tuple[Span, Span, Span]]]:
    return st.lists(services(family, fields), min_size=1, max_size=2)


@st.composite
def lines(draw: st.DrawFn, family: Family, fields: frozenset[str]) -> Line:
    """A rule between sets of addresses, one side near."""
    ends = [tuple(draw(_ends(family))) for _ in range(2)]
    return Line(
        ends[0],
        ends[1],
        tuple(draw(_some_services(family, fields))),
        draw(_upto(0, 3)) > 0,
        "logs" in fields and draw(st.booleans()),
    )


@cache
def _some_lines(family: Family, fields: frozenset[str]) -> st.SearchStrategy[list[Line]]:
    return st.lists(lines(family, fields), min_size=1, max_size=6)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A policy of one to six rules in each family."""
    rich = draw(_upto(0, 3)) == 3
    fields = frozenset(field for field in FIELDS if rich and draw(st.booleans()))
    made = {f: tuple(draw(_some_lines(f, fields))) for f in FAMILIES}
    return Case(made, draw(_one_of("in", "out")), draw(_upto(0, 7)) == 7)


def entries_of(said: Sequence[Line], family: Family) -> tuple[Entry, ...]:
    """The rules as entries, in order."""
    return tuple(entry for number, line in enumerate(said, 1) for entry in _entries(line, family, number))


def _entries(line: Line, family: Family, number: int) -> Iterator[Entry]:
    none = Addresses()
    action: Literal["allow", "deny"] = "allow" if line.permit else "deny"
    place = Place("policy.yaml", number, 3)
    rule = Rule(f"rule {number}", "policy", action, none, none, (Term(None),), line.log, place)
    for source in line.sources:
        for destination in line.destinations:
            for proto, dport, sport in line.services:
                box: Box = (proto, span(destination, family), span(source, family), dport, sport, (0, 1), (0, 0))
                yield Entry(line.permit, box, rule)


def tables_of(case: Case, known: Platform, kind: str) -> list[Table]:
    """The tables of one gate for both families, fitted as the product fits them. Raises Refused."""
    return [_table(case, known, kind, family) for family in FAMILIES]


def _table(case: Case, known: Platform, kind: str, family: Family) -> Table:
    capability = known.kinds[kind].capability
    if kind == "acl":
        law, rows = _routed(case.lines[family], case.direction, case.fragments, family)
        port = "Ethernet4" if known.name == "sonic" else "Vlan120"
        name = f"leaf1/{port}/{case.direction}/v{family}"
        gate = Gate(
            name, "leaf1", known.name, "acl", port, case.direction, (family,), "trading", ("orders",), capability
        )
        return Table(gate, "trading", family, law, fitted(rows, gate, family) if family in capability.groups else rows)
    whole = entries_of(case.lines[family], family)
    law = Law(family, (at_locals(whole, (span(HERE[family], family),)),))
    ends: tuple[tuple[Family, Span], ...] = tuple((f, span(HERE[f], f)) for f in FAMILIES)
    gate = Gate(f"h1/{known.name}", "h1", known.name, "filter-table", "inet configlet", "both", (4, 6), "", ("orders",),
                capability, locals=ends)  # fmt: skip
    return Table(gate, "trading", family, law, tuple(host_rows(law)))


@lru_cache(maxsize=8192)
def _routed(
    said: tuple[Line, ...], direction: Literal["in", "out"], fragments: bool, family: Family
) -> tuple[Law, tuple[Entry, ...]]:
    """The law of a routed gate and its rows, which are the same for every platform."""
    scope = Scope((span(NEAR[family], family),), (), fragments)
    law = Law(family, routed_lists(entries_of(said, family), scope, direction, family))
    return law, tuple(acl_rows(law))


def text_of(case: Case, known: Platform, kind: str) -> Artifact:
    """What the platform writes for a policy. Raises Refused with the reason why it cannot."""
    return render("leaf1", known, kind, tables_of(case, known, kind))


def verdicts(artifact: Artifact, known: Platform) -> tuple[Reading, set[str]]:
    """What was read, and every verdict over it. Raises Refused when it cannot be read."""
    reading = read(known, artifact.kind, artifact.text, artifact.file)
    return reading, {proof.verdict for proof in prove(artifact, reading)}


def asks(case: Case, want: Callable[[Line, Family], bool]) -> bool:
    """Whether any rule of the policy asks for something."""
    return any(want(line, family) for family, said in case.lines.items() for line in said)


def differs(artifact: Artifact, reading: Reading, dice: random.Random, tries: int = 2000) -> bool:
    """Whether a linear first match finds a packet on which text and law differ, among corners of their boxes."""
    for table in artifact.tables:
        key = (table.gate.binding, table.gate.direction, table.family)
        same = [said for at, said in reading.lists.items() if at[2] == table.family]
        found = same if table.gate.kind != "acl" else [reading.lists[key]] if key in reading.lists else []
        if not found:
            return True
        laws = [[(e.permit, e.box) for e in part] for part in table.law.lists]
        texts = [[(line.permit, line.box) for line in said] for said in found]
        boxes = [box for part in (*laws, *texts) for _, box in part]
        for _ in range(tries):
            point = [_corner(dice, level, boxes, table.family) for level in range(7)]
            wanted = any(_first(part, point) for part in laws)
            if any(_first(part, point) != wanted for part in texts):
                return True
    return False


def _first(rows: Sequence[tuple[bool, tuple[Span, ...]]], point: Sequence[int]) -> bool:
    for permit, box in rows:
        if all(low <= value <= high for (low, high), value in zip(box, point, strict=True)):
            return permit
    return False


def _corner(dice: random.Random, level: int, boxes: Sequence[tuple[Span, ...]], family: Family) -> int:
    low, high = dice.choice(boxes)[level]
    value = dice.choice((low, high, low - 1, high + 1, low, high))
    return min(max(value, 0), (255, TOP[family], TOP[family], 65535, 65535, 1, 1)[level])
