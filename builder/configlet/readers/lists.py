"""Access lists as they were read, and the two texts in which they are compared and changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple, cast

from configlet.model.block import Block, Sets, listed
from configlet.model.gate import Cell, Line, Texts
from configlet.model.lines import Lines
from configlet.readers.clauses import Box, Said, Words
from configlet.readers.grammar import Source
from configlet.readers.groups import Groups
from configlet.readers.spans import BITS
from configlet.readers.written import Written

Key = tuple[str, str]
"""The command word (``ip``, ``ipv6``) and the list's name."""
Bound = dict[tuple[str, str, int], tuple[str, str, Source]]
"""Interface, direction and family to command, name and the line that binds."""


Many = Block[Cell]
"""What an entry means that stands for many."""


class Piece(NamedTuple):
    """Lines of a list that were read together."""

    numbers: Sequence[int]
    said: Callable[[], Iterable[Said | str]]
    """What they say; of a remark its text."""
    permits: Sequence[bool]
    boxes: Sequence[Box | Many]
    """What its entries mean, in order."""
    lines: Callable[[], Iterable[Line | Block[Line]]]
    """These as lines."""
    blocks: bool
    """Whether some of the entries may mean many boxes together."""


class Half(NamedTuple):
    """An entry that asks for one flag, while its twin is awaited: verdict and boxes, and where it stands."""

    flag: str
    entry: tuple[object, ...]
    line: Source


@dataclass(slots=True)
class List:
    """One access list as read. ``written`` are number, what is said and whether it is a remark, in order of the text, or many
    of these together."""

    name: str
    command: str
    family: int
    header: Source
    lines: list[Line | Block[Line] | Piece] = field(default_factory=list)
    groups: set[str] = field(default_factory=set)
    """The object groups that its entries name."""
    written: list[tuple[int, Said, bool] | Piece] = field(default_factory=list)
    last: int = 0
    open: bool = False
    """Whether a remark has taken the last number for the entry behind it."""
    label: str = ""
    decided: list[Box] = field(default_factory=list)
    half: Half | None = None
    closed: bool = False
    """Whether a line has decided all non-first fragments; then ``decided`` is not kept any more."""

    foreign: bool = False
    """Whether somebody else wrote it: then what is not known of fragments is remembered, and not refused."""
    unsure: int = 0
    """The first line of which it is not known what it does to later fragments."""

    def doubt(self, line: Source, why: str) -> None:
        """It is not known what this line does to later fragments. Raises Refused, unless the list is foreign."""
        if not self.foreign:
            line.refuse(why)
        self.unsure = self.unsure or line.number

    def decide(self, boxes: Iterable[Box]) -> None:
        """Remember the non-first fragments that a line decides."""
        self.decided += boxes
        every = 0, (1 << BITS[self.family]) - 1
        self.closed = any(box[:3] == ((0, 255), every, every) for box in self.decided[-1:])

    def undecided(self, boxes: Iterable[Box], sets: Sequence[Sets], line: Source) -> None:
        """A line of which it is not known what it does to fragments needs them decided before it. Raises Refused."""
        for box in boxes:
            if not any(_within(box, other) for other in self.decided):
                self.doubt(line, "How this line treats fragments is not known, and no line before it decides them")
        if sets:
            self.doubt(line, "How this line treats fragments is not known, and no line before it decides them all")

    def paired(self, pair: frozenset[str], flag: str | None, entry: tuple[object, ...], line: Source) -> bool:
        """Whether an entry counts: of two lines that ask for ACK and for RST the second, for both. Raises Refused."""
        half, self.half = self.half, None
        if half is not None:
            if flag is None or {half.flag, flag} != pair or half.entry != entry:
                half.line.refuse("A flag alone is not modelled; ACK and RST stand in two lines that are else the same")
            return True
        if flag is not None:
            self.half = Half(flag, entry, line)
        return flag is None

    def whole(self) -> None:
        """Nothing is awaited at the end of a list. Raises Refused."""
        if self.half is not None:
            self.half.line.refuse("A flag alone is not modelled; a line for the other of ACK and RST is not behind it")

    def said(self) -> Iterator[tuple[int, Said, bool]]:
        """Number, what is said and whether it is a remark, line by line."""
        for one in self.written:
            if isinstance(one, Piece):
                for number, text in zip(one.numbers, one.said(), strict=True):
                    yield (number, (text,), True) if isinstance(text, str) else (number, text, False)
            else:
                yield one

    def rows(self) -> tuple[Sequence[bool], Sequence[Box | Many]]:
        """What its entries mean, in order."""
        if len(self.lines) == 1 and isinstance(self.lines[0], Piece):
            return self.lines[0].permits, self.lines[0].boxes
        permits, boxes = list[bool](), list[Any]()
        for one in self.lines:
            if isinstance(one, Piece):
                permits += one.permits
                boxes += one.boxes
            else:
                permits.append(one.permit)
                boxes.append(one if isinstance(one, Block) else one.box)
        return permits, boxes

    def each(self) -> Iterator[Line | Block[Line]]:
        """Its entries as lines."""
        return chain.from_iterable(one.lines() if isinstance(one, Piece) else (one,) for one in self.lines)

    def ended(self) -> Sequence[Line]:
        """Its entries as lines; where many were read together, these are made when somebody looks."""
        permits, boxes = self.rows()
        single = all(isinstance(one, Piece) and not one.blocks for one in self.lines)
        if len(boxes) == len(self.lines) or (not single and Block in map(type, boxes)):
            return listed(self.each())
        return Lines.of(permits, cast("list[Box]", boxes), cast("Callable[[], Iterator[Line]]", self.each))

    @property
    def place(self) -> str:
        """Where it stands, and what it is called."""
        return f"{self.header.file}:{self.header.number} {self.command} {self.name}"


