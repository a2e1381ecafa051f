"""What a simulated EOS switch enforces, on real packets in a network namespace."""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
import sys
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import pytest

from configlet.lab.enforce import MOST_WEIGHT, Enforcer, NotProgrammed, compile_plane
from configlet.lab.parsers import eos
from configlet.lab.parsers.eos_entry import Ace, Bits, InvalidInput, Ports, parse, show

SENDER = Path(__file__).with_name("eos_packets.py")
SYN, ACK, RST = 2, 16, 4


@dataclass(frozen=True)
class P:
    """A packet that enters by Vlan110. Words in the order of an access list entry."""

    proto: int
    src: str
    dst: str
    sport: int = 0
    dport: int = 0
    flags: int = SYN
    offset: int = 0
    more: bool = False

    @property
    def family(self) -> int:
        return ip_address(self.src).version

    def payload(self, mark: bytes) -> bytes:
        if self.offset:
            return b"\x00\x16" * 12 + mark
        if self.proto == 6:
            return struct.pack("!HHIIBBHHH", self.sport, self.dport, 1, 0, 0x50, self.flags, 64, 0, 0) + mark
        if self.proto == 17:
            return struct.pack("!HHHH", self.sport, self.dport, 16, 0) + mark
        if self.proto in (1, 58):
            head = struct.pack("!BBHHH", self.dport >> 8, self.dport & 255, 0, 7, 1)
            return head[:2] + struct.pack("!H", checksum(head + mark)) + head[4:] + mark
        return mark * 2

    def bytes(self, mark: bytes) -> bytes:
        body, fragment = self.payload(mark), self.offset or self.more
        src, dst = ip_address(self.src).packed, ip_address(self.dst).packed
        if self.family == 4:
            word = (0x2000 if self.more else 0) | self.offset
            head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, word, 9, self.proto, 0, src, dst)
            return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body
        if fragment:
            body = struct.pack("!BBHI", self.proto, 0, self.offset << 3 | self.more, 1) + body
        return struct.pack("!IHBB16s16s", 6 << 28, len(body), 44 if fragment else self.proto, 9, src, dst) + body


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def running(v4: str = "", v6: str = "", way: str = "in", interface: str = "Vlan110") -> str:
    """A running configuration with the two lists bound to one interface; an empty text leaves a list out."""
    text = ["hostname leaf1", "!"]
    for word, lines in (("ip", v4), ("ipv6", v6)):
        if lines:
            text += [
                f"{word} access-list {word}x",
                *(f"   {n * 10} {e.strip()}" for n, e in enumerate(lines.split(";"), 1)),
            ]
    text += ["!", f"interface {interface}", "   vrf trading"]
    text += [f"   {word} access-group {word}x {way}" for word, lines in (("ip", v4), ("ipv6", v6)) if lines]
    return "\n".join([*text, "!", "end", ""])


def rulesets(*texts: str) -> list[str]:
    """The transactions that a device gives to its namespace for one configuration after the other."""
    given: list[str] = []
    enforcer = Enforcer("leaf1", ["trading"], lambda _, text: given.append(text))
    for text in texts:
        enforcer.program(text)
    return given


Round = tuple[list[str], list[tuple[P, list[str]]]]
"""The transactions, and packets with the interfaces by which they (or an echo reply) should come out."""


def wrong(rounds: list[Round]) -> list[tuple[int, P, list[str]]]:
    """Send all packets; the round, packet and interfaces of each that came out elsewhere than expected."""
    orders = []
    for n, (given, packets) in enumerate(rounds):
        sent = [p.bytes(struct.pack("!HIH", 0xC0F1, n, k)).hex() for k, (p, _) in enumerate(packets)]
        orders.append({"rulesets": given, "packets": sent, "expected": sum(bool(out) for _, out in packets)})
    enter = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-Urn"]
    done = subprocess.run(
        [*enter, sys.executable, str(SENDER)], input=json.dumps(orders), capture_output=True, text=True, timeout=120,
        env=os.environ | {"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"},
    )  # fmt: skip
    assert done.returncode == 0, f"the packets need a network namespace of their own: {done.stderr}"
    seen = [
        (n, *pair) for n, found in enumerate(json.loads(done.stdout)) for pair in zip(rounds[n][1], found, strict=True)
    ]
    return [(n, packet, out) for n, (packet, expected), out in seen if out != expected]


A, B, GATE = "10.1.10.5", "10.1.20.7", "10.1.10.1"
A6, B6, GATE6 = "2001:db8:1:10::5", "2001:db8:1:20::7", "2001:db8:1:10::1"
ECHO, ECHO6 = 8 << 8, 128 << 8

