"""The elements of verdict maps: hosts have most of theirs in common, and those are made once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import compress, count
from operator import attrgetter
from typing import Any, TypeVar, overload

from configlet.model.net import Family, Span
from configlet.model.policy import Rule
from configlet.model.told import Group, Told, columns, denies, rules
from configlet.render.filter_words import Element, Ending, Endings, counted, number_text, span_text
from configlet.render.forms import Form, Written, all_printed, in_order, printable_all
from configlet.render.values import all_labels

T = TypeVar("T")
MOST = 16_384
"""Ends and numbers of which it is remembered how they are written."""
FEW = 8
"""Ways to write names that are remembered."""


class Elements:
    """Makes the elements of the maps of one host. ``ending`` says how a rule that logs ends there; names of others are
    written in the style of ``text``."""

    def __init__(self, family: Family, text: Mapping[str, Any], ending: Endings) -> None:
        self.ending = ending
        self.known = _known(family, _style(text))
        if self.known.labels is list:
            self.known.labels = all_labels(text)

    def of(self, stage: str, group: Group, *, sport: bool) -> Sequence[Element]:
        """An element for each row: its other end, and what is looked up at the stage."""
        found, logging = self._alike(stage, group, sport), group.once(logs)
        if not logging:
            return found
        made = self.made(stage, [group.row(at) for at in logging], sport=sport)
        return Led(found, dict(zip(logging, made, strict=True)))  # to chains of this host

    def _alike(self, stage: str, group: Group, sport: bool) -> Made:
        """The same as if no rule logged, once for all hosts."""
        key = self.known, stage, sport
        found: Made | None = group.known.get(key)
        if found is None:
            parts = [self._alike(stage, part, sport) for part in group.parts] if group.mixed else ()
            found = group.known[key] = Made(self.known, stage, sport, group, parts)
        return found

    def made(self, stage: str, rows: Sequence[Told], *, sport: bool = False) -> list[Element]:
        """The same of some rows, or pieces of them."""
        said = tuple(zip(*[row.key for row in rows], strict=True))
        keys = self.known.keys(stage, sport, said, [row.proto for row in rows]) if rows else ()
        of = [self.ending(row.rule, row.permit) if row.rule.log else self.known.ending(row.rule, row.permit) for row in rows]
        return [Element(key, *one) for key, one in zip(keys, of, strict=True)]


def logs(group: Group) -> Sequence[int]:
    """The places of the rows whose rule logs."""
    if group.parts and not any(group.each(logs)):
        return ()
    found = list(map(_LOG, rules(group)))
    return list(compress(count(), found)) if True in found else ()


class _Texts(dict[Span, str]):
    """How spans are written, each once."""

    def __init__(self, write: Callable[[Span], str]) -> None:
        self.write = write

    def __missing__(self, span: Span) -> str:
        if len(self) >= MOST:
            self.clear()
        found = self[span] = self.write(span)
        return found


class _Known:
    """What is written of rows in one family and style: by stage, as the loop of a template did it last."""

    def __init__(self, family: Family) -> None:
        self.labels: Callable[[Sequence[str]], Sequence[str]] = list
        self.ends, self.numbers = _Texts(partial(span_text, family)), _Texts(number_text)

    def keys(self, stage: str, sport: bool, said: Sequence[Sequence[Span]], protos: Iterable[Span]) -> list[str]:
        """The keys of elements, by what rows say, column by column, and their protocols."""
        ends, numbers, (others, ports, lower, *_) = self.ends, self.numbers, said
        if stage == "any":
            return list(map(ends.__getitem__, others))
        if stage == "proto":
            return [f"{ends[end]} . {numbers[proto]}" for end, proto in zip(others, protos, strict=True)]
        if sport:
            both = zip(map(numbers.__getitem__, lower), map(numbers.__getitem__, ports), strict=True)
            return [f"{ends[end]} . {low} . {upper}" for end, (low, upper) in zip(others, both, strict=True)]
        return [  # most ports are asked for by one row alone
            f"{end} . {low}" if low == high else f"{end} . {low}-{high}"
            for end, (low, high) in zip(map(ends.__getitem__, others), ports, strict=True)
        ]

    def ending(self, rule: Rule, permit: bool) -> Ending:
        """How a rule that does not log ends."""
        return counted(self.labels([rule.name])[0], permit)


_STYLES: dict[int, tuple[Mapping[str, Any], tuple[tuple[str, str], ...]]] = {}
"""Of a few ways to write names, each of which is held, what they say."""


def _style(text: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    known = _STYLES.get(id(text))
    if known is None:
        if len(_STYLES) >= FEW:
            _STYLES.clear()
        known = _STYLES[id(text)] = text, tuple((key, repr(said)) for key, said in text.items())
    return known[1]


@lru_cache(maxsize=8)
def _known(family: Family, _style: tuple[tuple[str, str], ...]) -> _Known:
    """What is remembered of one family and one platform's way to write names."""
    return _Known(family)


_SIGN = "\0"
"""Stands for a rule's name."""
_VERDICTS = counted(_SIGN, False), counted(_SIGN, True)
_NAME, _LOG = attrgetter("name"), attrgetter("log")


