"""Law: which rules no packet matches is seen at one look where it is sure, and is what each rule says when it is asked."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from importlib import import_module
from pathlib import Path

import pytest

from configlet.model.inventory import Selector, Term
from configlet.model.net import FAMILIES, Addresses, Family, Spans
from configlet.model.policy import Policy, Rule
from configlet.model.problem import Refused
from configlet.pipeline.site import open_site

expand = import_module("configlet.rules.expand")
REALMS = ("a", "b")
ROOT = Path(__file__).resolve().parents[2]


def _addresses(dice: random.Random, full: float) -> Addresses:
    spans: tuple[Spans, ...] = ((), ((1, 5),), ((1, 5),), ((1, 5),))
    parts: list[tuple[str, Family, Spans]] = []
    for realm in (*REALMS, "unknown"):
        parts += [(realm, f, dice.choice(spans)) for f in FAMILIES if dice.random() < full]
    return Addresses(tuple(parts))


def _rule(dice: random.Random, ends: list[Addresses], plain: float) -> Rule:
    families: tuple[Family, ...] = FAMILIES
    number = dice.choice((1, 1, 1, 2))
    terms = [Term(6) if dice.random() < plain else Term(1, family=dice.choice(families)) for _ in range(number)]
    return Rule("rule", "policy", "allow", dice.choice(ends), dice.choice(ends), tuple(terms), False, None)


def test_rules_that_are_not_doubtful_have_packets() -> None:
    dice, few, impossible = random.Random(5), 0, 0
    for _ in range(3_000):
        ends = [_addresses(dice, dice.choice((0.5, 0.9, 1.0))) for _ in range(dice.randint(1, 4))]
        plain = dice.choice((0.5, 0.9, 1.0))
        rules = [_rule(dice, ends, plain) for _ in range(dice.randint(0, 6))]
        ahead = [_rule(dice, ends, plain) for _ in range(dice.randint(0, 3))]
        behind = [_rule(dice, ends, plain) for _ in range(dice.randint(0, 2))]
        asked = expand._doubtful(Policy((*ahead, *rules, *behind), REALMS), rules, len(ahead))
        wrong = [rule for rule in rules if not expand._possible(rule, REALMS)]
        assert {*map(id, wrong)} <= {*map(id, asked)}
        assert [*map(id, asked)] == [id(rule) for rule in rules if id(rule) in {*map(id, asked)}], "in order"
        few += len(asked) < len(rules)
        impossible += bool(wrong)
    assert few > 300 and impossible > 300


@pytest.mark.parametrize("at", [0, 1, -2, -1])
def test_a_rule_that_no_packet_matches_is_refused_wherever_it_stands(at: int) -> None:
    inventory = open_site(ROOT, "dc1", date(2026, 11, 24)).inventory
    one = inventory.segments[0]
    other = next(segment for segment in inventory.segments if segment.realm != one.realm)
    lines = [*inventory.policy]
    ends = [(Selector(segment.name, (), segment.place),) for segment in (one, other)]
    lines[at] = lines[at]._replace(sources=ends[0], destinations=ends[1], action="allow")
    with pytest.raises(Refused) as refused:
        expand.expand(replace(inventory, policy=tuple(lines)))
    assert [problem.place for problem in refused.value.problems] == [lines[at].place]
