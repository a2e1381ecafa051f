"""Files of many alike items, read by their shapes: the C parser's word for one item goes for all that are alike.

An item is what stands under a name or dash of a section: one host, one rule. The first of its kind is parsed by
``strict``; its *shape* is its text with holes where a scalar may change and nothing else can. Items that fill a shape's
holes with harmless text mean the same with other words in it, so a regular expression reads them, ten times faster than
events. Where anything of a file is not *evident* (``evident``), the C parser then still goes over the whole of it, without
making objects, and must count as many events as the shapes do. Any doubt at all gives None, and the file is read by
``strict``: this may be too strict, never too lax.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import accumulate, compress
from typing import NamedTuple

from configlet.workspace.placed import Kind, Section, only_section, section_of
from configlet.workspace.shape import (
    GAP,
    Run,
    Shape,
    Stretch,
    columns_of,
    events_of,
    filled,
    heights_of,
    in_order,
    marks_of,
    shape_of,
)
from configlet.workspace.strict import read

_HEAD = re.compile(rf"{GAP}(?:--- *\n)?{GAP}")
_SECTION = re.compile(rf"([a-z]{{1,40}}):(?: *| +#[^\n]*)\n{GAP}( *)(-(?= )|[^\s#])")
_NUMBER = re.compile(r"([a-z]{1,40}): (0|[1-9][0-9]{0,17})\n")
"""A section that is a number, as the tier of each file."""
_BORDER = re.compile(r"\n(?=[^ #\n-])")
_TAIL = re.compile(rf"(?<=\n){GAP}\Z")
_OUTER = 6
"""Events of a file that are in no section: of stream, document and top map."""
_SHORT = 400
"""Characters below which nothing is learned from a section."""
_AT_ONCE = 1_000
"""Items whose matches are held at a time: they are large, and to work on them column by column pays from ten on."""
_SHAPES, _ITEMS_FOR_SHAPE = 32, 100
"""So many shapes may be learned, and one more for so many items, as making one costs as much as reading many."""


class Shapes:
    """What was learned from the files of a site."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str, bool], list[Shape]] = {}
        self.made, self.items = 0, 0

    def may_learn(self) -> bool:
        """Whether another shape pays."""
        return self.made < _SHAPES + self.items // _ITEMS_FOR_SHAPE


class Read(NamedTuple):
    """One file as it was read: its sections, the stretches of those of which each item has a shape, which stand empty among
    the sections, and the parser's events."""

    sections: dict[str, Section]
    stretches: dict[str, list[Stretch]]
    events: int = 0


def quickly(text: str, shapes: Shapes, events: int | None = None) -> Read | None:
    """One file; None when anything is not sure, also when the file is wrong. ``events``: how many the C parser has for it,
    where that is known."""
    text = text if text.endswith("\n") else text + "\n"
    reader = _Reader(text, shapes)
    head = _HEAD.match(text)
    start = head.end() if head else 0
    sections: dict[str, Section] = {}
    while start < len(text):
        border = _BORDER.search(text, start)
        end = border.end() if border else len(text)
        found = reader.section(start, end)
        if found is None or found[0] in sections:
            return None
        sections[found[0]] = found[1]
        start = end
    if not sections:
        return None
    if events is None:
        events = reader.events if reader.evident and text.isascii() else _events(text)
    if reader.events != events:
        return None
    return Read(sections, reader.stretches, reader.events)


def _events(text: str) -> int:
    """How many events the C parser has for a text; none when it has an objection."""
    import yaml

    try:
        return int(yaml.CSafeLoader(text).raw_parse())
    except (yaml.YAMLError, AttributeError):
        return 0


def whole(kind: Kind, parts: Iterable[Stretch | Section]) -> Section:
    """A section of what was read of it, part by part."""
    section = Section(kind, [], [])
    for part in parts:
        section.texts.extend(part.texts)
        section.marks.extend(part.marks)
    return section