@lru_cache(maxsize=64)
def _around(ahead: tuple[str, str, str, str]) -> Sequence[Sequence[str]]:
    """What a loop writes ahead of a rule's name, behind the key, and behind the name: of a deny and of a permit."""
    _, second, third, last = ahead
    return [f"{second}{comment}{third}{verdict}{last}".split(_SIGN) for comment, verdict in _VERDICTS]


class _Elements(Written[Element]):
    """Elements that are made when a template asks for one; most ask for the text of all."""

    __slots__ = ()

    @overload
    def __getitem__(self, at: int) -> Element: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Element]: ...
    def __getitem__(self, at: int | slice) -> Element | Sequence[Element]:
        return tuple(self)[at]


class Made(_Elements):
    """The elements of a map, of rules that do not log, and what a loop wrote of them."""

    __slots__ = (
        "_denies", "_form", "_lines", "_mixed", "_parts", "_protos", "_rules", "_said", "_text",
        "known", "length", "sport", "stage",
    )  # fmt: skip

    def __init__(self, known: _Known, stage: str, sport: bool, group: Group, parts: Sequence[Made] = ()) -> None:
        self.known, self.stage, self.sport, self.length = known, stage, sport, len(group)
        self._parts, self._mixed = parts, group.mixed
        if not parts:  # not the group, which holds this
            self._said, self._rules, self._denies = columns(group), rules(group), group.once(denies)
            self._protos = [row.proto for row in group.rows] if stage == "proto" else ()
        self._form: object = None
        self._text = ""
        self._lines: Sequence[str] = ()

    def printed(self, form: Form) -> str:
        """What the loop of a template writes. Raises Refused."""
        self._turn(form)
        if not self._text:
            ahead = in_order(form, len(Element._fields))
            self._text = self._all(form, ahead) if ahead else all_printed(form, tuple(self))
        return self._text

    def _turn(self, form: Form) -> None:
        if self._form is not form:
            self._form, self._lines, self._text = form, (), ""

    def _all(self, form: Form, ahead: Sequence[str]) -> str:
        if self._parts:
            (many, few), first = self._parts, self._mixed[0]
            if self._mixed[-1] - first < len(few) and first in (0, len(many)):
                return few.printed(form) + many.printed(form) if first == 0 else many.printed(form) + few.printed(form)
        return "".join(self.lines(form, ahead))

    def lines(self, form: Form, ahead: Sequence[str]) -> Sequence[str]:
        """The same of each element, by what a loop writes ahead of its values and behind the last."""
        self._turn(form)
        if not self._lines:
            parts = [part.lines(form, ahead) for part in self._parts]
            self._lines = self._put(parts) if parts else self._written(form, ahead)
        return self._lines

    def _put(self, parts: Sequence[Iterable[T]]) -> list[T]:
        first, second = parts
        found = list(first)
        for place, one in zip(self._mixed, second, strict=True):
            found.insert(place, one)
        return found

    def _written(self, form: Form, ahead: Sequence[str]) -> list[str]:
        known, said = self.known, list(map(_NAME, self._rules))
        names, shut = known.labels(said), self._denies
        if names is not said and not printable_all([names]):  # the keys are numbers
            return [all_printed(form, [element]) for element in self]
        first, around = ahead[0], _around(ahead)
        if self.stage == "ports" and not self.sport and not shut:  # nearly all rows: without a text for the key alone
            (others, ports, *_), (a, b) = self._said, around[True]
            return [
                f"{first}{end} . {low}{a}{name}{b}" if low == high else f"{first}{end} . {low}-{high}{a}{name}{b}"
                for end, (low, high), name in zip(map(known.ends.__getitem__, others), ports, names, strict=True)
            ]
        keys = known.keys(self.stage, self.sport, self._said, self._protos)
        ways = [around[True]] * len(keys)
        for at in shut:
            ways[at] = around[False]
        return [f"{first}{key}{a}{name}{b}" for key, name, (a, b) in zip(keys, names, ways, strict=True)]

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Element]:
        if self._parts:
            yield from self._put(self._parts)
            return
        keys, shut = self.known.keys(self.stage, self.sport, self._said, self._protos), set(self._denies)
        for at, (key, rule) in enumerate(zip(keys, self._rules, strict=True)):
            yield Element(key, *self.known.ending(rule, at not in shut))


class Led(_Elements):
    """The same where some lead to chains of a host (``own``, by place)."""

    __slots__ = ("made", "own")

    def __init__(self, made: Made, own: Mapping[int, Element]) -> None:
        self.made, self.own = made, own

    def printed(self, form: Form) -> str:
        """What the loop of a template writes. Raises Refused."""
        ahead = in_order(form, len(Element._fields))
        if not ahead or not printable_all(self.own.values()):
            return all_printed(form, tuple(self))
        a, b, c, d = ahead
        lines = list(self.made.lines(form, ahead)) if len(self.own) < len(self.made) else [""] * len(self.made)
        for at, (key, comment, verdict) in self.own.items():
            lines[at] = f"{a}{key}{b}{comment}{c}{verdict}{d}"
        return "".join(lines)

    def __len__(self) -> int:
        return len(self.made)

    def __iter__(self) -> Iterator[Element]:
        return (self.own.get(at) or element for at, element in enumerate(self.made))
