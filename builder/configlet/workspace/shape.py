"""How an item looks: its text with holes, as a regular expression, and the JSON that it becomes.

What may stand in a hole is an allow-list: text of the same kind (a word, a number, text in quotes) that YAML cannot read
as anything else where the hole is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from typing import Any, NamedTuple, TypeVar

from configlet.model.problem import Place
from configlet.workspace import evident
from configlet.workspace.blanks import form_of
from configlet.workspace.evident import KEY, NO_WORD, QUOTED
from configlet.workspace.placed import canonical, only_section, section_of
from configlet.workspace.schema import WORDS
from configlet.workspace.strict import Node, read, resolve

GAP = r"(?: *(?:#[^\n]*)?\n)*"
"""Blank lines and lines that are only a comment."""
_AROUND = 9
"""Events around a single item: of stream, document, top map, key, and the section itself."""
_FIRST_LINE = 2
"""An item is parsed below a line of its section's key."""
_LISTED = rf"{NO_WORD}[A-Za-z][A-Za-z0-9_./-]*"
_LIST = rf"{_LISTED}(?:, {_LISTED})*"


T = TypeVar("T")


class _Event(NamedTuple):
    kind: str
    start: int
    end: int
    value: str
    plain: bool
    flow: bool
    block: bool
    """Whether it is a scalar that goes on as long as lines are indented, comments and all."""


class Shape(NamedTuple):
    """What one kind of item looks like, and the JSON that it becomes: ``template % match.group(*order)``. The last group of
    its pattern is the gap behind it."""

    pattern: re.Pattern[str]
    template: str
    order: tuple[int, ...]
    lists: tuple[int, ...]
    """Which of ``order`` are several words, divided by comma and blank."""
    events: int
    """How many events of the parser it makes, when each list has one word."""
    marks: tuple[tuple[int, int, int], ...]
    """Line from the first, column, and the group that says the column when it is not fixed (else 0)."""
    form: Any
    """The value that the template becomes, with its holes as ``blanks``."""
    height: int
    """How many lines it has."""
    evident: bool
    """Whether items of this shape can be YAML in one way alone."""


class Run(NamedTuple):
    """Items of one shape that were read together: what stands in its holes, a column for each; and where what is placed in
    them stands, line, column, line, column, ..., a list for each."""

    shape: Shape
    columns: list[tuple[str, ...]]
    items: int
    marks: list[list[int]]

    def places(self, file: str) -> list[list[Place]]:
        """The places of what has one in each item: its own, then those of its parts."""
        pairs = zip(self.marks[0::2], self.marks[1::2], strict=True)
        return [[*map(tuple.__new__, repeat(Place), zip(repeat(file), *pair))] for pair in pairs]


class Stretch(NamedTuple):
    """Items that follow each other, a run for each of their shapes; ``order`` is the run of each, when there are several."""

    runs: list[Run]
    order: list[int]

    def ordered(self, parts: Sequence[Iterable[T]]) -> Iterable[T]:
        """What its runs have for each of their items, in the order of the file."""
        return in_order(self.order, parts)

    @property
    def texts(self) -> Iterable[str]:
        """The JSON of each item."""
        return self.ordered([*map(_texts, self.runs)])

    @property
    def marks(self) -> Iterable[int]:
        """Line and column of what is placed, one item after the other."""
        return chain.from_iterable(self.ordered([zip(*run.marks, strict=True) for run in self.runs]))


def _texts(run: Run) -> Iterable[str]:
    rows = zip(*run.columns, strict=True) if run.columns else repeat((), run.items)
    return map(run.shape.template.__mod__, rows)


def in_order(order: list[int], parts: Sequence[Iterable[T]]) -> Iterable[T]:
    """The members of some parts, each the next of the part that ``order`` says."""
    return parts[0] if len(parts) == 1 else map(next, map([*map(iter, parts)].__getitem__, order))


def columns_of(matches: list[re.Match[str]]) -> list[tuple[str, ...]]:
    """What the groups of a pattern matched, a column for each."""
    return [*zip(*map(re.Match.groups, matches), strict=True)]


def heights_of(shape: Shape, groups: list[tuple[str, ...]]) -> list[int]:
    """How many lines items have, with those of the gaps behind them."""
    *_, gaps = groups
    if any(gaps):
        return [shape.height + gap.count("\n") for gap in gaps]
    return [shape.height] * len(gaps)


def filled(shape: Shape, groups: list[tuple[str, ...]]) -> tuple[list[tuple[str, ...]], int]:
    """What stands in the holes of items, and how many events they have together: worked out hole by hole, as the columns of
    a table."""
    events, columns = shape.events * len(groups[-1]), [groups[n - 1] for n in shape.order]
    for i in shape.lists:
        commas = "\n".join(columns[i]).count(", ")
        if commas:
            events += commas
            columns[i] = tuple([words.replace(", ", '","') for words in columns[i]])
    return columns, events


