"""Two readings of the design agree: the expanded rules with the verdict of one packet, and the naive oracle."""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from configlet.fit.law import Laws
from configlet.model.gate import Capability, Direction, Gate
from configlet.model.inventory import External, Inventory, Segment
from configlet.model.net import Family
from configlet.model.policy import Entry, Packet
from configlet.model.problem import Refused
from configlet.packets.boxes import packet_text
from configlet.packets.entries import entries
from configlet.packets.verdict import first, passes
from configlet.rules import expand
from configlet.workspace import load
from tests.oracle.brute import Oracle, Routed, gate_passes
from tests.oracle.dice import Pool, inventory

ROOT = Path(__file__).parents[2]
DAY = date(2026, 11, 24)
FULL = bool(os.environ.get("CONFIGLET_TEST_FULL"))
NONE = Capability((), True, False, (4, 6), (), 9999, True, "atomic", "operator")


@cache
def dc1() -> Inventory:
    return load(ROOT, "dc1", DAY).inventory


class Product:
    """The product's verdict of one packet."""

    def __init__(self, site: Inventory) -> None:
        policy = expand(site)
        self.laws = Laws(site, policy)
        self.entries = cache(lambda realm, family: entries(policy, realm, family))

    def judge(self, packet: Packet) -> Entry | None:
        return first(self.entries(packet.realm, packet.family), packet)


def compare(site: Inventory, seed: int, count: int) -> Counter[str]:
    """How often each step of the order decided; every packet judged the same by both."""
    oracle, product = Oracle(site), Product(site)
    pool, seen = Pool(oracle, random.Random(seed)), Counter[str]()
    for _ in range(count):
        packet = replace(pool.packet(), fragment=False)
        said, entry = oracle.judge(packet), product.judge(packet)
        permitted = entry is not None and entry.permit
        assert permitted == said.allow, (packet_text(packet), packet.realm, said, entry)
        name = entry.rule.name if entry else "default deny"
        assert name == said.name, (packet_text(packet), packet.realm)
        seen[f"{said.level} {said.allow}"] += 1
    return seen


def test_twenty_thousand_packets_at_the_edges_of_dc1_get_the_same_verdict_by_the_same_rule() -> None:
    seen = compare(dc1(), 1, 20_000)
    assert seen["failsafe True"] > 30, seen
    steps = ["infrastructure True", "closed False", "policy True", "policy False", "intra True"]
    assert min(seen[step] for step in [*steps, "default False"]) > 60, seen


def tiny(seed: int) -> Inventory | None:
    """A random small inventory, unless the product refuses it."""
    site = inventory(random.Random(seed))
    try:
        expand(site)
    except Refused:
        return None
    return site


def test_random_small_policies_get_the_same_verdict_by_the_same_rule() -> None:
    seen, sites = Counter[str](), 0
    for seed in range(160):
        site = tiny(seed)
        if site is not None:
            sites += 1
            seen += compare(site, seed, 60)
    assert sites > 40
    assert min(seen[step] for step in ("policy True", "policy False", "intra True", "closed False")) > 100, seen


def routed(site: Inventory) -> list[Routed]:
    segments: list[Segment | External] = [s for s in site.segments if s.gateways]
    things = [(thing,) for thing in (*segments, *site.externals)]
    ways: tuple[Direction, Direction] = ("in", "out")
    return [Routed(way, thing) for thing in things for way in ways if way != "both"]


def gate_of(way: Routed, family: Family) -> Gate:
    names = tuple(thing.name for thing in way.things)
    name = f"x/{names[0]}/{way.direction}/v{family}"
    return Gate(name, "x", "eos", "acl", names[0], way.direction, (family,), way.things[0].realm, names, NONE)


def compare_gates(site: Inventory, seed: int, count: int) -> Counter[tuple[str, bool]]:
    """Each gate's law against the oracle, with packets of the gate's realm."""
    oracle, product = Oracle(site), Product(site)
    pool, seen = Pool(oracle, random.Random(seed)), Counter[tuple[str, bool]]()
    for way in routed(site):
        for _ in range(count):
            nets = [net for thing in way.things for net in thing.prefixes]
            packet = replace(pool.near(nets), realm=way.things[0].realm)
            law = product.laws.routed(gate_of(way, packet.family), packet.family)
            expected = gate_passes(oracle, way, packet)
            got, entry = passes(law, packet)
            assert got == expected, (
                way.direction,
                way.things[0].name,
                packet_text(packet),
                oracle.judge(packet),
                entry,
            )
            seen[way.direction, got] += 1
    return seen


def test_the_laws_of_dc1s_routed_gates_pass_what_the_design_says() -> None:
    seen = compare_gates(dc1(), 2, 700 if FULL else 450)
    assert min(seen[way, got] for way in ("in", "out") for got in (True, False)) > 100, seen


def test_the_laws_of_random_routed_gates_pass_what_the_design_says() -> None:
    seen = Counter[tuple[str, bool]]()
    for seed in range(200, 260 if FULL else 225):
        site = tiny(seed)
        if site is not None:
            seen += compare_gates(site, seed, 60)
    assert min(seen[way, got] for way in ("in", "out") for got in (True, False)) > 200, seen


@pytest.mark.parametrize("test", range(20))
def test_the_oracle_meets_the_expectations_that_dc1_writes_itself(test: int) -> None:
    site = dc1()
    oracle, asked = Oracle(site), site.tests[test]
    own = tuple(oracle.own())
    dice = random.Random(test)
    sources = [w for w in oracle.places(asked.source, source=True) if w not in own]
    targets = [w for w in oracle.places(asked.destination, source=False) if w not in own]
    verdicts = set()
    for _ in range(200):
        (realm, src), (other, dst) = dice.choice(sources), dice.choice(targets)
        term = dice.choice(asked.service.terms)
        if src.version != dst.version or term.family not in (None, src.version) or (realm and other and realm != other):
            continue
        family: Family = 4 if src.version == 4 else 6
        ends = [dice.randint(int(net.network_address), int(net.broadcast_address)) for net in (src, dst)]
        ports = dice.randint(*term.sport), dice.randint(*term.dport)
        packet = Packet(realm or other or "trading", family, 6 if term.proto is None else term.proto, *ends, *ports)
        answer = oracle.judge(packet)
        if answer.level != "closed":
            verdicts.add(answer.allow)
    assert verdicts == {asked.expect == "allow"}
