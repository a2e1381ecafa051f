"""What `diff`, `query` and `only` say is what the design says of single packets, by an oracle that shares no code."""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import replace
from datetime import date
from functools import cache
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path

from configlet.model.inventory import Inventory, Service, Term
from configlet.model.net import FAMILIES, Addresses, covers, span_of, subtract
from configlet.model.policy import Packet, Rule
from configlet.model.problem import Refused
from configlet.packets.boxes import packet_text, point
from configlet.packets.entries import entries
from configlet.packets.verdict import first
from configlet.pipeline.diff import diff
from configlet.pipeline.ends import as_written
from configlet.pipeline.only import only
from configlet.pipeline.policies import Policies, Set
from configlet.pipeline.query import query
from configlet.pipeline.through import Renaming, read_map, renamed
from configlet.rules import expand, own_addresses
from configlet.workspace import load
from tests.oracle.brute import Oracle, says
from tests.oracle.dice import Pool, inventory

ROOT = Path(__file__).parents[2]
DAY = date(2026, 11, 24)
SITES = 400 if os.environ.get("CONFIGLET_TEST_FULL") else 16
PACKETS = 60


def policies(site: Inventory) -> Policies:
    policy = expand(site)
    return Policies("tiny", site, policy, cache(lambda realm, family: entries(policy, realm, family)))


def tiny(seed: int) -> Inventory | None:
    site = inventory(random.Random(seed))
    try:
        expand(site)
    except Refused:
        return None
    return site


def in_set(found: tuple[Set, ...], packet: Packet) -> bool:
    return any(
        each.realm == packet.realm
        and each.family == packet.family
        and any(all(lo <= v <= hi for (lo, hi), v in zip(box, point(packet), strict=True)) for box in each.boxes)
        for each in found
    )


def packets(site: Inventory, seed: int) -> list[Packet]:
    pool = Pool(Oracle(site), random.Random(seed))
    return [replace(pool.packet(), fragment=False) for _ in range(PACKETS)]


def test_a_packet_is_in_a_diff_if_and_only_if_the_two_policies_judge_it_differently() -> None:
    seen = Counter[str]()
    for seed in range(SITES):
        one, other = tiny(seed), tiny(seed + 10_000)
        if one is None or other is None:
            continue
        if seed % 3:  # most often two versions of one site
            other = replace(one, policy=other.policy[:2] + one.policy[1:])
            if not expandable(other):
                continue
        found = diff(policies(one), policies(other))
        assert not found.unknown
        was, now = Oracle(one), Oracle(other)
        for packet in (*packets(one, seed), *packets(other, seed)):
            before, after = was.judge(packet), now.judge(packet)
            hits = [change for change in found.changes if in_set(change.sets, packet)]
            assert len(hits) == (before.allow != after.allow), packet_text(packet)
            for change in hits:
                assert change.opened == after.allow
                names = [rule.name if rule else "default deny" for rule in (change.before, change.after)]
                assert names == [before.name, after.name], packet_text(packet)
            seen["differs" if hits else "same"] += 1
        assert [c.opened for c in found.changes] == sorted((c.opened for c in found.changes), reverse=True)
    assert min(seen["differs"], seen["same"]) > 30, seen


def expandable(site: Inventory) -> bool:
    try:
        expand(site)
    except Refused:
        return False
    return True


ENDS = ("red", "blue", "green", "world", "r1", "b1", "some", "any", "outside", "prices", "10.0.0.0/25", "fd00:0:0:1::11")
SERVICES = (Service("any", (Term(None),), None), Service("ssh", (Term(6, dport=(22, 22)),), None),
            Service("mix", (Term(6, dport=(20, 30)), Term(17), Term(1, family=4)), None))  # fmt: skip


