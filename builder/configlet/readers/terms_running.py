"""The access lists of a whole running configuration that is a tree, each for itself.

The leaves of each list go through the same conditions as our own texts; a list with a leaf that is not known is refused
with its line. Sets of addresses that leaves name stand in place of their names. All other leaves concern no access list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from configlet.model.gate import Line
from configlet.model.net import BITS, Family, Span, Spans, merge
from configlet.model.problem import Place, Refused
from configlet.model.running import Found, Running, Unknown, Unread
from configlet.readers.clauses import BIT, PORTS
from configlet.readers.conditions import ANY
from configlet.readers.grammar import Source, expand
from configlet.readers.paths import Leaf, count
from configlet.readers.spans import Unreadable, address, prefix
from configlet.readers.term_boxes import Term
from configlet.readers.terms import Bound, List, Text
from configlet.readers.trees import in_lines, leaves

if TYPE_CHECKING:
    from configlet.readers.terms import TermReader

Key = tuple[str, str]


@dataclass(slots=True)
class _Seen:
    """What was met so far: the leaves of each list, the members of each group, bindings."""

    lists: dict[Key, list[Leaf]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    bound: dict[object, Bound] = field(default_factory=dict)
    bearing: list[Leaf] = field(default_factory=list)
    """Leaves that concern access lists and are not known."""
    wrong: dict[str, Unread] = field(default_factory=dict)
    read: set[int] = field(default_factory=set)
    """The lines that concern access lists."""
    remembers: bool = False
    """Whether packets of known connections pass before any list is asked."""


class RunningTerms:
    """The part of a grammar that speaks of whole configurations (``running``), compiled."""

    def __init__(self, reader: TermReader, grammar: Mapping[str, Any]) -> None:
        self.reader, self.grammar = reader, grammar
        said = grammar.get("running", {})
        parts = {name: f"(?:{one})" for name, one in grammar["parts"].items() if isinstance(one, str)}
        self.spelled = [(re.compile(expand(one, parts)), two) for one, two in said.get("paths", ())]
        self.define = [re.compile(expand(one, parts)) for one in said.get("define", ())]
        self.use = [(re.compile(expand(one, parts)), two) for one, two in said.get("use", ())]
        self.listed = re.compile(r"(.*) \[ (.+) \]") if said.get("brackets") else re.compile("(?!)")
        self.bears = re.compile(expand(said.get("bears", "(?!)"), parts))
        self.all = re.compile(expand(said.get("bears_on_all", "(?!)"), parts))
        self.all_lines = re.compile(said.get("bears_on_all_lines", "(?!)"))
        self.undecided = [re.compile(said.get("undecided", {}).get(part, "(?!)")) for part in ("leaf", "where")]
        self.remembers = re.compile(said.get("remembers", "(?!)"))
        self.off = re.compile(said.get("inactive", "(?!)"))
        self.off_line = re.compile(said.get("inactive_lines", "(?!)"))

    def read(self, text: str, file: str) -> Running:
        """Every list that is read completely, and what was not. Raises Refused for what is no text at all."""
        total = count(text, file)
        found = [self._spelled(leaf) for leaf in leaves(text, file, self.grammar)]
        off = tuple(one["path"] for line in text.split("\n") if (one := self.off_line.match(line)))
        seen = _Seen(remembers=any(self.remembers.fullmatch(leaf[2]) for leaf in found))
        for leaf in found:
            if (standing := self._standing(leaf, off)) is not None:
                self._leaf(standing, seen)
        for leaf in seen.bearing:
            words = set(leaf[2].replace('"', "").split())
            for name in {key[1] for key in seen.lists} & words or {leaf[2]}:
                self._wrong(seen, name, leaf, file, "This concerns access lists, and its form is not known")
            for name in seen.groups.keys() & words:
                seen.groups[name].append("?")
        lists = [made for key, those in seen.lists.items() if (made := self._list(key, those, file, seen))]
        lists = [made for made in lists if not self._elsewhere(made, seen, found, file)]
        closing = next((leaf for leaf in found if self.all.fullmatch(leaf[2])), None) or self._closing(text, found)
        if closing is not None:
            for made in lists:
                self._wrong(seen, made.name, closing, file, "This bears on every list, and what it does is not modelled")
            lists = []
        return Running(tuple(lists), tuple(seen.wrong.values()), len(seen.read), total, dict(_named(seen.groups)))

    def _closing(self, text: str, found: list[Leaf]) -> Leaf | None:
        """Among lines that each say a whole path, one that is none and bears on lists, or switches off what is not there."""
        prefix, comments = self.grammar["prefix"], tuple(self.grammar.get("comment", ())) or ("\0",)
        whole = bool(prefix) and in_lines(text, prefix)
        for number, line in enumerate(text.split("\n") if whole else (), 1):
            said = line.strip()
            if said.startswith((prefix, *comments)) or not self.all_lines.fullmatch(said):
                continue
            off = self.off_line.match(said)
            if off is None or not any(_below(leaf[2], (off["path"],)) for leaf in found):
                return number, 1, said
        return None

    def _standing(self, leaf: Leaf, off: tuple[str, ...]) -> Leaf | None:
        """The leaf; where it or what it is in is switched off, the entry or list that still stands above it, then empty."""
        number, column, path = leaf
        above = [one.rpartition(" ")[0] for one in off if _below(path, (one,))]
        if found := self.off.search(path):
            above.append(path[: found.start()])
        if not above:
            return leaf
        active = min(above, key=len)
        if found := self.reader.entry.fullmatch(active):
            return number, column, active[: found.end("entry")]
        return (number, column, found[1]) if (found := self.reader.list.fullmatch(active)) else None

    def _elsewhere(self, made: Found, seen: _Seen, found: list[Leaf], file: str) -> bool:
        """Whether what a list does is decided by a leaf of another place; if so it is refused with that leaf."""
        own = [leaf for (_, name), those in seen.lists.items() if name == made.name for leaf in those]
        if not any(self.undecided[0].fullmatch(path) for _, _, path in own):
            return False
        other = next((leaf for leaf in found if self.undecided[1].fullmatch(leaf[2])), None)
        if other is not None:
            self._wrong(seen, made.name, other, file, "A return in this list leaves the packet to this line, which may drop it")
        return other is not None

    def _spelled(self, leaf: Leaf) -> Leaf:
        number, column, path = leaf
        for pattern, other in self.spelled:
            path = pattern.sub(other, path)
        return number, column, path

    def _leaf(self, leaf: Leaf, seen: _Seen) -> None:
        path = leaf[2]
        found = self.reader.entry.fullmatch(path) or self.reader.list.fullmatch(path)
        bound = next((one for pattern in self.reader.binds if (one := pattern.fullmatch(path))), None)
        defined = next((one for pattern in self.define if (one := pattern.fullmatch(path))), None)
        if bound:
            seen.read.add(leaf[0])
            self._bind(bound, leaf, seen)
        elif found:
            seen.read.add(leaf[0])
            seen.lists.setdefault((found.groupdict().get("command") or "", found["name"]), []).append(leaf)
        elif defined:
            seen.read.add(leaf[0])
            seen.groups.setdefault(defined["name"], []).extend((defined.groupdict().get("value") or "?").split())
        elif self.bears.fullmatch(path):
            seen.bearing.append(leaf)

    def _bind(self, found: re.Match[str], leaf: Leaf, seen: _Seen) -> None:
        said = {name: value for name, value in found.groupdict().items() if value is not None}
        key = (said.get("command"), said.pop("key")) if "key" in said else leaf[2]
        made = seen.bound.setdefault(key, Bound(leaf[:2]))
        made.said |= said
        made.leaves.append(leaf[2])

    def _wrong(self, seen: _Seen, name: str, leaf: Leaf, file: str, why: str) -> None:
        try:
            Source(file, *leaf).refuse(why)
        except Refused as refused:
            seen.wrong.setdefault(name, Unread(name, refused.problems[0]))

    def _list(self, key: Key, those: list[Leaf], file: str, seen: _Seen) -> Found | None:
        if key[1] in seen.wrong:
            return None
        text = Text(self.reader, file, foreign=True)
        try:
            text.leaves(iter([leaf for one in those for leaf in self._members(one, file, seen)]))
            waiting, text.waiting = text.waiting, None
            text.leaves(iter(waiting or ()))
            made = next(iter(text.lists.values()), None)
            if made is None or not (made.terms or "default" in made.said):
                Source(file, *those[0]).refuse(f"The list {key[1]} is empty; what an empty list passes is not known")
            family: Family = 4 if made.family == 4 else 6
            place, bound = Place(file, those[0][0]), tuple(self._bound(made, seen))
            if seen.remembers or any("state" in term.asked or "state.off" in term.asked for term in made.terms.values()):
                later = _of_state(text, made, "established")
                if seen.remembers:
                    later = (later[-1]._replace(permit=True, text="packets of known connections pass before this list"),)
                return Found(key[1], family, place, _of_state(text, made, "new"), bound, (), later)
            return Found(key[1], family, place, tuple(text.lines(made)), bound, tuple(_unknown(made, file)))
        except Refused as refused:
            seen.wrong.setdefault(key[1], Unread(key[1], refused.problems[0]))
            return None

    def _members(self, leaf: Leaf, file: str, seen: _Seen) -> Iterator[Leaf]:
        """The leaf, or one for each value in brackets or member of the group that it names. Raises Refused for a group that
        has none."""
        number, column, path = leaf
        if several := self.listed.fullmatch(path):
            for one in several[2].split():
                yield from self._members((number, column, f"{several[1]} {one}"), file, seen)
            return
        for pattern, other in self.use:
            if found := pattern.search(path):
                members = seen.groups.get(found["name"], [])
                if not members or "?" in members:
                    Source(file, *leaf).refuse(f"The group {found['name']} has no members that are known")
                for member in members:
                    said = found.expand(other).replace("{member}", member)
                    yield number, column, path[: found.start()] + said + path[found.end() :]
                return
        yield leaf

    def _bound(self, made: List, seen: _Seen) -> Iterator[tuple[str, str]]:
        called = self.reader.called
        for bound in seen.bound.values():
            said = dict(bound.said)
            for way in ("in", "out"):
                if way in said:
                    said |= {"interface": said[way], "direction": way}
            direction = said.get("direction") or made.said.get("direction", "")
            same = said.get("list") == made.key[1] and said.get("command", made.key[0]) == made.key[0]
            if same and said.get("interface"):
                yield called.interface(said["interface"]), called.direction(direction)


def _named(groups: Mapping[str, list[str]]) -> Iterator[tuple[tuple[Family, Spans], str]]:
    """The groups whose members are addresses of one family."""
    for name, members in groups.items():
        family: Family = 6 if any(":" in member for member in members) else 4
        try:
            spans = [_span(member, family) for member in members]
        except Unreadable:
            continue
        yield (family, merge(spans)), name


def _span(text: str, family: Family) -> Span:
    low, dash, high = text.partition("-")
    if dash:
        return address(low, family), address(high, family)
    return prefix(text if "/" in text else f"{text}/{BITS[family]}", family)


def _of_state(text: Text, made: List, state: str) -> tuple[Line, ...]:
    """A list that asks for states, as packets of connections in one state meet it. Fragments are put together before."""
    terms: dict[str, Term] = {}
    for name, term in made.terms.items():
        states = term.asked.get("state")
        if states is None and "state.off" in term.asked:
            text.refuse(term.place, term.path, "States are switched off here, and what is left of them is not known")
        if states is None or state in states:
            asked = {key: value for key, value in term.asked.items() if key not in ("state", "state.off")}
            terms[name] = replace(term, asked=asked)
    lines = [line for line in text.lines(replace(made, terms=terms)) if line.box[6][0] == 0]
    out = [line.over((*line.box[:6], (0, 0))) for line in lines]
    every = ANY[made.family]
    rest = ((0, 255), every, every, PORTS, PORTS, BIT, (0, 0))
    return (*out, Line(False, rest, made.place[0], "no entry matches, and the list drops the rest", "default"))


def _below(path: str, off: tuple[str, ...]) -> bool:
    return any(path == one or path.startswith(f"{one} ") for one in off)


def _unknown(made: List, file: str) -> Iterator[Unknown]:
    if made.unsure:
        every = ANY[made.family]
        why = "How an entry with ports, types or flags treats later fragments is not known of this platform"
        yield Unknown(((0, 255), every, every, PORTS, PORTS, BIT, (1, 1)), why, Place(file, made.unsure))
