"""Is a block covered by others, exactly? By taking them away one by one, else by the walk, else nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from configlet.analyse.blocks import DST, SERVICE, SPORT, SRC, Block, replaced, rows_of, split, touching
from configlet.analyse.crowd import places
from configlet.analyse.near import Neighbours
from configlet.model.net import Family
from configlet.model.policy import Box
from configlet.packets.walk import OVERRUN, Overrun, more

QUESTION = 60_000
"""Steps for one question: a block looked at, at one node of the search, and at most so many as ``_NODE`` at each; more where
blocks have more than ``_SPANS`` intervals."""
TOTAL = 4_000_000
"""Steps for all questions of one policy; each of three passes may spend what those before it left of its share, and an
eighth more goes to naming who decides what is never matched."""
WALK_ROWS = 4_000
WALK_STEPS = 400_000
_NODE, _SPANS = 8, 32
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


def uncovered(family: Family, near: Neighbours, block: Block, covers: int, meter: Meter) -> Block | Overrun | None:
    """A part of the block that none of some neighbours has; None when they cover it all; OVERRUN when the budget ran out.

    ``block`` is one of ``near`` or a part of one, and shares packets with each of them.
    """
    if not covers:
        return block
    found = _take_away(near, block, covers, meter)
    if not isinstance(found, Overrun):
        return found
    return _walked(family, block, [near.ranked[bit] for bit in places(covers)], meter)


def _take_away(near: Neighbours, block: Block, covers: int, meter: Meter) -> Block | Overrun | None:
    """Depth first, the broadest cover first: what is outside of it is asked about the others."""
    allowed, spent, first = min(meter.question, meter.left), 0, True
    stack = [(block, covers)]
    while stack:
        part, others = stack.pop()
        spent += min(_NODE, others.bit_count()) * (1 + (len(part[DST]) + len(part[SRC])) // _SPANS)
        if spent > allowed:
            meter.left -= spent
            return OVERRUN
        gap = _gap(near, part, others) if first and others.bit_count() > _CROWD else None
        first = False
        while others and gap is None:
            bit = others.bit_length() - 1
            others ^= 1 << bit
            if near.exact or touching(part, near.ranked[bit]):
                stack += _outside(near, part, near.ranked[bit], others)
                break
        else:
            meter.left -= spent
            return gap or part
    meter.left -= spent
    return None


def _gap(near: Neighbours, block: Block, covers: int) -> Block | None:
    """A part of the block that no cover has in one dimension alone: cheap, and most often the answer."""
    for level in (SRC, DST, SERVICE):
        rest = near.gap(block, covers, level)
        if rest:
            return replaced(block, level, rest)
    return None


def _outside(near: Neighbours, block: Block, cover: Block, others: int) -> list[tuple[Block, int]]:
    """What is left of a block without a cover, in disjoint blocks, each with those of some others that may touch it."""
    out: list[tuple[Block, int]] = []
    for level in _LEVELS:
        mine = block[level]
        rest, inner = split(mine, cover[level])
        if rest:
            both = near.narrowed(level, inner, others)
            out.append((replaced(block, level, rest), near.beyond(level, rest, both, others)))
            others = both
            block = replaced(block, level, inner)
    return out


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
