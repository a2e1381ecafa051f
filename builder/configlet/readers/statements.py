"""Statements of a rule and elements of a map, token by token."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from configlet.readers.filter_values import (
    FAMILY,
    Element,
    End,
    Lookup,
    Match,
    Rule,
    Said,
    Selector,
    Table,
    number_text,
    span_text,
)
from configlet.readers.grammar import Source, expand, words
from configlet.readers.spans import BITS, Span, Unreadable, address, complement, number, prefix
from configlet.readers.tree import Stanza

_new = tuple.__new__
"""One for each line of a long text: the shortest way to make them."""
REMEMBERED = 8192
"""Elements of the texts before that are remembered, of each type of key."""
_PART = re.compile(r'(?:[^,"]|"[^"]*"|")+')
"""What stands between two commas of a list; a comment may hold commas of its own."""


class Statements:
    """The statements of a grammar as one regular expression, and what their words mean."""

    def __init__(self, grammar: Mapping[str, Any]) -> None:
        self.grammar = grammar
        self.names = grammar["names"]
        self.selectors = {
            text: Selector(s["field"], s["of"], s["value"], s.get("family"), s.get("proto"), s.get("canonical", text))
            for text, s in grammar["selectors"].items()
        }
        parts = {"selector": words(self.selectors), **grammar["parts"]}
        self.kinds = grammar["statements"]
        self.keys: dict[tuple[str, str], Span] = {}
        self.said: dict[tuple[tuple[str, ...], bool], dict[str, Said]] = {}
        self.element = re.compile(expand(grammar["map"]["element"], parts))
        ways = [f"(?P<_{at}>(?:{expand(s['pattern'], parts)})(?= |$))" for at, s in enumerate(self.kinds)]
        self.pattern = re.compile("|".join(ways))
        said = {s["does"]: expand(s["pattern"], parts) for s in self.kinds}
        ends = f"(?:(?P<accept>{said['accept']})|{said['drop']})"
        self.counting = re.compile(f"{said['count']} {ends} {said['comment']}")
        said = {does: s["canonical"] for s in self.kinds if (does := s["does"]) in ("count", "accept", "drop")}
        self.ended = {does: f"{said['count']} {said[does]}" for does in ("accept", "drop")}

    def rule(self, line: Source) -> Rule:
        """One rule, each token understood. Raises Refused at the first that is not."""
        return self.counted(line) or self._rule(line)

    def counted(self, line: Source) -> Rule | None:
        """A rule that counts, decides and says for whom, as nearly every chain has one; None for any other."""
        found = self.counting.fullmatch(line.text)
        if found is None:
            return None
        accept, label = found.group("accept", "label")
        does = "accept" if accept else "drop"
        return _new(Rule, (line, (), None, does, "", label, f'{self.ended[does]} comment "{label}"', True))

    def _rule(self, line: Source) -> Rule:
        at, matches, texts = 0, [], []
        lookup: Lookup | None = None
        verdict, target, label, ended, counted = "", "", "", False, False
        while at < len(line.text):
            kind, found = self._next(line, at)
            does = kind["does"]
            if ended and does != "comment":
                line.refuse("Nothing but a comment can follow here", at)
            if does in ("match", "fragments", "state"):
                match, text = self._match(kind, found, line)
                matches.append(match)
            elif does == "lookup":
                lookup, text = self._lookup(found)
            else:
                text = kind.get("canonical", found[0])
            counted = counted or does == "count"
            ended = ended or does in ("lookup", "accept", "drop", "jump", "comment")
            verdict = does if does in ("accept", "drop") else found["verb"] if does == "jump" else verdict
            target = found["chain"] if does == "jump" else target
            label = found["label"] if does == "comment" else label
            texts.append(text)
            at = found.end() + 1
        return Rule(line, _messages(matches, line), lookup, verdict, target, label, " ".join(texts), counted)

    def _next(self, line: Source, at: int) -> tuple[Mapping[str, Any], re.Match[str]]:
        found = self.pattern.match(line.text, at)
        if found is None or found.lastgroup is None:
            line.refuse("This word is no statement that is known", at)
        return self.kinds[int(found.lastgroup[1:])], found

    def _match(self, kind: Mapping[str, Any], found: re.Match[str], line: Source) -> tuple[Match, str]:
        if kind["does"] == "fragments":
            return Match(None, (), fragments=kind["family"]), kind["canonical"]
        if kind["does"] == "state":
            bits = self._states(found, line)
            return Match(None, (), states=bits), f"ct state {bits:#x}"
        selector = self.selectors[found["selector"]]
        texts = found["value"].strip("{}").split(",")
        spans = [self._value(selector, text.strip(), line, found.start("value")) for text in texts]
        if found["not"]:
            spans = complement(spans, self._highest(selector, line, found.start("value")))
        ordered = tuple(sorted(spans))
        said = [
            span_text(selector.family, span) if selector.value == "address" else number_text(span) for span in ordered
        ]
        value = said[0] if len(said) == 1 else "{ " + ", ".join(said) + " }"
        return Match(selector, ordered), f"{selector.text} {value}"

    def _states(self, found: re.Match[str], line: Source) -> int:
        bits = 0
        for word in found["states"].split(","):
            value = self.grammar["states"].get(word)
            if value is None and re.fullmatch(r"0x[0-9a-f]+", word):
                value = int(word, 16)
            if value is None or value & ~sum(self.grammar["states"].values()):
                line.refuse("This state of a connection is not known", found.start("states"))
            bits |= value
        return bits

    def _highest(self, selector: Selector, line: Source, at: int) -> int:
        if selector.value == "address":
            if selector.family is None:
                line.refuse("The family of this address is not known", at)
            return (1 << BITS[selector.family]) - 1
        return 255 if selector.value in ("proto", "icmp") or selector.field == "code" else 65535

    def _value(self, selector: Selector, text: str, line: Source, at: int) -> Span:
        try:
            if selector.value == "address":
                return _addresses(text, selector.family or 0)
            low, _, high = (text, "", "") if self._name(selector, text) is not None else text.partition("-")
            first = self._number(selector, low)
            last = self._number(selector, high) if high else first
            if first > last:
                raise Unreadable("This range is reversed")
            return first, last
        except Unreadable as why:
            line.refuse(str(why), at)

    def _name(self, selector: Selector, text: str) -> int | None:
        table = self.names["icmp"][selector.family] if selector.value == "icmp" else self.names.get(selector.value, {})
        found = table.get(text)
        return None if found is None else int(found)

    def _number(self, selector: Selector, text: str) -> int:
        named = self._name(selector, text)
        narrow = selector.value in ("proto", "icmp") or selector.field == "code"
        return number(text, 255 if narrow else 65535) if named is None else named

    def _lookup(self, found: re.Match[str]) -> tuple[Lookup, str]:
        selectors = tuple(self.selectors[text] for text in found["keys"].split(" . "))
        keys = " . ".join(selector.text for selector in selectors)
        return Lookup(selectors, found["map"]), f"{keys} vmap @{found['map']}"

    def elements(self, kinds: tuple[str, ...], stanza: Stanza, *, counting: bool) -> list[Element]:
        """The elements of a map's list; hosts of one segment have most of theirs in common. Raises Refused."""
        if not stanza.header.text.startswith("elements = {"):
            stanza.header.refuse("This property of a map is not known")
        known = self.said.setdefault((kinds, counting), {})
        each = _each(stanza.lines)
        return [_new(Element, (*(known.get(one.text) or self._said(kinds, one, counting=counting)), one)) for one in each]

    def _said(self, kinds: tuple[str, ...], source: Source, *, counting: bool) -> Said:
        known = self.said[kinds, counting]
        if len(known) >= REMEMBERED:
            known.clear()
        said = known[source.text] = self._read(kinds, source, counting=counting)
        return said

    def _read(self, kinds: tuple[str, ...], source: Source, *, counting: bool) -> Said:
        found = self.element.fullmatch(source.text)
        if found is None:
            source.refuse("This is no element of this map")
        said, counter, label, verdict, verb, chain = found.group("keys", "counter", "label", "verdict", "verb", "chain")
        keys = said.split(" . ")
        if len(keys) != len(kinds):
            source.refuse("This is no element of this map")
        if counter and not counting:
            source.refuse("This element counts, and its map does not say that its elements do")
        if chain and label is not None:
            source.refuse("A comment stands with an element that decides nothing; it belongs to the chain to which this leads")
        known = self.keys
        try:
            spans = tuple([known.get(key) or self._keyed(*key) for key in zip(kinds, keys, strict=True)])
        except Unreadable as why:
            source.refuse(str(why))
        if chain:
            return spans, verb, chain, None
        return spans, verdict, "", _new(End, (verdict == "accept", label or "", counting))

    def _keyed(self, kind: str, text: str) -> Span:
        """A part of a key; many elements have theirs in common."""
        if len(self.keys) >= REMEMBERED:
            self.keys.clear()
        span = self.keys[kind, text] = self._key(kind, text)
        return span

    def _key(self, kind: str, text: str) -> Span:
        if kind in FAMILY:
            return _addresses(text, FAMILY[kind])
        names = self.names["proto"] if kind == "inet_proto" else {}
        if text in names:
            return (int(names[text]),) * 2
        low, _, high = text.partition("-")
        highest = 255 if kind == "inet_proto" else 65535
        first = number(low, highest)
        last = number(high, highest) if high else first
        if first > last:
            raise Unreadable("This range is reversed")
        return first, last

    def resolve(self, rule: Rule, table: Table) -> None:
        """Refuse a rule that names a chain or map that is not there, or looks up another type than the map's."""
        if rule.target:
            self.known_chain(rule.target, rule.source, table)
        if rule.lookup is None:
            return
        made = table.maps.get(rule.lookup.map)
        if made is None:
            rule.source.refuse("This map is not in the text")
        types = tuple(_type_of(selector) for selector in rule.lookup.selectors)
        if types != made.kinds:
            rule.source.refuse("This lookup asks for another type of key than the map's")

    def known_chain(self, name: str, source: Source, table: Table) -> None:
        """Refuse a chain that is not there, or that is a hook's."""
        if name not in table.chains or name in table.hooks:
            source.refuse("This chain is not in the text, or is a hook's")


