"""A JSON file that somebody else may have written: nothing twice, nothing hidden, and each value knows its place."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from configlet.model.frozen import dataclass
from configlet.model.problem import Place, Refused, refuse

Path = tuple[str | int, ...]
LARGEST = 200_000_000
"""Characters; a plan over 400,000 lines is a quarter of it."""

_WORDS = r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+'
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds. ``what`` is what it should be, in the summary of each complaint."""

    value: Any
    text: str
    file: str
    what: str

    def odd(self, path: Path, detail: str) -> Refused:
        """A complaint about the value at this path (keys and indexes from the top), or the nearest above that is there."""
        known = dict(_offsets(self.text))
        at = next((known[path[:depth]] for depth in range(len(path), -1, -1) if path[:depth] in known), 0)
        head = self.text[:at]
        place = Place(self.file, head.count("\n") + 1, len(head) - head.rfind("\n"))
        return refuse(self.what, detail, place)


def read(text: str, file: str, what: str) -> Document:
    """The document; ``Refused`` when it is no JSON, too large or too deep, has a key twice, or hides characters.

    Hidden are control and format characters but newline and tab: a terminal would obey them instead of showing them.
    """
    if len(text) > LARGEST:
        raise refuse(what, f"The file has more than {LARGEST} characters.", Place(file))
    try:
        value = json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise refuse(what, f"The file is not JSON ({error.msg}).", Place(file, error.lineno, error.colno)) from None
    except RecursionError:
        raise refuse(what, "The file is nested too deeply.", Place(file)) from None
    except ValueError as error:
        raise refuse(what, f"The file is not JSON ({error}).", Place(file)) from None
    found = Document(value, text, file, what)
    for path, said in strings(value):
        if hidden(said):
            raise found.odd(path, f"{path_text(path)} holds characters that cannot be seen.")
    return found


def hidden(text: str) -> bool:
    """Whether a text holds a character that a terminal would obey instead of showing it."""
    if text.isascii() and text.isprintable():
        return False
    return any(unicodedata.category(c) in _HIDDEN and c not in "\n\t" for c in set(text))


def strings(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text in a document with its path, keys as well."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key), key
            yield from strings(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from strings(item, (*path, number))


def path_text(path: Path) -> str:
    """``plan.changes[0].owner``; what cannot be seen is shown as a question mark."""
    said = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    return "".join(c if c.isprintable() else "?" for c in said)[:100] or "the file"


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {path_text((twice,))} stands there twice")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no value")


def _offsets(text: str) -> Iterator[tuple[Path, int]]:
    """Where each key, and each item of a list, begins. The text is known to be JSON."""
    stack: list[str | int] = []
    key = False
    for token in re.finditer(_WORDS, text):
        word = token[0]
        if word in "{[":
            if stack and isinstance(stack[-1], int):
                yield tuple(stack), token.start()
            stack.append("" if word == "{" else 0)
            key = word == "{"
        elif word in "}]":
            stack.pop()
        elif word == ",":
            key = isinstance(stack[-1], str)
            if isinstance(stack[-1], int):
                stack[-1] += 1
        elif word == ":":
            key = False
        elif key:
            stack[-1] = json.loads(word)
            yield tuple(stack), token.start()
        elif stack and isinstance(stack[-1], int):
            yield tuple(stack), token.start()
