"""Law: a host's table of which one address has its rows in groups is written as the same rows are one by one, or refused as
they are; and so is one with blocks in it, whatever other hosts have of the same groups."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from benchmarks.sites import Size, write
from configlet.fit import tables
from configlet.fit.facing import joined
from configlet.model.block import Block, Listed
from configlet.model.gate import Table
from configlet.model.net import BITS, FAMILIES, Family, Span, address_text
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DST, SRC, Box, Entry
from configlet.model.problem import Refused
from configlet.model.told import Face, Faced, Group, Item, Told, faces, told
from configlet.packets.boxes import meet
from configlet.pipeline.site import open_site
from configlet.render import filter_elements, filter_parted, render
from configlet.render.filter_table import _chain
from configlet.render.filter_words import span_text
from tests.builders import host, platform, row

NFT = platform("nftables")
ROOT = Path(__file__).parents[2]
BASE: dict[Family, int] = {4: 0x0A000000, 6: 0x20010DB8 << 96}
ICMP: dict[Family, Span] = {4: (1, 1), 6: (58, 58)}
OWN = 64, 65, 300
"""What a host's own addresses end with; the first is that of the face."""
RULES = [replace(row("permit tcp any any", name=f"rule {n % 7}", log=n % 5 == 3).rule, origin="policy") for n in range(12)]
NETWORK = [replace(rule, origin="infrastructure") for rule in RULES[:4]]


def _row(dice: random.Random, family: Family, own: int, *, odd: float) -> Entry:
    """A row between an own address and another end, which is ``odd`` now and then: an own one, or no whole packets."""
    icmp, base, ports, sport, part, flag = ICMP[family], BASE[family], ANY_PORT, ANY_PORT, (0, 0), ANY_BIT
    proto = dice.choice(((6, 6), (6, 6), (17, 17), icmp, (47, 47), (50, 50), ANY_PROTO))
    if proto in ((6, 6), (17, 17)):
        low = dice.choice((22, 80, dice.randrange(1, 60_000)))
        ports = dice.choice(((low, low), (low, low), (low, low + 9), (low, min(65535, low + 3000))))
        sport = (1024, 65535) if dice.random() < 0.05 else ANY_PORT
    elif proto == icmp:
        echo = (8 if family == 4 else 128) << 8
        ports = dice.choice((ANY_PORT, (echo, echo + 255), (0, 255), (768, 1023)))
    at = base + dice.randrange(64) * 8
    other = dice.choice(((at, at), (at, at), (at, at + 7), (base, base + 511), (base + 512, base + 1023)))
    if dice.random() < odd:
        other = dice.choice([(base + n, base + n) for n in OWN])
        ports, part, flag = dice.choice((ports, (5, 5))), dice.choice(((0, 0), (0, 1), (1, 1))), dice.choice((ANY_BIT, (1, 1)))
    ends = [(own, own), other]
    if dice.random() < 0.4:
        ends.reverse()
    box: Box = (proto, ends[0], ends[1], ports, sport, flag, part)
    return Entry(dice.random() < 0.8, box, dice.choice(RULES))


def _rows(dice: random.Random, family: Family, own: int, count: int, *, apart: bool) -> list[Entry]:
    """Rows of one address; ``apart``: of one side no two share a packet."""
    odd, found = dice.choice((0.0, 0.0, 0.1)), list[Entry]()
    while len(found) < count:
        entry = _row(dice, family, own, odd=odd)
        towards = entry.box[DST] == (own, own)
        if not apart or not any(meet(entry.box, one.box) for one in found if (one.box[DST] == (own, own)) == towards):
            found.append(entry)
        count -= apart
    return found


def _head(dice: random.Random, family: Family, own: int) -> list[Item]:
    """What the network says of a host: single rows, and blocks of several ends; some rows of another address of the host."""
    base, out = BASE[family], list[Item]()
    out += [replace(_row(dice, family, own, odd=0.0), rule=dice.choice(NETWORK)) for _ in range(dice.randrange(3))]
    for _ in range(dice.randrange(3)):
        ends = tuple((base + n, base + n) for n in sorted(dice.sample(range(600, 700), dice.randrange(1, 6))))
        both = [((own, own),), ends] if dice.random() < 0.8 else [tuple((base + n, base + n) for n in OWN), ends]
        if dice.random() < 0.5:
            both.reverse()
        protos = dice.choice(((ANY_PROTO,), ((6, 6), (17, 17))))
        like = Entry(dice.random() < 0.3, (*[(0, 0)] * 7,), dice.choice(NETWORK))
        out.append(Block((protos, *both, (ANY_PORT,), (ANY_PORT,), (ANY_BIT,), ((0, 0),)), like))
    out += _rows(dice, family, base + OWN[1], dice.randrange(3), apart=False)
    return out


def _singly(found: Sequence[Item]) -> tuple[Entry, ...]:
    return tuple(entry for item in found for entry in (item.rows() if isinstance(item, Block) else (item,)))


