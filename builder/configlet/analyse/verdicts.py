"""What can be found of a rule: values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from configlet.analyse.blocks import Block
from configlet.analyse.spaces import Space
from configlet.model.finding import Kind

Where = tuple[Space, Block]


class Dead(NamedTuple):
    """Of a rule that never decides: earlier rules that are enough for it, whether none can be left out, its packets.

    Packets of infrastructure addresses count for nobody; a rule that has no others is dead by the denies that close them.
    """

    by: tuple[int, ...]
    least: bool
    sample: Where
    decide: bool = False
    """Whether each of those rules decides some packets of it; else they hold them all, and it was not found who decides."""


class Spare(NamedTuple):
    """A rule without which every packet has the same verdict. A ``guard`` is a deny behind which the default denies."""

    kind: Literal["redundant", "guard"]
    by: tuple[int, ...]


@dataclass
class Verdicts:
    """What was found of each rule, by its place in the policy."""

    lone: Mapping[int, Where] = field(default_factory=dict)
    """Rules that have nothing to do with any other, and what each decides: all that it has. Only the rest is looked at."""
    wider: Callable[[int], Iterable[int]] = lambda _: ()
    """The rules that perhaps open more ports than so many."""
    live: dict[int, Where] = field(default_factory=dict)
    """A part of packet space that a rule decides."""
    dead: dict[int, Dead] = field(default_factory=dict)
    taken: dict[int, dict[int, Where]] = field(default_factory=dict)
    """Earlier rules of the other action that decide some of the rule's packets, each with such a part."""
    crossing: dict[int, set[int]] = field(default_factory=dict)
    """Those of them that have packets beyond the rule's too."""
    spare: dict[int, Spare] = field(default_factory=dict)
    undecided: dict[int, list[Kind]] = field(default_factory=dict)

    def decided(self, number: int) -> Where | None:
        """Something that a rule decides, where it is known."""
        return self.live.get(number) or self.lone.get(number)