class _Reader:
    """One file while it is read: the line of the place where it stands, the events so far, and whether all is evident."""

    def __init__(self, text: str, shapes: Shapes) -> None:
        self.text, self.shapes = text, shapes
        self.line, self.counted, self.events = 1, 0, _OUTER
        self.evident = True
        self.stretches: dict[str, list[Stretch]] = {}

    def section(self, start: int, end: int) -> tuple[str, Section] | None:
        """One section; a short one, or one whose value stands on the line of its key, as ``strict`` reads it."""
        self._count_to(start)
        number = _NUMBER.fullmatch(self.text, start, end)
        if number is not None:
            self.events += 2
            return number[1], Section("other", [number[2]], [])
        head = _SECTION.match(self.text, start, end)
        if head is None or end - start < _SHORT:
            return self._strictly(start, end)
        self._count_to(head.start(2))
        items = self._items(head[1], head[2], head[3] == "-", end)
        self.events += 3
        return None if items is None else (head[1], items)

    def _count_to(self, at: int) -> None:
        self.line += self.text.count("\n", self.counted, at)
        self.counted = at

    def _strictly(self, start: int, end: int) -> tuple[str, Section] | None:
        text = self.text[start:end]
        inner = only_section(read(text.encode(), "")[0])
        if inner is None:
            return None
        self.events += len(events_of(text)) - _OUTER
        self.evident = False
        section = section_of(*inner)
        shifted = [mark if i % 2 else mark + self.line - 1 for i, mark in enumerate(section.marks)]
        return inner[0], section._replace(marks=shifted)

    def _items(self, key: str, indent: str, sequence: bool, end: int) -> Section | None:
        section = Section("list" if sequence else "map", [], [])
        known = self.shapes.known.setdefault((key, indent, sequence), [])
        border = re.compile(rf"\n(?={indent}[^ #\n])")
        found: list[Stretch | Section] = []
        while self.counted < end:
            stretch = self._stretch(known, end)
            if stretch is not None:
                found.append(stretch)
                continue
            self.shapes.items += 1
            stop = border.search(self.text, self.counted, end)
            text = self.text[self.counted : stop.end() if stop else end]
            shape = shape_of(key, indent, sequence, _TAIL.sub("", text)) if self._may_learn(text) else None
            if shape is not None:
                known.insert(0, shape)
                continue
            alone = self._alone(key, sequence, text)
            if alone is None:
                return None
            found.append(alone)
        stretches = [each for each in found if isinstance(each, Stretch)]
        if len(stretches) == len(found):
            self.stretches[key] = stretches
            return section
        return whole(section.kind, found)

    def _may_learn(self, text: str) -> bool:
        may = text.isascii() and self.shapes.may_learn()
        self.shapes.made += may
        return may

    def _stretch(self, known: list[Shape], end: int) -> Stretch | None:
        """Read the next items whose shapes are known; not more than are held at a time."""
        numbers: dict[int, int] = {}
        found: list[tuple[Shape, list[re.Match[str]]]] = []
        order: list[int] = []
        at = self.counted
        while matches := self._matches(known, at, end, _AT_ONCE - len(order)):
            at, shape = matches[-1].end(), known[0]
            number = numbers.setdefault(id(shape), len(found))
            if number == len(found):
                found.append((shape, []))
            found[number][1].extend(matches)
            order += [number] * len(matches)
        self.counted = at
        self.shapes.items += len(order)
        return self._understood(found, order) if order else None

    def _matches(self, known: list[Shape], at: int, end: int, most: int) -> list[re.Match[str]]:
        """The next items that have one shape, which is then the first; the shape that was met last is tried first."""
        found: list[re.Match[str]] = []
        for i, shape in enumerate(known):
            text, matched = self.text, shape.pattern.match
            while len(found) < most and (match := matched(text, at, end)) is not None:
                found.append(match)
                at = match.end()
            if found:
                if i:
                    known.insert(0, known.pop(i))
                break
        return found

    def _understood(self, found: list[tuple[Shape, list[re.Match[str]]]], order: list[int]) -> Stretch:
        """What the next items say, of each shape at one look."""
        groups = [columns_of(matches) for _, matches in found]
        heights = [heights_of(shape, of) for (shape, _), of in zip(found, groups, strict=True)]
        *lines, self.line = accumulate(in_order(order, heights), initial=self.line)
        runs: list[Run] = []
        for number, ((shape, matches), of) in enumerate(zip(found, groups, strict=True)):
            mine = lines if len(found) == 1 else [*compress(lines, map(number.__eq__, order))]
            columns, events = filled(shape, of)
            runs.append(Run(shape, columns, len(matches), marks_of(shape, matches, self.text, mine)))
            self.events += events
            self.evident &= shape.evident
        return Stretch(runs, order)

    def _alone(self, key: str, sequence: bool, text: str) -> Section | None:
        """Read the next item as ``strict`` does."""
        whole = f"{key}:\n{text}"
        inner = only_section(read(whole.encode(), "")[0])
        if inner is None or type(inner[1].members) is not (list if sequence else dict) or len(inner[1].members) != 1:
            return None
        one = section_of(*inner)
        marks = [mark if i % 2 else mark + self.line - 2 for i, mark in enumerate(one.marks)]
        self.events += len(events_of(whole)) - _OUTER - 3
        self.evident = False
        self._count_to(self.counted + len(text))
        return one._replace(marks=marks)
