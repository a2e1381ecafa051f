"""One law against one list of lines: equal, or packets on which they differ, each checked by a linear first match."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from configlet.model.gate import Law, Line, Witness
from configlet.model.net import Family, Span
from configlet.model.policy import Box, Entry, Packet
from configlet.packets.boxes import box_text, packet_of, packet_text
from configlet.packets.verdict import first, passes
from configlet.packets.walk import OVERRUN, Kind, Overrun, differ, more

KINDS: tuple[Kind, Kind] = ("too open", "too tight")


class Doubt(Exception):  # noqa: N818 - it is an answer
    """Neither proven nor refuted; the text says why."""


class _Cell(NamedTuple):
    permit: bool
    box: tuple[Span, ...]


_Cells = tuple[_Cell, ...]
_Answer = Box | Overrun | None


def witnesses(law: Law, lines: Sequence[Line], realm: str, file: str) -> tuple[Witness, ...]:
    """Packets on which law and lines differ, too open first; none when they are equal.

    Raises Doubt when the walk ran out of its budget, or found what the linear match does not confirm.
    """
    cells = tuple(_Cell(line.permit, line.box) for line in lines)
    answers = _compare(law.family, tuple(tuple(_Cell(e.permit, e.box) for e in part) for part in law.lists), cells)
    out: list[Witness] = []
    for kind, answer in zip(KINDS, answers, strict=True):
        if isinstance(answer, Overrun):
            raise Doubt("The comparison ran out of its budget of steps. Split the list, or order its rules by service.")
        if answer is not None:
            out.append(_witness(kind, law, lines, packet_of(law.family, realm, answer), answer, file))
    return tuple(out)


@lru_cache(maxsize=256)
def _compare(family: Family, law: tuple[_Cells, ...], text: _Cells) -> tuple[_Answer, _Answer]:
    """Remembered, as both members of a pair hold the same lists."""
    found = differ(family, law, text)
    if found is None or found is OVERRUN:
        return found, None
    both = more(family, "too open", law, text), more(family, "too tight", law, text)
    if both == (None, None):
        raise Doubt("Internal error: the lists differ, and neither passes more than the other.")
    return both


def _witness(kind: Kind, law: Law, lines: Sequence[Line], packet: Packet, box: Box, file: str) -> Witness:
    line = first(lines, packet)
    passed = line is not None and line.permit
    allowed, entry = passes(law, packet)
    words = packet_text(packet)
    if (passed, allowed) != ((True, False) if kind == "too open" else (False, True)):
        raise Doubt(f"Internal error: the walk found {words} to be {kind}, and a linear match does not confirm it.")
    return Witness(kind, words, box, _line_text(line, file), rule_text(entry), box_text(law.family, box))


def _line_text(line: Line | None, file: str) -> str:
    if line is None:
        return "no line matches, implicit deny"
    return f"{file}:{line.number}  {line.text.strip()}" if line.number else line.text


def rule_text(entry: Entry | None) -> str:
    """The rule that an entry comes from, as ``policy.yaml:31:3 "no desk reaches the engine"``."""
    if entry is None:
        return "no rule, default deny"
    name = f'replies of "{entry.rule.name}"' if entry.reply else f'"{entry.rule.name}"'
    return f"{entry.rule.place} {name}" if entry.rule.place else f"{entry.rule.origin} {name}"
