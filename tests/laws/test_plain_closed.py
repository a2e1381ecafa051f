"""Law: a list made at one look is that made row by row, where closed sets are cut and where all protocols pass."""

from __future__ import annotations

import pytest

from configlet.fit import sides as sides_of
from configlet.fit.acl import acl_rows
from configlet.fit.glance import as_they_are
from configlet.fit.law import Scope, routed
from configlet.fit.sides import Sides
from configlet.model.block import items
from configlet.model.gate import Law
from configlet.model.inventory import Term
from configlet.model.net import Addresses, Span
from configlet.model.policy import Policy, Rule
from configlet.packets.blocks import blocks

BASE = 10 << 24
ANYBODY = (0, (1 << 32) - 1)
HIGH = (1024, 65535)


def ends(*spans: Span) -> Addresses:
    return Addresses((("prod", 4, spans),))


def closing(*spans: Span) -> list[Rule]:
    pairs = ((ends(ANYBODY), ends(*spans)), (ends(*spans), ends(ANYBODY)))
    name = "infrastructure addresses"
    return [Rule(name, "infrastructure", "deny", src, dst, (Term(None),), False, None) for src, dst in pairs]


def allow(name: str, src: Addresses, dst: Addresses, port: int | None = None) -> Rule:
    term = Term(None) if port is None else Term(6, HIGH, (port, port))
    return Rule(name, "policy", "allow", src, dst, (term,), False, None)


def same(rules: list[Rule], scope: Scope, direction: str) -> bool:
    """Whether the list at one look is the one row by row; True of one that is not made so says nothing."""
    made = routed(Sides(4, blocks(Policy(tuple(rules), ("prod",)), "prod", 4)), scope, direction)
    law = Law(4, made.lists)
    return items(acl_rows(law, made)) == items(acl_rows(law)) and as_they_are(4, made) is not None


@pytest.mark.parametrize("direction", ["in", "out"])
@pytest.mark.parametrize("closed", [1, 7, 9, 70])
def test_rows_behind_what_is_closed_go_where_a_gate_has_many_prefixes(
    closed: int, direction: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sides_of, "LISTS", 0)
    monkeypatch.setattr(sides_of, "SHARE", 1000)
    scope = tuple((BASE + 256 * n, BASE + 256 * n + 200) for n in range(9))
    shut = [(BASE + 100_000 + 2 * n,) * 2 for n in range(closed)]
    rules = closing(*shut)
    for n in range(12):
        mine = ends(scope[n % 9])
        rules += allow(f"a{n}", mine, ends((BASE + 200_000, BASE + 200_255)), 80 + n), allow(f"c{n}", mine, ends(shut[0]), 80 + n)
    assert same(rules, Scope(scope, (), False), direction)


def test_the_reply_of_a_row_that_meets_a_permit_of_all_protocols_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides_of, "LISTS", 0)
    monkeypatch.setattr(sides_of, "SHARE", 1000)
    gate, mine, others = BASE + 2000, (BASE, BASE + 255), (BASE + 256, BASE + 511)
    rules = [*closing((gate, gate)), allow("any", ends((gate, gate)), ends(mine))]
    rules.append(allow("p", ends((gate, gate + 1)), ends(mine), 80))
    for n in range(12):
        there = ends((BASE + 1024 + n,) * 2)
        rules += allow(f"x{n}", ends(others), there, n + 1), allow(f"y{n}", ends(mine), there, n + 1)
    made = routed(Sides(4, blocks(Policy(tuple(rules), ("prod",)), "prod", 4)), Scope((mine,), (), False), "in")
    law = Law(4, made.lists)
    assert items(acl_rows(law, made)) == items(acl_rows(law))
    assert same(rules, Scope((mine,), (), False), "out")
