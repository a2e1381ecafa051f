"""What the policy says of a packet, asked packet by packet; and packets that it allows or denies between two places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from configlet.lab.traffic_frames import ICMP, TCP, UDP
from configlet.model.net import Family, Span
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DPORT, DST, PROTO, SRC, Box, Entry, Packet
from configlet.packets.boxes import change, meet, packet_of
from configlet.packets.verdict import first, reverse

EntriesOf = Callable[[str, Family], Sequence[Entry]]
ECHO: dict[Family, int] = {4: 8 << 8, 6: 128 << 8}
_SPARE = 23
_NEVER_FROM = 1023


@dataclass(frozen=True, slots=True)
class Region:
    """Some addresses; ``live`` are those of them that somebody has."""

    spans: tuple[Span, ...]
    live: tuple[int, ...]

    def candidates(self) -> Iterator[int]:
        """Live addresses first, then one spare of each span."""
        yield from self.live
        for lo, hi in self.spans:
            spare = min(lo + 200, hi - 1)
            if spare not in self.live and spare > lo:
                yield spare


class Law:
    """A(p) of one realm and family (DESIGN 5.1)."""

    def __init__(self, entries_of: EntriesOf, realm: str, family: Family) -> None:
        self.realm, self.family = realm, family
        self.entries = entries_of(realm, family)
        self.never = never_mentioned(self.entries)

    def decide(self, packet: Packet) -> Entry | None:
        """The entry that decides; None for the default deny."""
        return first(self.entries, packet)

    def allows(self, packet: Packet) -> bool:
        """Whether the packet may initiate."""
        entry = self.decide(packet)
        return entry is not None and entry.permit

    def resembles_reply(self, packet: Packet) -> Entry | None:
        """The rule whose reply this packet could be to a gate that does not remember; TCP's SYN never is one."""
        back = None if packet.proto == TCP else reverse(packet)
        entry = first(self.entries, back) if back else None
        return entry if entry and entry.permit else None

    def denied(self, packet: Packet) -> bool:
        """Whether every gate that sees it must drop it, even one that only knows replies by their looks."""
        return not self.allows(packet) and self.resembles_reply(packet) is None

    def packet(self, proto: int, src: int, dst: int, dport: int, tag: int) -> Packet:
        """A packet of this realm and family."""
        return Packet(self.realm, self.family, proto, src, dst, tag, dport)

    def permits(self, source: Region, target: Region, tag: int) -> Iterator[Packet]:
        """Packets that the policy allows, a few for each rule that speaks of these places; TCP, UDP or ICMP.

        Of infrastructure none: its packets end in the switches themselves.
        """
        for entry in self.entries:
            if entry.permit and entry.rule.origin != "infrastructure":
                yield from (p for p in self._members(entry, source, target, tag) if self.allows(p))

    def _members(self, entry: Entry, source: Region, target: Region, tag: int) -> Iterator[Packet]:
        for box in boxes_between(source, target):
            both = meet(entry.box, box)
            if both is None:
                continue
            near = prefer(prefer(both, SRC, source.live), DST, target.live)
            for proto in (TCP, UDP, ICMP[self.family]):
                one = meet(near, change(near, PROTO, (proto, proto)))
                if one and one[PROTO] == (proto, proto):
                    yield replace(packet_of(self.family, self.realm, one), sport=tag)

    def denies(self, source: Region, target: Region, tag: int, protos: Iterable[int] = (UDP, TCP)) -> Iterator[Packet]:
        """Packets that the policy denies and no reply looks like, live ends and mentioned ports first."""
        for proto in protos:
            for dst in target.candidates():
                ports = mentioned(self.entries, proto, dst)
                for src in source.candidates():
                    for port in (*ports, self.never):
                        found = self.packet(proto, src, dst, port, tag)
                        if src != dst and self.denied(found):
                            yield found


def boxes_between(source: Region, target: Region) -> Iterator[Box]:
    """All packets from one region to another."""
    for s in source.spans:
        for t in target.spans:
            yield ANY_PROTO, t, s, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)


def prefer(box: Box, level: int, liked: Sequence[int]) -> Box:
    """The box narrowed to a liked address, where it holds one."""
    lo, hi = box[level]
    chosen = next((a for a in liked if lo <= a <= hi), None)
    return box if chosen is None else change(box, level, (chosen, chosen))


def never_mentioned(entries: Iterable[Entry]) -> int:
    """The first port from 1023 that no rule with ports of its own speaks of; 1023 when they speak of all."""
    spans = {e.box[DPORT] for e in entries if e.box[DPORT] != ANY_PORT and e.box[PROTO] in ((TCP, TCP), (UDP, UDP))}
    free = (p for p in range(_NEVER_FROM, 65536) if not any(lo <= p <= hi for lo, hi in spans))
    return next(free, _NEVER_FROM)


def mentioned(entries: Iterable[Entry], proto: int, dst: int) -> tuple[int, ...]:
    """The first ports of services that some rule allows at a destination."""
    found = [
        e.box[DPORT][0]
        for e in entries
        if e.permit and e.box[PROTO] == (proto, proto) and e.box[DST][0] <= dst <= e.box[DST][1] and e.box[DPORT][0]
    ]
    return tuple(dict.fromkeys(found))
