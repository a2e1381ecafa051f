"""Access lists of the IOS-like family: first match, implicit deny, lists bound to interfaces."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import pairwise
from operator import itemgetter
from typing import Any

from configlet.model.block import Block, Sets, listed
from configlet.model.gate import Line, Reading
from configlet.model.running import Running
from configlet.readers.called import Called
from configlet.readers.clauses import WORDS, Box, Entry, Words
from configlet.readers.grammar import Clauses, Source, by_key, words
from configlet.readers.groups import GROUP, GroupGrammar, Groups
from configlet.readers.lists import Bound, Half, Key, List, texts
from configlet.readers.names import Names
from configlet.readers.tree import Stanza, indented

_GROUP = GROUP.strip()
_new = tuple.__new__
"""A line for each of a long text: the shortest way to make one."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a grammar writes the lists of one family."""

    clauses: Clauses
    remark: re.Pattern[str]
    words: Callable[[Sequence[str]], Sequence[str]]
    """What a matched entry says (``clauses.WORDS``), of all groups of its pattern."""
    at_end: tuple[Box, ...]
    """Packets of which it is not known what the device does with them at the end of a list."""


@dataclass(slots=True)
class Text:
    """What was read so far of one text."""

    groups: Groups
    lists: dict[Key, List] = field(default_factory=dict)
    bound: Bound = field(default_factory=dict)
    interfaces: set[str] = field(default_factory=set)


