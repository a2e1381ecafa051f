"""Statements of chains that somebody else wrote: what each asks of a packet, word by word and in any order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from configlet.model.block import Sets
from configlet.packets.sets import without
from configlet.readers.clauses import BIT, PORTS
from configlet.readers.conditions import ANY
from configlet.readers.flags import predicate
from configlet.readers.grammar import Source, expand
from configlet.readers.names import Names
from configlet.readers.spans import Span, Unreadable, address, joined, netmask, number, prefix

Spans = tuple[Span, ...]
WITH_PORTS = frozenset((6, 17, 33, 132, 136))
TOPS = {"proto": 255, "sport": 65535, "dport": 65535, "type": 65535}


@dataclass(frozen=True, slots=True)
class Asked:
    """One condition: the field, its words, and whether it must not hold. ``side`` is a set's, ``of`` a protocol."""

    field: str
    value: str
    negated: bool
    more: Mapping[str, str]


@dataclass(slots=True)
class Rule:
    """One statement. ``verdict`` is permit, deny, return, jump or goto; ``target`` the chain of the last two."""

    line: Source
    asked: list[Asked] = field(default_factory=list)
    verdict: str = ""
    target: str = ""
    label: str = ""
    wrong: int = -1
    """Where the first word stands that is not known; what is before it is understood."""


@dataclass(frozen=True, slots=True)
class View:
    """From where the packets of a list are looked at: family, interfaces, and the state of their connections.

    ``state`` is empty where no rule asks for one; ``NEW`` and ``ESTABLISHED`` are a connection's first and later packets.
    """

    family: int
    inside: str = ""
    outside: str = ""
    state: str = ""

    @property
    def full(self) -> Sets:
        """All packets of the view. Where connections are tracked, fragments are put together before."""
        every = ANY[self.family]
        return ((0, 255),), (every,), (every,), (PORTS,), (PORTS,), (BIT,), ((0, 0),) if self.state else (BIT,)


Members = Callable[[str], Sequence[str]]
"""The members of a set by its name. Raises Unreadable."""


class Statements:
    """The options of a grammar, compiled."""

    def __init__(self, grammar: Mapping[str, Any], names: Names) -> None:
        said = grammar["running"]
        parts = {name: f"(?:{pattern})" for name, pattern in said.get("parts", {}).items()}
        self.options = [(re.compile(expand(one["pattern"], parts) + r"(?= |$)"), one) for one in said["options"]]
        self.quiet, self.decides = re.compile(said["quiet"]), re.compile(said["decides"])
        self.strings = re.compile(said.get("strings", r'"[^"]*"'))
        self.vmap = re.compile(said.get("vmap", "(?!)"))
        self.verdicts: Mapping[str, str] = said["verdicts"]
        self.any_type = frozenset(said.get("any_type", ()))
        self.states: Mapping[str, str] = said["states"]
        self.wild, self.zero_is_all = said["wild"], said.get("zero_is_all", False)
        self.untracked = re.compile(said["untracked"])
        self.families: Mapping[str, int] = said.get("families", {})
        self.names = names

    def rules(self, line: Source, members: Members) -> list[Rule]:
        """The rules of a statement: none where it decides nothing, several for a map of verdicts."""
        bare = self.strings.sub("", line.text)
        if self.quiet.search(bare) or not self.decides.search(bare):
            return []
        if found := self.vmap.search(line.text):
            try:
                elements = self._elements(found["value"], members)
            except Unreadable:
                return [Rule(line, wrong=found.start())]
            head, tail = line.text[: found.start()], line.text[found.end() :]
            texts = (f"{head}{found['selector']} {key} {verdict}{tail}" for key, verdict in elements)
            return [self._rule(line._replace(text=text)) for text in texts]
        return [self._rule(line)]

    def _elements(self, value: str, members: Members) -> list[tuple[str, str]]:
        said = members(value[1:]) if value.startswith("@") else _inside(value)
        pairs = [one.split(" : ", 1) for one in said]
        if any(len(pair) != 2 or " . " in pair[0] for pair in pairs):
            raise Unreadable("This map of verdicts is not modelled")
        return [(pair[0].strip(), pair[1].strip()) for pair in pairs]

    def _rule(self, line: Source) -> Rule:
        made, at = Rule(line), 0
        while at < len(line.text):
            matched = ((found, said) for pattern, said in self.options if (found := pattern.match(line.text, at)))
            found, said = next(matched, (None, {}))
            if found is None:
                made.wrong = at
                return made
            self._take(made, found, said)
            at = found.end() + 1
        return made

    def _take(self, made: Rule, found: re.Match[str], said: Mapping[str, Any]) -> None:
        groups = {name.rstrip("_"): value for name, value in found.groupdict().items() if value is not None}
        name, value = said.get("field", ""), groups.get("value", str(said.get("is", "")))
        if name == "label":
            made.label = value
        elif name == "verdict":
            made.verdict = self.verdicts[value]
            made.asked += [Asked(what, text, False, {}) for what, text in said.get("asks", {}).items()]
        elif name in ("jump", "goto"):
            made.verdict, made.target = name, value
        elif name:
            more = {key: text for key, text in {**said, **groups}.items() if isinstance(text, str)}
            made.asked.append(Asked(name, value, "not" in groups, more))

    def meets(self, rule: Rule, view: View, members: Members) -> bool:
        """Whether its interfaces are those of the view. Raises Refused for a set of them that is not known."""
        return all(
            any(self.covers(said, name) for said in self.interfaces(rule, side, one, members)) != one.negated
            for side, name in (("in", view.inside), ("out", view.outside))
            for one in rule.asked
            if one.field == side
        )

    def interfaces(self, rule: Rule, side: str, one: Asked, members: Members) -> list[str]:
        """The names that a condition asks for at a side. Raises Refused for a set that is not known."""
        if one.field != side:
            return []
        try:
            return [name.strip('"') for word in _values(one.value) for name in
                    (members(word[1:]) if word.startswith("@") else (word,))]  # fmt: skip
        except Unreadable as why:
            rule.line.refuse(str(why))

    def covers(self, said: str, name: str) -> bool:
        """Whether an interface is meant by a word that may end in the grammar's wildcard."""
        return name.startswith(said[:-1]) if said.endswith(self.wild) else name == said

    def sets(self, rule: Rule, view: View, members: Members) -> list[Sets]:
        """The packets that a rule asks for. Raises Refused for a value that cannot be meant."""
        if not self.meets(rule, view, members):
            return []
        try:
            found = list(_Asking(self, rule, view, members).sets())
        except Unreadable as why:
            rule.line.refuse(str(why))
        if found and rule.wrong >= 0:
            rule.line.refuse("This word is not known, or not modelled", rule.wrong)
        return found


