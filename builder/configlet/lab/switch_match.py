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


class Said(Exception):  # noqa: N818 - the device's own words
    """A line that was understood and is refused all the same; the text is what the device prints."""


def match(words: Sequence[str], forms: Mapping[str, T]) -> tuple[T, list[str]]:
    """The value of the form that fits, and the words that stand for its capitals.

    A word of a form in capitals takes any one word. Others may be abbreviated as long as no other known word begins so;
    a word that is written out wins over one that it abbreviates. Raises InvalidInput with the first word that no form
    knows (or for an incomplete command), and Ambiguous.
    """
    left = [(form.split(), value) for form, value in forms.items()]
    for index, word in enumerate(words):
        known = {_at(form, index) for form, _ in left} - {""}
        keywords = {name for name in known if not name.isupper() and name != REST}
        fitting = {word} & keywords or {name for name in keywords if name.startswith(word)}
        if len(fitting) > 1:
            raise Ambiguous(" ".join(words))
        open_ = known - keywords
        if not fitting and not open_:
            raise InvalidInput(index, word)
        keep = fitting or open_
        left = [(form, value) for form, value in left if _at(form, index) in keep]
    for form, value in left:
        if len(form) == len(words) or (form[-1] == REST and len(words) > len(form)):
            return value, _taken(form, words)
    raise incomplete(words)


def _at(form: Sequence[str], index: int) -> str:
    """The word of a form at a position; one that takes the rest goes on for ever."""
    if index < len(form):
        return form[index]
    return REST if form[-1] == REST else ""


def _taken(form: Sequence[str], words: Sequence[str]) -> list[str]:
    found = [word for known, word in zip(form, words, strict=False) if known.isupper() or known == REST]
    return [*found, *words[len(form) :]]


def incomplete(words: Sequence[str]) -> InvalidInput:
    """The refusal of a command that ends too early."""
    return InvalidInput(len(words) - 1, words[-1], "Incomplete command")
