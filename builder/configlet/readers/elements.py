"""Elements of a verdict map, token by token or a long list at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat
from operator import itemgetter
from typing import Any

from configlet.readers.columns import Columns, Spoken, Unfit
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


class _Keys(dict[str, Span]):
    """Parts of keys of one type, of which many elements have theirs in common. Raises Unreadable."""

    def __init__(self, read: Callable[[str], Span]) -> None:
        self._read = read

    def __missing__(self, text: str) -> Span:
        if len(self) >= REMEMBERED:
            self.clear()
        span = self[text] = self._read(text)
        return span


class Elements:
    """The form of an element as a regular expression, and what its words mean."""

    def __init__(self, grammar: Mapping[str, Any]) -> None:
        self.names = grammar["names"]
        self.keys = {kind: _Keys(partial(self._key, kind)) for kind in grammar["key_types"]}
        self.said: dict[tuple[tuple[str, ...], bool], dict[str, Said]] = {}
        self.spoken: dict[tuple[tuple[str, ...], bool], dict[str, Spoken]] = {}
        element = expand(grammar["map"]["element"], grammar["parts"])
        self.element = re.compile(element)
        self.alike = re.compile(rf"^(?P<margin>[ \t]*)(?P<said>{element}),$", re.MULTILINE)
        at = ("margin", "said", "keys", "counter", "label", "verdict", "verb", "chain")
        self._parts = itemgetter(*(self.alike.groupindex[name] - 1 for name in at))

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
        known = self.spoken.setdefault((kinds, counting), {})
        if len(known) >= REMEMBERED:
            known.clear()
        lines = body.text.split("\n")
        if new := set(lines).difference(known):
            known.update(zip(new, self._all_spoken(kinds, [*new], counting=counting), strict=True))
        return Columns(file, body.number, [*map(known.__getitem__, lines)], counting=counting)

    def _all_spoken(self, kinds: tuple[str, ...], lines: Sequence[str], *, counting: bool) -> Iterable[Spoken]:
        """What lines say that are new: by one pattern for all, where each has one element and nothing that is not printed."""
        found = self.alike.findall("\n".join(lines))
        if len(found) == len(lines):  # else a comment may reach over some
            margins, said, keys, counters, labels, verdicts, verbs, chains = zip(*map(self._parts, found), strict=True)
        if len(found) != len(lines) or not "".join(said).isprintable():
            return [self._spoken(kinds, line, counting=counting) for line in lines]
        parts = [key.split(" . ") for key in keys]
        if set(map(len, parts)) != {len(kinds)} or (any(counters) and not counting):
            raise Unfit
        try:
            by_kind = [map(self.keys[kind].__getitem__, of) for kind, of in zip(kinds, zip(*parts))]  # noqa: B905
            spans = [*zip(*by_kind, strict=True)]
        except Unreadable:
            raise Unfit from None
        if any(chains):
            if any(chain and '"' in text for chain, text in zip(chains, said, strict=True)):
                raise Unfit
            verdicts = tuple(map(str.__add__, verdicts, verbs))
        columns, permits = [len(margin) + 1 for margin in margins], map("accept".__eq__, verdicts)
        return map(_new, repeat(Spoken), zip(said, columns, spans, verdicts, chains, permits, labels, strict=True))

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
        if kind in FAMILY:
            return addresses(text, FAMILY[kind])
        highest = 255 if kind == "inet_proto" else 65535
        if text.isdigit() and text.isascii() and (value := int(text)) <= highest:
            return value, value
        names = self.names["proto"] if kind == "inet_proto" else {}
        if text in names:
            return (int(names[text]),) * 2
        low, _, high = text.partition("-")
        first = number(low, highest)
        last = number(high, highest) if high else first
        if first > last:
            raise Unreadable("This range is reversed")
        return first, last


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
