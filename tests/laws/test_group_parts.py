"""Law: what is found of a group from the groups that it was made of is what its rows say."""

from __future__ import annotations

import random
from itertools import combinations
from operator import is_

from configlet.fit.facing import FEW, joined
from configlet.fit.host import unbroken
from configlet.fit.reached import permitted_spans
from configlet.model.net import Span, merge
from configlet.model.policy import ANY_BIT, ANY_PORT, DST, SRC
from configlet.model.told import Group, Told, columns, denies, ends, passes, rules
from configlet.packets.apart import BROAD, doubted, parted
from configlet.render.filter_chain import firsts, lasts, ported, sported
from configlet.render.filter_elements import logs
from configlet.render.filter_order import _singly, permits_
from configlet.render.filter_parted import whole
from configlet.render.filter_words import Stage
from tests.laws.test_fit_bulk import rule

RULES = [rule(f"r{n}", "policy", True, log) for n, log in enumerate((False,) * 9 + (True,))]


def _row(dice: random.Random, level: int, proto: Span, *, calm: bool, top: int) -> Told:
    low, port = dice.randrange(top), dice.randrange(300) if dice.random() < 0.5 else dice.randrange(60_000)
    ports = port, port + (dice.choice((0, 0, 3)) if calm else dice.choice((0, 9, BROAD - 1, BROAD, 3 * BROAD)))
    odd = not calm and dice.random() < 0.1
    key = (
        (low, low + dice.choice((0, 0, 7))), ports, (7, 9) if odd and dice.random() < 0.5 else ANY_PORT,
        (0, 0) if odd and dice.random() < 0.5 else ANY_BIT, (0, 1) if odd and dice.random() < 0.5 else (0, 0),
    )  # fmt: skip
    permit = dice.random() < (1.0 if calm else 0.9)
    return Told(level, permit, proto, key, dice.choice(RULES[:-1] if calm else RULES))


def _group(dice: random.Random, turns: set[int], of: list[Told]) -> Group:
    numbers = sorted(dice.sample(sorted(turns), len(of)))
    turns.difference_update(numbers)
    return Group(of[0].level, of[0].proto, numbers, of)


def _joint(dice: random.Random, *, calm: bool, top: int) -> Group:
    level, proto = dice.choice((DST, SRC)), dice.choice(((6, 6), (6, 6), (17, 17), (0, 255), (3, 9)))
    turns, sizes = set(range(200)), (dice.randrange(1, 30), dice.choice((1, 1, 2, FEW, FEW + 4)), dice.choice((1, 2)))
    found = [
        _group(dice, turns, [_row(dice, level, proto, calm=calm, top=top) for _ in range(size)])
        for size in dice.sample(sizes, dice.choice((2, 2, 3)))
    ]
    out = joined(*found[:2])
    return joined(out, found[2]) if len(found) > 2 else out


def test_a_group_of_two_is_what_its_rows_say() -> None:
    dice, strange, shut = random.Random(1), 0, 0
    for _ in range(3000):
        group = _joint(dice, calm=dice.random() < 0.7, top=dice.choice((40, 4000)))
        one_by_one = [group.row(at) for at in range(len(group))]
        said = group.once(columns), [*group.once(rules)], [*group.once(passes)]
        alone = Group(group.level, group.proto, group.numbers, group.rows)
        assert all(map(is_, one_by_one, group.rows)) and said == (columns(alone), [*rules(alone)], [*passes(alone)])
        assert list(group.numbers) == sorted(group.numbers) and len(group) == sum(map(len, group.parts))
        for make in (ends, permitted_spans, unbroken, whole, ported, sported, lasts, firsts):
            assert group.once(make) == alone.once(make), make  # type: ignore[arg-type]
        for places in (denies, logs):
            assert [*group.once(places)] == [*alone.once(places)]  # type: ignore[arg-type]
        near, wide, few = group.once(parted)
        expected = alone.once(parted)
        assert set(near) <= set(expected[0]) and [*wide] == [*expected[1]] and few == expected[2]
        strange += set(near) == set(expected[0])
        shut += bool(group.once(denies))
    assert strange > 2000 and shut > 500


def test_rows_of_a_group_of_two_that_share_a_packet_are_doubted() -> None:
    dice, apart, sharing = random.Random(2), 0, 0
    for _ in range(3000):
        group = _joint(dice, calm=dice.random() < 0.8, top=dice.choice((40, 400)))
        found = doubted([group])
        apart += not found
        for a, b in combinations(range(len(group)), 2):
            one, other = (group.rows[at].key[:2] for at in (a, b))
            if all(x[0] <= y[1] and y[0] <= x[1] for x, y in zip(one, other, strict=True)):
                assert {group.numbers[a], group.numbers[b]} <= found.keys()
                sharing += 1
    assert apart > 500 and sharing > 1000


def test_of_a_group_of_two_those_rows_are_looked_at_that_its_rows_say() -> None:
    dice, found = random.Random(3), 0
    for _ in range(1500):
        group = _joint(dice, calm=dice.random() < 0.3, top=40)
        alone = Group(group.level, group.proto, group.numbers, group.rows)
        there = merge((low, low + 1) for low in dice.sample(range(48), dice.choice((1, 3))))
        for which in (denies, permits_):
            rows = [
                [*_singly([Stage(1, (7, 7), range(200), one)], {group.level: there}, which)]  # type: ignore[arg-type]
                for one in (group, alone)
            ]
            assert rows[0] == rows[1]
            found += bool(rows[0]) and which is denies
    assert found > 200