class AclReader:
    """A compiled grammar of access lists."""

    def __init__(self, grammar: Mapping[str, Any]) -> None:
        self.grammar = grammar
        names = Names(grammar)
        types = words({name for table in grammar["names"]["icmp"].values() for name in table})
        parts = {**grammar["parts"], "icmp": types}
        self.families: Mapping[str, int] = grammar["families"]
        self.dialect = cache(partial(_dialect, grammar, parts))
        self.groups = GroupGrammar(grammar, names, parts)
        self.words = Words(grammar, names)
        self.stanzas = {name: re.compile(pattern) for name, pattern in grammar["stanzas"].items()}
        self.patterns = {name: re.compile(grammar["lines"][name]) for name in ("meaningless", "binding")}
        self.ours = re.compile(grammar["ours"])
        self.called = Called(grammar)
        self.pair = frozenset(grammar.get("pair", ()))
        self.fold = grammar.get("fold", True)
        rules = grammar["sequence"]
        self.shared = rules.get("remarks") == "shared"
        self.lowest, self.highest, self.step = rules["lowest"], rules["highest"], rules["step"]

    def read(self, text: str, file: str) -> Reading:
        """The lists that are bound, by interface, direction and family. Raises Refused for what is not known."""
        stanzas, total = indented(text, file, self.grammar["comment"])
        seen = Text(Groups(self.groups))
        for stanza in stanzas:
            header = stanza.header.text
            if found := self.stanzas["list"].fullmatch(header):
                self._list(stanza, found["command"].lower(), found["name"], seen)
            elif found := self.stanzas["interface"].fullmatch(header):
                self._interface(stanza, found["name"], seen)
            elif "numbered" in self.stanzas and (found := self.stanzas["numbered"].fullmatch(header)):
                self._numbered(stanza, found, seen)
            elif not seen.groups.take(stanza):
                stanza.header.refuse("This is neither an access list nor an interface")
        return self._reading(seen, total)

    def _list(self, stanza: Stanza, command: str, name: str, seen: Text) -> None:
        if (command, name) in seen.lists:
            stanza.header.refuse("This list stands twice in the text")
        made = seen.lists[command, name] = List(name, command, self.families[command], stanza.header)
        dialect = self.dialect(made.family)
        for line in stanza.lines:
            self._line(made, line, seen.groups, dialect)
        if made.half is not None:
            made.half.line.refuse("A flag alone is not modelled; a line for the other of ACK and RST is not behind it")

    def _numbered(self, stanza: Stanza, found: re.Match[str], seen: Text) -> None:
        """An entry of a list that is a number: each line stands by itself."""
        if stanza.lines:
            stanza.lines[0].refuse("This line stands under no header")
        header, name = stanza.header, found["name"]
        made = seen.lists.setdefault(("ip", name), List(name, "ip", self.families["ip"], header))
        place = header._replace(column=header.column + found.start("entry"), text=found["entry"])
        self.line(made, place, seen.groups)

    def line(self, made: List, line: Source, groups: Groups) -> None:
        """One line of a list, put to what was read of it. Raises Refused for a word that is not known."""
        self._line(made, line, groups, self.dialect(made.family))

    def _line(self, made: List, line: Source, groups: Groups, dialect: Dialect) -> None:
        text = line[3]
        if " remark " in text and (found := dialect.remark.fullmatch(text)):
            self._remark(made, line, found)
            return
        said = text.lower() if self.fold else text
        lowered = line if said == text else line._replace(text=said)
        if found := dialect.clauses.whole.match(said):
            self._entry(made, line, lowered, found, dialect.words(found.groups()), groups)
        elif found := dialect.remark.fullmatch(text):
            self._remark(made, line, found)
        elif not self.patterns["meaningless"].fullmatch(text):
            dialect.clauses.match(lowered)

    def _remark(self, made: List, line: Source, found: re.Match[str]) -> None:
        number, label = found.group("number", "text")
        made.label = label
        made.written.append((self._number(made, number, line, remark=True), (label,), True))

    def _number(self, made: List, said: str | None, line: Source, *, remark: bool) -> int:
        """The number that a line says, or the one that a device would give it; 0 for a remark that has none."""
        if remark and self.shared and said is None:
            return 0
        number = int(said) if said else made.last + (0 if made.open else self.step)
        if number < self.lowest or number > self.highest:
            line.refuse(f"Sequence numbers go from {self.lowest} to {self.highest}")
        if number <= made.last:
            if number < made.last:
                line.refuse("This sequence number is lower than the one before it")
            if not made.open:
                line.refuse("This sequence number stands twice in the list")
        made.last, made.open = number, remark and self.shared
        return number

    def _entry(
        self, made: List, line: Source, lowered: Source, found: re.Match[str], said: Sequence[str], groups: Groups
    ) -> None:
        number = self._number(made, found["number"], line, remark=False)
        entry = self.words.entry(found, said, made.family, lowered, groups)
        permit, boxes, known, text, fragments, sets = entry
        if self.pair and not self._paired(made, entry, found["established"], line):
            made.written.append((number, text, False))
            return
        if not made.closed:
            if not known:
                _undecided(made, boxes, sets, line)
            if fragments:
                made.decide(box for box in boxes if box[6][1] == 1)
        label, at, whole = made.label, line[1], line[3]
        for box in boxes:
            made.lines.append(_new(Line, (permit, box, at, whole, label, False)))
        for product in sets:
            made.lines.append(Block(product, Line(permit, (), at, whole, label)))
        made.written.append((number, text, False))
        if groups.stanzas and GROUP in lowered.text:
            made.groups.update(name for before, name in pairwise(lowered.text.split()) if before == _GROUP)

    def _paired(self, made: List, entry: Entry, flag: str | None, line: Source) -> bool:
        """Whether the entry counts: of two lines that ask for ACK and for RST the second, for both. Raises Refused."""
        half, made.half = made.half, None
        permit, boxes, _, _, _, sets = entry
        said = permit, boxes, sets
        if half is not None:
            if flag is None or {half.flag, flag} != self.pair or half.entry != said:
                half.line.refuse("A flag alone is not modelled; ACK and RST stand in two lines that are else the same")
            return True
        if flag is not None:
            made.half = Half(flag, said, line)
        return flag is None

    def _interface(self, stanza: Stanza, name: str, seen: Text) -> None:
        if name in seen.interfaces:
            stanza.header.refuse("This interface stands twice in the text")
        seen.interfaces.add(name)
        for line in stanza.lines:
            found = self.patterns["binding"].fullmatch(line.text)
            if found is None:
                line.refuse("This line is no access group")
            key = (name, found["direction"], self.families[found["command"]])
            if key in seen.bound:
                line.refuse("This interface has a list for this direction and family already")
            seen.bound[key] = (found["command"], found["list"], line)

    def _reading(self, seen: Text, total: int) -> Reading:
        out: dict[tuple[str, str, int], Sequence[Line]] = {}
        notes: list[str] = []
        for said, (command, name, line) in seen.bound.items():
            key = self.called.key(said, out, line)
            made = seen.lists.get((command, name))
            if made is not None and made.lines:
                out[key] = self._ended(made)
            elif made is not None:
                line.refuse(f"The list {name} is empty; what an empty list passes is not known")
            elif self.ours.fullmatch(name):
                line.refuse(f"The list {name} is not in the text; what a missing list passes is not known")
            else:
                notes.append(f"foreign access group: {line.file}:{line.number} {key[0]} {key[1]} IPv{key[2]} {name}")
        used = {(command, name) for command, name, _ in seen.bound.values()}
        notes += [f"not bound: {made.place}" for key, made in seen.lists.items() if key not in used]
        written = partial(texts, self.words, self.grammar.get("alternate"), seen.groups, seen.lists, seen.bound)
        both = cache(written)
        if seen.groups.stanzas:
            both()  # a group that cannot be written again is refused where it is read
        return Reading(out, total, total, False, both, tuple(notes))

    def _ended(self, made: List) -> Sequence[Line]:
        """The list, whose end must be decided by its own lines where the device has unwritten ones."""
        for _ in self.undecided_end(made):
            made.header.refuse("What the device adds at the end of this list is not known; it must end in a deny of all")
        return listed(made.lines)

    def undecided_end(self, made: List) -> Iterator[Box]:
        """Packets that the device may pass by lines of its own at the end of a list, and no line of the list decides."""
        for packets in self.dialect(made.family).at_end:
            if not any(_holds(line.box, packets) for line in made.lines if isinstance(line, Line)):
                yield packets

    def running(self, text: str, file: str) -> Running:
        """The lists of a whole running configuration, each for itself."""
        from configlet.readers.acl_running import RunningAcls

        return RunningAcls(self, self.grammar).read(text, file)


