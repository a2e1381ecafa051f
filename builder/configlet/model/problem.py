"""How something wrong is said: where, what, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from configlet.model.frozen import dataclass

Severity = Literal["error", "warning"]
Nature = Literal["invalid", "red"]


class Place(NamedTuple):
    """A position that an editor can jump to. Lines and columns count from 1. Made by the ten thousand."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One complaint.

    The summary names nothing particular, so that the same mistake always reads the same; the detail says in whole
    sentences what is wrong, why it matters and what to do. ``invalid`` is input that cannot be understood (exit 65),
    ``red`` is understood input that must not be pushed (exit 3).
    """

    summary: str
    detail: str
    place: Place | None = None
    also: tuple[Place, ...] = ()
    severity: Severity = "error"
    nature: Nature = "invalid"

    def __str__(self) -> str:
        head = f"{self.place}: {self.summary}" if self.place else self.summary
        body = "".join(f"\n    {line}" for line in self.detail.splitlines())
        rest = "".join(f"\n    see also {place}" for place in self.also)
        return head + body + rest


class Refused(Exception):  # noqa: N818 - it is what happened, in the product's words
    """Nothing goes on from here; every complaint that could be found is inside."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def refuse(summary: str, detail: str, place: Place | None = None, *also: Place, nature: Nature = "invalid") -> Refused:
    """A refusal with a single complaint, to be raised."""
    return Refused([Problem(summary, detail, place, also, nature=nature)])
