"""Access lists of one device as they stand, entry by entry, and what a step makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from configlet.model.gate import Line, Reading
from configlet.model.problem import refuse

Key = tuple[str, str, int]
"""Interface, direction and family: what a list is bound to."""
Name = tuple[int, str]
"""The family and the name of a list; the families have names of their own."""
Verb = Literal["add", "remove", "bind", "unbind", "drop"]


@dataclass(frozen=True, slots=True)
class Unit:
    """One entry with the remarks that stand before it. ``rows`` are the boxes that the reader found in it.

    ``marks`` are the numbers of the remarks: of their own, that of the entry, or 0 where a remark is not numbered.
    """

    number: int
    text: str
    remarks: tuple[str, ...] = ()
    rows: tuple[Line, ...] = ()
    marks: tuple[int, ...] = ()

    @property
    def numbers(self) -> set[int]:
        """Every number that it takes."""
        return {self.number, *self.marks} - {0}

    @property
    def said(self) -> tuple[tuple[str, ...], str]:
        """The entry without its number, which means nothing by itself."""
        return self.remarks, self.text


Units = tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Lists:
    """What a device holds of ours: lists in order of their numbers, and the name that each binding names."""

    lists: Mapping[Name, Units]
    bound: Mapping[Key, str]

    def at(self, key: Key) -> Units | None:
        """The entries in force at a binding; None where everything passes: no list, a missing one, or an empty one."""
        name = self.bound.get(key)
        return None if name is None else self.lists.get((key[2], name)) or None


@dataclass(frozen=True, slots=True)
class Step:
    """One command: an entry added to or removed from a list, a list bound, unbound, or dropped."""

    verb: Verb
    name: Name
    unit: Unit = Unit(0, "")
    key: Key = ("", "", 0)


class Impossible(Exception):  # noqa: N818 - it is said of a step
    """A step that the device would refuse, or that would leave a binding without its list."""


def after(held: Lists, step: Step) -> Lists:
    """What the device holds after a step. Raises Impossible."""
    lists, bound = dict(held.lists), dict(held.bound)
    units = lists.get(step.name, ())
    if step.verb == "add":
        lists[step.name] = _with(units, step.unit)
    elif step.verb == "remove":
        if step.unit.number not in [unit.number for unit in units]:
            raise Impossible(f"the list {step.name[1]} has no entry {step.unit.number}")
        lists[step.name] = tuple(unit for unit in units if unit.number != step.unit.number)
    elif step.verb == "bind":
        if not units:
            raise Impossible(f"the list {step.name[1]} is empty, and an empty list permits all")
        bound[step.key] = step.name[1]
    elif step.verb == "unbind":
        bound.pop(step.key, None)
    else:
        if any((key[2], name) == step.name for key, name in bound.items()):
            raise Impossible(f"the list {step.name[1]} is bound")
        lists.pop(step.name, None)
    return Lists(lists, bound)


def _with(units: Units, unit: Unit) -> Units:
    taken = {number for other in units for number in other.numbers} & unit.numbers
    if taken:
        raise Impossible(f"the number {min(taken)} is taken")
    if unit.text in [other.text for other in units]:
        # "No changes are made" by an entry that is there already, its number aside (Cisco, IP Access List Entry
        # Sequence Numbering); then its removal elsewhere would lose it.
        raise Impossible(f'the entry "{unit.text}" is there already')
    return tuple(sorted((*units, unit), key=lambda other: other.number))


def lists_of(commands: Mapping[str, Any], reading: Reading) -> Lists:
    """The lists of a reading, from its numbered text. Raises Refused for what no recipe knows how to replace."""
    lists: dict[Name, Units] = {}
    bound: dict[Key, str] = {}
    for header, body in _stanzas(reading.numbered):
        family, name = _header(commands, header)
        if family:
            lists[family, name] = _units(commands, family, body)
        else:
            bound.update(_bound(commands, name, said) for said in body)
    for key, lines in reading.lists.items():
        lists[key[2], bound[key]] = _judged(lists[key[2], bound[key]], lines)
    return Lists(lists, {key: name for key, name in bound.items() if key in reading.lists})


def _stanzas(text: str) -> Iterator[tuple[str, list[str]]]:
    header, body = "", list[str]()
    for line in text.splitlines():
        if line.startswith(" "):
            body.append(line.strip())
        else:
            if header:
                yield header, body
            header, body = line.strip("! "), []
    if header:
        yield header, body


def _header(commands: Mapping[str, Any], said: str) -> Name:
    """Family and name of a list, or 0 and the name of an interface. Raises Refused."""
    for family, form in commands["list"].items():
        if found := _pattern(form).fullmatch(said):
            return int(family), found["name"]
    if found := _pattern(commands["interface"]).fullmatch(said):
        return 0, found["interface"]
    raise refuse("Text that no recipe replaces", f'"{said}" has a name of ours, but we do not write such. Remove it.')


def _units(commands: Mapping[str, Any], family: int, body: list[str]) -> Units:
    units: list[Unit] = []
    remarks: list[tuple[int, str]] = []
    for said in body:
        if found := _pattern(commands["add_remark"][family]).fullmatch(said):
            remarks.append((int(found.groupdict().get("sequence") or 0), found["text"]))
        elif found := _pattern(commands["add"][family]).fullmatch(said):
            texts, marks = tuple(text for _, text in remarks), tuple(mark for mark, _ in remarks)
            units.append(Unit(int(found["sequence"]), found["entry"], texts, marks=marks))
            remarks = []
        else:
            raise refuse("Text that no recipe replaces", f'"{said}" is no entry that we know how to replace.')
    if remarks:
        raise refuse("Text that no recipe replaces", f'The remark "{remarks[0][1]}" stands behind the last entry.')
    return tuple(units)


def _bound(commands: Mapping[str, Any], interface: str, said: str) -> tuple[Key, str]:
    for family, form in commands["bind"].items():
        if found := _pattern(form).fullmatch(said):
            return (interface, found["direction"], int(family)), found["name"]
    raise refuse("Text that no recipe replaces", f'"{said}" under interface {interface} binds no list.')


def _judged(units: Units, lines: tuple[Line, ...]) -> Units:
    """The units with their boxes: both are in the order of the text, and an entry's boxes have its line number."""
    groups: list[list[Line]] = []
    for line in lines:
        if not groups or groups[-1][0].number != line.number:
            groups.append([])
        groups[-1].append(line)
    if len(groups) != len(units):
        raise refuse("Text that no recipe replaces", "Entries as read and as numbered are not the same many.")
    return tuple(replace(unit, rows=tuple(group)) for unit, group in zip(units, groups, strict=True))


