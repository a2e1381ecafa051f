"""What the analysis says of a rule is what brute force says of it: no finding is false, and none is missed."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from configlet import rules, workspace
from configlet.analyse import analyse
from configlet.analyse.blocks import packet_in
from configlet.analyse.confirm import Ask, firsts
from configlet.analyse.cover import Meter
from configlet.analyse.judge import judge
from configlet.analyse.spaces import repeated, spaces_of
from configlet.analyse.verdicts import Verdicts
from configlet.model.inventory import Inventory
from configlet.model.policy import Packet, Policy
from tests.laws.analysis_hostile import judged, policy_of
from tests.laws.analysis_lists import REALMS, Truth, cells_of, matches, packets, random_policy

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 24)


def spares(found: Verdicts, kind: str) -> set[int]:
    return {number for number, spare in found.spare.items() if spare.kind == kind}


def agree(policy: Policy) -> Counter[str]:
    """Every verdict of one policy against brute force, both ways; what was seen."""
    found, truth = judge(policy, Meter()), Truth(policy)
    assert not found.undecided
    assert set(found.dead) == truth.dead()
    assert spares(found, "redundant") | spares(found, "guard") == set.union(*truth.spare())
    assert spares(found, "redundant") == truth.spare()[0]
    seen = Counter(dead=len(found.dead), redundant=len(truth.spare()[0]), guard=len(truth.spare()[1]))
    for number in range(len(policy.rules)):
        taken = truth.taken(number)
        assert set(found.taken.get(number, {})) == taken, number
        assert found.crossing.get(number, set()) == truth.crossing(number, taken)
        seen["taken"] += bool(taken)
        seen["crossing"] += bool(truth.crossing(number, taken))
    _sets_are_least(found, truth)
    gone = frozenset({*found.dead, *spares(found, "redundant")})
    assert truth.permitted(gone) == truth.permitted(), "all that is dead or redundant can go together"
    return seen


def _sets_are_least(found: Verdicts, truth: Truth) -> None:
    for number, dead in found.dead.items():
        assert all(other < number for other in dead.by)
        own = [other for other in dead.by if not truth.policy.rules[other].place]
        spoken = truth.cells[number] & ~(0 if own else truth.closed)
        assert not spoken & ~truth.union(dead.by) if own else _least(truth, spoken, dead.by)
        assert dead.least
        decide = [other for other in dead.by if truth.decided[other] & truth.cells[number]]
        assert own or (dead.decide and len(decide) == len(dead.by)), "each that is named decides some of it"
    for number, spare in found.spare.items():
        if spare.kind == "redundant":
            assert all(other > number for other in spare.by)
            assert _least(truth, truth.decided[number], spare.by)


def _least(truth: Truth, cells: int, by: tuple[int, ...]) -> bool:
    enough = not cells & ~truth.union(by)
    return enough and all(cells & ~truth.union(set(by) - {one}) for one in by)


def test_each_verdict_of_random_policies_is_what_brute_force_says() -> None:
    seen = Counter[str]()
    for seed in range(400):
        seen += agree(random_policy(random.Random(seed)))
    assert min(seen[kind] for kind in ("dead", "redundant", "guard", "taken", "crossing")) > 20, seen


def test_with_any_budget_what_is_said_is_true_and_the_rest_is_undecided() -> None:
    undecided = said = 0
    for seed in range(150):
        dice = random.Random(seed)
        policy = random_policy(dice)
        truth = Truth(policy)
        found = judge(policy, Meter(left=dice.choice([0, 5, 20, 60]), question=dice.choice([1, 3, 50]), walk=1))
        assert set(found.dead) <= truth.dead()
        gone = frozenset({*found.dead, *spares(found, "redundant")})
        assert truth.permitted(gone) == truth.permitted()
        missing = truth.dead() - set(found.dead)
        assert missing <= set(found.undecided), "nothing is passed over in silence"
        for number, taken in found.taken.items():
            assert set(taken) == truth.taken(number)
        for number in range(len(policy.rules)):
            if truth.taken(number) and number not in found.taken:
                assert number in found.undecided
        undecided, said = undecided + len(found.undecided), said + len(found.dead) + len(found.live) + len(found.lone)
    assert undecided > 100
    assert said > 100


@cache
def dc1() -> Inventory:
    return workspace.load(ROOT, "dc1", TODAY).inventory


def test_every_packet_that_is_shown_is_decided_by_the_rule_that_is_named() -> None:
    shown = Counter[str]()
    for seed in range(200):
        policy = random_policy(random.Random(seed))
        for finding in analyse(replace(dc1(), policy=()), policy, TODAY).findings:
            assert finding.kind != "undecided"
            shown[finding.kind] += len(finding.packets)
            for each in finding.packets:
                assert each.by is not None
    assert min(shown[k] for k in ("fully-shadowed", "partly-shadowed", "contradicting", "redundant", "guard")) >= 8, shown


def test_cells_are_the_packets_that_match() -> None:
    for seed in range(5):
        for rule in random_policy(random.Random(seed)).rules:
            every = [packet for realm in REALMS for family in (4, 6) for packet in packets(realm, family)]
            assert cells_of(rule) == sum(1 << at for at, packet in enumerate(every) if matches(rule, packet))


def first(policy: Policy, packet: Packet) -> int | None:
    return next((n for n, rule in enumerate(policy.rules) if matches(rule, packet)), None)


def test_the_first_match_that_confirms_is_the_first_match_rule_by_rule() -> None:
    decided = 0
    for seed in range(60):
        dice = random.Random(seed)
        policy = random_policy(dice)
        every = [packet for realm in REALMS for family in (4, 6) for packet in packets(realm, family)]
        asks = [Ask(p, frozenset(dice.sample(range(len(policy.rules)), dice.choice([0, 1])))) for p in dice.sample(every, 300)]
        for ask, number in firsts(policy, asks).items():
            there = (n for n, rule in enumerate(policy.rules) if n not in ask.without and matches(rule, ask.packet))
            assert number == next(there, None)
            decided += number is not None
    assert decided > 5_000


def test_the_parts_that_are_found_are_decided_as_was_said() -> None:
    for seed in range(200):
        policy = random_policy(random.Random(seed))
        found = judge(policy, Meter())
        for number, (space, part) in {**found.live, **found.lone}.items():
            assert first(policy, packet_in(part, space.realm, space.family)) == number
        for taken in found.taken.values():
            for owner, (space, part) in taken.items():
                assert first(policy, packet_in(part, space.realm, space.family)) == owner


def test_after_what_was_found_is_removed_nothing_more_is_found() -> None:
    for seed in range(100):
        policy = random_policy(random.Random(seed))
        found = judge(policy, Meter())
        gone = {*found.dead, *spares(found, "redundant")}
        left = Policy(tuple(r for n, r in enumerate(policy.rules) if n not in gone), REALMS)
        again = judge(left, Meter())
        assert not again.dead and not spares(again, "redundant")


def test_what_is_alike_in_two_realms_is_asked_once() -> None:
    again = total = 0
    for seed in range(100):
        spaces = spaces_of(random_policy(random.Random(seed)))
        for base, other in product(spaces, spaces):
            if base is not other and base.family == other.family:
                again, total = again + len(repeated(base, other)), total + len(other.blocks)
    assert 0.05 < again / total < 0.9


def test_the_universe_of_the_laws_has_every_service_that_its_rules_name() -> None:
    assert len(list(packets("blue", 4))) == 25 * 21
    assert {p.proto for p in packets("blue", 6)} == {6, 17, 58, 89}


@pytest.mark.parametrize(("kind", "count"), [("hostile", 100), ("sets", 400)])
def test_long_policies_are_judged_as_decision_diagrams_and_first_match_do(kind: str, count: int) -> None:
    policy = policy_of(kind, count)
    found = judge(policy, Meter())
    assert not found.undecided
    assert judged(policy, found) > 100
    less = judge(policy, Meter(left=3_000, question=40, walk=50))
    assert judged(policy, less) > 20
    assert set(less.dead) <= set(found.dead)
    assert set(found.dead) - set(less.dead) <= set(less.undecided)


@pytest.mark.parametrize("site", ["dc1"])
def test_the_sample_site_has_no_finding_but_its_guards(site: str) -> None:
    inventory = workspace.load(ROOT, site, TODAY).inventory
    found = analyse(inventory, rules.expand(inventory), TODAY)
    assert {finding.kind for finding in found.findings} == {"guard"}
    assert all(finding.level == "ignore" for finding in found.findings)


def test_without_what_is_ignored_everything_else_is_said() -> None:
    seen = Counter[str]()
    for level in ("ignore", "warning"):
        severity = ("partly-shadowed", level), ("too-wide", "ignore"), ("unused-name", level)
        inventory = replace(dc1(), policy=(), severity=severity)
        for seed in range(60):
            policy = random_policy(random.Random(seed))
            every, told = (analyse(inventory, policy, TODAY, ignored=ignored) for ignored in (True, False))
            assert told.findings == tuple(finding for finding in every.findings if finding.level != "ignore")
            seen.update(f"{finding.kind} {finding.level}" for finding in every.findings)
    assert min(seen[f"{kind} ignore"] for kind in ("guard", "partly-shadowed", "too-wide", "unused-name")) > 5, seen
