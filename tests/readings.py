"""What is said of a text, as values that can be compared."""

from __future__ import annotations

from collections.abc import Callable

from configlet.model.gate import Reading
from configlet.model.problem import Refused


def answer(read: Callable[[str, str], Reading], text: str) -> object:
    """All that a reader says of a text: what it means, or why it is refused and where."""
    try:
        found = read(text, "text")
    except Refused as refused:
        return refused.problems
    return dict(found.lists), found.read, found.total, found.stateful, found.texts(), found.notes
