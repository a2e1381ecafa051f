"""Rows of a host's filter table: verdict maps for each local address, statements for what has no connection."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from configlet.model.gate import Table
from configlet.model.net import Family, Span, merge
from configlet.model.policy import Entry, Rule
from configlet.render.filter_elements import Elements
from configlet.render.filter_maps import local_chains
from configlet.render.filter_order import keeps_order
from configlet.render.filter_parted import Parted
from configlet.render.filter_statements import Statement, statements
from configlet.render.filter_words import Ending, Local, Map, Stage, counted
from configlet.render.values import labels

_STRANGE = re.compile(r"[\W_]")
"""What cannot stand in the name of a chain."""


class RuleChain(NamedTuple):
    """The chain of a rule that logs, which no element of a map can do: it logs, counts and decides."""

    name: str
    comment: str
    prefix: str
    verdict: str


class Side(NamedTuple):
    """One family's dispatch from local addresses to their chains, for packets towards them or from them."""

    word: str
    end: str
    map: Map


def values(owner: str, operands: Mapping[str, Any], tables: Sequence[Table]) -> dict[str, object]:
    """What the template of a filter table is given. Raises Refused for a row that no table can hold."""
    chains = _Rules(operands)
    ordered = sorted(tables, key=lambda t: (t.family, t.realm))
    families: list[Family] = [4, 6]
    locals_: list[Local] = []
    dispatch: list[Side] = []
    loose: dict[str, list[Statement]] = {"infrastructure": [], "stray_icmp": []}
    for family in families:
        parted = _parted(family, [table for table in ordered if table.family == family])
        found, placed = list[Local](), list[Stage]()
        if parted.towards or parted.origin:
            found, placed = local_chains(operands, family, parted, Elements(family, operands["text"], chains.ending))
        for chain, items in statements(operands, family, parted, chains.ending).items():
            loose[chain] += items
        keeps_order(parted.plain, placed)
        locals_ += found
        dispatch += _dispatch(operands, family, found)
    return {
        "owner": owner,
        **{key: operands[key] for key in ("table", "priority", "hooks", "group")},
        "icmp_protocols": ", ".join(str(n) for n in sorted(operands["icmp"].values())),
        "sides": dispatch,
        "locals": locals_,
        "maps": [m for item in locals_ for m in item.maps],
        "infrastructure": loose["infrastructure"],
        "stray_icmp": loose["stray_icmp"],
        "rules": chains.chains,
    }


class _Rules:
    """How each rule ends; the chains of those that log, in the order of their first use. Equal rules share one."""

    def __init__(self, operands: Mapping[str, Any]) -> None:
        self.operands = operands
        self.label = labels(operands["text"])
        self.known: dict[tuple[str, bool, bool], Ending] = {}
        self.chains: list[RuleChain] = []
        self.taken: set[str] = set()

    def ending(self, rule: Rule, permit: bool) -> Ending:
        """How a rule ends."""
        key = rule.name, permit, rule.log
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self._made(rule, permit)
        return found

    def _made(self, rule: Rule, permit: bool) -> Ending:
        comment = self.label(rule.name)
        if not rule.log:
            return counted(comment, permit)
        made = _chain(comment, permit, self.operands["prefix"])
        base, number = made.name, 2
        while made.name in self.taken:
            made, number = made._replace(name=f"{base}_{number}"), number + 1
        self.taken.add(made.name)
        self.chains.append(made)
        return Ending("", f"goto {made.name}")


@lru_cache(maxsize=4096)
def _chain(comment: str, permit: bool, prefix: str) -> RuleChain:
    """A rule's chain; the tables of a segment's hosts have most of theirs in common."""
    name = f"{'allow' if permit else 'deny'}_{_STRANGE.sub('_', comment.lower())[:60]}"
    return RuleChain(name, comment, prefix.format(rule=comment), "accept" if permit else "drop")


KNOWN = 64
_PLAIN: dict[tuple[int, ...], tuple[list[Sequence[Entry]], Parted]] = {}
"""A few lists without a local end, which hosts without an address of a family have in common: by their identity, and held."""


def _parted(family: Family, tables: Sequence[Table]) -> Parted:
    """The rows of a family by where they are looked up. Raises Refused for one that no table can hold."""
    rows, spans = [table.rows for table in tables], [_spans(table, family) for table in tables]
    key = tuple(map(id, rows))
    known = None if any(spans) else _PLAIN.get(key)
    if known:
        return known[1]
    parted = Parted()
    for of, own in zip(rows, spans, strict=True):
        parted.take(of, own)
    if not any(spans):
        if len(_PLAIN) >= KNOWN:
            _PLAIN.clear()
        _PLAIN[key] = rows, parted
    return parted


def _spans(table: Table, family: Family) -> tuple[Span, ...]:
    return merge(span for f, span in table.gate.locals if f == family)


def _dispatch(operands: Mapping[str, Any], family: Family, found: Sequence[Local]) -> Iterator[Side]:
    word, key = operands["address"][family], operands["key"][family]
    for direction, end in (("in", "daddr"), ("out", "saddr")):
        elements = tuple(e for item in found if item.direction == direction for e in item.dispatch)
        if elements:
            yield Side(word, end, Map(f"{direction}{family}", key, elements))
