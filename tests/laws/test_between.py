"""Law: what the rows of a list are asked by their ends is what each of them would answer, whatever was asked before."""

from __future__ import annotations

import random

import pytest

from configlet.fit.between import LONG, Between, Spoken, Turned
from configlet.fit.budget import cost
from configlet.fit.clip import meeting
from configlet.fit.law import Scope, ahead, routed
from configlet.fit.plain import ends_of
from configlet.fit.sides import Sides
from configlet.model.block import Block, sets_of
from configlet.model.net import Addresses, Family, Span, Spans, merge
from configlet.model.policy import ANY_BIT, ANY_PORT, DST, SRC, Entry, Rule
from configlet.packets.blocks import Item, replied, replies, turned
from configlet.packets.reply import reply_list
from configlet.packets.sets import touch, within
from tests.builders import acl

RULE = Rule("r", "policy", "allow", Addresses(), Addresses(), (), False, None)
PROTOS: tuple[Span, ...] = ((6, 6), (6, 6), (17, 17), (1, 1), (58, 58), (132, 132), (0, 255), (2, 9))
FAMILIES = pytest.mark.parametrize("family", [4, 6])


def span(dice: random.Random, high: int = 60) -> Span:
    low = dice.randrange(high)
    return dice.choice(((low, low), (low - low % 8, low - low % 8 + 7), (low, low + dice.randrange(9))))


def spans(dice: random.Random, most: int = 3) -> Spans:
    return merge(span(dice) for _ in range(dice.randrange(1, most + 1)))


def row(dice: random.Random, protos: tuple[Span, ...] = PROTOS) -> Item:
    ports = dice.choice((ANY_PORT, (7, 9), (2048, 2303), (100, 900)))
    box = dice.choice(protos), span(dice), span(dice), ports, ANY_PORT, ANY_BIT, (0, 0)
    entry = Entry(dice.random() < 0.8, box, RULE)
    if dice.random() < 0.8:
        return entry
    return Block((box[:1], spans(dice), spans(dice), *((one,) for one in box[3:])), entry)  # type: ignore[arg-type]


def between(rows: list[Item]) -> Between:
    keys = ends_of(rows)
    permits = {k for k, one in zip(keys, rows, strict=True) if one.permit}
    return Between(rows, keys, dict(zip(keys, keys, strict=True)), permits, single=False)


def held(one: Item, denies: list[tuple[Spans, Spans]]) -> bool:
    sets = sets_of(one)
    return any(within(sets[DST], dst) and within(sets[SRC], src) for dst, src in denies)


def met(one: Item, deny: tuple[Spans, Spans]) -> bool:
    sets = sets_of(one)
    return one.permit and touch(sets[DST], deny[0]) and touch(sets[SRC], deny[1])


def test_rows_are_closed_and_touched_by_denies_as_each_of_them_is_in_whatever_order_it_is_asked() -> None:
    dice = random.Random(1)
    closed = met_ = 0
    for _ in range(200):
        rows = [row(dice) for _ in range(dice.randrange(1, 30))]
        known, every = between(rows), [(spans(dice, 9), spans(dice, 9)) for _ in range(3)]
        every.append((every[0][0], every[1][1]))
        for _ in range(8):
            denies = dice.choices(every, k=dice.randrange(1, 4))
            left = [one for one in rows if not held(one, denies)]
            assert list(known.open(denies)) == left
            found = [any(met(one, deny) for one in rows) for deny in denies]
            assert list(map(known.touches, denies)) == found
            closed, met_ = closed + len(rows) - len(left), met_ + sum(found)
    assert closed > 400 and met_ > 1000, (closed, met_)


@FAMILIES
def test_replies_are_asked_by_the_ends_of_their_rows_turned(family: Family) -> None:
    dice = random.Random(20 + family)
    for _ in range(200):
        rows = [one for one in (row(dice, ((6, 6), (17, 17))) for _ in range(20)) if isinstance(one, Entry)]
        keys, backs = ends_of(rows), [one for one in replies(rows, family) if one.permit]
        known = Turned(backs, [k for k, one in zip(keys, rows, strict=True) if one.permit], between([*rows]))
        alone = between(backs)
        assert known.spoken == alone.spoken
        for _ in range(4):
            denies = [(spans(dice, 9), spans(dice, 9)) for _ in range(dice.randrange(1, 4))]
            assert list(known.open(denies)) == list(alone.open(denies))
            assert list(map(known.touches, denies)) == list(map(alone.touches, denies))
        assert known.lines(family) >= alone.lines(family)


@FAMILIES
def test_no_rows_are_more_lines_than_their_ends_say(family: Family) -> None:
    dice = random.Random(30 + family)
    for _ in range(300):
        rows = [row(dice) for _ in range(dice.randrange(1, 6))]
        exact = cost(acl(rows, family))  # type: ignore[arg-type]
        assert max(exact.typed, exact.held) <= between(rows).lines(family)


