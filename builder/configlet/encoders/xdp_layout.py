"""How the XDP tables lie in memory: builder/bpf/tables.h, for the compiler."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from configlet.model.net import Family

STEP: Final = 1 << 31
DENY: Final = 1 << 28
LOG: Final = 1 << 29
PARENT: Final = 0x7FFFFFFF
DEFAULT: Final = DENY
RESULTS: Final = 1 << 24
"""More results than anybody counts; their number must fit a reference."""
ROW, CHUNK, LINE64, LINE32, OVER64, OVER32, OVER16, WIDE64 = (kind << 28 for kind in range(8, 16))

PAGE: Final = 256
TCP_NEW, TCP_SEEN, UDP, ICMP, ICMPV6, SCTP = (axis * 65536 for axis in range(6))
OTHER: Final = 6 * 65536
FRAGMENT: Final = OTHER + PAGE
POINTS: Final = FRAGMENT + PAGE
ECHOES: dict[Family, int] = {4: ICMP, 6: ICMPV6}

SIZES: dict[str, int] = {
    "locals": 64, "leaving": 64, "svc": 512, "nodes": 1024, "lines32": 32, "lines64": 64, "wides64": 64, "overs16": 16,
    "rowptr": 64, "cells": 256, "names": 96,
}  # fmt: skip
"""Bytes of an element of each array."""
KEYS: dict[str, tuple[int, int]] = {
    "dst4": (8, 32), "dst6": (24, 8), "local6": (24, 8), "h64": (16, 16), "h128": (24, 8), "l6": (16, 8),
    "l128": (16, 8),
}  # fmt: skip
"""Bytes of a key and of a value of each lookup."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One generation: what every map holds. ``facts`` are sizes that people are told (classes, rows, bytes)."""

    constants: dict[str, int]
    arrays: dict[str, bytes]
    lookups: dict[str, dict[bytes, bytes]]
    facts: dict[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all tables that a packet may touch; counters are beside them."""
        touched = sum(len(data) for name, data in self.arrays.items() if name != "names")
        return touched + sum(len(key) + len(value) for table in self.lookups.values() for key, value in table.items())
