"""What is only observed must be counted under its own name, and nothing else may be: the law of a gate that observes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import TypeVar

from configlet.model.block import Block, items, listed
from configlet.model.gate import Law, Line, Witness
from configlet.model.policy import Entry
from configlet.model.told import Faced
from configlet.prove.compare import witnesses

T = TypeVar("T", Entry, Line)
NOT_SO = "is counted as another rule says, or not at all"


def observing(law: Law) -> tuple[str, ...]:
    """The names of the rules of a law that only observe."""
    return tuple(dict.fromkeys(chain.from_iterable(map(_observing, law.lists))))


def _observing(part: Sequence[Entry]) -> Iterable[str]:
    found = part.head if isinstance(part, Faced) and not part.face.observes else items(part)
    of = [item.like if isinstance(item, Block) else item for item in found]
    return [entry.rule.name for entry in of if entry.rule.origin == "observe"] if "observe" in map(_ORIGIN, of) else ()


def uncounted(law: Law, names: Iterable[str], lines: Sequence[Line], realm: str, file: str) -> tuple[Witness, ...]:
    """Packets that pass by an observing rule and are not counted under its name, or are and pass by another rule."""
    out: list[Witness] = []
    for name in names:
        only = Law(law.family, tuple(_kept(part, partial(_of_rule, name)) for part in law.lists))
        told = _kept(lines, partial(_counted, name))
        found = witnesses(only, told, realm, file)
        out += [replace(w, line=f"{w.line} {NOT_SO}") for w in found]
    return tuple(out)


_ORIGIN = attrgetter("rule.origin")


def _of_rule(name: str, entry: Entry) -> bool:
    return entry.rule.name == name


def _counted(name: str, line: Line) -> bool:
    return line.counted and line.label == name


def _kept(part: Sequence[T], mine: Callable[[T], bool]) -> Sequence[T]:
    """A first-match list of which only some rows pass anything."""
    return listed(item if mine(_like(item)) else _closed(item) for item in items(part))


def _like(item: T | Block[T]) -> T:
    return item.like if isinstance(item, Block) else item


def _closed(item: T | Block[T]) -> T | Block[T]:
    if isinstance(item, Block):
        return Block(item.sets, _shut(item.like))
    return _shut(item)


def _shut(row: T) -> T:
    return row._replace(permit=False) if isinstance(row, Line) else replace(row, permit=False)
