"""Values at the door of a template: nothing that is written can become a line of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from configlet.model.problem import refuse

FEW = 4
"""Names that are sooner looked at one by one."""
MOST = 100
"""Characters of a refused value that are shown."""


class Filled(str):
    """What the block of another template gave (``super()``): text whose values were looked at when they were written."""

    __slots__ = ()


def written(value: object) -> object:
    """The template's last check of a value: printable text or a whole number. Raises Refused."""
    if (type(value) is str and value.isprintable()) or type(value) is int:
        return value
    if isinstance(value, Filled) or (isinstance(value, str) and value.isprintable()):
        return value
    said = repr(value)
    said = said if len(said) <= MOST else f"{said[:MOST]}…"
    detail = f"{said} would be written into a configuration. Only text without line breaks and control characters may be."
    raise refuse("Value that cannot be written", detail)


_WRITTEN = frozenset((str, int))


def all_written(values: tuple[object, ...]) -> tuple[object, ...]:
    """The same of all values between two tags. Raises Refused."""
    if _WRITTEN.issuperset(map(type, values)) and "".join(map(str, values)).isprintable():
        return values
    for value in values:
        if (type(value) is str and value.isprintable()) or type(value) is int:
            continue
        written(value)
    return values


PLAIN = bytes(range(32, 127))
"""Printable ASCII."""


def printable(text: str) -> bool:
    """``str.isprintable``, of long ASCII at a tenth of its time."""
    return not text.encode().translate(None, PLAIN) if text.isascii() else text.isprintable()


def label(text: str, style: Mapping[str, Any]) -> str:
    """A name as a remark or comment: blanks joined, what the platform reads specially replaced, cut to length.

    Raises Refused for control characters; a name is never repaired there, as it may hide a command.
    """
    if len(text) <= style["length"] and _usual("".join(style["replace"]))(text):
        return text
    written(text)
    for old, new in style["replace"].items():
        if old in text:
            text = text.replace(old, new)
    if style["charset"] == "ascii":
        text = (text if text.isascii() else text.encode("ascii", "replace").decode()).replace("?", "_")
    if "  " in text or text[:1] == " " or not text.isascii():
        text = " ".join(text.split())
    return text[: style["length"]].rstrip()


def labels(style: Mapping[str, Any]) -> Callable[[str], str]:
    """``label`` in one style, for many names of which nearly all are as they should be."""
    usual, length = _usual("".join(style["replace"])), style["length"]
    return lambda text: text if len(text) <= length and usual(text) else label(text, style)


def all_labels(style: Mapping[str, Any]) -> Callable[[Sequence[str]], Sequence[str]]:
    """The same of many names at once; the very same list where none is changed, and then all of it may be written."""
    each, length = labels(style), style["length"]
    plain = bytes(set(range(32, 127)).difference("".join(("?", *style["replace"])).encode()))

    def of(names: Sequence[str]) -> Sequence[str]:
        if len(names) < FEW:
            found = list(map(each, names))
            return names if found == names else found
        text = " ".join(("", *names, ""))  # a blank ahead of a name or behind it stands beside another one then
        usual = "  " not in text and text.isascii() and not text.encode().translate(None, plain)
        if usual and max(map(len, names), default=0) <= length:
            return names
        return list(map(each, names))

    return of


@cache
def _usual(replaced: str) -> Callable[[str], object]:
    """Whether nothing in a text is to be replaced or joined: words of plain characters, with single blanks between."""
    word = "[" + "".join(re.escape(c) for c in map(chr, range(33, 127)) if c not in "?" + replaced) + "]+"
    return re.compile(word if " " in replaced else f"{word}(?: {word})*").fullmatch


def by_family(said: Mapping[Any, Any], family: int) -> Mapping[Any, Any]:
    """Formats of one family, where a platform writes the families differently; else those of both."""
    found = said.get(family, said)
    assert isinstance(found, Mapping)
    return found


def called(said: Sequence[Mapping[str, str]], name: str, refusals: Mapping[str, str]) -> str:
    """An interface as the platform calls it; one that no pattern knows is called as in the inventory. Raises Refused for
    one to which the platform can bind nothing."""
    for one in said:
        if found := re.fullmatch(one["name"], name):
            if "refuse" in one:
                raise refuse("Gate that the platform cannot hold", f"{name}: {refusals[one['refuse']]}", nature="red")
            return one["write"].format(*found.groups())
    return name
