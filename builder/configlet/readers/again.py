"""Lists of one family that a text says as another text did, but for the numbers of lines.

Where a hook's chain comes to no map of a family, its lists hang on nothing but the words of the rules that it comes to: a
host without addresses of IPv6 says of IPv6 what all such hosts say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import repeat

from configlet.model.gate import Line
from configlet.readers.asked import foreign
from configlet.readers.filter_values import Rule, Table

_MOST = 64
"""Texts that are remembered."""
_new = tuple.__new__
Lists = Mapping[str, tuple[Line, ...]]
_Columns = tuple[Sequence[object], ...]


class Again:
    """Lists of texts before, by what the rules say that lead to them."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[object, dict[str, _Columns]] = {}

    def of(self, table: Table, family: int, name: str, made: Callable[[], Lists]) -> Lists:
        """The lists of a hook's chain by direction, ``made`` where no text before said the same. Raises Refused."""
        chains = _reached(table, family, name)
        if chains is None:
            return made()
        hook = table.hooks[name]
        numbers = [hook.source.number, *(rule.source.number for rules in chains.values() for rule in rules)]
        said = ((chain, chain in table.ends, *(r.source.text for r in rules)) for chain, rules in chains.items())
        key = family, hook.accept, tuple(said)
        if len(set(numbers)) < len(numbers):
            return made()
        if key not in self._known:
            found = made()
            at = {number: place for place, number in enumerate(numbers)}
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key] = {direction: _columns(lines, at) for direction, lines in found.items()}
            return found
        return {direction: _lines(columns, numbers) for direction, columns in self._known[key].items()}


def _reached(table: Table, family: int, name: str) -> dict[str, list[Rule]] | None:
    """The chains to which a chain leads, with their rules that may speak of a family; None where one of these asks a map."""
    out: dict[str, list[Rule]] = {}
    ahead = [name]
    while ahead:
        name = ahead.pop()
        if name in out:
            continue
        out[name] = [rule for rule in table.chains[name] if not foreign(family, rule)]
        if any(rule.lookup for rule in out[name]):
            return None
        ahead += [rule.target for rule in out[name] if rule.target]
    return out


def _columns(lines: Sequence[Line], at: Mapping[int, int]) -> _Columns:
    """The parts of lines, with the place of each number among the text's."""
    permits, boxes, numbers, *others = zip(*lines, strict=True) if lines else ((),) * len(Line._fields)
    return permits, boxes, [at[number] for number in numbers], *others


def _lines(columns: _Columns, numbers: Sequence[int]) -> tuple[Line, ...]:
    permits, boxes, places, *others = columns
    cells = zip(permits, boxes, map(numbers.__getitem__, places), *others, strict=True)  # type: ignore[arg-type]
    return tuple(map(_new, repeat(Line), cells))