@FAMILIES
def test_a_reply_that_a_look_shows_is_the_only_one_between_the_same_ends(family: Family) -> None:
    dice = random.Random(40 + family)
    top = 0xE0000000 if family == 4 else 0xFF << 120
    seen = 0
    for _ in range(2000):
        one = row(dice)
        if isinstance(one, Entry):
            dst = dice.choice((one.box[DST], (top, top + 3), (top - 1, top - 1), (top - 2, top)))
            flag = dice.choice((ANY_BIT, ANY_BIT, (0, 0), (1, 1)))
            tail = dice.choice((ANY_PORT, (7, 7))), flag, dice.choice(((0, 0), (0, 1)))
            one = one.over((one.box[0], dst, *one.box[2:4], *tail))
        found = next(turned((one,), family))
        assert found is None or (found,) == replied(one, family)
        seen += found is not None
    assert seen > 50


@FAMILIES
def test_replies_to_what_is_closed_to_all_are_those_of_its_rows(family: Family) -> None:
    dice = random.Random(60 + family)
    for _ in range(300):
        sports = dice.choice((ANY_PORT, ANY_PORT, (7, 7)))
        proto, fragment = dice.choice(((0, 255), (0, 255), (6, 6))), dice.choice(((0, 0), (0, 1)))
        box = proto, span(dice), span(dice), ANY_PORT, sports, ANY_BIT, fragment
        entry = Entry(False, box, RULE)
        block = Block((box[:1], spans(dice), spans(dice), *((one,) for one in box[3:])), entry)  # type: ignore[arg-type]
        assert replied(entry, family) == reply_list((entry,), family)
        found = [row for part in replied(block, family) for row in (part.rows() if isinstance(part, Block) else (part,))]
        assert {row.box for row in found} == {row.box for row in reply_list(tuple(block.rows()), family)}
        assert all(row.reply and not row.permit and row.rule is RULE for row in found)


def test_what_permits_speak_of_is_remembered_for_each_set_and_each_end() -> None:
    dice = random.Random(5)
    for _ in range(100):
        ends = spans(dice, 4), spans(dice, 4)
        known = Spoken(ends)
        some = [tuple((n * 3, n * 3 + 1) for n in sorted(dice.sample(range(20), dice.choice((2, LONG, 12))))) for _ in range(4)]
        for _ in range(20):
            at, one = dice.randrange(2), dice.choice(some)
            assert known.meeting(at, one) == meeting(one, ends[at])


@FAMILIES
@pytest.mark.parametrize("flag", [(0, 0), ANY_BIT])
def test_destinations_of_one_list_are_sources_of_the_other_where_there_are_replies(family: Family, flag: Span) -> None:
    """The network closes an address to which only one permit speaks. Without a reply one list says so alone."""
    base = 1 << 8
    here, there, closed = (base, base + 7), (base + 8, base + 15), (base + 8, base + 8)
    every = (0, (1 << 32 if family == 4 else 1 << 128) - 1)
    shut = Rule("infrastructure addresses", "infrastructure", "deny", Addresses(), Addresses(), (), False, None)
    ends = (closed, every), (every, closed)
    denies = [Entry(False, ((0, 255), *pair, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), shut) for pair in ends]
    said = [
        Entry(True, ((6, 6), there, here, (22, 22), ANY_PORT, flag, (0, 0)), RULE),
        *(Entry(True, ((6, 6), (n, n), here, (n, n), ANY_PORT, ANY_BIT, (0, 0)), RULE) for n in range(1, 9)),
    ]
    for order in (("in", "out"), ("out", "in")):
        sides = Sides(family, (*denies, *said))
        sides._lists, sides._looked = 99, 99  # so that plain rows are found at once
        made = {direction: routed(sides, Scope((here,), (), False), direction) for direction in order}
        found = {name: [row.rule is shut for row in one.lists[0]] for name, one in made.items()}
        assert found["in"][:2] == [True, False] and found["out"] == [True] * flag[1], found


@pytest.mark.parametrize("single", [True, False])
def test_a_list_of_a_head_and_rows_knows_its_length(single: bool) -> None:
    row = Entry(True, ((6, 6), (1, 1), (2, 2), (22, 22), ANY_PORT, ANY_BIT, (0, 0)), RULE)
    two = Block(tuple((span,) if at else ((6, 6), (17, 17)) for at, span in enumerate(row.box)), row)  # type: ignore[arg-type]
    one = Block(tuple((span,) for span in row.box), row)  # type: ignore[arg-type]
    for head in ([], [row], [two], [one], [row, two, one, two]):
        for rows in ((), (row,) * 3):
            made = ahead(head, rows, single=single)
            assert len(made) == len(tuple(made)) == sum(len(sets_of(item)[0]) for item in (*head, *rows))
