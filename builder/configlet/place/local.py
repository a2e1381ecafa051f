"""The gates at a workload's own end, at its host and in its NICs: which of them see it, in which direction, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from configlet.model.gate import Gate
from configlet.model.inventory import Host
from configlet.place.ends import End
from configlet.place.gates import Placement
from configlet.place.stacks import IN_NIC, cell

Way = Literal["sends", "receives"]
ONE_WAY = {
    "receives": "This table judges only what is sent: what the workload receives never meets it.",
    "sends": "This table judges only what is received: what the workload sends never meets it.",
}
REMOVABLE = "The workload can remove this table itself, so it is never the only guard."


@dataclass(frozen=True, slots=True)
class Hop:
    """One gate on a path: whether it sees the packet, and the sentence that says why."""

    gate: Gate
    sees: bool
    sentence: str


def mechanism(gate: Gate) -> str:
    """The column of the table of stacks that speaks for a gate."""
    return gate.capability.mechanism or gate.platform


def hops_at(placement: Placement, end: End, way: Way, service: str = "") -> tuple[Hop, ...]:
    """The gates at a workload's host that a packet of this direction could meet; a service may have its own stack."""
    if end.workload is None:
        return ()
    gates = [g for g in placement.of_owner(end.workload.host) if _crossed(placement, g, end, way)]
    return tuple(_hop(gate, end, way, service) for gate in gates)


def guards_at(placement: Placement, end: End, way: Way) -> tuple[Gate, ...]:
    """The gates that see everything of an end in one direction; none where one of its NICs has no such gate."""
    seen = [hop.gate for hop in hops_at(placement, end, way) if hop.sees]
    if end.workload is None or any(mechanism(gate) not in IN_NIC for gate in seen):
        return tuple(seen)
    host = host_of(placement, end)
    legs = {nic.name for nic in host.nics_of(end.workload)} if host else set()
    return tuple(seen) if legs and legs <= {gate.binding for gate in seen} else ()


def host_of(placement: Placement, end: End) -> Host | None:
    """The host of an end's workload."""
    name = end.workload.host if end.workload else ""
    return next((h for h in placement.inventory.hosts if h.name == name), None)


def _crossed(placement: Placement, gate: Gate, end: End, way: Way) -> bool:
    """Whether a gate stands where this end's packets go; a NIC's gate of the other direction has a sibling for them."""
    if mechanism(gate) not in IN_NIC:
        return True
    host = host_of(placement, end)
    if host is None or end.workload is None or gate.binding not in {n.name for n in host.nics_of(end.workload)}:
        return False
    return _judges(gate, way) or len(gate.capability.directions) == 1


def _judges(gate: Gate, way: Way) -> bool:
    return gate.direction in ("both", "out" if way == "sends" else "in")


def _hop(gate: Gate, end: End, way: Way, service: str) -> Hop:
    if end.workload is None:
        raise AssertionError("only a workload has gates at its host")
    stack = dict(end.workload.also).get(service, end.workload.stack)
    found = cell(stack, mechanism(gate))
    sees = found.tx if way == "sends" else found.rx
    if sees and not _judges(gate, way):
        return Hop(gate, False, ONE_WAY[way])
    if sees and gate.capability.controlled_by == "workload":
        return Hop(gate, False, REMOVABLE)
    return Hop(gate, sees, found.sentence)
