"""Laws of the sieve: what it settles is equal in every cell, and a row that changes the meaning is never passed over."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from configlet.model.net import TOP, Family
from configlet.packets.atoms import difference
from configlet.packets.boxes import full
from configlet.packets.inside import inside
from configlet.packets.sieve import left
from configlet.packets.walk import differ
from tests.laws.walk_lists import (
    ANY_BIT,
    ANY_PORT,
    Row,
    Rows,
    cells,
    law_permits,
    long_rows,
    mutated,
    pairs,
    passing,
    permits,
    replies,
    rewritten,
    small_rows,
)


def settles(family: Family, law: Sequence[Rows], text: Rows, *, walks: bool = True) -> bool:
    """Whether nothing is left to compare, or, where it ``walks``, nothing differs in what is left."""
    where = left(family, law, text)
    if where is None or not (where.every and (walks or not where.boxes)):
        return False
    return inside(family, law, text, where.boxes) == (None,)


def test_what_is_settled_is_equal_in_every_cell() -> None:
    equal, found, seen = 0, 0, 0
    for family, law, text in pairs(31, 600):
        passed = 0
        for rows in law:
            passed |= passing(family, rows)
        same = passed == passing(family, text)
        alone, walked = (settles(family, law, text, walks=walks) for walks in (False, True))
        assert same or not (alone or walked), (law, text)
        equal, found, seen = equal + same, found + walked, seen + alone
    assert equal > 100
    assert found > 0.95 * equal
    assert seen > 0.6 * equal


def test_rows_of_either_list_of_a_law_stand_behind_the_denies_of_their_own_list_alone() -> None:
    dice = random.Random(32)
    found = 0
    for _ in range(250):
        family: Family = dice.choice([4, 6])
        law, text = [small_rows(dice, family, 3), small_rows(dice, family, 3)], small_rows(dice, family, 2)
        for said in (text, [*law[0], *law[1]], [*(r for r in law[0] if r.permit), *law[1]]):
            if settles(family, law, said):
                assert passing(family, law[0]) | passing(family, law[1]) == passing(family, said), (law, said)
                found += 1
    assert len(cells(4)) == 18_432
    assert found > 80


@pytest.mark.parametrize("family", [4, 6])
def test_no_mutant_that_changes_the_meaning_is_settled_and_every_other_is(family: Family) -> None:
    dice = random.Random(33)
    law = long_rows(dice, family, 300)
    assert settles(family, [law], rewritten(dice, law[:40]) + law[40:])
    refuted = 0
    for _ in range(60):
        mutant, _, _ = mutated(dice, law)
        box = differ(family, [law], mutant)
        refuted += box is not None
        assert settles(family, [law], mutant) == (box is None)
        found = difference(family, [law], mutant)
        assert (found is None) == (box is None)
        if isinstance(found, tuple):
            low = tuple(at for at, _ in found)
            assert permits(law, low) != permits(mutant, low)
    assert refuted > 30


def test_replies_and_initiations_in_one_list_are_settled_without_a_walk() -> None:
    for family in (4, 6):
        dice = random.Random(34)
        law = long_rows(dice, family, 400, denies=0, beside=False)
        every = full(family)
        ahead = [Row(False, (every[0], row.box[1], row.box[2], *every[3:])) for row in law[::80]]
        back = replies(family, law)
        text = [*ahead, *back, *law]
        lists = [[*ahead, *law], [*ahead, *back]]
        assert settles(family, lists, text, walks=False)
        alive = [row for row in text if not row.permit or not any(_ends_inside(row, deny) for deny in ahead)]
        assert len(alive) < len(text) and settles(family, lists, alive, walks=False)
        for at in range(0, len(text), 40):
            less = text[:at] + text[at + 1 :]
            assert settles(family, lists, less) == (differ(family, lists, less) is None)


def _ends_inside(row: Row, deny: Row) -> bool:
    return all(deny.box[at][0] <= row.box[at][0] and row.box[at][1] <= deny.box[at][1] for at in (1, 2))


def test_a_deny_that_is_cut_otherwise_is_the_same_deny_inside_a_permit() -> None:
    def row(permit: bool, low: int, high: int) -> Row:
        return Row(permit, ((6, 6), (low, high), (0, TOP[4]), ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)))

    law, text = [row(False, 5, 99), row(True, 0, 20)], [row(False, 5, 30), row(True, 0, 20)]
    assert settles(4, [law], text, walks=False)
    assert not settles(4, [law], [row(False, 5, 19), row(True, 0, 20)])
    assert law_permits([law], (6, 4, 0, 0, 0, 0, 0)) and not law_permits([law], (6, 20, 0, 0, 0, 0, 0))
