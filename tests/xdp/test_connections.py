"""Connections that began here: their answers pass, nothing else does, and only as long as the tables let them begin."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from configlet.hostside import bpf
from configlet.hostside.xdp_tables import Generation
from configlet.model.net import FAMILIES, Family
from configlet.model.policy import Entry, Packet
from configlet.packets.verdict import first, reverse
from tests.builders import rows
from tests.xdp.frames import frame
from tests.xdp.kernel import PASS, counted, impossible, library, loaded, verdict
from tests.xdp.rule_sets import LOCAL4, LOCAL6

pytestmark = pytest.mark.skipif(bool(impossible()), reason=f"the XDP program cannot be loaded here: {impossible()}")
SWITCHES = {"use_connections": 1, "timeout_tcp": 3600, "timeout_other": 60}


def out_rules(family: Family) -> list[Entry]:
    here, near, far = ("192.0.2.11", "198.51.100.0/24", "203.0.113.0/24") if family == 4 else (
        "2001:db8:1:20::11", "2001:db8:51::/64", "2001:db8:113::/64")  # fmt: skip
    echo = "icmp" if family == 4 else "icmpv6"
    ask = 8 if family == 4 else 128
    return list(rows([f"deny tcp {here} {near} to 25", f"permit tcp {here} {near} to 1-1023",
                      f"permit udp {here} {far} to 53", f"permit {echo} {here} any type {ask}"], family))  # fmt: skip


def some_packet(dice: random.Random, family: Family) -> Packet:
    """A packet that leaves."""
    local = LOCAL4 if family == 4 else LOCAL6
    near, far = (0xC6336405, 0xCB007105) if family == 4 else (0x20010DB80051 << 80 | 5, 0x20010DB80113 << 80 | 5)
    proto = dice.choice((6, 6, 17, 1 if family == 4 else 58))
    peer = dice.choice((near, far)) + dice.randrange(2)
    if proto in (1, 58):
        return Packet("", family, proto, local, peer, 0, dice.choice((8, 0, 13, 3) if family == 4 else (128, 129, 1)) << 8)
    seen = proto == 6 and dice.random() < 0.5
    return Packet("", family, proto, local, peer, dice.choice((4000, 4001)), dice.choice((25, 53, 80)), seen)


def sent(generation: Generation, packet: Packet, dice: random.Random) -> None:
    assert generation.record is not None
    bpf.test_run(library(), generation.record, frame(packet, dice, dressed=0))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_packet_passes_when_the_rows_pass_it_or_when_it_answers_what_was_let_out(family: Family) -> None:
    dice, out = random.Random(family), out_rules(family)
    answered = set[Packet]()
    passed = 0
    with loaded({("towards", family): [], ("leaving", family): out}, SWITCHES) as generation:
        for _ in range(600):
            packet = some_packet(dice, family)
            if dice.random() < 0.3:
                sent(generation, packet, dice)
                hit, back = first(out, packet), reverse(packet)
                if hit is not None and hit.permit and back is not None:
                    answered.add(replace(back, established=back.proto == 6))
            else:
                arriving = reverse(packet) or packet
                got = verdict(generation, frame(arriving, dice)) == PASS
                assert got == (arriving in answered), arriving
                passed += got
        assert counted(generation)["passed connection"] == passed > 20


def test_a_change_that_closes_a_flow_ends_its_living_connections() -> None:
    dice, asks = random.Random(1), Packet("", 4, 17, LOCAL4, 0xCB007105, 4000, 53)
    answer = reverse(asks)
    assert answer is not None
    with loaded({("towards", 4): [], ("leaving", 4): out_rules(4)}, SWITCHES) as before:
        sent(before, asks, dice)
        assert verdict(before, frame(answer, dice)) == PASS
        shared = {name: before.object.map_fd(name) for name in ("flows4", "flows6")}
        kept = {("towards", 4): [], ("leaving", 4): out_rules(4)}
        closed = {("towards", 4): [], ("leaving", 4): out_rules(4)[:2]}
        with loaded(kept, SWITCHES, shared) as after:  # type: ignore[arg-type]
            assert verdict(after, frame(answer, dice)) == PASS
        with loaded(closed, SWITCHES, shared) as after:  # type: ignore[arg-type]
            assert verdict(after, frame(answer, dice)) != PASS


def test_a_connection_that_was_silent_for_too_long_is_no_longer_answered() -> None:
    dice, asks = random.Random(1), Packet("", 4, 17, LOCAL4, 0xCB007105, 4000, 53)
    answer = reverse(asks)
    assert answer is not None
    with loaded({("towards", 4): [], ("leaving", 4): out_rules(4)}, {**SWITCHES, "timeout_other": 0}) as generation:
        sent(generation, asks, dice)
        assert verdict(generation, frame(answer, dice)) != PASS
