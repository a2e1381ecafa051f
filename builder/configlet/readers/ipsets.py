"""Sets of addresses that a text builds before its rules, command by command as ``ipset restore`` does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from configlet.model.net import Spans
from configlet.readers.grammar import Source
from configlet.readers.spans import BITS, Span, Unreadable, address, address_text, joined, prefix

_VERBS = ("create", "flush", "add", "swap", "destroy")


@dataclass(slots=True)
class _Set:
    family: int
    most: int
    """How many members it may have."""
    members: set[Span] = field(default_factory=set)


class SetGrammar:
    """The lines under ``sets`` in a grammar; none where a platform has no sets."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self.header = said.get("header")
        self.line = re.compile(said.get("line", "(?!)"))
        self.verbs = {verb: re.compile(said[verb]) for verb in _VERBS} if said else {}
        self.families: Mapping[str, int] = said.get("families", {})
        self.shortest = int(said.get("shortest", 0))


class Sets:
    """The sets of one text, as its lines so far left them."""

    def __init__(self, grammar: SetGrammar) -> None:
        self.grammar = grammar
        self.known: dict[str, _Set] = {}

    def take(self, line: Source, *, before: bool) -> bool:
        """Whether the line is of sets; it is carried out. Raises Refused for one that the kernel would not take, that is not
        known, or that does not stand ``before`` all rules."""
        if line.text == self.grammar.header:
            return True
        if not self.grammar.line.fullmatch(line.text):
            return False
        if not before:
            line.refuse("Sets stand before the rules that name them")
        for verb, pattern in self.grammar.verbs.items():
            if found := pattern.fullmatch(line.text):
                try:
                    self._do(verb, found)
                except Unreadable as why:
                    line.refuse(str(why), line.text.find(" ") + 1)
                return True
        return line.refuse("This line of sets is not known, or not modelled")

    def _do(self, verb: str, found: re.Match[str]) -> None:
        name = found["name"]
        if verb == "create":
            if name in self.known:
                raise Unreadable("This set stands twice in the text")
            self.known[name] = _Set(self.grammar.families[found["family"]], int(found["most"]))
            return
        one = self._found(name)
        if verb == "flush":
            one.members.clear()
        elif verb == "add":
            one.members.add(self._member(found["member"], one.family))
            if len(one.members) > one.most:
                raise Unreadable("This set has more members than its maxelem")
        elif verb == "swap":
            other = self._found(found["other"])
            if other.family != one.family:
                raise Unreadable("These sets are of different families")
            self.known[name], self.known[found["other"]] = other, one
        else:
            del self.known[name]

    def _member(self, text: str, family: int) -> Span:
        if "/" not in text:
            value = address(text, family)
            return value, value
        if int(text.rpartition("/")[2]) < self.grammar.shortest:
            raise Unreadable(f"This type of set holds no prefix shorter than /{self.grammar.shortest}")
        return prefix(text, family)

    def _found(self, name: str) -> _Set:
        if name not in self.known:
            raise Unreadable(f"The set {name} does not stand before this line")
        return self.known[name]

    def spans(self, name: str, family: int) -> Spans:
        """The addresses of a set. Raises Unreadable for one that is not there, empty, or of another family."""
        one = self._found(name)
        if one.family != family:
            raise Unreadable(f"The set {name} is of IPv{one.family}, which no rule of IPv{family} may name")
        if not one.members:
            raise Unreadable(f"The set {name} is empty")
        return joined(one.members)

    def normal(self) -> Iterator[str]:
        """The sets in their normal form, without sizes and in the order of names and members."""
        words = {family: word for word, family in self.grammar.families.items()}
        for name, one in sorted(self.known.items()):
            yield f"create {name} hash:net family {words[one.family]}"
            for low, high in sorted(one.members):
                length = BITS[one.family] - (high - low + 1).bit_length() + 1
                yield f"add {name} {address_text(one.family, low)}/{length}"
