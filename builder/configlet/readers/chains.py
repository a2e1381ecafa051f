"""Access lists that are chains of a Linux router: a chain of its forward hook sends each interface's packets to a list.

Statements are rows of clauses; a list's permit returns, so that the lists behind it are asked too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from configlet.model.block import Block, listed
from configlet.model.gate import Line, Reading, Texts
from configlet.model.running import Running
from configlet.readers.called import Bind, Called
from configlet.readers.chain_boxes import Meaning, Meanings
from configlet.readers.clauses import Box
from configlet.readers.grammar import Clauses, Source, by_key, words
from configlet.readers.ipsets import SetGrammar, Sets
from configlet.readers.names import Names
from configlet.readers.spans import Unreadable
from configlet.readers.tree import sources
from configlet.readers.whole import whole

Key = tuple[int, str]
"""The family of a section (0 where sections have none) and the chain's name."""


MARK = {"clause": "beginning", "pattern": "-"}
"""Every statement is given one word at its head, so that all of its clauses may be left out."""


@dataclass(slots=True)
class Chain:
    """One chain as it stands: its header and its statements."""

    header: Source
    statements: list[Source] = field(default_factory=list)


@dataclass(slots=True)
class _Text:
    """What was read so far of one text."""

    sets: Sets
    chains: dict[Key, Chain] = field(default_factory=dict)
    hooks: dict[Key, Source] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    """The text in its normal form."""


