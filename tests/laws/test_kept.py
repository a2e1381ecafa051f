"""Laws of spans that are kept: few are held, and what is read of texts has the objects that a policy with many lists has."""

from __future__ import annotations

import random

import pytest

from configlet.fit.sides import LISTS, Sides
from configlet.model import net
from configlet.model.net import KEPT, Span, keep
from configlet.model.policy import DPORT, DST, SRC
from configlet.readers.ends import Single, SinglePorts
from tests.builders import rows


def _read(text: str) -> list[Span]:
    low, _, high = text.partition("-")
    return [(int(low), int(high or low))]


def test_few_are_held_each_by_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(net, "_MOST", 16)
    dice = random.Random(7)
    for _ in range(300):
        some = [(low, low + dice.randrange(3)) for low in (dice.randrange(40) for _ in range(dice.randrange(24)))]
        keep(some)
        assert len(KEPT) <= 16
        assert all(span == kept for span, kept in KEPT.items())
        assert all(KEPT[span] in some for span in some[:16])
    KEPT.clear()


@pytest.mark.parametrize("lists", [1, LISTS + 1])
def test_a_text_has_the_objects_of_a_policy_with_many_lists_and_equal_ones_else(lists: int) -> None:
    KEPT.clear()
    written = rows(["permit tcp 10.3.0.0/24 10.4.0.9 to 41234", "permit udp 10.3.0.0/24 10.4.1.0/24 to 41300-41399"])
    sides = Sides(4, written)
    for _ in range(lists):
        sides.plain(len(written))
    ends, ports = Single(4, ("group ",)), SinglePorts(_read, ("group ",))
    texts = (("10.3.0.0/24", "host 10.4.0.9", "41234"), ("10.3.0.0/24", "10.4.1.0/24", "41300-41399"))
    for row, said in zip(written, texts, strict=True):
        for at, found in zip((SRC, DST, DPORT), (ends[said[0]], ends[said[1]], ports[said[2]]), strict=True):
            assert found == row.box[at]
            assert (found in KEPT) == (lists > LISTS)
            assert found is KEPT.get(row.box[at], found)
        assert (ports[said[2]] is row.box[DPORT]) == (lists > LISTS)
    KEPT.clear()
