"""Laws of sets of spans and their products: what they share, what is left, and which rows are near, by counting values."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from configlet.model.net import Span, Spans, merge
from configlet.model.policy import Box, Entry
from configlet.packets import near, sets
from configlet.packets.entries import split
from configlet.packets.near import Near
from tests.laws.test_fit_bulk import rule

TOP = 11


def spans(least: int = 1) -> st.SearchStrategy[Spans]:
    """A sorted set of spans that do not touch, of values up to TOP."""
    ends = st.tuples(st.integers(0, TOP), st.integers(0, 3)).map(lambda at: (at[0], min(at[0] + at[1], TOP)))
    return st.lists(ends, min_size=least, max_size=5).map(merge)


def values(of: Spans) -> set[int]:
    return {value for low, high in of for value in range(low, high + 1)}


@settings(max_examples=500, deadline=None)
@given(spans(), spans())
def test_two_sets_share_hold_and_leave_what_their_values_say(a: Spans, b: Spans) -> None:
    one, other = values(a), values(b)
    assert sets.touch(a, b) == bool(one & other)
    assert sets.within(a, b) == (one <= other)
    assert values(sets.common(a, b)) == one & other
    assert values(sets.without(a, b)) == one - other


def packets(of: sets.Sets) -> set[tuple[int, ...]]:
    return set(product(*map(values, of[:3])))


FULL: Span = (0, TOP)


def products() -> st.SearchStrategy[sets.Sets]:
    """Products that differ in three dimensions."""
    three = st.tuples(spans(), spans(), spans())
    return three.map(lambda of: (*of, (FULL,), (FULL,), (FULL,), (FULL,)))


def rows() -> st.SearchStrategy[list[sets.Sets]]:
    """Products with ports, between few or many pairs of ends."""
    ends = st.lists(st.tuples(spans(), spans()), min_size=1, max_size=9)
    upper = st.tuples(st.integers(0, 8), spans(), st.one_of(st.just((FULL,)), spans()))
    return st.tuples(ends, st.lists(upper, min_size=9, max_size=24)).map(
        lambda of: [(proto, *of[0][at % len(of[0])], ports, (FULL,), (FULL,), (FULL,)) for at, proto, ports in of[1]]
    )


@settings(max_examples=150, deadline=None)
@given(products(), st.lists(products(), max_size=3))
def test_what_is_left_of_a_product_is_disjoint_and_what_its_packets_say(a: sets.Sets, others: list[sets.Sets]) -> None:
    left = sets.minus_all(a, others)
    gone = set().union(*map(packets, others)) if others else set()
    found = [packet for piece in left for packet in packets(piece)]
    assert len(found) == len(set(found))
    assert set(found) == packets(a) - gone
    for other in others:
        assert sets.meets(a, other) == bool(packets(a) & packets(other))


@pytest.fixture(scope="module")
def small() -> Iterator[None]:
    """Everything that long lists are found by, for short ones: pairs of ends, broad and narrow ports, ports of all."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("FEW", 1), ("BROAD", 3), ("MANY", 5)):
            patch.setattr(near, name, value)
        yield


@settings(max_examples=40, deadline=None, phases=[Phase.generate])
@given(rows(), st.lists(products(), min_size=1, max_size=4))
def test_the_rows_near_a_row_are_those_that_share_a_packet_with_it(
    small: None, rows: list[sets.Sets], asked: list[sets.Sets]
) -> None:
    found = Near(rows)
    for at, row in enumerate(rows):
        assert found.earlier(at) == [n for n in range(at) if shared(rows[n], row)]
        assert found.hidden(at) == any(held(row, rows[n]) for n in range(at))
    for one in (*asked, *rows):
        assert [*found.meeting(one)] == [n for n, row in enumerate(rows) if shared(row, one)]
        assert [*found.holding(one)] == [n for n, row in enumerate(rows) if held(one, row)]


def shared(a: sets.Sets, b: sets.Sets) -> bool:
    return all(values(x) & values(y) for x, y in zip(a, b, strict=True))


def held(a: sets.Sets, b: sets.Sets) -> bool:
    return all(values(x) <= values(y) for x, y in zip(a, b, strict=True))


def test_a_box_is_cut_into_what_the_first_row_of_each_packet_decides() -> None:
    dice, law, parts = random.Random(1), rule("r", "policy", True, False), 0

    def box() -> Box:
        return tuple((0, 2) if dice.random() < 0.3 else tuple(sorted(dice.choices(range(3), k=2))) for _ in range(7))  # type: ignore[return-value]

    for _ in range(300):
        rows, whole = [Entry(dice.random() < 0.5, box(), law) for _ in range(dice.randrange(6))], box()
        decided: dict[tuple[int, ...], Entry | None] = {}
        for part, entry in split(rows, whole):
            for packet in product(*[range(low, high + 1) for low, high in part]):
                assert packet not in decided
                decided[packet] = entry
            parts += 1
        first = {
            packet: next((row for row in rows if all(a <= n <= b for n, (a, b) in zip(packet, row.box, strict=True))), None)
            for packet in product(*[range(low, high + 1) for low, high in whole])
        }
        assert decided == first
    assert parts > 400, parts
