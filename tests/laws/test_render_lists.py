"""Law: a row of an access list is worded in each list as it is alone, whatever was worded before, and a block as its rows."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from configlet.model.block import Answers, Block, Parted, listed, sets_of
from configlet.model.gate import Table
from configlet.model.net import Span, Spans
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, FRAG, Entry
from configlet.model.problem import Refused
from configlet.packets.blocks import Item, turned
from configlet.render import acl as access_lists
from configlet.render import acl_lines, forms, render
from configlet.render.acl_lines import Lines, denies_fragments
from configlet.render.numbered import Row
from configlet.render.values import by_family, label
from tests.builders import acl, platform, row

BASE = 0x0A000000
ENDS: tuple[Spans, ...] = (
    ((BASE, BASE + 255),), ((BASE + 3, BASE + 6),), ((BASE, BASE), (BASE + 9, BASE + 12)), ((0, 0xFFFFFFFF),),
    ((BASE + 7, BASE + 7),), ((BASE + 16, BASE + 31), (BASE + 33, BASE + 34)),
)  # fmt: skip
PORTS: tuple[Spans, ...] = ((ANY_PORT,), ((22, 22),), ((1024, 65535),), ((0, 9),), ((80, 80), (443, 445)), ((0, 0),))
TYPES: tuple[Spans, ...] = ((ANY_PORT,), ((2048, 2303),), ((2048, 2560),), ((771, 771),))
NAMES = ("eos", "nxos", "ios", "iosxr", "junos", "aoscx", "vyos", "sonic", "nvue", "sros", "os10")
RULES = [row("permit tcp any any", name=f"rule {n}{' long' * (n % 3)}", log=n == 6).rule for n in range(7)]
RULES += [row("permit tcp any any", name=name).rule for name in ("two \"words", "two 'words", "rule 0", "x" * 300)]
"""Some of which have the same remark on some platforms."""


def _item(dice: random.Random, number: int) -> Item:
    proto = dice.choice(((6, 6), (6, 6), (17, 17), (1, 1), ANY_PROTO, (47, 47)))
    reply, permit = dice.random() < 0.3, dice.random() < 0.8
    dports: Spans = (ANY_PORT,)
    sports, flag = dports, ANY_BIT
    if proto in ((6, 6), (17, 17)):
        dports, sports = dice.choice(PORTS), dice.choice(((ANY_PORT,), (ANY_PORT,), *PORTS))
        flag = (1, 1) if proto == (6, 6) and dice.random() < 0.3 else ANY_BIT
    elif proto == (1, 1):
        dports = dice.choice(TYPES)
    sets = ((proto,), dice.choice(ENDS), dice.choice(ENDS), dports, sports, (flag,), ((0, 0),))
    box = tuple(spans[0] for spans in sets)
    entry = Entry(permit, box, RULES[number % len(RULES)], reply)  # type: ignore[arg-type]
    return entry if all(len(spans) == 1 for spans in sets) else Block(sets, entry)


def _table(name: str, items: Sequence[Item]) -> Table:
    made = acl(listed(items), binding="Ethernet4" if name == "sonic" else "Vlan120")
    gate = replace(made.gate, platform=name, capability=replace(platform(name).kinds["acl"].capability, groups=()))
    return replace(made, gate=gate, rows=listed(items))


def _text(name: str, tables: Sequence[Table]) -> str:
    try:
        return render("leaf1", platform(name), "acl", tables).text
    except Refused as refused:
        return f"refused: {refused}"


def _alone(name: str, tables: Sequence[Table]) -> str:
    access_lists._Last.known, access_lists._Last.words = ({}, {}), {}
    return _text(name, tables)


def _lists(dice: random.Random) -> Iterator[list[Item]]:
    """Lists of which each has some of the same rows, many of them twice and more."""
    found = [_item(dice, number) for number in range(30)]
    for count in (1, 1, 1, 2, 2, 3, 6, 14):
        yield dice.sample(found, count)


@pytest.mark.parametrize("name", NAMES)
def test_lists_that_have_rows_in_common_have_the_bytes_that_each_has_alone(name: str) -> None:
    dice = random.Random(name)
    said = 0
    for most in (100_000, 100_000, 12, 0):
        tables = [[_table(name, items)] for items in _lists(dice)]
        alone = [_alone(name, made) for made in tables]
        access_lists._Last.known, access_lists._Last.words = ({}, {}), {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(access_lists, "MANY", most)
            assert [_text(name, made) for made in (*tables, *tables)] == [*alone, *alone]
        said += sum(not text.startswith("refused") for text in alone)
    assert said > 4


@pytest.mark.parametrize("name", NAMES)
def test_rows_that_are_looked_at_together_have_the_bytes_that_fewer_have(name: str) -> None:
    dice = random.Random(f"{name} together")
    for items in (items for _ in range(6) for items in _lists(dice)):
        said = _alone(name, [_table(name, items)])
        for most in (1, 2, 3, 5):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(acl_lines, "TOGETHER", most)
                patch.setattr(forms, "TOGETHER", most)
                assert _alone(name, [_table(name, items)]) == said


@pytest.mark.parametrize("name", NAMES)
def test_a_block_is_worded_as_its_rows_are_one_by_one(name: str) -> None:
    dice = random.Random(f"{name} blocks")
    blocks = 0
    for items in (items for _ in range(25) for items in _lists(dice)):
        rows: list[Item] = [one for item in items for one in (item.rows() if isinstance(item, Block) else (item,))]
        said = _alone(name, [_table(name, items)])
        assert said == _alone(name, [_table(name, rows)])
        both = any(isinstance(item, Block) and min(map(len, item.sets[1:3])) > 1 for item in items)
        blocks += both and not said.startswith("refused")
    assert blocks > 1, blocks


def _rows_one_by_one(operands: Mapping[str, Any], table: Table) -> list[Row]:
    """The rows of a list, each worded by itself: a remark where another rule speaks than before, and no row twice."""
    said, decided, remarks = "", False, operands["sequence"].get("remarks")
    out = [Row(f"{label(', '.join(table.gate.segments), operands['text'])} {table.gate.direction}")]
    deny = operands["action"]["deny"], operands["proto"][4]["any"], *[by_family(operands["address"], 4)["any"]] * 2
    for entry in table.rows:
        if entry.box[FRAG] == (0, 0) and not decided:
            decided, said = True, ""
            if word := denies_fragments(operands, 4):
                out += Row("fragments"), Row("", *deny, fragments=word)
        remark = label("replies: " + entry.rule.name if entry.reply else entry.rule.name, operands["text"])
        out += [Row(remark)] if remark != said else []
        said = remark
        (told,) = Lines(operands, 4).told((entry,))
        out += [Row(*values)._replace(remark="") for shape, *own in told.lines for values in shape.rows(tuple(own))[-1:]]
    out += Row("default deny"), Row("", *deny)
    once = [one for at, one in enumerate(out) if one.remark or one not in out[:at]]
    if remarks not in ("beside", "first"):
        return once
    beside = []
    for at, one in enumerate(once):
        ahead = next(other.remark for other in reversed(once[: at + 1]) if other.remark)
        if not one.remark:
            beside.append(one._replace(remark=ahead if remarks == "beside" or once[at - 1].remark else ""))
    return beside


@pytest.mark.parametrize("name", NAMES)
def test_a_list_has_its_rows_with_remarks_and_none_twice(name: str) -> None:
    dice = random.Random(f"{name} rows")
    operands = {**platform(name).kinds["acl"].operands, "refusals": platform(name).refusals}
    seen = 0
    for _ in range(250):
        found = [_item(dice, dice.randrange(9)) for _ in range(12)]
        some = sorted(dice.choices(found, k=dice.choice((1, 4, 12, 30))), key=lambda _: dice.random() < 0.2)
        some = [_of_fragments(item) if dice.random() < 0.3 else item for item in some[:3]] + some[3:]
        table = _table(name, some)
        try:
            rows = access_lists.values("leaf1", operands, [table])["lists"][0].rows  # type: ignore[index]
        except Refused:
            continue
        expected = _rows_one_by_one(operands, table)
        assert [Row(*row[1:]) for row in rows] == expected
        seen += len(expected) < 3 + 2 * len(table.rows)
    assert seen > 2


def _asked(dice: random.Random) -> tuple[Entry, ...]:
    """Rows of which each permit has one reply, between the same ends and ports; most of them of rules of their own."""
    out = []
    for number in range(dice.choice((0, 1, 9, 14, 20))):
        proto, ends = dice.choice(((6, 6), (6, 6), (17, 17))), [dice.choice((*ENDS[:1] * 60, *ENDS))[0] for _ in range(2)]
        dport = dice.choice((*PORTS, *(((7000 + number,) * 2,),) * 40))[0]
        sport = dice.choice((ANY_PORT, *PORTS[1], *PORTS[2]))
        box = (proto, *ends, dport, sport, ANY_BIT, (0, 0))
        if dice.random() < 0.1:
            box = (ANY_PROTO, *ends, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0))
        name = f"own {number}" if dice.random() < 0.99 else f"own {number} {'x' * 90}"  # too long for a reply
        rule = dice.choice(RULES) if dice.random() < 0.015 else replace(RULES[0], name=name, log=dice.random() < 0.1)
        out.append(Entry(box[0] != ANY_PROTO and dice.random() < 0.9, box, rule))
    return tuple(row for row, one in zip(out, turned(out, 4), strict=True) if one)


def _answers(asked: tuple[Entry, ...]) -> Answers[Entry]:
    return Answers([one for one in turned(asked, 4) if one and one.permit], asked)


@pytest.mark.parametrize("name", NAMES)
def test_parts_of_the_two_lists_of_a_gate_are_worded_as_lists_without_parts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dice, replies, quick = random.Random(f"{name} parts"), Lines._replies, list[bool]()

    def counted(self: Lines, rows: Answers[Entry]) -> Any:
        made = replies(self, rows)
        quick.append(isinstance(made, tuple))
        return made

    monkeypatch.setattr(Lines, "_replies", counted)
    tables, alone = list[Table](), list[str]()
    for count in range(90):
        head, (here, there) = [_item(dice, dice.randrange(9)) for _ in range(count % 3)], (_asked(dice) for _ in range(2))
        for parts in ((head, _answers(there), here), (head[:1], _answers(here), there)):
            rows = Parted(parts, sum(len(listed(part)) for part in parts))
            tables.append(replace(_table(name, rows.items), rows=rows))
            alone.append(_alone(name, [_table(name, rows.items)]))
    access_lists._Last.known, access_lists._Last.words = ({}, {}), {}
    assert [_text(name, [table]) for table in (*tables, *tables[::-1])] == [*alone, *alone[::-1]]
    assert sum(quick) > (3 if name not in ("nvue", "sonic", "os10", "vyos") else -1), sum(quick)


@pytest.mark.parametrize("name", ["eos", "eos-traffic-policy", "nvue"])
def test_replies_to_all_ports_are_worded_as_alone_where_whole_packets_are_asked_for_by_ports(name: str) -> None:
    """There a row of all ports looks as one of some of them does; but its reply has them at the same end as itself."""
    low = 0x20010DB8 << 96
    dports: list[Span] = [(53, 53)] * 9 + [ANY_PORT]
    asked = tuple(
        Entry(True, ((17, 17), (low,) * 2, (low + at,) * 2, port, ANY_PORT, ANY_BIT, (0, 0)), replace(RULES[0], name=f"r {at}"))
        for at, port in enumerate(dports)
    )
    back = tuple(one for one in turned(asked, 6) if one)
    made = acl((), 6)
    gate = replace(made.gate, platform=name, capability=replace(platform(name).kinds["acl"].capability, groups=()))
    lists = [replace(made, gate=gate, rows=rows) for rows in (back, Parted(((), Answers(back, asked), asked), 2 * len(asked)))]
    alone = _alone(name, [replace(lists[1], rows=(*back, *asked))])
    _alone(name, lists[:1])  # now it is known how replies to most of them are worded
    assert _text(name, lists[1:]) == alone


@pytest.mark.parametrize("name", ["eos", "iosxr", "junos"])
@pytest.mark.parametrize("twin", ["rule", "log", "box", "remark ahead", "row ahead"])
def test_parts_with_rows_that_have_something_in_common_are_worded_row_by_row(name: str, twin: str) -> None:
    """Rows of one rule that stand together, rows of which one logs or that say the same, and what stands ahead of replies."""
    operands = {**platform(name).kinds["acl"].operands, "refusals": platform(name).refusals}
    rules = [replace(RULES[0], name=f"own {number}") for number in range(12)]
    boxes = [((6, 6), *(ends[0] for ends in ENDS[:5:4]), (number, number), ANY_PORT, ANY_BIT, (0, 0)) for number in range(12)]
    access_lists._Last.known, access_lists._Last.words = ({}, {}), {}
    for at in (11, 1):  # as the words of most replies are known then
        rows = [Entry(True, box, rule) for box, rule in zip(boxes, rules, strict=True)]  # type: ignore[arg-type]
        if twin == "rule":
            rows[at] = Entry(True, rows[at].box, rules[0])
        elif twin in ("log", "box"):
            rows[at] = Entry(True, rows[0].box, replace(rules[at], log=twin == "log"))
        back = _answers(tuple(rows))
        ahead = {"remark ahead": [Entry(True, rows[9].box, rules[0], True)], "row ahead": [back[at]]}.get(twin, [])
        for parts in ((ahead, back, ()), (ahead[1:], (), back.of)):
            table = replace(_table(name, [one for part in parts for one in part]), rows=Parted(parts, sum(map(len, parts))))
            made = access_lists.values("leaf1", operands, [table])["lists"][0].rows  # type: ignore[index]
            assert [Row(*row[1:]) for row in made] == _rows_one_by_one(operands, table)


def _of_fragments(item: Item) -> Item:
    """A row of the same ends as it asks for fragments, or for whole packets and fragments."""
    sets = (*sets_of(item)[:3], (ANY_PORT,), (ANY_PORT,), (ANY_BIT,), ((1, 1),))
    entry = item.like if isinstance(item, Block) else item
    return entry.over(tuple(spans[0] for spans in sets))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["eos", "sonic", "nvue"])
def test_a_rows_ports_are_worded_by_its_protocol(name: str) -> None:
    """Of a number that is a port in one row and an ICMP type in another, of the least and the last of them, and of all, which
    some platforms must ask for."""
    spans: tuple[Span, ...] = ((0, 255), (2048, 2303), (22, 22), ANY_PORT)
    ends = [(ENDS[0][0], ENDS[4][0]), (ENDS[4][0], ENDS[0][0])]
    boxes = [((proto, proto), *both, span, ANY_PORT, ANY_BIT, (0, 0)) for span in spans for proto in (6, 1, 17) for both in ends]
    tables = [[_table(name, [Entry(True, box, RULES[0])])] for box in boxes]
    alone = [_alone(name, made) for made in tables]
    access_lists._Last.known, access_lists._Last.words = ({}, {}), {}
    assert [_text(name, made) for made in tables] == alone
    assert len(set(alone)) == len(alone) or name != "eos"


@pytest.mark.parametrize("word", [None, 1.5, "any\n", ("any",)])
def test_a_word_for_all_addresses_that_is_no_text_is_refused(word: object) -> None:
    operands = dict(platform("eos").kinds["acl"].operands)
    assert Lines({**operands, "address": {"any": 7, "prefix": "", "host": ""}}, 4).addresses((0, 0xFFFFFFFF)) == ("7",)
    with pytest.raises(Refused):
        Lines({**operands, "address": {"any": word, "prefix": "", "host": ""}}, 4)
