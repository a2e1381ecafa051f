"""Laws of long lists, tried on short ones: what is left is all that differs, and what is found there is a true difference."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product

import pytest

from configlet.model.net import TOP, Family
from configlet.model.policy import Box
from configlet.packets.ahead import Ahead
from configlet.packets.atoms import difference
from configlet.packets.inside import inside
from configlet.packets.joins import Joins
from configlet.packets.long import LONG, PROBES, left_of_long
from configlet.packets.rest import cut, not_held
from configlet.packets.walk import OVERRUN, Kind
from tests.laws.walk_cells import Cells
from tests.laws.walk_lists import (
    ANY_BIT,
    ANY_PORT,
    WHOLE,
    Row,
    Rows,
    law_permits,
    mutated,
    pairs,
    passing,
    permits,
    replies,
)
from tests.laws.walk_shapes import SHAPES, WAYS, flat, mixed, ranges, reordered, shuffled, slips, unequal

KINDS: tuple[Kind | None, ...] = (None, "too open", "too tight")
MOST_CELLS = 40_000


def judged(family: Family, law: list[Rows], text: Rows) -> tuple[bool, bool]:
    """Whether both are equal in every cell, and whether that was seen; fails where anything that is said is not so."""
    cells = Cells([*law, text], (255, TOP[family], TOP[family], 65535, 65535, 1, 1))
    if cells.count > MOST_CELLS:
        return False, False
    allowed, written = 0, cells.passing(text)
    for rows in law:
        allowed |= cells.passing(rows)
    where = left_of_long(family, law, text)
    if where is None:
        return allowed == written, False
    around = 0
    for box in where.boxes:
        around |= cells.inside(box)
    assert not where.every or not (allowed ^ written) & ~around, (law, text)
    for kind in KINDS:
        (found,) = inside(family, law, text, where.boxes, (kind,))
        wrong = {None: allowed ^ written, "too open": written & ~allowed, "too tight": allowed & ~written}[kind]
        assert found is not OVERRUN
        if isinstance(found, tuple):
            assert cells.inside(found) & wrong, (law, text, kind)
            differs_wholly(law, text, found, kind)
        else:
            assert not (where.every and wrong), (law, text, kind)
    return allowed == written, where.every


def differs_wholly(law: list[Rows], text: Rows, box: Box, kind: Kind | None) -> None:
    """Each end of a box that was found is judged in the same way on both sides, which is not the same way."""
    ends = {(law_permits(law, point), permits(text, point)) for point in product(*(sorted(set(span)) for span in box))}
    assert len(ends) == 1 and ends <= {(False, True), (True, False)}, (law, text, box)
    assert kind is None or ends == {(kind == "too tight", kind == "too open")}, (law, text, box)


def small(seed: int, count: int) -> Iterator[tuple[Family, list[Rows], Rows]]:
    """Pairs of every shape and way, some ways one after another, half of them with a slip."""
    dice = random.Random(seed)
    for at in range(count):
        family: Family = dice.choice([4, 6])
        law = [(*SHAPES, mixed)[at % (len(SHAPES) + 1)](dice, family, dice.choice([2, 3, 4, 6]))]
        if dice.random() < 0.2:
            law.append(replies(family, law[0]))
        text = [row for rows in reversed(law) for row in rows]
        for way in dice.choices(WAYS, k=dice.choice([1, 1, 2])):
            text = way(dice, text)
        yield family, law, next(slips(dice, text))[0] if text and dice.random() < 0.5 else text


def test_small_pairs_of_every_shape_are_judged_as_cell_by_cell() -> None:
    found = [judged(*pair) for pair in small(61, 900)]
    equal = sum(same for same, _ in found)
    assert equal > 250
    assert sum(seen for _, seen in found) > 700


def test_pairs_on_a_grid_where_much_touches_are_judged_as_cell_by_cell() -> None:
    equal = different = 0
    for family, law, text in pairs(62, 500):
        allowed, written = 0, passing(family, text)
        for rows in law:
            allowed |= passing(family, rows)
        where = left_of_long(family, law, text)
        assert where is not None and where.every
        (found,) = inside(family, law, text, where.boxes)
        assert (found is None) == (allowed == written), (law, text)
        if isinstance(found, tuple):
            differs_wholly(law, text, found, None)
        equal, different = equal + (found is None), different + (found is not None)
    assert equal > 100
    assert different > 100


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("shape", SHAPES)
def test_longer_lists_in_other_words_are_equal_until_one_row_is_changed(shape, family: Family) -> None:
    dice = random.Random(63)
    law = [shape(dice, family, 300)]
    for way in WAYS:
        text = way(dice, list(law[0]))
        where = left_of_long(family, law, text)
        assert where is not None and where.every
        assert inside(family, law, text, where.boxes) == (None,)
        slipped, point = unequal(dice, law, text)
        where = left_of_long(family, law, slipped)
        assert where is not None and where.every
        assert any(all(low <= at <= high for at, (low, high) in zip(point, box, strict=True)) for box in where.boxes)
        (found,) = inside(family, law, slipped, where.boxes)
        assert isinstance(found, tuple)
        differs_wholly(law, slipped, found, None)


@pytest.mark.parametrize("family", [4, 6])
def test_every_mutant_that_changes_the_meaning_is_refuted_and_no_other(family: Family) -> None:
    dice = random.Random(64)
    law = reordered(dice, mixed(dice, family, 250))
    refuted = 0
    for _ in range(80):
        mutant, _, _ = mutated(dice, law)
        where = left_of_long(family, [law], mutant)
        assert where is not None
        (found,) = inside(family, [law], mutant, where.boxes)
        assert found is not OVERRUN and (where.every or found is not None)
        assert (found is None) == (difference(family, [law], mutant) is None)
        if isinstance(found, tuple):
            differs_wholly([law], mutant, found, None)
            refuted += 1
    assert refuted > 40


def test_lists_long_enough_are_compared_in_this_way() -> None:
    dice = random.Random(65)
    law = ranges(dice, 4, LONG + 1)
    text, point = unequal(dice, [law], shuffled(dice, law))
    assert difference(4, [law], shuffled(dice, law)) is None
    found = difference(4, [law], text)
    assert isinstance(found, tuple)
    differs_wholly([law], text, found, None)
    assert law_permits([law], point) != permits(text, point)


def test_lists_with_little_in_common_are_tried_in_a_few_boxes_alone() -> None:
    dice = random.Random(66)
    law, text = flat(dice, 4, 3000), flat(dice, 4, 3000)
    where = left_of_long(4, [law], text)
    assert where is not None and not where.every and len(where.boxes) == 2 * PROBES
    (found,) = inside(4, [law], text, where.boxes)
    assert isinstance(found, tuple)
    differs_wholly([law], text, found, None)


def box(low: int, high: int, dport: tuple[int, int] = ANY_PORT) -> Box:
    return ((6, 6), (low, high), (0, TOP[4]), dport, ANY_PORT, ANY_BIT, WHOLE)


def test_halves_join_where_one_of_them_meets_a_deny_that_stands_behind_the_other() -> None:
    law = [Row(False, box(5, 6)), Row(True, box(0, 20))]
    text = [Row(True, box(10, 20)), Row(False, box(5, 6)), Row(True, box(0, 9))]
    assert judged(4, [law], text) == (True, True)
    assert left_of_long(4, [law], text).boxes == []  # type: ignore[union-attr]
    behind = [Row(True, box(0, 9)), Row(False, box(5, 6)), Row(True, box(10, 20))]
    assert judged(4, [law], behind) == (False, True)
    wide = [Row(False, box(5, 15)), Row(True, box(0, 20))]
    between = [Row(True, box(0, 9)), Row(False, box(5, 15)), Row(True, box(10, 20))]
    assert judged(4, [wide], between) == judged(4, [wide], between[::-1]) == (False, True)


def test_a_half_that_a_wider_row_holds_is_joined_with_its_other_half_first() -> None:
    joins = Joins(5)
    halves = [(box(0, 9, (80, 80)), 0), (box(10, 19, (80, 80)), 0), (box(0, 9), 0)]
    one, two = joins.enter([(box(0, 19, (80, 80)), 0), (box(0, 9), 0)]), joins.enter(halves)
    joins.settle(one, two, Ahead(4, ()))
    assert not one and not two


def test_a_box_is_covered_by_one_with_no_more_denies_and_cut_around_what_it_shares() -> None:
    denies = [box(5, 6), box(30, 30)]
    ahead = Ahead(4, denies)
    bits = [ahead.denies[deny] for deny in denies]
    wide, narrow = (box(0, 40), bits[1]), (box(0, 20), 0)
    assert not_held(ahead, [narrow], [wide], []) == []
    assert not_held(ahead, [narrow], [(box(0, 40), bits[0])], []) == [narrow]
    assert not_held(ahead, [wide], [narrow], []) == [wide]
    assert sorted(cut(ahead, [wide], [narrow])) == [box(21, 40)]
    assert sorted(cut(ahead, [narrow], [(box(0, 20), bits[0])])) == [box(5, 6)]
    assert sorted(cut(ahead, [narrow], [(box(0, 15), bits[0])])) == [narrow[0]]
