"""The elements of verdict maps: hosts have most of theirs in common, and those are made once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any, overload

from configlet.model.net import Family, Span
from configlet.model.told import Group, Told, columns, in_turn
from configlet.render.filter_words import Element, Ending, Endings, counted, number_text, span_text
from configlet.render.forms import Form, Written, all_printed, in_order, printable_all
from configlet.render.values import all_labels

MOST = 16_384
"""Elements that are remembered, those of some tens of hosts."""
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
        key = self.known, stage, sport
        found: Sequence[Element] | None = group.known.get(key)
        if found is None:
            logging = group.once(logs)
            if logging:  # they lead to a chain of this host
                made = self.made(stage, [group.rows[at] for at in logging], sport=sport)
                return Made(self.known, stage, sport, group, dict(zip(logging, made, strict=True)))
            turn = group.once(in_turn)
            parts = [self.of(stage, part, sport=sport) for part in turn] if turn else ()
            found = group.known[key] = Made(self.known, stage, sport, group, {}, parts)
        return found

    def made(self, stage: str, rows: Sequence[Told], *, sport: bool = False) -> list[Element]:
        """The same of some rows, or pieces of them."""
        keys = self.known.keys(stage, sport, rows)
        said = [self.ending(row.rule, row.permit) if row.rule.log else self.known.endings([row])[0] for row in rows]
        return [Element(key, *of) for key, of in zip(keys, said, strict=True)]


def logs(group: Group) -> Sequence[int]:
    """The places of the rows whose rule logs."""
    if group.parts and not any(group.each(logs)):
        return ()
    return [at for at, row in enumerate(group.rows) if row.rule.log]


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
        self.form: object = None
        self.lines: dict[tuple[str, bool], dict[Told, str]] = {}

    def keys(self, stage: str, sport: bool, rows: Sequence[Told]) -> list[str]:
        """The keys of elements."""
        ends, numbers = self.ends, self.numbers
        if stage == "any":
            return [ends[row.key[0]] for row in rows]
        if stage == "proto":
            return [f"{ends[row.key[0]]} . {numbers[row.proto]}" for row in rows]
        if sport:
            return [
                f"{ends[end]} . {numbers[lower]} . {numbers[upper]}"
                for end, upper, lower, _, _ in [row.key for row in rows]
            ]
        return [  # most ports are asked for by one row alone
            f"{ends[end]} . {low}" if low == high else f"{ends[end]} . {low}-{high}"
            for end, (low, high), _, _, _ in [row.key for row in rows]
        ]

    def endings(self, rows: Sequence[Told]) -> list[Ending]:
        """How rules that do not log end."""
        names = self.labels([row.rule.name for row in rows])
        return [counted(name, row.permit) for name, row in zip(names, rows, strict=True)]

    def written(self, form: Form, stage: str, sport: bool, count: int) -> dict[Told, str]:
        """The lines that a loop wrote at a stage, less all when they would be too many together with so many more."""
        if self.form is not form or sum(map(len, self.lines.values())) + count > MOST:
            self.form, self.lines = form, {}
        return self.lines.setdefault((stage, sport), {}) if count <= MOST else {}


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


_NAME = "\0"
"""Stands for a rule's name."""
_VERDICTS = counted(_NAME, False), counted(_NAME, True)
_PERMIT = attrgetter("permit")


@lru_cache(maxsize=64)
def _around(ahead: tuple[str, str, str, str]) -> Sequence[Sequence[str]]:
    """What a loop writes ahead of a rule's name, behind the key, and behind the name: of a deny and of a permit."""
    _, second, third, last = ahead
    return [f"{second}{comment}{third}{verdict}{last}".split(_NAME) for comment, verdict in _VERDICTS]


