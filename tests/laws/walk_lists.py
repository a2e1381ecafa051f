"""Lists for the laws of the walk: small ones on a grid, long ones as policies have them, and their slips and rewritings.

Every generator draws ICMP types, the flag class of TCP and the fragment bit, and only packets that can exist: ports for
TCP and UDP, flags for TCP, neither for a fragment.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

from configlet.model.net import BITS, TOP, Family, Span, prefixes

WHOLE, FRAGMENT = (0, 0), (1, 1)
ANY_PORT, ANY_BIT, ANY_PROTO = (0, 65535), (0, 1), (0, 255)
NEW, ESTABLISHED = (0, 0), (1, 1)
ICMP: dict[Family, int] = {4: 1, 6: 58}
TYPES: dict[Family, tuple[int, ...]] = {4: (0, 3, 8, 11), 6: (1, 2, 128, 129)}
DIMENSIONS = ("proto", "dst", "src", "dport", "sport", "flag", "fragment")


class Row(NamedTuple):
    permit: bool
    box: tuple[Span, ...]


Rows = list[Row]
Point = tuple[int, ...]


def permits(rows: Sequence[Row], point: Point) -> bool:
    """First match, line by line."""
    for row in rows:
        if all(lo <= value <= hi for (lo, hi), value in zip(row.box, point, strict=True)):
            return row.permit
    return False


def law_permits(law: Sequence[Sequence[Row]], point: Point) -> bool:
    return any(permits(rows, point) for rows in law)


# Small lists: every border is on the grid, so that the grid's cells are all the packets there are to ask about.

GRID: dict[Family, tuple[tuple[int, ...], ...]] = {
    family: (
        (0, 1, 2, 6, 7, 17, 18, 58, 59, 256),
        (0, 10, 11, 20, TOP[family] + 1),
        (0, 10, 11, 20, TOP[family] + 1),
        (0, 22, 23, 53, 2048, 2304, 32768, 33024, 65536),
        (0, 53, 54, 1024, 65536),
        (0, 1, 2),
        (0, 1, 2),
    )
    for family in (4, 6)
}
"""For each dimension where its intervals may begin, and at last the first value outside."""


@cache
def cells(family: Family) -> tuple[Point, ...]:
    """One packet of each cell: the lowest."""
    return tuple(product(*(edges[:-1] for edges in GRID[family])))


@cache
def _column(family: Family, dimension: int, span: Span) -> int:
    """The cells, as bits of a number, that an interval of one dimension holds."""
    low, high = span
    return sum(1 << at for at, cell in enumerate(cells(family)) if low <= cell[dimension] <= high)


def passing(family: Family, rows: Sequence[Row]) -> int:
    """The cells, as bits of a number, that a first-match list permits: brute force, each cell by the first row."""
    rest, passed = (1 << len(cells(family))) - 1, 0
    for row in rows:
        mine = rest
        for dimension, span in enumerate(row.box):
            mine &= _column(family, dimension, span)
        rest &= ~mine
        passed |= mine if row.permit else 0
    return passed


def _span(dice: random.Random, edges: Sequence[int], whole: float) -> Span:
    a, b = sorted(dice.sample(range(len(edges)), 2))
    return (edges[0], edges[-1] - 1) if dice.random() < whole else (edges[a], edges[b] - 1)


def small_box(dice: random.Random, family: Family) -> tuple[Span, ...]:
    grid, icmp = GRID[family], ICMP[family]
    fragment = dice.choice([WHOLE, WHOLE, WHOLE, ANY_BIT, FRAGMENT])
    proto = dice.choice([ANY_PROTO, (6, 6), (6, 6), (17, 17), (icmp, icmp), (6, 17)])
    dport, sport, flag = ANY_PORT, ANY_PORT, ANY_BIT
    if fragment == WHOLE and proto == (icmp, icmp):
        dport = dice.choice([ANY_PORT, (2048, 2303), (32768, 33023)])
    elif fragment == WHOLE and proto != ANY_PROTO:
        dport, sport = _span(dice, grid[3], 0.3), _span(dice, grid[4], 0.7)
        flag = dice.choice([ANY_BIT, NEW, ESTABLISHED]) if proto == (6, 6) else ANY_BIT
    return (proto, _span(dice, grid[1], 0.3), _span(dice, grid[2], 0.4), dport, sport, flag, fragment)


def small_rows(dice: random.Random, family: Family, most: int = 5) -> Rows:
    return [Row(dice.random() < 0.6, small_box(dice, family)) for _ in range(dice.randint(0, most))]


def pairs(seed: int, count: int) -> Iterator[tuple[Family, list[Rows], Rows]]:
    """Laws of one or two lists, and texts that mean the same, nearly the same, or something else."""
    dice = random.Random(seed)
    for _ in range(count):
        family: Family = 4 if dice.random() < 0.5 else 6
        law = [small_rows(dice, family) for _ in range(dice.choice([1, 2]))]
        text = small_rows(dice, family)
        if dice.random() < 0.7:
            permitted = [row for rows in law[:-1] for row in rows if row.permit]
            text = rewritten(dice, [*permitted, *law[-1]], GRID[family])
            law[:-1] = [permitted] if len(law) == 2 else []
        if text and dice.random() < 0.4:
            text.pop(dice.randrange(len(text)))
        yield family, law, text


# The same meaning in other words.


def rewritten(dice: random.Random, rows: Sequence[Row], grid: Sequence[Sequence[int]] | None = None) -> Rows:
    """Shuffled inside runs of one action, boxes cut in two, dead rows added."""
    runs: list[Rows] = []
    for row in rows:
        if not runs or runs[-1][0].permit != row.permit:
            runs.append([])
        runs[-1].append(row)
    out: Rows = []
    for run in runs:
        mixed = [piece for row in run for piece in halves(dice, row, grid)]
        dice.shuffle(mixed)
        out += mixed
        if dice.random() < 0.3:
            out.append(Row(dice.random() < 0.5, dice.choice(mixed).box))
    return out


def halves(dice: random.Random, row: Row, grid: Sequence[Sequence[int]] | None = None) -> Rows:
    level = dice.choice([1, 1, 2, 3])
    low, high = row.box[level]
    inside = [e - 1 for e in grid[level] if low < e <= high] if grid else [low, (low + high) // 2]
    if low == high or not inside or dice.random() < 0.6:
        return [row]
    middle = dice.choice(inside)
    return [_with(row, level, part) for part in ((low, middle), (middle + 1, high))]


def _with(row: Row, level: int, span: Span) -> Row:
    return Row(row.permit, (*row.box[:level], span, *row.box[level + 1 :]))


def restructured(family: Family, rows: Sequence[Row]) -> Rows:
    """As another vendor's compiler writes it: port ranges as value and mask, prefixes of sources split in two."""
    out: Rows = []
    for row in rows:
        ports = [row.box[3]]
        if row.box[3] != ANY_PORT:
            ports = [(low, low + (1 << 32 - length) - 1) for low, length in prefixes(4, row.box[3])]
        low, high = row.box[2]
        middle = (low + high) // 2
        split = high - low >= 3 and middle % 3 == 0
        for port in ports:
            one = _with(row, 3, port)
            out += [_with(one, 2, (low, middle)), _with(one, 2, (middle + 1, high))] if split else [one]
    return out


