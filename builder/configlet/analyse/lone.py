"""The rules that have nothing to do with any other, found for all of them at once.

Most rules of a large policy are alone: their services differ from those of the others, or the ends of those that have a
service in common. No question has to be asked of such a rule. It decides all of its packets, and nothing beside it would.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import compress, repeat

from configlet.analyse.blocks import DST, SERVICE, SRC, Block
from configlet.analyse.crowd import Crowd, places
from configlet.analyse.spaces import Space
from configlet.analyse.verdicts import Where
from configlet.model.net import Span, Spans
from configlet.packets.apart import BROAD, linked


def parted(spaces: Sequence[Space]) -> tuple[dict[int, Where], tuple[Space, ...]]:
    """The rules of which no block shares a packet with any other block, each with its first block; the spaces without them."""
    lone: dict[int, Where] = {}
    for space in reversed(spaces):  # and backwards, so that the first block is the last one to be put there
        lone.update(zip(reversed(space.owners), zip(repeat(space), reversed(space.blocks)), strict=False))
    for owner in {space.owners[at] for space in spaces for at in doubtful(space.blocks)}:
        del lone[owner]
    return lone, tuple([_without(space, lone) for space in spaces])


def _without(space: Space, lone: dict[int, Where]) -> Space:
    left = [owner not in lone for owner in space.owners]
    return replace(space, blocks=[*compress(space.blocks, left)], owners=[*compress(space.owners, left)])


def doubtful(blocks: Sequence[Block]) -> set[int]:
    """The places of the blocks that could share a packet with another; those that are not named surely share none."""
    spans = [_hull(block[SERVICE]) for block in blocks]
    wide = [high - low >= BROAD for low, high in spans]
    broad = [*compress(range(len(blocks)), wide)]
    narrow = [at for at, is_wide in enumerate(wide) if not is_wide] if broad else range(len(blocks))
    out = set[int]()
    for together in linked([spans[at] for at in narrow] if broad else spans):
        out.update(_hanging([narrow[at] for at in together], blocks))
    if broad:
        out.update(_hanging(broad, blocks), _reaching(broad, narrow, blocks))
    return out


def _hull(spans: Spans) -> Span:
    return spans[0] if len(spans) == 1 else (spans[0][0], spans[-1][1])


def _hanging(some: Sequence[int], blocks: Sequence[Block]) -> Iterator[int]:
    """Those of some blocks of which both ends hang together with the ends of another."""
    for group in linked([_hull(blocks[at][DST]) for at in some]):
        of = [some[at] for at in group]
        for both in linked([_hull(blocks[at][SRC]) for at in of]):
            yield from [of[at] for at in both]


def _reaching(broad: Sequence[int], narrow: Iterable[int], blocks: Sequence[Block]) -> Iterator[int]:
    """Those of both kinds that share both ends with one of the other kind. Many of the narrow have the same ends."""
    by_ends: dict[tuple[int, int], list[int]] = {}
    for at in narrow:
        block = blocks[at]
        by_ends.setdefault((id(block[DST]), id(block[SRC])), []).append(at)
    to, start = (_crowd([blocks[at][level] for at in broad]) for level in (DST, SRC))
    met = 0
    for numbers in by_ends.values():
        block = blocks[numbers[0]]
        both = to.touching(block[DST])
        both = both and both & start.touching(block[SRC])
        if both:
            met |= both
            yield from numbers
    yield from [broad[bit] for bit in places(met)]


def _crowd(sets: Sequence[Spans]) -> Crowd:
    """Some sets, the first of which has the bit 0."""
    holders: dict[int, list[int]] = {}
    for bit, spans in enumerate(sets):
        holders.setdefault(id(spans), []).append(bit)
    return Crowd([sets[bits[0]] for bits in holders.values()], [*holders.values()])