def _each(lines: Iterable[Source]) -> Iterator[Source]:
    """The elements that stand in these lines, mostly one in each."""
    for line in lines:
        file, number, column, text = line
        if text.find(",") == len(text) - 1 > 0 and "{" not in text:
            yield _new(Source, (file, number, column, text[:-1].rstrip()))
            continue
        inner = text.removeprefix("elements = {")
        column += len(text) - len(inner)
        for part in _PART.finditer(inner.removesuffix("}")):
            if said := part[0].strip():
                yield Source(file, number, column + part.end() - len(part[0].lstrip()), said)


def _messages(matches: list[Match], line: Source) -> tuple[Match, ...]:
    """The conditions with ICMP type and code as one number, ``type * 256 + code``. Raises Refused for a code alone."""
    out: list[Match] = []
    for match in matches:
        field = match.selector.field if match.selector else ""
        if match.selector and field == "type":
            spans = tuple((low * 256, high * 256 + 255) for low, high in match.spans)
            out.append(Match(replace(match.selector, field="message"), spans))
        elif field == "code":
            known = out[-1] if out and out[-1].selector and out[-1].selector.field == "message" else None
            if known is None or any(high - low != 255 for low, high in known.spans):
                line.refuse("An ICMP code stands without one type before it")
            codes = tuple((low + a, low + b) for low, _ in known.spans for a, b in match.spans)
            out[-1] = Match(known.selector, codes)
        else:
            out.append(match)
    return tuple(out)


def _type_of(selector: Selector) -> str:
    if selector.value == "address":
        return "ipv4_addr" if selector.family == 4 else "ipv6_addr"
    return "inet_proto" if selector.value == "proto" else "inet_service"


def _addresses(text: str, family: int) -> Span:
    if "/" in text:
        return prefix(text, family)
    low, _, high = text.partition("-")
    first = address(low, family)
    last = address(high, family) if high else first
    if first > last:
        raise Unreadable("This range is reversed")
    return first, last
