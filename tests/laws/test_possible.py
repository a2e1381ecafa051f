"""Law: which rules no packet matches is seen at one look where it is sure, and is what each rule says when it is asked."""

from __future__ import annotations

import random
from importlib import import_module

from configlet.model.inventory import Term
from configlet.model.net import FAMILIES, Addresses, Family, Spans
from configlet.model.policy import Policy, Rule

expand = import_module("configlet.rules.expand")
REALMS = ("a", "b")


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
