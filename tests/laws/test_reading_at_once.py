"""Law: a table whose long lists are taken as a whole is read as line by line, and what is not so written is read line by line."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest

from configlet.model.gate import Line, Reading
from configlet.model.lines import Lines
from configlet.model.problem import Refused
from configlet.readers import asked as conditions
from configlet.readers.asked import Box, Fragments, Taken, View, cut_types, full, matched
from configlet.readers.columns import Columns, Unfit, apart
from configlet.readers.filter_table import FilterTableReader
from configlet.readers.filter_values import Rule, Table, VerdictMap
from configlet.readers.grammar import Source, load
from configlet.readers.spans import Unreadable
from configlet.readers.tree import Stanza, braced, cut, with_bodies
from configlet.render import render
from tests.builders import platform
from tests.cases import document, tables_of
from tests.laws.made.tables import SELECTORS, statement, table

NFT = platform("nftables")
GRAMMAR = load(NFT.kinds["filter-table"].reader)
ODD = (
    "\r",
    "\x0b",
    "\x7f",
    "\t",
    " ",
    "  ",
    "\u00a0",
    "\u2028",
    "é",
    "}",
    "{",
    ",",
    '"',
    ";",
    ":",
    "= {",
    "",
    "0",
    "/",
    "-",
    ".",
)
NAMES = ("a", "b", "c1", "9", "a b", "a,", 'a comment "x"')


@cache
def reader() -> FilterTableReader:
    return FilterTableReader(GRAMMAR)


def said(found: Reading) -> tuple[object, ...]:
    lists = {key: (list(lines), *columns(lines)) for key, lines in found.lists.items()}
    shared = [[key for key in found.lists if found.lists[key] is lines] for lines in found.lists.values() if lines]
    return list(lists.items()), shared, found.read, found.total, found.stateful, found.texts(), found.notes


def columns(lines: Sequence[Line]) -> tuple[list[bool], list[object]]:
    """Whether lines permit, and their boxes: as they were found before there were lines, where that is so."""
    if isinstance(lines, Lines):
        permits, boxes = lines.columns
        return list(permits), list(boxes)
    return [line.permit for line in lines], [line.box for line in lines]


def bodies(text: str) -> tuple[list[Stanza], int] | None:
    found = cut(text, " : jump")
    return found and with_bodies(found, "text")


def by_lines(text: str) -> tuple[object, ...]:
    """All that is said of a text by a reader that knows nothing of the texts before."""
    try:
        return said(FilterTableReader(GRAMMAR).by_lines(text, "text"))
    except Refused as refused:
        return refused.problems


def read(text: str) -> tuple[object, ...]:
    return read_by(reader(), text)


def read_by(used: FilterTableReader, text: str) -> tuple[object, ...]:
    """All that is said of a text; lines are asked for only when it was not refused."""
    try:
        found = used.read(text, "text")
    except Refused as refused:
        return refused.problems
    return said(found)


def written() -> list[str]:
    cases = sorted((Path(NFT.kinds["filter-table"].reader).parent / "cases").glob("*.yaml"))
    return [render("host1", NFT, "filter-table", tables_of(document(path))).text for path in cases]


@pytest.mark.parametrize("seed", range(12))
def test_a_table_is_read_at_once_as_line_by_line(seed: int) -> None:
    dice, whole = random.Random(seed), 0
    for _ in range(12):
        text = table(dice)
        found = reader().at_once(text, "text")
        assert read(text) == by_lines(text), text
        assert found is None or said(found) == by_lines(text), text
        whole += found is not None
    assert whole > 3


def test_every_text_of_ours_is_read_at_once() -> None:
    for text in written():
        found = reader().at_once(text, "text")
        assert found is not None
        assert said(found) == by_lines(text)


def spoilt(dice: random.Random, text: str) -> str:
    """A text that is alike but for a character, a word or a line."""
    lines = text.split("\n")
    inside = [n for n, line in enumerate(lines) if line.startswith("\t\t\t")]
    at = dice.choice(inside) if inside and dice.random() < 0.7 else dice.randrange(len(lines))
    how, line = dice.randrange(6), lines[at]
    if how == 0:
        place = dice.randrange(len(line) + 1)
        lines[at] = line[:place] + dice.choice(ODD) + line[place + dice.randrange(2) :]
    elif how == 1:
        lines[at] = (
            dice.choice(("\t", "", "  ")) + line.strip() + dice.choice(("", " ", "\t", "\r", " ,", ",", " }", "}"))
        )
    elif how == 2:
        lines.insert(at, dice.choice((line, "", "\t", lines[dice.randrange(len(lines))])))
    elif how == 3:
        del lines[at]
    elif how == 4:
        lines[at : at + 2] = [" ".join((line, *lines[at + 1 : at + 2]))]
    else:
        words = line.split(" ")
        words[dice.randrange(len(words))] = dice.choice(
            ("accept", "10.0.0.0/8", "1-2", "comment", '"a', ".", "goto", "counter", "::/0")
        )
        lines[at] = " ".join(words)
    return dice.choice(("\n", "\n", "\n", "\n", "\n", "\r\n")).join(lines)


@pytest.mark.parametrize("seed", range(8))
def test_a_spoilt_text_is_refused_at_the_same_place_or_read_as_line_by_line(seed: int) -> None:
    dice, refused, whole = random.Random(100 + seed), 0, 0
    for text in [*written(), *(table(dice) for _ in range(8))]:
        for _ in range(12):
            odd = spoilt(dice, text)
            answer = by_lines(odd)
            assert read(odd) == answer, odd
            found = reader().at_once(odd, "text")
            assert found is None or said(found) == answer, odd
            refused, whole = (
                refused + isinstance(answer, list | tuple) - isinstance(answer, tuple),
                whole + (found is not None),
            )
    assert whole > 20


@pytest.mark.parametrize(
    "text",
    [
        "x = {\n\ta,\n\t}\n",
        'y "= {\n}\n',
        "a {\n\tb = { c,\n= {\n\td\n\t}\n}\n",
        "= {\n",
        "a = {\n}",
        "m {\n\ta = {\n\t}\n}\n",
    ],
)
def test_a_list_that_stands_otherwise_is_never_taken_as_one(text: str) -> None:
    try:
        plain = braced(text, "text")
    except Refused as refused:
        plain = refused.problems
    try:
        found = bodies(text)
    except Refused as refused:
        found = refused.problems
    assert (
        found is None or found == plain or any(stanza.body or any(i.body for i in stanza.inner) for stanza in found[0])
    )


ONE = """\
table inet configlet {
	map one {
		type ipv4_addr : verdict
		flags interval
		elements = {
			10.0.0.9 : drop,
			ODD
			10.0.0.8 : drop,
		}
	}
	chain end {
		counter accept comment "end"
	}
	chain input {
		type filter hook input priority -10; policy drop;
		ct original ip saddr vmap @one
	}
}
"""


@pytest.mark.parametrize(
    "odd",
    [
        "10.0.0.1 : accept,",
        "10.0.0.1 : goto end,",
        '10.0.0.1 comment "x" : goto end,',
        '10.0.0.1 comment "" : goto end,',
        "10.0.0.1 counter : accept,",
        "10.0.0.1 counter packets 1 bytes 2 : goto end,",
        "10.0.0.1,10.0.0.2 : accept,",
        "10.0.0.1 : accept, 10.0.0.2 : accept,",
        "10.0.0.1 : accept,,",
        "10.0.0.1 : accept",
        "10.0.0.1 : accept }",
        "10.0.0.1 : accept },",
        "10.0.0.1 . 5 : accept,",
        "10.0.0.300 : accept,",
        "10.0.0.1  : accept,",
        "10.0.0.1\t: accept,",
        "10.0.0.1 \t,",
        '10.0.0.1 comment "a\tb" : accept,',
        '10.0.0.1 comment "a\n\t\t\t10.0.0.3" : accept,',
        '10.0.0.1 comment "a\n\t\t\t10.0.0.3 : accept,\n" : accept,',
        '10.0.0.1 comment "a, } b" : accept,',
        "elements = { 10.0.0.1 : accept,",
        "10.0.0.8/31 : accept,",
        "10.0.0.9 : drop,",
        "10.0.0.1 : goto nowhere,",
        "10.0.0.1 : goto input,",
        "10.0.0.1 : accept, # five",
        "} 10.0.0.1 : accept,",
        "",
        "\t",
        ",",
    ],
)
def test_an_odd_line_among_elements_is_what_it_is_line_by_line(odd: str) -> None:
    for text in (ONE.replace("ODD", odd), ONE.replace("10.0.0.9 : drop,\n\t\t\tODD", odd)):
        assert read(text) == by_lines(text)
        found = reader().at_once(text, "text")
        assert found is None or said(found) == by_lines(text)


def view_of(family: int, phase: str) -> View:
    sheet = conditions.Sheet.of(GRAMMAR)
    return View(Table(), sheet, family, phase, frozenset(), frozenset(), {}, Taken(), {}, full(family))


def some_box(dice: random.Random, family: int) -> Box:
    top = full(family)[1][1]
    ends = [
        tuple(sorted((dice.randrange(top), dice.randrange(top)))) if dice.random() < 0.5 else (0, top) for _ in "ab"
    ]
    proto = dice.choice([(0, 255), (6, 6), (17, 17), (1, 1), (58, 58), (0, 5), (2, 255)])
    ports = [dice.choice([(0, 65535), (22, 22), (8 * 256, 8 * 256 + 255), (1000, 40000)]) for _ in "ab"]
    return (proto, *ends, *ports, (0, 1), dice.choice([(0, 1), (0, 0), (1, 1)]))  # type: ignore[return-value]


def one_by_one(view: View, rule: Rule, box: Box, fragments: Fragments) -> object:
    try:
        boxes = [box]
        for match in rule.matches:
            boxes = [left for one in boxes for left in matched(view, rule, match, one, fragments)]
    except Refused as refused:
        return refused.problems
    return boxes


def test_what_is_remembered_of_conditions_is_what_they_take_one_by_one() -> None:
    dice, taken, seen = random.Random(5), Taken(), 0
    words = FilterTableReader(GRAMMAR).statements
    rules = []
    for number in range(250):
        line = Source("text", number, 1, " ".join([*(statement(dice) for _ in range(dice.randrange(1, 4))), "accept"]))
        try:
            rules.append(words.rule(line))
        except Refused:
            continue
    boxes = {family: [some_box(dice, family) for _ in range(25)] for family in (4, 6)}
    for _ in range(20_000):
        rule, family = dice.choice(rules), dice.choice((4, 6))
        view = view_of(family, dice.choice(("new", "established", "reply", "error")))
        box, fragments = dice.choice(boxes[family]), Fragments(dice.random() < 0.7)
        try:
            found: object = list(taken.of(view, rule, box, fragments))
        except Refused as refused:
            found = refused.problems
        alone = one_by_one(view, rule, box, fragments)
        assert found == alone, (rule.text, box, view.phase)
        seen += bool(alone) and isinstance(alone, list)
    assert len(rules) > 100
    assert seen > 2_000


def test_what_can_begin_a_connection_is_what_the_types_of_requests_leave() -> None:
    dice, taken, cut = random.Random(9), Taken(), 0
    for _ in range(3_000):
        family = dice.choice((4, 6))
        view, box = view_of(family, "new"), list(some_box(dice, family))
        low = dice.randrange(0, 40_000)
        box[3] = dice.choice((box[3], (low, low + dice.randrange(600))))
        line = Line(True, tuple(box), 7, "text", "label")
        alone = [*cut_types(view.sheet, family, line.box, view.sheet.requests[family])]  # type: ignore[arg-type]
        found = taken.starting(view, line)
        assert [one.box for one in found] == alone
        assert all(one[2:] == line[2:] and one.permit for one in found)
        assert [one[:6] for one in taken.begun(view, line.box)] == [one[:6] for one in alone]  # type: ignore[arg-type]
        cut += alone != [line.box]
    assert 500 < cut < 2_500


def test_a_rule_that_ends_with_a_lookup_is_understood_alike_after_others_and_alone() -> None:
    dice, used = random.Random(6), FilterTableReader(GRAMMAR).statements
    for number in range(400):
        keys = " . ".join(dice.choice(SELECTORS) for _ in range(dice.randrange(1, 3)))
        head = " ".join([*(statement(dice) for _ in range(dice.randrange(3))), keys])
        line = Source("text", number, 1, f"{head} vmap @{dice.choice(NAMES)}")
        answers = []
        for words in (used, FilterTableReader(GRAMMAR).statements):
            try:
                answers.append(words.rule(line) if words is used else words._rule(line))
            except Refused as refused:
                answers.append(refused.problems)
        assert answers[0] == answers[1], line.text


def test_elements_that_are_seen_to_be_apart_share_no_key() -> None:
    dice, seen, common = random.Random(7), 0, 0
    words = reader().elements
    for _ in range(400):
        spans = [(low, low + dice.randrange(3)) for low in dice.choices(range(40), k=9)]
        most = dice.choice((1, 3, 3))
        ports = [(low, low + dice.randrange(most)) for low in dice.choices(range(dice.choice((4, 400))), k=9)]
        lines = [f"\t10.0.0.{a}-10.0.0.{b} . {c}-{d} : accept," for (a, b), (c, d) in zip(spans, ports, strict=True)]
        stanza = bodies("elements = {\n" + "\n".join(lines[: dice.randrange(1, 9)]) + "\n}\n")
        assert stanza is not None
        found = words.all(("ipv4_addr", "inet_service"), stanza[0][0], counting=False)
        assert isinstance(found, Columns)
        pairs = combinations([one.spans for one in found], 2)
        shared = any(all(a[0] <= b[1] and b[0] <= a[1] for a, b in zip(x, y, strict=True)) for x, y in pairs)
        assert not (apart(found) and shared)
        seen += apart(found)
        common += shared
    assert seen > 0.9 * (400 - common)
    assert common > 50


def test_elements_by_columns_are_the_elements_of_single_lines() -> None:
    dice, whole = random.Random(8), 0
    for _ in range(60):
        text = table(dice)
        found = bodies(text)
        assert found is not None
        alone, _ = braced(text, "text")
        for stanza, other in zip(found[0][-1].inner, alone[-1].inner, strict=True):
            if not stanza.inner or stanza.inner[0].body is None:
                continue
            kinds = tuple(stanza.lines[0].text.removeprefix("type ").removesuffix(" : verdict").split(" . "))
            counting = any(line.text == "counter" for line in stanza.lines)
            try:
                whole_list = FilterTableReader(GRAMMAR).elements.all(kinds, stanza.inner[0], counting=counting)
            except (Unfit, Refused):
                continue
            single = FilterTableReader(GRAMMAR).elements.of(kinds, other.inner[0], counting=counting)
            assert list(whole_list) == single
            assert isinstance(VerdictMap(kinds, whole_list).elements, Columns)
            whole += 1
    assert whole > 60


@pytest.mark.parametrize(
    ("kind", "text", "span"),
    [
        ("inet_service", "65535", (65535, 65535)),
        ("inet_service", "65536", None),
        ("inet_service", "\u0663", None),
        ("inet_service", "20-30", (20, 30)),
        ("inet_service", "30-20", None),
        ("inet_service", "tcp", None),
        ("inet_proto", "255", (255, 255)),
        ("inet_proto", "256", None),
        ("inet_proto", "tcp", (6, 6)),
        ("ipv4_addr", "10", None),
        ("ipv6_addr", "10", None),
    ],
)
def test_a_part_of_a_key_is_of_its_type(kind: str, text: str, span: tuple[int, int] | None) -> None:
    keys = FilterTableReader(GRAMMAR).elements.keys[kind]
    for _ in range(2):  # found, and known
        if span is None:
            with pytest.raises(Unreadable):
                keys[text]
        else:
            assert keys[text] == span


def test_a_column_of_keys_is_each_of_them() -> None:
    dice, read_ones, wrong = random.Random(10), 0, 0
    some = ("22", "80", "65535", "0", "443", "20-30", "30-30", "0-65535", "1024-1033")
    odd = ("", "-", "65536", "022", "0022", "30-20", "1-", "-1", "1-2-3", "7-65536", "tcp", "1 ", "\u0663", "99999999999", "00")
    keys = FilterTableReader(GRAMMAR).elements.keys["inet_service"]
    for _ in range(2000):
        texts = [dice.choice(odd if dice.random() < 0.07 else some) for _ in range(dice.randrange(1, 9))]
        try:
            alone = tuple([keys[text] for text in texts])
        except Unreadable:
            wrong += 1
            keys.clear()
            with pytest.raises(Unreadable):
                keys.column(texts)
        else:
            read_ones += 1
            keys.clear()
            assert keys.column(texts) == alone
    assert read_ones > 500
    assert wrong > 300


def test_the_words_of_a_long_list_are_looked_for_when_somebody_asks() -> None:
    used, asked = FilterTableReader(GRAMMAR), []
    found_in = used.elements._in_words
    used.elements._in_words = lambda *of, **how: asked.append(of) or found_in(*of, **how)  # type: ignore[method-assign, func-returns-value]
    without = 0
    for text in written():
        asked.clear()
        found = used.read(text, "text")
        for lines in found.lists.values():
            columns(lines)
        without += not asked and any(isinstance(lines, Lines) and len(lines) > 8 for lines in found.lists.values())
        assert said(found) == by_lines(text)
    assert without > 3


def test_another_verdict_in_one_line_is_another_reading_however_much_was_read_before() -> None:
    text = written()[0]
    before = read(text)
    for at, line in enumerate(lines := text.split("\n")):
        if line.endswith(": accept,"):
            other = "\n".join([*lines[:at], line.replace(": accept,", ": drop,"), *lines[at + 1 :]])
            assert read(other) != before
    assert read(text) == before


HOOKED = (
    "table inet configlet {\n\tchain x {\nRULES\t}\n\tchain input {\n"
    "\t\ttype filter hook input priority -10; policy accept;\n\t\tjump x\n\t}\n}\n"
)
SAID = [
    '\t\tcounter drop comment "a"\n',
    '\t\tip saddr 10.0.0.0/8 counter accept\n\t\tcounter drop comment "a"\n',
    '\t\tip6 saddr ::1 counter accept\n\t\tcounter drop comment "a"\n',
    "\t\tmeta l4proto 6 accept; meta l4proto 17 accept\n",
    "\t\tmeta l4proto 6 accept\n\n\t\tmeta l4proto 17 accept\n",
    "\t\tmeta l4proto 1 accept\n",
]


def test_lists_of_rules_alone_are_said_again_only_where_they_are_the_same() -> None:
    texts = [HOOKED.replace("RULES", rules) for rules in SAID]
    for first in texts:
        for second in texts:
            used = FilterTableReader(GRAMMAR)
            assert [said(used.read(text, "text")) for text in (first, second)] == [by_lines(first), by_lines(second)]
