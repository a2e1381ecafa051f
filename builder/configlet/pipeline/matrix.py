"""Who may talk to whom, segment by segment: the policy itself as tables, one for each realm, computed exactly.

A cell speaks of first packets (A(p) of DESIGN 5.1) from every address of its row to every address of its column, over
both families. The rows and columns of a realm share no address and leave none out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from configlet.model.inventory import Inventory, RuleLine, Service, Term
from configlet.model.net import (
    FAMILIES,
    TOP,
    Addresses,
    Family,
    IPNetwork,
    Span,
    addresses,
    family_of,
    span_of,
    subtract,
)
from configlet.model.policy import DST, SRC, Box, Entry, Rule
from configlet.model.problem import refuse
from configlet.packets.boxes import meet, packet_of, packet_text
from configlet.packets.entries import box_of, split
from configlet.pipeline.site import Site, open_site
from configlet.pipeline.why import service_of
from configlet.rules import own_addresses, select
from configlet.rules.expand import selector
from configlet.workspace.suggest import did_you_mean

Says = Literal["all", "none", "some", "never"]
ANYTHING = Service("any", (Term(None),), None)
NAMED: frozenset[str] = frozenset()
OUTSIDE, OWN, ELSEWHERE = "outside", "infrastructure", "elsewhere"


@dataclass(frozen=True, slots=True)
class End:
    """A row or a column: a segment, an external, a multicast set, ``outside``, ``infrastructure`` or ``elsewhere``."""

    name: str
    kind: Literal["segment", "external", "multicast", "outside", "infrastructure", "elsewhere"]
    parts: Addresses


@dataclass(frozen=True, slots=True)
class Passing:
    """A service that passes in a cell. ``whole`` when every packet of it does, from each address to each."""

    service: str
    whole: bool
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """``never`` when the two ends share no family; else whether all, none or some packets of the question may pass.

    ``allowed`` and ``denied`` are a packet of each where there is one.
    """

    source: str
    target: str
    says: Says
    passing: tuple[Passing, ...]
    allowed: str = ""
    denied: str = ""


@dataclass(frozen=True, slots=True)
class Realm:
    """One realm's table. ``silent`` are ends that were left out, as nothing that was asked about passes from or to them."""

    name: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: dict[tuple[str, str], Cell]
    silent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """The tables of a site, for one service or for all; ``narrowed`` to the realms that have the rows and columns asked for."""

    site: str
    service: str
    realms: tuple[Realm, ...]
    narrowed: bool = False


def matrix(
    root: Path,
    site: str,
    today: date,
    service: str | None = None,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
) -> Matrix:
    """The tables of a site; ``service`` (a name or a literal such as tcp/22), ``rows`` and ``columns`` narrow the question.

    ``rows`` and ``columns`` are names of ends or labels as ``key=value``. Raises Refused for what the site does not have.
    """
    opened = open_site(root, site, today)
    asked = ANYTHING if service is None else service_of(opened, service)
    return matrix_of(opened, asked, _named(opened, rows, "--from"), _named(opened, columns, "--to"))


def matrix_of(
    site: Site, service: Service = ANYTHING, rows: frozenset[str] = NAMED, columns: frozenset[str] = NAMED
) -> Matrix:
    """The same for a site that is open; ``rows`` and ``columns`` are names of ends, or empty for every end."""
    found = (_realm(site, realm, service, rows, columns) for realm in site.policy.realms)
    return Matrix(site.name, service.name, tuple(realm for realm in found if realm), bool(rows or columns))


def _named(site: Site, words: Sequence[str], option: str) -> frozenset[str]:
    """The names of the ends that an operator wrote."""
    segments = site.inventory.segments
    labels = {f"{k}={v}": {s.name for s in segments if (k, v) in s.labels} for s in segments for k, v in s.labels}
    ends = {end.name for realm in site.policy.realms for end in ends_of(site.inventory, realm)}
    unknown = next((word for word in words if word not in ends and word not in labels), None)
    if unknown is not None:
        hint = (
            did_you_mean(unknown, ends | set(labels))
            or " Write a segment, an external, or a segment's KEY=VALUE label."
        )
        raise refuse("Unknown name", f'{option}: {site.name} has no row or column "{unknown}".{hint}')
    return frozenset(name for word in words for name in labels.get(word, {word}))


def ends_of(inventory: Inventory, realm: str) -> tuple[End, ...]:
    """The ends of a realm: disjoint, and together every address."""
    own = own_addresses(inventory)
    named: list[tuple[str, str, Sequence[IPNetwork]]] = []
    named += [(s.name, "segment", s.prefixes) for s in inventory.segments if s.realm == realm]
    named += [(e.name, "external", e.prefixes) for e in inventory.externals if e.realm == realm]
    named += [(m.name, "multicast", m.groups) for m in inventory.multicast if m.realm == realm]
    given = [(name, kind, addresses((realm, family_of(n), span_of(n)) for n in nets)) for name, kind, nets in named]
    given.append((OUTSIDE, "outside", select(inventory, selector("outside"), source=False)))
    whole = addresses((realm, family, (0, TOP[family])) for family in FAMILIES)
    taken: dict[Family, list[Span]] = {family: list(own.of(realm, family)) for family in FAMILIES}
    out = [End(OWN, "infrastructure", addresses((realm, f, s) for f in FAMILIES for s in own.of(realm, f)))]
    for name, kind, parts in (*given, (ELSEWHERE, "elsewhere", whole)):
        left = {family: subtract(parts.of(realm, family), taken[family]) for family in FAMILIES}
        for family in FAMILIES:
            taken[family] += left[family]
        out.append(End(name, kind, addresses((realm, f, span) for f in FAMILIES for span in left[f])))  # type: ignore[arg-type]
    return (*out[1:-1], out[0], out[-1])


