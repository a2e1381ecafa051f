"""The access lists of a whole running configuration in the IOS-like family, each for itself.

What a list says is read by the same clauses as our own texts. A list with a line that is not known is refused with that
line, and the others are read all the same; lines that concern no access list are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from configlet.model.block import Block
from configlet.model.gate import Line
from configlet.model.net import Family, Spans, merge
from configlet.model.problem import Place, Problem, Refused
from configlet.model.running import Found, Running, Unknown, Unread
from configlet.readers.grammar import Source, expand
from configlet.readers.groups import Groups
from configlet.readers.lists import Key, List
from configlet.readers.spans import BITS
from configlet.readers.tree import Stanza, sources

if TYPE_CHECKING:
    from configlet.readers.acl import AclReader

BARE = re.compile(r"(?:seq(?:uence)? )?(?:\d+ )?(?:permit|deny|remark|comment) .*")
"""An entry that stands at the margin belongs to the list above it."""


NUMBER = re.compile(r"(?:seq(?:uence)? )?(\d+) ")


@dataclass(slots=True)
class _Seen:
    """What was met so far."""

    groups: Groups
    lists: dict[Key, List] = field(default_factory=dict)
    wrong: dict[str, Unread] = field(default_factory=dict)
    bound: dict[Key, list[tuple[str, str]]] = field(default_factory=dict)
    waiting: list[Stanza] = field(default_factory=list)
    """Groups that are not read yet."""
    read: int = 0


class RunningAcls:
    """The part of a grammar that speaks of whole configurations (``running``), compiled."""

    def __init__(self, reader: AclReader, grammar: Mapping[str, Any]) -> None:
        self.reader = reader
        said = grammar.get("running", {})
        parts = {name: f"(?:{pattern})" for name, pattern in grammar["parts"].items() if isinstance(pattern, str)}
        stanzas = grammar["stanzas"]
        self.lists = [(re.compile(one["stanza"]), one.get("command", ""), bool(one.get("standard"))) for one in
                      ({"stanza": stanzas["list"]}, *said.get("lists", ()))]  # fmt: skip
        numbered = [{"stanza": stanzas["numbered"]}] if "numbered" in stanzas else []
        self.numbered = [(re.compile(one["stanza"]), bool(one.get("standard"))) for one in (*numbered, *said.get("numbered", ()))]
        self.spelled = [(re.compile(expand(one, parts)), two) for one, two in said.get("entry", ())]
        self.standard = [(re.compile(expand(one, parts)), two) for one, two in said.get("standard", ())]
        self.bears = re.compile(said.get("bears", "(?!)"))
        self.nothing = re.compile(said.get("nothing", "(?!)"))
        self.removed = re.compile(said.get("removed", "(?!)"))
        self.banner = re.compile(said.get("banner", "(?!)"))

    def read(self, text: str, file: str) -> Running:
        """Every list that is read completely, and what was not. Raises Refused for what is no text at all."""
        stanzas, total = self._stanzas(text, file)
        seen = _Seen(Groups(self.reader.groups))
        rest = [stanza for stanza in stanzas if not self._group(stanza, seen)]
        self._nested(seen)
        for stanza in rest:
            self._stanza(stanza, seen)
        found = tuple(self._found(key, made, seen) for key, made in seen.lists.items() if key[1] not in seen.wrong)
        names: dict[tuple[Family, Spans], str] = {}
        for (kind, name), spans in seen.groups.networks.items():
            names.setdefault((6 if kind == "network6" else 4, merge(spans)), name)
        return Running(tuple(one for one in found if one), tuple(seen.wrong.values()), seen.read, total, names)

    def _stanzas(self, text: str, file: str) -> tuple[list[Stanza], int]:
        """Headers at the margin and what stands below them, without banners and comments."""
        out: list[Stanza] = []
        total, marks = 0, tuple(self.reader.grammar["comment"])
        for line in sources(_quiet(text, self.banner), file):
            total += 1
            if line.text.startswith(marks):
                continue
            if out and (line.column > 1 or (BARE.fullmatch(line.text) and self._header(out[-1].header.text))):
                out[-1].lines.append(line)
            else:
                out.append(Stanza(line))
        return out, total

    def _header(self, text: str) -> tuple[str, str, bool] | None:
        """Command, name and whether it is a standard list, of a header that begins a list."""
        for pattern, command, standard in self.lists:
            if found := pattern.fullmatch(text):
                return (found.groupdict().get("command") or command).lower(), found["name"], standard
        return None

    def _group(self, stanza: Stanza, seen: _Seen) -> bool:
        """Whether a stanza begins a group; it is read when all are known."""
        if self.reader.groups.kind(stanza.header.text) is None:
            return False
        seen.read += 1 + len(stanza.lines)
        seen.waiting.append(stanza)
        return True

    def _nested(self, seen: _Seen) -> None:
        """Read the groups, those that others name first."""
        pending = seen.waiting
        while pending:
            later: list[tuple[Stanza, Refused]] = []
            for stanza in pending:
                try:
                    seen.groups.take(stanza)
                except Refused as refused:
                    key = self.reader.groups.kind(stanza.header.text)
                    if key is not None:
                        seen.groups.stanzas.pop(key, None)
                    later.append((stanza, refused))
            if len(later) == len(pending):
                for stanza, why in later:
                    self._wrong(seen, stanza.header.text, why)
                return
            pending = [stanza for stanza, _ in later]

    def _stanza(self, stanza: Stanza, seen: _Seen) -> None:
        header = stanza.header.text
        if said := self._header(header):
            self._list(stanza, said, seen)
        elif said_number := next(((f, s) for p, s in self.numbered if (f := p.fullmatch(header))), None):
            self._number(stanza, *said_number, seen)
        elif found := self.removed.fullmatch(header):
            self._remove(stanza.header, found["name"], seen)
        elif self.bears.fullmatch(header) and not self.nothing.fullmatch(header):
            try:
                stanza.header.refuse("This concerns access lists, and its form is not known")
            except Refused as refused:
                names = {key[1] for key in seen.lists} & set(header.split())
                for name in names or {header}:
                    self._wrong(seen, name, refused)
        else:
            self._bindings(stanza, seen)

    def _list(self, stanza: Stanza, said: tuple[str, str, bool], seen: _Seen) -> None:
        command, name, standard = said
        seen.read += 1 + len(stanza.lines)
        key = command, name
        try:
            if key in seen.lists or name in seen.wrong:
                stanza.header.refuse(f"The list {name} stands twice in the text")
            made = seen.lists[key] = List(name, command, self.reader.families[command], stanza.header, foreign=True)
            for line in _ordered(stanza.lines, self.reader.patterns["meaningless"]):
                self._entry(made, line, standard, seen)
            if made.half is not None:
                made.half.line.refuse("A flag alone is not modelled")
        except Refused as refused:
            self._wrong(seen, name, refused)

    def _number(self, stanza: Stanza, found: re.Match[str], standard: bool, seen: _Seen) -> None:
        """An entry of a list that is a number."""
        name, header = found["name"], stanza.header
        seen.read += 1
        key = next(iter(self.reader.families)), name
        if name in seen.wrong:
            return
        made = seen.lists.setdefault(key, List(name, key[0], self.reader.families[key[0]], header, foreign=True))
        place = header._replace(column=header.column + found.start("entry"), text=found["entry"])
        try:
            self._entry(made, place, standard, seen)
        except Refused as refused:
            self._wrong(seen, name, refused)

    def _entry(self, made: List, line: Source, standard: bool, seen: _Seen) -> None:
        text = line.text
        for pattern, other in (*self.spelled, *(self.standard if standard else ())):
            text = pattern.sub(other, text)
        text = text.replace("{next}", str(made.last + self.reader.step))
        count = len(made.lines)
        try:
            self.reader.line(made, line._replace(text=text), seen.groups)
        except Refused as refused:
            raise Refused([_in_its_words(one, line, text) for one in refused.problems]) from None
        if text != line.text:
            own = cast("list[Line | Block[Line]]", made.lines[count:])  # as it is read line by line
            made.lines[count:] = [_said(one, line.text) for one in own]

    def _remove(self, line: Source, name: str, seen: _Seen) -> None:
        """A line that takes a list away: before the list it means nothing."""
        seen.read += 1
        if any(key[1] == name for key in seen.lists):
            try:
                line.refuse(f"The list {name} is taken away again here")
            except Refused as refused:
                self._wrong(seen, name, refused)

    def _bindings(self, stanza: Stanza, seen: _Seen) -> None:
        """Where a list is bound, which says nothing of what it means."""
        pattern = self.reader.stanzas["interface"]
        header = found["name"] if (found := pattern.fullmatch(stanza.header.text)) else stanza.header.text
        called = self.reader.called
        for line in stanza.lines:
            if bound := self.reader.patterns["binding"].fullmatch(line.text):
                key = bound["command"], bound["list"]
                seen.bound.setdefault(key, []).append((called.interface(header), called.direction(bound["direction"])))
                seen.read += 1

    def _wrong(self, seen: _Seen, name: str, refused: Refused) -> None:
        seen.wrong.setdefault(name, Unread(name, refused.problems[0]))

    def _found(self, key: Key, made: List, seen: _Seen) -> Found | None:
        place = Place(made.header.file, made.header.number, made.header.column)
        family: Family = 4 if made.family == 4 else 6
        if not made.lines:
            try:
                made.header.refuse(f"The list {made.name} is empty; what an empty list passes is not known")
            except Refused as refused:
                self._wrong(seen, made.name, refused)
            return None
        return Found(made.name, family, place, made.ended(), tuple(seen.bound.get(key, ())), tuple(self._unknown(made)))

    def _unknown(self, made: List) -> Iterator[Unknown]:
        every = (0, (1 << BITS[made.family]) - 1)
        if made.unsure:
            why = "How a line with ports, types or flags treats later fragments is not known of this platform"
            place = Place(made.header.file, made.unsure)
            yield Unknown(((0, 255), every, every, (0, 65535), (0, 65535), (0, 1), (1, 1)), why, place)
        for box in self.reader.undecided_end(made):
            why = "Whether the device passes neighbour discovery at the end of this list is not known"
            yield Unknown(box, why, Place(made.header.file, made.header.number))


def _ordered(lines: list[Source], meaningless: re.Pattern[str]) -> list[Source]:
    """Entries that all have a number in the order of their numbers, which is the one that decides; else as they stand."""
    kept = [line for line in lines if not meaningless.fullmatch(line.text)]
    found = [NUMBER.match(line.text) for line in kept]
    numbers = [int(one[1]) for one in found if one]
    if len(numbers) < len(kept) or len(set(numbers)) < len(numbers) or numbers == sorted(numbers):
        return lines
    return [line for _, line in sorted(zip(numbers, kept, strict=True), key=lambda pair: pair[0])]


def _said(line: Line | Block[Line], text: str) -> Line | Block[Line]:
    """A line with the words that stand in the text."""
    if isinstance(line, Block):
        return replace(line, like=line.like._replace(text=text))
    return line._replace(text=text)


def _quiet(text: str, banner: re.Pattern[str]) -> str:
    """The text with its banners blank, line for line. A banner ends with the mark that its first line names."""
    out: list[str] = []
    end = ""
    for line in text.replace("\r\n", "\n").split("\n"):
        if end:
            out.append("")
            end = "" if end in line else end
        elif found := banner.match(line):
            out.append("")
            mark = found["end"] if found["end"] is not None else "EOF"
            end = "" if mark in line[found.end("end") if found["end"] is not None else len(line) :] else mark
        else:
            out.append(line)
    return "\n".join(out)


def _in_its_words(problem: Problem, line: Source, text: str) -> Problem:
    """A refusal of a line that was put in our words, with the line and the column that the file has."""
    place = problem.place
    if text == line.text or place is None or place.line != line.number:
        return problem
    offset, more = place.column - line.column, len(text) - len(line.text)
    alike = next((n for n, (one, other) in enumerate(zip(text, line.text, strict=False)) if one != other), 0)
    found = offset if offset < alike else offset - more if text[offset:] == line.text[max(offset - more, 0) :] else alike
    detail = problem.detail
    for words in (text, text.lower()):
        detail = detail.replace(f'in "{words}"', f'in "{line.text}"')
    return replace(problem, detail=detail, place=Place(place.file, place.line, line.column + found))
