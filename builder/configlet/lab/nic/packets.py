"""What the simulated NIC sees of a frame: ends, protocol, and the bytes where ports would be. No flag, no fragment."""

from __future__ import annotations

from typing import NamedTuple

_VLAN = (0x8100, 0x88A8)
_CHAIN = {0: None, 43: None, 60: None, 44: 8}
"""IPv6 headers that the NIC looks past; of a fragment's it takes what comes next for ports, as it does of any packet."""
PORTED = (6, 17)


class Seen(NamedTuple):
    """One packet; ports are 0 where the protocol has none."""

    ether: int
    proto: int = 0
    src: bytes = b""
    dst: bytes = b""
    sport: int = 0
    dport: int = 0


def seen(frame: bytes) -> Seen | None:
    """None for a frame that is cut short."""
    at, ether = 12, int.from_bytes(frame[12:14], "big")
    while ether in _VLAN:
        at += 4
        ether = int.from_bytes(frame[at : at + 2], "big")
    body = frame[at + 2 :]
    if ether == 0x0800:
        return _four(body)
    return _six(body) if ether == 0x86DD else Seen(ether)


def _four(body: bytes) -> Seen | None:
    size = (body[0] & 15) * 4 if body else 0
    if size < 20 or len(body) < size:
        return None
    return _with_ports(0x0800, body[9], body[12:16], body[16:20], body[size:])


def _six(body: bytes) -> Seen | None:
    if len(body) < 40:
        return None
    proto, rest = body[6], body[40:]
    while proto in _CHAIN and len(rest) >= 8:
        proto, rest = rest[0], rest[_CHAIN[proto] or 8 + 8 * rest[1] :]
    return _with_ports(0x86DD, proto, body[8:24], body[24:40], rest)


def _with_ports(ether: int, proto: int, src: bytes, dst: bytes, rest: bytes) -> Seen:
    if proto not in PORTED:
        return Seen(ether, proto, src, dst)
    return Seen(ether, proto, src, dst, int.from_bytes(rest[:2], "big"), int.from_bytes(rest[2:4], "big"))


class Bits(NamedTuple):
    """What a NIC sees that looks at more: a later fragment, TCP flags, ICMP type and code."""

    later: bool
    flags: int
    kind: int
    code: int


def bits(frame: bytes) -> Bits:
    """Of a frame that ``seen`` understood."""
    at, ether = 12, int.from_bytes(frame[12:14], "big")
    while ether in _VLAN:
        at += 4
        ether = int.from_bytes(frame[at : at + 2], "big")
    body = frame[at + 2 :]
    if ether == 0x0800:
        later, rest = bool(int.from_bytes(body[6:8], "big") & 0x1FFF), body[(body[0] & 15) * 4 :]
    else:
        proto, rest, later = body[6], body[40:], False
        while proto in _CHAIN and len(rest) >= 8:
            later = later or (proto == 44 and bool(int.from_bytes(rest[2:4], "big") & 0xFFF8))
            proto, rest = rest[0], rest[_CHAIN[proto] or 8 + 8 * rest[1] :]
    padded = rest.ljust(14, b"\0")
    return Bits(later, padded[13], padded[0], padded[1])
