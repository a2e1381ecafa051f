"""The chains of a running Linux router or host, each where it judges, as a list of its own for every interface that it asks
for.

Chains that it jumps to stand in its place. Where a rule asks for the state of a connection the list is *stateful*: its lines
decide a connection's first packet (of TCP one with SYN alone), and others packets of connections that are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import product
from typing import Any

from configlet.model.block import Block, Sets, listed
from configlet.model.gate import Line
from configlet.model.net import Family, Spans
from configlet.model.problem import Place, Refused
from configlet.model.running import Found, Running, Unknown, Unread
from configlet.packets.sets import inside, meet, minus
from configlet.readers.called import Called
from configlet.readers.chain_rules import Rule, Statements, View, addresses_of
from configlet.readers.chain_texts import Chain, Rulesets, Table, restored
from configlet.readers.clauses import BIT, PORTS
from configlet.readers.conditions import ANY
from configlet.readers.grammar import Source
from configlet.readers.names import Names
from configlet.readers.spans import Unreadable, joined

MOST_LINES, MOST_VIEWS, MOST_PIECES = 20000, 64, 2000
OTHERS, OTHER = "others", "\0"
"""A name that no interface has: all interfaces that no rule asks for."""


class RunningChains:
    """The part of a grammar that speaks of whole configurations (``running``), compiled."""

    def __init__(self, grammar: Mapping[str, Any]) -> None:
        self.said = grammar["running"]
        self.words = Statements(grammar, Names({**grammar, **self.said.get("names_of", {})}))
        self.called = Called(grammar)

    def read(self, text: str, file: str) -> Running:
        """Every chain that judges, by the interfaces that it asks for. Raises Refused for what is no such text at all."""
        total = sum(1 for line in text.splitlines() if line.strip())
        if self.said["form"] == "restore":
            tables, read = restored(text, file, self.said)
        else:
            ruleset = Rulesets(text.replace("\r\n", "\n"), file, self.said)
            tables, read = ruleset.parse(), ruleset.read
        found: list[Found] = []
        wrong: dict[str, Unread] = {}
        every = (line for table in tables for chain in table.chains.values() for line in chain.statements)
        untracked = next((line for line in every if self.words.untracked.search(line.text)), None)
        for table in tables:
            table.untracked = untracked
            for name, chain in table.chains.items():
                if chain.hook:
                    self._chain(table, name, chain, found, wrong)
        groups = {key: name for table in tables for key, name in self._groups(table)}
        return Running(tuple(found), tuple(wrong.values()), read, total, groups)

    def _groups(self, table: Table) -> Iterator[tuple[tuple[Family, Spans], str]]:
        """What sets of addresses are called."""
        families: tuple[Family, ...] = (4, 6)
        for name, members in table.sets.items():
            for family in families:
                with suppress(Unreadable):
                    yield (family, joined(addresses_of(one, family) for one in members or ("",))), name

    def _chain(self, table: Table, name: str, chain: Chain, found: list[Found], wrong: dict[str, Unread]) -> None:
        called = f"{table.name} {name}".strip()
        if " " in chain.hook:
            return
        try:
            if chain.hook not in self.said["hooks"]:
                chain.header.refuse(f"What comes to the hook {chain.hook} is not modelled")
            if table.strange:
                table.strange.refuse("Because of this line nothing of the table is understood")
            views = list(_Views(self.words, table, name, self.said["hooks"][chain.hook]).all())
        except Refused as refused:
            wrong.setdefault(called, Unread(called, refused.problems[0]))
            return
        read: list[Found] = []
        for label, view, bound in views:
            full = f"{called} {label}".strip()
            try:
                where = tuple((self.called.interface(said), way) for said, way in bound)
                read.append(_List(self.words, table, view).found(full, name, chain, where))
            except Refused as refused:
                wrong.setdefault(full, Unread(full, refused.problems[0]))
        found += (one for one in _alike(read, f"{called} {OTHERS}") if not _aside(table, chain, one))


def _aside(table: Table, chain: Chain, found: Found) -> bool:
    """Whether a chain beside the filter (mangle, raw) passes everything, as most do."""
    return table.name in ("mangle", "raw", "security") and chain.accepts is not False and all(line.permit for line in found.lines)


def _alike(read: Sequence[Found], others: str) -> Iterator[Found]:
    """The lists without those that say for an interface what the one for all others says, too."""
    general = {one.family: one for one in read if one.name == others}
    for one in read:
        same = general.get(one.family, one)
        if one is same or (one.lines, one.later) != (same.lines, same.later):
            yield one


class _Views:
    """From where a chain is looked at: for each family and each interface that its rules ask for, and for all others."""

    def __init__(self, words: Statements, table: Table, name: str, sides: Sequence[str]) -> None:
        self.words, self.table, self.sides = words, table, sides
        self.rules = list(self._reached(name, (name,)))

    def all(self) -> Iterator[tuple[str, View, tuple[tuple[str, str], ...]]]:
        """Views with what they are called and where they are bound. Raises Refused when they are too many."""
        inside, outside = self._names("in"), self._names("out")
        if len(inside) * len(outside) > MOST_VIEWS:
            self.rules[0].line.refuse("So many interfaces are asked for that not every pair of them can be looked at")
        for family in self.table.families:
            for one, other in product(inside, outside):
                view = View(family, one, other)
                tracked = any(a.field == "state" for rule in self.rules if self._meets(rule, view) for a in rule.asked)
                bound = [(said, way) for said, way in ((one, "in"), (other, "out")) if said and said != OTHER]
                yield _label(one, other), View(family, one, other, "NEW" if tracked else ""), tuple(bound)

    def _meets(self, rule: Rule, view: View) -> bool:
        return self.words.meets(rule, view, self.table.members)

    def _names(self, side: str) -> list[str]:
        """The interfaces that are asked for at one side, one for each wildcard, and one for all others."""
        known = self.table.members
        values = {said for rule in self.rules for one in rule.asked for said in self.words.interfaces(rule, side, one, known)}
        if not values or side not in self.sides:
            return [""]
        wild = self.words.wild
        named = sorted(said[:-1] + OTHER if said.endswith(wild) else said for said in values)
        return [*named, *([] if OTHER in named else [OTHER])]

    def _reached(self, name: str, way: tuple[str, ...]) -> Iterator[Rule]:
        chain = self.table.chains[name]
        for line in chain.statements:
            for rule in self.table.rules(line, self.words):
                yield rule
                if rule.verdict in ("jump", "goto") and rule.target in self.table.chains:
                    if rule.target in way:
                        line.refuse("This chain comes to itself again")
                    if len(way) < 16:
                        yield from self._reached(rule.target, (*way, rule.target))


def _label(inside: str, outside: str) -> str:
    """What a view is called: ``eth0``, ``eth0>eth1``, and ``others`` for the interfaces that no rule asks for."""
    names = [said[:-1] + "*" if said.endswith(OTHER) and said != OTHER else said for said in (inside, outside)]
    if set(names) <= {OTHER, ""}:
        return OTHERS if OTHER in names else ""
    said = [OTHERS if name == OTHER else name for name in names]
    return f"{said[0]}>{said[1]}" if said[1] else said[0]


class _List:
    """One chain from one point of view, in first-match order."""

    def __init__(self, words: Statements, table: Table, view: View) -> None:
        self.words, self.table, self.view = words, table, view
        self.lines: list[tuple[bool, Sets, Source, str]] = []
        self.closed = False
        self.unsure = 0

    def found(self, called: str, name: str, chain: Chain, bound: tuple[tuple[str, str], ...]) -> Found:
        """The list. Raises Refused at a rule that cannot be meant."""
        view = self.view
        if view.state and self.table.untracked:
            self.table.untracked.refuse("Packets that are not tracked have no state, and a chain asks for states")
        lines = self._made(self._run(name, chain, view))
        later: Sequence[Line] = ()
        if view.state:
            later = self._made(self._run(name, chain, View(view.family, view.inside, view.outside, "ESTABLISHED")))
        unknown = []
        if self.unsure:
            every = ANY[view.family]
            why = "How a rule with ports, types or flags treats later fragments is not known of this platform"
            box = ((0, 255), every, every, PORTS, PORTS, BIT, (1, 1))
            unknown.append(Unknown(box, why, Place(chain.header.file, self.unsure)))
        family: Family = 4 if view.family == 4 else 6
        place = Place(chain.header.file, chain.header.number, chain.header.column)
        return Found(called, family, place, lines, bound, tuple(unknown), later)

    def _made(self, lines: Iterable[tuple[bool, Sets, Source, str]]) -> Sequence[Line]:
        return listed(Block(sets, Line(permit, (), line.number, line.text, label)) for permit, sets, line, label in lines)

    def _run(self, name: str, chain: Chain, view: View) -> list[tuple[bool, Sets, Source, str]]:
        self.view, self.lines, self.closed = view, [], False
        self._chain(name, [view.full], chain)
        self._rest(chain, view.full, chain.header, "")
        return self.lines

    def _rest(self, base: Chain, sets: Sets, line: Source, label: str) -> None:
        """What no rule decides, by the policy of the chain where it judges. Raises Refused where nothing says it."""
        if base.accepts is None and not self.closed:
            base.header.refuse("Nothing says what becomes of a packet that no rule of this chain decides: its policy is missing")
        self._put(bool(base.accepts), sets, line, label)

    def _chain(self, name: str, regions: list[Sets], base: Chain) -> None:
        """The rules of a chain over the packets that come to it."""
        chain = self.table.chains[name]
        for line in chain.statements:
            for rule in self.table.rules(line, self.words):
                if self.closed or not regions:
                    return
                asked = self.words.sets(rule, self.view, self.table.members)
                pieces = [piece for one in asked for region in regions if (piece := meet(one, region))]
                if len(pieces) > MOST_PIECES or len(self.lines) > MOST_LINES:
                    line.refuse("What this chain returns is cut into too many pieces")
                regions = self._rule(rule, pieces, regions, base, chain) if pieces else regions

    def _rule(self, rule: Rule, pieces: list[Sets], regions: list[Sets], base: Chain, chain: Chain) -> list[Sets]:
        """What a rule does to packets; those of the chain that still go on."""
        if not self.view.state and not self.unsure and not self._sure(pieces, regions):
            self.unsure = rule.line.number
        if rule.verdict in ("permit", "deny"):
            for piece in pieces:
                self._put(rule.verdict == "permit", piece, rule.line, rule.label)
        if rule.verdict in ("jump", "goto"):
            if rule.target not in self.table.chains:
                rule.line.refuse(f"{rule.target} is no chain of the table, and what it does is not known")
            self._chain(rule.target, pieces, base)
        if not rule.verdict:
            rule.line.refuse("This decides nothing that is known")
        if rule.verdict == "return" and chain is base:
            for piece in pieces:
                self._rest(base, piece, rule.line, rule.label)
        elif rule.verdict in ("return", "goto"):
            return [rest for region in regions for rest in _without(region, pieces)]
        return regions

    def _put(self, permit: bool, sets: Sets, line: Source, label: str) -> None:
        if self.closed:
            return
        self.lines.append((permit, sets, line, label))
        self.closed = inside(self.view.full, sets)

    def _sure(self, pieces: list[Sets], regions: list[Sets]) -> bool:
        """Whether no later fragments of what a rule asks for come to it that lines before have not decided; in doubt not.

        Which packets a rule with ports, types or flags returns or hands on is as much in question as what it lets pass.
        """
        upper = dict.fromkeys((*piece[:3], (PORTS,), (PORTS,), (BIT,), ((1, 1),)) for piece in pieces if piece[6] == ((0, 0),))
        rest: list[Sets] = [both for later in upper for region in regions if (both := meet(later, region))]
        for _, one, _, _ in self.lines:
            if not rest or len(rest) > MOST_PIECES:
                break
            if one[6][-1][1] == 1:
                rest = [piece for left in rest for piece in minus(left, one)]
        return not rest


def _without(region: Sets, pieces: Sequence[Sets]) -> list[Sets]:
    rest = [region]
    for piece in pieces:
        rest = [part for one in rest for part in minus(one, piece)]
    return rest
