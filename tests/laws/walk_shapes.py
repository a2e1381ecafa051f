"""Shapes of lists in which policies come, and the ways in which another compiler writes the same: pairs for laws and benchmarks.

A shape draws as many rows as asked for; its pools grow with the list, so that a list of ten rows overlaps as one of 20,000
does. A way gives a text of the same meaning. Nothing here asks the product anything.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import product

from configlet.model.net import TOP, Family, Span
from tests.laws.walk_lists import (
    ANY_BIT,
    ANY_PORT,
    ANY_PROTO,
    ESTABLISHED,
    FRAGMENT,
    ICMP,
    TYPES,
    WHOLE,
    Point,
    Row,
    Rows,
    law_permits,
    long_rows,
    meets,
    permits,
)

Shape = Callable[[random.Random, Family, int], Rows]
Service = tuple[Span, Span, Span, Span]
"""Protocol, destination ports, source ports, flag class."""

TCP, UDP = (6, 6), (17, 17)


def prefix(dice: random.Random, family: Family, lengths: Sequence[int]) -> Span:
    """A prefix below 10.0.0.0/8 with one of these lengths, or below 2001:db8::/32 with one four times as far below."""
    length = dice.choice(lengths)
    host = 32 - length if family == 4 else 4 * (32 - length)
    top = 10 << 24 if family == 4 else 0x20010DB8 << 96
    start = (top + dice.getrandbits(24 if family == 4 else 96)) >> host << host
    return start, start + (1 << host) - 1


def service(dice: random.Random, family: Family, ranges: float = 0.3) -> Service:
    draw = dice.random()
    if draw < 0.08:
        kind = dice.choice(TYPES[family])
        return (ICMP[family],) * 2, (kind << 8, kind << 8 | 255), ANY_PORT, ANY_BIT
    if draw < 0.12:
        return TCP, ANY_PORT, ANY_PORT, ESTABLISHED
    if draw < 0.15:
        return (dice.choice([47, 50, 89]),) * 2, ANY_PORT, ANY_PORT, ANY_BIT
    low = dice.randrange(1, 60_000)
    ports = (low, low + dice.randrange(1, 4000)) if dice.random() < ranges else (low, low)
    return dice.choice([TCP, TCP, UDP]), ports, ANY_PORT, ANY_BIT


def row(permit: bool, dst: Span, src: Span, of: Service, fragment: Span = WHOLE) -> Row:
    proto, dport, sport, flag = of
    return Row(permit, (proto, dst, src, dport, sport, flag, fragment))


def anywhere(family: Family) -> Span:
    return 0, TOP[family]


def _pool(count: int, share: int, draw: Callable[[], Span]) -> list[Span]:
    return [draw() for _ in range(max(3, count // share))]


def ranges(dice: random.Random, family: Family, count: int) -> Rows:
    """/24 or /16 to /16, each with its range of ports, one of ten a deny."""
    ends = _pool(count, 20, lambda: prefix(dice, family, [16]))
    starts = _pool(count, 10, lambda: prefix(dice, family, [16, 24, 24]))
    return [
        row(dice.random() >= 0.1, dice.choice(ends), dice.choice(starts), service(dice, family, 0.9))
        for _ in range(count)
    ]


def prefixes(dice: random.Random, family: Family, count: int) -> Rows:
    """Prefixes of every length, drawn anew for each row."""
    lengths = range(9, 33)
    return [
        row(dice.random() >= 0.05, prefix(dice, family, lengths), prefix(dice, family, lengths), service(dice, family))
        for _ in range(count)
    ]


def hosts(dice: random.Random, family: Family, count: int) -> Rows:
    """One address to one address, one port."""
    ends = _pool(count, 8, lambda: prefix(dice, family, [32]))
    return [
        row(dice.random() >= 0.02, dice.choice(ends), dice.choice(ends), service(dice, family, 0)) for _ in range(count)
    ]


def grid(dice: random.Random, family: Family, count: int) -> Rows:
    """Neighbouring addresses, neighbouring ports: much of it adjoins."""
    first, side = prefix(dice, family, [16])[0], max(3, round(count ** (1 / 3)))
    spans = [(first + n, first + n) for n in range(side)]
    rows = [
        row(True, d, s, (TCP, (p, p), ANY_PORT, ANY_BIT)) for d, s, p in product(spans, spans, range(80, 80 + side + 2))
    ]
    dice.shuffle(rows)
    return rows[:count]


def wildcards(dice: random.Random, family: Family, count: int) -> Rows:
    """Half from anywhere, half to anywhere, one of five a deny."""
    lengths, out = range(12, 29), Rows()
    for _ in range(count):
        ends = [prefix(dice, family, lengths), anywhere(family)]
        dice.shuffle(ends)
        out.append(row(dice.random() >= 0.2, ends[0], ends[1], service(dice, family, 0.2)))
    return out


def to_any(dice: random.Random, family: Family, count: int) -> Rows:
    """Sources to anywhere, behind a few denies of what nobody may reach."""
    starts = _pool(count, 10, lambda: prefix(dice, family, range(16, 33)))
    closed = [
        row(False, prefix(dice, family, [12, 16]), anywhere(family), (ANY_PROTO, ANY_PORT, ANY_PORT, ANY_BIT), ANY_BIT)
        for _ in range(min(count // 4, 20))
    ]
    return closed + [
        row(True, anywhere(family), dice.choice(starts), service(dice, family)) for _ in range(count - len(closed))
    ]


def blocked(dice: random.Random, family: Family, count: int) -> Rows:
    """A list of closed sources ahead of all, then who may reach whom."""
    whole = (ANY_PROTO, ANY_PORT, ANY_PORT, ANY_BIT)
    closed = [
        row(False, anywhere(family), prefix(dice, family, range(18, 33)), whole, ANY_BIT) for _ in range(count // 20)
    ]
    starts = _pool(count, 20, lambda: prefix(dice, family, [16, 20, 24]))
    ends = _pool(count, 20, lambda: prefix(dice, family, [24, 28, 32]))
    left = count - len(closed)
    return closed + [row(True, dice.choice(ends), dice.choice(starts), service(dice, family)) for _ in range(left)]


def turns(dice: random.Random, family: Family, count: int) -> Rows:
    """A deny behind each permit: of more ports, of the same two ends."""
    ends, out = _pool(count, 12, lambda: prefix(dice, family, [20, 24, 28])), Rows()
    while len(out) < count:
        dst, src = dice.choice(ends), dice.choice(ends)
        port = dice.randrange(1, 60_000)
        out.append(row(True, dst, src, (TCP, (port, port), ANY_PORT, ANY_BIT)))
        out.append(row(False, dst, src, (TCP, (port // 1024 * 1024, port // 1024 * 1024 + 1023), ANY_PORT, ANY_BIT)))
    return out[:count]


def nested(dice: random.Random, family: Family, count: int) -> Rows:
    """The longest prefix decides: each one is an exception of the next."""
    out = Rows()
    while len(out) < count:
        src, of = prefix(dice, family, [16, 24]), service(dice, family)
        (low, high), permit = prefix(dice, family, [28, 32]), dice.random() < 0.5
        for step in (0, 4, 8):
            bits = step if family == 4 else 4 * step
            wide = low >> bits << bits, high >> bits << bits | (1 << bits) - 1
            out.append(row(permit, (wide[0], max(high, wide[1])), src, of))
            permit = not permit
    return out[:count]


def fresh(dice: random.Random, family: Family, count: int) -> Rows:
    """Spans that are no prefixes, ports of both ends; nothing is drawn twice."""

    def span() -> Span:
        low, high = prefix(dice, family, range(16, 31))
        return low + dice.randrange(3), high + dice.randrange(high - low + 1)

    out = Rows()
    for _ in range(count):
        low, start = dice.randrange(60_000), dice.randrange(60_000)
        ports = (low, low + dice.randrange(500)), dice.choice([ANY_PORT, (start, start + 1024)])
        out.append(row(dice.random() >= 0.05, span(), span(), (dice.choice([TCP, UDP]), *ports, ANY_BIT)))
    return out


def services(dice: random.Random, family: Family, count: int) -> Rows:
    """Few ends and very many services."""
    ends, out = _pool(count, 1000, lambda: prefix(dice, family, [16, 24, 32])), Rows()
    for _ in range(count):
        dst, src, of = dice.choice(ends), dice.choice(ends), service(dice, family, 0.5)
        out.append(row(dice.random() >= 0.05, dst, src, of))
    return out


def fragments(dice: random.Random, family: Family, count: int) -> Rows:
    """Each permit with its fragments beside it, sets times services."""
    return long_rows(dice, family, count)


def flat(dice: random.Random, family: Family, count: int) -> Rows:
    """Sets times services, no fragments and no denies."""
    return long_rows(dice, family, count, denies=0, beside=False)


def firewall(dice: random.Random, family: Family, count: int) -> Rows:
    """Any protocol, source ports, established, fragments; ends of few lengths, many of them everything."""
    some = [[anywhere(family), prefix(dice, family, [16, 24, 32])] for _ in range(max(3, count // 30))]
    out = Rows()
    for _ in range(count):
        dst, src = (dice.choice(some)[dice.random() < 0.85] for _ in range(2))
        proto, dport, sport, flag = service(dice, family)
        if proto in (TCP, UDP) and dice.random() < 0.2:
            dport, sport = sport, dport
        fragment = WHOLE
        if dice.random() < 0.05:
            dport, sport, flag, fragment = ANY_PORT, ANY_PORT, ANY_BIT, dice.choice([FRAGMENT, ANY_BIT])
        out.append(row(dice.random() >= 0.1, dst, src, (proto, dport, sport, flag), fragment))
    return out


SHAPES: tuple[Shape, ...] = (
    fragments, flat, ranges, prefixes, hosts, grid, wildcards, to_any, blocked, turns, nested, fresh, services, firewall,
)  # fmt: skip


def mixed(dice: random.Random, family: Family, count: int) -> Rows:
    """Some of each shape, one behind the other."""
    share = -(-count // len(SHAPES))
    return [one for shape in SHAPES for one in shape(dice, family, share)][:count]


# The same meaning in other words.


def runs(rows: Sequence[Row]) -> Iterator[Rows]:
    """Rows that follow one another and have one action."""
    run = Rows()
    for one in rows:
        if run and run[-1].permit != one.permit:
            yield run
            run = Rows()
        run.append(one)
    if run:
        yield run


def shuffled(dice: random.Random, rows: Rows) -> Rows:
    """In another order inside of runs of one action."""
    out = Rows()
    for run in runs(rows):
        dice.shuffle(run)
        out += run
    return out


def reordered(dice: random.Random, rows: Rows) -> Rows:
    """Permits and denies that do not meet have changed places too."""
    out = shuffled(dice, rows)
    for _ in range(4):
        for at in range(len(out) - 1):
            one, two = out[at], out[at + 1]
            if one.permit != two.permit and dice.random() < 0.5 and not meets(one.box, two.box):
                out[at], out[at + 1] = two, one
    return out


def _cut(dice: random.Random, one: Row, levels: Sequence[int]) -> Rows:
    """A row in two, in one dimension of these where it has more than one value."""
    wide = [level for level in levels if one.box[level][0] < one.box[level][1]]
    if not wide:
        return [one]
    level = dice.choice(wide)
    low, high = one.box[level]
    middle = (low + high) // 2 if dice.random() < 0.7 else dice.randrange(low, high)
    return [
        Row(one.permit, (*one.box[:level], part, *one.box[level + 1 :])) for part in ((low, middle), (middle + 1, high))
    ]


def halved(dice: random.Random, rows: Rows) -> Rows:
    """Four of five permits in two halves, in any dimension that has two values, shuffled."""
    return shuffled(
        dice,
        [part for one in rows for part in (_cut(dice, one, range(6)) if one.permit and dice.random() < 0.8 else [one])],
    )


def divided(dice: random.Random, rows: Rows) -> Rows:
    """Three of ten rows, denies too, in up to four pieces: halves of which some are cut once more in another dimension."""
    out = Rows()
    for one in rows:
        pieces = [one]
        if dice.random() < 0.3:
            pieces = [
                part for half in _cut(dice, one, (1, 2)) for part in _cut(dice, half, dice.choice([(1, 2), (3, 4)]))
            ]
        out += pieces
    return shuffled(dice, out)


def repeated(dice: random.Random, rows: Rows) -> Rows:
    """With one row of twenty more, that an earlier one of the same action holds wholly; shuffled."""
    out = Rows()
    for one in rows:
        out.append(one)
        if dice.random() < 0.05:
            out.append(dice.choice(_cut(dice, one, (1, 2, 3))))
    return shuffled(dice, out)


Way = Callable[[random.Random, Rows], Rows]
WAYS: tuple[Way, ...] = (shuffled, reordered, halved, divided, repeated)


# A slip of the hand.


def slips(dice: random.Random, text: Rows) -> Iterator[tuple[Rows, Row]]:
    """Texts in which one row is lost, turned, wider or narrower by one value, each with a box around what may differ."""
    tops = (TOP[6] if any(one.box[1][1] > TOP[4] for one in text) else TOP[4],) * 2
    while True:
        at = dice.randrange(len(text))
        permit, box = text[at]
        level, way = dice.choice([1, 2, 3]), dice.randrange(5)
        low, high = box[level]
        if way < 3 and level == 3 and (box[0] not in (TCP, UDP) or box[6] != WHOLE or box[3] == ANY_PORT):
            continue
        span = [(low, min(high + 1, (*tops, 65535)[level - 1])), (max(low - 1, 0), high), (low, max(low, high - 1))][
            way % 3
        ]
        slipped = Row(permit, (*box[:level], span, *box[level + 1 :])) if way < 3 else Row(not permit, box)
        around = (*box[:level], (min(low, span[0]), max(high, span[1])), *box[level + 1 :])
        yield [*text[:at], *([] if way == 4 else [slipped]), *text[at + 1 :]], Row(permit, around)


def unequal(dice: random.Random, law: Sequence[Rows], text: Rows) -> tuple[Rows, Point]:
    """The text with one slip, and a packet that shows it: the two ends of what was changed are looked at, line by line."""
    for slipped, around in slips(dice, text):
        for point in product(*(sorted(set(span)) for span in around.box)):
            if law_permits(law, point) != permits(slipped, point):
                return slipped, point
    raise AssertionError("slips end never")
