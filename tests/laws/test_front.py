"""Law: what is remembered of the rows ahead of a host's face enters a table as the rows do one by one."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace

import pytest

from configlet.fit.kernel import kernel_entries
from configlet.model.block import Block, listed
from configlet.model.net import Span, Spans
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DST, Box, Entry
from configlet.model.problem import Refused
from configlet.model.told import Group, Item, denies, in_turn
from configlet.packets.apart import doubted, doubts, reached, reaches
from configlet.render import filter_parted, filter_statements
from configlet.render.filter_chain import firsts, lasts, written
from configlet.render.filter_elements import logs
from configlet.render.filter_order import permits_
from configlet.render.filter_parted import Part, Parted, whole
from configlet.render.filter_statements import KNOWN, heard, statements
from configlet.render.filter_table import _PLAIN, _parted, _Rules
from configlet.render.filter_table import KNOWN as LISTS
from tests.builders import platform
from tests.laws.test_fit_bulk import rule

RULES = [rule(f"r{n}", "infrastructure" if n < 7 else "policy", True, n == 3) for n in range(9)]
ODD = (0,) * 60 + (1, 2)
Pattern = list[tuple[int | Spans, int | Spans, bool, Span, Spans, int, int]]
"""Of each row its ends (the number of an own address, or spans), whether it permits, protocol, ports, oddness (of fragments, a
reply), and rule."""


def _pattern(dice: random.Random) -> Pattern:
    far: list[Spans] = [((n, n),) for n in (50, 70, 90)] + [((0, 255),), tuple((2 * n, 2 * n) for n in range(20, 60))]
    ends: list[int | Spans] = [0, 0, 1, *far, ((5, 6), (9, 9))]
    out: Pattern = []
    for _ in range(dice.randrange(1, 9)):
        proto = dice.choice((ANY_PROTO, ANY_PROTO, (6, 6), (1, 1)))
        ports = dice.choice((((22, 22),), ((22, 22), (443, 443)))) if proto == (6, 6) else (ANY_PORT,)
        both = [dice.choice((0, 0, 1)), dice.choice(ends)]
        if dice.random() < 0.5:
            both.reverse()
        if dice.random() < 0.1:
            both = [((0, 300),), ((0, 300),)]
        out.append((both[0], both[1], dice.random() < 0.6, proto, ports, dice.choice(ODD), dice.randrange(len(RULES))))
    return out


def _other(dice: random.Random, pattern: Pattern) -> Pattern:
    """The same with a row that says something else."""
    at, other = dice.randrange(len(pattern)), _pattern(dice)[0]
    field = dice.randrange(len(other))
    row = (*pattern[at][:field], not pattern[at][2] if field == 2 else other[field], *pattern[at][field + 1 :])
    return [*pattern[:at], row, *pattern[at + 1 :]]  # type: ignore[list-item]


def _items(pattern: Pattern, own: Sequence[int]) -> Sequence[Entry]:
    def spans(end: int | Spans) -> Spans:
        return ((own[end], own[end]),) if isinstance(end, int) else end

    out: list[Item] = []
    for dst, src, permit, proto, ports, odd, which in pattern:
        protos = (proto, (17, 17)) if proto == (6, 6) and which % 3 == 0 else (proto,)
        sets = protos, spans(dst), spans(src), ports, (ANY_PORT,), (ANY_BIT,), ((0, 1) if odd == 1 else (0, 0),)
        box: Box = tuple(of[0] for of in sets)  # type: ignore[assignment]
        entry = Entry(permit, box, RULES[which], reply=odd == 2)
        out.append(Block(sets, entry) if any(len(of) > 1 for of in sets) else entry)
    return listed(out)


def _told(sides: Mapping[Span, Sequence[Part]]) -> object:
    def rows(part: Part) -> object:
        found = [(n, row.level, row.permit, row.proto, row.key, row.rule.name, row.rule.log) for n, row in part.rows()]
        return [*part.groups], sorted(found)

    return {own: [*map(rows, parts)] for own, parts in sides.items()}


def _groups(parted: Parted) -> list[Group]:
    sides = (parted.towards, parted.origin)
    return [group for side in sides for parts in side.values() for part in parts for group in part.groups.values()]


def _entered(hosts: Sequence[tuple[Sequence[Entry], Sequence[Span]]]) -> tuple[Parted, str]:
    parted = Parted()
    try:
        for rows, spans in hosts:
            parted.take(rows, spans)
    except Refused as refused:
        return parted, str(refused)
    return parted, ""


def test_rows_enter_as_those_of_another_host_did(monkeypatch: pytest.MonkeyPatch) -> None:
    dice, again, put = random.Random(11), 0, 0
    known = filter_parted._common()
    for _ in range(300):
        pattern = _pattern(dice)
        for _ in range(6):
            pattern = _other(dice, pattern) if dice.random() < 0.5 else pattern
            own = sorted(dice.sample((7, 50, 60, 64, 80, 81, 100, 300), 2))
            spans = [(one, one) for one in own] if dice.random() < 0.95 else [(own[0], own[0] + 1), (own[1] + 2, own[1] + 2)]
            tables = [(_items(pattern, own), spans)] * dice.choice((1, 1, 2))
            before = len(known.fronts)
            found, refused = _entered(tables)
            again += len(known.fronts) == before
            with monkeypatch.context() as slow:
                slow.setattr(filter_parted.Parted, "_front", lambda *_: False)
                slow.setattr(filter_parted, "_common", filter_parted._Common)  # nothing is remembered
                expected, why = _entered(tables)
            assert refused == why
            if why:
                continue
            assert (found.count, found.plain) == (expected.count, expected.plain)
            assert _told(found.towards) == _told(expected.towards) and _told(found.origin) == _told(expected.origin)
            put += sum(bool(group.parts) for group in _groups(found))
    assert again > 400 and put > 100


def test_a_group_with_a_row_put_in_is_what_its_rows_say() -> None:
    dice, quiet, turned = random.Random(12), 0, 0
    for _ in range(1500):
        own = sorted(dice.sample((7, 50, 64, 80, 100), 2))
        parted, _ = _entered([(_items(_pattern(dice), own), [(one, one) for one in own])])
        for group in (one for one in _groups(parted) if one.parts):
            alone = Group(group.level, group.proto, group.numbers, group.rows)
            assert list(group.numbers) == sorted(group.numbers) and len(group) == sum(map(len, group.parts))
            for make in (heard, permits_, denies, logs, written, lasts, firsts, whole):
                one, other = group.once(make), alone.once(make)  # type: ignore[arg-type]
                assert one == other or [*one] == [*other]  # type: ignore[misc]
            there = ((dice.randrange(320), 320),)
            assert reaches(group, there) is reaches(alone, there) is any(r.key[0][1] >= there[0][0] for r in group.rows)
            assert set(group.once(doubts)) <= set(doubted([alone])) and alone.once(reached) == group.once(reached)
            for (n, a), (m, b) in combinations(zip(group.numbers, group.rows, strict=True), 2):
                if all(x[0] <= y[1] and y[0] <= x[1] for x, y in zip(a.key[:2], b.key[:2], strict=True)):
                    assert {n, m} <= group.once(doubts).keys()
            quiet += not group.once(doubts)
            turned += bool(group.once(in_turn))
    assert min(quiet, turned) > 100


def test_statements_that_hosts_have_in_common_are_written_as_their_own_platform_does() -> None:
    operands = platform("nftables").kinds["filter-table"].operands
    short = {**operands, "text": {**operands["text"], "length": 4}}
    lists = [list(kernel_entries(6, receives=False)) for _ in range(KNOWN + 9)]
    logged = [replace(row, rule=replace(row.rule, log=True)) for row in lists[0]]
    for rows in (*lists, lists[0], lists[0][1:], logged, lists[0]):
        for said in (operands, operands, short, operands):
            parted, mine, theirs = Parted(plain=list(enumerate(rows))), _Rules(said), _Rules(said)
            found = statements(said, 6, parted, mine.ending)
            assert found == filter_statements._said(said, 6, parted, theirs.ending)
            assert mine.chains == theirs.chains and bool(mine.chains) is rows[0].rule.log
    assert len(filter_statements._ALONE) <= KNOWN


def test_lists_without_a_local_end_are_placed_once_and_those_of_a_host_for_it_alone() -> None:
    entries = tuple(kernel_entries(6, receives=False))
    for number in range(LISTS + 9):
        rows = (*entries[number % 3 :], *entries[: number % 3])  # held by nobody else
        for locals_ in ((), ((4, (9, 9)),), ((6, rows[-1].box[DST]),)):
            table = SimpleNamespace(rows=rows, gate=SimpleNamespace(locals=locals_))
            found = _parted(6, [table, table])  # type: ignore[list-item]
            expected = _entered([(rows, [span for family, span in locals_ if family == 6])] * 2)[0]
            assert (found.count, found.plain) == (expected.count, expected.plain)
            assert _told(found.towards) == _told(expected.towards) and _told(found.origin) == _told(expected.origin)
            again = _parted(6, [table, table])  # type: ignore[list-item]
            assert (again is found) is not any(family == 6 for family, _ in locals_)
    assert len(_PLAIN) <= LISTS
