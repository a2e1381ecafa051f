"""A host's law and its text compared end by end: what goes to each of its addresses, what comes from each, and the rest.

Where both ends of a packet are told, as one of the host's addresses or as none of them, few rows of a list speak of it,
and the law and the text say of it the same rows in nearly the same order, whatever stood between them. What is not seen
to be the same so is walked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain, combinations, pairwise, repeat
from operator import itemgetter
from typing import cast

from configlet.model.gate import Cell
from configlet.model.lines import Said
from configlet.model.net import Family, Span
from configlet.model.policy import Box
from configlet.model.told import Key
from configlet.packets import sides
from configlet.packets.atoms import difference
from configlet.packets.ends import TOLD, Ends
from configlet.packets.sides import Odd, Part, Placed, Side

KNOWN, SHORT = 512, 64
"""Answers that are remembered, and how many rows both lists may have: most of what is walked all hosts have in common."""
_Rows = Sequence[Said]
_PERMIT = itemgetter(0)


def alike(family: Family, one: Ends, two: Ends) -> bool:
    """Whether two lists, taken apart by the same addresses, surely pass the same packets; False where that was not seen."""
    return (
        _walked(family, one.beyond, two.beyond)
        and all(_walked(family, rows, two.within[pair]) for pair, rows in one.within.items())
        and all(_same(family, side, two.towards[at]) for at, side in one.towards.items())
        and all(_same(family, side, two.origin[at]) for at, side in one.origin.items())
    )


def _same(family: Family, one: Side, two: Side) -> bool:
    """Whether two lists pass the same of the packets of one side of an address."""
    protos = _atoms({*one.permits, *two.permits})
    parts = [(one.of(proto), two.of(proto)) for proto in protos]
    if None in chain.from_iterable(parts):
        return _walked(
            family, *([(permit, _told(proto, key)) for permit, proto, key in side.rows()] for side in (one, two))
        )
    known: dict[object, Odd] = {}
    return all(_part(family, *both, known) for both in cast("list[tuple[Part, Part]]", parts))


def _atoms(protos: Collection[Span]) -> Collection[Span]:
    """Some protocols in parts none of which has something of another."""
    if not any(a[0] <= b[1] and b[0] <= a[1] for a, b in combinations(protos, 2)):
        return protos
    borders = sorted({edge for low, high in protos for edge in (low, high + 1)})
    return [
        (start, end - 1)
        for start, end in pairwise(borders)
        if any(low <= start and end <= high + 1 for low, high in protos)
    ]


def _part(family: Family, one: Part, two: Part, known: dict[object, Odd]) -> bool:
    """The same of one protocol."""
    rest = sides.left(one, two, known)
    if rest is None or _needed(family, one, rest[0], two, rest[1]):
        return True
    return _needed(family, one, one.placed, two, two.placed)


def _needed(family: Family, one: Part, ours: Placed, two: Part, theirs: Placed) -> bool:
    """Whether some permits of either list pass the same."""
    found = one.needed(ours), two.needed(theirs)
    return _walked(family, *([(permit, _told(TOLD, key)) for permit, key in rows] for rows in found))


def _told(proto: Span, key: Key) -> Box:
    """A row as a box in which any value stands for what is told."""
    return cast(Box, (proto, *repeat(TOLD, 6 - len(key)), *key))


_known: dict[tuple[Family, tuple[Said, ...], tuple[Said, ...]], bool] = {}


def _walked(family: Family, one: _Rows, two: _Rows) -> bool:
    """Whether two lists pass the same."""
    if not any(map(_PERMIT, one)) and not any(map(_PERMIT, two)):
        return True
    key = family, tuple(one), tuple(two)
    if len(one) + len(two) > SHORT or key not in _known:
        law, text = ([Cell(permit, box) for permit, box in rows] for rows in (one, two))
        found = difference(family, (law,), text) is None
        if len(one) + len(two) > SHORT:
            return found
        if len(_known) >= KNOWN:
            _known.clear()
        _known[key] = found
    return _known[key]
