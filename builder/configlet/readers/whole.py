"""A whole configuration of a platform whose texts are read whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from configlet.model.gate import Line, Reading
from configlet.model.net import Family
from configlet.model.problem import Place, Refused
from configlet.model.running import Found, Running, Unread


def whole(read: Callable[[str, str], Reading], text: str, file: str) -> Running:
    """What the text binds, each as a list named after its place; or the line at which it was not understood."""
    total = sum(1 for line in text.splitlines() if line.strip())
    try:
        reading = read(text, file)
    except Refused as refused:
        return Running((), tuple(Unread(file, problem) for problem in refused.problems), 0, total)
    found = [
        Found(f"{binding} {direction}", _family(family), _place(file, lines), lines, ((binding, direction),))
        for (binding, direction, family), lines in reading.lists.items()
    ]
    return Running(tuple(found), (), reading.read, reading.total)


def _place(file: str, lines: Sequence[Line]) -> Place:
    return Place(file, lines[0].number if lines else 1)


def _family(family: int) -> Family:
    return 4 if family == 4 else 6