# Long lists, as policies have them.


class Shape(NamedTuple):
    """The pieces that a long list is drawn from: address sets and services."""

    sets: list[list[Span]]
    services: list[tuple[Span, Span, Span]]


def shape(dice: random.Random, family: Family, count: int) -> Shape:
    bits, shift = BITS[family], {4: 0, 6: 90}[family]
    base = 10 << (bits - 8)

    def prefix() -> Span:
        size = 1 << (dice.choice([0, 2, 6, 8]) + shift)
        start = (base + (dice.getrandbits(20) << shift)) // size * size
        return (start, start + size - 1)

    sets = [[prefix() for _ in range(dice.randint(2, 12))] for _ in range(max(6, count // 150))]
    services = [((6, 6), (p, p + 15), ANY_BIT) for p in (22, 80, 443, 8080, 9001)]
    services += [((17, 17), (p, p), ANY_BIT) for p in (53, 123, 514)]
    icmp = (ICMP[family],) * 2
    services += [(icmp, (kind << 8, kind << 8 | 255), ANY_BIT) for kind in TYPES[family]]
    services += [((6, 6), ANY_PORT, ESTABLISHED), ((89, 89), ANY_PORT, ANY_BIT)]
    return Shape(sets, services)


def long_rows(dice: random.Random, family: Family, count: int, denies: float = 0.08, beside: bool = True) -> Rows:
    """Address sets times services, some denies and any-rules; where ``beside``, fragments beside what is permitted."""
    pieces, rows = shape(dice, family, count), list[Row]()
    anywhere = [(0, TOP[family])]
    while len(rows) < count:
        action = dice.random() >= denies
        sources = anywhere if dice.random() < 0.02 else dice.choice(pieces.sets)
        for source, target in product(sources, dice.choice(pieces.sets)):
            for proto, port, flag in dice.sample(pieces.services, 2):
                rows.append(Row(action, (proto, target, source, port, ANY_PORT, flag, WHOLE)))
                if action and beside:
                    rows.append(Row(True, (proto, target, source, ANY_PORT, ANY_PORT, ANY_BIT, FRAGMENT)))
    return rows[:count]


def replies(family: Family, rows: Sequence[Row]) -> Rows:
    """What could answer the permits of a list: ends and ports turned, TCP established, ICMP as its answer."""
    icmp, answers = (ICMP[family],) * 2, {8: 0, 128: 129}
    out: Rows = []
    for permit, (proto, dst, src, dport, sport, _, fragment) in rows:
        if not permit:
            continue
        if proto == icmp and fragment == WHOLE:
            kind = answers.get(dport[0] >> 8)
            if kind is not None:
                out.append(Row(True, (proto, src, dst, (kind << 8, kind << 8 | 255), ANY_PORT, ANY_BIT, WHOLE)))
        else:
            flag = ESTABLISHED if proto == (6, 6) and fragment == WHOLE else ANY_BIT
            out.append(Row(True, (proto, src, dst, sport, dport, flag, fragment)))
    return out


# Slips of the hand.


def mutated(dice: random.Random, rows: Rows) -> tuple[Rows, Row, Row | None]:
    """One row changed by one step: a port, an edge of an address, a flag, a type, the fragment bit, the action, or gone."""
    at = dice.randrange(len(rows))
    row, new = rows[at], list(rows)
    way = dice.choice(["port", "edge", "edge", "action", "drop", "flag", "fragment"])
    if way == "drop":
        del new[at]
        return new, row, None
    new[at] = changed = _slip(dice, row, way)
    return new, row, changed


def _slip(dice: random.Random, row: Row, way: str) -> Row:
    box = row.box
    if way == "flag" and box[0] == (6, 6) and box[6] == WHOLE:
        return _with(row, 5, dice.choice([span for span in (ANY_BIT, NEW, ESTABLISHED) if span != box[5]]))
    if way == "fragment" and box[6] == WHOLE:
        return Row(row.permit, (*box[:3], ANY_PORT, ANY_PORT, ANY_BIT, ANY_BIT))
    if way == "port" and box[3] != ANY_PORT:
        step = 256 if box[0] in ((1, 1), (58, 58)) else 1
        return _with(row, 3, dice.choice([(box[3][0], box[3][1] + step), (box[3][0] + step, box[3][1] + step)]))
    if way == "edge":
        level = dice.choice([1, 2])
        low, high = box[level]
        return _with(row, level, dice.choice([(low, high + 1), (max(low - 1, 0), high), (low, max(low, high - 1))]))
    return Row(not row.permit, box)


def meets(a: Sequence[Span], b: Sequence[Span]) -> bool:
    return all(x[0] <= y[1] and y[0] <= x[1] for x, y in zip(a, b, strict=True))


def corners(lists: Sequence[Sequence[Row]], within: tuple[Span, ...]) -> list[list[int]]:
    """For each dimension the lowest values of the cells that the borders of the lists make inside a box."""
    boxes = [row.box for rows in lists for row in rows]
    edges = [{low} | {e for b in boxes for e in (b[d][0], b[d][1] + 1)} for d, (low, _) in enumerate(within)]
    return [sorted(e for e in edges[d] if low <= e <= high) for d, (low, high) in enumerate(within)]
