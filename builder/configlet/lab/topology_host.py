"""Hosts: their NICs, bonds and workload addresses, and the switch ports that they end on."""

from __future__ import annotations

from dataclasses import dataclass

from configlet.lab.topology_values import (
    Draft,
    End,
    Hop,
    Route,
    SourceRule,
    default_route,
    ifname,
    mac_of,
    nic_namespace,
    prefix_length,
    switch_namespace,
)
from configlet.model.inventory import Host, Interface, Inventory, Nic, Segment, Workload
from configlet.model.problem import refuse

_FIRST_TABLE = 1000
PORT, FUNCTION = "port", "function"
"""In a NIC that is a namespace: the ends towards the switch and towards the host, numbered by the VLANs that it carries."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A host's way into a segment: its interface there, the switch port that carries it, its MAC."""

    host: str
    segment: str
    interface: str
    device: str
    port: str
    mac: str


def svi(segment: Segment) -> str:
    """The name of a segment's bridge on a switch, as the switch's configuration calls it."""
    return ifname(f"Vlan{segment.vlan}" if segment.vlan is not None else f"Seg-{segment.name}"[:15], segment.place)


def _nics(host: Host, name: str, depth: int = 0) -> tuple[tuple[Nic, ...], Interface | None]:
    """The NICs below a name that a workload is ``on``, and the interface, if it is one."""
    nic = next((n for n in host.nics if n.name == name), None)
    if nic:
        return (nic,), None
    interface = next((i for i in host.interfaces if i.name == name), None)
    if interface is None or depth > 4:
        raise refuse("unknown interface", f"{host.name} has no NIC and no interface {name}.", host.place)
    found = tuple(n for member in interface.members for n in _nics(host, member, depth + 1)[0])
    return found, interface


def _leg(draft: Draft, host: Host, nic: Nic, segment: Segment, bridge: str | None, up: bool, first: bool) -> Attachment:
    """One wire from a NIC to its port, in the VLAN's bridge there; ``first`` of the NIC's segments has plain names."""
    if not nic.attached:
        raise refuse(
            "NIC without a port", f"{host.name}/{nic.name} carries a workload but is attached to no port.", nic.place
        )
    device, port = nic.attached[0]
    inner = nic.name if first else f"{nic.name}_{segment.vlan}"
    outer = port if first else f"{port}_{segment.vlan}"
    where = switch_namespace(device, segment.realm)
    a = End(where, ifname(outer, nic.place), bridge=svi(segment), up=up)
    b = End(host.name, ifname(inner, nic.place), bridge=bridge, up=up)
    if bypassed(host, nic) or nic.filter_table:
        _through(draft, host, nic, a, b)
    else:
        draft.wire(a, b)
    name = bridge or b.name
    return Attachment(host.name, segment.name, name, device, a.name, mac_of(host.name, name))


def bypassed(host: Host, nic: Nic) -> bool:
    """Whether some workload takes its packets from this NIC without the kernel."""
    return any(w.stack not in ("kernel", "container") and nic in host.nics_of(w) for w in host.workloads)


def _through(draft: Draft, host: Host, nic: Nic, outer: End, inner: End) -> None:
    """A NIC of its own between leaf and host: a namespace that bridges, and where the NIC's table filters."""
    name = draft.namespace(nic_namespace(host.name, nic.name), "nic", host.name)
    wires = sum(end.namespace == name for wire in draft.veths for end in (wire.a, wire.b)) // 2
    bridge = draft.bridge(name, f"embedded{wires}")
    draft.wire(outer, End(name, f"{PORT}{wires}", bridge=bridge, up=outer.up))
    draft.wire(End(name, f"{FUNCTION}{wires}", bridge=bridge, up=inner.up), inner)


def _attach(draft: Draft, host: Host, name: str, segment: Segment, used: dict[str, str]) -> Attachment:
    """Wire an interface into a segment. Of a bond's members only the first carries; the others are down."""
    nics, interface = _nics(host, name)
    if interface and (host.name, name) in draft.bridges:
        raise refuse(
            "one interface in two segments",
            f"{host.name}/{name} would join {segment.name} to another segment. Give each VLAN an interface.",
            interface.place,
        )
    bridge = draft.bridge(host.name, ifname(name, host.place)) if interface else None
    legs = []
    for number, nic in enumerate(nics):
        first = used.setdefault(nic.name, segment.name) == segment.name
        legs.append(_leg(draft, host, nic, segment, bridge, number == 0, first))
        if len(nic.attached) > 1:
            draft.notes.append(f"{host.name}/{nic.name} has several ports; only {'/'.join(nic.attached[0])} is wired.")
    if len(legs) > 1:
        draft.notes.append(
            f"{host.name}/{name}: {nics[0].name} carries, {', '.join(n.name for n in nics[1:])} is down."
        )
    return legs[0]


def _addresses(draft: Draft, workload: Workload, segment: Segment, interface: str) -> None:
    for address in workload.addresses:
        length = prefix_length(address, segment.prefixes)
        if length is None:
            raise refuse("address outside its segment", f"{address} is not in {segment.name}.", workload.place)
        draft.address(workload.host, interface, address, length)


def _ways_out(draft: Draft, host: str, segment: Segment, interface: str, table: int) -> None:
    """Default routes through the gateways of the prefixes that the host has an address in, one a family; every segment
    but the first has a table of its own."""
    own = [a.address.ip for a in draft.addresses if (a.namespace, a.interface) == (host, interface)]
    led: set[int] = set()
    for address in segment.gateways.virtual if segment.gateways else ():
        prefix = next((p for p in segment.prefixes if address in p and any(one in p for one in own)), None)
        if prefix is None:
            continue
        if address.version not in led:
            draft.routes.append(Route(host, default_route(address.version), (Hop(address, interface),), table))
            led.add(address.version)
        if table != 254:
            draft.routes.append(Route(host, prefix, (Hop(None, interface),), table))
            draft.rules.append(SourceRule(host, prefix, table))


def lay_host(draft: Draft, inventory: Inventory, host: Host) -> list[Attachment]:
    """Wire one host: NICs, interfaces, addresses, ways out."""
    draft.namespace(host.name, "host", host.name)
    segments = {s.name: s for s in inventory.segments}
    made: dict[tuple[str, str], Attachment] = {}
    used: dict[str, str] = {}
    for workload in host.workloads:
        segment = segments[workload.segment]
        key = (workload.on[0], segment.name)
        if key not in made:
            made[key] = _attach(draft, host, workload.on[0], segment, used)
        _addresses(draft, workload, segment, made[key].interface)
        if len(workload.on) > 1:
            draft.notes.append(f"{workload.name}: its addresses are on {workload.on[0]} alone.")
    main = False
    for number, way in enumerate(made.values()):
        segment = segments[way.segment]
        _ways_out(draft, host.name, segment, way.interface, _FIRST_TABLE + number if main else 254)
        main = main or segment.gateways is not None
    idle = [n.name for n in host.nics if n.name not in used]
    if idle:
        draft.notes.append(f"{host.name}: {', '.join(idle)} carries no workload and is not wired.")
    return list(made.values())