def _text(family: Family, rows: Sequence[Entry], own: Sequence[int] = OWN) -> str:
    """What is rendered, or why it is refused."""
    locals_ = [f"{address_text(family, BASE[family] + n)}/{BITS[family]}" for n in own]
    table, other = host((), locals_, family), host((), locals_, 6 if family == 4 else 4)
    try:
        return render("ogw1", NFT, "filter-table", [replace(table, rows=rows), other]).text
    except Refused as refused:
        return str(refused)


def _forget() -> None:
    for known in (filter_elements._known, filter_parted._common, span_text, _chain):
        known.cache_clear()


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("apart", [True, False])
def test_a_face_is_written_as_its_rows_are_one_by_one(family: Family, apart: bool) -> None:
    dice = random.Random(7)
    texts, own = set[str](), BASE[family] + OWN[0]
    for _ in range(400):
        head, rest = _head(dice, family, own), _rows(dice, family, own, dice.choice((1, 6, 30)), apart=apart)
        face = faces(rest, own)
        rows = Faced(head, Face(own, face.groups, apart=apart))
        _forget()
        expected = _text(family, _singly([*head, *rest]))
        assert _text(family, rows) == expected
        assert _text(family, Listed([*head, *rest])) == expected
        texts.add(expected)
    refused = [text for text in texts if "elements" not in text]
    assert len(texts) - len(refused) > 150 and len(refused) > 20 and sum("goto" in text for text in texts) > 100
    assert any("judged whole" in text for text in refused) and any("TCP flags" in text for text in refused)


def test_a_face_may_begin_with_rows_of_the_network() -> None:
    dice, own = random.Random(10), BASE[4] + OWN[0]
    texts = set[str]()
    for _ in range(150):
        head = [replace(entry, rule=NETWORK[0]) for entry in _rows(dice, 4, own, 3, apart=False)]
        rest = _rows(dice, 4, own, 9, apart=False)
        many = dice.randrange(1, 6)
        rest = [*(replace(entry, rule=NETWORK[1]) for entry in rest[:many]), *rest[many:]]
        _forget()
        expected = _text(4, (*head, *rest))
        assert _text(4, Faced(head, faces(rest, own))) == expected
        texts.add(expected)
    assert sum("elements" in text for text in texts) > 50


def test_hosts_that_share_groups_have_the_text_that_each_has_alone() -> None:
    dice, family = random.Random(8), 4
    for _ in range(60):
        base = BASE[4]
        known: dict[tuple[int, int], Told] = {}
        prefix = _rows(dice, family, base, 25, apart=True)
        shared: dict[tuple[int, Span], list[tuple[int, Told]]] = {}
        for number, entry in enumerate(prefix):
            level = DST if entry.box[DST] == (base, base) else SRC
            one = known.setdefault((level, number), told(entry, level))
            shared.setdefault((level, entry.box[0]), []).append((2 * number, one))
        groups = {place: Group(*place, *map(tuple, zip(*of, strict=True))) for place, of in shared.items()}  # type: ignore[arg-type]
        for own in dice.sample(range(2000, 2100), 6):
            mine = dict(groups)
            for place in dice.sample(list(groups), dice.choice((0, 0, 1))):  # rules of its own stand among those
                numbers = [2 * n + 1 for n in sorted(dice.sample(range(30), dice.choice((1, 2, 3))))]
                likes = [dice.choice([one for _, one in shared[place]]) for _ in numbers]
                some = [Told(one.level, one.permit, one.proto, ((n, n), *one.key[1:]), one.rule) for n, one in enumerate(likes)]
                mine[place] = joined(groups[place], Group(*place, numbers, some))
            rows = Faced((), Face(base + own, mine))
            together = _text(family, rows, (own, *OWN[1:]))
            _forget()
            assert _text(family, tuple(rows), (own, *OWN[1:])) == together


def test_the_hosts_of_a_site_have_the_text_of_their_rows_one_by_one(tmp_path: Path) -> None:
    write(tmp_path, Size(8, 120, 300))
    site = open_site(tmp_path, "big", date(2026, 1, 1))
    faced = 0
    for owner, gates in site.placement.owners.items():
        made = [table for table in tables(site.laws, gates) if table.gate.platform == "nftables"]
        if not made:
            continue
        plain = [Table(t.gate, t.realm, t.family, t.law, tuple(t.rows)) for t in made]
        assert render(owner, NFT, "filter-table", made).text == render(owner, NFT, "filter-table", plain).text
        faced += sum(isinstance(table.rows, Faced) for table in made)
        assert not any(group is kept for table in made for kept in _kept(table) for group in _groups(table))
    assert faced > 150


def _groups(table: Table) -> list[Group]:
    return list(table.rows.face.groups.values()) if isinstance(table.rows, Faced) else []


def _kept(table: Table) -> list[object]:
    """What groups hold; none holds itself, or nothing would let go of it."""
    return [one for group in _groups(table) for one in group.known.values()]


