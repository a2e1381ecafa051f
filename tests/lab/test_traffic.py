"""The agent that sends the lab's packets sees exactly what happens to them: real packets between three namespaces."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from configlet.lab.traffic_book import answered_key
from configlet.lab.traffic_frames import answer_to, frame_of, parse
from configlet.lab.traffic_values import Ear, Heard, How, Sense, Shot, from_json, key_of, to_json
from configlet.model.net import Family
from configlet.model.policy import Packet

ROOT = Path(__file__).parents[2]
A, R, B = "a", "r", "b"
HOST = {(A, 4): "10.9.1.2", (B, 4): "10.9.2.2", (A, 6): "2001:db8:9:1::2", (B, 6): "2001:db8:9:2::2"}
MAC = {A: "02:00:00:00:00:0a", B: "02:00:00:00:00:0b"}
GATE = {A: "02:00:00:00:01:0a", B: "02:00:00:00:01:0b"}
TCP, UDP, ICMP = 6, 17, {4: 1, 6: 58}
ECHO = {4: 8 << 8, 6: 128 << 8}
DROP = "table inet t { chain c { type filter hook %s priority 0; policy accept; %s; }; }"


def packet(family: Family, proto: int, tag: int, dport: int, source: str = A, target: str = B, **more: bool) -> Packet:
    src, dst = (int(ip_address(HOST[name, family])) for name in (source, target))
    return Packet("lab", family, proto, src, dst, tag, dport, **more)


def shot(number: int, one: Packet, how: How, sense: Sense, *, wanted: bool = True, answer: bool = True) -> Shot:
    ear = Ear(R, "", "leaves") if sense == "leaves" else Ear(B, "eth0", sense)
    return Shot(number, one, how, A, "eth0", (ear,), wanted, answer and sense != "leaves", MAC[A], GATE[A])


def fly(shots: list[Shot], rules: dict[str, str] | None = None) -> dict[int, Heard]:
    order = json.dumps({"rules": rules or {}, "shots": [to_json(s) for s in shots]})
    command = ["unshare", "-Urn", sys.executable, "-m", "tests.lab.traffic_bench"]
    env = {**os.environ, "PYTHONPATH": f"{ROOT / 'builder'}:{ROOT}"}
    done = subprocess.run(command, input=order, text=True, capture_output=True, cwd=ROOT, env=env)
    assert done.returncode == 0, f"user and network namespaces are needed (`configlet doctor`): {done.stderr}"
    return {n: Heard(n, tuple(ears), answered, why) for n, ears, answered, why in json.loads(done.stdout)}


def everything(family: Family) -> list[Packet]:
    base = 40000 + family * 100
    return [
        packet(family, TCP, base, 9001),
        packet(family, UDP, base + 1, 9001),
        packet(family, ICMP[family], base + 2, ECHO[family]),
    ]


def all_ways() -> list[Shot]:
    """Each protocol and family from each kind of sender to each kind of receiver, one distinct tag each."""
    shots: list[Shot] = []
    hows: tuple[How, ...] = ("socket", "frame")
    senses: tuple[Sense, ...] = ("socket", "frame", "leaves")
    for way, (how, sense) in enumerate((h, s) for h in hows for s in senses):
        for family in (4, 6):
            for one in everything(family):
                tag, port = one.sport + 1000 * way, one.dport + way if one.proto in (TCP, UDP) else one.dport
                moved = replace(one, sport=tag, dport=port)
                shots.append(shot(len(shots), moved, how, sense))
    return shots


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("proto", ["tcp", "udp", "icmp", "fragment", "established", "other"])
def test_a_frame_reads_back_as_the_packet_that_it_was_made_of(family: Family, proto: str) -> None:
    number = {"tcp": TCP, "udp": UDP, "icmp": ICMP[family], "established": TCP, "fragment": UDP, "other": 89}[proto]
    port = {"icmp": ECHO[family], "other": 0}.get(proto, 9001)
    made = packet(family, number, 0 if proto == "other" else 43210, port,
                  established=proto == "established", fragment=proto == "fragment")  # fmt: skip
    seen = parse(frame_of(made, MAC[A], GATE[A]))
    assert seen and seen.key == key_of(made)
    assert seen.opens == (proto != "established")


@pytest.mark.parametrize("family", [4, 6])
def test_an_answer_is_recognised_as_the_answer_of_its_packet(family: Family) -> None:
    for made in everything(family):
        seen = parse(frame_of(made, MAC[A], GATE[A]))
        assert seen
        answer = parse(answer_to(seen) or b"")
        assert answer and answered_key(answer) == key_of(made)
        assert not (answer.proto == TCP and answer.opens)


def test_a_shot_travels_as_json_unchanged() -> None:
    for one in all_ways():
        assert from_json(json.loads(json.dumps(to_json(one)))) == one


def test_without_a_filter_every_packet_arrives_and_is_answered() -> None:
    shots = all_ways()
    fates = fly(shots, {B: DROP % ("output", "tcp flags & rst == rst drop")})
    for one in shots:
        assert fates[one.number].ears == (0,), one
        assert fates[one.number].answered or not one.answer, one


def test_a_host_table_stops_what_its_kernel_receives_and_never_what_bypasses_it() -> None:
    shots = [s for s in all_ways() if s.ears[0].sense != "leaves"]
    fates = fly(shots, {B: DROP % ("input", "meta l4proto { tcp, udp, icmp } drop; icmpv6 type echo-request drop")})
    for one in shots:
        assert fates[one.number].ears == ((0,) if one.ears[0].sense == "frame" else ()), one


def test_a_host_table_stops_what_its_kernel_sends_and_never_what_bypasses_it() -> None:
    shots = all_ways()
    fates = fly(shots, {A: DROP % ("output", "meta l4proto { tcp, udp, icmp } drop; icmpv6 type echo-request drop")})
    for one in shots:
        assert fates[one.number].ears == ((0,) if one.how == "frame" else ()), one
        told = one.how == "socket" and one.packet.proto != TCP
        assert fates[one.number].stopped == ("Operation not permitted" if told else ""), one


def test_a_router_that_drops_lets_nothing_leave() -> None:
    shots = all_ways()
    fates = fly(shots, {R: DROP % ("forward", "meta l4proto udp drop")})
    for one in shots:
        assert fates[one.number].ears == (() if one.packet.proto == UDP else (0,)), one


def test_a_packet_that_arrives_but_is_never_answered_is_told_apart() -> None:
    shots = [s for s in all_ways() if s.answer]
    fates = fly(shots, {R: DROP % ("forward", "iifname to-b meta l4proto { tcp, udp, icmp, ipv6-icmp } drop")})
    for one in shots:
        fate = fates[one.number]
        handshake = one.packet.proto == TCP and one.ears[0].sense == "socket" and one.how == "socket"
        assert not fate.answered and (handshake or fate.ears == (0,)), one


def test_fragments_established_packets_and_packets_to_nobody_are_seen_behind_a_router() -> None:
    shots = [
        shot(1, packet(4, UDP, 41, 9001, fragment=True), "frame", "leaves"),
        shot(2, packet(6, UDP, 42, 9001, fragment=True), "frame", "leaves"),
        shot(3, packet(4, TCP, 43, 9001, established=True), "frame", "leaves"),
    ]
    spare: tuple[tuple[Family, str], ...] = ((4, "10.9.2.77"), (6, "2001:db8:9:2::77"))
    for family, address in spare:
        to_nobody = replace(packet(family, UDP, 50, 9001), dst=int(ip_address(address)))
        shots.append(replace(shot(family, to_nobody, "frame", "leaves"), neighbour="to-b"))
    assert all(fate.ears == (0,) for fate in fly(shots).values())
    closed = fly(shots, {R: DROP % ("forward", "drop")})
    assert all(fate.ears == () for fate in closed.values())
