"""Statements of a rule and elements of a map, token by token."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import repeat
from operator import itemgetter
from typing import Any

from configlet.readers.columns import Columns, Spoken, Unfit
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
from configlet.readers.tree import Stanza, sources

_new = tuple.__new__
"""One for each line of a long text: the shortest way to make them."""
REMEMBERED = 8192
"""Elements of the texts before that are remembered, of each type of key."""
FEW = 2048
"""Rules and conditions of the texts before that are remembered."""
_MARGINS = {9: None, 10: None}
"""Tabs and ends of lines, to be left out."""
_MAP = " vmap @"
_PART = re.compile(r'(?:[^,"]|"[^"]*"|")+')
"""What stands between two commas of a list; a comment may hold commas of its own."""


class _Keys(dict[str, Span]):
    """Parts of keys of one type, of which many elements have theirs in common. Raises Unreadable."""

    def __init__(self, read: Callable[[str], Span]) -> None:
        self._read = read

    def __missing__(self, text: str) -> Span:
        if len(self) >= REMEMBERED:
            self.clear()
        span = self[text] = self._read(text)
        return span


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
        self.keys = {kind: _Keys(partial(self._key, kind)) for kind in grammar["key_types"]}
        self.lookups: dict[str, tuple[tuple[Selector, ...], str]] = {}
        self.heads: dict[str, Rule] = {}
        self.said: dict[tuple[tuple[str, ...], bool], dict[str, Said]] = {}
        self.rules: dict[str, Rule] = {}
        self.matches: dict[tuple[str, str], tuple[Match, str]] = {}
        self.spoken: dict[tuple[tuple[str, ...], bool], dict[str, Spoken]] = {}
        element = expand(grammar["map"]["element"], parts)
        self.element = re.compile(element)
        self.listed = re.compile(rf"^(?P<margin>[ \t]*)(?P<said>{element}),$", re.MULTILINE)
        at = ("margin", "said", "keys", "counter", "label", "verdict", "verb", "chain")
        self._parts = itemgetter(*(self.listed.groupindex[name] - 1 for name in at))
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
        said = found["keys"]
        if said not in self.lookups:
            selectors = tuple(self.selectors[text] for text in said.split(" . "))
            self.lookups[said] = selectors, " . ".join(selector.text for selector in selectors)
        selectors, keys = self.lookups[said]
        return Lookup(selectors, found["map"]), f"{keys} vmap @{found['map']}"

    def elements(self, kinds: tuple[str, ...], stanza: Stanza, *, counting: bool) -> list[Element]:
        """The elements of a map's list; hosts of one segment have most of theirs in common. Raises Refused."""
        if not stanza.header.text.startswith("elements = {"):
            stanza.header.refuse("This property of a map is not known")
        known = self.said.setdefault((kinds, counting), {})
        each = _each(stanza.lines)
        return [
            _new(Element, (*(known.get(one.text) or self._said(kinds, one, counting=counting)), one)) for one in each
        ]

    def columns(self, kinds: tuple[str, ...], stanza: Stanza, *, counting: bool) -> Columns:
        """The same of a list that has its lines as they stand. Raises Unfit, or Refused, where its lines are not all alike."""
        if stanza.body is None or [line.text for line in stanza.lines] != ["elements = {", "}"]:
            raise Unfit
        known = self.spoken.setdefault((kinds, counting), {})
        if len(known) >= REMEMBERED:
            known.clear()
        number, lines = stanza.body
        if new := set(lines).difference(known):
            known.update(zip(new, self._all_spoken(kinds, [*new], counting=counting), strict=True))
        return Columns(stanza.header.file, number, [*map(known.__getitem__, lines)])

    def _all_spoken(self, kinds: tuple[str, ...], lines: Sequence[str], *, counting: bool) -> Iterable[Spoken]:
        """What lines say that are new: by one pattern for all, where each has one element and nothing that is not printed."""
        text = "\n".join(lines)
        found = self.listed.findall(text) if text.translate(_MARGINS).isprintable() else ()
        if len(found) != len(lines):  # a comment may reach over some lines
            return [self._spoken(kinds, line, counting=counting) for line in lines]
        margins, said, keys, counters, labels, verdicts, verbs, chains = zip(*map(self._parts, found), strict=True)
        parts = [key.split(" . ") for key in keys]
        if set(map(len, parts)) != {len(kinds)} or (any(counters) and not counting):
            raise Unfit
        try:
            by_kind = [
                [*map(self.keys[kind].__getitem__, of)]
                for kind, of in zip(kinds, zip(*parts, strict=True), strict=True)
            ]
        except Unreadable:
            raise Unfit from None
        columns, spans = [len(margin) + 1 for margin in margins], zip(*by_kind, strict=True)
        permits = [verdict == "accept" for verdict in verdicts]
        if not any(chains):
            ends = map(_new, repeat(End), zip(permits, labels, repeat(counting)))
            said_of = zip(said, columns, spans, verdicts, chains, ends, permits, labels, repeat(counting))
            return map(_new, repeat(Spoken), said_of)
        if any(chain and '"' in text for chain, text in zip(chains, said, strict=True)):
            raise Unfit
        rows = zip(said, columns, spans, verbs, verdicts, chains, permits, labels, strict=True)
        return [
            Spoken(text, column, key, verb, chain, None, False, "", False)
            if chain
            else Spoken(text, column, key, verdict, "", End(permit, label, counting), permit, label, counting)
            for text, column, key, verb, verdict, chain, permit, label in rows
        ]

    def _spoken(self, kinds: tuple[str, ...], raw: str, *, counting: bool) -> Spoken:
        lines = [*sources(raw, "")]
        if len(lines) != 1 or not lines[0].text.endswith(","):
            raise Unfit
        each = [*_each(lines)]
        if len(each) != 1:
            raise Unfit
        _, _, column, text = each[0]
        spans, verb, target, end = self._read(kinds, each[0], counting=counting)
        return Spoken(text, column, spans, verb, target, end, *(end or (False, "", False)))

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
            source.refuse(
                "A comment stands with an element that decides nothing; it belongs to the chain to which this leads"
            )
        try:
            spans = tuple([self.keys[kind][key] for kind, key in zip(kinds, keys, strict=True)])
        except Unreadable as why:
            source.refuse(str(why))
        if chain:
            return spans, verb, chain, None
        return spans, verdict, "", _new(End, (verdict == "accept", label or "", counting))

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


def _addresses(text: str, family: int) -> Span:
    if "/" in text:
        return prefix(text, family)
    low, _, high = text.partition("-")
    first = address(low, family)
    last = address(high, family) if high else first
    if first > last:
        raise Unreadable("This range is reversed")
    return first, last
