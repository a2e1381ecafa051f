"""Plain rows stand as they are: lists of sides that are found once, fitted at one look, are those found and fitted row by row."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from configlet.fit import sides as sides_of
from configlet.fit.acl import acl_rows, counted_rows
from configlet.fit.budget import _lines, cost
from configlet.fit.clip import guarded, needed, with_fragments
from configlet.fit.glance import as_they_are
from configlet.fit.law import INSIDE, UNNUMBERED, Scope, routed
from configlet.fit.plain import MET, plain
from configlet.fit.sides import Sides
from configlet.model.block import Answers, Block, Parted, Sets, items, sets_of
from configlet.model.gate import Law
from configlet.model.net import Addresses, Family, Span, merge
from configlet.model.policy import (
    ANY_BIT,
    ANY_PORT,
    ANY_PROTO,
    DPORT,
    DST,
    FLAG,
    PROTO,
    SPORT,
    SRC,
    WRITTEN,
    Entry,
    Rule,
)
from configlet.packets.blocks import Item, cut, replies, rule_of
from configlet.packets.reply import reply_list
from configlet.packets.sets import inside, meets
from tests.builders import acl

BASE: dict[Family, int] = {4: 0x0A000000, 6: 0x20010DB8 << 96}
TOP: dict[Family, int] = {4: 0xE00000FF, 6: (0xFF02 << 112) + 0xFF}
EVERY: dict[Family, Span] = {4: (0, 0xFFFFFFFF), 6: (0, (1 << 128) - 1)}
PORTED: tuple[Span, ...] = ((6, 6), (17, 17))
TYPES: tuple[Span, ...] = ((2048, 2303), (0, 255), (32768, 33023), (33024, 33279), (1000, 1800))
"""Echo and its answer, of ICMP and of ICMPv6, and several types."""


def rule(name: str, origin: str = "policy") -> Rule:
    return Rule(name, origin, "allow", Addresses(), Addresses(), (), False, None)  # type: ignore[arg-type]


def ends(dice: random.Random, family: Family, odd: float) -> Span:
    """A segment most often, or a host of it; where it is odd another host, two segments, a group, or everything."""
    low = BASE[family] + 256 * dice.randrange(8)
    if dice.random() >= odd:
        return (low, low + 255) if dice.random() < 0.8 else (low + 1, low + 1)
    return dice.choice(((low, low), (low + 7, low + 7), (low, low + 511), (TOP[family] - 255, TOP[family]), EVERY[family]))


def item(dice: random.Random, family: Family, number: int, odd: float) -> Item:
    """A rule of TCP or UDP from many ports to one; where it is odd of another protocol, other ports, or a group."""
    strange = dice.random() < odd
    proto = dice.choice((*PORTED, (132, 132), (1, 1), (58, 58), ANY_PROTO) if strange else PORTED)
    ported, low = proto in PORTED, dice.choice((dice.randrange(1, 60000), 443 if strange else 80 + number))
    dport = dice.choice(((low, low), (low, low + 9), ANY_PORT, (1024, 65535), (7, 7), (7, 7))) if strange else (low, low)
    sport = dice.choice((ANY_PORT, (1024, 65535), (7, 7))) if strange else (1024, 65535)
    if not ported:
        sport = ANY_PORT
        dport = dice.choice((ANY_PORT, *TYPES)) if proto in ((1, 1), (58, 58)) else ANY_PORT
    flag, permit = (0, 0) if dice.random() < odd / 4 else ANY_BIT, dice.random() < 0.85
    dst, src = (merge(ends(dice, family, odd) for _ in range(dice.choice((1, 1, 1, 2, 3)))) for _ in range(2))
    box = (proto, dst[0], src[0], dport, sport, flag, (0, 0))
    entry = Entry(permit, box, rule(f"r{number}", "policy" if permit or dice.random() < 0.9 else "observe"))
    dports = merge((dport, (7, 7))) if ported and dice.random() < odd else (dport,)
    sets = ((proto,), dst, src, dports, *((span,) for span in box[4:]))
    return entry if len(dst) == len(src) == len(dports) == 1 else Block(sets, entry)  # type: ignore[arg-type]


def policy(dice: random.Random, family: Family) -> tuple[Item, ...]:
    """What the network needs, what it keeps closed, and rules that mostly do not meet."""
    head: list[Item] = []
    if dice.random() < 0.8:
        closed = rule("infrastructure addresses", "infrastructure")
        for number in range(dice.randrange(1, 4)):
            one = (BASE[family] + 256 * number + 1,) * 2
            head += [Entry(False, (ANY_PROTO, *pair, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), closed)
                     for pair in ((one, EVERY[family]), (EVERY[family], one))]  # fmt: skip
            box = ((6, 6), one, (BASE[family], BASE[family] + 255), (179, 179), (1024, 65535), ANY_BIT, (0, 0))
            head.insert(0, Entry(True, box, rule("needed", "infrastructure")))
        if dice.random() < 0.4:  # many at once, of which a gate meets some, and perhaps closed the one way alone
            many, every = tuple((BASE[family] + n * 16 + 1,) * 2 for n in range(80)), (EVERY[family],)
            for pair in ((many, every), (every, many))[dice.choice((0, 0, 0, 1)) : dice.choice((2, 2, 2, 1))]:
                sets = ((ANY_PROTO,), *pair, (ANY_PORT,), (ANY_PORT,), (ANY_BIT,), ((0, 0),))
                head.append(Block(sets, Entry(False, box, closed)))  # type: ignore[arg-type]
    if dice.random() < 0.4:  # as who asks for an address, and as who may always in
        asks = ((17, 17), EVERY[family], (0, 0), (67, 67), (68, 68), ANY_BIT, (0, 0))
        may = ((6, 6), (BASE[family], BASE[family] + 1023), EVERY[family], (22, 22), (1024, 65535), ANY_BIT, (0, 0))
        head[:0] = [Entry(True, may, rule("may", "failsafe")), Entry(True, asks, rule("asks", "infrastructure"))]
    if dice.random() < 0.1:  # and what only looks like the network's own denies, or stands behind them
        box = (ANY_PROTO, (BASE[family] + 300, BASE[family] + 300), EVERY[family], ANY_PORT, ANY_PORT, ANY_BIT, (0, 0))
        said = ("other", "infrastructure"), ("needed", "infrastructure"), ("infrastructure addresses", "policy")
        head += [Entry(number == 1, box, rule(*said[number])) for number in sorted(dice.sample(range(3), 2))]
    odd = dice.choice((0.0, 0.0, 0.01, 0.2))
    written = [item(dice, family, number, odd) for number in range(dice.randrange(9, 60))]
    for number in range(dice.choice((0, 0, 0, 1, 2))):  # what passes inside a segment, and what some ahead of it has ports of
        low = BASE[family] + 256 * number
        box = (ANY_PROTO, (low, low + 255), (low, low + 255), ANY_PORT, ANY_PORT, ANY_BIT, (0, 0))
        written.append(Entry(True, box, rule("inside", "intra")))
        some = next((one for one in written[number * 3 :] if isinstance(one, Entry)), written[-1])
        if isinstance(some, Entry) and some.box[DPORT] != ANY_PORT:
            low, high = some.box[DPORT]
            more = (low, high + 3), (low + 1, high + 1), (low, high)
            level = dice.choice((DST, SRC))
            wider = (some.box[level][0], some.box[level][1] + dice.choice((0, 256)))
            box = (*some.box[:DPORT], dice.choice(more), *some.box[DPORT + 1 :])  # type: ignore[assignment]
            box = (*box[:level], wider, *box[level + 1 :])  # type: ignore[assignment]
            written.insert(dice.randrange(len(written)), Entry(dice.random() < 0.9, box, rule("again")))
    return (*head, *written)


@pytest.fixture(autouse=True)
def _from_the_first_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides_of, "LISTS", 0)
    monkeypatch.setattr(sides_of, "SHARE", 1000)


@pytest.mark.parametrize("family", [4, 6])
def test_a_list_fitted_at_one_look_is_the_list_fitted_row_by_row(family: Family) -> None:
    dice = random.Random(family)
    glanced = looked = 0
    for _ in range(300):
        whole = Sides(family, policy(dice, family))
        for _ in range(3):
            low = BASE[family] + 256 * dice.randrange(6)
            scope = Scope(((low, low + dice.choice((255, 511))),), (), dice.random() < 0.1)
            for direction in dice.sample(("in", "out"), 2):  # of both lists of a gate much is found once
                made = routed(whole, scope, direction)
                law = Law(family, made.lists)
                found = as_they_are(family, made)
                glanced, looked = glanced + (found is not None), looked + 1
                rows = items(acl_rows(law))
                assert items(acl_rows(law, made)) == rows
                if found:
                    fitted, lines = counted_rows(law, made)
                    exact = cost(acl(fitted, family))  # type: ignore[arg-type]
                    assert max(exact.typed, exact.held) <= lines
                    _answers(fitted, family)
    assert 0.15 < glanced / looked < 0.8, (glanced, looked)


@pytest.mark.parametrize("family", [4, 6])
def test_the_replies_of_a_list_are_of_the_rows_that_the_other_list_of_the_gate_lets_begin(family: Family) -> None:
    dice = random.Random(70 + family)
    shared = many = 0
    for _ in range(60):
        found = policy(dice, family)
        network = [one for one in found if rule_of(one).origin not in WRITTEN]
        said = [item(dice, family, number, dice.choice((0, 0, 0, 0.1))) for number in range(dice.randrange(50))]
        whole = Sides(family, (*network, *(one for one in said if isinstance(one, Entry))))
        for low in (BASE[family] + 256 * number for number in range(8)):
            lists = [_listed(whole, low, direction) for direction in ("in", "out")]
            answers = [one for rows in lists for one in _answers(rows, family)]
            ours = {id(part) for rows in lists if isinstance(rows, Parted) for part in rows.parts}
            many, shared = many + len(answers), shared + sum(id(part.of) in ours for part in answers)
    assert many > 100 and shared > many / 2, (many, shared)


def _listed(whole: Sides, low: int, direction: str) -> Sequence[Entry]:
    made = routed(whole, Scope(((low, low + 255),), (), False), direction)
    rows, _ = counted_rows(Law(whole.family, made.lists), made)
    assert items(rows) == items(acl_rows(Law(whole.family, made.lists)))
    return rows


def _answers(rows: Sequence[Entry], family: Family) -> list[Answers[Entry]]:
    """The replies of a list that say that they answer some rows: of each permit there is the one that it has, the other way."""
    found = [part for part in rows.parts if isinstance(part, Answers)] if isinstance(rows, Parted) else []
    for part in found:
        permits = [row for row in part.of if row.permit]
        assert list(part) == list(replies(permits, family))
        for one, (_, dst, src, dport, sport, *_) in zip(part, [row.box for row in permits], strict=True):
            assert one.box[DST:FLAG] == (src, dst, sport, dport)
    return [part for part in found if part]


@pytest.mark.parametrize("family", [4, 6])
def test_rows_without_a_reply_or_with_a_cut_one_leave_the_others_where_they_are(family: Family) -> None:
    """Rows to groups, and between ends that are closed: what stands behind them in a list is not taken for them."""
    dice = random.Random(50 + family)
    here, first = (BASE[family], BASE[family] + 255), 0xE0000000 if family == 4 else 0xFF << 120
    top = (first, first + 255)
    ends = (here, (here[0], here[0]), (BASE[family] + 256, BASE[family] + 511), top, (top[0] - 9, top[0] + 9))
    glanced = 0
    for _ in range(60):
        said = [
            Entry(dice.random() < 0.8, (dice.choice(PORTED), dice.choice(ends), dice.choice(ends[:3]), (number, number),
                                        (1024, 65535), ANY_BIT, (0, 0)), rule(f"r{number}"))
            for number in range(1, 12)
        ]  # fmt: skip
        for direction in ("in", "out"):
            made = routed(Sides(family, tuple(said)), Scope((here,), (), False), direction)
            glanced += as_they_are(family, made) is not None
            assert items(acl_rows(Law(family, made.lists), made)) == items(acl_rows(Law(family, made.lists)))
            assert [list(items(part)) for part in made.lists] == lists(tuple(said), Scope((here,), (), False), direction, family)
    assert glanced > 60


def lists(found: tuple[Item, ...], scope: Scope, direction: str, family: Family) -> list[list[Item]]:
    """The law of an interface, each of its lists found of all rows one by one."""
    near, far = (SRC, DST) if direction == "in" else (DST, SRC)
    wide = merge((*scope.spans, *(UNNUMBERED[family] if near == SRC else scope.groups)))
    narrow = scope.spans if near == SRC else wide
    needs = [isinstance(one, Entry) and one.permit and one.rule.origin == "infrastructure" for one in found]
    asked = [piece for one, all_ in zip(found, needs, strict=True) for piece in cut(one, near, wide if all_ else narrow)]
    answered = [piece for one in found for piece in cut(one, far, scope.spans)]
    inside = (ANY_PROTO, EVERY[family], EVERY[family], ANY_PORT, ANY_PORT, ANY_BIT, (0, 0))
    starts, answers = (
        with_fragments(guarded(part, scope.spans, INSIDE, inside), match=scope.fragments) for part in (asked, answered)
    )
    return [list(part) for part in needed(starts, tuple(replies(answers, family)))]


@pytest.mark.parametrize("family", [4, 6])
def test_the_lists_of_a_gate_are_those_of_all_rows_cut_to_it_whatever_was_asked_before(family: Family) -> None:
    dice = random.Random(10 + family)
    spans = [(BASE[family] + 256 * n, BASE[family] + 256 * n + size) for n in range(6) for size in (255, 511, 7)]
    top = (TOP[family] - 255, TOP[family])
    for _ in range(60):
        found = policy(dice, family)
        sides = Sides(family, found)
        for _ in range(12):
            chosen = merge(dice.sample(spans, dice.choice((1, 1, 1, 2))))
            scope = Scope(chosen, (top,) if dice.random() < 0.3 else (), dice.random() < 0.2)
            direction = dice.choice(("in", "out"))
            made = routed(sides, scope, direction)
            assert [list(items(part)) for part in made.lists] == lists(found, scope, direction, family)


@pytest.mark.parametrize("family", [4, 6])
def test_the_replies_to_a_row_are_those_of_a_list_of_it(family: Family) -> None:
    dice = random.Random(30 + family)
    for number in range(2000):
        one = item(dice, family, number, 0.6)
        if isinstance(one, Entry):
            assert tuple(replies((one,), family)) == reply_list((one,), family)


@pytest.mark.parametrize("family", [4, 6])
def test_no_list_costs_more_than_what_is_asked_first(family: Family) -> None:
    dice = random.Random(20 + family)
    near = 0
    for _ in range(200):
        here = BASE[family] + 256 * dice.randrange(6)
        law = Law(family, routed(Sides(family, policy(dice, family)), Scope(((here, here + 255),), (), False), "in").lists)
        table = acl(acl_rows(law), family)  # type: ignore[arg-type]
        exact = cost(table)
        assert max(exact.typed, exact.held) <= _lines(table)
        near += _lines(table) <= exact.held + 8
    assert near > 30


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (((17, 17), (443, 443), (7, 7)), ((17, 17), (7, 7), ANY_PORT)),
        (((6, 6), (443, 443), (1024, 65535)), ((6, 6), (1000, 65535), ANY_PORT)),
        (((6, 6), (443, 443), (2000, 3024)), ((6, 6), (2000, 3024), ANY_PORT)),
        (((1, 1), TYPES[0], ANY_PORT), ((1, 1), TYPES[1], ANY_PORT)),
    ],
)
def test_a_reply_that_an_initiation_passes_is_not_said_again(
    asked: tuple[Span, Span, Span], answer: tuple[Span, Span, Span]
) -> None:
    here, there = (BASE[4], BASE[4] + 255), (BASE[4] + 256, BASE[4] + 511)
    said = [
        Entry(True, (proto, *pair, dport, sport, ANY_BIT, (0, 0)), rule(name))
        for name, pair, (proto, dport, sport) in (
            ("asks", (here, there), asked), ("asks", (here, there), (asked[0], (500, 500), asked[2])),
            ("answers", (there, here), answer),
        )
    ]
    others = [((6, 6), here, (BASE[4] + 512 + n, BASE[4] + 512 + n), (n, n), (1024, 65535)) for n in range(1, 12)]
    whole = Sides(4, (*said, *(Entry(True, (*box, ANY_BIT, (0, 0)), rule(f"r{box[3][0]}")) for box in others)))
    made = routed(whole, Scope((here,), (), False), "in")
    rows = acl_rows(Law(4, made.lists), made)
    assert rows == acl_rows(Law(4, made.lists))
    assert not any(row.reply and row.rule.name == "asks" for row in rows)


@pytest.mark.parametrize("family", [4, 6])
def test_plain_rows_share_no_packet_with_one_ahead_and_are_all_of_these_where_most_are(family: Family) -> None:
    dice, said = random.Random(70 + family), (ANY_PORT, ANY_PORT, ANY_BIT, (0, 0))
    seen = left = alone = 0
    for _ in range(200):
        odd = dice.choice((0.0, 0.02, 0.2))
        rows = [ported(item(dice, family, number, odd), dice) for number in range(dice.randrange(1, 50))]
        last = [Entry(True, (ANY_PROTO, EVERY[family], EVERY[family], *said), rule("all"))] if dice.random() < 0.3 else []
        found = plain(family, (*rows, *last))
        boxes = list(map(sets_of, (*rows, *last)))
        ahead = [[one for one in range(at) if meets(sets, boxes[one])] for at, sets in enumerate(boxes)]
        met = {at for at, some in enumerate(ahead) if some}
        hidden = {at for at in met if any(inside(boxes[at], boxes[one]) for one in ahead[at])}
        quiet = {at for at, row in enumerate(rows) if row.permit and boxes[at][PROTO][0][0] == boxes[at][PROTO][-1][1]}
        crossing = {at for at in met if (*rows, *last)[at].permit and not quiet.issuperset(ahead[at])}
        assert met <= found.odd | found.met and found.odd.isdisjoint(found.met)
        assert hidden <= found.odd and crossing <= found.crossing
        derived = {at for at, row in enumerate(rows) if not row.permit and rule_of(row).origin != "policy"}
        everywhere = {at for at, sets in enumerate(boxes) if sets[DST] == sets[SRC] == (EVERY[family],)}
        if len(met) <= MET / 2:
            assert found.odd <= hidden | derived | everywhere
            assert found.crossing <= crossing | everywhere
        alone += odd < 0.1 < len(met)
        for row in (row for at, row in enumerate(rows) if row.permit and at not in found.crossing | found.loud):
            assert not isinstance(row, Block) or len(row.sets[PROTO]) == len(row.sets[SPORT]) == 1
            for back in map(sets_of, replies((row,), family)):
                assert not any(one.permit and holds_ports(sets_of(one), back) for one in rows)
                seen += 1
        left += len(found.odd) + len(found.met)
    assert seen > 1000 and left > 100 and alone > 50, (seen, left, alone)


def ported(row: Item, dice: random.Random) -> Item:
    """A row that asks for a few ports among many others' where it asks for one; of a block of several protocols, perhaps."""
    sets, (low, high) = sets_of(row), sets_of(row)[DPORT][0]
    if high > low or dice.random() < 0.1:
        return row
    low = dice.randrange(1, 400)
    sets = (*sets[:DPORT], ((low, low + dice.choice((0, 0, 3, 12))),), *sets[DPORT + 1 :])
    if isinstance(row, Entry):
        return row.over(tuple(spans[0] for spans in sets))  # type: ignore[arg-type]
    several = dice.random()
    return Block((PORTED if several < 0.1 else sets[0], *sets[1:4], ((1024, 9999), (20000, 65535)) if several > 0.9 else sets[4],
                  *sets[5:]), row.like)  # fmt: skip


