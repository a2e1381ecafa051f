"""Law: rows that are told apart in bulk share no packet, whatever else is in their list."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations

from configlet.model.net import Span
from configlet.packets.apart import BROAD, doubtful, linked

TOP = 1 << 128


def _doubtful(ends: Sequence[Span], protos: Sequence[Span], ports: Sequence[Span]) -> set[int]:
    by: dict[Span, list[int]] = {}
    for number, proto in enumerate(protos):
        by.setdefault(proto, []).append(number)
    return doubtful(by, ends, ports)


def _span(dice: random.Random, most: int, widths: tuple[int, ...]) -> Span:
    low = dice.randrange(most)
    return low, min(most, low + dice.choice(widths))


def _share(a: Span, b: Span) -> bool:
    return not set(range(a[0], a[1] + 1)).isdisjoint(range(b[0], b[1] + 1))


def test_spans_of_different_groups_share_no_value_and_those_of_one_hang_together() -> None:
    dice = random.Random(1)
    alone = several = 0
    for _ in range(3000):
        spans = [_span(dice, 60, (0, 0, 0, 1, 3, 9)) for _ in range(dice.randrange(12))]
        groups = linked(spans)
        at = {number: which for which, group in enumerate(groups) for number in group}
        assert sum(map(len, groups)) == len(at) and all(group == sorted(group) and len(group) > 1 for group in groups)
        for a, b in combinations(range(len(spans)), 2):
            assert not _share(spans[a], spans[b]) or (a in at and at[a] == at.get(b))
        for group in groups:
            assert all(any(_share(spans[n], spans[m]) for m in group if m != n) for n in group)
        alone += len(spans) - len(at)
        several += len(groups)
    assert min(alone, several) > 2000


def test_rows_that_are_not_doubtful_share_no_packet_with_any_other() -> None:
    dice = random.Random(2)
    told = sharing = 0
    for _ in range(4000):
        count, top = dice.randrange(2, 12), dice.choice((20, 200))
        rows = [
            (
                _span(dice, top, (0, 0, 0, 1, 7, top)),
                dice.choice(((6, 6), (6, 6), (17, 17), (0, 255), (5, 7))),
                _span(dice, dice.choice((30, 30, 2 * BROAD)), (0, 0, 2, BROAD - 1, BROAD, 2 * BROAD)),
            )
            for _ in range(count)
        ]
        doubted = _doubtful(*([row[level] for row in rows] for level in range(3)))
        assert doubted <= set(range(count))
        for a, b in combinations(range(count), 2):
            if all(x[0] <= y[1] and y[0] <= x[1] for x, y in zip(rows[a], rows[b], strict=True)):
                assert {a, b} <= doubted, (rows[a], rows[b])
                sharing += 1
        told += count - len(doubted)
    assert min(told, sharing) > 3000


def test_a_few_rows_that_share_something_put_no_doubt_on_the_others() -> None:
    ends = [(n << 8, (n << 8) + 255) for n in range(100)]
    ports = [(1000 + 3 * n, 1001 + 3 * n) for n in range(100)]
    protos = [(6, 6)] * 100
    assert _doubtful(ends, protos, ports) == set()
    assert _doubtful([*ends, ends[7]], [*protos, (6, 6)], [*ports, ports[7]]) == {7, 100}
    assert _doubtful([*ends, ends[7]], [*protos, (6, 6)], [*ports, ports[8]]) == set()
    assert _doubtful([*ends, ends[7], (TOP, TOP)], [*protos, (0, 255), (0, 255)], [*ports, (0, 65535), (0, 65535)]) == {7, 100}
    assert _doubtful(ends, protos, [(443, 443)] * 100) == set()
    assert _doubtful([], [], []) == set()
