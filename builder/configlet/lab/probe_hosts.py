"""Gate probes on hosts: packets put on a host's own wire, behind every switch gate, so that its table alone can stop them.

What arrives is read by a real socket behind the table; what the host itself sends is looked for on its wire.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from configlet.lab.probe_gates import PUT_IN
from configlet.lab.probe_ground import Ground
from configlet.lab.probe_law import Law, Region
from configlet.lab.probe_members import Member
from configlet.lab.probe_values import Numbers, Probe, reason
from configlet.lab.topology_values import End
from configlet.lab.traffic_frames import TCP, UDP
from configlet.lab.traffic_values import Ear, Shot
from configlet.model.gate import Gate
from configlet.model.net import FAMILIES, Family
from configlet.model.policy import Packet


@dataclass(frozen=True, slots=True)
class Local:
    """One address that a host's table judges, and the far end of the wire that leads to it."""

    gate: Gate
    member: Member
    family: Family
    address: int
    wire: End
    own: frozenset[int]
    """All addresses of the host: what comes from one of them over a wire the kernel drops by itself, table or none."""


def host_probes(ground: Ground, gate: Gate, members: Iterable[Member], numbers: Numbers) -> Iterator[Probe | str]:
    """For each local address of one host: denied packets in and out, and an allowed one in."""
    for member in members:
        wire = _wire(ground, member)
        if wire is None:
            yield f"{gate.name}: no wire of the lab leads to {member.name}."
            continue
        for family in FAMILIES:
            address = member.address(family)
            if address is not None and any(f == family and lo <= address <= hi for f, (lo, hi) in gate.locals):
                same = (m.address(family) for m in ground.members if m.namespace == member.namespace)
                own = frozenset(a for a in same if a is not None)
                local = Local(gate, member, family, address, wire, own)
                yield from _local(local, ground, ground.laws(member.realm, family), numbers)


def _wire(ground: Ground, member: Member) -> End | None:
    """The far end of the wire that a member's interface, or the bond that it is, ends on."""
    plain = (far for far, near in ground.outer_ends(member.namespace, None, member.interface))
    bond = (far for far, near in ground.outer_ends(member.namespace, member.interface))
    return next(plain, None) or next(bond, None)


def _local(local: Local, ground: Ground, law: Law, numbers: Numbers) -> Iterator[Probe | str]:
    here = Region(((local.address, local.address),), (local.address,))
    others = _others(local, ground)
    inward = [
        p
        for proto in (UDP, TCP)
        for p in islice(_served(local, law.denies(others, here, numbers.tag(), (proto,))), 1)
    ]
    if not inward:
        yield f"{local.gate.name}: the policy denies nothing towards {local.member.name} that its table alone could stop."
    for packet in inward:
        yield _inward(local, law, numbers, packet)
    allowed = next(_served(local, law.permits(others, here, numbers.tag())), None)
    if allowed is None:
        yield f"{local.gate.name}: the policy allows nothing towards {local.member.name} over IPv{local.family}."
    else:
        yield _inward(local, law, numbers, allowed)
    outward = next((p for p in law.denies(here, others, numbers.tag(), (UDP,)) if p.dst not in local.own), None)
    if outward and "out" in local.gate.capability.directions:
        yield _outward(local, law, numbers, outward)


def _others(local: Local, ground: Ground) -> Region:
    """Everybody else of the realm, who has an address of the family."""
    if local.member.workload:
        region = ground.region(ground.spots(local.member.realm), local.family)
    else:
        found = [m.address(local.family) for m in ground.members if m.realm == local.member.realm]
        found += [int(a) for a in ground.inventory.controller]
        live = tuple(a for a in found if a is not None)
        region = Region(tuple((a, a) for a in live), live)
    return Region(region.spans, tuple(a for a in region.live if a != local.address))


def _served(local: Local, packets: Iterable[Packet]) -> Iterator[Packet]:
    """Those that the kernel serves, from others than the host itself."""
    return (p for p in packets if p.src not in local.own and p.src != p.dst and local.member.receives(p) == "socket")


def _inward(local: Local, law: Law, numbers: Numbers, packet: Packet) -> Probe:
    entry = law.decide(packet)
    allowed = entry is not None and entry.permit
    rule, place = reason(entry)
    member, wire = local.member, local.wire
    ear = Ear(member.namespace, member.interface, "socket")
    shot = Shot(numbers.next(), packet, "frame", wire.namespace, wire.name, (ear,), allowed, False, PUT_IN, member.mac)
    source = f"{wire.namespace}/{wire.name}"
    about = "allowed" if allowed else "denied"
    return Probe(shot, "gate", source, member.name, allowed, rule, place, local.gate.name, about=about)


def _outward(local: Local, law: Law, numbers: Numbers, packet: Packet) -> Probe:
    rule, place = reason(law.decide(packet))
    member = local.member
    ear = Ear(member.namespace, member.interface, "leaves")
    shot = Shot(numbers.next(), packet, "socket", member.namespace, member.interface, (ear,), False, False)
    target = f"the wire of {member.namespace}"
    return Probe(shot, "gate", member.name, target, False, rule, place, local.gate.name, about="denied on output")
