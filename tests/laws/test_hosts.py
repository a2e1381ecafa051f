"""Laws of a host's lists taken apart by their ends: what is seen to be alike passes the same, and runs are their rows."""

from __future__ import annotations

import random
from collections.abc import Sequence

from configlet.model.gate import Cell
from configlet.model.lines import Lines, Run
from configlet.model.net import TOP, Family, Span
from configlet.packets.ends import Ends
from configlet.packets.hosts import alike
from tests.laws.walk_cells import Cells
from tests.laws.walk_lists import (
    ANY_BIT,
    ANY_PORT,
    ANY_PROTO,
    FRAGMENT,
    ICMP,
    WHOLE,
    Row,
    Rows,
    mutated,
    pairs,
    passing,
)

OWN = (40, 90)
TCP, UDP = (6, 6), (17, 17)
ANYWHERE = (0, 255)
PEERS: Sequence[Span] = (
    (0, 31),
    (32, 63),
    (40, 40),
    (33, 33),
    (90, 90),
    (88, 91),
    (5, 5),
    (100, 127),
    (64, 127),
    ANYWHERE,
)
PORTS: Sequence[Span] = ((22, 22), (80, 89), (85, 85), ANY_PORT)
TOPS = (255, 255, 255, 65535, 65535, 1, 1)


def seen(family: Family, one: Sequence[Row], two: Sequence[Row], own: Sequence[int] = OWN) -> bool:
    ends = Ends(own), Ends(own)
    for each, rows in zip(ends, (one, two), strict=True):
        each.rows([Cell(*one) for one in rows])
    return alike(family, *ends)


def same(one: Sequence[Row], two: Sequence[Row]) -> bool:
    cells = Cells((one, two), TOPS)
    return cells.passing(one) == cells.passing(two)


def row(permit: bool, proto: Span, dst: Span, src: Span, dport: Span = ANY_PORT, part: Span = WHOLE) -> Row:
    return Row(permit, (proto, dst, src, dport, ANY_PORT, ANY_BIT, part))


def law(dice: random.Random, count: int) -> Rows:
    """As the laws of hosts are: what it says to itself, what the network keeps closed, then rules towards it and from it."""
    out = [row(True, ANY_PROTO, (at, at), (at, at)) for at in OWN if dice.random() < 0.9]
    for _ in range(count):
        own, peer = (dice.choice(OWN),) * 2, dice.choice(PEERS)
        ends = (own, peer) if dice.random() < 0.5 else (peer, own)
        if dice.random() < 0.3:
            out.append(row(False, dice.choice([ANY_PROTO, ANY_PROTO, TCP]), *ends))
        elif out and dice.random() < 0.1:
            out.append(dice.choice(out))
        elif dice.random() < 0.1:
            out.append(row(True, ANY_PROTO, *ends))
        elif dice.random() < 0.1:
            out.append(row(dice.random() < 0.5, dice.choice([ANY_PROTO, (1, 1)]), peer, dice.choice(PEERS)))
        else:
            proto = dice.choice([TCP, TCP, UDP, (1, 1)])
            out.append(row(dice.random() < 0.9, proto, *ends, dice.choice(PORTS)))
    return out


def told(dice: random.Random, rows: Rows) -> Rows:
    """The same as the chains of a table say it: no fragments first; each row by protocol and kind of ICMP; rows that share
    nothing in another order, so that those of one address stand together."""
    out = [row(False, ANY_PROTO, ANYWHERE, ANYWHERE, part=FRAGMENT)]
    parts: Rows = []
    for permit, (proto, *others) in rows:
        pieces: list[tuple[Span, Span]] = [(proto, others[2])]
        if proto == ANY_PROTO and dice.random() < 0.8:
            pieces = [((0, 0), ANY_PORT), ((2, 255), ANY_PORT)]
            pieces += [((1, 1), span) for span in ((0, 2047), (2048, 2303), (2304, 65535))]
        parts += [Row(permit, (one, *others[:2], ports, *others[3:])) for one, ports in pieces]
    keys = {id(one): dice.random() for one in parts}
    for at, one in enumerate(parts):
        place = at
        while place and keys[id(one)] < 0.7 and not _tied(out[-1 - (at - place)], one) and len(out) > at - place + 1:
            place -= 1
        out.insert(len(out) - (at - place), one)
    return out


def moved(dice: random.Random, rows: Rows) -> Rows:
    """One row elsewhere, or changed by one step."""
    if dice.random() < 0.5:
        return mutated(dice, rows)[0]
    out = list(rows)
    out.insert(dice.randrange(len(out)), out.pop(dice.randrange(len(out))))
    return out


def _tied(a: Row, b: Row) -> bool:
    return a.permit != b.permit and all(x[0] <= y[1] and y[0] <= x[1] for x, y in zip(a.box, b.box, strict=True))


def test_what_is_seen_to_be_alike_passes_the_same() -> None:
    dice = random.Random(41)
    equal, found = 0, 0
    for _ in range(400):
        rows = law(dice, dice.randrange(1, 14)) or [row(True, TCP, (40, 40), (0, 31))]
        text = told(dice, rows)
        assert same(rows, text)
        equal, found = equal + 1, found + seen(4, rows, text)
        for _ in range(3):
            other = moved(dice, dice.choice([rows, text]))
            assert not seen(4, rows, other) or same(rows, other), (rows, other)
    assert found > 0.95 * equal, found


