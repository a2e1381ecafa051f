"""The gates at a workload's own end, at its host and in its NICs: which of them see it, in which direction, and why."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Literal, get_args

from configlet.model.frozen import dataclass
from configlet.model.gate import Direction, Gate
from configlet.model.inventory import Host, Stack, Workload
from configlet.place.ends import End
from configlet.place.gates import Placement
from configlet.place.stacks import IN_NIC, OF_THE_HOST, OUTSIDE, cell

Way = Literal["sends", "receives"]
WAYS: tuple[Way, ...] = get_args(Way)
ONE_WAY = {
    "receives": "This table judges only what is sent: what the workload receives never meets it.",
    "sends": "This table judges only what is received: what the workload sends never meets it.",
}
INSIDE = "Both workloads are on this host: what passes between them never leaves it, and this table never meets it."
TAGGED = "The workload's frames have a VLAN tag, and the rules of this table are for frames without one: they pass it by."
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


def hops_at(placement: Placement, end: End, way: Way, other: End, service: str = "") -> tuple[Hop, ...]:
    """The gates at a workload's host that its packets to or from the ``other`` end could meet.

    A service may have its own stack. Of what stays inside the host only the host's own IP hooks see anything.
    """
    if end.workload is None:
        return ()
    gates = [g for g in placement.of_owner(end.workload.host) if _crossed(placement, g, end, way)]
    stays, stack = inside(end, other), dict(end.workload.also).get(service, end.workload.stack)
    tagged = _tagged(placement, end)

    def hop(gate: Gate) -> Hop:
        if stays and mechanism(gate) in OUTSIDE:
            return Hop(gate, False, INSIDE)
        if tagged and not gate.capability.tagged:
            return Hop(gate, False, TAGGED)
        return _hop(gate, stack, way)

    return tuple(map(hop, gates))


def _tagged(placement: Placement, end: End) -> bool:
    """Whether a workload's frames carry a VLAN tag."""
    host = host_of(placement, end)
    on = set(end.workload.on) if end.workload else set()
    return host is not None and any(i.vlan is not None for i in host.interfaces if i.name in on)


def inside(one: End, other: End) -> bool:
    """Whether what passes between two ends never leaves a host: both are there, in one segment or at its own kernel."""
    a, b = one.workload, other.workload
    if a is None or b is None or a.host != b.host:
        return False
    return one.place == other.place or all(OF_THE_HOST & {*stacks_of(w)} for w in (a, b))


def stacks_of(workload: Workload) -> tuple[Stack, ...]:
    """The stack of a workload, and those of the services beside it."""
    return (workload.stack, *[stack for _, stack in workload.also]) if workload.also else (workload.stack,)


def keeps(placement: Placement, workload: Workload) -> bool:
    """Whether a table on its host's own IP hooks remembers connections, and sees all that a workload sends and receives."""
    stacks = stacks_of(workload)
    for gate in placement.owners.get(workload.host, ()):
        record = gate.capability
        if record.stateful and _sees_all(mechanism(gate), gate.direction, record.controlled_by, stacks):
            return True
    return False


@lru_cache(maxsize=1024)
def _sees_all(mechanism: str, direction: Direction, controlled_by: str, stacks: tuple[Stack, ...]) -> bool:
    """Whether such a gate is on a host's own IP hooks, and sees all that these stacks send and receive."""
    seen = (_seen(stack, mechanism, direction, controlled_by, way)[0] for stack in stacks for way in WAYS)
    return mechanism not in OUTSIDE and all(seen)


def whole(placement: Placement, host: str) -> bool:
    """Whether a table on a host's own IP hooks remembers connections: it has what the host manages itself by, too."""
    for gate in placement.of_owner(host):
        if gate.kind == "filter-table" and gate.stateful and mechanism(gate) not in OUTSIDE:
            return True
    return False


def only_at_nics(placement: Placement, host: str) -> bool:
    """Whether a host has tables, all at NICs of workloads, so that none meets what reaches its management."""
    return not whole(placement, host) and any(gate.kind == "filter-table" for gate in placement.of_owner(host))


def guards_at(placement: Placement, end: End, way: Way, other: End) -> tuple[Gate, ...]:
    """The gates that see all that passes between two ends at one of them; none where one of its NICs has no such gate."""
    services = ("", *dict(end.workload.also)) if end.workload else ()
    hops = [hops_at(placement, end, way, other, service) for service in services]
    seen = [of_one[0].gate for of_one in zip(*hops, strict=True) if all(hop.sees for hop in of_one)]
    if end.workload is None or any(mechanism(gate) not in IN_NIC for gate in seen):
        return tuple(seen)
    host = host_of(placement, end)
    legs = {nic.name for nic in host.nics_of(end.workload)} if host else set()
    return tuple(seen) if legs and legs <= {gate.binding for gate in seen} else ()


def host_of(placement: Placement, end: End) -> Host | None:
    """The host of an end's workload."""
    return placement.hosts.get(end.workload.host) if end.workload else None


def _crossed(placement: Placement, gate: Gate, end: End, way: Way) -> bool:
    """Whether a gate stands where this end's packets go; a NIC's gate of the other direction has a sibling for them."""
    if mechanism(gate) not in IN_NIC:
        return True
    host = host_of(placement, end)
    if host is None or end.workload is None or gate.binding not in {n.name for n in host.nics_of(end.workload)}:
        return False
    return _judges(gate, way) or len(gate.capability.directions) == 1


def _hop(gate: Gate, stack: Stack, way: Way) -> Hop:
    return Hop(gate, *_sight(gate, stack, way))


def _sight(gate: Gate, stack: Stack, way: Way) -> tuple[bool, str]:
    """Whether a gate sees what a stack sends or receives, and why."""
    return _seen(stack, mechanism(gate), gate.direction, gate.capability.controlled_by, way)


def _judges(gate: Gate, way: Way) -> bool:
    return _judged(gate.direction, way)


def _judged(direction: Direction, way: Way) -> bool:
    return direction in ("both", "out" if way == "sends" else "in")


@cache
def _seen(stack: Stack, mechanism: str, direction: Direction, controlled_by: str, way: Way) -> tuple[bool, str]:
    found = cell(stack, mechanism)
    sees = found.tx if way == "sends" else found.rx
    if sees and not _judged(direction, way):
        return False, ONE_WAY[way]
    if sees and controlled_by == "workload":
        return False, REMOVABLE
    return sees, found.sentence
