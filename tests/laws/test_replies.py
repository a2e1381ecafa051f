"""Laws of packet space: boxes, the verdict of one packet, and replies."""

from __future__ import annotations

import random

from configlet.model.gate import Law
from configlet.model.net import TOP, Addresses, Family
from configlet.model.policy import Box, Entry, Packet, Rule
from configlet.packets.boxes import full, meet, minus, minus_all, packet_of, packet_text, point
from configlet.packets.reply import reply_list
from configlet.packets.verdict import first, passes, reverse

NOWHERE = Addresses()
RULE = Rule("a rule", "policy", "allow", NOWHERE, NOWHERE, (), False, None)
V4: Family = 4
V6: Family = 6
GROUPS: dict[Family, int] = {4: 0xE0000000, 6: 0xFF << 120}


def edges(family: Family) -> tuple[int, ...]:
    low = 0x0A000000 if family == 4 else 0xFD << 120
    return (0, low, low + 1, low + 255, low + 256, GROUPS[family] - 1, GROUPS[family], GROUPS[family] + 9, TOP[family])


def span(dice: random.Random, values: tuple[int, ...], whole: float = 0.3) -> tuple[int, int]:
    if dice.random() < whole:
        return values[0], values[-1]
    a, b = dice.choice(values), dice.choice(values)
    return min(a, b), max(a, b)


def random_box(dice: random.Random, family: Family) -> Box:
    ends = edges(family)
    proto = dice.choice([(0, 255), (6, 6), (17, 17), (1, 1), (58, 58), (6, 17), (0, 57), (58, 255), (89, 89)])
    ports = (0, 21, 22, 23, 2047, 2048, 2303, 13 * 256, 14 * 256 + 255, 128 * 256, 129 * 256 + 7, 65535)
    fragment = dice.choice([(0, 0), (0, 1), (1, 1)])
    dport, sport = (span(dice, ports, 0.6), span(dice, ports, 0.8)) if fragment == (0, 0) else ((0, 65535),) * 2
    flag = dice.choice([(0, 1), (0, 1), (0, 1), (1, 1), (0, 0)]) if proto == (6, 6) and fragment == (0, 0) else (0, 1)
    return (proto, span(dice, ends), span(dice, ends), dport, sport, flag, fragment)


def random_packet(dice: random.Random, family: Family) -> Packet:
    ports = (0, 1, 21, 22, 23, 24, 65535, 2047, 2048, 2049, 2304, 0, 5, 256 * 13, 256 * 14, 128 * 256, 129 * 256 + 7)
    proto, fragment = dice.choice([1, 6, 6, 17, 58, 89, 5, 7, 2]), dice.random() < 0.2
    src, dst = dice.choice(edges(family)), dice.choice(edges(family))
    if fragment:
        return Packet("r", family, proto, src, dst, fragment=True)
    icmp = 1 if family == 4 else 58
    sport = 0 if proto == icmp else dice.choice(ports)
    return Packet("r", family, proto, src, dst, sport, dice.choice(ports), proto == 6 and dice.random() < 0.6)


def allowed(entries: tuple[Entry, ...], packet: Packet) -> bool:
    hit = first(entries, packet)
    return hit is not None and hit.permit


def may_answer(entries: tuple[Entry, ...], packet: Packet) -> bool:
    """The definition in DESIGN 5.4, word by word."""
    asked = reverse(packet)
    if asked is None or (packet.proto == 6 and not packet.fragment and not packet.established):
        return False
    multicast = asked.dst >> 28 == 14 if packet.family == 4 else asked.dst >> 120 == 0xFF
    return not multicast and allowed(entries, asked)


def test_the_reply_list_permits_exactly_what_answers_something_that_the_list_permits() -> None:
    dice, passed = random.Random(1), 0
    for _ in range(1200):
        family: Family = dice.choice([V4, V6])
        law = tuple(Entry(dice.random() < 0.6, random_box(dice, family), RULE) for _ in range(dice.randint(1, 5)))
        replies = reply_list(law, family)
        for _ in range(25):
            packet = random_packet(dice, family)
            expected = may_answer(law, packet)
            passed += expected
            assert allowed(replies, packet) == expected, (law, packet, replies)
    assert passed > 1000


def test_every_row_of_a_reply_list_remembers_its_rule_and_says_that_it_is_a_reply() -> None:
    rows = reply_list((Entry(True, full(4), RULE), Entry(False, full(4), RULE)), 4)
    assert rows
    assert all(row.reply and row.rule is RULE for row in rows)


