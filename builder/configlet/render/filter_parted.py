"""The rows of a host's table by where they are looked up: each local end, each direction, each protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from configlet.model.net import Span
from configlet.model.policy import DST, SRC, Box, Entry

By = dict[Span, list[int]]
"""Numbers of rows by protocol, in order."""


def joined(by: By) -> list[int]:
    """The numbers of all protocols, in order."""
    found = list(by.values())
    return found[0] if len(found) == 1 else sorted(chain(*found))


def piece_of(span: Span, spans: Iterable[Span]) -> bool:
    """Whether a span lies within one of the local ones."""
    first, last = span
    for low, high in spans:  # noqa: SIM110 - asked of every row
        if low <= first and last <= high:
            return True
    return False


@dataclass(slots=True)
class Parted:
    """The rows of a family: the numbers of those towards each local span, of those from it, and of those of which neither
    end is local, each by protocol.
    """

    rows: list[Entry] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    towards: dict[Span, By] = field(default_factory=dict)
    origin: dict[Span, By] = field(default_factory=dict)
    plain: By = field(default_factory=dict)
    _columns: dict[int, list[Span]] = field(default_factory=dict)
    _rules: list[int] = field(default_factory=list)

    def column(self, level: int) -> list[Span]:
        """What the rows say in one dimension, once all are there."""
        if level not in self._columns:
            self._columns[level] = [box[level] for box in self.boxes]
        return self._columns[level]

    @property
    def rules(self) -> list[int]:
        """Of each row a number of its verdict and the identity of its rule, once all are there."""
        if not self._rules:
            self._rules = [2 * id(row.rule) + row.permit for row in self.rows]
        return self._rules

    def take(self, rows: Sequence[Entry], spans: Sequence[Span]) -> None:
        """The rows of one table, whose gate has these local spans."""
        boxes = [entry.box for entry in rows]
        to = _known(self.towards, {box[DST] for box in boxes}, spans)
        start = _known(self.origin, {box[SRC] for box in boxes}, spans)
        towards, origin, plain = to.get, start.get, self.plain
        for number, (proto, dst, src, _, _, _, _) in enumerate(boxes, len(self.rows)):
            into = towards(dst)
            if into is None:
                into = origin(src, plain)
            if proto in into:
                into[proto].append(number)
            else:
                into[proto] = [number]
        self.rows += rows
        self.boxes += boxes
        self.towards.update({end: by for end, by in to.items() if by})
        self.origin.update({end: by for end, by in start.items() if by})


def _known(side: Mapping[Span, By], ends: set[Span], spans: Sequence[Span]) -> dict[Span, By]:
    """Where the rows of each local end go."""
    if all(low == high for low, high in spans):
        return {end: side.get(end, {}) for end in ends.intersection(spans)}
    return {end: side.get(end, {}) for end in ends if piece_of(end, spans)}
