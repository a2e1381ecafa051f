"""The verdict of one packet, and the packet that would answer it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol, TypeVar

from configlet.model.gate import Law
from configlet.model.net import Family, Span
from configlet.model.policy import Entry, Packet
from configlet.packets.boxes import ICMP, point

REPLY_TYPE: dict[Family, dict[int, int]] = {4: {8: 0, 0: 8, 13: 14, 14: 13}, 6: {128: 129, 129: 128}}
"""The ICMP types that have an answer (RFC 792, RFC 4443): echo and, in IPv4, timestamp."""


class Row(Protocol):
    """Anything with a box and permit or deny: an ``Entry`` of ours, a ``Line`` that a reader found."""

    @property
    def permit(self) -> bool:
        """Whether the packets of the box pass."""

    @property
    def box(self) -> tuple[Span, ...]:
        """Seven closed intervals, as ``model.policy.Box``."""


R = TypeVar("R", bound=Row)


def first(entries: Iterable[R], packet: Packet) -> R | None:
    """The first row whose box has the packet; None when the default decides."""
    proto, dst, src, dport, sport, flag, fragment = point(packet)
    for entry in entries:
        p, d, s, dp, sp, fl, fr = entry.box
        if (
            d[0] <= dst <= d[1]
            and s[0] <= src <= s[1]
            and p[0] <= proto <= p[1]
            and dp[0] <= dport <= dp[1]
            and sp[0] <= sport <= sp[1]
            and fl[0] <= flag <= fl[1]
            and fr[0] <= fragment <= fr[1]
        ):
            return entry
    return None


def passes(law: Law, packet: Packet) -> tuple[bool, Entry | None]:
    """Whether any list of the law permits the packet, and the entry that decided.

    When nothing permits, it is the first list's entry that speaks (None: the default deny).
    """
    hits = [first(entries, packet) for entries in law.lists]
    for hit in hits:
        if hit is not None and hit.permit:
            return True, hit
    return False, next((hit for hit in hits if hit is not None), None)


def reverse(packet: Packet) -> Packet | None:
    """The packet that goes the other way between the same ends; None for ICMP without an answer (DESIGN 5.4).

    Addresses and ports are swapped; a non-first fragment has addresses only. The flag class stays: that a reply has
    ACK or RST is asked of the reply, not of what it answers.
    """
    back = replace(packet, src=packet.dst, dst=packet.src)
    if packet.fragment:
        return back
    if packet.proto != ICMP[packet.family]:
        return replace(back, sport=packet.dport, dport=packet.sport)
    kind = REPLY_TYPE[packet.family].get(packet.dport >> 8)
    return None if kind is None else replace(back, dport=kind << 8 | packet.dport & 255)
