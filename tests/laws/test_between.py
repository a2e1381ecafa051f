"""Law: the rows of a side that are left are those of the denies that are asked for, whatever was asked before."""

from __future__ import annotations

import random
from collections.abc import Sequence

from configlet.fit.between import Between, Turned
from configlet.model.block import Answers
from configlet.model.net import Addresses, Span, Spans, merge
from configlet.model.policy import ANY_BIT, ANY_PORT, DPORT, DST, Entry, Rule
from configlet.packets.blocks import replies

BASE = 0x0A000000
EACH: list[Span] = [(BASE + number, BASE + number) for number in range(6)]


def _rows(dice: random.Random) -> list[Entry]:
    """Permits of a rule each, between one address and another."""
    every = Addresses()
    rules = [Rule(f"r{n}", "policy", "allow", every, every, (), False, None) for n in range(12)]  # type: ignore[arg-type]
    said = ANY_PORT, (1024, 65535), ANY_BIT, (0, 0)
    return [Entry(True, ((6, 6), dice.choice(EACH), dice.choice(EACH), *said), one) for one in rules]


def _side(rows: Sequence[Entry]) -> tuple[Between, Turned]:
    keys = [row.box[DST:DPORT] for row in rows]
    asked = Between(rows, keys, {(to, start): (to, start) for to, start in keys}, set(keys), single=True)
    return asked, Turned(tuple(replies(rows, 4)), keys, asked, ported=True)


def test_rows_that_are_left_are_those_that_are_left_where_nothing_was_asked_before() -> None:
    dice = random.Random(90)
    fewer = 0
    for _ in range(60):
        rows = _rows(dice)
        kept = _side(rows)
        for _ in range(6):
            denies: list[tuple[Spans, Spans]] = [
                (merge(dice.sample(EACH, 3)), merge(dice.sample(EACH, 3))) for _ in range(dice.randrange(3))
            ]
            at = dice.randrange(2)
            found = kept[at].open(denies)
            assert list(found) == list(_side(rows)[at].open(denies))
            if isinstance(found, Answers):
                assert list(found) == list(replies(found.of, 4))
            fewer += len(found) < len(rows)
    assert fewer > 100
