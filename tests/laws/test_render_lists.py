"""Law: a row of an access list is worded in each list as it is alone, whatever was worded before, and a block as its rows."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from configlet.model.block import Block, listed
from configlet.model.gate import Table
from configlet.model.net import Span, Spans
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, Entry
from configlet.model.problem import Refused
from configlet.packets.blocks import Item
from configlet.render import acl as access_lists
from configlet.render import render
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