def marks_of(shape: Shape, matches: list[re.Match[str]], text: str, lines: list[int]) -> list[list[int]]:
    """Line and column of what is placed in items that begin on these lines, a list for each."""
    out: list[list[int]] = []
    for below, column, group in shape.marks:
        out.append([line + below for line in lines] if below else lines)
        starts = map(re.Match.start, matches, repeat(group)) if group else ()
        out.append([at - text.rfind("\n", 0, at) for at in starts] if group else [column] * len(lines))
    return out


def events_of(text: str) -> list[_Event]:
    """The parser's events of a text that it has no objection to."""
    import yaml

    found = []
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        plain = type(event) is yaml.ScalarEvent and event.implicit[0] and event.style in (None, "")
        name = type(event).__name__
        flow = bool(getattr(event, "flow_style", False))
        value = getattr(event, "value", "")
        start, end = event.start_mark, event.end_mark
        block = getattr(event, "style", None) in ("|", ">")
        found.append(_Event(name, start.index if start else 0, end.index if end else 0, value, plain, flow, block))
    return found


def shape_of(key: str, indent: str, sequence: bool, text: str) -> Shape | None:
    """The shape of one item, when ``strict`` has nothing against it."""
    whole = f"{key}:\n{text}"
    name, section = only_section(read(whole.encode(), "")[0]) or ("", None)
    if section is None or name != key or type(section.members) is not (list if sequence else dict):
        return None
    if len(section.members) != 1:
        return None
    events = events_of(whole)
    if any(event.block for event in events):
        return None
    maker = _Maker(whole, events[5 : 5 - _AROUND], _placed_at(key, section))
    template = maker.item(sequence)
    if maker.left:
        return None
    following = rf"{indent}[^ #\n]"
    pattern = re.compile(rf"{maker.pattern(len(key) + 2)}((?={following})|{GAP}(?={following}|\Z))")
    own = len(events) - _AROUND - maker.commas
    form = form_of(template if sequence else f"{{{template}}}", maker.lists)
    marks, plain = tuple(maker.marks()), evident.is_evident(text)
    shape = Shape(pattern, template, maker.order, maker.lists, own, marks, form, text.count("\n"), plain)
    match = pattern.match(text)
    if match is None or match.end() != len(text):
        return None
    columns, counted = filled(shape, columns_of([match]))
    said = [*_texts(Run(shape, columns, 1, []))] == section_of(key, section).texts
    return shape if said and counted == len(events) - _AROUND else None


def _placed_at(key: str, section: Node) -> list[tuple[int, int]]:
    marks = section_of(key, section).marks
    return list(zip(marks[0::2], marks[1::2], strict=True))


class _Hole(NamedTuple):
    start: int
    end: int
    pattern: str
    listed: bool = False


