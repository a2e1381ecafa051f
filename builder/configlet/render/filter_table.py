"""Rows of a host's filter table: verdict maps for each local address, statements for what has no connection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

from configlet.model.block import sets_of
from configlet.model.gate import Table
from configlet.model.net import Family, Span, merge, overlap
from configlet.model.policy import ANY_BIT, DST, SRC, Entry
from configlet.model.problem import Refused, refuse
from configlet.packets.near import Near
from configlet.render.filter_maps import OUT, Ending, Local, Map, local_chains
from configlet.render.filter_statements import Statement, is_plain, statements
from configlet.render.values import label

_STRANGE = re.compile(r"[\W_]")
"""What cannot stand in the name of a chain."""


class RuleChain(NamedTuple):
    """The chain of a rule that logs, which no element of a map can do: it logs, counts and decides."""

    name: str
    comment: str
    prefix: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Side:
    """One family's dispatch from local addresses to their chains, for packets towards them or from them."""

    word: str
    end: str
    map: Map


class Placed(NamedTuple):
    """A row in the order in which the text will judge it."""

    stage: int
    entry: Entry


def values(owner: str, operands: Mapping[str, Any], tables: Sequence[Table]) -> dict[str, object]:
    """What the template of a filter table is given. Raises Refused for a row that no table can hold."""
    chains = _Rules(operands)
    ordered = sorted(tables, key=lambda t: (t.family, t.realm))
    families: list[Family] = [4, 6]
    locals_: list[Local] = []
    sides: list[Side] = []
    loose: dict[str, list[Statement]] = {"infrastructure": [], "stray_icmp": []}
    for family in families:
        rows = [
            (e, spans) for t in ordered if t.family == family for spans in [_spans(t, family)] for e in _rows(t)
        ]
        found, placed = local_chains(operands, family, rows, chains.ending)
        plain = [entry for entry, spans in rows if is_plain(entry, spans)]
        for chain, items in statements(operands, family, [e for e, _ in rows], plain, chains.ending).items():
            loose[chain] += items
        if not all(entry.permit for entry, _ in rows):
            _keeps_order([e for e, _ in rows], [Placed(-1, e) for e in plain] + [Placed(s, e) for s, e in placed])
        locals_ += found
        sides += _sides(operands, family, found)
    return {
        "owner": owner,
        **{key: operands[key] for key in ("table", "priority", "hooks", "group")},
        "icmp_protocols": ", ".join(str(n) for n in sorted(operands["icmp"].values())),
        "sides": sides,
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
        self.known: dict[tuple[str, bool, bool], Ending] = {}
        self.chains: list[RuleChain] = []
        self.taken: set[str] = set()

    def ending(self, entry: Entry) -> Ending:
        key = (entry.rule.name, entry.permit, entry.log)
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self._made(entry)
        return found

    def _made(self, entry: Entry) -> Ending:
        comment = label(entry.rule.name, self.operands["text"])
        verdict = "accept" if entry.permit else "drop"
        if not entry.log:
            return Ending(f'comment "{comment}" ', verdict, f'counter {verdict} comment "{comment}"')
        name = base = f"{'allow' if entry.permit else 'deny'}_{_slug(comment)}"
        number = 2
        while name in self.taken:
            name, number = f"{base}_{number}", number + 1
        self.taken.add(name)
        self.chains.append(RuleChain(name, comment, self.operands["prefix"].format(rule=comment), verdict))
        return Ending("", f"goto {name}", f"goto {name}")


@lru_cache(maxsize=4096)
def _slug(comment: str) -> str:
    """A comment as part of a name; the tables of a segment's hosts have most of theirs in common."""
    return _STRANGE.sub("_", comment.lower())[:60]


def _rows(table: Table) -> Iterator[Entry]:
    """The rows for whole packets; what they say of fragments must be the deny that stands first in the text."""
    for entry in table.rows:
        if entry.box[5] != ANY_BIT:
            raise _cannot(entry, "a table that remembers connections does not ask for TCP flags")
        if entry.box[6][1] and entry.permit:
            raise _cannot(entry, "fragments are judged whole, after they are put together")
        if entry.box[6][0] == 0:
            yield entry if entry.box[6] == (0, 0) else replace(entry, box=(*entry.box[:6], (0, 0)))


def _spans(table: Table, family: Family) -> tuple[Span, ...]:
    return merge(span for f, span in table.gate.locals if f == family)


def _sides(operands: Mapping[str, Any], family: Family, found: Sequence[Local]) -> Iterator[Side]:
    word, key = operands["address"][family], operands["key"][family]
    for direction, end in (("in", "daddr"), ("out", "saddr")):
        elements = tuple(e for item in found if item.direction == direction for e in item.dispatch)
        if elements:
            yield Side(word, end, Map(f"{direction}{family}", key, elements))


def _keeps_order(rows: Iterable[Entry], placed: Sequence[Placed]) -> None:
    """Refuse when the text would judge a later row before an earlier one that says otherwise.

    Within one direction the maps keep the order; what is left are rows of different ones.
    """
    order = {id(entry): index for index, entry in enumerate(rows)}
    permits: dict[int, list[Placed]] = {}
    for one in (p for p in placed if p.entry.permit):
        permits.setdefault(one.stage // OUT, []).append(one)
    near = {direction: _Permits([p.entry for p in found]) for direction, found in permits.items()}
    for deny in (p for p in placed if not p.entry.permit):
        for direction in (d for d in permits if d != deny.stage // OUT):
            for other in (permits[direction][number] for number in near[direction].meeting(deny.entry)):
                first, second = sorted((deny, other), key=lambda p: order[id(p.entry)])
                if first.stage > second.stage:
                    raise _cannot(first.entry, f'the rule "{second.entry.rule.name}" after it would be looked up first')


class _Permits:
    """The permits of one direction, and all the addresses that they speak of: most denies speak of none of them."""

    __slots__ = ("destinations", "near", "sources")

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.destinations, self.sources = (merge({e.box[level] for e in entries}) for level in (DST, SRC))
        self.near = Near([sets_of(entry) for entry in entries])

    def meeting(self, deny: Entry) -> Iterable[int]:
        """The numbers of those that share a packet with a deny."""
        if overlap((deny.box[DST],), self.destinations) and overlap((deny.box[SRC],), self.sources):
            return self.near.meeting(sets_of(deny))
        return ()


def _cannot(entry: Entry, why: str) -> Refused:
    detail = f'The rule "{entry.rule.name}" gives a row that the table cannot hold: {why}. Nothing was rendered.'
    return refuse("Row that cannot be written", detail, entry.rule.place)
