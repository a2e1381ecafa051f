"""Elements of a verdict map, token by token or a long list at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat
from operator import itemgetter
from typing import Any

from configlet.model.net import KEPT
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
_NOTHING = str.maketrans("", "", "- ")
_PLAIN = bytes(range(32, 127)) + b"\t\n"
_JOINT, _BREAK = " . ", "\n"
_KEYS, _LABEL = r"(?P<keys>\S+(?: \. \S+)*)", '"(?P<label>[^"]*)"'
_WORDS = re.compile(r"\(\?P<(?:margin|said|label|verb)>")
"""What an element says besides its key and what is done."""


class _Keys(dict[str, Span]):
    """Parts of keys of one type, of which many elements have theirs in common. Raises Unreadable."""

    def __init__(self, kind: str, read: Callable[[str], Span]) -> None:
        self._read, self._highest = read, _highest(kind)
        self._lengths = {*range(1, len(str(self._highest)) + 1)}

    def __missing__(self, text: str) -> Span:
        if len(self) >= REMEMBERED:
            self.clear()
        read = self._read(text)
        span = self[text] = KEPT.get(read, read)
        return span

    def column(self, texts: Sequence[str]) -> tuple[Span, ...]:
        """The same of many. Numbers are hardly ever the same, so that they are not remembered."""
        together = "" if self._highest < 0 else " ".join(texts)
        if together.count(" ") >= len(texts) or not (together.isascii() and together.translate(_NOTHING).isdigit()):
            return tuple(map(self.__getitem__, texts))
        single = [text for text in texts if "-" not in text] if "-" in together else texts
        values = [*map(int, single)] if self._lengths.issuperset(map(len, single)) else [-1]
        if " 0" in f" {together}" and "".join(map(str, values)) != "".join(single):
            raise Unreadable(f"This is no number from 0 to {self._highest}, or begins with 0")
        if -1 in values:
            raise Unreadable(f"This is no number from 0 to {self._highest}")
        if values and max(values) > self._highest:
            raise Unreadable(f"This is no number from 0 to {self._highest}")
        found = [*zip(values, values, strict=True)]
        if len(single) < len(texts):
            for at, text in enumerate(texts):
                if "-" in text:
                    found.insert(at, self[text])
        return tuple(found)


class Elements:
    """The form of an element as a regular expression, and what its words mean."""

    def __init__(self, grammar: Mapping[str, Any]) -> None:
        self.names = grammar["names"]
        self.keys = {kind: _Keys(kind, partial(self._key, kind)) for kind in grammar["key_types"]}
        self.said: dict[tuple[tuple[str, ...], bool], dict[str, Said]] = {}
        element = expand(grammar["map"]["element"], grammar["parts"])
        self.element = re.compile(element)
        self.alike = re.compile(rf"^(?P<margin>[ \t]*)(?P<said>{element}),$", re.MULTILINE)
        self._parts = _columns(self.alike, "margin", "said", "label", "verdict", "verb", "chain")
        self.short = re.compile(_WORDS.sub("(?:", self.alike.pattern), re.MULTILINE)
        self.even = element.startswith(_KEYS) and _LABEL in element and element.count('"') == _LABEL.count('"')
        """Whether a line is said by its key, a comment between quotes, and words."""
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

    def listed(
        self, kinds: tuple[str, ...], body: Body, file: str, *, counting: bool, like: tuple[str, Columns] | None = None
    ) -> Columns:
        """The elements of a body. ``like``: another one, with what such lines were found to say there. Raises Unfit, or Refused,
        where its lines are not all alike."""
        if like is None:
            axes, does = self._told(kinds, body.text, counting=counting)
        else:
            axes, does = self._beside(kinds, body.text, *like, counting=counting)
        in_words = partial(self._in_words, kinds, body, axes, counting=counting)
        return Columns(file, body.number, axes, does, in_words, counting=counting)

    def _beside(self, kinds: tuple[str, ...], text: str, other: str, known: Columns, *, counting: bool) -> Told:
        """What lines say, of which those ahead and behind of some stand in another list."""
        front, start, back, end = _shared(text, other)
        axes, does = known.told
        new, done = self._told(kinds, text[start : end - 1], counting=counting)
        behind = len(does) - back
        whole = [(*axis[:front], *of, *axis[behind:]) for axis, of in zip(axes, new, strict=True)]
        return whole, (*does[:front], *done, *does[behind:])

    def _told(self, kinds: tuple[str, ...], text: str, *, counting: bool) -> Told:
        """What lines say: by the form of the last where most are so, or by one pattern for all, where each has one element and
        nothing that is not printed."""
        even = self._even(kinds, text, counting=counting)
        if even is not None:
            return even
        found = self.short.findall(text)
        if len(found) != text.count("\n") + 1 or not _printed(text):  # a comment may reach over some
            spoken = [self._spoken(kinds, line, counting=counting) for line in text.split("\n")]
            return tuple(zip(*(one.spans for one in spoken), strict=True)), [one.target or one.permit for one in spoken]
        keys, counters, verdicts, chains = self._few([*zip(*found, strict=True)])
        if any(counters) and not counting:
            raise Unfit
        does: Sequence[bool | str] = [*map("accept".__eq__, verdicts)]
        if any(chains):
            if any(chain and '"' in line for chain, line in zip(chains, text.split("\n"), strict=True)):
                raise Unfit
            does = [chain or permit for chain, permit in zip(chains, does, strict=True)]
        return self._axes(kinds, keys), does

    def _even(self, kinds: tuple[str, ...], text: str, *, counting: bool) -> Told | None:
        """The same where most lines, up to the last, differ in nothing but their keys and comments; None where that was not
        seen. As a key has no blank but in its joints, each of these lines is found by the pattern as the last one is."""
        last = self.short.match(text, text.rfind("\n") + 1) if self.even else None
        if last is None or last.end() != len(text) or (last["counter"] and not counting):
            return None
        margin, said = text[last.start() : last.start("keys")], text[last.end("keys") :].split('"')
        parts = text.split('"') if len(said) == 3 else [text]
        left, behind = '"'.join(parts[::2]), '"'.join(said[::2])
        if len(said) not in (1, 3) or (last["chain"] and len(said) > 1) or not left.endswith(behind):
            return None
        first, *keys = left[: -len(behind)].split(f"{behind}\n{margin}")
        front, _, key = f"\n{first}".rpartition("\n")
        keys.insert(0, key.removeprefix(margin))
        many, ahead = len(keys), front.count("\n")
        if not key.startswith(margin) or many <= ahead or many + ahead != text.count("\n") + 1:
            return None  # a comment may reach over some
        others = "\n".join(text.split("\n", ahead)[:ahead])
        quoted = others.count('"')
        if (len(said) == 3 and (quoted % 2 or len(parts) != quoted + 2 * many + 1)) or not _printed(text):
            return None
        together = "".join(keys)
        if "\t" in together or '"' in together or together.count(" ") != 2 * many * (len(kinds) - 1):
            return None
        told = self._axes(kinds, keys), [last["chain"] or last["verdict"] == "accept"] * many
        return _joined(self._told(kinds, others, counting=counting), told) if ahead else told

    def _axes(self, kinds: tuple[str, ...], keys: Sequence[str]) -> Sequence[Sequence[Span]]:
        """The parts of some keys. Raises Unfit."""
        if len(kinds) == 1:
            return self._columns(kinds, (keys,))
        each = len(kinds) + 1  # a break that is in no key stands behind each
        parts = (_JOINT + _BREAK + _JOINT).join(keys).split(_JOINT)
        breaks = parts[each - 1 :: each]
        if len(parts) != each * len(keys) - 1 or breaks.count(_BREAK) < len(keys) - 1:
            raise Unfit
        return self._columns(kinds, [parts[at::each] for at in range(len(kinds))])

    def _columns(self, kinds: tuple[str, ...], parts: Sequence[Sequence[str]]) -> Sequence[Sequence[Span]]:
        try:
            return tuple([self.keys[kind].column(texts) for kind, texts in zip(kinds, parts, strict=True)])
        except Unreadable:
            raise Unfit from None

    def _in_words(
        self, kinds: tuple[str, ...], body: Body, axes: Sequence[Sequence[Span]], *, counting: bool
    ) -> Sequence[Spoken]:
        """What lines say, with all their words."""
        found = self.alike.findall(body.text)
        if len(found) != len(axes[0]):
            return [self._spoken(kinds, line, counting=counting) for line in body.text.split("\n")]
        margins, said, labels, verdicts, verbs, chains = self._parts([*zip(*found, strict=True)])
        columns, spans = [len(margin) + 1 for margin in margins], zip(*axes, strict=True)
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


def _joined(one: Told, two: Told) -> Told:
    """What lines say that stand behind one another."""
    return [(*first, *second) for first, second in zip(one[0], two[0], strict=True)], [*one[1], *two[1]]


def _shared(text: str, other: str) -> tuple[int, int, int, int]:
    """How many lines a text has in common with another one ahead, and where these end; how many behind, and where they begin.
    At least one line is between them."""
    most = min(len(text), len(other))
    start = text.rfind("\n", 0, _ahead(text, other, most)) + 1
    end = text.find("\n", len(text) - _behind(text, other, most - start)) + 1
    back = text.count("\n", end) + 1 if end else 0
    return text.count("\n", 0, start), start, back, end or len(text) + 1


def _ahead(one: str, two: str, most: int) -> int:
    """With how many characters both texts begin, but no more than these."""
    least = 0
    while least < most:
        middle = (least + most + 1) // 2
        if one[least:middle] == two[least:middle]:
            least = middle
        else:
            most = middle - 1
    return least


def _behind(one: str, two: str, most: int) -> int:
    """With how many both end."""
    least, first, second = 0, len(one), len(two)
    while least < most:
        middle = (least + most + 1) // 2
        if one[first - middle : first - least] == two[second - middle : second - least]:
            least = middle
        else:
            most = middle - 1
    return least


def _printed(text: str) -> bool:
    """Whether nothing in some lines is not printed, but for what stands ahead of all else."""
    if text.isascii() and not text.encode().translate(None, _PLAIN):
        return True
    return "".join(map(str.lstrip, text.split("\n"))).isprintable()


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
