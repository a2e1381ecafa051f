"""Access lists that are trees: entries of conditions, each a leaf, in braces, in lines of whole paths, or in JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn

from configlet.model.gate import Line, Reading, Texts
from configlet.model.running import Running
from configlet.readers.called import Bind, Called
from configlet.readers.clauses import BIT, PORTS, Box
from configlet.readers.conditions import ANY, Conditions, Meaning
from configlet.readers.grammar import Source, expand
from configlet.readers.names import Names
from configlet.readers.paths import Leaf, count, paths
from configlet.readers.spans import Unreadable
from configlet.readers.term_boxes import Boxes, Term

Key = tuple[str, str]
"""The command word of a family, and the list's name."""


NAMED = re.compile(r"(?!(?i:rule|term|entry|seq|r|t)?[_ -]?\d+$).*[A-Za-z].*")
"""A name that says something: not a number, nor a word that counts."""


@dataclass(slots=True)
class List:
    """One list as read. ``default`` is what becomes of a packet that no entry matches, when the list says so."""

    key: Key
    family: int
    place: tuple[int, int]
    path: str
    terms: dict[str, Term] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    normal: list[str] = field(default_factory=list)
    label: str = ""
    unsure: int = 0
    """Of a foreign list, the first line of which it is not known what it does to later fragments."""


@dataclass(slots=True)
class Bound:
    """A place where a list is bound, as far as its leaves were read."""

    place: tuple[int, int]
    said: dict[str, str] = field(default_factory=dict)
    leaves: list[str] = field(default_factory=list)


class TermReader:
    """A compiled grammar of trees."""

    def __init__(self, grammar: Mapping[str, Any]) -> None:
        self.grammar = grammar
        self.names = Names(grammar)
        self.called = Called(grammar)
        self.families: Mapping[str, int] = grammar["families"]
        parts = {name: f"(?:{said})" for name, said in grammar["parts"].items() if isinstance(said, str)}
        between = re.escape(grammar.get("between", " "))
        self.entry = re.compile(
            f"({expand(grammar['list'], parts)}){between}({expand(grammar['entry'], parts)})(?: (.+))?"
        )
        said = expand(grammar.get("list_says", grammar["list"]), parts)
        self.list = re.compile(f"({said})(?: (?P<leaf>.+))?")
        self.of_list = [(re.compile(expand(said["path"], parts)), said) for said in grammar.get("of_list", ())]
        self.binds = [re.compile(expand(pattern, parts)) for pattern in grammar["bindings"]]
        self.but = re.compile(grammar.get("meaningless_but", "(?!)"))
        self.nothing = [re.compile(expand(pattern, parts)) for pattern in grammar.get("meaningless", ())]
        self.conditions = {family: Conditions(grammar, self.names, family) for family in (4, 6)}
        self.boxes = Boxes(grammar, self.names)
        self.pair = frozenset(grammar.get("pair", ()))
        self.ours = re.compile(grammar["ours"])

    def read(self, text: str, file: str) -> Reading:
        """The lists that are bound, by interface, direction and family. Raises Refused for what is not known."""
        return Text(self, file).read(text)

    def running(self, text: str, file: str) -> Running:
        """The lists of a whole running configuration, each for itself."""
        from configlet.readers.terms_running import RunningTerms

        return RunningTerms(self, self.grammar).read(text, file)


