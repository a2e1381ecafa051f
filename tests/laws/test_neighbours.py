"""Which blocks share a packet is found the same in every way: by bits, by an index, and by a look at each."""

from __future__ import annotations

import random

import pytest

from configlet.analyse import near
from configlet.analyse.blocks import Block, touching
from configlet.analyse.crowd import Crowd, affordable, places
from configlet.analyse.near import Neighbours
from configlet.model.net import Span, Spans, merge

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


@pytest.mark.parametrize("dense", [0, 1 << 30], ids=["bits", "index"])
def test_neighbours_are_those_that_a_look_at_each_finds(monkeypatch: pytest.MonkeyPatch, dense: int) -> None:
    monkeypatch.setattr(near, "DENSE", dense)
    dice = random.Random(17)
    found = 0
    for count in (1, 2, 9, 250):
        blocks = _blocks(dice, count)
        asked = Neighbours(blocks)
        for at, block in enumerate(blocks):
            truth = [n for n, other in enumerate(blocks) if n != at and touching(block, other)]
            assert asked.of(at) == truth
            found += len(truth)
    assert found > 500


def test_sets_that_end_where_others_begin_touch_none_of_them() -> None:
    sets: list[Spans] = [((0, 3), (4, 4), (9, 9)), ((5, 8),), ((TOP, TOP),), ((0, TOP),)]
    crowd = Crowd(sets, [[0, 5], [1], [2], [3]])
    said = [places(crowd.touching(spans)) for spans in sets]
    assert said == [[0, 3, 5], [1, 3], [2, 3], [0, 1, 2, 3, 5]]
    assert places(0) == [] and places(1 << 300 | 1) == [0, 300]


def test_a_dimension_with_too_many_borders_is_not_laid_out() -> None:
    sets: list[Spans] = [((4 * n, 4 * n + 1),) for n in range(40_000)]
    assert affordable(sets[:100], 40_000) and not affordable(sets, 40_000)
