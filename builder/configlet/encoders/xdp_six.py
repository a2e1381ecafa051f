"""IPv6 peers of one table as lookups: /64 networks by hash, whole addresses by hash, the rest by longest prefix."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from configlet.encoders.xdp_peers import Found
from configlet.model.net import TOP

Lookups = dict[str, dict[bytes, bytes]]

_LOW = (1 << 64) - 1
_REF = struct.Struct("<II")
_H64 = struct.Struct("<4I")
_TABLE = struct.Struct("<II")


def write(found: Sequence[Found], default: int, table: int, out: Lookups) -> None:
    """Adds one table. ``found`` are its prefixes, outer before inner; ``default`` is for peers of none."""
    networks: dict[int, list[Found]] = {}
    for prefix in found:
        if prefix.high - prefix.low <= _LOW:
            networks.setdefault(prefix.low >> 64, []).append(prefix)
    short = [prefix for prefix in found if prefix.high - prefix.low > _LOW]
    if not short or (short[0].low, short[0].high) != (0, TOP[6]):
        short.insert(0, Found(0, TOP[6], default))
    for prefix in short:
        bits = 128 - (prefix.high - prefix.low).bit_length()
        out["l6"][_half(32 + bits, table, prefix.low >> 64)] = _REF.pack(prefix.ref, 0)
    for high, ref in zip(networks, _outer(short, list(networks)), strict=True):
        _network(high, networks[high], ref, table, out)


def _outer(short: Sequence[Found], highs: Sequence[int]) -> list[int]:
    """For each /64 (ascending) the reference of the longest shorter prefix around it."""
    refs, stack, after = [], list[Found](), 0
    for high in highs:
        while after < len(short) and short[after].low >> 64 <= high:
            stack.append(short[after])
            after += 1
        while stack[-1].high >> 64 < high:
            stack.pop()
        refs.append(stack[-1].ref)
    return refs


def _network(high: int, inside: Sequence[Found], outer: int, table: int, out: Lookups) -> None:
    """One /64: what it is itself, whole addresses in it, and prefixes between."""
    ref, more, number = outer, 0, len(out["h64"]) + 1
    for prefix in inside:
        bits = 128 - (prefix.high - prefix.low).bit_length()
        if bits == 64:
            ref = prefix.ref
        elif bits == 128:
            more = max(more, 1)
            out["h128"][prefix.low.to_bytes(16, "big") + _TABLE.pack(table, 0)] = _REF.pack(prefix.ref, 0)
        else:
            more = 2
            out["l128"][_half(32 + bits - 64, number, prefix.low & _LOW)] = _REF.pack(prefix.ref, 0)
    out["h64"][high.to_bytes(8, "big") + _TABLE.pack(table, 0)] = _H64.pack(ref, more, number, 0)


def _half(bits: int, table: int, half: int) -> bytes:
    return struct.pack("<II", bits, table) + half.to_bytes(8, "big")