CASES: list[tuple[str, P, bool]] = [
    ("permit tcp any any eq ssh", P(6, A, B, 5000, 22), True),
    ("permit tcp any any eq ssh", P(6, A, B, 22, 5000), False),
    ("permit tcp any any eq ssh", P(17, A, B, 5000, 22), False),
    ("permit tcp any eq ssh any", P(6, A, B, 22, 5000), True),
    ("permit tcp any any eq 22 www 443", P(6, A, B, 5000, 80), True),
    ("permit tcp any any eq 22 www 443", P(6, A, B, 5000, 81), False),
    ("permit udp any any range 100 200", P(17, A, B, 1, 200), True),
    ("permit udp any any range 100 200", P(17, A, B, 1, 201), False),
    ("permit udp any any gt 100", P(17, A, B, 1, 100), False),
    ("permit udp any any gt 100", P(17, A, B, 1, 101), True),
    ("permit udp any any lt 100", P(17, A, B, 1, 99), True),
    ("permit udp any any lt 100", P(17, A, B, 1, 100), False),
    ("permit udp any any neq 100", P(17, A, B, 1, 100), False),
    ("permit udp any any neq 100", P(17, A, B, 1, 101), True),
    ("permit tcp any any established", P(6, A, B, 1, 2, SYN), False),
    ("permit tcp any any established", P(6, A, B, 1, 2, SYN | ACK), True),
    ("permit tcp any any established", P(6, A, B, 1, 2, RST), True),
    ("permit ip host 10.1.10.5 any", P(17, A, B), True),
    ("permit ip host 10.1.10.6 any", P(17, A, B), False),
    ("permit ip 10.1.10.0 0.0.0.255 any", P(17, A, B), True),
    ("permit ip 10.0.10.5 0.255.0.0 any", P(17, A, B), True),
    ("permit ip 10.0.10.4 0.255.0.0 any", P(17, A, B), False),
    ("permit ip any 10.1.20.0/29", P(17, A, B), True),
    ("permit ip any 10.1.20.8/29", P(17, A, B), False),
    ("deny udp any any; permit ip any any", P(17, A, B), False),
    ("deny udp any any; permit ip any any", P(6, A, B), True),
    ("permit 89 any any", P(89, A, B), True),
    ("permit 89 any any", P(88, A, B), False),
    ("permit icmp any any echo", P(1, A, B, dport=ECHO), True),
    ("permit icmp any any 8", P(1, A, B, dport=13 << 8), False),
    ("permit icmp any any 3 4", P(1, A, B, dport=3 << 8 | 4), True),
    ("permit icmp any any 3 4", P(1, A, B, dport=3 << 8 | 3), False),
    ("permit icmp any any unreachable", P(1, A, B, dport=3 << 8 | 3), True),
    ("deny ip any any fragments; permit ip any any", P(17, A, B, offset=4), False),
    ("deny ip any any fragments; permit ip any any", P(17, A, B, more=True), True),
    ("deny ip any any fragments; permit ip any any", P(17, A, B), True),
    ("permit udp any any eq 22", P(17, A, B, 22, 22, offset=4), False),
    ("permit udp any any eq 22", P(17, A, B, 22, 22, more=True), True),
    ("permit udp any any", P(17, A, B, offset=4), True),
    ("permit udp any any", P(6, A, B, offset=4), False),
    ("permit tcp any any established", P(6, A, B, flags=ACK, offset=4), False),
    ("permit tcp any any eq ssh", P(6, A6, B6, 5000, 22), True),
    ("deny tcp any any eq ssh; permit ipv6 any any", P(6, A6, B6, 5000, 22), False),
    ("permit ipv6 host 2001:db8:1:10::5 2001:db8:1:20::/64", P(17, A6, B6), True),
    ("permit ipv6 host 2001:db8:1:10::6 any", P(17, A6, B6), False),
    ("permit icmpv6 any any echo-request", P(58, A6, B6, dport=ECHO6), True),
    ("permit icmpv6 any any 129", P(58, A6, B6, dport=ECHO6), False),
    ("deny ipv6 any any fragments; permit ipv6 any any", P(17, A6, B6, offset=4), False),
    ("deny ipv6 any any fragments; permit ipv6 any any", P(17, A6, B6, more=True), True),
    ("permit tcp any any", P(6, A6, B6, offset=4), True),
    ("permit udp any any", P(6, A6, B6, offset=4), False),
    ("permit udp any any eq 22", P(17, A6, B6, 22, 22, offset=4), False),
]  # fmt: skip


def only(lines: str, family: int, **where: str) -> str:
    return running(lines if family == 4 else "", lines if family == 6 else "", **where)


@pytest.mark.parametrize(("way", "interface"), [("in", "Vlan110"), ("out", "Vlan120")])
def test_entries_decide_as_eos_documents_them(way: str, interface: str) -> None:
    lists: dict[tuple[str, int], list[tuple[P, list[str]]]] = {}
    for lines, packet, passes in CASES:
        lists.setdefault((lines, packet.family), []).append((packet, ["Vlan120"] if passes else []))
    texts = [only(lines, family, way=way, interface=interface) for lines, family in lists]
    found = wrong([(rulesets(text), packets) for text, packets in zip(texts, lists.values(), strict=True)])
    assert [(list(lists)[n], packet, out) for n, packet, out in found] == []
