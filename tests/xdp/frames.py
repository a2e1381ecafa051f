"""Model packets as frames, plain or dressed up: tags, options, extension headers, whatever a parser must look past."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence

from configlet.model.net import TOP, Family
from configlet.model.policy import ANY_PORT, DPORT, DST, FLAG, PROTO, SPORT, SRC, Entry, Packet
from tests.xdp.rule_sets import LOCAL4, LOCAL6, edges

MACS = b"\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02"
CHAIN = (0, 43, 44, 51, 60, 135)
"""IPv6 headers that may stand before the transport header: they are no protocol of a packet."""


def packet_near(dice: random.Random, entries: Sequence[Entry], family: Family) -> Packet:
    """A packet inside an entry, at its edges, or anywhere."""
    local = LOCAL4 if family == 4 else LOCAL6
    echo = 1 if family == 4 else 58
    if not entries or dice.random() < 0.1:
        src = dice.randrange(TOP[family])
        return Packet("", family, dice.choice((6, 17, echo)), src, local, dice.randrange(65536), dice.randrange(65536))
    box = dice.choice(entries).box
    other = dice.choice(entries).box if dice.random() < 0.2 else box
    over = dice.choice((PROTO, DST, SRC, DPORT, SPORT, None, None))
    proto, dst, src, dport, sport = (
        edges(dice, span, top, outside=over == level)
        for level, span, top in (
            (PROTO, box[PROTO], 255), (DST, box[DST], TOP[family]), (SRC, other[SRC], TOP[family]),
            (DPORT, box[DPORT], 65535), (SPORT, box[SPORT] if box[SPORT] != ANY_PORT else other[SPORT], 65535),
        )
    )  # fmt: skip
    if box[PROTO][0] != box[PROTO][1] and dice.random() < 0.7:
        proto = dice.choice([n for n in (6, 17, 132, echo) if box[PROTO][0] <= n <= box[PROTO][1]] or [proto])
    if family == 6 and proto in CHAIN:
        proto = 17
    fragment = dice.random() < (0.4 if box[6][1] else 0.05)
    ported, icmp = proto in (6, 17, 132) and not fragment, proto == echo and not fragment
    seen = bool(box[FLAG][0] or (box[FLAG][1] and dice.random() < 0.5)) != (dice.random() < 0.05)
    return Packet(
        "", family, proto, src, dst, sport if ported else 0, dport if ported or icmp else 0,
        proto == 6 and not fragment and seen, fragment,
    )  # fmt: skip


def transport(dice: random.Random, packet: Packet) -> bytes:
    if packet.fragment:
        return dice.randbytes(dice.choice((8, 24, 40)))
    sport, dport = packet.sport, packet.dport
    if packet.proto == 6:
        flags = dice.choice((0x10, 0x04, 0x12, 0x18, 0x14)) if packet.established else dice.choice((0x02, 0x00, 0x01, 0x2A))
        return struct.pack("!HHIIBBHHH", sport, dport, 1, 0, 0x50, flags, 1024, 0, 0)
    if packet.proto == 17:
        return struct.pack("!HHHH", sport, dport, 8, 0)
    if packet.proto == 132:
        return struct.pack("!HHII", sport, dport, 0, 0)
    if packet.proto == (1 if packet.family == 4 else 58):
        return struct.pack("!BBHI", packet.dport >> 8, packet.dport & 255, 0, 0x00070001)
    return dice.randbytes(dice.choice((0, 4, 20)))


def frame(packet: Packet, dice: random.Random, dressed: float = 0.3) -> bytes:
    """One Ethernet frame of a packet; ``dressed`` is how often it wears what the parser must look past."""
    body = transport(dice, packet) + dice.randbytes(dice.choice((0, 0, 6)))
    make, kind = (ipv4, 0x0800) if packet.family == 4 else (ipv6, 0x86DD)
    network = make(packet, body, dice, dressed)
    tags = dice.choice((1, 2)) if dice.random() < dressed else 0
    head = MACS + b"".join(struct.pack("!HH", dice.choice((0x8100, 0x88A8)), dice.randrange(4096)) for _ in range(tags))
    padding = bytes(max(0, 46 - len(network))) if dice.random() < 0.5 else b""
    return head + struct.pack("!H", kind) + network + padding


def ipv4(packet: Packet, body: bytes, dice: random.Random, dressed: float) -> bytes:
    options = dice.randbytes(4 * dice.randint(1, 10)) if dice.random() < dressed else b""
    first = dice.choice((0, 0, 0x4000, 0x2000))
    place = dice.choice((0x2000, 0)) | dice.randint(2, 500) if packet.fragment else first
    ends = packet.src.to_bytes(4, "big") + packet.dst.to_bytes(4, "big")
    size = 20 + len(options)
    head = struct.pack("!BBHHHBBH", 0x40 | size // 4, 0, size + len(body), 7, place, 64, packet.proto, 0)
    return head + ends + options + body


def ipv6(packet: Packet, body: bytes, dice: random.Random, dressed: float) -> bytes:
    headers: list[tuple[int, bytes]] = []
    for _ in range(dice.randint(1, 5) if dice.random() < dressed else 0):
        number = dice.choice((0, 43, 60, 135, 51))
        length = 8 * dice.randint(1, 3)
        counted = length // 8 - 1 if number != 51 else (length := length + 8) // 4 - 2
        headers.append((number, bytes([counted]) + dice.randbytes(length - 2)))
    if packet.fragment:
        headers.append((44, struct.pack("!BHI", 0, dice.randint(2, 500) << 3 | dice.choice((0, 1)), 7)))
    elif dice.random() < dressed / 2:
        headers.append((44, struct.pack("!BHI", 0, dice.choice((0, 1)), 7)))
    numbers = [number for number, _ in headers] + [packet.proto]
    chain = b"".join(bytes([after]) + rest for (_, rest), after in zip(headers, numbers[1:], strict=True))
    ends = packet.src.to_bytes(16, "big") + packet.dst.to_bytes(16, "big")
    return struct.pack("!IHBB", 6 << 28, len(chain) + len(body), numbers[0], 64) + ends + chain + body
