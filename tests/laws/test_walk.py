"""Laws of the joint walk, against first match in every cell that two small lists have, and against decision diagrams.

What this file and `soak/soak_walk.py` are worth was tried by breaking the engine on purpose; `soak/soak_walk.py --broken`
repeats it: each of its faults in `packets/tails.py` and `packets/walk.py` is noticed by these laws.
"""

from __future__ import annotations

import random

import pytest

from configlet.model.net import TOP, Family, Span
from configlet.packets.boxes import full
from configlet.packets.flows import closed, opened
from configlet.packets.tails import EVERYTHING, NOTHING, Codes, normal
from configlet.packets.trim import same
from configlet.packets.walk import FIRST_TRY, ORDERS, OVERRUN, Kind, differ, more
from tests.laws.walk_judge import Judges, lowest, mutants
from tests.laws.walk_lists import (
    ANY_BIT,
    ANY_PORT,
    ESTABLISHED,
    FRAGMENT,
    ICMP,
    WHOLE,
    Row,
    Rows,
    cells,
    law_permits,
    long_rows,
    pairs,
    passing,
    permits,
    replies,
    restructured,
    rewritten,
)

KINDS: tuple[Kind, Kind] = ("too open", "too tight")


@pytest.mark.parametrize("order", ORDERS)
def test_the_walk_finds_a_difference_exactly_when_some_cell_has_one(order: tuple[int, ...]) -> None:
    equal = different = 0
    for family, law, text in pairs(11 + ORDERS.index(order), 700):
        box = differ(family, law, text, orders=[order])
        assert box is not OVERRUN
        wrong = law_passing(family, law) != passing(family, text)
        assert (box is not None) == wrong, (law, text)
        if isinstance(box, tuple):
            ends = [tuple(span[i] for span in box) for i in (0, 1)]
            ways = {(law_permits(law, p), permits(text, p)) for p in ends}
            assert ways in ({(True, False)}, {(False, True)})
        different, equal = different + wrong, equal + (not wrong)
    assert equal > 150
    assert different > 150


def law_passing(family: Family, law: list[Rows]) -> int:
    passed = 0
    for rows in law:
        passed |= passing(family, rows)
    return passed


def test_the_walk_brute_force_and_decision_diagrams_are_of_one_mind() -> None:
    judges = Judges()
    found = [judges.one_mind(family, law, text) for family, law, text in pairs(4, 1500)]
    assert 300 < sum(found) < 1200


def test_a_box_that_is_found_differs_in_the_same_way_in_each_of_its_cells() -> None:
    for family, law, text in pairs(5, 400):
        passed, written = law_passing(family, law), passing(family, text)
        for kind in KINDS:
            box = more(family, kind, law, text)
            wrong = written & ~passed if kind == "too open" else passed & ~written
            assert (box is not None) == bool(wrong), (kind, law, text)
            if isinstance(box, tuple):
                inside = passing(family, [Row(True, box)])
                assert inside
                assert inside & ~wrong == 0, (law, text, box)


def test_the_generators_draw_everything_that_a_packet_has() -> None:
    for family in (4, 6):
        drawn = [row.box for f, law, text in pairs(3, 300) if f == family for rows in (*law, text) for row in rows]
        for boxes in (drawn, [row.box for row in long_rows(random.Random(1), family, 2000)]):
            icmp = (ICMP[family],) * 2
            assert any(box[0] == icmp and box[3][1] - box[3][0] == 255 for box in boxes)
            assert any(box[5] == ESTABLISHED and box[0] == (6, 6) for box in boxes)
            assert any(box[6] == FRAGMENT for box in boxes) and any(box[6] == WHOLE for box in boxes)
        assert len(cells(family)) == 18_432