def test_new_tcp_is_never_a_reply() -> None:
    for family in (V4, V6):
        rows = reply_list((Entry(True, full(family), RULE),), family)
        new = Packet("r", family, 6, 1, 2, 443, 49152)
        assert not allowed(rows, new)
        assert allowed(rows, Packet("r", family, 6, 1, 2, 443, 49152, established=True))


def test_a_second_reversal_is_the_packet_itself() -> None:
    dice, none = random.Random(2), 0
    for _ in range(3000):
        packet = random_packet(dice, dice.choice([V4, V6]))
        back = reverse(packet)
        none += back is None
        assert back is None or reverse(back) == packet
    assert none


def test_the_answer_of_echo_keeps_its_code_and_what_has_no_answer_has_no_reverse() -> None:
    assert reverse(Packet("r", 4, 1, 1, 2, dport=8 << 8 | 3)) == Packet("r", 4, 1, 2, 1, dport=3)
    assert reverse(Packet("r", 4, 1, 1, 2, dport=13 << 8)) == Packet("r", 4, 1, 2, 1, dport=14 << 8)
    assert reverse(Packet("r", 6, 58, 1, 2, dport=128 << 8)) == Packet("r", 6, 58, 2, 1, dport=129 << 8)
    assert reverse(Packet("r", 4, 1, 1, 2, dport=3 << 8)) is None
    assert reverse(Packet("r", 6, 58, 1, 2, dport=135 << 8)) is None
    assert reverse(Packet("r", 6, 1, 1, 2, dport=5)) == Packet("r", 6, 1, 2, 1, sport=5)


def test_a_law_passes_what_any_of_its_lists_permits_and_names_the_entry() -> None:
    deny, permit = Entry(False, full(4), RULE), Entry(True, full(4), RULE)
    packet = Packet("r", 4, 17, 1, 2, 3, 4)
    assert passes(Law(4, ((deny,), (permit,))), packet) == (True, permit)
    assert passes(Law(4, ((deny,), ())), packet) == (False, deny)
    assert passes(Law(4, ((), ())), packet) == (False, None)


def inside(box: Box, values: tuple[int, ...]) -> bool:
    return all(lo <= value <= hi for (lo, hi), value in zip(box, values, strict=True))


def test_boxes_without_others_are_disjoint_and_lose_nothing() -> None:
    dice = random.Random(3)
    for _ in range(600):
        family: Family = dice.choice([V4, V6])
        a, b, c = (random_box(dice, family) for _ in range(3))
        rest, common = minus_all(a, (b, c)), meet(a, b)
        for i, one in enumerate(rest):
            assert all(meet(one, other) is None for other in rest[i + 1 :])
        for packet in (random_packet(dice, family) for _ in range(20)):
            where = point(packet)
            assert any(inside(piece, where) for piece in rest) == (
                inside(a, where) and not inside(b, where) and not inside(c, where)
            )
            assert (common is not None and inside(common, where)) == (inside(a, where) and inside(b, where))
        assert (minus(a, b) == (a,)) == (common is None)


def test_a_packet_of_a_box_is_in_the_box() -> None:
    dice = random.Random(4)
    for _ in range(3000):
        family: Family = dice.choice([V4, V6])
        box = random_box(dice, family)
        assert inside(box, point(packet_of(family, "r", box))), box


def test_packets_are_said_as_people_write_them() -> None:
    net = 0xC6336400
    box: Box = ((6, 6), (0xC000020B,) * 2, (net, net + 255), (9001, 9016), (0, 65535), (0, 0), (0, 0))
    assert packet_text(packet_of(4, "r", box)) == "tcp 198.51.100.1:49152 -> 192.0.2.11:9001, new connection"
    assert packet_text(Packet("r", 4, 6, 1, 2, 3, 4, established=True)) == "tcp 0.0.0.1:3 -> 0.0.0.2:4, established"
    assert packet_text(Packet("r", 6, 17, 1, 2, 3, 4)) == "udp [::1]:3 -> [::2]:4"
    assert (
        packet_text(Packet("r", 4, 1, 0x0A000001, 0x0A000002, dport=2048)) == "icmp 10.0.0.1 -> 10.0.0.2 type 8 code 0"
    )
    assert packet_text(Packet("r", 6, 58, 1, 2, dport=128 << 8)) == "icmpv6 ::1 -> ::2 type 128 code 0"
    assert packet_text(Packet("r", 4, 6, 1, 2, fragment=True)) == "tcp 0.0.0.1 -> 0.0.0.2, non-first fragment"
    assert packet_text(Packet("r", 4, 89, 1, 2)) == "protocol 89 0.0.0.1 -> 0.0.0.2"
    assert packet_text(packet_of(4, "r", full(4))).startswith("tcp 203.0.113.7:49152 -> 203.0.113.7:443")
