"""Laws of the joint walk, against first match at every corner that two small lists have."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import pytest

from configlet.model.net import TOP, Family, Span
from configlet.packets.boxes import full
from configlet.packets.flows import closed, opened
from configlet.packets.tails import EVERYTHING, NOTHING, Codes, normal
from configlet.packets.walk import FIRST_TRY, ORDERS, OVERRUN, Kind, differ, more

WHOLE, FRAGMENT = (0, 0), (1, 1)
ANY_PORT, ANY_BIT = (0, 65535), (0, 1)


class Row(NamedTuple):
    permit: bool
    box: tuple[Span, ...]


Rows = list[Row]
Point = tuple[int, ...]


def permits(rows: Sequence[Row], point: Point) -> bool:
    for row in rows:
        if all(lo <= value <= hi for (lo, hi), value in zip(row.box, point, strict=True)):
            return row.permit
    return False


def law_permits(law: Sequence[Sequence[Row]], point: Point) -> bool:
    return any(permits(rows, point) for rows in law)


def corners(lists: Sequence[Sequence[Row]], within: tuple[Span, ...] = full(6)) -> Iterator[Point]:
    """One point of every cell that the borders of the lists make: what holds at all of them holds everywhere."""
    boxes = [row.box for rows in lists for row in rows]
    edges = [sorted({low} | {e for b in boxes for e in (b[d][0], b[d][1] + 1)}) for d, (low, _) in enumerate(within)]
    return product(*[[e for e in edges[d] if low <= e <= high] for d, (low, high) in enumerate(within)])


def small_box(dice: random.Random, family: Family) -> tuple[Span, ...]:
    ends = [0, 10, 11, 20, TOP[family]]

    def span(values: list[int], whole: float) -> Span:
        a, b = dice.choice(values), dice.choice(values)
        return (values[0], values[-1]) if dice.random() < whole else (min(a, b), max(a, b))

    fragment = dice.choice([WHOLE, WHOLE, ANY_BIT, FRAGMENT])
    proto = dice.choice([(0, 255), (6, 6), (6, 17)])
    dport = span([0, 22, 23, 65535], 0.4) if fragment == WHOLE else ANY_PORT
    sport = span([0, 53, 65535], 0.8) if fragment == WHOLE else ANY_PORT
    flag = dice.choice([ANY_BIT, (1, 1), (0, 0)]) if proto == (6, 6) and fragment == WHOLE else ANY_BIT
    return (proto, span(ends, 0.3), span(ends, 0.4), dport, sport, flag, fragment)


def small_rows(dice: random.Random, family: Family, most: int = 5) -> Rows:
    return [Row(dice.random() < 0.6, small_box(dice, family)) for _ in range(dice.randint(0, most))]


def rewritten(dice: random.Random, rows: Sequence[Row]) -> Rows:
    """The same meaning in other words: shuffled inside runs of one action, boxes cut in two, dead rows added."""
    runs: list[Rows] = []
    for row in rows:
        if not runs or runs[-1][0].permit != row.permit:
            runs.append([])
        runs[-1].append(row)
    out: Rows = []
    for run in runs:
        mixed = [piece for row in run for piece in halves(dice, row)]
        dice.shuffle(mixed)
        out += mixed
        if dice.random() < 0.3:
            out.append(Row(dice.random() < 0.5, dice.choice(mixed).box))
    return out


def halves(dice: random.Random, row: Row) -> Rows:
    level = dice.choice([1, 1, 2, 3])
    low, high = row.box[level]
    if low == high or dice.random() < 0.6:
        return [row]
    middle = dice.choice([low, (low + high) // 2])
    parts = ((low, middle), (middle + 1, high))
    return [Row(row.permit, (*row.box[:level], part, *row.box[level + 1 :])) for part in parts]


def pairs(seed: int, count: int) -> Iterator[tuple[Family, list[Rows], Rows]]:
    """Laws of one or two lists, and texts that mean the same, nearly the same, or something else."""
    dice = random.Random(seed)
    for _ in range(count):
        family: Family = 4 if dice.random() < 0.5 else 6
        law = [small_rows(dice, family) for _ in range(dice.choice([1, 2]))]
        text = small_rows(dice, family)
        if dice.random() < 0.7:
            permitted = [row for rows in law[:-1] for row in rows if row.permit]
            text = rewritten(dice, [*permitted, *law[-1]])
            law[:-1] = [permitted] if len(law) == 2 else []
        if text and dice.random() < 0.4:
            text.pop(dice.randrange(len(text)))
        yield family, law, text


def in_box(box: Sequence[Span], point: Point) -> bool:
    return all(lo <= value <= hi for (lo, hi), value in zip(box, point, strict=True))


@pytest.mark.parametrize("order", ORDERS)
def test_the_walk_finds_a_difference_exactly_when_some_corner_has_one(order: tuple[int, ...]) -> None:
    equal = different = 0
    for family, law, text in pairs(11 + ORDERS.index(order), 220):
        wrong = [p for p in corners([*law, text]) if law_permits(law, p) != permits(text, p)]
        box = differ(family, law, text, orders=[order])
        assert box is not OVERRUN
        assert (box is None) == (not wrong), (law, text)
        if box is not None:
            different += 1
            lowest, highest = tuple(lo for lo, _ in box), tuple(hi for _, hi in box)
            ways = {(law_permits(law, p), permits(text, p)) for p in (lowest, highest)}
            assert ways in ({(True, False)}, {(False, True)})
        equal += box is None
    assert equal > 40
    assert different > 40


def test_a_box_that_is_found_differs_in_the_same_way_at_each_of_its_corners() -> None:
    for family, law, text in pairs(5, 250):
        for kind, way in ((k, (k == "too tight", k == "too open")) for k in KINDS):
            box = more(family, kind, law, text)
            if isinstance(box, tuple):
                inside = [p for p in corners([*law, text, [Row(True, box)]]) if in_box(box, p)]
                assert inside
                assert all((law_permits(law, p), permits(text, p)) == way for p in inside), (law, text, box)


KINDS: tuple[Kind, Kind] = ("too open", "too tight")


def test_each_direction_finds_exactly_what_that_direction_has() -> None:
    seen = dict.fromkeys(KINDS, 0)
    for family, law, text in pairs(6, 300):
        points = list(corners([*law, text]))
        for kind, way in ((k, (k == "too tight", k == "too open")) for k in KINDS):
            box = more(family, kind, law, text)
            there = any((law_permits(law, p), permits(text, p)) == way for p in points)
            seen[kind] += there
            assert (box is not None) == there, (kind, law, text)
    assert min(seen.values()) > 50


def long_rows(dice: random.Random, family: Family, count: int) -> Rows:
    """A list as policies have them: address sets times services, some denies, fragments beside."""
    bits, shift = (32, 0) if family == 4 else (128, 90)
    base = 10 << (bits - 8)

    def prefix() -> Span:
        size = 1 << (dice.choice([0, 2, 6, 8]) + shift)
        start = (base + (dice.getrandbits(20) << shift)) // size * size
        return (start, start + size - 1)

    sets = [[prefix() for _ in range(dice.randint(2, 12))] for _ in range(max(6, count // 150))]
    services: list[tuple[Span, Span]] = [((6, 6), (p, p + 15)) for p in (22, 80, 443, 8080, 9001)]
    services += [((17, 17), (p, p)) for p in (53, 123, 514)]
    rows: Rows = []
    while len(rows) < count:
        action = dice.random() > 0.08
        for source, target in product(dice.choice(sets), dice.choice(sets)):
            for proto, port in dice.sample(services, 2):
                rows.append(Row(action, (proto, target, source, port, ANY_PORT, ANY_BIT, WHOLE)))
                if action:
                    rows.append(Row(True, (proto, target, source, ANY_PORT, ANY_PORT, ANY_BIT, FRAGMENT)))
    return rows


@pytest.mark.parametrize("family", [4, 6])
def test_twenty_thousand_rows_need_less_than_two_million_steps(family: Family) -> None:
    dice = random.Random(7)
    law = long_rows(dice, family, 20_000)
    assert differ(family, [law], rewritten(dice, law), budget=2_000_000) is None
    assert differ(family, [law], rewritten(dice, law)[:-1], budget=2_000_000) is not OVERRUN


def mutated(dice: random.Random, rows: Rows) -> tuple[Rows, Row, Row | None]:
    """One row changed by one step, as a slip of the hand would."""
    at = dice.randrange(len(rows))
    row, new = rows[at], list(rows)
    way = dice.choice(["port", "edge", "action", "drop"])
    if way == "drop":
        del new[at]
        return new, row, None
    if way == "action":
        changed = Row(not row.permit, row.box)
    else:
        level = 3 if way == "port" else dice.choice([1, 2])
        low, high = row.box[level]
        span = (low, min(high + 1, 65535)) if way == "port" else (low, high + 1)
        changed = Row(row.permit, (*row.box[:level], span, *row.box[level + 1 :]))
    new[at] = changed
    return new, row, changed


def meets(a: Sequence[Span], b: Sequence[Span]) -> bool:
    return all(x[0] <= y[1] and y[0] <= x[1] for x, y in zip(a, b, strict=True))


def test_every_single_row_mutant_that_changes_the_meaning_is_caught_and_no_other() -> None:
    dice, caught, same = random.Random(8), 0, 0
    rows = long_rows(dice, 4, 400)
    for _ in range(120):
        mutant, before, after = mutated(dice, rows)
        hull = tuple((a[0], max(a[1], b[1])) for a, b in zip(before.box, (after or before).box, strict=True))
        near = [r for r in [*rows, *mutant] if meets(r.box, hull)]
        cells = corners([near], hull)
        wrong = any(permits(rows, p) != permits(mutant, p) for p in cells)
        box = differ(4, [rows], mutant)
        assert (box is not None) == wrong, (before, after)
        if isinstance(box, tuple):
            point = tuple(lo for lo, _ in box)
            assert permits(rows, point) != permits(mutant, point)
        caught, same = caught + wrong, same + (not wrong)
    assert caught > 60
    assert same


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
        ([2, 4], NOTHING),
        ([5, 2, 3, 7], (5, 2, 7)),
        ([9, 3, 5, 3], (3, 5, 9)),
        ([3, 5, 1, 7], EVERYTHING),
        ([4, 3, 0, 7], (4, 3)),
        ([6, 4, 3, 2], (4, 6, 3)),
        ([0, 1], NOTHING),
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