def test_what_query_says_of_two_ends_holds_for_every_packet_between_them() -> None:
    seen = Counter[str]()
    for seed in range(SITES * 4):
        site = tiny(seed)
        if site is None:
            continue
        dice = random.Random(seed)
        source, target, service = dice.choice(ENDS), dice.choice(ENDS), dice.choice(SERVICES)
        answer = query(policies(site), source, target, service)
        seen[answer.says] += 1
        assert answer.says != "unknown"
        judged = set()
        for packet, allow, own in between(site, dice, source, target, service):
            assert allow == any(in_set(p.sets, packet) for p in answer.passing), packet_text(packet)
            if own:
                continue
            judged.add(allow)
            whole = [p for p in answer.passing if p.whole and speaks(site, p.rules[0], p.service, packet)]
            assert allow or not whole, "every packet of a whole service may begin"
            if answer.says in ("all", "none"):
                assert allow == (answer.says == "all"), packet_text(packet)
        assert answer.says != "never" or not judged
        ends = as_written(site, source, source=True), as_written(site, target, source=False)
        for packet in packets(site, seed)[:20]:
            if not asked(ends, service, packet):
                assert not any(in_set(p.sets, packet) for p in answer.passing), "no answer goes beyond the question"
        for passing in answer.passing:
            seen["whole" if passing.whole else "part"] += 1
    assert min(seen[word] for word in ("some", "none", "whole", "part")) > 5, seen


def speaks(site: Inventory, rule: Rule, service: str, packet: Packet) -> bool:
    """Whether a service of a rule has the packet."""
    lines = [line for line in (*site.failsafe, *site.infrastructure, *site.policy) if line.name == rule.name]
    terms = next((s.terms for line in lines for s in line.services if s.name == service), rule.terms)
    return any(says(packet, term) for term in terms)


def asked(ends: tuple[Addresses, Addresses], service: Service, packet: Packet) -> bool:
    inside = [
        any(lo <= value <= hi for lo, hi in end.of(packet.realm, packet.family))
        for end, value in zip(ends, (packet.src, packet.dst), strict=True)
    ]
    return all(inside) and any(says(packet, term) for term in service.terms)


def between(site: Inventory, dice: random.Random, source: str, target: str, service: Service):
    """Packets of the question, the oracle's verdict, and whether an end that has others too is the network's own there."""
    ends = as_written(site, source, source=True), as_written(site, target, source=False)
    oracle, closed = Oracle(site), own_addresses(site)
    pool = Pool(oracle, dice)
    for _ in range(PACKETS):
        packet = replace(pool.packet(), fragment=False)
        spans = [end.of(packet.realm, packet.family) for end in ends]
        terms = [t for t in service.terms if t.family in (None, packet.family)]
        if not all(spans) or not terms:
            continue
        term = dice.choice(terms)
        proto = packet.proto if term.proto is None else term.proto
        ports = (packet.dport, packet.sport) if term.proto is None else (dice.randint(*term.dport), dice.randint(*term.sport))
        at = [dice.randint(*dice.choice(found)) if dice.random() < 0.7 else dice.choice(dice.choice(found)) for found in spans]
        packet = replace(packet, proto=proto, dport=ports[0], sport=ports[1], src=at[0], dst=at[1])
        taken = closed.of(packet.realm, packet.family)
        own = any(covers(taken, value) and subtract(found, taken) for value, found in zip(at, spans, strict=True))
        if not (own and "outside" in (source, target)):
            yield packet, oracle.judge(packet).allow, own


def test_what_the_networks_own_addresses_may_begin_counts_though_no_rule_of_the_policy_speaks_of_them() -> None:
    seen = 0
    for seed in range(SITES * 4):
        site = tiny(seed)
        if site is None:
            continue
        oracle, own, rules = Oracle(site), own_addresses(site), policies(site)
        for packet in packets(site, seed):
            if not covers(own.of(packet.realm, packet.family), packet.src):
                continue
            said = oracle.judge(packet)
            target = str(ip_address(packet.dst) if packet.family == 4 else IPv6Address(packet.dst))
            answer, found = query(rules, "any", target), only(rules, "any", target, [SERVICES[1]])
            assert said.allow == any(in_set(p.sets, packet) for p in answer.passing), packet_text(packet)
            named = packet.proto == 6 and packet.dport == 22
            assert (said.allow and not named) == any(in_set(each.sets, packet) for each in found.beyond), packet_text(packet)
            seen += said.allow
    assert seen > 5


def test_only_says_no_with_exactly_the_packets_that_pass_and_were_not_named() -> None:
    seen = Counter[bool]()
    for seed in range(SITES * 4):
        site = tiny(seed)
        if site is None:
            continue
        dice = random.Random(seed)
        source, target = dice.choice(("any", "red", "world", "some")), dice.choice(ENDS)
        allowed = [Service("mix", (Term(6, dport=(0, 1023)), Term(17), Term(1, family=4)), None)]
        found, oracle = only(policies(site), source, target, allowed), Oracle(site)
        seen[found.yes] += 1
        for packet, allow, _ in between(site, dice, source, target, SERVICES[0]):
            named = any(
                t.proto == packet.proto and t.dport[0] <= packet.dport <= t.dport[1] and t.family in (None, packet.family)
                for t in allowed[0].terms
            )
            beyond = [each for each in found.beyond if in_set(each.sets, packet)]
            assert len(beyond) == (allow and not named), packet_text(packet)
            assert all(each.rule.name == oracle.judge(packet).name for each in beyond)
    assert min(seen.values()) > 5, seen


