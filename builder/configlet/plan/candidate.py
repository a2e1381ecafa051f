"""The text that changes a configuration in braces as one: units that differ are replaced whole, others not touched.

A unit is a list, or one binding; its path is what the platform's manifest calls one (``change.units``). The texts are
those that were written, or that the device showed, so comments stay; whether a unit differs the canonical texts say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from configlet.model.braces import parts
from configlet.model.problem import refuse

STEP = "    "
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit as it stands in a text: the headers around it, what takes it away, its lines."""

    around: Path
    name: str
    lines: tuple[str, ...]


@dataclass(slots=True)
class _Box:
    lines: list[str] = field(default_factory=list)
    inner: dict[str, _Box] = field(default_factory=dict)


def candidate_text(patterns: Sequence[str], before: str, after: str, texts: tuple[str, str]) -> str:
    """What is loaded to go from one state to another. ``before`` and ``after`` are canonical, ``texts`` say the same.

    Raises Refused (red) when a text does not hold a unit that its canonical text has.
    """
    old, new = (_said(patterns, canonical) for canonical in (before, after))
    here, there = (units(patterns, text) for text in texts)
    top = _Box()
    for path in sorted({*old, *new}):
        if old.get(path) == new.get(path):
            continue
        unit = _known(there if path in new else here, path)
        box = top
        for header in unit.around:
            box = box.inner.setdefault(header, _Box())
        box.lines += _replaced(unit) if path in new else [f"delete: {unit.name};"]
    return "".join(f"{line}\n" for line in _written(top, 0))


def units(patterns: Sequence[str], text: str) -> Mapping[str, Unit]:
    """The units of a text in braces, by path. Raises Refused (red) for a text of another form."""
    found: dict[str, Unit] = {}
    lines: list[str] = []
    inside: Path = ()
    try:
        for part in parts(text):
            if inside:
                lines.append(part.text)
                if part.kind == "close" and part.path == inside:
                    found[" ".join(inside)] = Unit(inside[:-1], inside[-1], tuple(lines))
                    inside = ()
            elif part.kind == "open" and _match(patterns, part.name) == part.name:
                inside, lines = part.path, [part.text]
            elif part.kind == "leaf" and (path := _match(patterns, part.name)):
                name = part.path[-1][: len(path) - len(part.name) or None].strip()
                found[path] = Unit(part.path[:-1], name, (part.text,))
    except ValueError as why:
        detail = f'"{why}" is no line of a configuration in braces with one statement a line, so it cannot be changed by parts.'
        raise refuse("Text of another form", detail, nature="red") from why
    return found


def _match(patterns: Sequence[str], path: str) -> str:
    """The beginning of a path that is a unit's; "" when none is."""
    for pattern in patterns:
        if found := re.match(rf"(?:{pattern})(?= |$)", path):
            return found[0]
    return ""


def _said(patterns: Sequence[str], canonical: str) -> dict[str, list[str]]:
    """The canonical lines of each unit. Raises Refused (red) for a line of none."""
    found: dict[str, list[str]] = {}
    for line in canonical.splitlines():
        path = _match(patterns, line.partition(" ")[2])
        if not path:
            detail = f'"{line}" is in no part that is ours, so no change may touch it. Take it off the device by hand.'
            raise refuse("Statement that is not ours", detail, nature="red")
        found.setdefault(path, []).append(line)
    return found


def _known(found: Mapping[str, Unit], path: str) -> Unit:
    if path not in found:
        raise refuse("Text without a part of it", f'"{path}" is not in the text that should say it.', nature="red")
    return found[path]


def _replaced(unit: Unit) -> list[str]:
    """A list is replaced whole, so that no old entry stays; a leaf has one value, and a new one replaces it."""
    first, margin = unit.lines[0], len(unit.lines[0]) - len(unit.lines[0].lstrip())
    if len(unit.lines) == 1:
        return [first.strip()]
    return [f"replace: {first.strip()}", *(line[margin:] for line in unit.lines[1:])]


def _written(box: _Box, depth: int) -> Iterator[str]:
    pad = STEP * depth
    yield from (f"{pad}{line}" for line in box.lines)
    for header, inner in box.inner.items():
        yield f"{pad}{header} {{"
        yield from _written(inner, depth + 1)
        yield f"{pad}}}"
