"""Chains that somebody else wrote, as they stand: the restore format of iptables, and the rulesets of nft."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from configlet.readers.chain_rules import Rule, Statements
from configlet.readers.grammar import Source
from configlet.readers.spans import Unreadable
from configlet.readers.tree import sources


@dataclass(slots=True)
class Chain:
    """One chain. ``hook`` is where it judges (``INPUT``, ``forward``), or empty; ``accepts`` its policy, None where nothing
    says it."""

    header: Source
    hook: str = ""
    accepts: bool | None = True
    statements: list[Source] = field(default_factory=list)


@dataclass(slots=True)
class Table:
    """Chains and sets that see each other. A set that is None is there, and its members are not known."""

    name: str
    families: tuple[int, ...]
    chains: dict[str, Chain] = field(default_factory=dict)
    sets: dict[str, list[str] | None] = field(default_factory=dict)
    strange: Source | None = None
    """A line because of which nothing of the table is understood."""
    untracked: Source | None = None
    """A line, of whatever table, that keeps packets from being tracked."""
    known: dict[Source, list[Rule]] = field(default_factory=dict)

    def rules(self, line: Source, words: Statements) -> list[Rule]:
        """The rules of a statement, which is looked at once for all interfaces."""
        found = self.known.get(line)
        if found is None:
            found = self.known[line] = words.rules(line, self.members)
        return found

    def members(self, name: str) -> Sequence[str]:
        """The members of a set. Raises Unreadable."""
        found = self.sets.get(name)
        if not found:
            raise Unreadable(f"The set {name} has no members that are known")
        return found


def restored(text: str, file: str, said: Mapping[str, Any]) -> tuple[list[Table], int]:
    """The tables of a text in the restore format that may drop something, and how many lines of it were read."""
    out: list[Table] = []
    now: Table | None = None
    sets: dict[str, list[str] | None] = {}
    lines = {name: re.compile(pattern) for name, pattern in said["lines"].items()}
    family, read, other = 0, 0, False
    for line in sources(text, file):
        if found := lines["section"].match(line.text):
            family = next((said["sections"][word] for word in found.groupdict().values() if word), 0)
        elif found := lines["set"].fullmatch(line.text):
            _member(found, sets, said["sets"])
        elif found := lines["table"].fullmatch(line.text):
            now, other = None, found["table"] == "nat"
            if not other:
                name = "" if found["table"] == "filter" else found["table"]
                now = Table(name, (family,) if family else (), sets=sets)
                out.append(now)
        elif not line.text.startswith("#") and not other:
            read += 1
            _restored(line, now, lines, said["hooks"])
    return [_of_family(table, said) for table in out], read


def _restored(line: Source, now: Table | None, lines: Mapping[str, re.Pattern[str]], hooks: Mapping[str, Any]) -> None:
    found = lines["chain"].fullmatch(line.text)
    if now is not None and found:
        policy = found["policy"]
        hook = found["chain"] if policy != "-" else ""
        now.chains.setdefault(found["chain"], Chain(line, hook, policy != "DROP"))
    elif now is not None and (found := lines["rule"].fullmatch(line.text)):
        if found["chain"] not in now.chains and found["chain"] not in hooks:
            now.strange = now.strange or line
            return
        now.chains.setdefault(found["chain"], Chain(line, found["chain"], None))
        at = found.start("statement")
        now.chains[found["chain"]].statements.append(line._replace(column=line.column + at, text=found["statement"]))
    elif lines["nothing"].fullmatch(line.text):
        return
    elif now is None:
        line.refuse("This line is in no table that is known")
    else:
        now.strange = now.strange or line


def _member(found: re.Match[str], sets: dict[str, list[str] | None], kinds: Sequence[str]) -> None:
    """A line of `ipset save`, or of what `ipset restore` takes."""
    name = found["name"]
    if found["verb"] == "create":
        sets[name] = [] if found["rest"].split()[0] in kinds and " timeout " not in f" {found['rest']} " else None
    elif found["verb"] == "destroy":
        sets.pop(name, None)
    elif found["verb"] == "swap":
        sets[name], sets[found["rest"]] = sets.get(found["rest"]), sets.get(name)
    elif (members := sets.get(name)) is not None:
        if found["verb"] == "flush":
            members.clear()
            return
        members.append(found["rest"])
        if " " in found["rest"].strip():
            sets[name] = None


def _of_family(table: Table, said: Mapping[str, Any]) -> Table:
    """The table with its family, which its own words must say where no comment does. Raises Refused."""
    texts = [line for chain in table.chains.values() for line in chain.statements]
    if not table.families and texts:
        found = {family for word, family in said["telling"].items() for line in texts if re.search(word, line.text)}
        if len(found) != 1:
            texts[0].refuse("Nothing says of which family these rules are: begin with what iptables-save writes first")
        table.families = tuple(found)
    return table


_TOKEN = re.compile(r'"[^"\n]*"|#[^\n]*|\\\n|\n|[{};,]|[^\s{};,"#]+')


@dataclass(slots=True)
class _Word:
    text: str
    number: int
    column: int


def _words(text: str) -> Iterator[_Word]:
    number, start = 1, 0
    for found in _TOKEN.finditer(text):
        number += text.count("\n", start, found.start())
        start = found.start()
        word = found[0]
        if not word.startswith("#") and word != "\\\n":
            yield _Word(word, number, found.start() - text.rfind("\n", 0, found.start()))


class Rulesets:
    """The tables of an nft ruleset."""

    def __init__(self, text: str, file: str, said: Mapping[str, Any]) -> None:
        self.file, self.said = file, said
        self.words = list(_words(text))
        self.at = 0
        self.tables: dict[tuple[str, str], Table] = {}
        self.defined: dict[str, list[_Word]] = {}
        self.read = 0

    def parse(self) -> list[Table]:
        """All tables. Raises Refused for what stands outside of them and is not known."""
        for statement in self.statements(top=True):
            words = [word.text for word in statement]
            if words[0] == "table" and words[-1] == "{":
                self.table(statement)
            elif words[0] == "define":
                self.defined[words[1]] = [word for word in statement[2:] if word.text != "="]
            elif not re.fullmatch(self.said["outside"], " ".join(words)):
                self.source(statement).refuse("This stands outside of every table, and is not known")
        return list(self.tables.values())

    def statements(self, *, top: bool = False) -> Iterator[list[_Word]]:
        """Statements up to the brace that closes the block; one that opens a block ends with its brace."""
        said: list[_Word] = []
        depth = 0
        while self.at < len(self.words):
            word = self.words[self.at]
            self.at += 1
            if depth == 0 and word.text in ("\n", ";"):
                if said:
                    yield said
                said = []
            elif word.text == "{" and depth == 0 and self._block(said):
                yield [*said, word]
                said = []
            elif word.text == "}" and depth == 0:
                if said:
                    yield said
                if top:
                    self.source([word]).refuse("This brace closes nothing")
                return
            elif word.text != "\n":
                depth += {"{": 1, "}": -1}.get(word.text, 0)
                said += self._meant(word)
        if said:
            yield said

    def _block(self, said: list[_Word]) -> bool:
        return bool(said) and re.fullmatch(self.said["blocks"], " ".join(word.text for word in said)) is not None

    def _meant(self, word: _Word) -> list[_Word]:
        """A word, or what was defined for it."""
        if not word.text.startswith("$"):
            return [word]
        found = self.defined.get(word.text[1:])
        if found is None:
            self.source([word]).refuse("This name is not defined")
        return [_Word(one.text, word.number, word.column) for one in found]

    def source(self, statement: Sequence[_Word]) -> Source:
        """A statement as a line of single blanks; sets as ``{ a, b }``."""
        text = " ".join(word.text for word in statement).replace(" ,", ",").replace(", }", " }")
        return Source(self.file, statement[0].number, statement[0].column, text)

    def table(self, header: Sequence[_Word]) -> None:
        """One table; the same may stand in several pieces."""
        words = [word.text for word in header[1:-1]]
        family, name = (words[0], words[1]) if len(words) > 1 else ("ip", words[0])
        families = tuple(self.said["tables"].get(family, ()))
        table = self.tables.setdefault((family, name), Table(f"{family} {name}", families))
        if not families:
            table.strange = self.source(header)
        for statement in self.statements():
            kind = statement[0].text
            if statement[-1].text == "{" and kind == "chain":
                self.chain(table, statement)
            elif statement[-1].text == "{" and kind in ("set", "map"):
                self.set(table, statement)
            elif statement[-1].text == "{":
                list(self.statements())
            elif not re.fullmatch(self.said["inside"], " ".join(word.text for word in statement)):
                table.strange = table.strange or self.source(statement)

    def chain(self, table: Table, header: Sequence[_Word]) -> None:
        """One chain: its hook and policy, and its statements."""
        made = table.chains.setdefault(header[1].text, Chain(self.source(header)))
        for statement in self.statements():
            self.read += 1
            line = self.source(statement)
            if found := re.fullmatch(self.said["hook"], line.text):
                made.hook = found["hook"] if found["type"] == "filter" else f"{found['type']} {found['hook']}"
            elif found := re.fullmatch(self.said["policy"], line.text):
                made.accepts = found["policy"] == "accept"
            else:
                made.statements.append(line)

    def set(self, table: Table, header: Sequence[_Word]) -> None:
        """One set or map. What grows by itself, or dies, has no members that are known."""
        name = header[1].text
        table.sets[name] = None
        members: list[str] | None = None
        moves = False
        for statement in self.statements():
            self.read += 1
            line = self.source(statement).text
            moves = moves or re.fullmatch(self.said["moving"], line) is not None
            if found := re.fullmatch(r"elements = \{ ?(.*?) ?\}", line):
                members = [one.strip() for one in found[1].split(",") if one.strip()]
        if members and not moves:
            table.sets[name] = members
