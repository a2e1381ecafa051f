"""Law: what is found for a host's whole list at once is what is found row by row."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

import configlet.fit.budget as budgets
import configlet.fit.host as hosts
from configlet.fit.clip import Whole, meeting, needed, permitted
from configlet.fit.law import ITSELF, at_locals
from configlet.model.block import Block, items, listed, sets_of
from configlet.model.gate import Law
from configlet.model.net import Addresses, Span, Spans, merge
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DST, SRC, Entry, Rule
from configlet.packets.blocks import Item, cut
from configlet.packets.sets import touch
from tests.builders import host

BASE = {4: 0x0A000000, 6: 0x20010DB8 << 96}
ENDS: Spans = ((0, 255), (0, 127), (64, 64), (65, 65), (60, 67), (256, 511), (300, 300), (310, 310), (0, 1023))
NONE = Addresses()


def rule(name: str, origin: str, permit: bool, log: bool) -> Rule:
    return Rule(name, origin, "allow" if permit else "deny", NONE, NONE, (), log, None)  # type: ignore[arg-type]


def _ports(dice: random.Random) -> Span:
    low = dice.choice((22, 80, 443, dice.randrange(1, 60_000), dice.randrange(1, 60_000)))
    return dice.choice((ANY_PORT, (low, low), (low, low), (low, low + 9), (low, min(65535, low + 2000))))


def item(
    dice: random.Random, base: int, number: int, origin: str = "policy", permits: float = 0.85, calm: bool = False
) -> Item:
    permit = dice.random() < permits
    proto = dice.choice((ANY_PROTO, (6, 6), (6, 6), (6, 6), (17, 17), (1, 1), (47, 47), (20, 30)))
    if calm and dice.random() < 0.98:
        port, ends = dice.randrange(1, 60_000), [dice.choice(ENDS) for _ in range(2)]
        some = [(base + low, base + high) for low, high in ends]
        box = (dice.choice(((6, 6), (17, 17))), *some, (port, port + dice.choice((0, 0, 5))), ANY_PORT, ANY_BIT, (0, 0))
        return Entry(permit, box, rule(f"r{number}", origin, permit, dice.random() < 0.2))  # type: ignore[arg-type]
    ported = proto in ((6, 6), (17, 17))
    first, second = ((base + low, base + high) for low, high in (dice.choice(ENDS), dice.choice(ENDS)))
    sport = (1024, 65535) if ported and dice.random() < 0.1 else ANY_PORT
    box = (proto, first, second, _ports(dice) if ported else ANY_PORT, sport, ANY_BIT, (0, 0))
    entry = Entry(permit, box, rule(f"r{number}", origin, permit, dice.random() < 0.2))
    if dice.random() > 0.2:
        return entry
    more = [merge((base + low, base + high) for low, high in dice.sample(ENDS, 3)) for _ in range(2)]
    ports = merge(_ports(dice) for _ in range(2)) if ported else (ANY_PORT,)
    made = Block((box[:1], more[0], more[1], ports, (sport,), (ANY_BIT,), ((0, 0),)), entry)
    return made if made.count > 1 else entry


def _own(dice: random.Random, base: int) -> list[int]:
    return sorted(base + n for n in dice.sample((64, 65, 300, 310), dice.choice((1, 1, 1, 2, 3))))


def _law(dice: random.Random, family: int) -> Law:
    """What the network needs, what it keeps closed, and what the operator wrote, at one to three addresses."""
    base, whole = BASE[family], (0, (1 << (32 if family == 4 else 128)) - 1)
    mine = _own(dice, base)
    own = [Entry(True, (ANY_PROTO, (a, a), (a, a), ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), ITSELF) for a in mine]
    network = [item(dice, base, n, "infrastructure", 1.0) for n in range(dice.randrange(3))]
    gates = tuple((base + n, base + n) for n in sorted(dice.sample(range(1024), dice.randrange(1, 40))))
    own_addresses = rule("own", "infrastructure", False, False)
    closed = Entry(False, (ANY_PROTO, gates[0], whole, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), own_addresses)
    sets = sets_of(closed)
    shut = [Block((sets[0], *ends, *sets[3:]), closed) for ends in ((gates, (whole,)), ((whole,), gates))]
    calm = dice.random() < 0.6
    written = [item(dice, base, n, calm=calm) for n in range(dice.choice((2, 10, 60)))]
    if dice.random() < 0.1:
        written = [one if isinstance(one, Block) else one.over((*one.box[:6], (0, 1))) for one in written]
    every = Whole([*network, *(shut if len(gates) > 1 else ()), *written])
    spans = merge((a, a) for a in mine)
    found = items(at_locals(every, spans))
    return Law(4 if family == 4 else 6, tuple(map(listed, needed((*(own if dice.random() < 0.8 else ()), *found)))))


def _pieces(whole: Sequence[Item], spans: Spans) -> list[Item]:
    return [piece for item in whole for level in (DST, SRC) for piece in cut(item, level, spans)]


@pytest.mark.parametrize("family", [4, 6])
def test_a_policy_at_a_single_address_is_each_of_its_rules_cut_to_it_both_ways(family: int) -> None:
    dice = random.Random(family)
    pieces = 0
    for _ in range(150):
        rules = [item(dice, BASE[family], n, permits=0.7) for n in range(dice.randrange(40))]
        whole = Whole(rules)
        for one in (BASE[family] + n for n in (64, 65, 300, 64, 2000, 128)):
            found = items(at_locals(whole, ((one, one),)))
            assert list(found) == _pieces(rules, ((one, one),))
            pieces += len(found)
        mixed, here, there = Whole(rules), BASE[family] + 64, BASE[family] + 300
        for spans in (((here, here), (there, there)), ((here, here),), ((here, here), (there, there))):
            assert list(items(at_locals(mixed, spans))) == _pieces(rules, spans)
    assert pieces > 3000


@pytest.mark.parametrize("family", [4, 6])
def test_a_hosts_rows_are_those_that_a_look_at_each_gives(family: int, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(10 + family)
    laws = [_law(dice, family) for _ in range(500)]
    told: list[int] = []
    really: Callable[..., Sequence[int]] = hosts._doubted

    def counted(found: Sequence[Item], own: frozenset[int]) -> Sequence[int]:
        doubted = really(found, own)
        told.append(len(found) - len(doubted))
        return doubted

    monkeypatch.setattr(hosts, "_doubted", counted)
    rows = [items(hosts.host_rows(law)) for law in laws]
    monkeypatch.setattr(hosts, "_doubted", lambda found, own: range(len(found)))
    assert rows == [items(hosts.host_rows(law)) for law in laws]
    assert sum(told) > 1500 and sum(count > 0 for count in told) > 60


def test_a_row_to_two_addresses_of_a_host_that_touch_is_towards_it_whatever_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = ((BASE[4] + n, BASE[4] + n) for n in (64, 65))
    own = [Entry(True, (ANY_PROTO, one, one, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), ITSELF) for one in (a, b)]
    ends = (((a[0], b[1]), a), (a, a))
    plain = rule("r", "policy", True, False)
    rows = [Entry(True, ((6, 6), *pair, (22, 22), ANY_PORT, ANY_BIT, (0, 0)), plain) for pair in ends]
    law = Law(4, ((*own, *rows),))
    found = items(hosts.host_rows(law))
    assert list(found) == [*own, rows[0]]
    monkeypatch.setattr(hosts, "_doubted", lambda found, own: range(len(found)))
    assert found == items(hosts.host_rows(law))


def test_spans_that_meet_others_are_found_as_by_a_look_at_each() -> None:
    dice = random.Random(5)
    kept = 0
    for _ in range(2000):
        some, others = (merge((n, n + dice.randrange(4)) for n in dice.sample(range(120), dice.randrange(25))) for _ in range(2))
        found = tuple(span for span in some if any(touch((span,), (other,)) for other in others))
        assert meeting(some, others) == found
        kept += len(found)
    assert kept > 3000


def test_the_networks_denies_keep_the_addresses_that_permits_speak_of() -> None:
    dice = random.Random(6)
    for _ in range(300):
        law = _law(dice, 4)
        ends = permitted(law.lists)
        for level in (DST, SRC):
            assert ends[level] == merge(s for i in items(law.lists[0]) if i.permit for s in sets_of(i)[level])
        again = needed(items(law.lists[0]))[0]
        assert list(again) == list(items(law.lists[0]))


def test_no_host_costs_more_than_what_is_asked_first() -> None:
    dice = random.Random(7)
    near = apart = 0
    for _ in range(300):
        rows = hosts.host_rows(_law(dice, 4))
        mine = _own(dice, BASE[4])
        table = replace(host((), [f"10.0.{(one >> 8) & 255}.{one & 255}" for one in mine]), rows=rows)
        most, exact = budgets._most(table), budgets.cost(table).held
        assert exact <= most
        near += most <= exact + 8
        tight = replace(table, gate=replace(table.gate, capability=replace(table.gate.capability, capacity=max(exact - 1, 0))))
        fits = replace(table, gate=replace(table.gate, capability=replace(table.gate.capability, capacity=exact)))
        assert not list(budgets.too_large([fits], {})) and len(list(budgets.too_large([tight], {}))) == (exact > 0)
        apart += exact > 0
    assert min(near, apart) > 30
