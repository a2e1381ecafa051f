"""Law: what is found for all rows of a host's table at once is what is found row by row, and what is remembered of one
owner's text changes no other's."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations
from pathlib import Path

import pytest

from configlet.model.gate import Table
from configlet.model.net import Span
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DST, SRC, Box, Entry
from configlet.model.problem import Refused
from configlet.model.told import Group, Told, told
from configlet.packets.boxes import meet
from configlet.pipeline.artifacts import each_artifact
from configlet.pipeline.site import open_site
from configlet.render import filter_chain, filter_elements, filter_order, filter_parted, render
from configlet.render.filter_maps import OUT
from configlet.render.filter_order import keeps_order, meeting
from configlet.render.filter_table import _chain
from configlet.render.filter_words import Stage, span_text
from tests.builders import host, platform, row

ROOT = Path(__file__).parents[2]
NFT = platform("nftables")
LOCALS = ("10.0.0.64", "10.0.0.65", "10.0.1.44")
BASE = 0x0A000000
HERE = [(BASE + 64, BASE + 64), (BASE + 65, BASE + 65), (BASE + 300, BASE + 300), (BASE + 64, BASE + 65)]
THERE = [(BASE, BASE + 255), (BASE, BASE + 127), (BASE + 256, BASE + 511), (BASE + 900, BASE + 900), (0, 0xDFFFFFFF), HERE[0]]
RULES = [replace(row("permit tcp any any", name=f"r{n % 5}", log=n % 4 == 3).rule, origin=o) for n, o in enumerate(
    ("infrastructure", "infrastructure", "policy", "policy", "policy", "policy", "policy", "intra"))]  # fmt: skip


def _rows(dice: random.Random, count: int) -> list[Entry]:
    """Rows of a few rules, those of the network first, between a local end and another; most are told apart by ports."""
    out: list[Entry] = []
    for _ in range(count):
        proto = dice.choice(((6, 6), (6, 6), (6, 6), (17, 17), (1, 1), (47, 47), ANY_PROTO))
        low = dice.choice((22, 80, dice.randrange(1, 60_000), dice.randrange(1, 60_000)))
        ports: Span = ANY_PORT
        if proto in ((6, 6), (17, 17)):
            ports = dice.choice(((low, low), (low, low + 9), (low, min(65535, low + 3000))))
        elif proto == (1, 1):
            ports = dice.choice((ANY_PORT, (2048, 2303), (0, 255)))
        sport = (1024, 65535) if proto[0] in (6, 17) and dice.random() < 0.1 else ANY_PORT
        ends = [dice.choice(HERE), dice.choice(THERE)]
        if dice.random() < 0.4:
            ends.reverse()
        box: Box = (proto, ends[0], ends[1], ports, sport, ANY_BIT, (0, 0))
        out.append(Entry(dice.random() < 0.8, box, dice.choice(RULES)))
    return sorted(out, key=lambda entry: entry.rule.origin != "infrastructure")


def _text(rows: Sequence[Entry]) -> str:
    """What is rendered, or why it is refused."""
    tables: list[Table] = [host(rows, LOCALS), host((), LOCALS, 6)]
    try:
        return render("ogw1", NFT, "filter-table", tables).text
    except Refused as refused:
        return str(refused)


def test_a_text_is_the_same_when_no_row_is_told_apart_at_a_glance(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(3)
    lists = [_rows(dice, dice.choice((2, 8, 40))) for _ in range(250)]
    texts = [_text(rows) for rows in lists]
    monkeypatch.setattr(filter_chain, "_doubted", lambda of: {n: row for _, group in of for n, row in _numbered(group)})
    monkeypatch.setattr(filter_order, "meeting", lambda numbers, rows, boxes: numbers)
    monkeypatch.setattr(filter_order, "overlap", lambda a, b: True)
    _forget()
    assert texts == [_text(rows) for rows in lists]
    assert len({text for text in texts if "elements" in text}) > 80 and sum("elements" not in text for text in texts) > 10


def _numbered(group: Group) -> Iterator[tuple[int, Told]]:
    return zip(group.numbers, group.rows, strict=True)


def _forget() -> None:
    """Let go of all that is remembered of other texts."""
    for known in (filter_elements._known, filter_parted._common, span_text, _chain):
        known.cache_clear()


def test_rows_that_meet_some_boxes_are_among_those_of_which_both_ends_do() -> None:
    dice = random.Random(4)
    found = 0
    for _ in range(400):
        rows, others = _rows(dice, 12), [entry.box for entry in _rows(dice, dice.randrange(8))]
        if dice.random() < 0.5:  # many ends that do not touch
            ends = [(BASE + n, BASE + n) for n in range(0, 1024, 2)]
            rows = [entry.over((entry.box[0], dice.choice(ends), dice.choice(HERE[:2]), *entry.box[3:])) for entry in rows]
            others = [(box[0], dice.choice(ends[:60]), HERE[3], *box[3:]) for box in others * 6]
        numbers = meeting(range(len(rows)), rows, others)
        assert list(numbers) == [
            n for n, entry in enumerate(rows)
            if all(any(entry.box[at][0] <= box[at][1] and box[at][0] <= entry.box[at][1] for box in others) for at in (DST, SRC))
        ]  # fmt: skip
        assert {n for n, entry in enumerate(rows) if any(meet(entry.box, box) for box in others)} <= set(numbers)
        found += len(numbers)
    assert found > 500


def test_an_order_is_refused_where_a_later_row_of_another_direction_would_be_asked_before_an_earlier_one() -> None:
    dice = random.Random(5)
    kept = refused = 0
    for _ in range(3000):
        rows = _rows(dice, dice.randrange(2, 7))
        order = list(enumerate(rows))
        plain = order[: dice.choice((0, 0, 1))] if dice.random() < 0.7 else order[-1:]
        placed: list[Stage] = []
        for number, entry in order:
            if (number, entry) not in plain:
                at, first = dice.choice((2, 3, 4, 12, 13, 14)), dice.randrange(number + 1)
                level = DST if at < OUT else SRC
                group = Group(level, entry.box[0], (number - first,), (told(entry, level),))
                placed.append(Stage(at, entry.box[level], range(first, number + 1), group))
        stages = {number: -1 for number, _ in plain} | {stage.order[stage.group.numbers[0]]: stage.at for stage in placed}
        wrong = any(
            stages[n] > stages[m] and stages[n] // OUT != stages[m] // OUT and a.permit != b.permit and meet(a.box, b.box)
            for (n, a), (m, b) in combinations(order, 2)
        )
        try:
            keeps_order(plain, placed)
        except Refused:
            assert wrong
            refused += 1
        else:
            assert not wrong
            kept += 1
    assert min(kept, refused) > 100


def test_an_owner_after_others_has_the_bytes_that_it_has_alone() -> None:
    site = open_site(ROOT, "dc1", date(2026, 11, 24))
    together = {(a.owner, a.platform): a.text for a in each_artifact(site)}
    for owner in reversed(site.placement.owners):
        _forget()
        for alone in each_artifact(open_site(ROOT, "dc1", date(2026, 11, 24)), {owner}):
            assert alone.text == together[alone.owner, alone.platform]


def test_rules_of_one_name_that_differ_have_elements_of_their_own_and_many_are_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(6)
    lists = [_rows(dice, 30) for _ in range(40)]
    alone = []
    for rows in lists:
        _forget()
        alone.append(_text(rows))
    _forget()
    assert [_text(rows) for rows in lists] == alone
    assert [_text([replace(e, rule=replace(e.rule)) for e in rows]) for rows in lists] == alone
    for most in (0, 7, 100):
        monkeypatch.setattr(filter_elements, "MOST", most)
        monkeypatch.setattr(filter_parted, "MOST", most)
        _forget()
        assert [_text(rows) for rows in [*lists, *lists]] == [*alone, *alone]
        styles = tuple((key, repr(said)) for key, said in NFT.kinds["filter-table"].operands["text"].items())
        assert len(filter_elements._known(4, styles).ends) <= max(most, 1)


def test_an_address_that_is_a_number_like_a_port_or_protocol_is_no_port_or_protocol() -> None:
    rule, own, end = RULES[2], HERE[0], (22, 22)
    boxes: list[Box] = [
        (ANY_PROTO, own, end, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)),
        ((22, 22), own, end, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)),
        ((6, 6), own, end, end, ANY_PORT, ANY_BIT, (0, 0)),
        ((6, 6), own, end, end, end, ANY_BIT, (0, 0)),
    ]
    alone = []
    for box in boxes:
        _forget()
        alone.append(_text([Entry(True, box, rule)]))
    _forget()
    assert [_text([Entry(True, box, rule)]) for box in boxes] == alone and len(set(alone)) == 4
