"""Law: rows that a glance tells apart share no packet, and what is remembered of one owner's text changes no other's."""

from __future__ import annotations

import random
from datetime import date
from itertools import combinations
from pathlib import Path

from configlet.model.net import Span
from configlet.model.policy import ANY_BIT, ANY_PORT, DST, SRC, Entry
from configlet.packets.boxes import meet
from configlet.pipeline.artifacts import each_artifact
from configlet.pipeline.site import open_site
from configlet.render.filter_maps import _Chain, span_text
from configlet.render.filter_table import _slug
from tests.builders import platform, row

ROOT = Path(__file__).parents[2]
HERE: Span = (10, 10)
RULE = row("permit tcp any any").rule


def _span(dice: random.Random, top: int) -> Span:
    low = dice.randrange(top)
    return (low, min(top, low + dice.choice((0, 0, 1, 3, top))))


def _rows(dice: random.Random) -> list[Entry]:
    protos = dice.choice((((6, 6),), ((17, 17), (0, 255)), ((47, 47), (50, 50), (0, 255))))
    return [
        Entry(
            dice.random() < 0.8,
            (dice.choice(protos), HERE, _span(dice, 40), _span(dice, 30), ANY_PORT, ANY_BIT, (0, 0)),
            RULE,
        )
        for _ in range(dice.randrange(2, 9))
    ]


def test_rows_that_a_glance_tells_apart_share_no_packet() -> None:
    dice = random.Random(3)
    chain = _Chain(platform("nftables").kinds["filter-table"].operands, 4, "in", HERE, DST, SRC)
    apart = uncrossed = 0
    for _ in range(3000):
        rows = _rows(dice)
        for stage in ("ports", "proto", "any"):
            told = chain._told_apart(stage, rows)
            apart += told
            assert not told or not any(meet(a.box, b.box) for a, b in combinations(rows, 2))
        crossed = chain._crossed(rows)
        uncrossed += not crossed
        assert crossed or not any(meet(a.box, b.box) for a, b in combinations(rows, 2) if a.permit != b.permit)
    assert min(apart, uncrossed) > 300


def test_an_owner_after_others_has_the_bytes_that_it_has_alone() -> None:
    site = open_site(ROOT, "dc1", date(2026, 11, 24))
    together = {(a.owner, a.platform): a.text for a in each_artifact(site)}
    for owner in reversed(site.placement.owners):
        span_text.cache_clear()
        _slug.cache_clear()
        for alone in each_artifact(open_site(ROOT, "dc1", date(2026, 11, 24)), {owner}):
            assert alone.text == together[alone.owner, alone.platform]
