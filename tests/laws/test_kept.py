"""Laws of spans that are kept: few are held, and what is read of texts has the objects that a policy with many lists has."""

from __future__ import annotations

import random

import pytest

from configlet.fit.sides import LISTS, Sides
from configlet.model import net
from configlet.model.net import KEPT, Span, keep
from configlet.model.policy import DPORT, DST, SRC
from configlet.readers.elements import Elements
from configlet.readers.ends import Single, SinglePorts
from configlet.readers.grammar import load
from configlet.readers.names import Names
from tests.builders import platform, rows


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
    ends, ports = Single(4, ("group ",)), SinglePorts(_read, ("group ",), {})
    texts = (("10.3.0.0/24", "host 10.4.0.9", "41234"), ("10.3.0.0/24", "10.4.1.0/24", "41300-41399"))
    for row, said in zip(written, texts, strict=True):
        for at, found in zip((SRC, DST, DPORT), (ends[said[0]], ends[said[1]], ports[said[2]]), strict=True):
            assert found == row.box[at]
            assert (found in KEPT) == (lists > LISTS)
            assert found is KEPT.get(row.box[at], found)
        assert (ports[said[2]] is row.box[DPORT]) == (lists > LISTS)
    keys = Elements(load(platform("nftables").kinds["filter-table"].reader)).keys["ipv4_addr"]
    assert keys["10.3.0.0/24"] == written[0].box[SRC]
    assert (keys["10.3.0.0/24"] is written[0].box[SRC]) == (lists > LISTS)
    KEPT.clear()


def test_ports_that_are_kept_are_known_by_their_texts_as_these_are_read() -> None:
    KEPT.clear()
    spans: list[Span] = [(22, 22), (80, 80), (443, 443), (1, 9), (65535, 65535), (65536, 65536), (0, 0), (0x0A000001, 0x0A000001)]
    keep(spans)
    said = {"proto": {"tcp": 6}, "portname": {6: {"ssh": 22, "80": 8080}, 17: {}}, "icmp": {}}
    names = Names({"names": said, "any": {4: "ip", 6: "ipv6"}, "ported": [6, 17], "icmp_of": {4: 1, 6: 58}})
    tcp, udp = names.kept((6, 6)), names.kept((17, 17))
    assert {*tcp} == {"eq 22", "eq 443", "eq 65535", "eq 0"}  # 80 is a name of TCP
    assert {*udp} == {*tcp, "eq 80"}
    for known, proto in ((tcp, (6, 6)), (udp, (17, 17))):
        for text, span in known.items():
            assert names.ports(text, proto) == [span]
            assert any(span is one for one in spans)
    assert names.kept((1, 1)) == names.kept((0, 255)) == {}  # no ports are theirs
    KEPT.clear()
    ports = SinglePorts(_read, ("group ",), udp)
    assert ports["eq 80"] is udp["eq 80"]
    assert ports[""] == (0, 65535)
    assert ports["81"] == (81, 81)
