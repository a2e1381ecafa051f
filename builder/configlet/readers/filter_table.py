"""A host's filter table: hooks, chains and verdict maps, evaluated into first-match lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import chain
from typing import Any, Generic, TypeVar

from configlet.model.gate import Line, Reading, Texts
from configlet.model.lines import Lines
from configlet.model.problem import Refused
from configlet.model.running import Running
from configlet.readers.again import Again, Said, Spans
from configlet.readers.asked import Key, Sheet, Taken
from configlet.readers.columns import Columns, Hole, Rules, Unfit, apart
from configlet.readers.elements import Elements, body_of
from configlet.readers.filter_values import Element, Hook, Table, VerdictMap, end_of
from configlet.readers.frames import Framed, Frames
from configlet.readers.patterns import said_of
from configlet.readers.phases import lists
from configlet.readers.statements import Statements
from configlet.readers.thin import MARK, Thin, Thinner
from configlet.readers.tree import Body, Cut, Stanza, braced, cut, emptied, with_bodies
from configlet.readers.whole import whole

T = TypeVar("T")
_NAME = re.compile(r"(map|chain) ([A-Za-z][A-Za-z0-9_]*) \{")
_LEADING = " : jump"
"""What a list says of which the walk looks at each element."""
_LINES = 8192
"""Lines of the lists of texts before that are remembered; hosts of one segment have most of their lists in common."""


class FilterTableReader:
    """A compiled grammar of filter tables."""

    def __init__(self, grammar: Mapping[str, Any]) -> None:
        self.grammar = grammar
        self.statements, self.elements = Statements(grammar), Elements(grammar)
        self.hook = re.compile(grammar["hook"])
        self.policy = re.compile(grammar["policy"])
        self.key = re.compile(grammar["map"]["type"])
        self.sheet, self.taken = Sheet.of(grammar), Taken()
        self.frames, self.again = Frames(grammar), (Again(), Again())
        self.thinner = Thinner(grammar, self._decides)
        self.bodies: dict[tuple[tuple[str, ...], bool, str], Columns] = {}
        self.beside: dict[tuple[tuple[str, ...], bool, str], tuple[str, Columns]] = {}
        """One of these lists by its last line: lists that end alike most often differ in few lines."""
        self.held = 0

    def read(self, text: str, file: str) -> Reading:
        """The lists of each hook and family. Raises Refused for what is not known."""
        return self.at_once(text, file) or self.by_lines(text, file)

    def at_once(self, text: str, file: str) -> Reading | None:
        """The same, each long list as a whole; None where one is written otherwise than such lists mostly are, or is wrong."""
        found = cut(text, _LEADING)
        try:
            return found and (self._as_before(found, text, file) or self._walked(found, file))
        except (Unfit, Refused):
            return None  # read line by line it is refused at its place

    def by_lines(self, text: str, file: str) -> Reading:
        """The same, and no list is taken as a whole."""
        return self._reading(*braced(text, file))

    def _walked(self, found: Cut, file: str) -> Reading | None:
        stanzas = with_bodies(found, file)
        return stanzas and self._reading(*stanzas)

    def _reading(self, stanzas: list[Stanza], total: int) -> Reading:
        table = self._only(stanzas)
        if table is None:
            return Reading({}, total, total, True)
        return Reading(self._lines(table), total, total, True, cache(partial(_texts, table, self.grammar)))

    def _lines(self, table: Table) -> dict[Key, tuple[Line, ...]]:
        runs = lists(table, self.sheet, self.taken)
        lines = {id(one): tuple(chain.from_iterable(one)) for one in runs.values()}
        return {key: lines[id(one)] for key, one in runs.items()}

    def _as_before(self, found: Cut, text: str, file: str) -> Reading | None:
        """The reading of a text by what is said for all of its pattern; it is parsed and walked itself when somebody asks for
        lines."""
        thin = self.thinner.of(found.frame)
        return (thin and self._by_pattern(found, thin, text, file)) or self._by_pattern(found, None, text, file)

    def _by_pattern(self, found: Cut, thin: Thin | None, text: str, file: str) -> Reading | None:
        """The same with what is left of the frame, if that is told."""
        framed = self.frames.of(thin.frame if thin else found.frame)
        if not framed or (thin and not thin.ends.keys().isdisjoint(framed.words)):
            return None
        known = self.again[thin is not None].of(framed, partial(self._said, found, thin, file, framed))
        if not known:
            return None
        said, spans = known
        if len(said.lists) != len(found.lists) or said.rules != (len(thin.lists) if thin else 0):
            return None  # a text that looks up a list of its own where others have one of ours
        columns = [self._known(*kinds, listed) for kinds, listed in zip(said.lists, found.lists, strict=True)]
        total = said.total + sum(map(len, columns))
        if thin:
            columns += [rules for _, rules in thin.lists]
            total += thin.total + sum(len(rules) for _, rules in thin.lists)
        made = said.parts(framed.words, spans, columns, thin.ends if thin else {})
        if made is None:
            return None
        table = _Once(partial(self._parsed, text, file))
        lines = _Once(lambda: self._lines(table()))
        of = {n: Lines(made[n][0], partial(_list, lines, key), made[n][1]) for key, n in said.judges.items()}
        by_key = {key: of[number] for key, number in said.judges.items()}
        return Reading(by_key, total, total, True, _Once(lambda: _texts(table(), self.grammar)))

    def _known(self, kinds: tuple[str, ...], counting: bool, listed: str) -> Columns:
        """The elements of a long list, no two of which share a key; where they stand is not said. Raises Refused."""
        key = kinds, counting, listed
        found = self.bodies.get(key)
        if found is None:
            last = kinds, counting, listed[listed.rfind("\n") + 1 :]
            found = self.elements.listed(kinds, Body(0, listed), "", counting=counting, like=self.beside.get(last))
            _disjoint(found)
            if len(found) > _LINES:
                return found
            if self.held + len(found) > _LINES:
                self.bodies.clear()
                self.beside.clear()
                self.held = 0
            self.bodies[key] = found
            self.beside[last] = listed, found
            self.held += len(found)
        return found

    def _parsed(self, text: str, file: str) -> Table:
        found = cut(text, _LEADING)
        stanzas, _ = (found and with_bodies(found, file)) or braced(text, file)
        table = self._only(stanzas)
        assert table is not None
        return table

    def _said(self, found: Cut, thin: Thin | None, file: str, framed: Framed, spans: Spans) -> Said | None:
        left = emptied(thin.frame if thin else found.frame)  # nobody looks at a long list of a pattern
        many = len(found.lists)
        stanzas = len(left.lists) == many and with_bodies(left, file)
        ours = [_looked_up(number, kinds) for number, (kinds, _) in enumerate(thin.lists)] if thin else []
        table = stanzas and self._only(stanzas[0], Table(dict(ours), pattern=True))
        if not (stanzas and table):
            return None
        total = stanzas[1] - many
        walk = partial(lists, sheet=self.sheet, taken=self.taken)
        return said_of(table, total, framed, spans, walk)

    def _decides(self, shape: str) -> tuple[bool, int] | None:
        """Whether a chain of these lines does no more than to decide, and how; and its lines."""
        try:
            stanzas, total = braced(f"{self.grammar['table']} {{\n\tchain {MARK} {{\n{shape}\t}}\n}}\n", "")
            table = self._only(stanzas)
        except Refused:
            return None
        end = table and not table.hooks and table.ends.get(MARK)
        return (end.permit, total - 2) if end else None

    def _only(self, stanzas: Sequence[Stanza], empty: Table | None = None) -> Table | None:
        """The one table of a text, put into an empty one. Raises Refused for anything else in it."""
        table: Table | None = None
        for stanza in stanzas:
            if stanza.header.text == self.grammar["table"] + " {":
                if table is not None:
                    stanza.header.refuse("This table stands twice in the text")
                table = self._table(stanza, empty or Table())
            elif stanza.inner or stanza.lines or stanza.header.text not in self.grammar["preamble"] or table:
                stanza.header.refuse("This is not our table")
        return table

    def running(self, text: str, file: str) -> Running:
        """What a whole configuration says: each chain that judges, for itself."""
        from configlet.readers.chains_running import RunningChains

        return (
            RunningChains(self.grammar).read(text, file) if "running" in self.grammar else whole(self.read, text, file)
        )

    def _table(self, stanza: Stanza, table: Table) -> Table:
        for line in stanza.lines:
            line.refuse("This stands in no map and no chain")
        for inner in stanza.inner:
            found = _NAME.fullmatch(inner.header.text)
            if found is None:
                inner.header.refuse("This is neither a map nor a chain")
            name, known = found[2], table.maps if found[1] == "map" else table.chains
            if name in known:
                inner.header.refuse("This name stands twice in the table")
            if found[1] == "map":
                table.maps[name] = self._map(inner, pattern=table.pattern)
                inner.inner.clear()  # a long list of elements is held twice else
            else:
                self._chain(table, name, inner)
        for name, rules in table.chains.items():
            for rule in rules if name not in table.ends else ():
                self.statements.resolve(rule, table)
        ends = table.chains.keys() - table.hooks.keys()
        for made in table.maps.values():
            leading = made.elements
            if isinstance(leading, Columns | Hole) and leading.targets <= ends:
                continue
            for element in leading:
                if element.end is None and element.target not in ends:
                    self.statements.known_chain(element.target, element.source, table)
        return table

    def _map(self, stanza: Stanza, *, pattern: bool) -> VerdictMap:
        kinds: tuple[str, ...] = ()
        said = self.grammar["map"]
        counting = False
        for line in stanza.lines:
            if found := self.key.fullmatch(line.text):
                names = found["key"].split(" . ")
                unknown = [name for name in names if name not in self.grammar["key_types"]]
                if unknown or kinds:
                    line.refuse("This type of key is not known here")
                kinds = tuple(names)
            elif line.text == said["counter"] and not counting:
                counting = True
            elif line.text != said["flags"]:
                line.refuse("This property of a map is not known")
        if not kinds or len(stanza.inner) > 1:
            stanza.header.refuse("A map has one type and one list of elements")
        elements: Sequence[Element] = ()
        for inner in stanza.inner:
            if pattern and inner.body:
                elements = Hole(body_of(inner).number)
            else:
                elements = self.elements.all(kinds, inner, counting=counting)
            if not elements:
                inner.header.refuse("This list of elements is empty")
        _disjoint(elements)
        return VerdictMap(kinds, elements, counting)

    def _chain(self, table: Table, name: str, stanza: Stanza) -> None:
        lines = stanza.lines
        if len(lines) == 1 and not stanza.inner and (rule := self.statements.counted(lines[0])):
            table.chains[name], table.ends[name] = [rule], end_of(rule)
            return
        if lines and (found := self.hook.fullmatch(lines[0].text)):
            policy = self.policy.fullmatch(lines[1].text) if len(lines) > 1 else None
            if policy is None:
                lines[0].refuse("What the chain does in the end is not said")
            if found["hook"] in (hook.name for hook in table.hooks.values()):
                lines[0].refuse("Another chain of this table is at this hook")
            table.hooks[name] = Hook(found["hook"], policy["policy"] == "accept", lines[0])
            lines = lines[2:]
        for inner in stanza.inner:
            inner.header.refuse("This stands in no rule")
        table.put(name, [self.statements.rule(line) for line in lines])


def _looked_up(number: int, kinds: tuple[str, ...]) -> tuple[str, VerdictMap]:
    """A list of rules of which a frame has only a lookup, by the name there."""
    return f"{MARK}{number}", VerdictMap(kinds, Rules(number))


def _disjoint(elements: Sequence[Element]) -> None:
    """Refuse elements that share a key: the kernel does not load them. Looked for along the part that tells most apart."""
    if not elements or isinstance(elements, Hole) or (isinstance(elements, Columns) and apart(elements)):
        return
    axes = zip(*(element.spans for element in elements), strict=True)
    along = max((len(set(spans)), number) for number, spans in enumerate(axes))[1]
    active: list[Element] = []
    for element in sorted(elements, key=lambda e: e.spans[along]):
        low = element.spans[along][0]
        active = [other for other in active if other.spans[along][1] >= low]
        for other in active:
            if all(a[0] <= b[1] and b[0] <= a[1] for a, b in zip(element.spans, other.spans, strict=True)):
                element.source.refuse("This element shares keys with another one of its map")
        active.append(element)


class _Once(Generic[T]):
    """What is made when somebody asks, and once."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], T]) -> None:
        self._make: Callable[[], T] | None = make

    def __call__(self) -> T:
        if self._make is not None:
            self._made = self._make()
            self._make = None
        return self._made