@pytest.mark.parametrize("family", [4, 6])
def test_twenty_thousand_rows_need_less_than_two_million_steps(family: Family) -> None:
    dice = random.Random(7)
    law = long_rows(dice, family, 20_000)
    text = rewritten(dice, law)
    assert differ(family, [law], text, budget=2_000_000) is None
    less = text[: len(text) * 9 // 10]
    box = differ(family, [law], less, budget=2_000_000)
    assert isinstance(box, tuple)
    assert permits(law, lowest(box)) != permits(less, lowest(box))


def test_a_law_of_two_lists_and_a_text_of_another_structure_are_equal_until_a_row_is_lost() -> None:
    for family in (4, 6):
        dice = random.Random(21)
        law = long_rows(dice, family, 1500)
        back = replies(family, law)
        text = restructured(family, rewritten(dice, back) + rewritten(dice, law))
        assert len(text) > 1.4 * (len(law) + len(back))
        assert differ(family, [law, back], text) is None
        lost = next(at for at in range(len(text)) if differ(family, [law, back], text[:at] + text[at + 1 :]))
        box = differ(family, [law, back], text[:lost] + text[lost + 1 :])
        assert isinstance(box, tuple)
        assert law_permits([law, back], lowest(box)) and not permits(text[:lost] + text[lost + 1 :], lowest(box))


@pytest.mark.parametrize("family", [4, 6])
def test_every_single_row_mutant_that_changes_the_meaning_is_caught_and_no_other(family: Family) -> None:
    counts = mutants(family, 400, 150, seed=8)
    assert counts.refuted > 75
    assert counts.same


def test_a_budget_that_is_too_small_is_an_overrun_and_never_equal() -> None:
    dice = random.Random(9)
    law = long_rows(dice, 4, 2_000)
    text = rewritten(dice, law)
    for budget in (0, 1, 10, 1000, 5000):
        assert differ(4, [law], text, budget=budget) is OVERRUN
        assert more(4, "too open", [law, law], text, budget=budget) is OVERRUN
    assert differ(4, [law], text) is None


def test_lists_that_are_the_same_need_no_budget() -> None:
    law = long_rows(random.Random(10), 4, 100)
    assert differ(4, [law], law, budget=0) is None


def test_the_empty_list_denies_everything_and_a_full_permit_nothing() -> None:
    everything, deny = [Row(True, full(4))], [Row(False, full(4))]
    assert differ(4, [[]], deny) is None
    assert differ(4, [[], everything], everything) is None
    assert differ(4, [[]], everything) == full(4)
    assert more(4, "too open", [[]], everything) == full(4)
    assert more(4, "too tight", [[]], everything) is None
    assert more(4, "too tight", [everything], []) == full(4)


@pytest.mark.parametrize("law", [[], [[], [], []]])
def test_a_law_of_no_list_or_of_three_is_refused(law: list[Rows]) -> None:
    with pytest.raises(ValueError, match="one or two lists"):
        differ(4, law, [])


def test_what_a_change_opens_is_what_its_opposite_closes() -> None:
    for family, law, text in pairs(12, 150):
        assert opened(law[0], text, family) == closed(text, law[0], family)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], NOTHING),
        ([~1, ~2], NOTHING),
        ([2, ~1, 1, 3], (2, ~1, 3)),
        ([4, 1, 2, 1], (1, 2, 4)),
        ([1, 2, 0, 3], EVERYTHING),
        ([~2, 1, ~0, 3], (~2, 1)),
        ([~3, ~2, 1, ~1], (~3, ~2, 1)),
        ([~1, 2, 0], (~1, 0)),
        ([~0, 0], NOTHING),
    ],
)
def test_the_normal_form_drops_what_is_dead_and_sorts_what_may_be_sorted(codes: list[int], expected: Codes) -> None:
    assert normal(codes) == expected


def test_what_was_proven_in_one_dimension_is_not_taken_for_another() -> None:
    def row(proto: int, dst: Span, src: Span) -> Row:
        return Row(True, ((proto, proto), dst, src, ANY_PORT, ANY_PORT, ANY_BIT, ANY_BIT))

    anywhere = (0, TOP[4])
    law = [row(6, anywhere, anywhere), row(17, anywhere, anywhere)]
    halved = [row(6, (0, 10), anywhere), row(6, (11, TOP[4]), anywhere)]
    text = [*halved, row(17, anywhere, (0, 5)), row(17, anywhere, (7, TOP[4]))]
    box = differ(4, [law], text)
    assert isinstance(box, tuple)
    assert (box[0], box[2]) == ((17, 17), (6, 6))


def test_a_pair_that_is_too_much_for_the_first_try_is_decided_by_a_later_one() -> None:
    dice = random.Random(13)

    def span() -> Span:
        a, b = dice.getrandbits(32), dice.getrandbits(32)
        return (min(a, b), max(a, b))

    law = [Row(True, ((6, 6), span(), span(), ANY_PORT, ANY_PORT, ANY_BIT, ANY_BIT)) for _ in range(900)]
    low, high = law[450].box[1]
    cut = [Row(True, (law[450].box[0], part, *law[450].box[2:])) for part in ((low, low), (low + 1, high))]
    text = [*law[:450], *cut, *law[451:]]
    assert differ(4, [law], text, budget=FIRST_TRY * len(ORDERS)) is OVERRUN
    assert differ(4, [law], text, budget=20 * FIRST_TRY) is None


def test_what_is_equal_at_a_glance_is_equal_and_a_change_is_seen() -> None:
    found = 0
    for family, law, text in pairs(17, 400):
        if same(law, text):
            assert law_passing(family, law) == passing(family, text)
        for rows in law:
            closed_too = [Row(False, row.box) for row in text]
            assert same([rows, closed_too], rows) == any(row.permit for row in rows)
            for at, row in enumerate(rows):
                turned = [*rows[:at], Row(not row.permit, row.box), *rows[at + 1 :]]
                assert not same([rows], turned)
                found += 1
    assert found > 500


def test_a_second_list_that_permits_is_never_passed_over_at_a_glance() -> None:
    rows = long_rows(random.Random(3), 4, 50)
    assert same([rows], rows) and same([rows, []], rows)
    assert not same([rows, [Row(True, full(4))]], rows)
