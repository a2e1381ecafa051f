"""Probes from end to end: every ordered pair of members, in both families."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from configlet.lab.probe_law import ECHO, Law, mentioned
from configlet.lab.probe_members import Member
from configlet.lab.probe_values import Numbers, Probe, reason
from configlet.lab.traffic_frames import ICMP, TCP, UDP
from configlet.lab.traffic_values import Ear, Shot
from configlet.model.net import FAMILIES, Family
from configlet.model.policy import ANY_PORT, DPORT, DST, PROTO, SRC, Packet

GapOf = Callable[[Packet, Member, Member], str]
Choice = tuple[int, int]
"""protocol, destination port (ICMP: type*256+code)."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two members and a family. ``own`` are ports that rules name for the pair, ``other`` what anybody would try."""

    source: Member
    target: Member
    family: Family
    own: tuple[Choice, ...]
    other: tuple[Choice, ...]


def pairs(members: Sequence[Member], laws: Callable[[str, Family], Law]) -> Iterator[Pair]:
    """All ordered pairs that share a realm and a family, and are not on one host."""
    for source in members:
        for target in members:
            if source.namespace == target.namespace or source.realm != target.realm:
                continue
            for family in FAMILIES:
                src, dst = source.address(family), target.address(family)
                if src is not None and dst is not None:
                    law = laws(source.realm, family)
                    own = tuple(dict.fromkeys(_own(law, src, dst)))
                    other = tuple(c for c in dict.fromkeys(_other(law, dst)) if c not in own)
                    yield Pair(source, target, family, own, other)


def _own(law: Law, src: int, dst: int) -> Iterator[Choice]:
    """First and last port of what rules name for this pair, and the ports just outside."""
    outside: list[Choice] = []
    for entry in law.entries:
        box = entry.box
        lo, hi = box[DPORT]
        if box[PROTO] not in ((TCP, TCP), (UDP, UDP)) or (lo, hi) == ANY_PORT:
            continue
        if box[SRC][0] <= src <= box[SRC][1] and box[DST][0] <= dst <= box[DST][1]:
            proto = box[PROTO][0]
            yield proto, lo
            yield proto, hi
            outside += [(proto, port) for port in (hi + 1, lo - 1) if 0 < port < 65536]
    yield from outside


def _other(law: Law, dst: int) -> Iterator[Choice]:
    """A ping, what others may use at this destination, and a port that nobody named."""
    yield ICMP[law.family], ECHO[law.family]
    services = [(proto, port) for proto in (TCP, UDP) for port in mentioned(law.entries, proto, dst)]
    yield from services[:1]
    yield UDP, law.never
    yield TCP, law.never
    yield TCP, 22
    yield from services[1:]


def choose(found: Sequence[Pair], cap: int) -> Iterator[tuple[Pair, Choice]]:
    """What rules name for a pair first, then round by round one more of the rest for every pair, up to the cap."""
    for choices in ([p.own for p in found], [p.other for p in found]):
        depth = max((len(c) for c in choices), default=0)
        for at in range(depth):
            for pair, ports in zip(found, choices, strict=True):
                if at < len(ports):
                    if cap <= 0:
                        return
                    cap -= 1
                    yield pair, ports[at]


def probe_of(pair: Pair, choice: Choice, law: Law, numbers: Numbers, gap_of: GapOf) -> Probe:
    """The probe of one pair and port, with what the policy says of it."""
    src, dst = pair.source.address(pair.family), pair.target.address(pair.family)
    packet = law.packet(choice[0], src or 0, dst or 0, choice[1], numbers.tag())
    entry = law.decide(packet)
    allowed = entry is not None and entry.permit
    rule, place = reason(entry)
    gap = "" if allowed else gap_of(packet, pair.source, pair.target)
    shot = shot_between(pair.source, pair.target, packet, numbers.next(), wanted=allowed)
    return Probe(shot, "pair", pair.source.name, pair.target.name, allowed, rule, place, gap=gap)


def shot_between(source: Member, target: Member, packet: Packet, number: int, *, wanted: bool) -> Shot:
    """A packet from one member to another: straight to it inside a segment, else by way of the gateway."""
    ear = Ear(target.namespace, target.interface, target.receives(packet))
    toward = target.mac if source.spot == target.spot else source.gateway
    return Shot(
        number, packet, source.sends, source.namespace, source.interface, (ear,), wanted, wanted, source.mac, toward
    )
