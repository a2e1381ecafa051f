"""Access lists of one device as they stand, entry by entry, and what a step makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cache
from typing import Any, Literal

from configlet.model.block import Block, items
from configlet.model.frozen import dataclass
from configlet.model.gate import Line, Reading
from configlet.model.problem import refuse

Key = tuple[str, str, int]
"""Interface, direction and family: what a list is bound to."""
Name = tuple[int, str]
"""The family and the name of a list; the families have names of their own."""
Verb = Literal["add", "remove", "bind", "unbind", "drop", "define", "forget"]
Members = tuple[str, ...]
Named = tuple[str, str]
"""The kind and the name of an object group."""


_GROUP = re.compile(r"(?<!\S)object-group (\S+)")


@dataclass(frozen=True, slots=True)
class Unit:
    """One entry with the remarks that stand before it. ``rows`` are the boxes that the reader found in it.

    ``marks`` are the numbers of the remarks: of their own, that of the entry, or 0 where a remark is not numbered.
    """

    number: int
    text: str
    remarks: tuple[str, ...] = ()
    rows: tuple[Line | Block[Line], ...] = ()
    marks: tuple[int, ...] = ()

    @property
    def numbers(self) -> set[int]:
        """Every number that it takes."""
        return {self.number, *self.marks} - {0}

    @property
    def groups(self) -> frozenset[str]:
        """The object groups that it names."""
        return frozenset(_GROUP.findall(self.text))

    @property
    def said(self) -> tuple[tuple[str, ...], str]:
        """The entry without its number, which means nothing by itself."""
        return self.remarks, self.text


Units = tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Lists:
    """What a device holds of ours: lists in order of their numbers, the name that each binding names, object groups."""

    lists: Mapping[Name, Units]
    bound: Mapping[Key, str]
    groups: Mapping[Named, Members] = field(default_factory=dict)

    def at(self, key: Key) -> Units | None:
        """The entries in force at a binding; None where everything passes: no list, a missing one, or an empty one."""
        name = self.bound.get(key)
        return None if name is None else self.lists.get((key[2], name)) or None

    def named(self) -> frozenset[str]:
        """The object groups that any list names."""
        return frozenset(name for units in self.lists.values() for unit in units for name in unit.groups)


@dataclass(frozen=True, slots=True)
class Step:
    """One command: an entry added to or removed from a list, a list bound, unbound, or dropped, a group made or forgotten."""

    verb: Verb
    name: Name
    unit: Unit = Unit(0, "")
    key: Key = ("", "", 0)
    group: Named = ("", "")
    members: Members = ()


class Impossible(Exception):  # noqa: N818 - it is said of a step
    """A step that the device would refuse, or that would leave a binding without its list."""


def after(held: Lists, step: Step) -> Lists:
    """What the device holds after a step. Raises Impossible."""
    if step.verb in ("define", "forget"):
        return _regrouped(held, step)
    lists, bound = dict(held.lists), dict(held.bound)
    units = lists.get(step.name, ())
    if step.verb == "add":
        if missing := step.unit.groups - {name for _, name in held.groups}:
            raise Impossible(f"the group {min(missing)} is not there")
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
    return Lists(lists, bound, held.groups)


def _regrouped(held: Lists, step: Step) -> Lists:
    """A group made whole, or forgotten. A group that a list names is never touched: all its lists would change at once."""
    groups = dict(held.groups)
    if step.group[1] in held.named():
        raise Impossible(f"the group {step.group[1]} is in use")
    if step.verb == "forget":
        groups.pop(step.group, None)
    else:
        groups[step.group] = step.members
    return Lists(held.lists, held.bound, groups)


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
    groups: dict[Named, Members] = {}
    for header, body in _stanzas(reading.numbered):
        if (group := _group(commands, header)) is not None:
            groups[group] = tuple(body)
            continue
        family, name = _header(commands, header)
        if family:
            lists[family, name] = _units(commands, family, body)
        else:
            bound.update(_bound(commands, name, said) for said in body)
    for key, lines in reading.lists.items():
        lists[key[2], bound[key]] = _judged(lists[key[2], bound[key]], lines)
    return Lists(lists, {key: name for key, name in bound.items() if key in reading.lists}, groups)


def _group(commands: Mapping[str, Any], said: str) -> Named | None:
    """The kind and name of the group that a header begins."""
    for kind, form in commands.get("group", {}).items():
        if found := _pattern(form).fullmatch(said):
            return str(kind), found["name"]
    return None


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


def _judged(units: Units, lines: Sequence[Line]) -> Units:
    """The units with their boxes: both are in the order of the text, and an entry's boxes have its line number."""
    groups: list[list[Line | Block[Line]]] = []
    last = 0
    for item in items(lines):
        number = item.like.number if isinstance(item, Block) else item.number
        if not groups or last != number:
            groups.append([])
        groups[-1].append(item)
        last = number
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
        if step.verb in ("define", "forget"):
            under = ""
            yield from _group_lines(commands, step)
            continue
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


def _group_lines(commands: Mapping[str, Any], step: Step) -> Iterator[str]:
    kind, name = step.group
    if step.verb == "forget":
        yield commands["remove_group"].format(kind=kind, name=name)
        return
    yield commands["group"][kind].format(name=name)
    yield from (f" {member}" for member in step.members)


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
