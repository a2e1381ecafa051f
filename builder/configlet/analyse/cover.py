"""Is a block covered by others, exactly? By taking them away one by one, else by the walk, else nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from configlet.analyse.blocks import DST, SERVICE, SPORT, SRC, Block, reaching, replaced, rows_of
from configlet.model.net import Family, Spans, merge
from configlet.model.policy import Box
from configlet.packets.sets import common, without
from configlet.packets.walk import OVERRUN, Overrun, more

QUESTION = 60_000
"""Steps for one question: a block looked at, at one node of the search (half a microsecond)."""
TOTAL = 4_000_000
"""Steps for all questions of one policy; each of three passes may spend what those before it left of its share, and an
eighth more goes to naming who decides what is never matched."""
WALK_ROWS = 4_000
WALK_STEPS = 400_000
_CROWD = 12
_LEVELS = (SPORT, SERVICE, DST, SRC)


@dataclass(slots=True)
class Meter:
    """What may still be spent on all questions of a policy."""

    left: int = TOTAL
    question: int = QUESTION
    walk: int = WALK_STEPS


@dataclass(frozen=True, slots=True)
class Permit:
    """A row for the walk."""

    box: Box
    permit: bool = True


def uncovered(family: Family, block: Block, covers: Sequence[Block], meter: Meter) -> Block | Overrun | None:
    """A part of the block that no cover touches; None when they cover it all; OVERRUN when the budget ran out.

    It is quickest with the broadest covers first.
    """
    if not covers:
        return block
    found = _take_away(block, covers, meter)
    return _walked(family, block, covers, meter) if isinstance(found, Overrun) else found


def _take_away(block: Block, covers: Sequence[Block], meter: Meter) -> Block | Overrun | None:
    """Depth first: what is outside the first cover is asked about the others."""
    allowed = min(meter.question, meter.left)
    stack: list[tuple[Block, Sequence[Block]]] = [(block, covers)]
    spent, first = 0, True
    while stack:
        part, others = stack.pop()
        spent += len(others)
        if spent > allowed:
            meter.left -= spent
            return OVERRUN
        others = reaching(part, others)
        gap = part if not others else _gap(part, others) if first and len(others) > _CROWD else None
        if gap is not None:
            meter.left -= spent
            return gap
        first = False
        stack += [(piece, others[1:]) for piece in _outside(part, others[0])]
    meter.left -= spent
    return None


def _outside(block: Block, cover: Block) -> list[Block]:
    """What is left of a block without a cover, in disjoint blocks."""
    out: list[Block] = []
    for level in _LEVELS:
        rest = without(block[level], cover[level])
        if rest:
            out.append(replaced(block, level, rest))
            block = replaced(block, level, common(block[level], cover[level]))
    return out


def _gap(block: Block, covers: Sequence[Block]) -> Block | None:
    """A part of the block that no cover has in one dimension alone: cheap, and most often the answer."""
    for level in (SRC, DST, SERVICE):
        whole = block[level]
        together: dict[Spans, None] = dict.fromkeys([cover[level] for cover in covers])
        rest = without(whole, merge([span for spans in together for span in spans]))
        if rest:
            return replaced(block, level, rest)
    return None


def _walked(family: Family, block: Block, covers: Sequence[Block], meter: Meter) -> Block | Overrun | None:
    """The same by the joint walk, where both sides are few enough boxes."""
    law, text = rows_of(block, WALK_ROWS), list[Box]()
    for cover in covers:
        rows = rows_of(cover, WALK_ROWS - len(text)) if law is not None and len(text) < WALK_ROWS else None
        if rows is None:
            return OVERRUN
        text += rows
    if law is None or meter.left < meter.walk:
        return OVERRUN
    meter.left -= meter.walk
    found = more(family, "too tight", [[Permit(box) for box in law]], [Permit(box) for box in text], meter.walk)
    if found is None or isinstance(found, Overrun):
        return found
    (proto, dst, src, dport, sport, _, _) = found
    service = (proto[0] << 16 | dport[0], proto[0] << 16 | dport[1])
    return (service,), (dst,), (src,), (sport,)
