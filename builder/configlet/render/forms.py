"""What a loop of a template writes for a row, as data: so that the text of many rows is made at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice, repeat
from operator import attrgetter, itemgetter
from typing import TypeVar

from configlet.render.numbered import OWN, TOGETHER, Line, Numbered, Shape
from configlet.render.values import PLAIN, all_written, printable

T = TypeVar("T")
Part = str | int
"""A text, or the number of a value of the row."""
Step = tuple[int, tuple[Part, ...], tuple[Part, ...]]
"""The value that is asked for (-1: none is), what is written where it is there, and what is written where it is not."""
Form = tuple[int, tuple[Step, ...]]
"""How many values a row has, and what is written of it."""

NUMBER = "\0"
"""What stands for the number of a row in a text that is not finished; no value can have it."""
_SHAPE, _ODD, _ONCE = itemgetter(0), attrgetter("odd"), (0, 1)


class Written(Sequence[T]):
    """Rows that know what a loop writes of them."""

    __slots__ = ()

    @abstractmethod
    def printed(self, form: Form) -> str:
        """The texts of all rows, as ``all_printed`` gives them of the rows one by one."""


def all_printed(form: Form, rows: Iterable[Iterable[object]]) -> str:
    """The texts of many rows. Raises Refused, or ValueError for a row of more or fewer values."""
    if type(rows) is not list and type(rows) is not tuple:  # such a question takes as long as a short list
        if isinstance(rows, Written):
            return rows.printed(form)
        if isinstance(rows, Numbered):
            return _numbered(form, rows)
    count, steps = form
    found = list(rows)
    ahead = in_order(form, count)
    if ahead and len(found) == 1 and len(found[0]) == count and printable_all(found):
        return "".join(chain.from_iterable(zip(ahead, found[0], strict=False))) + ahead[-1]
    if ahead:
        columns = list(zip(*found, strict=True)) if set(map(len, found)) == {count} else []
        if columns and printable_all(columns):
            parts = chain.from_iterable(
                (repeat(text), column) for text, column in zip(ahead[:-1], columns, strict=True)
            )
            return "".join(chain.from_iterable(zip(*parts, repeat(ahead[-1]), strict=False)))
    return "".join([_written(steps, _counted(tuple(row), count)) for row in found])


def printable_all(values: Iterable[Iterable[object]]) -> bool:
    """Whether all values are text that may be written."""
    try:
        return printable("".join(chain.from_iterable(values)))  # type: ignore[arg-type]
    except TypeError:
        return False


@lru_cache(maxsize=256)
def in_order(form: Form, count: int) -> tuple[str, ...]:
    """The texts ahead of each of so many values and behind the last, where a loop writes each once, in order; empty else."""
    if form[0] != count or len(form[1]) != 1:
        return ()
    (test, parts, _) = form[1][0]
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
    """The same of rows with numbers, where lines are looked at as a whole when they are written."""
    lines = rows.lines
    shapes = set(map(_SHAPE, lines))
    for shape in shapes:
        if shape.form is not form:
            _learn(form, shape)
    if not all(shape.parts for shape in shapes):
        return all_printed(form, iter(rows))
    digits: Iterator[str] = islice(_digits(rows.numbers), len(rows))
    if any(shape.uses != _ONCE[: shape.takes] for shape in shapes):
        digits = _used(lines, list(digits))
    number, odd, out = digits.__next__, 0, list[str]()
    for first in range(0, len(lines), TOGETHER):
        text = "".join([
            f"{ahead}{number() if one else ''}{of}{remark}{a}{number() if two else ''}{behind}{source}{b}{start}{c}{destination}"
            f"{d}{to}{last}"
            for shape, remark, source, start, destination, to in lines[first : first + TOGETHER]
            for ahead, one, of, a, two, behind, b, c, d, last in shape.parts
        ])  # fmt: skip
        odd += _odd(text)
        out.append(text)
    own = odd - (len(rows) if all(shape.odd == shape.takes for shape in shapes) else sum(map(_ODD, map(_SHAPE, lines))))
    if own and not _sayable(lines):
        return all_printed(form, iter(rows))
    return "".join(out)


def _odd(text: str) -> int:
    """How much of a text is no printable ASCII."""
    return len(text.encode("utf-8", "surrogatepass").translate(None, PLAIN))


def _sayable(lines: Iterable[Line]) -> bool:
    """Whether all that lines say themselves is text that may be written."""
    _, *own = zip(*lines, strict=True)
    return printable_all(own)


def _used(lines: Iterable[Line], digits: Sequence[str]) -> Iterator[str]:
    """The numbers in the order in which they are written, where that is not once for each row."""
    at = 0
    for shape in map(_SHAPE, lines):
        yield from (digits[at + row] for row in shape.uses)
        at += shape.takes


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


def _learn(form: Form, shape: Shape) -> None:
    """Let a shape know what a loop writes of its lines: the texts around what these say themselves, where a number stands among
    them, and whose. No texts where the lines must be looked at row by row."""
    count, steps = form
    shape.form, shape.parts = form, ()
    if len(shape.row) != count - 1 or any(test == 0 for test, _, _ in steps):
        return
    if not (shape.text and printable_all([shape.row])):
        return
    texts, order, uses = [""], list[int](), list[int]()
    for number, row in enumerate(shape.rows(tuple(["own" if at in shape.own else "" for at in OWN]))):
        for part in _parts(steps, (NUMBER, *row)):
            if isinstance(part, int) and part - 1 in OWN and row[part - 1]:
                order.append(part - 1)
                texts.append("")
            elif part == 0:
                texts[-1] += NUMBER
                uses.append(number)
            else:
                texts[-1] += part if isinstance(part, str) else row[part - 1]
    behind = iter(texts[1:])
    a, b, c, d, last = (next(behind, "") if at in order else "" for at in OWN)
    (ahead, *of), (between, *rest) = texts[0].split(NUMBER), a.split(NUMBER)
    numbers, signs = len(of) + len(rest), sum(text.count(NUMBER) for text in texts)
    if tuple(order) == shape.own and max(len(of), len(rest)) < 2 and numbers == signs == len(uses):
        shape.parts = ((ahead, bool(of), "".join(of), between, bool(rest), "".join(rest), b, c, d, last),)
        shape.uses, shape.odd = tuple(uses), sum(map(_odd, texts)) - numbers


def _counted(row: tuple[object, ...], count: int) -> tuple[object, ...]:
    if len(row) != count:
        few = "not enough" if len(row) < count else "too many"
        raise ValueError(
            f"{few} values to unpack (expected {count}" + (f", got {len(row)})" if len(row) < count else ")")
        )
    return row