class ChainReader:
    """A compiled grammar of chains."""

    def __init__(self, grammar: Mapping[str, Any]) -> None:
        self.grammar = grammar
        names = Names(grammar)
        types = {name for table in grammar["names"]["icmp"].values() for name in table}
        parts = {**grammar["parts"], "icmp": words(types) if types else "(?!)"}
        self.statement = Clauses([MARK, *grammar["statement"]], parts)
        self.binding = Clauses([MARK, *grammar["binding"]], parts)
        self.lines = {name: re.compile(pattern) for name, pattern in grammar["lines"].items()}
        self.meanings = Meanings(grammar, names)
        self.called = Called(grammar)
        self.ours = re.compile(grammar["ours"])
        self.sets = SetGrammar(grammar.get("sets", {}))
        self.drop = re.compile(grammar["normal"]) if "normal" in grammar else None

    def read(self, text: str, file: str) -> Reading:
        """The lists that are bound, by interface, direction and family. Raises Refused for what is not known."""
        seen, total = _Text(Sets(self.sets)), 0
        family, name = 0, ""
        for line in sources(text, file):
            total += 1
            family, name = self._line(line, family, name, seen)
        out: dict[Bind, Sequence[Line]] = {}
        used: set[Key] = set()
        for key, hook in seen.hooks.items():
            if key not in seen.chains:
                hook.refuse("This hook has no chain")
            self._hook(key, seen, out, used)
        notes = [
            f"not bound: {chain.header.file}:{chain.header.number} {key[1]}"
            for key, chain in seen.chains.items()
            if key not in used and key not in seen.hooks
        ]
        canonical = "".join(f"{line}\n" for line in (*seen.sets.normal(), *seen.said))
        return Reading(out, total, total, False, partial(Texts, canonical, canonical), tuple(notes))

    def running(self, text: str, file: str) -> Running:
        """What a whole configuration says: each chain that judges, for itself."""
        from configlet.readers.chains_running import RunningChains

        return RunningChains(self.grammar).read(text, file) if "running" in self.grammar else whole(self.read, text, file)

    def _line(self, line: Source, family: int, name: str, seen: _Text) -> tuple[int, str]:
        """One line to its chain; the family and the chain in which the next one stands."""
        lines = self.lines
        if seen.sets.take(line, before=not family and not seen.chains):
            return family, name
        if found := lines["section"].fullmatch(line.text):
            said = self.grammar["families"].get(found.groupdict().get("family") or "", family)
            normal = self.grammar.get("section", "")
            seen.said.append(normal.format(**found.groupdict()) if normal else line.text)
            return said, ""
        if "end" in lines and lines["end"].fullmatch(line.text):
            seen.said.append(line.text)
            return family, ""
        if lines["nothing"].fullmatch(line.text):
            if "quiet" not in lines or not lines["quiet"].fullmatch(line.text):
                seen.said.append(line.text)
            return family, name
        if found := lines["hook"].fullmatch(line.text):
            key = family, found.groupdict().get("chain") or name
            if key in seen.hooks:
                line.refuse("This hook stands twice in the text")
            seen.hooks[key] = line
            seen.chains.setdefault(key, Chain(line))
            seen.said.append(lines["counts"].sub(self.grammar["uncounted"], line.text))
            return family, name
        if found := lines["chain"].fullmatch(line.text):
            key = family, found["chain"]
            if key in seen.chains:
                line.refuse("This chain stands twice in the text")
            seen.chains[key] = Chain(line)
            seen.said.append(lines["counts"].sub(self.grammar["uncounted"], line.text))
            return family, found["chain"]
        found = lines["rule"].fullmatch(line.text)
        key = (family, found.groupdict().get("chain") or name) if found else (family, "")
        if found is None or key not in seen.chains:
            line.refuse("This line is in no chain that is known")
        at = found.start("statement")
        statement = Source(line.file, line.number, line.column + at - 2, f"- {found['statement']}")
        seen.chains[key].statements.append(statement)
        seen.said.append(self.drop.sub(self.grammar["uncounted"], line.text) if self.drop else line.text)
        return family, name

    def _hook(self, key: Key, seen: _Text, out: dict[Bind, Sequence[Line]], used: set[Key]) -> None:
        """The lists to which a hook sends packets, each with its interface, direction and family."""
        final = False
        for statement in seen.chains[key].statements:
            found = self.binding.match(statement)
            groups = found.groupdict()
            family = key[0] or self.grammar["families"].get(groups.get("family", ""), 0)
            if not family:
                statement.refuse("Of which family this line is, is not said before it")
            way = "in" if groups["in"] else "out"
            name, target = groups[way], (key[0], groups["chain"])
            bind = self.called.key((name, way, family), out, statement)
            if target not in seen.chains:
                statement.refuse(f"The chain {target[1]} is not in the text")
            used.add(target)
            lines = self._list(target, family, seen, used)
            if not lines:
                statement.refuse(f"The chain {target[1]} is empty; what an empty list passes is not known")
            final |= any(meant for _, meant in lines)
            out[bind] = listed(line for line, _ in lines)
            if final and len({one for _, one, fam in out if fam == family}) > 1:
                statement.refuse("An accept ends all filtering, and lists of both directions are bound")

    def _list(self, target: Key, family: int, seen: _Text, used: set[Key]) -> list[tuple[Line | Block[Line], bool]]:
        """A chain's entries, each with whether its permit ends all filtering."""
        decided: list[Box] = []
        closed = False
        every = self.meanings.every(family)
        out: list[tuple[Line | Block[Line], bool]] = []
        first = ""
        for statement, meaning in self._meant(target, family, seen, used):
            if meaning.goto and meaning.first:
                first = meaning.goto
                continue
            if meaning.goto:
                continue
            if not meaning.verdict:
                continue
            if meaning.later and not first and by_key(self.grammar["fragments_need_first"], family):
                statement.refuse("First fragments would be taken for later ones, as none goes its own way before")
            out.append((_said(meaning, statement), meaning.verdict == "accept"))
            if closed:
                continue
            for box in meaning.each():
                if not meaning.known and not any(_within(box, other) for other in decided):
                    statement.refuse("How this line treats fragments is not known, and no line before it decides them")
                decided += [box] if box[6][1] == 1 else []
            closed = any(_within(every, box) for box in decided[-1:])
        if out and (isinstance(out[-1][0], Block) or out[-1][0].box != every):
            # What comes to the end of a chain goes back to the hook, whose end passes it.
            out.append((Line(True, every, seen.chains[target].header.number, "the end of the chain returns"), False))
        return out

    def _meant(self, target: Key, family: int, seen: _Text, used: set[Key]) -> Iterator[tuple[Source, Meaning]]:
        """A chain's statements and their meaning; a chain to which its end goes stands in its place."""
        statements = seen.chains[target].statements
        first = ""
        for at, statement in enumerate(statements):
            meaning = self._meaning(statement, family, seen)
            yield statement, meaning
            if meaning.goto and meaning.first:
                if first:
                    statement.refuse("First fragments are sent away twice")
                first = meaning.goto
            elif meaning.goto:
                if at != len(statements) - 1 or (first and first != meaning.goto):
                    statement.refuse("A chain may go to another one at its end only, and there first fragments go too")
                inner = target[0], meaning.goto
                if inner not in seen.chains or inner == target:
                    statement.refuse(f"The chain {meaning.goto} is not in the text")
                used.add(inner)
                yield from self._inner(inner, family, seen)
                return
        if first:
            seen.chains[target].header.refuse("First fragments are sent away, and other packets do not follow them")

    def _inner(self, inner: Key, family: int, seen: _Text) -> Iterator[tuple[Source, Meaning]]:
        for statement in seen.chains[inner].statements:
            meaning = self._meaning(statement, family, seen)
            if meaning.goto or meaning.later:
                statement.refuse("This chain is the end of another one, and may not go on or ask for fragments")
            yield statement, meaning

    def _meaning(self, statement: Source, family: int, seen: _Text) -> Meaning:
        """What a statement means, with the addresses of the sets that it names. Raises Refused."""
        found = self.statement.match(statement)
        meaning = self.meanings.of(found, family, statement)
        if self.sets.header is None or (found["sources"] is None and found["destinations"] is None):
            return meaning
        said = found.groupdict()
        if meaning.goto:
            statement.refuse("A chain is gone to with conditions")
        ends = []
        for one, several, at in (("destination", "destinations", 1), ("source", "sources", 2)):
            if said[one] and said[several]:
                statement.refuse("An end is asked for by address and by set", found.start(several))
            try:
                box = meaning.boxes[0] if meaning.boxes else self.meanings.every(family)
                ends.append(seen.sets.spans(said[several], family) if said[several] else (box[at],))
            except Unreadable as why:
                statement.refuse(str(why), found.start(several))
        return meaning._replace(ends=(ends[0], ends[1]))


def _said(meaning: Meaning, statement: Source) -> Line | Block[Line]:
    """A line of a list; with sets a block of them."""
    (box,), permit = meaning.boxes, meaning.verdict != "deny"
    if meaning.ends is None:
        return Line(permit, box, statement.number, statement.text[2:], meaning.label)
    destinations, sources = meaning.ends
    sets = (box[0],), destinations, sources, (box[3],), (box[4],), (box[5],), (box[6],)
    return Block(sets, Line(permit, (), statement.number, statement.text[2:], meaning.label))


def _within(box: Box, other: Box) -> bool:
    """Whether the fragments of a line's protocol and addresses are all in another box."""
    return all(y[0] <= x[0] and x[1] <= y[1] for x, y in zip(box[:3], other[:3], strict=True))