def _list(lines: Callable[[], Mapping[Key, Sequence[Line]]], key: Key) -> Sequence[Line]:
    return lines()[key]


def _texts(table: Table, grammar: Mapping[str, Any]) -> Texts:
    return Texts("\n".join(_canonical(table, grammar)) + "\n")


def _canonical(table: Table, grammar: Mapping[str, Any]) -> Iterator[str]:
    yield f"{grammar['table']} {{"
    for name, made in sorted(table.maps.items()):
        yield f"\tmap {name} {{"
        yield f"\t\ttype {' . '.join(made.kinds)} : verdict"
        yield "\t\tflags interval"
        if made.counting:
            yield "\t\tcounter"
        if made.elements:
            elements = sorted(made.elements, key=lambda e: e.spans)
            yield "\t\telements = { " + ",\n\t\t\t".join(e.text(made.kinds) for e in elements) + " }"
        yield "\t}"
    for name, rules in sorted(table.chains.items()):
        yield f"\tchain {name} {{"
        if name in table.hooks:
            hook = table.hooks[name]
            yield f"\t\ttype filter hook {hook.name} priority -10; policy {'accept' if hook.accept else 'drop'};"
        yield from (f"\t\t{rule.text}" for rule in rules)
        yield "\t}"
    yield "}"