def test_lists_of_any_other_shape_are_never_seen_to_be_alike_where_they_are_not() -> None:
    found = 0
    for family, laws, text in pairs(42, 1200):
        for rows in laws:
            alone = seen(family, rows, text, (10, 15))
            assert not alone or passing(family, rows) == passing(family, text), (rows, text)
            found += alone
    assert found > 100, found


def test_a_run_is_its_rows() -> None:
    dice = random.Random(43)
    unlike = 0
    for _ in range(1500):
        ported, within = dice.random() < 0.5, dice.random() < 0.2
        runs = [drawn(dice, ported=ported, within=within) for _ in range(dice.randrange(1, 4))]
        rows = [Row(permit, box) for run in runs for permit, box in run.rows()]
        one, two = Ends(OWN), Ends(OWN)
        one.rows([Cell(*said) for said in rows])
        two.rows(Lines(runs, tuple))
        assert alike(4, one, two), rows
        changed, *_ = mutated(dice, rows)
        three = Ends(OWN)
        three.rows([Cell(*said) for said in changed])
        assert not alike(4, two, three) or same(rows, changed), (rows, changed)
        unlike += not same(rows, changed)
    assert unlike > 300, unlike


def drawn(dice: random.Random, *, ported: bool, within: bool) -> Run:
    """A lookup of some elements in a map, in the packets of some protocols that go to an address or come from one; ``within``:
    those of one of them once more, and seldom by other fields."""
    near, far = dice.choice([(1, 2), (2, 1)])
    own = dice.choice([(40, 40), (90, 90)]) if dice.random() < 0.8 else dice.choice([(32, 63), (40, 41), (7, 7)])
    protos: list[tuple[Span, Span]] = [
        ((0, 0), ANY_PORT),
        ((2, 255), ANY_PORT),
        ((1, 1), (2048, 2303)),
        ((1, 1), (3328, 3583)),
    ]
    if ported:
        protos = [(dice.choice([TCP, UDP]), ANY_PORT)]
    elif within:
        protos.append((TCP, ANY_PORT))
    fields = [far, 3] if ported else [far]
    if within and dice.random() < 0.3:
        fields, protos = dice.choice([([far, near], protos), ([far, 0], [(ANY_PROTO, ANY_PORT)])])
    bases = []
    for proto, ports in protos:
        ends = {near: ANYWHERE if near in fields else own, far: ANYWHERE}
        part = dice.choice([FRAGMENT, ANY_BIT]) if within and dice.random() < 0.3 else WHOLE
        bases.append((proto, ends[1], ends[2], ports, ANY_PORT, ANY_BIT, part))
    count, drawn_from = dice.randrange(1, 6), {0: [TCP, UDP, (2, 255)], 1: PEERS, 2: PEERS, 3: PORTS}
    axes = [[dice.choice(drawn_from[field]) for _ in range(count)] for field in fields]
    return Run(bases, tuple(fields), axes, [dice.random() < 0.7 for _ in range(count)], {})


def test_rows_between_two_addresses_of_a_host_are_told_apart() -> None:
    inner = row(False, TCP, (40, 40), (90, 90))
    rows = [row(True, TCP, (40, 40), ANYWHERE), row(True, TCP, ANYWHERE, (90, 90))]
    assert seen(4, [inner, *rows], [inner, *reversed(rows)])
    assert not seen(4, [inner, *rows], rows)
    assert not seen(4, [*rows, inner], [inner, *rows])


def test_a_deny_ahead_in_one_list_alone_counts_where_it_meets_a_permit() -> None:
    permit, near, far = (
        row(True, TCP, (40, 40), (0, 31), (22, 22)),
        row(False, TCP, (40, 40), (5, 5)),
        row(False, TCP, (40, 40), (33, 33)),
    )
    assert seen(4, [permit], [far, permit])
    assert not seen(4, [permit], [near, permit])
    assert seen(4, [permit, near], [permit])
    assert not seen(6, [row(True, (ICMP[6],) * 2, (40, 40), (0, 31))], [])


def test_of_permits_that_are_the_same_the_first_counts() -> None:
    permit, near = row(True, TCP, (40, 40), (0, 31), (22, 22)), row(False, TCP, (40, 40), (5, 5))
    assert seen(4, [permit, near, permit], [permit])
    assert not seen(4, [permit, near, permit], [near, permit])


def test_denies_of_other_protocols_are_not_taken_for_one_another() -> None:
    permit = row(True, ANY_PROTO, (40, 40), (0, 31))
    tcp, udp = (row(False, proto, (40, 40), (5, 5)) for proto in (TCP, UDP))
    assert seen(4, [tcp, permit], [tcp, permit])
    assert not seen(4, [tcp, permit], [udp, permit])


def test_nothing_is_told_of_more_addresses_than_a_box_has() -> None:
    everything = row(True, ANY_PROTO, (0, TOP[4]), (0, TOP[4]))
    assert seen(4, [everything], [everything], ())
    assert not seen(4, [everything], [], ())
