"""Text as lines under headers: by indentation, or by braces. Every line is counted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, count, islice, repeat
from operator import itemgetter
from typing import NamedTuple

from configlet.readers.grammar import Source

_PART = re.compile(r'(?:[^;"]|"[^"]*")+')
_SOURCE = partial(tuple.__new__, Source)
"""A place for each line of a long text: the shortest way to make one."""
_TEXT = itemgetter(Source._fields.index("text"))
_HEADER = re.compile(r"\n(?! )")
_PIECE = 1 << 16
"""Characters of a long text that are cut into lines at once."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]")


@dataclass(slots=True)
class Stanza:
    """A header and what stands under it."""

    header: Source
    lines: list[Source] = field(default_factory=list)
    inner: list[Stanza] = field(default_factory=list)
    body: Body | None = None
    """Of a list in braces the lines between its first and its last, where these are not among ``lines``."""


class Body(NamedTuple):
    """Lines of a list as they stand in the text: ``number`` is that of the first."""

    number: int
    text: str

    @property
    def total(self) -> int:
        """How many lines these are."""
        return self.text.count("\n") + 1


def sources(text: str, file: str, number: int = 1) -> Iterator[Source]:
    """The lines that are not blank, from their first column; blanks inside are single. Raises Refused.

    ``number`` is that of the first line.
    """
    return chain.from_iterable(_sources(text.replace("\r\n", "\n"), file, count(number)))


def _sources(text: str, file: str, numbers: Iterator[int]) -> Iterator[Iterable[Source]]:
    """The same, piece by piece: what is asked of every character or line is asked of all of a piece at once."""
    for piece in pieces(text):
        raw = piece.split("\n")
        left = [*map(str.lstrip, raw)]
        said = [*map(str.rstrip, left)]
        columns = [len(whole) - len(rest) + 1 for whole, rest in zip(raw, left, strict=True)]
        made = filter(_TEXT, map(_SOURCE, zip(repeat(file), [*islice(numbers, len(raw))], columns, said)))
        together = "".join(said)
        even = together.isprintable() and "  " not in together
        yield made if even else map(_evened, made)


def pieces(text: str) -> Iterator[str]:
    """A text in pieces of whole lines, so that not all of its lines are held at once."""
    start = 0
    while (end := text.find("\n", start + _PIECE)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]


def _evened(line: Source) -> Source:
    """A line with single blanks, unless it quotes something. Raises Refused for a control character."""
    if _CONTROL.search(line.text) or "\r" in line.text:
        line.refuse("A control character stands in this line")
    return line if '"' in line.text else line._replace(text=" ".join(line.text.split()))


def plain(line: str) -> bool:
    """Whether a line says what stands there: no blanks around it, single ones inside, nothing that cannot be printed."""
    return line.isprintable() and "  " not in line and line == line.strip()


