"""Values with blanks: what all items of one shape say, and what each of them puts into the blanks.

Of ten thousand items of one shape the keys are the same and most words stand in many. What is asked of them is asked of
the form once, and of each blank for its distinct words; a value is made of words only where somebody wants it whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, Literal, NamedTuple

Column = Sequence[str]
_HOLE = re.compile(r"%[%s]")
_MARK = "\0"
"""In no text that was read: characters that cannot be seen are refused."""


class Blank(NamedTuple):
    """A place in a value that the column of this number fills: with a text, with the texts of a list, or with a plain
    number or truth."""

    column: int
    kind: Literal["text", "texts", "plain"]


def form_of(template: str, lists: Iterable[int]) -> Any:
    """The value of a JSON template: its holes are blanks, of which ``lists`` are all texts of their list."""
    plain: set[int] = set()
    numbers = iter(range(len(template)))

    def marked(hole: re.Match[str]) -> str:
        if hole[0] == "%%":
            return "%"
        number = next(numbers)
        if template[hole.start() - 1] == '"':
            return f"\\u0000{number}"
        plain.add(number)
        return f'"\\u0000{number}"'

    return _blanked(json.loads(_HOLE.sub(marked, template)), plain, frozenset(lists))


def _blanked(value: Any, plain: Iterable[int], lists: Iterable[int]) -> Any:
    if isinstance(value, dict):
        return {_blanked(key, plain, lists): _blanked(each, plain, lists) for key, each in value.items()}
    if isinstance(value, list):
        items = [_blanked(each, plain, lists) for each in value]
        all_of = [each for each in items if isinstance(each, Blank) and each.kind == "text" and each.column in lists]
        return Blank(all_of[0].column, "texts") if all_of else items
    if isinstance(value, str) and value.startswith(_MARK):
        number = int(value[1:])
        return Blank(number, "plain" if number in plain else "text")
    return value


def columns_in(form: Any) -> tuple[int, ...]:
    """The numbers of the columns that a form hangs on."""
    return tuple(_columns_in(form))


def _columns_in(form: Any) -> Iterator[int]:
    if isinstance(form, Blank):
        yield form.column
    elif isinstance(form, dict):
        for key, each in form.items():
            yield from (*_columns_in(key), *_columns_in(each))
    elif isinstance(form, list):
        for each in form:
            yield from _columns_in(each)


def column_of(form: Any, columns: Sequence[Column]) -> Iterable[Any]:
    """What a blank becomes, row by row; what is no blank, and has none, is the same in all rows without end."""
    if not isinstance(form, Blank):
        return repeat(form)
    column = columns[form.column]
    return column if form.kind == "text" else map(_READ[form.kind], column)


def values_of(form: Any, columns: Callable[[int], Iterable[str]]) -> Iterable[Any]:
    """What a form becomes, row by row of the columns that it hangs on; it has at least one blank."""
    if isinstance(form, Blank):
        return map(_READ[form.kind], columns(form.column))
    numbers = columns_in(form)
    rows = zip(*map(columns, numbers), strict=True)
    if type(form) is list and all(isinstance(each, Blank) and each.kind == "text" for each in form):
        return map(list, rows)
    return (_filled(form, dict(zip(numbers, row, strict=True))) for row in rows)


def _filled(form: Any, words: Mapping[int, str]) -> Any:
    if isinstance(form, Blank):
        return _READ[form.kind](words[form.column])
    if isinstance(form, dict):
        return {_filled(key, words): _filled(each, words) for key, each in form.items()}
    return [_filled(each, words) for each in form] if isinstance(form, list) else form


def texts_in(words: str) -> list[str]:
    """The texts of a list as they stand in the blank that is all of them."""
    return words.split('","')


class _Plain(dict[str, Any]):
    def __missing__(self, text: str) -> int:
        return int(text)


_READ: dict[str, Callable[[str], Any]] = {"text": str, "texts": texts_in, "plain": _Plain(true=True, false=False).__getitem__}