@cache
def _pattern(form: str) -> re.Pattern[str]:
    """A command format as what reads it."""
    wild = {"sequence": r"(?P<sequence>\d+)", "entry": r"(?P<entry>(?:permit|deny) .+)", "text": "(?P<text>.*)"}
    parts = re.split(r"\{(\w+)\}", form)
    return re.compile("".join(wild.get(p, rf"(?P<{p}>\S+)") if n % 2 else re.escape(p) for n, p in enumerate(parts)))


def lines(commands: Mapping[str, Any], steps: tuple[Step, ...]) -> Iterator[str]:
    """What is entered for the steps, each list's or interface's header once for what follows under it."""
    under = ""
    for step in steps:
        family, name = step.name
        words = {"name": name, "interface": step.key[0], "direction": step.key[1]}
        if step.verb == "drop":
            under = ""
            yield commands["remove_list"][family].format(**words)
            continue
        header = commands["interface"] if step.verb in ("bind", "unbind") else commands["list"][family]
        header = header.format(**words)
        if header != under:
            under = header
            yield header
        yield from (f" {line}" for line in _inner(commands, step, words))


def _inner(commands: Mapping[str, Any], step: Step, words: Mapping[str, str]) -> Iterator[str]:
    family, unit = step.name[0], step.unit
    if step.verb in ("bind", "unbind"):
        yield commands[step.verb][family].format(**words)
    elif step.verb == "add":
        for mark, remark in zip(unit.marks, unit.remarks, strict=True):
            yield commands["add_remark"][family].format(sequence=mark, text=remark)
        yield commands["add"][family].format(sequence=unit.number, entry=unit.text)
    else:
        if unit.number in unit.marks:
            yield commands["remove_remark"][family].format(sequence=unit.number)
        for number in sorted(unit.numbers, key=lambda n: n == unit.number):
            yield commands["remove"][family].format(sequence=number)
