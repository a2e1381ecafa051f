"""Frames that no host should have to look at: cut short, with lengths that lie, with headers written over each other."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from configlet.model.policy import Packet
from tests.xdp.frames import MACS, frame
from tests.xdp.rule_sets import LOCAL4, LOCAL6

IP4, IP6 = 14, 14
Break = Callable[[random.Random], bytes]


def plain(dice: random.Random, family: int, *protos: int) -> bytearray:
    """A good frame without tags, options and padding, towards the local address."""
    proto = dice.choice(protos or (6, 17))
    local = LOCAL4 if family == 4 else LOCAL6
    src = dice.randrange(1 << 32) if family == 4 else 0x20010DB8 << 96 | dice.randrange(1 << 64)
    packet = Packet("", 4 if family == 4 else 6, proto, src, local, 40000, 80)
    made = bytearray(frame(packet, dice, dressed=0))
    size = 14 + (int.from_bytes(made[16:18], "big") if family == 4 else 40 + int.from_bytes(made[18:20], "big"))
    return made[:size]


def cut(dice: random.Random) -> bytes:
    """A good frame of any kind, whose end is missing."""
    family = dice.choice((4, 6))
    echo = 1 if family == 4 else 58
    local = LOCAL4 if family == 4 else LOCAL6
    packet = Packet("", 4 if family == 4 else 6, dice.choice((6, 17, echo, 132)), 5, local, 1, 2048)
    made = frame(packet, dice, dressed=0.5)
    at = 12
    while made[at : at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    size = made[at + 4 : at + 6] if family == 4 else made[at + 6 : at + 8]
    whole = at + 2 + int.from_bytes(size, "big") + (0 if family == 4 else 40)
    return made[: dice.randint(14, whole - 1)]


def version(dice: random.Random) -> bytes:
    family = dice.choice((4, 6))
    made = plain(dice, family)
    made[14] = dice.choice([v for v in range(16) if v != family]) << 4 | 5
    return bytes(made)


def header_length(dice: random.Random) -> bytes:
    made = plain(dice, 4)
    made[14] = 0x40 | dice.randrange(5)
    return bytes(made)


def total_length(dice: random.Random) -> bytes:
    """Shorter than the header, or than the header of the transport; or longer than the frame."""
    made = plain(dice, 4)
    least = 20 + (20 if made[23] == 6 else 8)
    made[16:18] = struct.pack("!H", dice.choice((dice.randrange(least), len(made) - 14 + dice.randint(1, 9000))))
    return bytes(made)


def payload_length(dice: random.Random) -> bytes:
    made = plain(dice, 6)
    least = 20 if made[20] == 6 else 8
    made[18:20] = struct.pack("!H", dice.choice((dice.randrange(least), len(made) - 54 + dice.randint(1, 9000))))
    return bytes(made)


def tcp_length(dice: random.Random) -> bytes:
    family = dice.choice((4, 6))
    made = plain(dice, family, 6)
    at = (34 if family == 4 else 54) + 12
    made[at] = dice.choice((*range(5), *range(8, 16))) << 4
    return bytes(made)


def udp_length(dice: random.Random) -> bytes:
    family = dice.choice((4, 6))
    made = plain(dice, family, 17)
    at = (34 if family == 4 else 54) + 4
    made[at : at + 2] = struct.pack("!H", dice.randrange(8))
    return bytes(made)


def overwritten(dice: random.Random) -> bytes:
    """TCP's flags in a second fragment (RFC 1858, RFC 3128)."""
    if dice.random() < 0.5:
        made = plain(dice, 4, 6)
        made[20:22] = struct.pack("!H", 1 | dice.choice((0, 0x2000)))
        return bytes(made)
    return chained(dice, [(44, struct.pack("!BHI", 0, 1 << 3 | dice.choice((0, 1)), 7))], 6)


def too_far(dice: random.Random) -> bytes:
    """A fragment that ends behind the longest packet."""
    if dice.random() < 0.5:
        made = plain(dice, 4, 17) + dice.randbytes(60)
        made[16:18] = struct.pack("!H", len(made) - 14)
        made[20:22] = struct.pack("!H", dice.randint(8185, 8191))
        return bytes(made)
    return chained(dice, [(44, struct.pack("!BHI", 0, dice.randint(8190, 8191) << 3, 7))], 17, dice.randbytes(64))


def long_chain(dice: random.Random) -> bytes:
    """More IPv6 headers than are walked over."""
    many = [(dice.choice((0, 43, 60, 135)), bytes(1) + dice.randbytes(6)) for _ in range(dice.randint(7, 12))]
    return chained(dice, many, dice.choice((6, 17)))


def lying_chain(dice: random.Random) -> bytes:
    """An IPv6 header that says it is longer than the packet."""
    return chained(dice, [(dice.choice((0, 43, 60, 135)), bytes([dice.randint(8, 255)]) + dice.randbytes(6))], 17)


def hidden_ports(dice: random.Random) -> bytes:
    """A first fragment that is too short for its transport header."""
    made = plain(dice, 4)
    least = 20 if made[23] == 6 else 8
    size = 20 + dice.randrange(least)
    made[16:18], made[20:22] = struct.pack("!H", size), b"\x20\x00"
    return bytes(made[: 14 + size])


def other_network(dice: random.Random) -> bytes:
    """Neither IP nor ARP."""
    kind = dice.choice((0x0000, 0x05DC, 0x8035, 0x88CC, 0x8863, 0xFFFF, 0x8847))
    return MACS + struct.pack("!H", kind) + dice.randbytes(dice.randint(0, 60))


def tags(dice: random.Random) -> bytes:
    """Three tags and more: the third is no network that is known."""
    made = plain(dice, dice.choice((4, 6)))
    return bytes(made[:12]) + b"\x81\x00\x00\x07" * dice.randint(3, 5) + bytes(made[12:])


def chained(dice: random.Random, headers: list[tuple[int, bytes]], proto: int, body: bytes = b"") -> bytes:
    made = plain(dice, 6, proto)
    numbers = [number for number, _ in headers] + [proto]
    chain = b"".join(bytes([after]) + rest for (_, rest), after in zip(headers, numbers[1:], strict=True))
    rest = chain + bytes(made[54:]) + body
    made[18:20], made[20] = struct.pack("!H", len(rest)), numbers[0]
    return bytes(made[:54]) + rest


WAYS: tuple[Break, ...] = (
    cut, cut, cut, version, header_length, total_length, payload_length, tcp_length, udp_length, overwritten, too_far,
    long_chain, lying_chain, hidden_ports, other_network, tags,
)  # fmt: skip
COUNTED = ("malformed", "truncated", "extension headers", "not IP")
"""What the program may say of them."""
