"""The messages of the ServerLock rule commands, as the published header lays them out (efx_regs_mcdi.h of DPDK).

Provisional by the header's own words, and never tried on a NIC. Byte orders are mixed: ports and addresses of a rule
are in network order, ids and counts little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

from configlet.model.net import Family


class Command(IntEnum):
    """MC_CMD_* of the rules."""

    SET_SECURITY_RULE = 0x10F
    SUBNET_MAP_SET_NODE = 0x114
    REMOTE_PORTRANGE_MAP_SET_TREE = 0x115
    LOCAL_PORTRANGE_MAP_SET_TREE = 0x116


class Match(IntFlag):
    """Which fields a rule looks at; each of them exactly."""

    REMOTE_IP = 1 << 0
    LOCAL_IP = 1 << 1
    REMOTE_PORT = 1 << 3
    LOCAL_PORT = 1 << 5
    ETHER_TYPE = 1 << 6
    IP_PROTO = 1 << 9
    REMOTE_SUBNET_ID = 1 << 12
    REMOTE_PORTRANGE_ID = 1 << 13
    LOCAL_PORTRANGE_ID = 1 << 14


ALLOW: Final = 1
"""WHITELIST"""
CLOSE: Final = 2
"""BLACKLIST"""
NO_COUNTER: Final = 0
LEAF: Final = 0xFFFF
"""The key that marks a leaf of a port tree."""
ETHER: dict[Family, int] = {4: 0x0800, 6: 0x86DD}
_WIDTH: dict[Family, int] = {4: 4, 6: 16}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: fields that it looks at (None: any), and what happens to sent and received packets."""

    family: Family
    rx: int
    tx: int
    local: int | None = None
    remote: int | None = None
    subnet: int | None = None
    proto: int | None = None
    local_port: int | None = None
    remote_port: int | None = None
    local_range: int | None = None
    remote_range: int | None = None


def rule(said: Rule, counter: int = NO_COUNTER) -> bytes:
    """SET_SECURITY_RULE, 92 bytes. Every rule of ours names its ethertype."""
    fields = {
        Match.LOCAL_IP: said.local, Match.REMOTE_IP: said.remote, Match.REMOTE_SUBNET_ID: said.subnet,
        Match.IP_PROTO: said.proto, Match.LOCAL_PORT: said.local_port, Match.REMOTE_PORT: said.remote_port,
        Match.LOCAL_PORTRANGE_ID: said.local_range, Match.REMOTE_PORTRANGE_ID: said.remote_range,
    }  # fmt: skip
    flags = Match.ETHER_TYPE
    for flag, value in fields.items():
        flags |= flag if value is not None else Match(0)
    out = struct.pack("<I6x", flags) + struct.pack(">H6xH", said.remote_port or 0, said.local_port or 0)
    out += struct.pack(">HHH", ETHER[said.family], 0, 0) + struct.pack("<H", said.proto or 0) + struct.pack("<II", 0, 0)
    out += _address(said.family, said.remote) + _address(said.family, said.local)
    ids = (said.subnet or 0, said.remote_range or 0, said.local_range or 0)
    return out + struct.pack("<6I", *ids, said.tx, said.rx, counter)


def _address(family: Family, value: int | None) -> bytes:
    return (value or 0).to_bytes(_WIDTH[family], "big").ljust(16, b"\0")


def node(number: int, entries: Sequence[int]) -> bytes:
    """SUBNET_MAP_SET_NODE: one node of the trie, atomically."""
    return struct.pack(f"<I{len(entries)}H", number, *entries)


def tree(entries: Sequence[tuple[int, int]]) -> bytes:
    """A whole port tree: key and leaf id of each entry."""
    return b"".join(struct.pack("<HH", key, leaf) for key, leaf in entries)


def line(command: Command, payload: bytes) -> str:
    """A message as it stands in an artifact."""
    return f"message {command:04x} {payload.hex()}"
