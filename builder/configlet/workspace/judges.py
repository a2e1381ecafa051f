"""Whether all items of a shape keep the schema, seen at what stands in its holes.

Items of one shape differ in nothing else. So the item that the shape was made of is judged as a whole, and of all others
only each hole, with the rules of the place where it is; what several holes of one list say is judged as a list. Where a
hole stands elsewhere, nothing is known, and the items are judged one by one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from configlet.workspace.accept import Accepts, compiled, item_accepter
from configlet.workspace.schema import INVENTORY

Column = Sequence[str]
_MOST = 2048
"""From so many texts of one hole on that were found right no more are remembered."""
_MARK = 10**30
"""The first of the numbers that stand for holes: larger than any number of an inventory."""


class Judges:
    """What judges the items of a shape, and the columns of those that were read since they were judged."""

    __slots__ = ("_judges", "_taken")

    def __init__(self, judges: Sequence[_Judge]) -> None:
        self._judges = judges
        self._taken: list[Sequence[Column]] = []

    def take(self, columns: Sequence[Column]) -> None:
        """Some items, hole by hole."""
        self._taken.append(columns)

    def right(self) -> bool:
        """Whether all that were taken surely keep the schema; they are let go of."""
        taken, self._taken = self._taken, []
        return not taken or all(judge(taken) for judge in self._judges)


_Judge = Callable[[Sequence[Sequence[Column]]], bool]


def judges_of(key: str, sequence: bool, template: str, lists: Sequence[int], item: str) -> Judges | None:
    """What judges the items of a shape by its columns; None where the shape leaves that open.

    ``lists``: which of its holes are several words; ``item``: one item as JSON.
    """
    rules = INVENTORY.get(key)
    if rules is None or key == "site" or sequence != (rules["type"] == "list"):
        return None
    parts = template.split("%s")
    quoted = [part.endswith('"') for part in parts[:-1]]
    marks = [f"@{_MARK + n}" if text else _MARK + n for n, text in enumerate(quoted)]
    try:
        first, marked = (_parsed(text, sequence) for text in (item, template % tuple(marks)))
        if not item_accepter(key)((first,)):
            return None
        walk = _Walk({mark: n for n, mark in enumerate(marks)}, frozenset(lists), quoted)
        judges = tuple(walk.member(rules["schema"], marked) if sequence else walk.pair(rules, *marked))
    except ValueError:
        return None
    return None if walk.left else Judges(judges)


def _judge(at: Sequence[int], value: Callable[[Any], Any], accepts: Accepts) -> _Judge:
    """``value`` of what stands in a hole, or of what stands in several, has to be accepted."""
    known: set[Any] = set()
    one, *more = at

    def judge(taken: Sequence[Sequence[Column]]) -> bool:
        held = ([zip(*[of[n] for n in at], strict=True) for of in taken]) if more else [of[one] for of in taken]
        asked = [*chain.from_iterable(held)]
        if known.issuperset(asked):
            return True
        new = {*asked} - known
        right = accepts([*map(value, new)])
        if right and len(known) < _MOST:
            known.update(new)
        return right

    return judge


def _words(rules: Mapping[str, Any]) -> Accepts:
    """Whether lists are right that are given as words with commas between them; of one word, it is the word that counts."""
    lists = compiled(rules)
    if not rules.keys() <= {"type", "empty", "check_with", "schema", "meta", "required"} or rules["check_with"] != "unique":
        return lambda texts: lists([text.split(", ") for text in texts])
    single = compiled(rules["schema"])

    def accepts(texts: Sequence[str]) -> bool:
        more = [text.split(", ") for text in texts if ", " in text]
        return single([text for text in texts if ", " not in text] if more else texts) and lists(more)

    return accepts


def _parsed(text: str, sequence: bool) -> Any:
    return json.loads(text) if sequence else next(iter(json.loads("{" + text + "}").items()))


class _Walk:
    """A way through an item in which marks stand for holes, and its rules beside it."""

    def __init__(self, marks: Mapping[Any, int], lists: frozenset[int], quoted: Sequence[bool]) -> None:
        self.marks, self.lists, self.quoted = marks, lists, quoted
        self.left = set(marks.values())

    def member(self, rules: Mapping[str, Any], value: Any) -> Iterator[_Judge]:
        """The judges of a value; what stands where its rules are not its own is left."""
        if isinstance(value, dict):
            yield from self._fields(rules, value)
        elif isinstance(value, list):
            yield from self._listed(rules, value)
        elif value in self.marks:
            hole = self.marks[value]
            self.left.discard(hole)
            yield _judge((hole,), str if self.quoted[hole] else json.loads, compiled(rules))

    def pair(self, rules: Mapping[str, Any], name: Any, value: Any) -> Iterator[_Judge]:
        """The same of a name in a map of names, and what it stands for."""
        yield from self.member(rules["keysrules"], name)
        yield from self.member(rules["valuesrules"], value)

    def _fields(self, rules: Mapping[str, Any], value: dict[Any, Any]) -> Iterator[_Judge]:
        for name, inner in value.items() if "check_with" not in rules else ():
            if "valuesrules" in rules:
                yield from self.pair(rules, name, inner)
            elif name in rules.get("schema", ()):
                yield from self.member(rules["schema"][name], inner)

    def _listed(self, rules: Mapping[str, Any], value: list[Any]) -> Iterator[_Judge]:
        holes = [self.marks[one] for one in value if not isinstance(one, (dict, list)) and one in self.marks]
        if not value or len(holes) != len(value):
            return
        self.left.difference_update(holes)
        kinds = [str if self.quoted[hole] else json.loads for hole in holes]
        if not self.lists.isdisjoint(holes):
            yield _judge(holes, str, _words(rules))
        elif len(holes) == 1:
            yield _judge(holes, lambda text: [kinds[0](text)], compiled(rules))
        else:
            yield _judge(holes, lambda texts: [kind(text) for kind, text in zip(kinds, texts, strict=True)], compiled(rules))
