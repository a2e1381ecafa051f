"""What a loop of a template writes for a row, as data: so that the text of many rows is made at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, repeat
from operator import itemgetter

from configlet.render.numbered import Line, Numbered, Values
from configlet.render.values import all_written, printable

Part = str | int
"""A text, or the number of a value of the row."""
Step = tuple[int, tuple[Part, ...], tuple[Part, ...]]
"""The value that is asked for (-1: none is), what is written where it is there, and what is written where it is not."""
Form = tuple[int, tuple[Step, ...]]
"""How many values a row has, and what is written of it."""


def all_printed(form: Form, rows: Iterable[Iterable[object]]) -> str:
    """The texts of many rows. Raises Refused, or ValueError for a row of more or fewer values."""
    if isinstance(rows, Numbered):
        return _numbered(form, rows)
    count, steps = form
    found = list(rows)
    ahead = _in_order(count, steps) if len(steps) == 1 else ()
    if ahead:
        columns = list(zip(*found, strict=True)) if set(map(len, found)) == {count} else []  # type: ignore[arg-type]
        if columns and _printable(columns):
            parts = chain.from_iterable(
                (repeat(text), column) for text, column in zip(ahead[:-1], columns, strict=True)
            )
            return "".join(chain.from_iterable(zip(*parts, repeat(ahead[-1]), strict=False)))
    return "".join([_written(steps, _counted(tuple(row), count)) for row in found])


def _printable(values: Iterable[Iterable[object]]) -> bool:
    """Whether all values are text that may be written."""
    try:
        return printable("".join(chain.from_iterable(values)))  # type: ignore[arg-type]
    except TypeError:
        return False


@lru_cache(maxsize=256)
def _in_order(count: int, steps: tuple[Step, ...]) -> tuple[str, ...]:
    """The texts ahead of each value and behind the last, where each value is written once, in order; empty else."""
    ((test, parts, _),) = steps
    if test >= 0 or [part for part in parts if isinstance(part, int)] != list(range(count)):
        return ()
    out = [""]
    for part in parts:
        if isinstance(part, str):
            out[-1] += part
        else:
            out.append("")
    return tuple(out)


def _parts(steps: Iterable[Step], row: Sequence[object]) -> Iterator[Part]:
    """What is written of one row."""
    for test, yes, no in steps:
        yield from yes if test < 0 or row[test] else no


def _written(steps: Iterable[Step], row: Sequence[object]) -> str:
    parts = list(_parts(steps, row))
    all_written(tuple([row[part] for part in parts if isinstance(part, int)]))
    return "".join([part if isinstance(part, str) else str(row[part]) for part in parts])


def _numbered(form: Form, rows: Numbered) -> str:
    """The same of rows with numbers. What was written by the same loop before is not written again."""
    count, steps = form
    new = [line for line in rows.lines if line.form is not form]
    values = [line.values for line in new]
    if any(test == 0 for test, _, _ in steps) or not set(map(len, values)) <= {count - 1} or not _printable(values):
        return all_printed(form, iter(rows))
    _write(form, new)
    return "".join([number.join(line.texts) for number, line in zip(_digits(rows.numbers), rows.lines, strict=False)])


def _digits(numbers: Sequence[int]) -> Iterable[str]:
    """The numbers in digits, and perhaps more behind them: most lists count alike."""
    if not isinstance(numbers, range):
        return map(str, numbers)
    known = _counted_from(numbers.start, numbers.step)
    known += map(str, numbers[len(known) :])
    return known


@lru_cache(maxsize=8)
def _counted_from(_first: int, _step: int) -> list[str]:
    return []


def _write(form: Form, lines: Sequence[Line]) -> None:
    """Let lines know the texts around their number, a row's first value. Those of which the same is written are written
    together."""
    _, steps = form
    groups = [lines]
    for test in {test for test, _, _ in steps if test > 0}:
        groups = [
            [line for line in of if bool(line.values[test - 1]) is there] for of in groups for there in (True, False)
        ]
    for of in filter(None, groups):
        values = [line.values for line in of]
        columns = [_column(parts, values) for parts in _between(list(_parts(steps, (0, *values[0]))))]
        for line, texts in zip(of, zip(*columns, strict=False), strict=False):  # as a text without values is repeated
            line.form, line.texts = form, texts


def _between(parts: Sequence[Part]) -> Iterator[Sequence[Part]]:
    """What stands ahead of the number, between two of it, and behind it."""
    at = -1
    for end in [*(n for n, part in enumerate(parts) if part == 0), len(parts)]:
        yield parts[at + 1 : end]
        at = end


def _column(parts: Sequence[Part], values: Sequence[Values]) -> Iterable[str]:
    """One text of many rows, of which the values are given without the number."""
    text = "".join(part.replace("%", "%%") if isinstance(part, str) else "%s" for part in parts)
    numbers = [part - 1 for part in parts if isinstance(part, int)]
    return map(text.__mod__, map(itemgetter(*numbers), values)) if numbers else repeat(text % ())


def _counted(row: tuple[object, ...], count: int) -> tuple[object, ...]:
    if len(row) != count:
        few = "not enough" if len(row) < count else "too many"
        raise ValueError(
            f"{few} values to unpack (expected {count}" + (f", got {len(row)})" if len(row) < count else ")")
        )
    return row
