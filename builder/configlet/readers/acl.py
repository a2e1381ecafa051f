"""Access lists of the IOS-like family: first match, implicit deny, lists bound to interfaces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from configlet.model.gate import Line, Reading
from configlet.readers.clauses import Box, Words
from configlet.readers.grammar import Clauses, Source, words
from configlet.readers.tree import Stanza, indented


@dataclass(slots=True)
class List:
    """One access list as read: entries in order, and its canonical lines."""

    name: str
    command: str
    header: Source
    lines: list[Line] = field(default_factory=list)
    canonical: list[str] = field(default_factory=list)
    last: int = 0
    label: str = ""
    decided: list[Box] = field(default_factory=list)


class AclReader:
    """A compiled grammar of access lists."""

    def __init__(self, grammar: Mapping[str, Any]) -> None:
        self.grammar = grammar
        names = words({name for table in grammar["names"]["icmp"].values() for name in table})
        self.clauses = Clauses(grammar["entry"], {**grammar["parts"], "icmp": names})
        self.words = Words(grammar)
        self.stanzas = {name: re.compile(pattern) for name, pattern in grammar["stanzas"].items()}
        self.patterns = {name: re.compile(pattern) for name, pattern in grammar["lines"].items()}
        self.ours = re.compile(grammar["ours"])

    def read(self, text: str, file: str) -> Reading:
        """The lists that are bound, by interface, direction and family. Raises Refused for what is not known."""
        stanzas, total = indented(text, file, self.grammar["comment"])
        lists: dict[tuple[str, str], List] = {}
        bound: dict[tuple[str, str, int], tuple[str, str, Source]] = {}
        interfaces: set[str] = set()
        for stanza in stanzas:
            if found := self.stanzas["list"].fullmatch(stanza.header.text):
                self._list(stanza, found["command"].lower(), found["name"], lists)
            elif found := self.stanzas["interface"].fullmatch(stanza.header.text):
                if found["name"] in interfaces:
                    stanza.header.refuse("This interface stands twice in the text")
                interfaces.add(found["name"])
                self._interface(stanza, found["name"], bound)
            else:
                stanza.header.refuse("This is neither an access list nor an interface")
        return self._reading(lists, bound, total)

    def _list(self, stanza: Stanza, command: str, name: str, lists: dict[tuple[str, str], List]) -> None:
        if (command, name) in lists:
            stanza.header.refuse("This list stands twice in the text")
        made = lists[command, name] = List(name, command, stanza.header)
        family = self.grammar["families"][command]
        for line in stanza.lines:
            if self.patterns["meaningless"].fullmatch(line.text):
                continue
            if found := self.patterns["remark"].fullmatch(line.text):
                self._number(made, int(found["number"]), line)
                made.label = found["text"]
                made.canonical.append(f"   {int(found['number'])} remark {made.label}")
            else:
                self._entry(made, family, line)

    def _number(self, made: List, number: int, line: Source) -> None:
        low, high = self.grammar["sequence"]["lowest"], self.grammar["sequence"]["highest"]
        if not low <= number <= high:
            line.refuse(f"Sequence numbers go from {low} to {high}")
        if number == made.last:
            line.refuse("This sequence number stands twice in the list")
        if number < made.last:
            line.refuse("This sequence number is lower than the one before it")
        made.last = number

    def _entry(self, made: List, family: int, line: Source) -> None:
        lowered = line if line.text.islower() else replace(line, text=line.text.lower())
        found = self.clauses.match(lowered)
        self._number(made, int(found["number"]), line)
        entry = self.words.entry(found, family, lowered)
        for box in entry.boxes:
            if not entry.fragments_known and not any(_within(box, other) for other in made.decided):
                line.refuse("How this line treats fragments is not known, and no line before it decides them")
            made.lines.append(Line(entry.permit, box, line.number, line.text, made.label))
        made.canonical.append(f"   {found['number']} {entry.canonical}")
        made.decided += [box for box in entry.boxes if box[6][1] == 1]

    def _interface(self, stanza: Stanza, name: str, bound: dict[tuple[str, str, int], tuple[str, str, Source]]) -> None:
        for line in stanza.lines:
            found = self.patterns["binding"].fullmatch(line.text)
            if found is None:
                line.refuse("This line is no access group")
            family = self.grammar["families"][found["command"]]
            key = (name, found["direction"], family)
            if key in bound:
                line.refuse("This interface has a list for this direction and family already")
            bound[key] = (found["command"], found["list"], line)

    def _reading(
        self,
        lists: Mapping[tuple[str, str], List],
        bound: Mapping[tuple[str, str, int], tuple[str, str, Source]],
        total: int,
    ) -> Reading:
        out: dict[tuple[str, str, int], tuple[Line, ...]] = {}
        notes: list[str] = []
        for key, (command, name, line) in bound.items():
            made = lists.get((command, name))
            if made is not None and made.lines:
                out[key] = tuple(made.lines)
            elif made is not None:
                line.refuse(f"The list {name} is empty; what an empty list passes is not known")
            elif self.ours.fullmatch(name):
                line.refuse(f"The list {name} is not in the text; what a missing list passes is not known")
            else:
                notes.append(f"foreign access group: {line.file}:{line.number} {key[0]} {key[1]} IPv{key[2]} {name}")
        used = {(command, name) for command, name, _ in bound.values()}
        notes += [f"not bound: {made.file_line} {made.name}" for key, made in _named(lists) if key not in used]
        canonical = "\n".join([*_lists_text(lists), *_bindings_text(bound)])
        return Reading(out, total, total, False, canonical + "\n" if canonical else "", tuple(notes))


@dataclass(frozen=True, slots=True)
class _Named:
    name: str
    file_line: str


def _named(lists: Mapping[tuple[str, str], List]) -> Iterator[tuple[tuple[str, str], _Named]]:
    for key, made in lists.items():
        yield key, _Named(f"{made.command} {made.name}", f"{made.header.file}:{made.header.number}")


def _within(box: Box, other: Box) -> bool:
    """Whether the fragments of a line's protocol and addresses are all in another box."""
    return all(y[0] <= x[0] and x[1] <= y[1] for x, y in zip(box[:3], other[:3], strict=True))


def _lists_text(lists: Mapping[tuple[str, str], List]) -> Iterator[str]:
    for (command, name), made in sorted(lists.items()):
        yield f"{command} access-list {name}"
        yield from made.canonical
        yield "!"


def _bindings_text(bound: Mapping[tuple[str, str, int], tuple[str, str, Source]]) -> Iterator[str]:
    said = None
    for (interface, direction, _), (command, name, _line) in sorted(
        bound.items(), key=lambda b: (b[0][0], b[0][2], b[0][1])
    ):
        if interface != said:
            if said is not None:
                yield "!"
            yield f"interface {interface}"
            said = interface
        yield f"   {command} access-group {name} {direction}"
    if said is not None:
        yield "!"
