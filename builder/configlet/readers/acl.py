"""Access lists of the IOS-like family: first match, implicit deny, lists bound to interfaces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import pairwise
from typing import Any

from configlet.model.block import Block
from configlet.model.gate import Line, Reading
from configlet.model.problem import Refused
from configlet.model.running import Running
from configlet.readers.bulk import Bulk, Rules
from configlet.readers.called import Called
from configlet.readers.clauses import Box, Words
from configlet.readers.dialect import Dialect, dialect
from configlet.readers.grammar import Source, words
from configlet.readers.groups import GROUP, GroupGrammar, Groups
from configlet.readers.lists import Bound, Key, List, texts
from configlet.readers.names import Names
from configlet.readers.tree import Stanza, indented, parted, pieces, plain, sources

_GROUP = GROUP.strip()
FEW = 16
"""Lines at the beginning of a list that are read one by one until fragments are decided."""
_new = tuple.__new__
"""A line for each of a long text: the shortest way to make one."""


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
        self.dialect = cache(partial(dialect, grammar, parts))
        self.groups = GroupGrammar(grammar, names, parts)
        self.words = Words(grammar, names, self.groups.words)
        self.bulk = cache(self._bulk)
        self.stanzas = {name: re.compile(pattern) for name, pattern in grammar["stanzas"].items()}
        self.patterns = {name: re.compile(grammar["lines"][name]) for name in ("meaningless", "binding")}
        self.ours = re.compile(grammar["ours"])
        self.called = Called(grammar)
        self.pair = frozenset(grammar.get("pair", ()))
        self.fold = grammar.get("fold", True)
        rules = grammar["sequence"]
        self.shared = rules.get("remarks") == "shared"
        self.lowest, self.highest, self.step = rules["lowest"], rules["highest"], rules["step"]
        self.marks = tuple(grammar["comment"])

    def _bulk(self, family: int) -> Bulk | None:
        """What reads long lists of a family, where its grammar allows for it."""
        known = self.dialect(family)
        if known.lines is None:
            return None
        rules = Rules(self.lowest, self.highest, self.step, self.shared, self.fold, self.pair)
        return Bulk(known, known.lines, self.words, Groups(self.groups), family, rules)

    def read(self, text: str, file: str) -> Reading:
        """The lists that are bound, by interface, direction and family. Raises Refused for what is not known."""
        try:
            found = self._at_once(text, file)
        except Refused:
            found = None  # line by line it is refused for what stands first
        return self.by_line(text, file) if found is None else found

    def by_line(self, text: str, file: str) -> Reading:
        """The same, line by line, whatever the text looks like."""
        stanzas, total = indented(text, file, self.marks)
        seen = Text(Groups(self.groups))
        for stanza in stanzas:
            self._stanza(stanza, seen)
        return self._reading(seen, total)

    def _at_once(self, text: str, file: str) -> Reading | None:
        """The same, long lists piece by piece; None for a text with lines that no list of ours has. Raises Refused, though
        perhaps not for what stands first."""
        seen, number, total = Text(Groups(self.groups)), 1, 0
        for part in parted(text):
            head, _, body = part.partition("\n")
            if not head or not plain(head) or (body and head.startswith(self.marks)):
                return None
            if body and (found := self.stanzas["list"].fullmatch(head)):
                made = self._begun(Source(file, number, 1, head), found, seen)
                read, number = self._body(made, body, number + 1, seen.groups)
                total += 1 + read
            else:
                lines = [*sources(part, file, number)]
                total += len(lines)
                number += 1 + part.count("\n")
                if not head.startswith(self.marks):
                    self._stanza(Stanza(lines[0], [one for one in lines[1:] if not one.text.startswith(self.marks)]), seen)
        return self._reading(seen, total) if total else None

    def _body(self, made: List, body: str, first: int, groups: Groups) -> tuple[int, int]:
        """The lines of a list, of which the first has this number: how many were read, and the number of the line behind them.
        Raises Refused."""
        bulk = self.bulk(made.family)
        start = next(pieces(body))
        total = read = bulk.take(made, start, first) if bulk else 0
        rest = body[len(start) + 1 :]
        if not read:
            few = "\n".join(body.split("\n", FEW)[:FEW]) if bulk else body
            total, read = self._each(made, few, first, groups, until_closed=bulk is not None)
            rest = "".join(body.split("\n", read)[read:])
        first += read
        for piece in pieces(rest) if rest else ():
            read = lines = bulk.take(made, piece, first) if bulk and made.closed else 0
            if not read:
                read, lines = self._each(made, piece, first, groups)
            total += read
            first += lines
        made.whole()
        return total, first

    def _each(
        self, made: List, piece: str, first: int, groups: Groups, *, until_closed: bool = False
    ) -> tuple[int, int]:
        """Lines of a list, one after the other, or until one has decided all fragments: how many there were, and how many with
        those that are blank. Raises Refused."""
        known, total = self.dialect(made.family), 0
        for line in sources(piece, made.header.file, first):
            total += 1
            if not line.text.startswith(self.marks):
                self._line(made, line, groups, known)
                if until_closed and made.closed:
                    return total, line.number - first + 1
        return total, piece.count("\n") + 1

    def _stanza(self, stanza: Stanza, seen: Text) -> None:
        header = stanza.header.text
        if found := self.stanzas["list"].fullmatch(header):
            made = self._begun(stanza.header, found, seen)
            known = self.dialect(made.family)
            for line in stanza.lines:
                self._line(made, line, seen.groups, known)
            made.whole()
        elif found := self.stanzas["interface"].fullmatch(header):
            self._interface(stanza, found["name"], seen)
        elif "numbered" in self.stanzas and (found := self.stanzas["numbered"].fullmatch(header)):
            self._numbered(stanza, found, seen)
        elif not seen.groups.take(stanza):
            stanza.header.refuse("This is neither an access list nor an interface")

    def _begun(self, header: Source, found: re.Match[str], seen: Text) -> List:
        command, name = found["command"].lower(), found["name"]
        if (command, name) in seen.lists:
            header.refuse("This list stands twice in the text")
        made = seen.lists[command, name] = List(name, command, self.families[command], header)
        return made

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

    def _line(self, made: List, line: Source, groups: Groups, known: Dialect) -> None:
        text = line[3]
        if " remark " in text and (found := known.remark.fullmatch(text)):
            self._remark(made, line, found)
            return
        said = text.lower() if self.fold else text
        lowered = line if said == text else line._replace(text=said)
        if found := known.clauses.whole.match(said):
            self._entry(made, line, lowered, found, known.words(found.groups()), groups)
        elif found := known.remark.fullmatch(text):
            self._remark(made, line, found)
        elif not self.patterns["meaningless"].fullmatch(text):
            known.clauses.match(lowered)

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
        permit, boxes, known, text, fragments, sets = self.words.entry(found, said, made.family, lowered, groups)
        if self.pair and not made.paired(self.pair, found["established"], (permit, boxes, sets), line):
            made.written.append((number, text, False))
            return
        if not made.closed:
            if not known:
                made.undecided(boxes, sets, line)
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
        return made.ended()

    def undecided_end(self, made: List) -> Iterator[Box]:
        """Packets that the device may pass by lines of its own at the end of a list, and no line of the list decides."""
        for packets in self.dialect(made.family).at_end:
            if not any(_holds(box, packets) for box in reversed(made.rows()[1]) if not isinstance(box, Block)):
                yield packets

    def running(self, text: str, file: str) -> Running:
        """The lists of a whole running configuration, each for itself."""
        from configlet.readers.acl_running import RunningAcls

        return RunningAcls(self, self.grammar).read(text, file)


def _holds(box: tuple[tuple[int, int], ...], other: Box) -> bool:
    return all(x[0] <= y[0] and y[1] <= x[1] for x, y in zip(box, other, strict=True))