class _Maker:
    """Makes a shape from the events of one item."""

    def __init__(self, text: str, events: list[_Event], places: list[tuple[int, int]]) -> None:
        self.text, self.events, self.at = text, events, 0
        self.holes: list[_Hole] = []
        self.used: list[_Hole] = []
        self.places = [(line, column, self._index(line, column)) for line, column in places]

    def _index(self, line: int, column: int) -> int:
        at = 0
        for _ in range(line - 1):
            at = self.text.index("\n", at) + 1
        return at + column - 1

    def item(self, sequence: bool) -> str:
        """The template of the item: a value, or a name and its value."""
        if sequence:
            return "".join(self._ordered(self._value(False)))
        name = self._name(True)
        return "".join(self._ordered([*name, ":", *self._value(False)]))

    def _ordered(self, parts: list[str | _Hole]) -> list[str]:
        self.used = [part for part in parts if isinstance(part, _Hole)]
        return ["%s" if isinstance(part, _Hole) else part.replace("%", "%%") for part in parts]

    @property
    def left(self) -> int:
        """How many events the item does not explain."""
        return len(self.events) - self.at

    @property
    def order(self) -> tuple[int, ...]:
        """The groups of the pattern as the template wants them."""
        numbers = {hole.start: i for i, (hole, _) in enumerate(self._groups(), 1) if hole.pattern}
        return tuple(numbers[hole.start] for hole in self.used)

    @property
    def commas(self) -> int:
        """How many words more than one stand in the lists that are holes."""
        return sum(self.text.count(", ", hole.start, hole.end) for hole in self.used if hole.listed)

    @property
    def lists(self) -> tuple[int, ...]:
        """Which of them are several words."""
        return tuple(i for i, hole in enumerate(self.used) if hole.listed)

    def _groups(self) -> list[tuple[_Hole, int]]:
        moving = [_Hole(at, at, "") for _, _, at in self.places if self._moves(at)]
        return [(hole, hole.start) for hole in sorted((*self.holes, *moving), key=lambda h: (h.start, h.end))]

    def _moves(self, at: int) -> bool:
        begin = self.text.rfind("\n", 0, at) + 1
        return any(begin <= hole.start < at for hole in self.holes)

    def pattern(self, at: int) -> str:
        """The text from ``at`` on, with groups for its holes and for the places that holes move."""
        out: list[str] = []
        for hole, start in self._groups():
            out += [re.escape(self.text[at:start]), f"({hole.pattern})"]
            at = hole.end
        return "".join((*out, re.escape(self.text[at:])))

    def marks(self) -> list[tuple[int, int, int]]:
        """The places of what is placed: line from the first, column, group."""
        moving = {hole.start: i for i, (hole, _) in enumerate(self._groups(), 1) if not hole.pattern}
        return [(line - _FIRST_LINE, column, moving.get(at, 0)) for line, column, at in self.places]

    def _next(self) -> _Event:
        self.at += 1
        return self.events[self.at - 1]

    def _name(self, free: bool) -> list[str | _Hole]:
        event = self._next()
        own = self.text[event.start : event.end] == event.value
        if free and own and event.plain and event.value not in WORDS and re.fullmatch(KEY, event.value):
            return ['"', self._hole(event.start, event.end, KEY), '"']
        return [canonical(event.value)]

    def _hole(self, start: int, end: int, pattern: str, listed: bool = False) -> _Hole:
        hole = _Hole(start, end, pattern, listed)
        self.holes.append(hole)
        return hole

    def _value(self, flow: bool) -> list[str | _Hole]:
        event = self._next()
        if event.kind == "MappingStartEvent":
            return self._mapping(event.flow or flow)
        if event.kind == "SequenceStartEvent":
            return self._sequence(event, event.flow or flow)
        return self._scalar(event, flow)

    def _mapping(self, flow: bool) -> list[str | _Hole]:
        single = self._single()
        found: list[tuple[str, list[str | _Hole]]] = []
        while self.events[self.at].kind != "MappingEndEvent":
            key = self.events[self.at].value
            name = self._name(single)
            found.append((key, [*name, ":", *self._value(flow)]))
        self._next()
        out: list[str | _Hole] = ["{"]
        for i, (_, parts) in enumerate(sorted(found, key=lambda pair: pair[0])):
            out += [","] if i else []
            out += parts
        return [*out, "}"]

    def _single(self) -> bool:
        depth, values, at = 0, 0, self.at
        while depth >= 0:
            depth += ("Start" in self.events[at].kind) - ("End" in self.events[at].kind)
            values += depth == 0
            at += 1
        return values == 2

    def _sequence(self, start: _Event, flow: bool) -> list[str | _Hole]:
        end = self.at
        while self.events[end].kind == "ScalarEvent":
            end += 1
        inner = self.text[start.start + 1 : self.events[end].end - 1]
        if start.flow and self.events[end].kind == "SequenceEndEvent":
            if re.fullmatch(_LIST, inner):
                self.at = end + 1
                return ['["', self._hole(start.start + 1, self.events[end].end - 1, _LIST, True), '"]']
        out: list[str | _Hole] = ["["]
        while self.events[self.at].kind != "SequenceEndEvent":
            out += [","] if len(out) > 1 else []
            out += self._value(flow)
        self._next()
        return [*out, "]"]

    def _scalar(self, event: _Event, flow: bool) -> list[str | _Hole]:
        written = self.text[event.start : event.end]
        if event.plain:
            value = resolve(event.value)
            pattern = _plain(event.value, evident.FLOW if flow else evident.BLOCK) if written == event.value else None
            if pattern is None:
                return [canonical(value)]
            hole = self._hole(event.start, event.end, pattern)
            return ['"', hole, '"'] if isinstance(value, str) else [hole]
        for quote, inside in QUOTED:
            if written == f"{quote}{event.value}{quote}" and re.fullmatch(inside, event.value):
                return ['"', self._hole(event.start + 1, event.end - 1, inside), '"']
        return [canonical(event.value)]


def _plain(text: str, inside: str) -> str | None:
    """What may stand for a plain scalar of this kind without being read as anything else; None when nothing may."""
    kinds = {bool: (evident.TRUTH,), int: (evident.NUMBER,)}
    words = kinds.get(type(resolve(text))) or evident.words_of(inside)
    if text == "" or resolve(text) is None:
        return None
    return next((each for each in words if re.fullmatch(each, text)), None)
