"""Gate probes on switches: packets that one interface and direction alone can stop, looked for right behind it.

Gates on one way hold one law, so that end to end a lost gate may hide behind another. These packets are put on the wire
where only their gate is before them, and must not leave that switch by any interface.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from configlet.lab.probe_ground import Ground
from configlet.lab.probe_law import Law, Region
from configlet.lab.probe_members import mac_at
from configlet.lab.probe_values import Numbers, Probe, reason
from configlet.lab.topology_values import End, ifname, switch_namespace
from configlet.lab.traffic_frames import TCP, UDP
from configlet.lab.traffic_values import Ear, Shot
from configlet.model.gate import Gate
from configlet.model.inventory import External, Segment
from configlet.model.net import Family
from configlet.model.policy import Packet

PUT_IN = "02:00:5e:00:53:01"
"""The source MAC of what is put on a wire: nobody's, so that no bridge learns a wrong place for a host."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One switch gate in the lab: where frames go in, to which MAC, and between which addresses.

    From ``source`` to ``target`` it is the only gate of its switch; ``elsewhere`` has a second one behind it.
    """

    gate: Gate
    family: Family
    namespace: str
    enters: End
    toward: str
    source: Region
    target: Region
    elsewhere: Region
    strangers: Region
    fragments: bool


def gate_probes(ground: Ground, gate: Gate, numbers: Numbers) -> Iterator[Probe | str]:
    """Denied, spoofed, fragmented and allowed packets of one gate; a sentence where one of the two cannot be tested."""
    for family in gate.families:
        thing = next(t for t in ground.spots(gate.realm) if t.name == gate.segments[0])
        spot = _inward(ground, gate, thing, family) if gate.direction == "in" else _outward(ground, gate, thing, family)
        if spot is None:
            yield f"{gate.name}: no place in the lab from which a packet meets this gate alone."
            continue
        yield from _probes(spot, ground.laws(gate.realm, family), numbers)


def _inward(ground: Ground, gate: Gate, thing: Segment | External, family: Family) -> Spot | None:
    """From inside towards places that this switch does not serve: what passes leaves by a core link, without a gate."""
    namespace = switch_namespace(gate.owner, gate.realm)
    here = ifname(gate.binding)
    bridge, port = (here, None) if isinstance(thing, Segment) else (None, here)
    enters = next((far for far, _ in ground.outer_ends(namespace, bridge, port)), None)
    away = [t for t in ground.spots(gate.realm) if not ground.serves(gate.owner, t)]
    inside, target = ground.region([thing], family), ground.region(away, family)
    if enters is None or not inside.spans or not target.spans:
        return None
    strangers = ground.region([t for t in ground.spots(gate.realm) if t is not thing], family)
    toward = mac_at(ground.wiring, namespace, here)
    return Spot(
        gate, family, namespace, enters, toward, inside, target, strangers, strangers, ground.fragments_pass(thing)
    )


def _outward(ground: Ground, gate: Gate, thing: Segment | External, family: Family) -> Spot | None:
    """From a core link: no gate stands before it there."""
    namespace = switch_namespace(gate.owner, gate.realm)
    entered = {ifname(port) for e in ground.inventory.externals for device, port in e.enters if device == gate.owner}
    ways = (
        (far, near)
        for far, near in ground.outer_ends(namespace, None)
        if far.namespace in ground.switches() and near.name not in entered
    )
    far, near = next(ways, (None, None))
    others = ground.region([t for t in ground.spots(gate.realm) if t is not thing], family)
    inside, nobody = ground.region([thing], family), Region((), ())
    if far is None or near is None or not inside.spans or not others.spans:
        return None
    toward = mac_at(ground.wiring, namespace, near.name)
    return Spot(gate, family, namespace, far, toward, others, inside, nobody, nobody, ground.fragments_pass(thing))


def _probes(spot: Spot, law: Law, numbers: Numbers) -> Iterator[Probe | str]:
    possible = tuple(law.permits(spot.source, spot.target, numbers.tag()))
    alone = _living(possible, spot.target) or next(iter(possible), None)
    allowed = alone or _living(law.permits(spot.source, spot.elsewhere, numbers.tag()), spot.elsewhere)
    if allowed is None:
        yield f"{spot.gate.name}: the policy allows nothing through this gate that could be sent."
    else:
        yield _probe(spot, law, numbers, allowed, True, "allowed")
    if alone and not spot.fragments:
        fragment = replace(alone, sport=numbers.tag(), dport=0, fragment=True)
        yield _probe(spot, law, numbers, fragment, False, "fragment")
    denied = [
        p for proto in (UDP, TCP) for p in islice(law.denies(spot.source, spot.target, numbers.tag(), (proto,)), 1)
    ]
    if not denied:
        yield f"{spot.gate.name}: the policy denies nothing that this gate alone could stop."
    for packet in denied:
        yield _probe(spot, law, numbers, packet, False, "denied")
    spoofed = next(law.permits(spot.strangers, spot.target, numbers.tag()), None) if spot.strangers.spans else None
    if spoofed:
        yield _probe(spot, law, numbers, spoofed, False, "spoofed")


def _living(packets: Iterable[Packet], target: Region) -> Packet | None:
    """The first packet to somebody who is there."""
    return next((p for p in packets if p.dst in target.live), None)


_WORDS = {
    "fragment": "fragments are dropped here (fragments: drop)",
    "spoofed": "its source does not belong behind this gate",
}


def _probe(spot: Spot, law: Law, numbers: Numbers, packet: Packet, expected: bool, about: str) -> Probe:
    ear = Ear(spot.namespace, "", "leaves")
    number = numbers.next()
    enters = spot.enters
    nobody = spot.gate.direction == "out" and packet.dst not in spot.target.live
    shot = Shot(
        number, packet, "frame", enters.namespace, enters.name, (ear,), expected, False, PUT_IN, spot.toward,
        neighbour=ifname(spot.gate.binding) if nobody else "",
    )  # fmt: skip
    rule, place = (_WORDS[about], "") if about in _WORDS else reason(law.decide(packet))
    source = f"{enters.namespace}/{enters.name}"
    return Probe(shot, "gate", source, f"behind {spot.gate.name}", expected, rule, place, spot.gate.name, about=about)
