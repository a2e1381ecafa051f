"""Laws of sets of spans and their products: what they share, what is left, and which rows are near, by counting values."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from configlet.model.net import Span, Spans, merge
from configlet.packets import sets
from configlet.packets.near import Near

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


@settings(max_examples=100, deadline=None)
@given(st.lists(products(), min_size=9, max_size=24))
def test_the_rows_near_a_row_are_those_that_share_a_packet_with_it(rows: list[sets.Sets]) -> None:
    near = Near(rows)
    for at, row in enumerate(rows):
        assert near.earlier(at) == [n for n in range(at) if packets(rows[n]) & packets(row)]
        assert near.hidden(at) == any(packets(row) <= packets(rows[n]) for n in range(at))
