"""Elements of a verdict map, token by token or a long list at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat
from operator import itemgetter
from typing import Any, cast

from configlet.readers.columns import Columns, Spoken, Told, Unfit
from configlet.readers.filter_values import FAMILY, Element, End, Said
from configlet.readers.grammar import Source, expand
from configlet.readers.spans import Span, Unreadable, addresses, number
from configlet.readers.tree import Body, Stanza, sources

_new = tuple.__new__
"""One for each line of a long text: the shortest way to make them."""
REMEMBERED = 8192
"""Elements of the texts before that are remembered, of each type of key."""
_PART = re.compile(r'(?:[^,"]|"[^"]*"|")+')
"""What stands between two commas of a list; a comment may hold commas of its own."""
_WORDS = re.compile(r"\(\?P<(?:margin|said|label|verb)>")
"""What an element says besides its key and what is done."""


class _Keys(dict[str, Span]):
    """Parts of keys of one type, of which many elements have theirs in common. Raises Unreadable."""

    def __init__(self, kind: str, read: Callable[[str], Span]) -> None:
        self._read, self._highest = read, _highest(kind)

    def __missing__(self, text: str) -> Span:
        if len(self) >= REMEMBERED:
            self.clear()
        if text.isdigit() and text.isascii() and (value := int(text)) <= self._highest:
            span = self[text] = value, value
        else:
            span = self[text] = self._read(text)
        return span


class Elements:
    """The form of an element as a regular expression, and what its words mean."""

    def __init__(self, grammar: Mapping[str, Any]) -> None:
        self.names = grammar["names"]
        self.keys = {kind: _Keys(kind, partial(self._key, kind)) for kind in grammar["key_types"]}
        self.said: dict[tuple[tuple[str, ...], bool], dict[str, Said]] = {}
        self.told: dict[tuple[tuple[str, ...], bool], dict[str, Told]] = {}
        element = expand(grammar["map"]["element"], grammar["parts"])
        self.element = re.compile(element)
        self.alike = re.compile(rf"^(?P<margin>[ \t]*)(?P<said>{element}),$", re.MULTILINE)
        self._parts = _columns(self.alike, "margin", "said", "label", "verdict", "verb", "chain")
        self.short = re.compile(_WORDS.sub("(?:", self.alike.pattern), re.MULTILINE)
        self._few = _columns(self.short, "keys", "counter", "verdict", "chain")

    def of(self, kinds: tuple[str, ...], stanza: Stanza, *, counting: bool) -> list[Element]:
        """The elements of a map's list; hosts of one segment have most of theirs in common. Raises Refused."""
        if not stanza.header.text.startswith("elements = {"):
            stanza.header.refuse("This property of a map is not known")
        known = self.said.setdefault((kinds, counting), {})
        each = _each(stanza.lines)
        return [
            _new(Element, (*(known.get(one.text) or self._said(kinds, one, counting=counting)), one)) for one in each
        ]

    def all(self, kinds: tuple[str, ...], stanza: Stanza, *, counting: bool) -> Sequence[Element]:
        """The same, as a whole where the list has its lines as they stand. Raises Unfit, or Refused."""
        if stanza.body is None:
            return tuple(self.of(kinds, stanza, counting=counting))
        return self.listed(kinds, body_of(stanza), stanza.header.file, counting=counting)

    def listed(self, kinds: tuple[str, ...], body: Body, file: str, *, counting: bool) -> Columns:
        """The elements of a body. Raises Unfit, or Refused, where its lines are not all alike."""
        known = self.told.setdefault((kinds, counting), {})
        if len(known) >= REMEMBERED:
            known.clear()
        lines = body.text.split("\n")
        told = [*map(known.get, lines)]
        if not all(told):
            new = {line for line, one in zip(lines, told, strict=True) if one is None}
            known.update(zip(new, self._all_told(kinds, [*new], counting=counting), strict=True))
            told = [*map(known.__getitem__, lines)]
        found = cast("list[Told]", told)
        in_words = partial(self._in_words, kinds, body, found, counting=counting)
        return Columns(file, body.number, found, in_words, counting=counting)

    def _all_told(self, kinds: tuple[str, ...], lines: Sequence[str], *, counting: bool) -> Iterable[Told]:
        """What lines say that are new: by one pattern for all, where each has one element and nothing that is not printed."""
        found = self.short.findall("\n".join(lines))
        if len(found) != len(lines) or not "".join(map(str.lstrip, lines)).isprintable():  # a comment may reach over some
            spoken = [self._spoken(kinds, line, counting=counting) for line in lines]
            return [(*one.spans, one.target or one.permit) for one in spoken]
        keys, counters, verdicts, chains = self._few([*zip(*found, strict=True)])
        if any(counters) and not counting:
            raise Unfit
        does: Iterable[object] = map("accept".__eq__, verdicts)
        if any(chains):
            if any(chain and '"' in line for chain, line in zip(chains, lines, strict=True)):
                raise Unfit
            does = [chain or verdict == "accept" for chain, verdict in zip(chains, verdicts, strict=True)]
        try:
            return [*zip(*self._axes(kinds, keys), does, strict=True)]
        except Unreadable:
            raise Unfit from None

    def _axes(self, kinds: tuple[str, ...], keys: Sequence[str]) -> Iterable[Iterable[Span]]:
        """The parts of some keys. Raises Unfit, or Unreadable, also when they are looked at."""
        if len(kinds) == 1:
            return (map(self.keys[kinds[0]].__getitem__, keys),)
        parts = [key.split(" . ") for key in keys]
        if {*map(len, parts)} != {len(kinds)}:
            raise Unfit
        return [map(self.keys[kind].__getitem__, of) for kind, of in zip(kinds, zip(*parts))]  # noqa: B905

    def _in_words(self, kinds: tuple[str, ...], body: Body, told: Sequence[Told], *, counting: bool) -> Sequence[Spoken]:
        """What lines say, with all their words."""
        found = self.alike.findall(body.text)
        if len(found) != len(told):
            return [self._spoken(kinds, line, counting=counting) for line in body.text.split("\n")]
        margins, said, labels, verdicts, verbs, chains = self._parts([*zip(*found, strict=True)])
        columns, spans = [len(margin) + 1 for margin in margins], [one[:-1] for one in told]
        verbs, permits = [*map(str.__add__, verdicts, verbs)], map("accept".__eq__, verdicts)
        return [*map(_new, repeat(Spoken), zip(said, columns, spans, verbs, chains, permits, labels, strict=True))]

    def _spoken(self, kinds: tuple[str, ...], raw: str, *, counting: bool) -> Spoken:
        lines = [*sources(raw, "")]
        if len(lines) != 1 or not lines[0].text.endswith(","):
            raise Unfit
        each = [*_each(lines)]
        if len(each) != 1:
            raise Unfit
        _, _, column, text = each[0]
        spans, verb, target, end = self._read(kinds, each[0], counting=counting)
        permit, label, _ = end or (False, "", False)
        return Spoken(text, column, spans, verb, target, permit, label)

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
        """A part of a key that is not one number."""
        if kind in FAMILY:
            return addresses(text, FAMILY[kind])
        highest = _highest(kind)
        names = self.names["proto"] if kind == "inet_proto" else {}
        if text in names:
            return (int(names[text]),) * 2
        low, _, high = text.partition("-")
        first = number(low, highest)
        last = number(high, highest) if high else first
        if first > last:
            raise Unreadable("This range is reversed")
        return first, last


def _highest(kind: str) -> int:
    """The highest number that is a key of a type; none is an address."""
    return -1 if kind in FAMILY else 255 if kind == "inet_proto" else 65535


def _columns(pattern: re.Pattern[str], *names: str) -> Callable[[Sequence[Sequence[str]]], Sequence[Sequence[str]]]:
    """Of the groups of a pattern, by column, those of these names."""
    return itemgetter(*(pattern.groupindex[name] - 1 for name in names))


def body_of(stanza: Stanza) -> Body:
    """The lines of a list that has them as they stand. Raises Unfit where anything else stands in its first or last."""
    if stanza.body is None or [line.text for line in stanza.lines] != ["elements = {", "}"]:
        raise Unfit
    return stanza.body


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