class Made(Written[Element]):
    """The elements of a map. What a loop wrote of a row is not written again, but of those that lead to a chain of this
    host (``own``, by place)."""

    __slots__ = ("_columns", "_form", "_parts", "_text", "known", "own", "rows", "sport", "stage")

    def __init__(
        self, known: _Known, stage: str, sport: bool, group: Group, own: Mapping[int, Element],
        parts: Iterable[Sequence[Element]] = (),
    ) -> None:  # fmt: skip
        self.known, self.stage, self.sport, self.rows, self.own = known, stage, sport, group.rows, own
        self._columns = () if group.parts else group.once(columns)  # not the group, which holds this
        self._parts = [part for part in parts if isinstance(part, Made)]
        self._form: object = None
        self._text = ""

    def printed(self, form: Form) -> str:
        """What the loop of a template writes. Raises Refused."""
        if self._form is not form:
            ahead = in_order(form, len(Element._fields))
            if self._parts:
                self._text = "".join([part.printed(form) for part in self._parts])
            else:
                self._text = self._lines(form, ahead) if ahead else all_printed(form, tuple(self))
            self._form = form
        return self._text

    def _lines(self, form: Form, ahead: Sequence[str]) -> str:
        known, rows = self.known.written(form, self.stage, self.sport, len(self.rows)), self.rows
        if self._columns and rows[0] not in known and not self.own:  # nor is any other, as a rule
            made = self._written(form, ahead, rows, self._columns)
            known.update(zip(rows, made, strict=True))
            return "".join(made)
        found = list(map(known.get, rows))
        if self.own and printable_all(self.own.values()):
            a, b, c, d = ahead
            for at, (key, comment, verdict) in self.own.items():
                found[at] = f"{a}{key}{b}{comment}{c}{verdict}{d}"
        else:
            for at, element in self.own.items():
                found[at] = all_printed(form, (element,))
        if None in found:
            places = [at for at, line in enumerate(found) if line is None]
            rows = list(map(rows.__getitem__, places))
            made = self._written(form, ahead, rows, tuple(zip(*[row.key for row in rows], strict=True)))
            known.update(zip(rows, made, strict=True))
            for at, line in zip(places, made, strict=True):
                found[at] = line
        return "".join(found)  # type: ignore[arg-type]

    def _written(
        self, form: Form, ahead: Sequence[str], rows: Sequence[Told], said_by: Sequence[Sequence[Span]]
    ) -> list[str]:
        known, said = self.known, [row.rule.name for row in rows]
        names = known.labels(said)
        if names is not said and not printable_all([names]):  # the keys are numbers
            keys = known.keys(self.stage, self.sport, rows)
            return [all_printed(form, [(key, *of)]) for key, of in zip(keys, known.endings(rows), strict=True)]
        first, around = ahead[0], _around(ahead)
        permits = all(map(_PERMIT, rows))
        a, b = around[permits]
        if permits and self.stage == "ports" and not self.sport:  # nearly all rows: without a text for the key alone
            others, ports, *_ = said_by
            return [
                f"{first}{end} . {low}{a}{name}{b}" if low == high else f"{first}{end} . {low}-{high}{a}{name}{b}"
                for end, (low, high), name in zip(map(known.ends.__getitem__, others), ports, names, strict=True)
            ]
        keys = known.keys(self.stage, self.sport, rows)
        if permits:
            return [f"{first}{key}{a}{name}{b}" for key, name in zip(keys, names, strict=True)]
        return [
            f"{first}{key}{name.join(around[row.permit])}" for key, name, row in zip(keys, names, rows, strict=True)
        ]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Element]:
        keys = self.known.keys(self.stage, self.sport, self.rows)
        for at, (key, row) in enumerate(zip(keys, self.rows, strict=True)):
            yield self.own.get(at) or Element(key, *self.known.endings([row])[0])

    @overload
    def __getitem__(self, at: int) -> Element: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Element]: ...
    def __getitem__(self, at: int | slice) -> Element | Sequence[Element]:
        return tuple(self)[at]
