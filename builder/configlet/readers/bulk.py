"""Pieces of long lists at once: lines of one form are cut at the same places, and what they say there is looked up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import compress, count, islice
from operator import attrgetter, contains, itemgetter, lt, not_
from typing import NamedTuple, cast

from configlet.model.block import Block
from configlet.model.gate import Cell, Line
from configlet.model.problem import Refused
from configlet.readers.clauses import BIT, PORTS, Box, Said, Shape, Words
from configlet.readers.cuts import Cut, Meant, Places, Worded
from configlet.readers.dialect import Dialect
from configlet.readers.grammar import Source
from configlet.readers.groups import Groups
from configlet.readers.lists import List, Many, Piece
from configlet.readers.spans import BITS
from configlet.readers.tree import plain

_MOST, _OFTEN, _LONGEST = 1 << 14, 1 << 13, 16
"""How many forms are remembered; lines of a list whose numbers are known before, and digits of one of these at most."""
_FORM = bytes.maketrans(b"123456789", b"000000000")
"""Makes of a line, as it is written, its form, in which all digits are alike."""
_PARTS = "source", "sport", "destination", "dport"
_PERMIT, _ONE = itemgetter(0), attrgetter("one")
_NOWHERE = Source("", 0, 1, "")
"""A line that is refused here is read again by itself, and then says where it stands."""


class Rules(NamedTuple):
    """What a grammar says of all lines."""

    lowest: int
    highest: int
    step: int
    shared: bool
    """Whether a remark may have the number of the entry behind it, or none."""
    fold: bool
    """Whether capitals mean nothing."""
    pair: frozenset[str]
    """The two flags that are asked for in two lines, where a grammar has it so."""


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
        self.worded: dict[bytes, Worded] = {}
        """By their form, lines whose words tell them apart, and all others."""
        self.slices: dict[tuple[int, int], slice] = {}
        """One for each two numbers, as many forms have the same."""
        self.single = not rules.pair
        """Whether all entries that were met are one box each, but for those that no dictionary knows."""
        self.heads: tuple[str, tuple[str, ...]] = ("", ())
        """Numbers as a list most often has them, with what stands around them."""
        self.meant: dict[tuple[str, str, bool, bool], tuple[Meant, Shape]] = {}
        """What entries mean but for their addresses and ports, by their words ahead of these and behind them, and by whether they
        have ports at either end."""

    def take(self, made: List, piece: str, first: int) -> int:
        """How many lines of a list were read that has decided all fragments, or does so by the first of these as plainly as
        most lists do: all lines, or none, and then nothing was changed.

        ``first`` is the number of the first line in its text.
        """
        lines, half = piece.split("\n"), made.half
        rows = _Rows([], [], {})
        decided: list[Box] | None = []
        try:
            cuts = self._cuts(piece, lines)
            if cuts is not None:
                decided = decided if made.closed else self._decided(lines, cuts)
                if decided is not None:
                    self._rows(made, lines, cuts, rows)
        except Refused:
            cuts = None
        numbers = self._numbers(made, lines, cuts) if cuts is not None and decided is not None else None
        if cuts is None or numbers is None or decided is None:
            made.half = half
            return 0
        if not made.closed:
            made.decide(decided)
        as_lines = partial(self._lines, piece, first, made.label, rows)
        taken = Piece(numbers, partial(self._said, piece), rows.permits, rows.boxes, as_lines, blocks=bool(rows.others))
        made.written.append(taken)
        made.lines.append(taken)
        last = next((line for line, cut in zip(reversed(lines), reversed(cuts), strict=True) if cut.parts is None), None)
        if last is not None and (found := self.lines.match(last)):
            made.label = found["text"]
        return len(lines)

    def _decided(self, lines: Sequence[str], cuts: Sequence[Cut]) -> list[Box] | None:
        """The fragments that lines decide down to the one that decides all; None where one ahead of that may not be told."""
        every = (0, 255), *((0, (1 << BITS[self.family]) - 1),) * 2
        ends, decided = self.words.single[self.family], list[Box]()
        for line, cut in zip(lines, cuts, strict=True):
            if cut.parts is None:
                continue
            if self.rules.pair or cut.shape is None or not cut.shape.known or cut.shape.also_fragments:
                return None
            if cut.shape.fragments:
                source, sport, to, dport = cut.parts(line)
                _, proto, flags, fragment, sports, dports, *_ = cut.meant
                try:
                    box = proto, ends[to], ends[source], dports[dport], sports[sport], flags, fragment
                except KeyError:
                    return None
                decided.append(box)
                if box[:3] == every:
                    return decided
        return None

    def _cuts(self, piece: str, lines: Sequence[str]) -> list[Cut] | None:
        """Where each line has what it says; None where one is no entry and no remark. Raises Refused."""
        together = piece.encode("utf-8", "surrogatepass").translate(_FORM)
        if any(word in together for word in self.numbered):
            return None
        forms = together.split(b"\n")
        found = [*map(self.cuts.get, forms)]
        for at in [*compress(count(), map(not_, found))] if None in found else ():
            found[at] = self.cuts.get(forms[at]) or self._cut(forms[at], lines[at])
            if found[at] is None:
                return None
        return cast("list[Cut]", found)

    def _cut(self, form: bytes, line: str) -> Cut | None:
        """The same of one line that was not met before, or has words of its own. Raises Refused."""
        worded = self.worded.get(form)
        if worded is not None and (known := worded.cuts.get(worded.words(line))) is not None:
            return known
        found, text = self.lines.match(line), line.lstrip(" ")
        if found is None or not plain(text):
            return None
        if len(self.cuts) + len(self.worded) + len(self.meant) >= _MOST:
            self.cuts.clear()
            self.worded.clear()
            self.meant.clear()
        if found["head"] is None:
            made = self.cuts[form] = Cut(self._slice(found, "number"), _REMARK)
            return made
        cut = self._meant(found, text)
        if cut is None:
            return None
        if any(map(str.isdigit, found["head"] + found["rest"])):
            head, rest = self._slice(found, "head"), self._slice(found, "rest")
            worded = self.worded.setdefault(form, Worded(itemgetter(head, rest), {}))
            if len(worded.cuts) < _MOST:
                worded.cuts[worded.words(line)] = cut
        else:
            self.cuts[form] = cut
        return cut

    def _slice(self, found: re.Match[str], group: str) -> slice:
        start, end = found.span(group)
        return self.slices.setdefault((start, end), slice(start, end))

    def _meant(self, found: re.Match[str], text: str) -> Cut | None:
        """The same of an entry. Raises Refused."""
        if self.rules.fold and text != text.lower():
            return None
        _, _, head, _, sport, _, dport, rest = found.groups()
        key = head, rest, not sport, not dport
        if (known := self.meant.get(key)) is None:
            shape = self._shape(text)
            if shape is None:
                return None
            ports = self.words.ported(shape.proto)
            types = {"": shape.types[0]} if shape.types else ports
            flags = shape.flags, shape.fragment
            meant = Meant(shape.permit, shape.proto, *flags, ports, types, shape.flag, shape.also_fragments)
            known = self.meant[key] = meant, shape
            self.single = self.single and not shape.also_fragments
        meant, shape = known
        places = cast(Places, tuple([self._slice(found, part) for part in _PARTS]))
        return Cut(self._slice(found, "number"), meant, shape, places)

    def _shape(self, text: str) -> Shape | None:
        """What an entry says besides its addresses and ports. Raises Refused."""
        entry = self.dialect.clauses.whole.match(text)
        if entry is None:
            return None
        words = self.dialect.words(entry.groups())
        if self.words.shape(words, self.family) is None:
            self.words.entry(entry, words, self.family, _NOWHERE, self.groups)
        return self.words.shape(words, self.family)

    def _rows(self, made: List, lines: Sequence[str], cuts: Sequence[Cut], out: _Rows) -> None:
        """What the entries among some lines mean. Raises Refused."""
        if self.single:
            ends, ones = self.words.single[self.family], [*map(_ONE, cuts)]
            said = [*filter(None, ones)]
            try:
                out.boxes[:] = [
                    (
                        proto,
                        ends[line[to]],
                        ends[line[source]],
                        dports[line[dport]] if dport else PORTS,
                        sports[line[sport]] if sport else PORTS,
                        flags,
                        fragment,
                    )
                    for line, (_, proto, source, sport, to, dport, sports, dports, flags, fragment) in zip(
                        compress(lines, ones), said, strict=True
                    )
                ]
            except KeyError:
                pass  # one of them is another entry than most are
            else:
                out.permits[:] = map(_PERMIT, said)
                return
        self._each(made, zip(lines, cuts, strict=True), out)

    def _each(self, made: List, lines: Iterator[tuple[str, Cut]], out: _Rows) -> None:
        """The same, line by line. Raises Refused."""
        ends, pair, (permits, boxes, others) = self.words.single[self.family], self.rules.pair, out
        for number, (line, cut) in enumerate(lines):
            if cut.parts is None:
                continue
            permit, span, flags, fragment, sports, dports, flag, also = cut.meant
            source, sport, to, dport = cut.parts(line)
            try:
                box = span, ends[to], ends[source], dports[dport], sports[sport], flags, fragment
            except KeyError:
                found = self._entry(made, line)
            else:
                if not (also or pair):
                    permits.append(permit)
                    boxes.append(box)
                    continue
                found = [box, (*box[:3], PORTS, PORTS, BIT, (1, 1))] if also else [box]
                if pair and not made.paired(pair, flag, (permit, tuple(found), ()), _NOWHERE):
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
            if one and two:
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
            rising = isinstance(numbers, range) or all(map(lt, numbers, islice(numbers, 1, None)))
            if not rising or numbers[0] < rules.lowest or numbers[0] <= last:
                return None
            last = numbers[-1]
        for number, line, cut in zip(numbers, lines, cuts, strict=True) if rules.shared else ():
            if not line[cut.number]:
                if cut.parts is not None:
                    return None
            elif number < rules.lowest or (number <= last and (number < last or not open_)):
                return None
            else:
                last, open_ = number, cut.parts is None
        if last > rules.highest:
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
            # Two blanks stand nowhere else in a line, so that one has its head at its beginning if it has it at all.
            begins = contains if self.heads[0].startswith("  ") else str.startswith
            if all(map(begins, lines, islice(self.heads[1], at, None))):
                return range(step * at, step * end, step)
        heads = [line[cut.number] for line, cut in zip(lines, cuts, strict=True)]
        try:
            if all(heads):
                return [*map(int, heads)]
            return [int(head) if head else 0 for head in heads] if self.rules.shared else None
        except ValueError:
            return None

