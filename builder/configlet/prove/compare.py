"""One law against one list of lines: equal, or packets on which they differ, each checked by a linear first match."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence

from configlet.model.block import items
from configlet.model.gate import Law, Line, Witness
from configlet.model.lines import Lines
from configlet.model.policy import Box, Entry, Packet
from configlet.model.told import Faced
from configlet.packets.agreed import agreed
from configlet.packets.atoms import Contradiction, each_way
from configlet.packets.boxes import box_text, packet_of, packet_text
from configlet.packets.ends import Ends
from configlet.packets.hosts import alike
from configlet.packets.verdict import first, passes
from configlet.packets.walk import KINDS, Kind, Overrun


class Doubt(Exception):  # noqa: N818 - it is an answer
    """Neither proven nor refuted; the text says why."""


_Answer = Box | Overrun | None


class _Known(OrderedDict[tuple[int, int], tuple[Law, object, tuple[_Answer, _Answer], int]]):
    """Answers by law and lines as they are, for the members of a pair that hold the same lists, and how many lines; the oldest
    go first."""

    held = 0
    """How many lines these are together."""


_known = _Known()
_MOST, _ROWS = 64, 20_000
ADDRESSES, BLOCKS = 16, 4
"""Addresses of a host, and rows that blocks stand for beside each item of its law, above which it is not looked at end by end."""


def witnesses(
    law: Law, lines: Sequence[Line], realm: str, file: str, own: Collection[int] | None = None
) -> tuple[Witness, ...]:
    """Packets on which law and lines differ, too open first; none when they are equal. ``own``: the addresses of the host whose
    law it is, by which equality is seen sooner.

    Raises Doubt when the walk ran out of its budget, or found what the linear match does not confirm.
    """
    out: list[Witness] = []
    for kind, answer in zip(KINDS, _compared(law, lines, own), strict=True):
        if isinstance(answer, Overrun):
            raise Doubt("The comparison ran out of its budget of steps. Split the list, or order its rules by service.")
        if answer is not None:
            out.append(_witness(kind, law, lines, packet_of(law.family, realm, answer), answer, file))
    return tuple(out)


def _compared(law: Law, lines: Sequence[Line], own: Collection[int] | None) -> tuple[_Answer, _Answer]:
    said = lines.parts if isinstance(lines, Lines) and lines.parts else lines  # lines of several texts may say the same
    key = id(law), id(said)
    if key in _known:
        return _known[key][2]
    answers: tuple[_Answer, _Answer] = None, None
    if own is None or not _alike(law, lines, own):
        try:
            answers = each_way(law.family, law.lists, lines)
        except Contradiction:
            raise Doubt("Internal error: the lists differ, and neither passes more than the other.") from None
    count = len(lines)
    _known[key] = law, said, answers, count
    _known.held += count
    while len(_known) > _MOST:
        _known.held -= _known.popitem(last=False)[1][3]
    return answers


def _alike(law: Law, lines: Sequence[Line], own: Collection[int]) -> bool:
    """Whether the law of a host and some lines are seen to be equal end by end."""
    rows = law.lists[0]
    if len(law.lists) > 1 or len(own) > ADDRESSES:
        return False
    if agreed(law.family, rows, lines, own):
        return True
    count = len(rows.head) + len(rows.face) if isinstance(rows, Faced) else len(items(rows))
    if len(rows) > BLOCKS * count:
        return False
    ours = Ends(own)
    ours.rows(rows)
    theirs = Ends(own, ours)
    theirs.rows(lines)
    return alike(law.family, ours, theirs)


def forget() -> None:
    """Let go of what was compared, when it is much."""
    if _known.held > _ROWS:
        _known.clear()
        _known.held = 0


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
