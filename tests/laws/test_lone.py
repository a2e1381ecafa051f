"""Law: rules that are said to have nothing to do with any other share no packet with one, and get the verdicts of all others."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import pytest

from configlet.analyse import lone
from configlet.analyse.blocks import Block
from configlet.analyse.cover import Meter
from configlet.analyse.judge import judge
from configlet.analyse.verdicts import Verdicts
from configlet.model.net import Span, Spans, merge
from configlet.model.policy import Policy
from configlet.packets.apart import BROAD
from tests.laws.analysis_lists import Truth, random_policy

EVERY_PORT: Spans = ((0, 65535),)


def _spans(dice: random.Random, most: int, widths: Sequence[int]) -> Spans:
    def span() -> Span:
        low = dice.randrange(most)
        return low, low + dice.choice(widths)

    return merge(span() for _ in range(dice.choice([1, 1, 1, 2, 4])))


def _blocks(dice: random.Random) -> list[Block]:
    """Some sets of addresses are one object for many blocks, others are equal to them."""
    most = dice.choice([30, 300, 3000])
    ends = [_spans(dice, most, (0, 0, 1, 7, most // 4)) for _ in range(12)]
    widths = (0, 0, 0, 1, BROAD - 1, BROAD, 1 << 24)
    sports: list[Spans] = [EVERY_PORT, EVERY_PORT, ((7, 9),), ((8, 20),)]

    def end() -> Spans:
        found = dice.choice(ends)
        return found if dice.random() < 0.7 else (*found,)

    return [(_spans(dice, 4 * BROAD, widths[: dice.randrange(3, 8)]), end(), end(), dice.choice(sports))
            for _ in range(dice.randrange(1, 14))]  # fmt: skip


def _share(a: Block, b: Block) -> bool:
    """Dimension by dimension, span by span."""
    return all(any(x[0] <= y[1] and y[0] <= x[1] for x in one for y in two) for one, two in zip(a, b, strict=True))


def _rows(blocks: Sequence[Block]) -> lone.Rows:
    """Ends by their identity, as the rules of a policy have them."""
    lows, highs = [service[0][0] for service, _, _, _ in blocks], [service[-1][1] for service, _, _, _ in blocks]
    to, start = {id(dst): dst for _, dst, _, _ in blocks}, {id(src): src for _, _, src, _ in blocks}
    return lone.Rows(lows, highs, [id(dst) for _, dst, _, _ in blocks], [id(src) for _, _, src, _ in blocks], to, start)


def test_blocks_that_are_not_named_share_no_packet_with_any_other() -> None:
    dice, seen = random.Random(5), Counter[str]()
    for _ in range(4000):
        blocks = _blocks(dice)
        named = lone.doubtful(_rows(blocks))
        met = {at for a, b in combinations(range(len(blocks)), 2) if _share(blocks[a], blocks[b]) for at in (a, b)}
        assert met <= named <= set(range(len(blocks)))
        seen.update(met=len(met), named=len(named), alone=len(blocks) - len(named))
    assert seen["met"] > 2000 and seen["alone"] > 5000, seen


def _few(seed: int) -> Policy:
    """A policy with so few rules that some have nothing to do with the others."""
    dice = random.Random(seed)
    policy = random_policy(dice)
    kept = [rule for rule in policy.rules if not rule.place or dice.random() < 0.3]
    return replace(policy, rules=tuple(kept))


def _said(found: Verdicts) -> object:
    dead = {number: one._replace(sample=None) for number, one in found.dead.items()}  # type: ignore[arg-type]
    taken = {number: set(owners) for number, owners in found.taken.items()}
    return dead, taken, found.crossing, found.spare, found.undecided


def test_a_verdict_is_the_same_where_every_rule_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Counter[str]()
    policies = [_few(seed) for seed in range(600)]
    quick = [judge(policy, Meter()) for policy in policies]
    alone = [lone.parted(policy)[0] for policy in policies]
    monkeypatch.setattr(lone, "doubtful", lambda rows: set(range(len(rows.lows))))
    for policy, found, apart in zip(policies, quick, alone, strict=True):
        slow = judge(policy, Meter())
        assert _said(found) == _said(slow)
        asked = {number for number, rule in enumerate(policy.rules) if rule.place}
        assert ({*found.live} | {*found.lone}) & asked == set(slow.live)
        seen.update(f"{policy.rules[n].origin} {policy.rules[n].action}" for n in apart if n in asked)
        truth = Truth(policy)
        for number in set(apart) & asked:
            others = [n for n in range(len(policy.rules)) if n != number and policy.rules[n].place]
            assert not truth.cells[number] & ~truth.closed & truth.union(others)
    assert seen["policy deny"] > 20 and seen["policy allow"] > 20, seen