def parted(text: str) -> Sequence[str]:
    """A configuration cut before each line that does not begin with a blank; none of it where a carriage return stands alone."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    return () if "\r" in text else _HEADER.split(text.removesuffix("\n"))


def indented(text: str, file: str, comments: Sequence[str]) -> tuple[list[Stanza], int]:
    """Stanzas of a configuration by indentation, and how many lines were there. Raises Refused.

    Lines that begin with one of ``comments`` are counted and mean nothing.
    """
    out: list[Stanza] = []
    lines: list[Source] | None = None
    total, marks = 0, tuple(comments)
    firsts = {mark[0] for mark in marks}
    for line in sources(text, file):
        total += 1
        if line.text[0] in firsts and line.text.startswith(marks):
            continue
        if line.column == 1:
            lines = []
            out.append(Stanza(line, lines))
        elif lines is None:
            line.refuse("This line stands under no header")
        else:
            lines.append(line)
    return out, total


def braced(text: str, file: str) -> tuple[list[Stanza], int]:
    """Stanzas by braces, and how many lines were there. A list in braces after ``=`` is one line. Raises Refused."""
    found = _Braces(file)
    found.read(sources(text, file))
    return found.all()


class Cut(NamedTuple):
    """A text without the lines of its long lists, and these in order; each with what the frame has ahead of it, behind the one
    before."""

    frame: str
    lists: list[str]
    ahead: list[str]

    def bodies(self) -> Iterator[Body]:
        """The long lists with their numbers."""
        number = 1
        for text, ahead in zip(self.lists, self.ahead, strict=True):
            body = Body(number + ahead.count("\n"), text)
            yield body
            number = body.number + body.total


def cut(text: str, leading: str) -> Cut | None:
    """A text cut at its lists in braces but those that say ``leading`` somewhere. None where a list has no lines of its own
    or no end, and where a carriage return stands anywhere.
    """
    kept, lists = [], []
    start = head = 0
    while (head := text.find(_OPENED, head) + len(_OPENED)) >= len(_OPENED):
        last = text.rfind("\n", head - 1, text.find(_CLOSED, head)) + 1
        if last <= head:
            return None
        if text.find(leading, head, last) < 0:
            kept.append(text[start:head])
            lists.append(text[head : last - 1])
            start = last
        head = last
    return None if "\r" in text else Cut("".join((*kept, text[start:])), lists, kept)


def emptied(frame: str) -> Cut:
    """A frame cut where its long lists were, each as a list of one blank line."""
    kept = []
    start = head = 0
    while (head := frame.find(_OPENED, head) + len(_OPENED)) >= len(_OPENED):
        if frame.rfind("\n", head - 1, frame.find(_CLOSED, head)) < head:
            kept.append(frame[start:head])
            start = head
    return Cut(frame, [""] * len(kept), kept)


def with_bodies(found: Cut, file: str) -> tuple[list[Stanza], int] | None:
    """Stanzas by braces of a text that is cut: whoever takes the bodies sees to it that each line of them is one of a list
    that goes on behind it. None where a list is written otherwise. Raises Refused.
    """
    braces, bodies = _Braces(file), [*found.bodies()]
    braces.bodies = {body.number - 1: body for body in bodies}
    braces.read(chain.from_iterable(_sources(found.frame, file, _numbers(bodies))))
    return None if braces.bodies else braces.all()


def _numbers(bodies: Iterable[Body]) -> Iterator[int]:
    """The numbers of the lines that are left of a text without these."""
    first = 1
    for body in bodies:
        yield from range(first, body.number)
        first = body.number + body.total
    yield from count(first)


_OPENED, _CLOSED = "= {\n", "}\n"


class _Braces:
    """Stanzas that are open while lines are read."""

    __slots__ = ("bodies", "listing", "open", "root", "total")

    def __init__(self, file: str) -> None:
        self.root = Stanza(Source(file, 1, 1, ""))
        self.open = [self.root]
        self.total = 0
        self.listing: list[Source] = []
        self.bodies: dict[int, Body] = {}
        """Of lists whose lines are not read, by the number of the line ahead; a list that has one stands in two lines else."""

    def read(self, lines: Iterable[Source]) -> None:
        """The next lines. Raises Refused."""
        open_, listing = self.open, self.listing
        for line in lines:
            self.total += 1
            said = line.text
            if listing or ("= {" in said and re.match(r"\w+ = \{", said)):
                listing.append(line)
                if said.endswith("}"):
                    open_[-1].inner.append(self._listed())
                    listing = self.listing
            elif said == "}":
                if len(open_) == 1:
                    line.refuse("This brace closes nothing")
                open_.pop()
            elif said.endswith("{"):
                made = Stanza(line, [], [])
                open_[-1].inner.append(made)
                open_.append(made)
            elif ";" in said:
                open_[-1].lines.extend(_parts(line))
            else:
                open_[-1].lines.append(line)

    def _listed(self) -> Stanza:
        body = self.bodies.pop(self.listing[0].number, None) if len(self.listing) == 2 else None
        found = Stanza(self.listing[0], self.listing, [], body)
        self.total += body.total if body else 0
        self.listing = []
        return found

    def all(self) -> tuple[list[Stanza], int]:
        """All stanzas in the order of the text, and how many lines were there. Raises Refused for an open one."""
        if len(self.open) > 1 or self.listing:
            self.open[-1].header.refuse("This brace is never closed")
        outside = [Stanza(line) for line in self.root.lines]
        found = sorted([*outside, *self.root.inner], key=lambda stanza: (stanza.header.number, stanza.header.column))
        return found, self.total


def _parts(line: Source) -> Iterator[Source]:
    for found in _PART.finditer(line.text):
        text = found[0].strip()
        if text:
            offset = found.start() + len(found[0]) - len(found[0].lstrip())
            yield Source(line.file, line.number, line.column + offset, text)
