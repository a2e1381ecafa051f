"""Rows of an access list: each box becomes one or more lines in the platform's own forms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain, islice, takewhile
from operator import attrgetter, itemgetter, ne
from typing import Any, ClassVar

from configlet.model.block import items
from configlet.model.frozen import dataclass
from configlet.model.gate import Table
from configlet.model.net import Family
from configlet.model.policy import Entry
from configlet.model.problem import refuse
from configlet.packets.entries import WHOLE
from configlet.render.acl_groups import Group, Grouping
from configlet.render.acl_lines import BESIDE, ROW, Lines, Told, denies_fragments
from configlet.render.acl_words import asks_fragments, cannot, word_of
from configlet.render.numbered import OWN, Line, Numbered, Row
from configlet.render.values import by_family, called, label


@dataclass(frozen=True, slots=True)
class List:
    """One access list with the direction in which it is bound. A row is its number and the words of a Row."""

    name: str
    command: str
    direction: str
    rows: Numbered
    family: int = 4
    interface: str = ""
    """The interface that it is bound to, as the platform calls it."""


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface and the lists that are bound to it."""

    name: str
    lists: tuple[List, ...]


def values(owner: str, operands: Mapping[str, Any], tables: Sequence[Table]) -> dict[str, object]:
    """What the template of an access list is given. Raises Refused for a row that no line can say."""
    ordered = sorted(tables, key=lambda t: (t.gate.binding, t.gate.direction, t.family))
    last = _Last(operands)
    bound: dict[str, list[List]] = {}
    lists: list[List] = []
    groups: dict[str, Group] = {}
    for table in ordered:
        lists.append(_list(operands, table, groups, last))
        bound.setdefault(lists[-1].interface, []).append(lists[-1])
    if operands.get("directions") == "one" and len({(t.family, t.gate.direction) for t in ordered}) > len(
        {t.family for t in ordered}
    ):
        raise refuse("Gates that exclude each other", f"{owner}: {operands['refusals']['directions']}", nature="red")
    together = operands.get("together", False)
    names = [f"{item.name} {item.family}" if together else item.name for item in lists]
    if len(set(names)) != len(names):
        raise refuse("Two tables for one place", f"{owner} has two tables for one of {', '.join(sorted(set(names)))}.")
    interfaces = tuple(Interface(name, tuple(items)) for name, items in bound.items())
    ordered_groups = tuple(groups[name] for name in sorted(groups))
    return {"owner": owner, "groups": ordered_groups, "lists": tuple(lists), "interfaces": interfaces}


def _list(operands: Mapping[str, Any], table: Table, groups: dict[str, Group], last: _Last) -> List:
    gate, family = table.gate, table.family
    binding = called(operands.get("interfaces", ()), gate.binding, operands.get("refusals", {}))
    name = operands["name"].format(binding=gate.binding, direction=gate.direction, family=family)
    for old, new in operands.get("names", {}).items():
        name = name.replace(old, new)
    if len(name) > operands.get("name_length", len(name)):
        detail = f"{name}: a list's name has at most {operands['name_length']} characters."
        raise refuse("Name longer than the platform's", detail, nature="red")
    return List(name, operands["command"][family], gate.direction, last.counted(table, groups), family, binding)


_SHAPE, _OWN, _TAKES = itemgetter(0), itemgetter(1), attrgetter("takes")
LONG, MANY = 20_000, 100_000
"""Rows of a list that is too long to be held for another device, and words that are too many."""


class _Last:
    """The rows of the device that was rendered last, as both of a pair have the same: by the rows of their tables, which are
    held here, and what else a list says. Where groups are named too, and of long lists, each is made anew."""

    known: tuple[Mapping[str, Any], dict[object, tuple[Sequence[Entry], Numbered]]] = ({}, {})
    words: ClassVar[dict[Family, Lines]] = {}
    """How rows are worded by the same operands."""

    def __init__(self, operands: Mapping[str, Any]) -> None:
        before, made = _Last.known
        self._operands, self._before = operands, made if before == operands else {}
        self._made: dict[object, tuple[Sequence[Entry], Numbered]] = {}
        _Last.known = operands, self._made
        _Last.words = _Last.words if before == operands else {}

    def counted(self, table: Table, groups: dict[str, Group]) -> Numbered:
        """The rows of a table with their numbers. Raises Refused."""
        if len(table.rows) > LONG:
            return _counted(self._operands, table, groups, Lines(self._operands, table.family))
        made = self._words(table.family)
        if "groups" in self._operands:
            return _counted(self._operands, table, groups, made)
        key = id(table.rows), table.family, table.gate.direction, table.gate.segments
        if key not in self._before:
            self._before[key] = table.rows, _counted(self._operands, table, groups, made)
        self._made[key] = self._before[key]
        return self._made[key][1]

    def _words(self, family: Family) -> Lines:
        """What rows were worded before, as two lists have each rule; anew when it is much."""
        made = _Last.words.get(family)
        if made is None or made.held > MANY:
            made = _Last.words[family] = Lines(self._operands, family)
        return made