def test_a_spent_budget_is_unknown_and_never_the_same_or_yes() -> None:
    site = load(ROOT, "dc1", DAY).inventory
    other = replace(site, policy=site.policy[::-1])
    found = diff(policies(site), policies(other), budget=100)
    assert found.unknown and not found.same
    answer = only(policies(site), "any", "ogw1", list(SERVICES[:1]), budget=10)
    assert answer.unknown and not answer.yes
    assert query(policies(site), "any", "any", SERVICES[0], budget=10).says == "unknown"


def test_a_site_and_its_replica_are_the_same_through_the_map_and_rules_of_all_addresses_stay() -> None:
    site = load(ROOT, "dc1", DAY).inventory
    pairs = (("10.1.10.0/24", "10.2.10.0/24"), ("2001:db8:1:10::/64", "2001:db8:2:10::/64"))
    moves = {}
    for family in FAMILIES:
        old, new = (span_of(ip_network(text)) for text in pairs[family == 6])
        moves[family] = tuple(sorted(((old, new[0] - old[0]), (new, old[0] - new[0]))))
    there = Renaming(moves, {"trading": "trading-b"})
    seen = renamed(policies(site), there)
    assert not diff(policies(site), seen).same
    back = Renaming(moves, {"trading-b": "trading"})
    assert diff(policies(site), renamed(seen, back)).same, "there and back is the same"
    clients = next(e.rule for e in seen.entries("trading-b", 4) if e.rule.name == "clients place orders")
    boxes = [e.box for e in seen.entries("trading-b", 4) if e.rule is clients]
    assert {box[2] for box in boxes} == {span_of(ip_network("10.2.10.0/24"))}
    closed = [e.box for e in seen.entries("trading-b", 4) if e.rule.name == "infrastructure addresses"]
    assert any(box[2] == (0, 2**32 - 1) for box in closed), "all addresses are all addresses"


CHAIN = """prefixes: {10.0.0.0/24: 10.0.1.0/24, 10.0.1.0/24: 10.7.0.0/24, "fd00:0:0:1::/64": "fd00:0:0:9::/64"}
realms: {one: uno}
"""
CYCLE = {"10.0.0.": "10.0.1.", "10.0.1.": "10.7.0.", "10.7.0.": "10.0.0."}


def elsewhere(family: int, value: int) -> int:
    """Where an address goes through the chain: along it, and from its end back to its beginning."""
    text = str(ip_address(value) if family == 4 else IPv6Address(value))
    if family == 4:
        head = text[: text.rindex(".") + 1]
        return int(ip_address(CYCLE.get(head, head) + text[len(head) :]))
    high, low = value >> 64, value & (1 << 64) - 1
    one, nine = (int(IPv6Address(f"fd00:0:0:{n}::")) >> 64 for n in (1, 9))
    return {one: nine, nine: one}.get(high, high) << 64 | low


def test_through_a_map_each_packet_is_judged_as_the_packet_that_it_was(tmp_path: Path) -> None:
    file = tmp_path / "map.yaml"
    file.write_text(CHAIN)
    by, seen = read_map(file), Counter[bool]()
    for seed in range(SITES):
        site = tiny(seed)
        if site is None:
            continue
        there, oracle = renamed(policies(site), by), Oracle(site)
        for packet in packets(site, seed):
            realm = {"one": "uno"}.get(packet.realm, packet.realm)
            ends = [elsewhere(packet.family, end) for end in (packet.src, packet.dst)]
            moved = replace(packet, realm=realm, src=ends[0], dst=ends[1])
            found = first(there.entries(realm, packet.family), moved)
            said = oracle.judge(packet)
            assert (found is not None and found.permit) == said.allow, (packet_text(packet), packet_text(moved))
            assert (found.rule.name if found else "default deny") == said.name
            seen[said.allow] += ends != [packet.src, packet.dst]
    assert min(seen.values()) > 10, seen
