"""Multicast: which switch copies which (source, group) to where. IPv4 only; the lab says so where it matters."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from configlet.lab.topology_host import Attachment, svi
from configlet.lab.topology_routes import hops_to
from configlet.lab.topology_switch import Edge, neighbour_addresses
from configlet.lab.topology_values import Draft, Stream, ifname, switch_namespace
from configlet.model.inventory import Inventory, Multicast, Segment
from configlet.model.net import IPAddress

GROUPS = 4
"""How many groups of each prefix the lab carries."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Where a source's packets enter the switches. ``segment`` is empty for an external."""

    address: IPAddress
    device: str
    interface: str
    segment: str


def groups(multicast: Multicast) -> tuple[IPAddress, ...]:
    """The groups of a set that the lab carries: the first few IPv4 ones of each prefix, the prefix's own zero aside."""
    out: list[IPAddress] = []
    for prefix in multicast.groups:
        if prefix.version == 4:
            out += islice((g for g in prefix if prefix.num_addresses == 1 or g != prefix.network_address), GROUPS)
    return tuple(out)


def senders(inventory: Inventory, multicast: Multicast, attachments: list[Attachment]) -> list[Sender]:
    """The IPv4 senders of a set: externals' neighbours, and the workloads that its sources name."""
    out: list[Sender] = []
    for external in inventory.externals:
        if external.name in multicast.sources and external.realm == multicast.realm:
            device, port = external.enters[0]
            out += [Sender(a, device, ifname(port), "") for a in neighbour_addresses(external) if a.version == 4]
    segments = {s.name: s for s in inventory.segments}
    for workload in inventory.workloads:
        if workload.name in multicast.sources or workload.segment in multicast.sources:
            segment = segments[workload.segment]
            at = next(a for a in attachments if (a.host, a.segment) == (workload.host, workload.segment))
            device = segment.gateways.on[0] if segment.gateways else at.device
            out += [Sender(a, device, svi(segment), segment.name) for a in workload.addresses if a.version == 4]
    return out


def _branches(edges: list[Edge], sender: Sender, receivers: list[Segment]) -> dict[str, tuple[str, list[str]]]:
    """For each device on the tree: the interface that the packets enter by, and those they leave by."""
    tree: dict[str, tuple[str, list[str]]] = {sender.device: (sender.interface, [])}
    back = hops_to(edges, (sender.device,), 4)
    peers = {(e.device, e.interface): e for e in edges}
    for segment in receivers:
        here = segment.gateways.on[0] if segment.gateways else ""
        leaf = svi(segment)
        while here and here not in tree and here in back:
            edge = peers[here, back[here][0].interface]
            tree[here] = (edge.interface, [leaf])
            here, leaf = edge.peer, edge.peer_interface
        if here in tree and leaf not in tree[here][1]:
            tree[here][1].append(leaf)
    return tree


def lay_multicast(draft: Draft, inventory: Inventory, edges: list[Edge], attachments: list[Attachment]) -> None:
    """Add the forwarding entries of all sets. Of a pair only the first gateway forwards into the VLAN."""
    for multicast in inventory.multicast:
        if any(p.version == 6 for p in multicast.groups):
            draft.notes.append(f"{multicast.name}: the lab carries no IPv6 multicast.")
        ours = [e for e in edges if e.realm == multicast.realm]
        named = [s for s in inventory.segments if s.name in multicast.receivers]
        for sender in senders(inventory, multicast, attachments):
            receivers = [s for s in named if s.name != sender.segment]
            for device, (enters, leaves) in _branches(ours, sender, receivers).items():
                where = switch_namespace(device, multicast.realm)
                if leaves:
                    draft.streams += [
                        Stream(where, sender.address, g, enters, tuple(leaves)) for g in groups(multicast)
                    ]
