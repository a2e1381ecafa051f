"""Everything on which two lists differ, and nothing else: against each single packet of a small space."""

from __future__ import annotations

import os
import random
from itertools import product

import pytest

from configlet.model.block import Sets
from configlet.model.net import Spans, merge
from configlet.model.policy import Packet
from configlet.packets.boxes import meet, packet_of, point
from configlet.packets.differences import Near, deciders, differences
from configlet.packets.near import Near as Rows
from configlet.packets.sets import meets
from configlet.packets.verdict import first
from configlet.packets.walk import OVERRUN
from tests.builders import row

FULL = 1000 if os.environ.get("CONFIGLET_TEST_FULL") else 8
PROTO = ("tcp", "udp", "icmp", "ip")
ENDS = ("any", "10.0.0.0/30", "10.0.0.1", "10.0.0.2-10.0.0.5")
PORTS = ("", " to 22", " to 22-80", " to 80-65535")


def dice_rows(dice: random.Random, count: int):
    texts = []
    for _ in range(count):
        proto = dice.choice(PROTO)
        ports = dice.choice(PORTS) if proto in ("tcp", "udp") else ""
        said = " established" if proto == "tcp" and dice.random() < 0.3 else ""
        action = dice.choice(("permit", "deny"))
        texts.append(f"{action} {proto} {dice.choice(ENDS)} {dice.choice(ENDS)}{ports}{said}")
    return [row(text, line=i) for i, text in enumerate(texts, 1)]


def corners(*lists):
    """One packet of each cell into which the borders of all rows cut the space."""
    cuts = []
    tops = (255, 2**32 - 1, 2**32 - 1, 65535, 65535, 1, 1)
    for level, top in enumerate(tops):
        found = {0} | {row.box[level][0] for rows in lists for row in rows}
        found |= {row.box[level][1] + 1 for rows in lists for row in rows}
        cuts.append(sorted(value for value in found if value <= top))
    for proto, dst, src, dport, sport, flag, fragment in product(*cuts):
        yield Packet("r", 4, proto, src, dst, sport, dport, bool(flag), bool(fragment))


def passes(rows, packet) -> bool:
    found = first(rows, packet)
    return found is not None and found.permit


def holds(box, packet) -> bool:
    return all(lo <= value <= hi for (lo, hi), value in zip(box, point(packet), strict=True))


@pytest.mark.parametrize("seed", range(FULL))
def test_a_packet_is_in_a_box_if_and_only_if_the_lists_differ_on_it(seed: int) -> None:
    dice = random.Random(seed)
    before, after = dice_rows(dice, dice.randint(0, 4)), dice_rows(dice, dice.randint(0, 4))
    found = differences(4, before, after)
    assert found is not OVERRUN
    assert all(meet(a, b) is None for i, (_, a) in enumerate(found) for _, b in found[:i]), "the boxes are disjoint"
    for packet in corners(before, after):
        said = [opened for opened, box in found if holds(box, packet)]
        was, now = passes(before, packet), passes(after, packet)
        assert said == ([] if was == now else [now]), packet
    opened = differences(4, before, after, "too open")
    closed = differences(4, before, after, "too tight")
    assert {box for is_open, box in found if is_open} or opened == ()
    for packet in corners(before, after):
        was, now = passes(before, packet), passes(after, packet)
        assert sum(holds(box, packet) for _, box in opened) == (now and not was)
        assert sum(holds(box, packet) for _, box in closed) == (was and not now)


@pytest.mark.parametrize("seed", range(4 * FULL))
def test_what_decides_a_difference_is_kept_where_lists_have_most_rows_in_common(seed: int) -> None:
    dice = random.Random(seed)
    before = dice_rows(dice, dice.randint(2, 6))
    after = [one for one in before if dice.random() < 0.8]
    for one in dice_rows(dice, dice.randint(0, 2)):
        after.insert(dice.randint(0, len(after)), one)
    if dice.random() < 0.4:
        dice.shuffle(after)
    was, now = deciders(before, after)
    assert [one for one in before if one in was] == [*was] and [one for one in after if one in now] == [*now]
    for packet in corners(before, after):
        told = passes(before, packet) != passes(after, packet)
        assert told == (passes(was, packet) != passes(now, packet))
        if told:
            assert (first(before, packet), first(after, packet)) == (first(was, packet), first(now, packet))


def test_one_new_row_is_compared_with_what_it_meets_alone() -> None:
    before = [row(f"permit tcp 10.0.{n}.0/24 any to 443", line=n) for n in range(1, 200)]
    new = row("deny tcp 10.0.7.9 any to 443", line=0)
    assert [*map(len, deciders(before, [new, *before]))] == [1, 2]
    assert deciders(before, before) == ((), ())
    assert [*map(len, deciders(before, before[::-1]))] == [199, 199], "another order says nothing by itself"


def test_equal_lists_in_other_words_have_no_difference() -> None:
    one = [row("permit tcp 10.0.0.0/24 any to 22"), row("deny udp any any")]
    other = [row("permit tcp 10.0.0.0/25 any to 22"), row("permit tcp 10.0.0.128/25 any to 22")]
    assert differences(4, one, other) == ()


def test_a_spent_budget_is_never_equal() -> None:
    dice = random.Random(3)
    before, after = dice_rows(dice, 30), dice_rows(dice, 30)
    assert differences(4, before, after, budget=50) is OVERRUN
    assert differences(4, before, after) not in (OVERRUN, ())


def test_neighbours_that_differ_alike_are_one_box() -> None:
    after = [row(f"permit tcp 10.0.0.{i} 10.1.0.1 to 22", line=i) for i in range(256)]
    ((opened, box),) = differences(4, [], after)
    assert opened and box[2] == (10 << 24, (10 << 24) + 255)
    assert passes(after, packet_of(4, "r", box))


@pytest.mark.parametrize("seed", range(20))
def test_the_rows_near_a_box_are_all_that_meet_it(seed: int) -> None:
    dice = random.Random(seed)
    rows = dice_rows(dice, 40) + [row(f"permit tcp 10.0.{i}.0/24 any", line=i) for i in range(20)]
    near = Near(rows)
    for asked in dice_rows(dice, 20):
        found = near.meeting(asked.box)
        assert found == [r for r in rows if meet(r.box, asked.box)]
    assert Near(()).meeting(rows[0].box) == []


def test_the_rows_before_one_that_meet_it_are_those_that_looking_at_all_finds() -> None:
    dice = random.Random(41)
    alone = 0
    for _ in range(400):
        rows = [_some_sets(dice) for _ in range(dice.randint(1, 24))]
        near = Rows(rows)
        for at, sets in enumerate(rows):
            found = near.earlier(at)
            assert found == [n for n in range(at) if meets(rows[n], sets)]
            alone += len(rows) > 8 and not found
    assert alone > 500


def _some_sets(dice: random.Random) -> Sets:
    """Rows whose addresses and ports are near each other, some of many spans, some of everything."""
    spans = [_some_spans(dice, top) for top in (2, 40, 40, 60, 3, 1, 1)]
    return spans[0], spans[1], spans[2], spans[3], spans[4], spans[5], spans[6]


def _some_spans(dice: random.Random, top: int) -> Spans:
    if dice.random() < 0.12:
        return ((0, top),)
    lows = [dice.randint(0, top) for _ in range(dice.choice([1, 1, 1, 2, 3]))]
    return merge((low, min(top, low + dice.choice([0, 0, 1, 3]))) for low in lows)