def _undecided(made: List, boxes: Iterable[Box], sets: Sequence[Sets], line: Source) -> None:
    """A line of which it is not known what it does to fragments needs them decided before it. Raises Refused."""
    for box in boxes:
        if not any(_within(box, other) for other in made.decided):
            made.doubt(line, "How this line treats fragments is not known, and no line before it decides them")
    if sets:
        made.doubt(line, "How this line treats fragments is not known, and no line before it decides them all")


def _dialect(grammar: Mapping[str, Any], parts: Mapping[str, str], family: int) -> Dialect:
    every = (0, (1 << (32 if family == 4 else 128)) - 1)
    at_end: list[Box] = [
        ((proto, proto), every, every, (256 * kind, 256 * kind + 255), (0, 65535), (0, 1), (0, 0))
        for proto, kind in grammar.get("unwritten", {}).get(family, ())
    ]
    remark = re.compile(by_key(grammar["lines"]["remark"], family))
    clauses = Clauses(by_key(grammar["entry"], family), parts)
    picked = itemgetter(*(clauses.whole.groupindex[word] - 1 for word in WORDS))
    return Dialect(clauses, remark, picked, tuple(at_end))


def _holds(box: tuple[tuple[int, int], ...], other: Box) -> bool:
    return all(x[0] <= y[0] and y[1] <= x[1] for x, y in zip(box, other, strict=True))


def _within(box: Box, other: Box) -> bool:
    """Whether the fragments of a line's protocol and addresses are all in another box."""
    return all(y[0] <= x[0] and x[1] <= y[1] for x, y in zip(box[:3], other[:3], strict=True))