def _realm(site: Site, realm: str, service: Service, rows: frozenset[str], columns: frozenset[str]) -> Realm | None:
    """The table of a realm; None where it has nobody of the rows or of the columns that are asked for."""
    ends = ends_of(site.inventory, realm)
    sources = [end for end in ends if not rows or end.name in rows]
    targets = [end for end in ends if not columns or end.name in columns]
    if not sources or not targets:
        return None
    teller = _Teller(site, realm, service)
    cells = {(a.name, b.name): teller.cell(a, b) for a in sources for b in targets}
    begin = {a for (a, _), cell in cells.items() if cell.passing}
    reached = {b for (_, b), cell in cells.items() if cell.passing}
    if rows or columns:
        shown_rows, shown_columns = rows or begin, columns or reached
    else:
        never_begin = {end.name for end in ends if end.kind == "multicast"} - begin
        shown_columns = begin | reached | {end.name for end in ends if end.kind in ("segment", "external", "multicast")}
        shown_rows = shown_columns - never_begin
    left = tuple(end.name for end in sources if end.name in shown_rows)
    top = tuple(end.name for end in targets if end.name in shown_columns)
    kept = {(a, b): cells[a, b] for a in left for b in top}
    asked = {end.name for end in (*sources, *targets)}
    silent = tuple(end.name for end in ends if end.name in asked - shown_rows - shown_columns)
    return Realm(realm, left, top, kept, silent)


_Pair = tuple[Family, Span, Span, tuple[Entry, ...]]
"""A family, a part of either end, and the entries that can meet the two."""


class _Teller:
    """What the policy of one realm says of a pair of ends."""

    def __init__(self, site: Site, realm: str, service: Service) -> None:
        self.realm, self.service = realm, service
        self.index = {family: site.index(realm, family) for family in FAMILIES}
        self.numbers: dict[tuple[Span, Family, int], tuple[frozenset[int], frozenset[int]]] = {}
        inventory = site.inventory
        lines = (*inventory.failsafe, *inventory.infrastructure, *inventory.policy)
        self.lines: dict[tuple[str, object], RuleLine] = {(line.name, line.place): line for line in lines}

    def cell(self, source: End, target: End) -> Cell:
        """The cell of one row and one column."""
        pairs = [*self._pairs(source, target)]
        found: dict[str, list[Rule]] = {}
        denied = allowed = ""
        for family, a, b, near in pairs:
            if not near and denied:
                continue
            for part, entry in (one for box in _common((self.service,), family, a, b) for one in split(near, box)):
                if entry is not None and entry.permit:
                    allowed = allowed or self._said(family, part)
                    for name in self._services(entry.rule, family, part):
                        known = found.setdefault(name, [])
                        if entry.rule not in known:
                            known.append(entry.rule)
                else:
                    denied = denied or self._said(family, part)
        passing = tuple(Passing(name, self._whole(name, rules, pairs), tuple(rules)) for name, rules in found.items())
        says: Says = "some" if passing and denied else "all" if passing else "none" if denied else "never"
        return Cell(source.name, target.name, says, passing, allowed, denied)

    def _pairs(self, source: End, target: End) -> Iterator[_Pair]:
        """Each two parts of the ends with the entries that can meet them; none at all when no permit is among them, as the
        default denies too."""
        for family in FAMILIES:
            rows = self.index[family].rows
            tos = [(b, *self._of(b, family, DST)) for b in target.parts.of(self.realm, family)]
            for a in source.parts.of(self.realm, family):
                from_here, permits_from = self._of(a, family, SRC)
                for b, to_there, permits_to in tos:
                    shut = permits_from.isdisjoint(permits_to)
                    yield family, a, b, () if shut else tuple(rows[n] for n in sorted(from_here & to_there))

    def _of(self, span: Span, family: Family, dimension: int) -> tuple[frozenset[int], frozenset[int]]:
        """The entries that can meet a part of an end, and the permits of them, by their place in the list."""
        key = span, family, dimension
        if key not in self.numbers:
            index = self.index[family]
            found = index.numbers(dimension, (span,))
            self.numbers[key] = found, frozenset([number for number in found if index.rows[number].permit])
        return self.numbers[key]

    def _said(self, family: Family, box: Box) -> str:
        return packet_text(packet_of(family, self.realm, box))

    def _services(self, rule: Rule, family: Family, part: Box) -> Iterator[str]:
        """The services of the rule, as it names them, that have packets in the part."""
        line = self.lines.get((rule.name, rule.place))
        if line is None:
            yield rule.name
            return
        for service in line.services:
            if any(_has(term, family, part) for term in service.terms):
                yield service.name

    def _whole(self, name: str, rules: Sequence[Rule], pairs: Sequence[_Pair]) -> bool:
        """Whether every packet of the service passes (within the question) between all addresses of the two ends."""
        line = self.lines.get((rules[0].name, rules[0].place))
        service = next((s for s in line.services if s.name == name), None) if line else None
        both = service or Service(name, rules[0].terms, None), self.service
        return all(
            entry is not None and entry.permit
            for family, a, b, near in pairs
            for box in _common(both, family, a, b)
            for _, entry in split(near, box)
        )


def _common(services: Sequence[Service], family: Family, source: Span, target: Span) -> list[Box]:
    """The packets between two spans that are of each of the services."""
    found: list[Box] | None = None
    for service in services:
        own = [box_of(term, source, target) for term in service.terms if term.family in (None, family)]
        found = own if found is None else [both for box in own for other in found if (both := meet(box, other))]
    return found or []


def _has(term: Term, family: Family, part: Box) -> bool:
    return term.family in (None, family) and meet(box_of(term, part[SRC], part[DST]), part) is not None
