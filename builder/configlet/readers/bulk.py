"""Pieces of long lists at once: lines of one form are cut at the same places, and what they say there is looked up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from operator import itemgetter, lt
from typing import NamedTuple, cast

from configlet.model.block import Block
from configlet.model.gate import Cell, Line
from configlet.model.problem import Refused
from configlet.readers.clauses import BIT, PORTS, Box, Said, Shape, Words
from configlet.readers.dialect import Dialect
from configlet.readers.grammar import Source
from configlet.readers.groups import Groups
from configlet.readers.lists import List, Many, Piece
from configlet.readers.spans import Span
from configlet.readers.tree import plain

_MOST, _OFTEN, _LONGEST = 1 << 14, 1 << 13, 16
"""How many forms are remembered; lines of a list whose numbers are known before, and digits of one of these at most."""
_FORM = bytes.maketrans(b"123456789", b"000000000")
"""Makes of a line, as it is written, its form, in which all digits are alike."""
_PARTS = "source", "sport", "destination", "dport"
_NOWHERE = Source("", 0, 1, "")
"""A line that is refused here is read again by itself, and then says where it stands."""


class Rules(NamedTuple):
    """What a grammar says of all lines."""

    highest: int
    step: int
    shared: bool
    """Whether a remark may have the number of the entry behind it, or none."""
    fold: bool
    """Whether capitals mean nothing."""
    pair: frozenset[str]
    """The two flags that are asked for in two lines, where a grammar has it so."""


class Meant(NamedTuple):
    """What entries of one form mean, but for their addresses and ports."""

    permit: bool
    proto: Span
    flags: Span
    fragment: Span
    sports: Mapping[str, Span]
    dports: Mapping[str, Span]
    """Where a type is asked for, the type; else ports that are one span. Others are no keys of these."""
    flag: str | None
    """The word that asks for the flags, if one does."""
    also_fragments: bool


class Cut(NamedTuple):
    """Where lines of one form have what they say; no expression tells digits apart, so that it is the same place in all."""

    number: slice
    parts: Callable[[str], Sequence[str]] | None
    """Gives the source, its ports, the destination and its ports; None of a remark."""
    meant: Meant
    digits: tuple[Callable[[str], Sequence[str]], Sequence[str]] | None
    """Where the words around the parts have digits: what gives them, and those that mean this."""
    shape: Shape | None
    """What these words mean, and how they are said again; None of a remark."""


_REMARK = Meant(False, PORTS, BIT, BIT, {}, {}, None, False)


class _Rows(NamedTuple):
    """What the entries of a piece mean."""

    permits: list[bool]
    boxes: list[Box | Many]
    others: dict[int, int]
    """The lines that do not mean one box, counted from the first, and how many they do."""


class Bulk:
    """The lists of one dialect, piece by piece."""

    def __init__(
        self, dialect: Dialect, lines: re.Pattern[str], words: Words, groups: Groups, family: int, rules: Rules
    ) -> None:
        self.dialect, self.lines, self.words, self.groups = dialect, lines, words, groups
        self.family, self.rules = family, rules
        self.numbered = [word.encode() for word in dialect.numbered]
        self.cuts: dict[bytes, Cut] = {}
        self.heads: tuple[str, tuple[str, ...]] = ("", ())
        """Numbers as a list most often has them, with what stands around them."""

    def take(self, made: List, piece: str, first: int) -> int:
        """How many lines of a list that has decided all fragments were read: all of these, or none, and then nothing was changed.

        ``first`` is the number of the first line in its text.
        """
        lines, half = piece.split("\n"), made.half
        rows = _Rows([], [], {})
        try:
            cuts = self._cuts(piece, lines)
            if cuts is not None:
                self._rows(made, zip(lines, cuts, strict=True), rows)
        except Refused:
            cuts = None
        numbers = self._numbers(made, lines, cuts) if cuts is not None else None
        if cuts is None or numbers is None:
            made.half = half
            return 0
        as_lines = partial(self._lines, piece, first, made.label, rows)
        taken = Piece(numbers, partial(self._said, piece), rows.permits, rows.boxes, as_lines)
        made.written.append(taken)
        made.lines.append(taken)
        last = next((line for line, cut in zip(reversed(lines), reversed(cuts), strict=True) if cut.parts is None), None)
        if last is not None and (found := self.lines.match(last)):
            made.label = found["text"]
        return len(lines)

    def _cuts(self, piece: str, lines: Sequence[str]) -> list[Cut] | None:
        """Where each line has what it says; None where one is no entry and no remark. Raises Refused."""
        together = piece.encode("utf-8", "surrogatepass").translate(_FORM)
        if any(word in together for word in self.numbered):
            return None
        forms, known = together.split(b"\n"), self.cuts
        found = [*map(known.get, forms)]
        if None in found:
            new = {form: line for form, line, cut in zip(forms, lines, found, strict=True) if cut is None}
            if len(known) + len(new) > _MOST:
                known.clear()
                new = dict(zip(forms, lines, strict=True))
            for form, line in new.items():
                cut = self._cut(line)
                if cut is None:
                    return None
                known[form] = cut
            return [*map(known.__getitem__, forms)]
        return cast("list[Cut]", found)

    def _cut(self, line: str) -> Cut | None:
        """The same of one line. Raises Refused."""
        found, text = self.lines.match(line), line.lstrip(" ")
        if found is None or not plain(text):
            return None
        number = slice(*found.span("number"))
        if found["head"] is None:
            return Cut(number, None, _REMARK, None, None)
        entry = self.dialect.clauses.whole.match(text)
        if entry is None or (self.rules.fold and text != text.lower()):
            return None
        words = self.dialect.words(entry.groups())
        if self.words.shape(words, self.family) is None:
            self.words.entry(entry, words, self.family, _NOWHERE, self.groups)
        shape = self.words.shape(words, self.family)
        if shape is None:
            return None
        ports = self.words.ported(shape.proto)
        types = {"": shape.types[0]} if shape.types else ports
        flags = shape.flags, shape.fragment
        meant = Meant(shape.permit, shape.proto, *flags, ports, types, shape.flag, shape.also_fragments)
        around = found.group("head", "rest")
        digits = itemgetter(slice(*found.span("head")), slice(*found.span("rest")))
        told = (digits, around) if any(map(str.isdigit, "".join(around))) else None
        return Cut(number, itemgetter(*(slice(*found.span(part)) for part in _PARTS)), meant, told, shape)

    def _rows(self, made: List, lines: Iterator[tuple[str, Cut]], out: _Rows) -> None:
        """What the entries among some lines mean. Raises Refused."""
        ends, pair, (permits, boxes, others) = self.words.single[self.family], self.rules.pair, out
        for number, (line, (_, parts, meant, digits, _)) in enumerate(lines):
            if parts is None:
                continue
            permit, span, flags, fragment, sports, dports, flag, also = meant
            source, sport, to, dport = parts(line)
            try:
                box = span, ends[to], ends[source], dports[dport], sports[sport], flags, fragment
            except KeyError:
                found = self._entry(made, line)
            else:
                if not (also or pair or digits):
                    permits.append(permit)
                    boxes.append(box)
                    continue
                found = [box, (*box[:3], PORTS, PORTS, BIT, (1, 1))] if also else [box]
                if digits and digits[0](line) != digits[1]:
                    found = self._entry(made, line)
                elif pair and not made.paired(pair, flag, (permit, tuple(found), ()), _NOWHERE):
                    found = []
            permits += [permit] * len(found)
            boxes += found
            others[number] = len(found)

    def _entry(self, made: List, line: str) -> list[Box | Many]:
        """An entry, word by word. Raises Refused."""
        found, pair = self.dialect.clauses.match(_NOWHERE._replace(text=line.lstrip(" "))), self.rules.pair
        words = self.dialect.words(found.groups())
        permit, boxes, _, _, _, sets = self.words.entry(found, words, self.family, _NOWHERE, self.groups)
        if pair and not made.paired(pair, found["established"], (permit, boxes, sets), _NOWHERE):
            return []
        return [*boxes, *(Block(product, Cell(permit, ())) for product in sets)]

    def _lines(self, piece: str, first: int, label: str, rows: _Rows) -> Iterator[Line | Block[Line]]:
        """The entries of a piece as lines."""
        found = zip(rows.permits, rows.boxes, strict=True)
        for number, said in enumerate(self.lines.finditer(piece)):
            if not said["head"]:
                label = said["text"]
            for permit, box in islice(found, rows.others.get(number, 1)) if said["head"] else ():
                line = Line(permit, () if isinstance(box, Block) else box, first + number, said[0].lstrip(" "), label)
                yield Block(box.sets, line) if isinstance(box, Block) else line

    def _said(self, piece: str) -> Iterator[Said | str]:
        """What the lines of a piece say; of a remark its text."""
        lines = piece.split("\n")
        for line, cut in zip(lines, self._cuts(piece, lines) or (), strict=True):
            if cut.parts is None or cut.shape is None:
                found = self.lines.match(line)
                yield found["text"] if found else ""
                continue
            source, sport, to, dport = cut.parts(line)
            one, two = map(cut.shape.ports.get, (sport, dport))
            if one and two and not (cut.digits and cut.digits[0](line) != cut.digits[1]):
                yield cut.shape.head, source, one[1], to, two[1], cut.shape.tail
            else:
                entry = self.dialect.clauses.match(_NOWHERE._replace(text=line.lstrip(" ")))
                yield self.words.entry(entry, self.dialect.words(entry.groups()), self.family, _NOWHERE, self.groups)[3]

    def _numbers(self, made: List, lines: Sequence[str], cuts: Sequence[Cut]) -> Sequence[int] | None:
        """The numbers of lines, 0 where there is none, if they go up by the rules; then the list goes on behind them."""
        rules, last, open_ = self.rules, made.last, made.open
        numbers = self._counted(lines, cuts)
        if numbers is None:
            return None
        if not rules.shared:
            if numbers[0] <= last or not (isinstance(numbers, range) or all(map(lt, numbers, islice(numbers, 1, None)))):
                return None
            last = numbers[-1]
        for number, line, cut in zip(numbers, lines, cuts, strict=True) if rules.shared else ():
            if not line[cut.number]:
                if cut.parts is not None:
                    return None
            elif number <= last and (number < last or not open_):
                return None
            else:
                last, open_ = number, cut.parts is None
        if last > rules.highest:  # the lowest is before the first line that decides fragments
            return None
        made.last, made.open = last, open_
        return numbers

    def _counted(self, lines: Sequence[str], cuts: Sequence[Cut]) -> Sequence[int] | None:
        """The numbers, 0 where there is none; None where a number must stand and does not, or is longer than Python takes."""
        step, span = self.rules.step, cuts[0].number
        first = lines[0][span]
        if first and len(first) < _LONGEST and (end := (at := int(first) // step) + len(lines)) <= _OFTEN:
            if len(self.heads[1]) < end or self.heads[0] != lines[0][: span.start]:
                before = lines[0][: span.start]
                self.heads = before, (*(f"{before}{number} " for number in range(0, step * 2 * end, step)),)
            if all(map(str.startswith, lines, islice(self.heads[1], at, None))):
                return range(step * at, step * end, step)
        heads = [line[cut.number] for line, cut in zip(lines, cuts, strict=True)]
        try:
            if all(heads):
                return [*map(int, heads)]
            return [int(head) if head else 0 for head in heads] if self.rules.shared else None
        except ValueError:
            return None
