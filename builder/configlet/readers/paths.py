"""Configurations that are trees, as paths: one for each leaf, whatever form the tree is written in.

A path is the words from the root to the leaf, with single blanks. Braces, lines that each say a whole path (``set``)
and JSON give the same paths, so one grammar reads all three.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from configlet.model.problem import Refused
from configlet.readers.grammar import Source

_PAIR = re.compile(r'\s*"([^"\\]*)"\s*:\s*"([^"\\]*)"\s*([,}])')
"""A key and its string at once: most of any object."""

Leaf = tuple[int, int, str]
"""The line and the column where a leaf stands, and its path."""
Form = Callable[[str, str, Mapping[str, Any]], Iterator[Leaf]]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")
"""What ends no line on a device, or what nobody sees; a carriage return before a line feed is taken out before."""
_TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|(-?\d+(?:\.\d+)?|true|false|null)|([{}\[\]:,]))')


def count(text: str, file: str) -> int:
    """How many lines are not blank. Raises Refused for a control character."""
    if found := _CONTROL.search(text.replace("\r\n", "\n")):
        number = text.count("\n", 0, found.start()) + 1
        Source(file, number, 1, text.split("\n")[number - 1]).refuse("A control character stands in this line")
    return sum(1 for line in text.split("\n") if line and not line.isspace())


def paths(text: str, file: str, grammar: Mapping[str, Any]) -> Iterator[Leaf]:
    """The leaves of a text in the form that the grammar names; a tree may also stand as lines of whole paths."""
    form = grammar["form"]
    if form not in ("lines", "indent") and text.lstrip().startswith(grammar["prefix"]):
        form = "lines"
    return _FORMS[form](text, file, grammar)


def _lines(text: str, file: str, grammar: Mapping[str, Any]) -> Iterator[Leaf]:
    prefix, comments = grammar["prefix"], tuple(grammar.get("comment", ())) or ("\0",)
    cut, quote = len(prefix), grammar.get("quote", "\0")
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(prefix):
            if line.count(quote) % 2:
                closed(line, quote, Source(file, number, 1, line))
            yield number, cut + 1, line[cut:].rstrip()
        elif line and not line.isspace() and not line.startswith(comments):
            Source(file, number, 1, line).refuse(f'This line does not begin with "{prefix.strip()}"')


def closed(line: str, quote: str, source: Source) -> None:
    """Raises Refused where a quotation is never closed: what stands behind it, on later lines too, is text to the device."""
    if re.sub(r"\\.", "", line).count(quote) % 2:
        source.refuse("A quotation is never closed", line.rindex(quote))


def _braces(text: str, file: str, grammar: Mapping[str, Any]) -> Iterator[Leaf]:
    end, comments = grammar.get("end", ""), tuple(grammar.get("comment", ())) or ("\0",)
    stack: list[str] = []
    prefix, empty, opened = "", False, (0, 0)
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line.startswith(comments):
            continue
        last = line[-1]
        if last == "{":
            stack.append(prefix)
            prefix += line[:-1].rstrip() + " "
            empty, opened = True, (number, raw.index(line) + 1)
        elif line == "}":
            if not stack:
                Source(file, number, 1, line).refuse("This brace closes nothing")
            if empty:
                yield *opened, prefix[:-1]
            prefix, empty = stack.pop(), False
        elif (end and last == end) or not end:
            empty = False
            yield number, raw.index(line) + 1, prefix + (line[: -len(end)] if end else line)
        elif line.startswith("/*") and line.endswith("*/"):
            yield number, raw.index(line) + 1, prefix + line
        else:
            Source(file, number, 1, line).refuse(f'This line ends in no "{end}"')
    if stack:
        Source(file, *opened, prefix).refuse("This brace is never closed")


def _indented(text: str, file: str, grammar: Mapping[str, Any]) -> Iterator[Leaf]:
    """Lines under headers by indentation; a line with nothing deeper behind it is a leaf. A leaf in the first column is a
    whole path."""
    comments, lenient = frozenset(grammar["comment"]), bool(grammar.get("lenient"))
    open_: list[tuple[int, str]] = []
    last: Leaf | None = None
    for number, raw in enumerate(text.split("\n"), 1):
        line = " ".join(raw.split())
        if not line or line.partition(" ")[0] in comments:
            continue
        indent = len(raw) - len(raw.lstrip())
        if last is not None and indent < last[1]:
            yield last
        level = indent if open_ else 0
        while open_ and open_[-1][0] >= indent:
            level = open_.pop()[0]
        if level != indent and not lenient:
            Source(file, number, indent + 1, line).refuse("This line stands under no header")
        path = f"{open_[-1][1]} {line}" if open_ else line
        open_.append((indent, path))
        last = number, indent + 1, path
    if last is not None:
        yield last


def _json(text: str, file: str, grammar: Mapping[str, Any]) -> Iterator[Leaf]:
    """The leaves of one JSON object. A key that stands twice is refused, as all but one would be lost."""
    yield from _Json(text, file, lenient=bool(grammar.get("lenient"))).value("", set())


class _Json:
    """A small reader that remembers places, which the standard one does not."""

    def __init__(self, text: str, file: str, *, lenient: bool) -> None:
        self.lenient = lenient
        self.text, self.file, self.at, self.line, self.begun = text, file, 0, 1, 0

    def token(self) -> tuple[str, bool]:
        """The next token, and whether it is a string or number. Raises Refused."""
        found = _TOKEN.match(self.text, self.at)
        if found is None:
            raise self.refused("This is no JSON")
        start = found.start(found.lastindex or 0)
        self.line += self.text.count("\n", self.at, start)
        self.at = found.end()
        self.begun = start
        text = found[1] if found[1] is not None else found[2] if found[2] is not None else found[3]
        if "\\" in text and not self.lenient:
            raise self.refused("An escape stands in this string")
        return text, found[3] is None

    def refused(self, why: str) -> Refused:
        """What ends the reading at the next token."""
        rest = self.text[self.at :]
        number = self.line + rest[: len(rest) - len(rest.lstrip())].count("\n")
        try:
            Source(self.file, number, 1, (rest.split() or [""])[0]).refuse(why)
        except Refused as refused:
            return refused

    def place(self) -> tuple[int, int]:
        """Where the last token began."""
        return self.line, self.begun - self.text.rfind("\n", 0, self.begun)

    def value(self, prefix: str, seen: set[str]) -> Iterator[Leaf]:
        """The leaves of the value that comes."""
        word, plain = self.token()
        if plain:
            yield *self.place(), prefix + word
        elif word == "{":
            yield from self.members(prefix, seen)
        elif word == "[":
            yield from self.items(prefix, seen)
        else:
            raise self.refused("A value is missing")
        if not prefix and self.text[self.at :].strip():
            raise self.refused("Something stands behind the end")

    def members(self, prefix: str, seen: set[str]) -> Iterator[Leaf]:
        """The leaves of an object whose brace was read."""
        while True:
            found = _PAIR.match(self.text, self.at)
            if found is not None and (path := f"{prefix}{found[1]} ") not in seen:
                seen.add(path)
                yield self.pair(found, path)
                if found[3] == "}":
                    return
                continue
            key, plain = self.token()
            if not plain:
                break
            path = f"{prefix}{key} "
            if path in seen:
                raise self.refused(f'The key "{key}" stands twice')
            seen.add(path)
            if self.token() != (":", False):
                raise self.refused("A colon is missing")
            yield from self.value(path, seen)
            word, plain = self.token()
            if word == "}" and not plain:
                return
            if word != "," or plain:
                raise self.refused("A comma is missing")
        if key != "}":
            raise self.refused("A key is missing")

    def pair(self, found: re.Match[str], path: str) -> Leaf:
        """The leaf of a key and its string, and past what stands behind them."""
        self.begun = found.start(2)
        self.line += self.text.count("\n", self.at, self.begun)
        place = self.place()
        self.at = found.end()
        self.line += self.text.count("\n", self.begun, self.at)
        return *place, path + found[2]

    def items(self, prefix: str, seen: set[str]) -> Iterator[Leaf]:
        """The leaves of an array whose bracket was read: a path for each."""
        while True:
            if self.text[self.at :].lstrip().startswith("]"):
                self.token()
                return
            yield from self.value(prefix, seen)
            word, plain = self.token()
            if word == "]" and not plain:
                return
            if word != "," or plain:
                raise self.refused("A comma is missing")


_FORMS: dict[str, Form] = {"lines": _lines, "braces": _braces, "indent": _indented, "json": _json}
