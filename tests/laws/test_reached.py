"""Law: what a host's permits reach of what the network keeps closed is what a look at each of its rows gives."""

from __future__ import annotations

import random

from configlet.fit import reached
from configlet.fit.clip import meeting, permitted
from configlet.fit.facing import Facing
from configlet.fit.reached import FEW, Reached
from configlet.model.net import Spans
from configlet.model.policy import DST, SRC
from configlet.model.told import Face
from tests.laws.test_fit_bulk import BASE, item


def _long(dice: random.Random, base: int, most: int) -> Spans:
    spans, at = list[tuple[int, int]](), base
    for _ in range(dice.randrange(1, most)):
        at += dice.choice((1, 2, 30))
        spans.append((at, at + dice.choice((0, 0, 0, 7))))
        at = spans[-1][1] + 1
    return tuple(spans)


def test_what_permits_reach_of_some_addresses_is_what_their_rows_say() -> None:
    dice, few, parts = random.Random(5), 0, 0
    for family in (4, 6):
        for _ in range(150):
            base = BASE[family]
            facing = Facing([item(dice, base, n, permits=dice.choice((0.5, 0.9)), calm=True) for n in range(60)])
            closed = [_long(dice, base, dice.choice((FEW, 60, 300))) for _ in range(2)]
            for one in (base + n for n in (64, 65, 66, 64, 300)):
                face = facing.of(one)
                if not face:
                    continue
                head = [item(dice, base, n, "infrastructure") for n in range(dice.randrange(4))]
                for first in (head, head[1:]):
                    ask, ends = Reached(first, face), permitted([first, face.entries()])
                    for level in (DST, SRC):
                        for n, some in enumerate(closed):
                            found = ask(level, some)
                            assert found == meeting(some, ends[level])
                            if found:  # a part of it is asked for later
                                other = dice.choice((DST, SRC))
                                assert ask(other, found) == meeting(found, ends[other])
                                parts += len(found) >= FEW
                                closed[n] = found if dice.random() < 0.1 else some
                            few += len(some) < FEW
    assert few > 1000 and parts > 1000


def test_what_is_remembered_is_bounded() -> None:
    dice, base = random.Random(6), BASE[4]
    facing = Facing([item(dice, base, n, calm=True) for n in range(60)])
    face = next(filter(None, map(facing.of, range(base + 64, base + 400))))
    wide = tuple((base + 2 * n, base + 2 * n) for n in range(20))
    for n in range(2 * reached.PARTS):
        ask = Reached((), Face(face.own, face.groups))
        assert ask(DST, tuple(span for span in wide)) == meeting(wide, permitted([face.entries()])[DST])
        long, _ = reached._long(wide)
        spans = long.part(n * 1001 + 1)
        assert reached._long(spans) == (long, n * 1001 + 1)
    parts = [len(long._parts) for long in reached._LONG.values()]
    assert len(parts) <= reached.KNOWN and max(parts) <= reached.PARTS and len(reached._PARTS) == sum(parts)
