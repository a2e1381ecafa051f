"""The names of one vendor in access lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from configlet.model.net import Family

MANY = 1 << 16


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words to numbers. Where a number has several, the first is the one that the device prints."""

    any_protocol: Mapping[Family, str]
    protocols: Mapping[Family, Mapping[str, int]]
    ports: Mapping[int, Mapping[str, int]]
    """Protocols that have ports, to the names of those."""
    icmp_types: Mapping[Family, Mapping[str, tuple[int, int | None]]]
    """Type and code; a name without a code is every code of its type."""
    most_ports: int = MANY
    """Ports that may follow one ``eq``."""
