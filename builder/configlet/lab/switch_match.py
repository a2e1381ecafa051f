"""Command words against known forms, with unique abbreviations, as vendors' command lines match them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from configlet.lab.parsers.eos_entry import InvalidInput

T = TypeVar("T")
REST = "..."
"""The last word of a form that takes whatever is left, and at least one word of it."""


class Ambiguous(Exception):  # noqa: N818 - the device's own words
    """Words that are short for more than one command."""


def match(words: Sequence[str], forms: Mapping[str, T]) -> tuple[T, list[str]]:
    """The value of the form that fits, and the words that stand for its capitals.

    A word of a form in capitals takes any one word; others may be abbreviated. A form with more of its words written
    out wins. Raises InvalidInput with the first word that no form knows (or for an incomplete command), and Ambiguous.
    """
    fits: list[tuple[int, T, list[str]]] = []
    reached = 0
    for form, value in forms.items():
        count, exact, taken, whole = _try(words, form.split())
        reached = max(reached, count)
        if whole:
            fits.append((exact, value, taken))
    if not fits:
        raise incomplete(words) if reached >= len(words) else InvalidInput(reached, words[reached])
    fits.sort(key=lambda fit: -fit[0])
    if len(fits) > 1 and fits[0][0] == fits[1][0]:
        raise Ambiguous(" ".join(words))
    return fits[0][1], fits[0][2]


def incomplete(words: Sequence[str]) -> InvalidInput:
    """The refusal of a command that ends too early."""
    return InvalidInput(len(words) - 1, words[-1], "Incomplete command")


def _try(words: Sequence[str], form: Sequence[str]) -> tuple[int, int, list[str], bool]:
    """(words that agree, words that are written out, what the capitals took, whether all of it fits)."""
    taken: list[str] = []
    exact = 0
    for index, known in enumerate(form):
        if index >= len(words):
            return index, exact, taken, False
        word = words[index]
        if known == REST:
            return len(words), exact, [*taken, *words[index:]], True
        if known.isupper():
            taken.append(word)
        elif known == word:
            exact += 1
        elif not known.startswith(word):
            return index, exact, taken, False
    return len(form), exact, taken, len(form) == len(words)
