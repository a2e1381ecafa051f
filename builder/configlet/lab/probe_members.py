"""Who can be probed: workloads, externals' routers, the controller and the ways to management, where the lab has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from configlet.lab.topology_host import svi
from configlet.lab.topology_management import CONTROLLER, management_namespace
from configlet.lab.topology_switch import neighbour_addresses
from configlet.lab.topology_values import Wiring, ifname, mac_of, switch_namespace
from configlet.lab.traffic_values import How
from configlet.model.inventory import External, Inventory, Segment, Service, Stack, Workload
from configlet.model.net import Family, IPAddress, family_of
from configlet.model.policy import Packet

KERNEL: frozenset[Stack] = frozenset({"kernel", "container"})
"""Stacks whose packets real sockets send and receive; all others are played by AF_PACKET."""


@dataclass(frozen=True, slots=True)
class Member:
    """One end of probes. ``spot`` is the segment or external that it is in, ``gateway`` the MAC of its first hop."""

    name: str
    namespace: str
    interface: str
    mac: str
    gateway: str
    realm: str
    spot: str
    addresses: tuple[IPAddress, ...]
    workload: Workload | None = None
    kernel_ports: tuple[Service, ...] = ()

    def address(self, family: Family) -> int | None:
        """Its first address of a family."""
        return next((int(a) for a in self.addresses if family_of(a) == family), None)

    def has(self, family: Family, address: int) -> bool:
        """Whether this address is its own."""
        return any(family_of(a) == family and int(a) == address for a in self.addresses)

    @property
    def sends(self) -> How:
        """How its packets are sent."""
        return "socket" if self.workload is None or self.workload.stack in KERNEL else "frame"

    def receives(self, packet: Packet) -> How:
        """How a packet is received: by its stack, or by the kernel where that serves this port beside it."""
        if self.sends == "socket" or any(_covers(service, packet) for service in self.kernel_ports):
            return "socket"
        return "frame"


def _covers(service: Service, packet: Packet) -> bool:
    return any(
        term.proto in (None, packet.proto)
        and term.family in (None, packet.family)
        and term.dport[0] <= packet.dport <= term.dport[1]
        for term in service.terms
    )


def mac_at(wiring: Wiring, namespace: str, interface: str) -> str:
    """The MAC of an interface."""
    bridges = {(b.namespace, b.name): b.mac for b in wiring.bridges}
    return bridges.get((namespace, interface)) or mac_of(namespace, interface)


def workloads(inventory: Inventory, wiring: Wiring) -> tuple[Member, ...]:
    """All workloads, in the inventory's order."""
    segments = {s.name: s for s in inventory.segments}
    services = {s.name: s for s in inventory.services}
    return tuple(_workload(wiring, w, segments[w.segment], services) for w in inventory.workloads)


def _workload(wiring: Wiring, workload: Workload, segment: Segment, services: dict[str, Service]) -> Member:
    interface = wiring.interface_of(workload.host, workload.addresses[0])
    beside = tuple(services[name] for name, stack in workload.also if stack in KERNEL)
    mac = mac_at(wiring, workload.host, interface)
    return Member(
        workload.name, workload.host, interface, mac, gateway_mac(wiring, segment), segment.realm, segment.name,
        workload.addresses, workload, beside,
    )  # fmt: skip


def gateway_mac(wiring: Wiring, segment: Segment) -> str:
    """The MAC that a segment's hosts send to when they leave it; empty when it is not routed."""
    if segment.gateways is None:
        return ""
    return mac_at(wiring, switch_namespace(segment.gateways.on[0], segment.realm), svi(segment))


def external(wiring: Wiring, thing: External) -> Member:
    """An external's own router in the lab."""
    addresses = neighbour_addresses(thing)
    interface = wiring.interface_of(thing.name, addresses[0])
    device, port = thing.enters[0]
    gateway = mac_at(wiring, switch_namespace(device, thing.realm), ifname(port))
    return Member(
        thing.name,
        thing.name,
        interface,
        mac_at(wiring, thing.name, interface),
        gateway,
        thing.realm,
        thing.name,
        addresses,
    )


def controller(inventory: Inventory, wiring: Wiring) -> Member:
    """Where an operator's commands run."""
    interface = wiring.interface_of(CONTROLLER, inventory.controller[0])
    mac = mac_at(wiring, CONTROLLER, interface)
    return Member(
        "controller", CONTROLLER, interface, mac, "", inventory.controller_realm, "controller", inventory.controller
    )


def managements(inventory: Inventory, wiring: Wiring) -> Iterator[tuple[Member, bool]]:
    """Every managed host's and device's management, and whether a table of ours guards it (a host's does)."""
    ways = [(h.name, h.name, h.management, h.managed) for h in inventory.hosts]
    ways += [(d.name, management_namespace(inventory, d.name), d.management, False) for d in inventory.devices]
    for name, namespace, way, guarded in ways:
        if way is not None:
            interface = wiring.interface_of(namespace, way.address)
            mac = mac_at(wiring, namespace, interface)
            realm = inventory.controller_realm
            title = f"management of {name}"
            yield Member(title, namespace, interface, mac, "", realm, "management", (way.address,)), guarded