def holds_ports(asked: Sets, reply: Sets) -> bool:
    """Whether an initiation has all the ports of a reply, and shares an address with it at both ends."""
    return meets(asked, reply, (DST, SRC)) and inside(reply, asked, (DPORT,))


@pytest.mark.parametrize("family", [4, 6])
def test_rows_to_one_of_many_closed_addresses_are_left_out_and_types_are_counted(family: Family) -> None:
    dice = random.Random(90 + family)
    glanced = left = 0
    many, every = tuple((BASE[family] + n * 16 + 1,) * 2 for n in range(80)), (EVERY[family],)
    closed = Entry(False, ((0, 255), many[0], every[0], *BEHIND), rule("infrastructure addresses", "infrastructure"))
    network = [
        Block(((ANY_PROTO,), *pair, *((span,) for span in BEHIND)), closed)  # type: ignore[arg-type]
        for pair in ((many, every), (every, many))
    ]
    for _ in range(40):
        said = [
            Entry(True, ((6, 6), *dice.sample(hosts(dice, family), 2), (n, n), (1024, 65535), ANY_BIT, (0, 0)), rule(f"r{n}"))
            for n in range(1, 40)
        ]
        types = ((1, 1), (1000, 2303)) if family == 4 else ((58, 58), (32000, 33023))  # of which one is answered
        icmp = Entry(False, (types[0], *dice.sample(hosts(dice, family), 2), types[1], *BEHIND[1:]), rule("types"))
        whole = Sides(family, (*network, *said, icmp) if dice.random() < 0.5 else (*network, *said))
        scope = Scope((hosts(dice, family)[0],), (), False)
        for direction in ("in", "out"):
            made = routed(whole, scope, direction)
            rows, lines = counted_rows(Law(family, made.lists), made)
            assert items(rows) == items(acl_rows(Law(family, made.lists)))
            if as_they_are(family, made):
                exact = cost(acl(rows, family))  # type: ignore[arg-type]
                assert max(exact.typed, exact.held) <= lines
                glanced += 1
                left += sum(1 for part in made.lists for one in part if one.permit and one not in rows)
    assert glanced > 10 < left, (glanced, left)


BEHIND = (ANY_PORT, ANY_PORT, ANY_BIT, (0, 0))


def hosts(dice: random.Random, family: Family) -> list[Span]:
    """A segment, addresses that the network closes in it and elsewhere, and others."""
    low = BASE[family] + 256 * dice.randrange(2)
    return [(low, low + 255), (low + 1, low + 1), (low + 3, low + 3), (BASE[family] + 513,) * 2, (BASE[family] + 515,) * 2]