def _within(box: Box, other: Box) -> bool:
    """Whether the fragments of a line's protocol and addresses are all in another box."""
    return all(y[0] <= x[0] and x[1] <= y[1] for x, y in zip(box[:3], other[:3], strict=True))


def texts(words: Words, alternate: str | None, groups: Groups, lists: Mapping[Key, List], bound: Bound) -> Texts:
    """Both texts. Where a list has a second name, the binding decides which of the two is meant by the first."""
    written, same = words.written, {key: key[1] for key in lists}
    said = {key: [(n, words.normal(made.family, one), is_remark) for n, one, is_remark in made.said()]
            for key, made in lists.items()}  # fmt: skip
    numbered = _text(written, groups, lists, said, bound, same, numbers=True)
    if written.numbers:
        return Texts(numbered, numbered)
    if alternate is None:
        return Texts(_text(written, groups, lists, said, bound, same, numbers=False), numbered)
    used = {(command, name) for command, name, _ in bound.values()}
    names = _names(re.compile(alternate), same, used)
    # What nothing binds filters nothing: the list that a swap replaced stands there until the change is confirmed.
    counted = {key: made for key, made in lists.items() if key in used}
    return Texts(_text(written, groups, counted, said, bound, names, numbers=False), numbered)


def _names(alternate: re.Pattern[str], same: Mapping[Key, str], used: set[Key]) -> dict[Key, str]:
    """The names of the first text: a list that is bound under its second name has the first."""
    names = dict(same)
    for key in same:
        found = alternate.fullmatch(key[1])
        first = (key[0], found["base"]) if found else None
        if first is not None and key in used and first not in used:
            names[key] = first[1]
    return names


def _text(
    written: Written,
    groups: Groups,
    lists: Mapping[Key, List],
    said: Mapping[Key, list[tuple[int, str, bool]]],
    bound: Bound,
    names: Mapping[Key, str],
    *,
    numbers: bool,
) -> str:
    out = [*groups.canonical(None if numbers else {name for made in lists.values() for name in made.groups})]
    for key, made in sorted(lists.items(), key=lambda item: (item[0][0], names[item[0]])):
        out.append(written.list[key[0]].format(name=names[key]))
        out += written.lines(made.family, _numbered(said[key]) if numbers else said[key], numbers=numbers)
        out.append("!")
    out += _bindings(written, bound, names)
    return "\n".join(out) + "\n" if out else ""


def _numbered(said: list[tuple[int, str, bool]]) -> Iterator[tuple[int, str, bool]]:
    """A remark without a number has that of the entry behind it."""
    following, out = 0, []
    for number, text, remark in reversed(said):
        following = number or following
        out.append((following, text, remark))
    return reversed(out)


def _bindings(written: Written, bound: Bound, names: Mapping[Key, str]) -> Iterator[str]:
    said = None
    for (interface, direction, _), (command, name, _line) in sorted(
        bound.items(), key=lambda b: (b[0][0], b[0][2], b[0][1])
    ):
        if interface != said:
            if said is not None:
                yield "!"
            yield f"interface {written.words.interface(interface)}"
            said = interface
        shown = names.get((command, name), name)
        way = written.words.direction(direction)
        yield written.indent + written.binding[command].format(name=shown, direction=way)
    if said is not None:
        yield "!"
