"""Statements of a rule, token by token."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from configlet.readers.filter_values import (
    Lookup,
    Match,
    Rule,
    Selector,
    Table,
    number_text,
    span_text,
)
from configlet.readers.grammar import Source, expand, words
from configlet.readers.spans import BITS, Span, Unreadable, addresses, complement, number

_new = tuple.__new__
"""One for each line of a long text: the shortest way to make them."""
FEW = 2048
"""Rules and conditions of the texts before that are remembered."""
_MAP = " vmap @"


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
        self.name = re.compile(grammar["parts"]["name"])
        self.lookups: dict[str, tuple[tuple[Selector, ...], str]] = {}
        self.heads: dict[str, Rule] = {}
        self.rules: dict[str, Rule] = {}
        self.matches: dict[tuple[str, str], tuple[Match, str]] = {}
        ways = [f"(?P<_{at}>(?:{expand(s['pattern'], parts)})(?= |$))" for at, s in enumerate(self.kinds)]
        self.pattern = re.compile("|".join(ways))
        said = {s["does"]: expand(s["pattern"], parts) for s in self.kinds}
        ends = f"(?:(?P<accept>{said['accept']})|{said['drop']})"
        self.counting = re.compile(f"{said['count']} {ends} {said['comment']}")
        said = {does: s["canonical"] for s in self.kinds if (does := s["does"]) in ("count", "accept", "drop")}
        self.ended = {does: f"{said['count']} {said[does]}" for does in ("accept", "drop")}

    def rule(self, line: Source) -> Rule:
        """One rule, each token understood. Raises Refused at the first that is not."""
        known = self.rules.get(line.text)
        if known is not None:
            return _new(Rule, (line, *known[1:]))
        if len(self.rules) >= FEW:
            self.rules.clear()
        found = self.rules[line.text] = self.counted(line) or self._looking(line) or self._rule(line)
        return found

    def _looking(self, line: Source) -> Rule | None:
        """A rule that ends with a lookup, if another had the same words up to the name of its map."""
        head, _, name = line.text.rpartition(_MAP)
        if not head or not self.name.fullmatch(name):
            return None
        known = self.heads.get(head)
        if known is None:
            known = self._rule(line)
            if known.lookup is None or not known.text.endswith(_MAP + name):
                return None
            if len(self.heads) >= FEW:
                self.heads.clear()
            self.heads[head] = known
        assert known.lookup is not None
        text = known.text.removesuffix(known.lookup.map) + name
        return known._replace(source=line, lookup=Lookup(known.lookup.selectors, name), text=text)

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
                match, text = self._known_match(kind, found, line)
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

    def _known_match(self, kind: Mapping[str, Any], found: re.Match[str], line: Source) -> tuple[Match, str]:
        """A condition; many rules have theirs in common."""
        key = kind["does"], found[0]
        if key not in self.matches:
            if len(self.matches) >= FEW:
                self.matches.clear()
            self.matches[key] = self._match(kind, found, line)
        return self.matches[key]

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
        if selector.field == "type":  # with any code, as one number
            whole = tuple((low * 256, high * 256 + 255) for low, high in ordered)
            return Match(replace(selector, field="message"), whole), f"{selector.text} {value}"
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
                return addresses(text, selector.family or 0)
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
        said = found["keys"]
        if said not in self.lookups:
            selectors = tuple(self.selectors[text] for text in said.split(" . "))
            self.lookups[said] = selectors, " . ".join(selector.text for selector in selectors)
        selectors, keys = self.lookups[said]
        return Lookup(selectors, found["map"]), f"{keys} vmap @{found['map']}"

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


def _messages(matches: list[Match], line: Source) -> tuple[Match, ...]:
    """The conditions with the codes of an ICMP type in its number, ``type * 256 + code``. Raises Refused for a code alone."""
    out: list[Match] = []
    for match in matches:
        if match.selector and match.selector.field == "code":
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