def _counted(operands: Mapping[str, Any], table: Table, groups: dict[str, Group], made: Lines) -> Numbered:
    """The rows with their numbers, without gaps where the list would else be too long. Raises Refused."""
    sequence = operands["sequence"]
    remarks, first = sequence.get("remarks"), sequence["first"]
    least, most = sequence.get("lowest", 0), sequence.get("highest", 1 << 32)
    lines = _lines(operands, table, groups, made)
    if remarks in BESIDE:
        lines = list(_beside(lines, made, once=remarks == "first"))
    count = sum(map(_TAKES, map(_SHAPE, lines)))
    for step in (sequence["step"], 1 if sequence["step"] > 0 else -1):
        numbers: Sequence[int] = range(first, first + step * count, step)
        if remarks == "shared":  # with the entry behind it
            numbers = list(islice(accumulate(_steps(lines, step), initial=first), count))
        if all(least <= number <= most for number in (numbers[0], numbers[-1])):
            return Numbered(numbers, lines)
    last = most if sequence["step"] > 0 else least
    room = f"{abs(last - first) + 1:,} numbers for them, {first} to {last}"
    detail = f"{table.gate.name} has {count:,} entries, and the platform has {room}."
    raise refuse("List longer than its numbers", f"{detail} Nothing was rendered.", nature="red")


def _steps(lines: Iterable[Line], step: int) -> Iterator[int]:
    """What is counted on behind each row: nothing behind a remark."""
    for shape in map(_SHAPE, lines):
        yield from (0, step)[1 - shape.apart : 2 - shape.lone]


def _beside(lines: Iterable[Line], made: Lines, *, once: bool) -> Iterator[Line]:
    """Each line with the remark ahead of it, or ``once`` only the first behind a remark."""
    remark = ""
    for line in lines:
        shape, own, *more = line
        remark = own or remark
        if shape.lone:
            continue
        if own or not remark:
            yield line
        else:
            yield (shape.noted, remark, *more) if shape.noted else made.shapes.reworded(line, remark=remark)  # type: ignore[misc]
        remark = "" if once else remark


def _once(lines: list[Line], parts: Sequence[Told], last: Line, made: Lines) -> list[Line]:
    """Without what stands there already: such a line decides nothing, and some devices silently do not take it. Its remark
    stays. ``parts``: the same lines, but for remarks that are alone and the ``last``, each with a remark."""
    if _apart(parts, last):
        return lines
    said = set[object]()
    out = list[Line]()
    for line in lines:
        row = line[0].bare, *line[2:]
        if line[0].lone or row not in said:
            said.add(row)
            out.append(line)
        elif line[1]:
            out.append(made.shapes.line(Row(line[1])))
    return out


def _apart(parts: Sequence[Told], last: Line) -> bool:
    """Whether surely no two lines say the same, as those of other shapes never do."""
    usual = [part.usual for part in parts if part.usual]
    others = [last, *chain.from_iterable(part.lines for part in parts if not part.usual)]
    shapes = set(map(_SHAPE, others))
    if not all(OWN[0] in shape.own for shape in shapes):
        return False
    if len(shapes.union(*usual)) == len(shapes) + sum(map(len, usual)):
        return len(set(map(ROW, others))) == len(others)
    rows = [last, *chain.from_iterable(part.lines for part in parts)]
    return len(set(map(ROW, rows))) == len(rows)


def _lines(operands: Mapping[str, Any], table: Table, groups: dict[str, Group], made: Lines) -> list[Line]:
    """The lines of a list with the remarks ahead of them. Raises Refused."""
    line = made.shapes.line
    out = [line(Row(f"{label(', '.join(table.gate.segments), operands['text'])} {table.gate.direction}"))]
    parts: list[Told] = []
    said, decided = "", False
    grouped = table.family in table.gate.capability.groups
    _can_pass_fragments(operands, table)
    for part in Grouping(made, groups).told(items(table.rows)) if grouped else made.of(table.rows):
        if part.fragment == WHOLE and not decided:
            decided, said = True, ""
            if denies_fragments(operands, table.family):
                out.append(line(_plain(operands, table.family, fragments=True)))
                parts.append(Told(out[-1:], WHOLE, part.first))
        elif part.fragment == (1, 1) and decided:
            raise cannot(part.first, "a row for fragments stands after the line that decides all of them")
        parts.append(part)
        said = _add(out, said, part)
    last = line(_plain(operands, table.family, fragments=False))
    return _once([*out, last], parts, last, made)


def _add(out: list[Line], said: str, part: Told) -> str:
    """Put lines behind others, without the remark that was said last; gives the one that is last then."""
    lines = part.lines
    if part.usual and lines[0][1] != said:
        out += lines
        return lines[-1][1]
    remarks = list(map(_OWN, lines))
    new = list(map(ne, remarks, chain((said,), remarks)))
    if False not in new:
        out += lines
    else:
        out += [line if first else (line[0].bare, "", *line[2:]) for line, first in zip(lines, new, strict=True)]
    return remarks[-1] if remarks else said


def _can_pass_fragments(operands: Mapping[str, Any], table: Table) -> None:
    """Refuse the first rule whose fragments should pass where the platform cannot say so; denies before it are of no rule."""
    words = by_family(operands["words"], table.family)
    for entry in takewhile(asks_fragments, table.rows if words["fragments"] is None else ()):
        if entry.permit:
            word_of(operands, words, "fragments", entry)


def _plain(operands: Mapping[str, Any], family: Family, *, fragments: bool) -> Row:
    every = by_family(operands["address"], family)["any"]
    word = denies_fragments(operands, family) if fragments else ""
    proto = operands["proto"][family]["any"]
    said = "fragments" if fragments else "default deny"
    return Row(said, operands["action"]["deny"], proto, every, every, fragments=word)
