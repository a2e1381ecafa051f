"""Pieces of long lists at once: one expression finds the words of every line, and what they mean is looked up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from operator import itemgetter, lt
from typing import NamedTuple

from configlet.model.block import Block
from configlet.model.gate import Line
from configlet.model.problem import Refused
from configlet.readers.clauses import BIT, PORTS, Box, Said, Shape, Words
from configlet.readers.dialect import COLUMNS, Dialect
from configlet.readers.grammar import Source
from configlet.readers.groups import Groups
from configlet.readers.lists import List, Piece

_MOST, _OFTEN, _LONGEST = 1 << 16, 1 << 13, 16
"""How many shapes are remembered; lines of a list whose numbers are known before, and digits of one of these at most."""
_PRINTED = bytes(range(32, 127))
_new = tuple.__new__
_NOWHERE = Source("", 0, 1, "")
"""A line that is refused here is read again by itself, and then says where it stands."""
_NUMBER, _HEAD = itemgetter(COLUMNS.index("number")), COLUMNS.index("head")


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


class Bulk:
    """The lists of one dialect, piece by piece."""

    def __init__(
        self, dialect: Dialect, lines: re.Pattern[str], words: Words, groups: Groups, family: int, rules: Rules
    ) -> None:
        self.dialect, self.lines, self.words, self.groups = dialect, lines, words, groups
        self.family, self.rules = family, rules
        self.shapes: dict[tuple[str, str, bool], Shape] = {}
        """What entries say besides addresses and ports: by their first words, the last, and whether there are no ports."""
        self.steps: tuple[str, ...] = ()
        """Numbers as a list most often has them, as texts."""

    def take(self, made: List, piece: str, first: int) -> bool:
        """Whether these lines of a list that has decided all fragments were read; else nothing was changed.

        ``first`` is the number of the first line in its text.
        """
        found: list[Sequence[str]] = self.lines.findall(piece)
        if len(found) != piece.count("\n") + 1 or not _even(found, fold=self.rules.fold):
            return False
        lines: list[Line | Block[Line]] = []
        said: list[Said | str] = []
        half = made.half
        try:
            label = self._lines(made, found, first, lines, said)
        except Refused:
            label = None
        numbers = self._numbers(made, (*map(_NUMBER, found),), said) if label is not None else None
        if label is None or numbers is None:
            made.half = half
            return False
        made.written.append(Piece(numbers, said))
        made.lines += lines
        made.label = label
        return True

    def _lines(
        self, made: List, found: Sequence[Sequence[str]], first: int, lines: list[Line | Block[Line]], said: list[Said | str]
    ) -> str | None:
        """The lines and what they say, put to these lists, and the last remark; None where one must be read by itself.

        Raises Refused.
        """
        shapes, ends, pair, label = self.shapes, self.words.single[self.family], self.rules.pair, made.label
        for at, (line, _, text, first_words, source, sport, to, dport, rest) in enumerate(found, first):
            if not first_words:
                label = text
                said.append(text)
                continue
            shape, start, end = shapes.get((first_words, rest, (sport or dport) == "")), ends[source], ends[to]
            if shape is not None and start is not None and end is not None:
                permit, span, types, flags, flag, fragment, _, also, _, head, tail, ports = shape
                _, middle, from_ports = ports.get(sport) or self.words.met(sport, span)
                _, behind, to_ports = ports.get(dport) or self.words.met(dport, span)
                if from_ports is not None and to_ports is not None:
                    box = span, end, start, types[0] if types else to_ports, from_ports, flags, fragment
                    said.append((head, source, middle, to, behind, tail))
                    boxes: tuple[Box, ...] = (box, (span, end, start, PORTS, PORTS, BIT, (1, 1))) if also else (box,)
                    if pair and not made.paired(pair, flag, (permit, boxes, ()), _NOWHERE):
                        continue
                    for one in boxes:
                        lines.append(_new(Line, (permit, one, at, line, label, False)))
                    continue
            normal = self._entry(made, line, (first_words, rest, (sport or dport) == ""), at, label, lines)
            if normal is None:
                return None
            said.append(normal)
        return label

    def _entry(
        self, made: List, text: str, key: tuple[str, str, bool], at: int, label: str, lines: list[Line | Block[Line]]
    ) -> Said | None:
        """An entry, word by word; None where it is not one. Raises Refused."""
        found = self.dialect.clauses.whole.match(text)
        if found is None:
            return None
        words, pair = self.dialect.words(found.groups()), self.rules.pair
        permit, boxes, _, normal, _, sets = self.words.entry(found, words, self.family, _NOWHERE, self.groups)
        shape = self.words.shape(words, self.family)
        if shape is not None and len(self.shapes) < _MOST:
            self.shapes[key] = shape
        if not pair or made.paired(pair, found["established"], (permit, boxes, sets), _NOWHERE):
            lines += [_new(Line, (permit, box, at, text, label, False)) for box in boxes]
            lines += [Block(product, Line(permit, (), at, text, label)) for product in sets]
        return normal

    def _numbers(self, made: List, heads: Sequence[str], said: Sequence[Said | str]) -> Sequence[int] | None:
        """The numbers of lines, 0 where there is none, if they go up by the rules; then the list goes on behind them."""
        rules, last, open_ = self.rules, made.last, made.open
        numbers = self._counted(heads)
        if numbers is None:
            return None
        if not rules.shared:
            if numbers[0] <= last or not (isinstance(numbers, range) or all(map(lt, numbers, islice(numbers, 1, None)))):
                return None
            last = numbers[-1]
        for number, head, one in zip(numbers, heads, said, strict=True) if rules.shared else ():
            if not head:
                if not isinstance(one, str):
                    return None
            elif number <= last and (number < last or not open_):
                return None
            else:
                last, open_ = number, isinstance(one, str)
        if last > rules.highest:  # the lowest is before the first line that decides fragments
            return None
        made.last, made.open = last, open_
        return numbers

    def _counted(self, heads: Sequence[str]) -> Sequence[int] | None:
        """The numbers, 0 where there is none; None where a number must stand and does not, or is longer than Python takes."""
        step, first = self.rules.step, heads[0]
        if first and len(first) < _LONGEST and (end := (at := int(first) // step) + len(heads)) <= _OFTEN:
            if len(self.steps) < end:
                self.steps = (*map(str, range(0, step * 2 * end, step)),)
            if self.steps[at:end] == heads:
                return range(step * at, step * end, step)
        try:
            if all(heads):
                return [*map(int, heads)]
            return [int(head) if head else 0 for head in heads] if self.rules.shared else None
        except ValueError:
            return None


def _even(found: Sequence[Sequence[str]], *, fold: bool) -> bool:
    """Whether lines say what stands there: no blanks around it, single ones inside, nothing that cannot be printed, and no
    capitals where these mean nothing, but in remarks."""
    together = " ".join([one[0] for one in found])
    if "  " in together or together[-1] == " ":
        return False
    if fold and together != together.lower():
        entries = " ".join([one[0] for one in found if one[_HEAD]])
        if entries != entries.lower():
            return False
    return not together.encode().translate(None, _PRINTED) if together.isascii() else together.isprintable()