@pytest.mark.parametrize("number", OWN[1:])
def test_a_row_with_another_own_end_is_looked_up_towards_that(number: int) -> None:
    base = BASE[4]
    own, other = (base + OWN[0],) * 2, (base + number,) * 2
    for proto in (ANY_PROTO, (6, 6)):
        entry = Entry(True, (proto, other, own, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), RULES[0])
        rows = Faced((), Face(own[0], {(SRC, proto): Group(SRC, proto, (0,), (told(entry, SRC),))}))
        assert list(rows) == [entry]
        text = _text(4, rows, (OWN[0], number))
        assert text == _text(4, (entry,), (OWN[0], number))
        assert f"in_{address_text(4, other[0])}".replace(".", "_") in text


def test_blocks_of_different_rules_and_rows_that_say_the_same_have_each_their_own_lines() -> None:
    base = BASE[4]
    own, ends = ((base + OWN[0],) * 2,), tuple((base + n, base + n) for n in (700, 702, 704))
    for rule in (RULES[0], RULES[1], replace(RULES[1], name="another"), RULES[0]):
        like = Entry(True, (*[(0, 0)] * 7,), rule)
        block = Block(((ANY_PROTO,), own, ends, (ANY_PORT,), (ANY_PORT,), (ANY_BIT,), ((0, 0),)), like)
        for rows in (Listed([block]), tuple(block.rows()), Faced([block], Face(own[0][0], {}))):
            assert _text(4, rows).count(f'comment "{rule.name}"') == 6  # in the map, and ICMP that begins no connection


def test_a_template_that_writes_otherwise_gives_what_it_gives_alone(tmp_path: Path) -> None:
    made = tmp_path / "configlets" / "nftables" / "filter-table.j2"
    made.parent.mkdir(parents=True)
    stock = (ROOT / "configlets" / "nftables" / "filter-table.j2").read_text()
    line = "{{ key }} {{ comment }}: {{ verdict }},"
    bodies = [f"{line} # x", "{{ key }} {% if comment %}{{ comment }}{% endif %}: {{ verdict }},", line]
    own, texts = BASE[4] + OWN[0], list[str]()
    face = faces([replace(entry, permit=True) for entry in _rows(random.Random(9), 4, own, 30, apart=True)], own)
    for at, body in enumerate(bodies):
        made.write_text(stock.replace(line, body))
        root = tmp_path / str(at)
        (root / "configlets").parent.mkdir()
        made.parent.parent.rename(root / "configlets")
        made.parent.mkdir(parents=True)
        nft = platform("nftables", root)
        table, six = host((), ["10.0.0.64/32"]), host((), ["10.0.0.64/32"], 6)
        texts.append(render("ogw1", nft, "filter-table", [replace(table, rows=Faced((), face)), six]).text)
    assert texts[0].replace(" # x", "") == texts[1] == texts[2] and texts[0].count(" # x") > 10


@pytest.mark.parametrize("count", [1, 9])
def test_what_a_platform_puts_into_names_of_rules_is_looked_at_as_they_are(count: int) -> None:
    said, base = NFT.kinds["filter-table"], BASE[4]
    texts = []
    for sign in ("'", '" : accept,\n'):
        style = {**said.operands["text"], "replace": {"$": sign}}
        kind = replace(said, operands={**said.operands, "text": style})
        nft = replace(NFT, kinds={**NFT.kinds, "filter-table": kind})
        entries = [row(f"permit tcp 10.9.0.{n} 10.0.0.64 to 22", name=f"r{n}$x") for n in range(count)]
        table, six = host((), ["10.0.0.64/32"]), host((), ["10.0.0.64/32"], 6)
        for rows in (tuple(entries), Faced((), faces(entries, base + OWN[0]))):
            try:
                texts.append(render("ogw1", nft, "filter-table", [replace(table, rows=rows), six]).text)
            except Refused as refused:
                texts.append(str(refused))
    assert texts[0] == texts[1] and "comment \"r0'x\"" in texts[0]
    assert all("would be written into a configuration" in text for text in texts[2:])


@pytest.mark.parametrize("family", FAMILIES)
def test_of_icmp_only_requests_are_looked_up_and_by_their_types_where_somebody_asks_for_one(family: Family) -> None:
    base, echo = BASE[family], (8 if family == 4 else 128) << 8
    own = (base + OWN[0],) * 2
    every, errors, request = (
        Entry(True, (ICMP[family], own, (base + 700 + n,) * 2, types, ANY_PORT, ANY_BIT, (0, 0)), RULES[0])
        for n, types in enumerate((ANY_PORT, (768, 1023), (echo, echo + 255)))
    )
    name = f"in_{address_text(family, own[0])}".translate(str.maketrans(".:", "__"))
    cases = ((every,), "proto", 1), ((errors,), "", 0), ((every, errors), "icmp", 1), ((request, errors, every), "icmp", 2)
    for found, stage, count in cases:
        for rows in (found, Faced((), faces(found, own[0]))):
            lines = _text(family, rows, OWN[:1]).splitlines()
            assert [line.split()[1] for line in lines if line.startswith(f"\tmap {name}")] == [f"{name}_{stage}"][:count]
            assert sum(line.startswith("\t\t\t") and " : accept" in line for line in lines) == count
