"""Which blocks share a packet is found by bits as a look at each finds it, in few pieces and in many."""

from __future__ import annotations

import random

import pytest

from configlet.analyse import crowd, near
from configlet.analyse.blocks import Block, inside, meet, split, touching
from configlet.analyse.crowd import Crowd, places
from configlet.analyse.near import Neighbours
from configlet.model.net import Span, Spans, merge
from configlet.packets.sets import common, touch, without

TOP = (1 << 32) - 1


def _spans(dice: random.Random, top: int, step: int) -> Spans:
    def span() -> Span:
        low = step * dice.randrange(40)
        return low, min(top, low + dice.choice([0, step - 1, step, 5 * step]))

    whole = dice.random() < 0.05
    return ((0, top),) if whole else merge(span() for _ in range(dice.choice([1, 1, 1, 2, 5])))


def _blocks(dice: random.Random, count: int) -> list[Block]:
    services, ends = ([_spans(dice, top, step) for _ in range(60)] for top, step in (((1 << 24) - 1, 3), (TOP, 8)))
    any_port, sport = ((0, 65535),), ((7, 9),)
    return [
        (dice.choice(services), dice.choice(ends), dice.choice(ends), dice.choice([any_port, any_port, sport]))
        for _ in range(count)
    ]


@pytest.fixture(params=[(1 << 25, 0), (3000, 0), (1 << 25, 1000)], ids=["all pieces", "few pieces", "only ends"])
def exact(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether all that is said to touch does: not where pieces are joined, nor where services are not laid out."""
    room, credit = request.param
    monkeypatch.setattr(crowd, "MOST_BYTES", room)
    monkeypatch.setattr(near, "CREDIT", credit)
    monkeypatch.setattr(near, "CHEAP", credit)
    monkeypatch.setattr(near, "FIRST", 1)
    return bool(room > 3000 and not credit)


def test_neighbours_are_those_that_a_look_at_each_finds(exact: bool) -> None:
    dice = random.Random(17)
    found = 0
    for count in (1, 2, 9, 250):
        blocks = _blocks(dice, count)
        asked = Neighbours(blocks)
        for at, block in enumerate(blocks):
            truth = [n for n, other in enumerate(blocks) if touching(block, other)]
            assert asked.order(asked.of(at)) == truth
            found += len(truth)
        assert asked.exact is exact or count < 250
    assert found > 500


def test_who_stands_before_a_place_is_who_has_a_lower_one() -> None:
    for count in (1, 15, 16, 17, 250):
        asked = Neighbours(_blocks(random.Random(count), count))
        assert all(asked.order(asked.before(place)) == list(range(place)) for place in range(count + 1))


def test_the_broadest_block_has_the_highest_bit_and_of_equal_ones_the_first() -> None:
    asked = Neighbours([block for block in _blocks(random.Random(3), 40) for _ in range(2)])
    sizes = [[sum(high - low + 1 for low, high in spans) for spans in block] for block in asked.ranked]
    broad = [float(a * d) * b * c for a, b, c, d in sizes]
    assert broad == sorted(broad)
    for bit, place in enumerate(asked.places[1:], 1):
        assert broad[bit] > broad[bit - 1] or place < asked.places[bit - 1]


def test_of_a_part_nobody_is_left_out_who_touches_it_and_only_few_pieces_name_others(exact: bool) -> None:
    dice, named, touched = random.Random(5), 0, 0
    blocks = _blocks(dice, 250)
    asked = Neighbours(blocks)
    for _ in range(2000):
        at, c = dice.randrange(250), dice.choice(blocks)
        around = asked.of(at)
        part = meet(blocks[at], blocks[dice.choice(asked.order(around))])
        assert part is not None
        some = asked.meeting(part, around)
        truth = {n for n, other in enumerate(blocks) if touching(part, other)}
        assert truth <= set(asked.order(some)) and set(asked.order(asked.touching(part, some))) == truth
        named, touched = named + some.bit_count(), touched + len(truth)
        for level in range(4):
            if touch(part[level], c[level]):
                rest, inner = split(part[level], c[level])
                if rest:
                    both = asked.narrowed(level, inner, some)
                    left = set(asked.order(asked.beyond(level, rest, both, some)))
                    assert {n for n in truth if touch(blocks[n][level], rest)} <= left <= set(asked.order(some))
    assert touched > 5_000
    assert (named == touched) is exact


def test_a_gap_is_what_none_of_some_blocks_has_in_one_dimension(exact: bool) -> None:
    dice, gaps = random.Random(6), 0
    blocks = _blocks(dice, 250)
    asked = Neighbours(blocks)
    for _ in range(400):
        those = dice.sample(range(250), dice.choice([1, 3, 10, 40]))
        block = dice.choice(blocks)
        for level in range(4):
            theirs = merge([span for at in those for span in blocks[at][level]])
            gap = asked.gap(block, asked.some(those), level)
            assert gap == without(block[level], theirs)
            gaps += bool(gap)
    assert gaps > 300


def test_a_gap_of_one_value_is_seen() -> None:
    dice, narrow = random.Random(7), 0
    for _ in range(300):
        lows = [dice.sample(range(40), dice.choice([1, 1, 2])) for _ in range(25)]
        sets = [merge((low, low + dice.randrange(9)) for low in each) for each in lows]
        blocks: list[Block] = [(sets[0], ((0, 60),), spans, ((0, 65535),)) for spans in [*sets, ((0, 60),)]]
        asked = Neighbours(blocks)
        whole = without(((0, 60),), merge([span for spans in sets for span in spans]))
        assert asked.gap(blocks[-1], asked.some(range(25)), 2) == whole
        inner = merge([span for spans in sets[:-1] for span in spans])
        assert asked.gap(blocks[24], asked.some(range(24)), 2) == without(sets[24], inner)
        narrow += any(low == high for low, high in whole)
    assert narrow > 20


def test_joined_pieces_of_ends_are_not_forgotten_when_services_are_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "MOST_BYTES", 3000)
    monkeypatch.setattr(near, "CHEAP", 0)
    monkeypatch.setattr(near, "FIRST", 0)
    services: list[Spans] = [((6, 6),), ((17, 17),)]
    blocks: list[Block] = [(services[n % 3 == 0], ((2 * n, 2 * n),), ((0, TOP),), ((0, 65535),)) for n in range(300)]
    asked = Neighbours(blocks)
    assert [asked.order(asked.of(at)) for at in range(300)] == [[at] for at in range(300)]
    assert not asked.exact


def test_sets_that_end_where_others_begin_touch_none_of_them() -> None:
    sets: list[Spans] = [((0, 3), (4, 4), (9, 9)), ((5, 8),), ((TOP, TOP),), ((0, TOP),)]
    crowd = Crowd(sets, [[0, 5], [1], [2], [3]])
    said = [places(crowd.touching(spans))[::-1] for spans in sets]
    assert said == [[0, 3, 5], [1, 3], [2, 3], [0, 1, 2, 3, 5]]


def test_bits_are_numbered_from_the_highest_down() -> None:
    dice = random.Random(8)
    for count in (0, 1, 15, 16, 17, 300):
        some = dice.sample(range(2000), count)
        assert places(sum(1 << bit for bit in some)) == sorted(some, reverse=True)


def test_what_is_split_is_what_is_beyond_and_what_is_common() -> None:
    dice, seen = random.Random(9), set[tuple[bool, bool]]()
    for _ in range(20_000):
        a, b = _spans(dice, 400, 3), _spans(dice, 400, 3)
        if touch(a, b):
            assert split(a, b) == (without(a, b), common(a, b))
            seen.add((len(a) > 1, len(b) > 1))
            box = (a, a, a, a)
            assert inside(box, (b, a, a, a)) is not bool(without(a, b))
    assert len(seen) == 4


