"""Laws of blocks: they mean exactly their single rows, cut to a gate, fitted to it, trimmed and compared."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from itertools import product as product_of

import pytest

from configlet.fit.acl import acl_rows
from configlet.fit.host import host_rows
from configlet.fit.law import Scope, at_locals
from configlet.model.block import Block, Listed, items, listed
from configlet.model.gate import Law
from configlet.model.inventory import Term
from configlet.model.net import FAMILIES, Span, addresses
from configlet.model.policy import Entry, Packet, Policy, Rule
from configlet.model.problem import Place, Refused
from configlet.packets import trim
from configlet.packets.atoms import difference
from configlet.packets.blocks import blocks
from configlet.packets.boxes import packet_of
from configlet.packets.entries import entries
from configlet.packets.trim import trimmed
from configlet.packets.verdict import first, passes
from configlet.packets.walk import differ
from configlet.pipeline.site import entries_of
from tests.builders import platform, routed_lists
from tests.laws.analysis_lists import REALMS, random_policy
from tests.laws.made.rules import HERE, NET, packets, permits, policy, product

IOS = platform("ios")
WORD = "acl"


def test_blocks_of_a_policy_mean_its_entries() -> None:
    dice = random.Random(3)
    seen = 0
    for _ in range(40):
        rules = policy(dice, dice.randint(1, 6))
        whole, single = listed(blocks(rules, "r", 4)), entries(rules, "r", 4)
        seen += isinstance(whole, Listed)
        for packet in packets(dice, rules, 120):
            assert permits(whole, packet) == permits(single, packet), packet
    assert seen > 25


def test_the_entries_of_a_site_are_those_of_its_policy_though_they_are_taken_from_its_laws() -> None:
    seen = Counter[type]()
    for seed in range(300):
        rules = random_policy(random.Random(seed))
        for realm, family in product_of(REALMS, FAMILIES):
            made = blocks(rules, realm, family)
            assert entries_of(made, realm, family) == entries(rules, realm, family)
            seen.update(map(type, made))
    assert min(seen.values()) > 100, seen


@pytest.mark.parametrize("match", [False, True])
@pytest.mark.parametrize("direction", ["in", "out"])
def test_laws_and_rows_of_blocks_pass_what_those_of_entries_pass(direction: str, match: bool) -> None:
    dice = random.Random(5)
    scope = Scope((HERE,), (), match)
    kept = 0
    for _ in range(40):
        rules = policy(dice, dice.randint(1, 6))
        law = Law(4, routed_lists(listed(blocks(rules, "r", 4)), scope, direction, 4))
        single = Law(4, routed_lists(entries(rules, "r", 4), scope, direction, 4))
        try:
            rows = acl_rows(law)
        except Refused as error:
            assert match and "Fragments" in str(error)
            rows = None
        kept += isinstance(rows, Listed)
        for packet in packets(dice, rules, 120):
            expected = passes(single, packet)[0]
            assert passes(law, packet)[0] == expected, packet
            if rows is not None:
                assert permits(rows, packet) == expected, packet
    assert kept > 10


def test_rows_of_a_hosts_blocks_are_disjoint_and_pass_what_its_entries_pass() -> None:
    dice = random.Random(7)
    for _ in range(40):
        rules = policy(dice, dice.randint(1, 6))
        mine = ((NET + 16, NET + 16), (NET + 64, NET + 80))
        rows = host_rows(Law(4, (at_locals(listed(blocks(rules, "r", 4)), mine),)))
        single = at_locals(entries(rules, "r", 4), mine)
        for packet in packets(dice, rules, 120):
            hits = [row for row in rows if first([row], packet)]
            assert len(hits) <= 1
            assert any(row.permit for row in hits) == permits(single, packet), packet


def test_lists_over_atoms_differ_exactly_where_their_rows_do() -> None:
    dice = random.Random(11)
    found = {True: 0, False: 0}
    for _ in range(150):
        rules = policy(dice, dice.randint(1, 4))
        one = listed(blocks(rules, "r", 4))
        other = entries(rules, "r", 4)
        if dice.random() < 0.6:
            at = dice.randrange(len(other))
            flipped = replace(other[at], permit=not other[at].permit)
            other = (*other[:at], *((flipped,) if dice.random() < 0.5 else ()), *other[at + 1 :])
        got, expected = difference(4, (one,), other), difference(4, (tuple(one),), other)
        found[got is None] += 1
        assert (got is None) == (expected is None)
        if got is not None:
            packet = packet_of(4, "r", got)  # type: ignore[arg-type]
            assert permits(one, packet) != permits(other, packet), packet
    assert min(found.values()) > 25


def test_rows_that_decide_nothing_are_taken_out_and_the_rest_passes_the_same() -> None:
    dice = random.Random(19)
    top, fewer = (1 << 32) - 1, 0
    for _ in range(150):
        rules = policy(dice, dice.randint(1, 4))
        rows = []
        for entry in entries(rules, "r", 4):
            wide = entry.box[3] == entry.box[4] == (0, 65535)
            fragment = dice.choice([(0, 0), (0, 1), (1, 1)]) if wide else (0, 0)
            rows.append(entry.over((*entry.box[:6], fragment)))  # type: ignore[arg-type]
        every = ((0, 255), (0, top), (0, top), (0, 65535), (0, 65535), (0, 1))
        for _ in range(dice.randint(0, 2)):
            line = replace(rows[0], permit=dice.random() < 0.4, box=(*every, dice.choice([(1, 1), (1, 1), (0, 1)])))
            rows.insert(dice.randint(0, len(rows)), line)
        left = trimmed(4, rows)
        fewer += len(left) < len(rows)
        assert differ(4, (rows,), left) is None
        for packet in packets(dice, rules, 40):
            hit, kept = first(rows, packet), first(left, packet)
            assert (hit is not None and hit.permit) == (kept is not None and kept.permit), packet
    assert fewer > 60


def test_of_many_denies_only_what_a_later_permit_meets_is_kept() -> None:
    dice, told = random.Random(31), Counter[str]()
    ends, ports = [(1, 1), (2, 3), (1, 9)], [(22, 22), (22, 22), (80, 90), (80, 80), (0, 65535)]
    protos = [(6, 6), (6, 6), (17, 17), (2, 255), (0, 255)]
    for _ in range(800):
        boxes = [(dice.choice(protos), dice.choice(ends), dice.choice(ends), dice.choice(ports)) for _ in range(7)]
        rows = [trim.Cell(dice.random() < 0.5, (*box, (0, 65535), (0, 1), (0, 0))) for box in boxes]
        left = trim.met(rows)
        assert differ(4, (rows,), left) is None, rows
        told.update(gone=len(rows) - len(left), narrower=len(set(left) - set(rows)))
    assert min(told.values()) > 100, told


@pytest.mark.parametrize("match", [False, True])
def test_rows_and_law_are_equal_over_the_whole_packet_space(match: bool) -> None:
    dice = random.Random(17)
    seen = 0
    for _ in range(60):
        rules = policy(dice, dice.randint(2, 8))
        direction = dice.choice(["in", "out"])
        single = Law(4, routed_lists(entries(rules, "r", 4), Scope((HERE,), (), match), direction, 4))
        law = Law(4, routed_lists(listed(blocks(rules, "r", 4)), Scope((HERE,), (), match), direction, 4))
        try:
            rows = acl_rows(law)
        except Refused:
            continue
        seen += 1
        assert difference(4, single.lists, rows) is None
    assert seen > 20


def test_a_reply_that_a_deny_meets_before_the_permit_around_it_is_still_said() -> None:
    here, there = (addresses([("r", 4, low)]) for low in (HERE, (NET + 512, NET + 767)))
    place = Place("policy.yaml", 1, 3)

    def rule(name: str, action: str, ends: tuple[object, object], term: Term) -> Rule:
        return Rule(name, "policy", action, *ends, (term,), False, place)  # type: ignore[arg-type]

    rules = Policy(
        (
            rule("no shell", "deny", (here, there), Term(6, dport=(22, 22))),
            rule("all out", "allow", (here, there), Term(None)),
            rule("back in", "allow", (there, here), Term(6)),
        ),
        ("r",),
    )
    law = Law(4, routed_lists(entries(rules, "r", 4), Scope((HERE,), (), False), "in", 4))
    assert passes(law, Packet("r", 4, 6, NET + 1, NET + 512, 5000, 22, established=True))[0]
    assert difference(4, law.lists, acl_rows(law)) is None


def test_sets_that_leave_nothing_out_are_the_whole_dimension() -> None:
    top = (1 << 32) - 1
    one = entries(product(1, 1, 1), "r", 4)[0]

    def block(*sources: Span) -> Block[Entry]:
        whole = ((0, 255),), ((0, top),), tuple(sources), ((0, 65535),), ((0, 65535),), ((0, 1),), ((0, 0),)
        return Block(whole, one)

    everything = (one.over(((0, 255), (0, top), (0, top), (0, 65535), (0, 65535), (0, 1), (0, 0))),)
    parts = listed([block((0, 4), (9, top)), block((5, 6), (8, 8)), block((7, 7), (7, 7))])
    assert difference(4, (everything,), parts) is None
    for last in (top - 1, top - 2):
        found = difference(4, (everything,), listed([block((0, 4), (6, last)), block((5, 5), (5, 5))]))
        assert found is not None and found[2] == (last + 1, top)  # type: ignore[index]


def test_rows_that_are_looked_at_one_by_one_are_those_of_the_block() -> None:
    block = Block(
        (((6, 6),), ((1, 1), (3, 4)), ((7, 7), (9, 9)), ((80, 80), (90, 91)), ((0, 65535),), ((0, 1),), ((0, 0),)),
        entries(product(1, 1, 1), "r", 4)[0],
    )
    rows = listed([block, *entries(product(1, 1, 1), "r", 4)])
    assert len(rows) == 9 == len(tuple(rows)) and rows[-1] == tuple(rows)[-1]
    assert [row.box[1:4] for row in rows][:3] == [
        ((1, 1), (7, 7), (80, 80)),
        ((3, 4), (7, 7), (80, 80)),
        ((1, 1), (9, 9), (80, 80)),
    ]
    assert items(rows)[0] is block
