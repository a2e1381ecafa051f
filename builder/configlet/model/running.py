"""What was understood of a whole running configuration: each of its access lists, or why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from configlet.model.frozen import dataclass
from configlet.model.gate import Line
from configlet.model.net import Family, Spans
from configlet.model.policy import Box
from configlet.model.problem import Place, Problem


@dataclass(frozen=True, slots=True)
class Unknown:
    """Packets of which nobody has said what the device does with them in this list; ``why`` as a sentence."""

    box: Box
    why: str
    place: Place


@dataclass(frozen=True, slots=True)
class Found:
    """One access list that was read completely: first match, then deny. ``bound`` are (interface, direction)."""

    name: str
    family: Family
    place: Place
    lines: Sequence[Line]
    bound: tuple[tuple[str, str], ...] = ()
    unknown: tuple[Unknown, ...] = ()
    later: Sequence[Line] = ()
    """Where it remembers connections: what becomes of packets of known ones, while ``lines`` decide their first packets."""

    @property
    def stateful(self) -> bool:
        """Whether it remembers connections."""
        return bool(self.later)


@dataclass(frozen=True, slots=True)
class Unread:
    """An access list, or a line that concerns access lists, that was not understood whole."""

    name: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class Running:
    """A running configuration. ``read`` of ``total`` lines belong to lists, groups and bindings; the others concern none.

    ``groups`` are the names that the configuration has for sets of addresses.
    """

    found: tuple[Found, ...]
    unread: tuple[Unread, ...]
    read: int
    total: int
    groups: Mapping[tuple[Family, Spans], str] = field(default_factory=dict)