class _Asking:
    """One rule's conditions over one view."""

    def __init__(self, words: Statements, rule: Rule, view: View, members: Members) -> None:
        self.words, self.rule, self.view, self.members = words, rule, view, members
        self.family = view.family
        self.spans: dict[str, Spans] = {}

    def sets(self) -> Iterable[Sets]:
        for one in self.rule.asked:
            if not self._ask(one):
                return
        every = (ANY[self.family],)
        protos = self.spans.get("proto", ((0, 255),))
        types, flags = self._types(), self.spans.get("flags", (BIT,))
        sports, dports = self.spans.get("sport", (PORTS,)), types or self.spans.get("dport", (PORTS,))
        upper = (sports, dports, flags) != ((PORTS,), (PORTS,), (BIT,))
        fragment = self.spans.get("fragments", ((0, 0),) if upper or self.view.state else (BIT,))
        if "fragments" in self.spans and upper and fragment == ((1, 1),):
            raise Unreadable("A fragment has no ports, types or flags")
        source, target = self.spans.get("source", every), self.spans.get("destination", every)
        made = protos, target, source, dports, sports, flags, fragment
        if all(made):
            yield from self._either(made)

    def _either(self, made: Sets) -> Iterable[Sets]:
        """Ports that may stand on either side."""
        ports = self.spans.get("ports")
        if ports is None:
            yield made
            return
        p, target, source, dports, sports, flags, _ = made
        yield p, target, source, ports, sports, flags, ((0, 0),)
        yield p, target, source, dports, ports, flags, ((0, 0),)

    def _ask(self, one: Asked) -> bool:
        """Take a condition into account; whether any packet can still be meant."""
        name = one.field
        if name in ("in", "out"):
            return True
        if name == "family":
            return (self.words.families.get(one.value) == self.family) != one.negated
        if "family" in one.more and self.words.families.get(one.more["family"]) != self.family:
            return False
        if name == "state":
            return self._state(one)
        if name == "fragments":
            if self.view.state:
                return one.negated
            self._put("fragments", ((0, 0),) if one.negated else ((1, 1),))
            return True
        if name == "flags":
            return self._flags(one)
        if "of" in one.more and one.more["of"] not in ("th", ""):
            self._put("proto", (self.words.names.proto(one.more["of"], self.family),))
        ends = {"src": "source", "dst": "destination"}
        self._put(ends[one.more["side"]] if name == "set" else name, self._values(one))
        return True

    def _put(self, name: str, spans: Spans) -> None:
        known = self.spans.get(name)
        self.spans[name] = spans if known is None else without(known, tuple(_outside(spans)))

    def _state(self, one: Asked) -> bool:
        said = {self.words.states.get(word, "?") for word in _values(one.value)}
        if "?" in said:
            raise Unreadable("This state of a connection is not known")
        if "INVALID" in said and not one.negated and self.rule.verdict == "permit" and len(said) == 1:
            raise Unreadable("What is in no known state passes here, which is not modelled")
        return (self.view.state in said) != one.negated

    def _flags(self, one: Asked) -> bool:
        self._put("proto", ((6, 6),))
        holds = predicate(one.more, one.value, one.negated)
        if self.view.state == "NEW":
            return holds(0x02)
        if self.view.state:
            later = (0x02, 0x10, 0x11, 0x12, 0x18, 0x19, 0x30, 0x38, 0x04, 0x14)
            if self.rule.verdict != "permit" and any(holds(byte) for byte in later):
                raise Unreadable("These flags stand in packets of connections that are known")
            return False
        classes = {(bool(byte & 0x14), holds(byte)) for byte in range(64)}
        if {(True, True), (True, False)} <= classes or {(False, True), (False, False)} <= classes:
            raise Unreadable("Of TCP flags only ACK or RST together are modelled here")
        kept = [bit for bit, yes in ((0, (False, True) in classes), (1, (True, True) in classes)) if yes]
        self._put("flags", tuple(joined((bit, bit) for bit in kept)))
        return bool(kept)

    def _values(self, one: Asked) -> Spans:
        texts = [text for word in _values(one.value) for text in self._named(one, word)]
        name = "address" if one.field in ("source", "destination", "set") else one.field
        spans = joined(span for text in texts for span in getattr(self, f"_{name}")(text))
        top = ANY[self.family][1] if name == "address" else TOPS.get(name, 65535)
        return tuple(_outside(spans, top)) if one.negated else spans

    def _named(self, one: Asked, word: str) -> Sequence[str]:
        if one.field == "set":
            return self.members(word)
        return self.members(word[1:]) if word.startswith("@") else (word,)

    def _address(self, text: str) -> list[Span]:
        return [addresses_of(text.removeprefix("== "), self.family)]

    def _proto(self, text: str) -> list[Span]:
        span = self.words.names.proto(text, self.family)
        return [(0, 255) if span == (0, 0) and self.words.zero_is_all else span]

    def _dport(self, text: str) -> list[Span]:
        protos = self.spans.get("proto", ())
        if not protos or any(p not in WITH_PORTS for low, high in protos for p in range(low, high + 1)):
            raise Unreadable("Ports stand beside no protocol that has them")
        of = (6, 6) if any(span[0] <= 6 <= span[1] for span in protos) else protos[0]
        of = of if of[0] in self.words.names.ported and of[0] == of[1] else (6, 6)
        if found := re.fullmatch(r"([<>])(=?) (\S+)", text):
            (span,) = self.words.names.ports(f"eq {found[3]}", of)
            low_, high_ = (span[0] + (not found[2]), 65535) if found[1] == ">" else (0, span[0] - (not found[2]))
            return [(low_, high_)] if low_ <= high_ else []
        text = text.removeprefix("== ")
        low, between, high = text.replace("-", ":").partition(":") if text[:1].isdigit() or text[:1] == ":" else (text, "", "")
        return self.words.names.ports(f"range {low or 0} {high or 65535}" if between else f"eq {low}", of)

    _sport = _ports = _dport

    def _type(self, text: str) -> list[Span]:
        if self.family == 4 and text in self.words.any_type:
            return [PORTS]
        kind, _, code = text.partition("/")
        number = self.words.names.icmp_of[self.family]
        self._put("proto", ((number, number),))
        if not self.spans["proto"]:
            raise Unreadable("An ICMP type stands beside another protocol")
        return [self.words.names.icmp(f"{kind} {code}".strip(), (number, number), self.family)]

    def _code(self, text: str) -> list[Span]:
        return [(number(text, 255),) * 2]

    def _types(self) -> Spans | None:
        types, codes = self.spans.get("type"), self.spans.get("code")
        if codes is None:
            return types
        if types is None or any(low % 256 or high % 256 != 255 for low, high in types):
            raise Unreadable("An ICMP code has no type")
        kinds = (kind for low, high in types for kind in range(low // 256, high // 256 + 1))
        return joined((256 * kind + low, 256 * kind + high) for kind in kinds for low, high in codes)


def addresses_of(text: str, family: int) -> Span:
    """An address, a prefix, a network with its mask, or a range. Raises Unreadable."""
    low, dash, high = text.partition("-")
    if dash:
        span = address(low, family), address(high, family)
        if span[0] > span[1]:
            raise Unreadable("This range is reversed")
        return span
    base, slash, mask = text.partition("/")
    if slash and "." in mask:
        return netmask(base, mask)
    value = 0 if slash else address(text, family)
    return prefix(text, family) if slash else (value, value)


def _outside(spans: Iterable[Span], top: int = (1 << 128) - 1) -> Iterable[Span]:
    return without(((0, top),), tuple(spans))


def _inside(text: str) -> list[str]:
    """The elements between braces."""
    return [one.strip() for one in text.strip("{} ").split(",") if one.strip()]


def _values(text: str) -> list[str]:
    return _inside(text) if text.startswith("{") else [one.strip(' "') for one in text.split(",") if one]
