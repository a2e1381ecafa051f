"""Laws of what is seen at a look: it is equal in every cell, and one row that changes the meaning is never passed over."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import groupby

import pytest

from configlet.model.block import Block, Boxed, listed
from configlet.model.gate import Line
from configlet.model.net import TOP, Family
from configlet.packets.alike import alike
from configlet.packets.atoms import each_way
from configlet.packets.boxes import full
from configlet.packets.walk import differ
from tests.laws.walk_lists import (
    FRAGMENT,
    GRID,
    WHOLE,
    Row,
    Rows,
    long_rows,
    pairs,
    passing,
    replies,
    rewritten,
    small_box,
    small_rows,
)

ANY = (0, 1)


def gate(dice: random.Random, family: Family) -> tuple[list[Rows], Rows]:
    """Two lists with some denies in common, and a text that says the permits of the second, then those of the first."""
    denies = [Row(False, small_box(dice, family)) for _ in range(dice.randint(0, 3))]
    law = [[*(row for row in denies if dice.random() < 0.9), *small_rows(dice, family, 4)] for _ in range(2)]
    for rows in law:
        if dice.random() < 0.3:
            dice.shuffle(rows)
    kept = [row for row in law[0] if row.permit or dice.random() < 0.8]
    text = [*law[1], *(row for row in kept if row not in law[1])]
    if dice.random() < 0.4:
        text = [*denies, *(row for row in text if row.permit)]
    if dice.random() < 0.5:
        law, text = [_whole(rows) for rows in law], _said(dice, family, _whole(text))
    if text and dice.random() < 0.3:
        text = rewritten(dice, text, GRID[family])
    if text and dice.random() < 0.3:
        text.pop(dice.randrange(len(text)))
    return law, text


def _whole(rows: Rows) -> Rows:
    return [Row(row.permit, (*row.box[:6], WHOLE)) for row in rows]


def _said(dice: random.Random, family: Family, rows: Rows) -> Rows:
    """The list as a text has it that closes all non-first fragments ahead of the rest, most often."""
    first = [Row(dice.random() < 0.1, (*full(family)[:6], FRAGMENT))] if dice.random() < 0.9 else []
    return [*first, *(Row(row.permit, (*row.box[:6], WHOLE if row.permit else dice.choice([ANY, WHOLE]))) for row in rows)]


def _passing(family: Family, law: Sequence[Rows]) -> int:
    passed = 0
    for rows in law:
        passed |= passing(family, rows)
    return passed


def test_what_is_seen_to_be_alike_is_equal_in_every_cell() -> None:
    dice = random.Random(41)
    seen, equal = 0, 0
    for family in (4, 6):
        for law, text in (gate(dice, family) for _ in range(700)):
            same = _passing(family, law) == passing(family, text)
            said = alike(family, law, text)
            assert same or not said, (law, text)
            assert each_way(family, law, text) == (None, None) or not same, (law, text)
            seen, equal = seen + said, equal + same
    for family, law, text in pairs(42, 300):
        assert not alike(family, law, text) or _passing(family, law) == passing(family, text), (law, text)
    assert equal > 400
    assert seen > 0.8 * equal


def tcp(first: int, last: int, *, to: int = 10, fragment: tuple[int, int] = WHOLE) -> Row:
    """A permit of ports of ten addresses."""
    return Row(True, ((6, 6), (to, to + 9), (0, TOP[4]), (first, last), (0, 65535), ANY, fragment))


def deny(low: int, high: int, *, fragment: tuple[int, int] = WHOLE) -> Row:
    """All that goes to some addresses."""
    return Row(False, ((0, 255), (low, high), *full(4)[2:6], fragment))


SSH, WEB, BOTH, LOW, HIGH = (tcp(*ports) for ports in ((22, 22), (80, 80), (22, 80), (22, 50), (51, 80)))
INSIDE, WIDE, BESIDE, ALL = deny(10, 14), deny(0, 99), deny(30, 39), deny(0, TOP[4])
CLOSED = deny(0, TOP[4], fragment=FRAGMENT)
SEEN = {
    "in another order": ([[SSH], [WEB]], [WEB, SSH]),
    "behind the same deny": ([[INSIDE, SSH], [INSIDE, WEB]], [INSIDE, WEB, SSH]),
    "a deny of one side alone that meets nothing": ([[BESIDE, SSH], [WEB]], [WEB, SSH]),
    "a deny that stands behind": ([[SSH], [WEB]], [WEB, SSH, INSIDE]),
    "a permit that a deny holds": ([[WIDE, SSH], [WEB]], [WEB]),
    "a permit again behind a deny": ([[SSH], [WEB]], [WEB, SSH, INSIDE, SSH]),
    "ports that are one span": ([[BOTH], []], [LOW, HIGH]),
    "the same behind a deny": ([[INSIDE, BOTH], []], [INSIDE, LOW, HIGH]),
    "fragments that are closed": (
        [[INSIDE, SSH], [WEB]],
        [CLOSED, WEB, deny(10, 14, fragment=ANY), tcp(22, 22, fragment=ANY)],
    ),
}
OTHER = {
    "a deny on one side": ([[INSIDE, SSH], [WEB]], [WEB, SSH]),
    "a deny ahead of the wrong list": ([[INSIDE, SSH], [WEB]], [INSIDE, WEB, SSH]),
    "a deny that the text has too late": ([[INSIDE, SSH], [WEB]], [WEB, SSH, INSIDE]),
    "a deny between two permits of the law": ([[WEB, SSH], []], [WEB, INSIDE, SSH]),
    "a permit of the law alone": ([[SSH], [WEB]], [WEB]),
    "a permit of the text alone": ([[SSH], []], [WEB, SSH]),
    "a permit that a deny behind it would hold": ([[SSH, WIDE], [WEB]], [WEB]),
    "a permit of which a deny holds a part": ([[INSIDE, SSH], [WEB]], [INSIDE, WEB]),
    "a permit with a port beside one that is held": ([[Row(False, SSH.box), SSH, WEB], []], [Row(False, SSH.box)]),
    "a permit with fragments beside one that is held": ([[ALL, SSH, tcp(22, 22, fragment=ANY)], []], [ALL]),
    "a permit ahead of a deny and again behind it": ([[SSH], [WEB]], [WEB, INSIDE, SSH]),
    "ports of one span behind different denies": ([[INSIDE, BOTH], []], [LOW, INSIDE, HIGH]),
    "one box of joined ports twice": ([[INSIDE, BOTH], []], [LOW, HIGH, INSIDE, tcp(22, 40), tcp(41, 80)]),
    "one box of a law behind a deny, and ahead of it": ([[BOTH], [INSIDE, BOTH]], [INSIDE, LOW, HIGH]),
    "fragments alone where they are closed": ([[SSH], []], [CLOSED, tcp(22, 22, fragment=FRAGMENT)]),
    "fragments that are not closed": ([[SSH], []], [tcp(22, 22, fragment=ANY)]),
    "fragments that are closed too late": ([[SSH], []], [tcp(22, 22, fragment=ANY), CLOSED]),
    "fragments that are open": ([[SSH], []], [Row(True, CLOSED.box), SSH]),
}


@pytest.mark.parametrize("name", SEEN)
def test_this_is_seen(name: str) -> None:
    law, text = SEEN[name]
    assert differ(4, law, text) is None
    assert alike(4, law, text)


@pytest.mark.parametrize("name", OTHER)
def test_this_is_not_the_same_and_not_seen_to_be(name: str) -> None:
    law, text = OTHER[name]
    assert differ(4, law, text) is not None
    assert not alike(4, law, text)
    assert each_way(4, law, text) != (None, None)


@pytest.mark.parametrize("family", [4, 6])
def test_a_gate_without_memory_is_seen_and_none_of_its_mutants_that_differs(family: Family) -> None:
    dice = random.Random(43)
    law = long_rows(dice, family, 300, denies=0.03, beside=False)
    every = full(family)
    denies = [Row(False, (every[0], one.box[1], one.box[2], *every[3:6], WHOLE)) for one in law[::60]]
    back = replies(family, law)
    lists, text = [[*denies, *law], [*denies, *back]], [*denies, *back, *law]
    assert alike(family, lists, text)
    refuted = 0
    for at in range(0, len(text), 7):
        one = text[at]
        for changed in ([], [Row(not one.permit, one.box)], [one, Row(one.permit, (*one.box[:3], (7, 9), *one.box[4:]))]):
            mutant = [*text[:at], *changed, *text[at + 1 :]]
            same = differ(family, lists, mutant) is None
            refuted += not same
            assert same or not alike(family, lists, mutant), (at, changed)
    assert refuted > 60


def test_the_order_of_permits_decides_nothing() -> None:
    dice = random.Random(45)
    found = 0
    for family in (4, 6):
        for law, text in (gate(dice, family) for _ in range(200)):
            said = alike(family, law, text)
            mixed = [_mixed(dice, rows) for rows in (*law, text)]
            assert alike(family, mixed[:-1], mixed[-1]) == said, (law, text)
            found += said
    assert found > 100


def _mixed(dice: random.Random, rows: Rows) -> Rows:
    """The list with permits of whole packets in another order that stand together, some of them twice."""
    out: Rows = []
    for mixed, some in groupby(rows, lambda row: row.permit and row.box[6] == WHOLE):
        run = [*some]
        out += dice.sample(run, len(run)) + dice.sample(run, dice.randint(0, 1)) if mixed else run
    return out


def test_blocks_are_their_rows() -> None:
    dice = random.Random(44)
    found = 0
    for _ in range(200):
        law, text = gate(dice, 4)
        blocks = [_blocks(dice, rows) for rows in law]
        said = alike(4, law, text)
        assert alike(4, blocks, text) == alike(4, [tuple(rows) for rows in blocks], text)
        found += said
        assert not said or each_way(4, blocks, text) == (None, None)
    assert found > 40


def _blocks(dice: random.Random, rows: Rows) -> Sequence[Boxed]:
    """The list with some rows cut in two that are one block."""
    return listed(_halved(row) if dice.random() < 0.3 else Line(*row, 1, "") for row in rows)


def _halved(row: Row) -> Boxed | Block[Boxed]:
    low, high = row.box[1]
    halves = ((low, low), (low + 1, high)) if low < high else (row.box[1],)
    sets = tuple(halves if at == 1 else (span,) for at, span in enumerate(row.box))
    return Block(sets, Line(*row, 1, ""))  # type: ignore[arg-type]


def test_lists_that_are_cut_otherwise_throughout_are_left_to_others() -> None:
    law = [tcp(22, 80, to=10 * at) for at in range(100)]
    text = [tcp(*ports, to=10 * at) for at in range(100) for ports in ((22, 50), (51, 80))]
    assert not alike(4, [law, []], text)
    assert alike(4, [law[:20], []], text[:40])
    assert each_way(4, [law, []], text) == (None, None)