class Text:
    """What was read so far of one text. ``foreign``: somebody else wrote it, so that what is not known of fragments is
    remembered, and not refused."""

    def __init__(self, reader: TermReader, file: str, *, foreign: bool = False) -> None:
        self.reader, self.file, self.foreign = reader, file, foreign
        self.lists: dict[Key, List] = {}
        self.contexts: dict[str, tuple[Term, Conditions]] = {}
        self.bound: dict[object, Bound] = {}
        self.named: dict[str, str] = {}
        self.waiting: list[Leaf] | None = []
        """Leaves of lists of which it is not known yet of which family they are; None when nothing more comes."""

    def read(self, text: str) -> Reading:
        """Every leaf to its entry, then every entry to its boxes."""
        total = count(text, self.file)
        self.leaves(paths(text.replace("\r\n", "\n"), self.file, self.reader.grammar))
        waiting, self.waiting = self.waiting, None
        self.leaves(iter(waiting or ()))
        return self.reading(total)

    def leaves(self, found: Iterator[Leaf]) -> None:
        """Each leaf to its entry, list or binding. Neighbours are mostly of one entry, so its path is tried first."""
        match, last = self.reader.entry.fullmatch, self.reader.entry.groups
        here, width = "\0", 1
        made: tuple[Term, Conditions] | None = None
        for leaf in found:
            number, column, path = leaf
            if made is not None and path.startswith(here):
                self.leafs(made, path[width:], number, column)
                continue
            entry = match(path)
            if entry is None:
                self.other(number, column, path)
                continue
            at = entry.start(last)
            context = path if at < 0 else path[: at - 1]
            made = self.contexts.get(context) or self.open(context, entry, leaf)
            here, width = context + " ", len(context) + 1
            if made is not None and at >= 0:
                self.leafs(made, path[at:], number, column)

    def refuse(self, place: tuple[int, int], text: str, why: str) -> NoReturn:
        """End at a leaf. Raises Refused."""
        Source(self.file, place[0], place[1], text).refuse(why)

    def open(self, context: str, found: re.Match[str], leaf: Leaf) -> tuple[Term, Conditions] | None:
        """The entry that a path begins, in its list; None while it is not known of which family that is."""
        place = leaf[:2]
        if self.waiting is not None and "command" not in found.groupdict() and found["name"] not in self.named:
            self.waiting.append(leaf)
            return None
        made = self.of(found, place)
        name = found["entry"]
        if self.reader.grammar.get("together") and name not in made.terms:
            others = (other for key, other in self.lists.items() if key[1] == made.key[1] and other is not made)
            if any(name in other.terms for other in others):
                self.refuse(place, leaf[2], f"The name {name} is that of an entry of the other family")
        term = made.terms.setdefault(name, Term(name, place, context, label=made.label))
        self.contexts[context] = term, self.reader.conditions[made.family]
        return self.contexts[context]

    def of(self, found: re.Match[str], place: tuple[int, int]) -> List:
        """The list that a path is in. Where its family is said by a leaf of the list, that leaf must stand first."""
        name, groups = found["name"], found.groupdict()
        command = groups.get("command") or self.named.get(name)
        if command is None:
            self.refuse(place, found[0], f"The list {name} does not say of which family it is")
        key = command, name
        if key not in self.lists:
            self.lists[key] = List(key, self.reader.families[command], place, found[1])
        return self.lists[key]

    def leafs(self, made: tuple[Term, Conditions], leaf: str, number: int, column: int) -> None:
        """One leaf of an entry."""
        term, conditions = made
        place = number, column
        try:
            meaning = conditions.seen.get(leaf) or conditions.meaning(leaf)
        except Unreadable as why:
            self.refuse(place, leaf, str(why))
        term.leaves.append(leaf)
        if meaning.field:
            term.normal.append(meaning.normal)
        part: Meaning | None = meaning
        while part is not None:
            self.asks(term, part, place, leaf)
            part = part.rest

    def asks(self, term: Term, meaning: Meaning, place: tuple[int, int], leaf: str) -> None:
        """One thing that a leaf asks."""
        name, value = meaning.field, meaning.value
        if not name:
            return
        if name == "label":
            term.label = value
        elif meaning.many and not isinstance(term.asked.get(name, []), list):
            self.refuse(place, leaf, "The entry says this twice")
        elif meaning.many:
            term.asked.setdefault(name, []).append(value)
        elif name in term.asked:
            self.refuse(place, leaf, "The entry says this twice")
        else:
            term.asked[name] = value

    def other(self, number: int, column: int, path: str) -> None:
        """A leaf that is in no entry: of a list, of a binding, or nothing. Raises Refused."""
        place = number, column
        for pattern in self.reader.binds:
            if found := pattern.fullmatch(path):
                said = {name: value for name, value in found.groupdict().items() if value is not None}
                key = (said.get("command"), said.pop("key")) if "key" in said else path
                bound = self.bound.setdefault(key, Bound(place))
                if any(bound.said.get(name, value) != value for name, value in said.items()):
                    self.refuse(place, path, "The binding says this twice")
                bound.said |= said
                bound.leaves.append(path)
                return
        if any(pattern.fullmatch(path) for pattern in self.reader.nothing) and not self.reader.but.search(path):
            return
        found = self.reader.list.fullmatch(path)
        if found is None:
            self.refuse(place, path, "This is no entry of a list and no binding")
        self.of_list(found, place, path)

    def of_list(self, found: re.Match[str], place: tuple[int, int], path: str) -> None:
        """A leaf of a list itself."""
        leaf = found["leaf"]
        if leaf is None:
            if "command" in found.groupdict():
                self.of(found, place)
            return
        for pattern, said in self.reader.of_list:
            if one := pattern.fullmatch(leaf):
                if said.get("field") == "command":
                    key = one["value"], found["name"]
                    if self.named.setdefault(key[1], key[0]) != key[0]:
                        self.refuse(place, leaf, "The list says this twice")
                    self.lists.setdefault(key, List(key, self.reader.families[key[0]], place, found[1]))
                elif (
                    self.waiting is not None and "command" not in found.groupdict() and found["name"] not in self.named
                ):
                    self.waiting.append((*place, path))
                    return
                self._list_says(self.of(found, place), said, one, place, found[1])
                return
        self.refuse(place, path, "This line of a list is not known")

    def _list_says(
        self, made: List, said: Mapping[str, Any], one: re.Match[str], place: tuple[int, int], path: str
    ) -> None:
        leaf, name = one[0], said.get("field")
        if name == "label":
            made.label = one["value"]
            return
        value = said.get("is", one.groupdict().get("value", ""))
        if name and made.said.setdefault(name, value) != value:
            self.refuse(place, leaf, "The list says this twice")
        if name:
            made.normal.append(f"{path} {leaf}")

    def reading(self, total: int) -> Reading:
        """The lists at their places."""
        out: dict[Bind, tuple[Line, ...]] = {}
        notes: list[str] = []
        used: set[Key] = set()
        for bound, (where, command, name) in [(b, at) for b in self.bound.values() for at in self.places(b)]:
            made = self.lists.get((command, name))
            line = Source(self.file, *bound.place, bound.leaves[-1])
            key = self.reader.called.key((where[0], where[1], self.reader.families[command]), out, line)
            used.add((command, name))
            if made is None and not self.reader.ours.fullmatch(name):
                notes.append(f"foreign access list: {self.file}:{bound.place[0]} {key[0]} {key[1]} IPv{key[2]} {name}")
            elif made is None:
                line.refuse(f"The list {name} is not in the text; what a missing list passes is not known")
            elif not made.terms and not (self.reader.grammar.get("together") and "default" in made.said):
                line.refuse(f"The list {name} is empty; what an empty list passes is not known")
            else:
                out[key] = tuple(self.lines(made))
        self.final(out, used)
        notes += [
            f"not bound: {self.file}:{made.place[0]} {key[1]}" for key, made in self.lists.items() if key not in used
        ]
        canonical = "".join(f"{line}\n" for line in self.canonical())
        return Reading(out, total, total, False, partial(Texts, canonical, canonical), tuple(notes))

    def places(self, bound: Bound) -> Iterator[tuple[tuple[str, str], str, str]]:
        """Each place that a binding means: of a list that holds both families, one for each of which it says something."""
        name = bound.said.get("list", "")
        if not self.reader.grammar.get("together"):
            yield self.where(bound)
            return
        for command in [word for word in self.reader.families if (word, name) in self.lists] or self.reader.families:
            yield self.where(Bound(bound.place, {**bound.said, "command": command}, bound.leaves))

    def where(self, bound: Bound) -> tuple[tuple[str, str], str, str]:
        """Interface and direction, and the family's word and name of the list. Raises Refused where one is missing."""
        said = dict(bound.said)
        for way in ("in", "out"):
            if way in said:
                said |= {"interface": said.pop(way), "direction": way}
        if "command" not in said and "list" in said:
            said["command"] = self.named.get(said["list"], "")
        if "direction" not in said and (made := self.lists.get((said.get("command", ""), said.get("list", "")))):
            said["direction"] = made.said.get("direction", "")
        missing = [name for name in ("interface", "direction", "command", "list") if not said.get(name)]
        if missing:
            self.refuse(bound.place, bound.leaves[-1], f"The binding does not say its {', '.join(missing)}")
        return (said["interface"], said["direction"]), said["command"], said["list"]

    def final(self, out: Mapping[Bind, object], used: Iterable[Key]) -> None:
        """An entry whose permit ends all filtering must not stand before a list of the other direction."""
        for key in used:
            made = self.lists.get(key)
            if made is None or not any(term.asked.get("action") == "accept" for term in made.terms.values()):
                continue
            if len({direction for _, direction, family in out if family == made.family}) > 1:
                why = "An accept in this list ends all filtering, and lists of both directions are bound"
                self.refuse(made.place, made.path, why)

    def lines(self, made: List) -> Iterator[Line]:
        """A list's entries in the order in which they decide, each with its boxes."""
        decided: list[Box] = []
        half: tuple[str, tuple[bool, tuple[Box, ...]], Term] | None = None
        for term in self.ordered(made):
            permit, boxes, known = self.boxes(term, made.family)
            flag = term.asked.get("established", "")
            if self.reader.pair and (half or flag):
                if half is None:
                    half = flag, (permit, boxes), term
                    continue
                if {half[0], flag} != self.reader.pair or half[1] != (permit, boxes):
                    self.refuse(half[2].place, half[2].leaves[-1], "A flag alone is not modelled")
                half = None
            text = f"{term.name} {'; '.join(term.leaves)}"
            for box in boxes:
                if not known and not any(_within(box, other) for other in decided):
                    why = "How this entry treats fragments is not known, and no entry before it decides them"
                    if not self.foreign:
                        self.refuse(term.place, text, why)
                    made.unsure = made.unsure or term.place[0]
                yield Line(permit, box, term.place[0], text, term.label or self.called_by(term))
            decided += [box for box in boxes if box[6][1] == 1]
        if half is not None:
            self.refuse(half[2].place, half[2].leaves[-1], "A flag alone is not modelled")
        default, vendors = made.said.get("default", self.reader.grammar["default"]), self.reader.grammar["default"]
        if default != "deny" or vendors != "deny":
            every = ANY[made.family]
            text = f"no entry matches, and the list {'passes' if default != 'deny' else 'denies'} the rest"
            yield Line(default != "deny", ((0, 255), every, every, PORTS, PORTS, BIT, BIT), made.place[0], text, "default")

    def called_by(self, term: Term) -> str:
        """Of a foreign list the name that somebody gave to an entry; a number is none."""
        return term.name if self.foreign and NAMED.fullmatch(term.name) else ""

    def ordered(self, made: List) -> list[Term]:
        """The entries in the order in which they decide. Raises Refused for two of one rank."""
        order = self.reader.grammar["order"]
        terms = list(made.terms.values())
        if order == "text":
            return terms
        ranks: dict[int, Term] = {}
        for term in terms:
            said = term.asked.get("priority", term.name)
            if not str(said).isdigit():
                self.refuse(term.place, term.name, "This entry has no number")
            if int(said) in ranks:
                self.refuse(term.place, term.name, "Two entries have this rank; which of them is first is not known")
            ranks[int(said)] = term
        return [ranks[rank] for rank in sorted(ranks, reverse=order == "highest")]

    def boxes(self, term: Term, family: int) -> tuple[bool, tuple[Box, ...], bool]:
        """Whether an entry permits, its boxes, and whether what it does to fragments is known. Raises Refused."""
        try:
            return self.reader.boxes.of(term, family, foreign=self.foreign)
        except Unreadable as why:
            self.refuse(term.place, f"{term.name} {'; '.join(term.leaves)}", str(why))

    def canonical(self) -> Iterator[str]:
        """The lists and bindings that are here, as lines of whole paths in one order."""
        prefix = self.reader.grammar["prefix"]
        for _, made in sorted(self.lists.items()):
            for leaf in made.normal:
                yield f"{prefix}{leaf}"
            for term in self.ordered(made):
                yield from (f"{prefix}{term.path} {leaf}" for leaf in sorted(term.normal))
        yield from (f"{prefix}{leaf}" for bound in self.bound.values() for leaf in bound.leaves)


def _within(box: Box, other: Box) -> bool:
    """Whether the fragments of an entry's protocol and addresses are all in another box."""
    return all(y[0] <= x[0] and x[1] <= y[1] for x, y in zip(box[:3], other[:3], strict=True))
