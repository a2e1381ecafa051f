"""What the command lines of simulated switches have in common: numbers in their range, the terminal, leaving, a name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from configlet.lab.parsers.eos_entry import InvalidInput

Verb = Callable[[object, "Terminal", Sequence[str]], str]


class Terminal(Protocol):
    """A login: how many lines a page has, and whether it is over."""

    length: int
    over: bool


class Named(Protocol):
    """A configuration that has a hostname."""

    hostname: str


def number_in(taken: Sequence[str], token: int, low: int, high: int) -> int:
    """The last word that a command took, as a number in a range. Raises InvalidInput with its place in the line."""
    word = taken[-2]
    if not (word.isascii() and word.isdigit() and low <= int(word) <= high):
        raise InvalidInput(token, word)
    return int(word)


def leave(_: object, session: Terminal, __: Sequence[str]) -> str:
    """``exit``: the login is over."""
    session.over = True
    return ""


def length(low: int, high: int) -> Verb:
    """``terminal length LINES``."""

    def set_length(_: object, session: Terminal, taken: Sequence[str]) -> str:
        session.length = number_in(taken, 2, low, high)
        return ""

    return set_length


def width(low: int, high: int) -> Verb:
    """``terminal width COLUMNS``: taken, and without effect, as no line is folded here."""

    def set_width(_: object, __: Terminal, taken: Sequence[str]) -> str:
        number_in(taken, 2, low, high)
        return ""

    return set_width


def hostname(config: Named, taken: Sequence[str]) -> None:
    """``hostname NAME``. Raises InvalidInput for what is none."""
    name = taken[0]
    if not (name[0].isalpha() and name.replace("-", "").replace("_", "").isalnum() and len(name) < 64):
        raise InvalidInput(1, name)
    config.hostname = name
