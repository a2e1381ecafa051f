"""Switches: VLANs as bridges with the gateway addresses, the wires that stretch them, routed links, externals."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from string import ascii_letters

from configlet.lab.topology_host import Attachment, svi
from configlet.lab.topology_values import (
    VIRTUAL_MAC,
    Draft,
    End,
    Forwarding,
    Hop,
    Neighbour,
    Route,
    default_route,
    ifname,
    prefix_length,
    switch_namespace,
)
from configlet.model.inventory import External, Inventory, Link, Segment
from configlet.model.net import IPAddress
from configlet.model.problem import Place, refuse

_NEIGHBOUR_NUMBER = 10
_LAN = "eth0"


@dataclass(frozen=True, slots=True)
class Edge:
    """A routed link seen from one of its ends: the interface here and the addresses of the other end."""

    device: str
    interface: str
    peer: str
    peer_interface: str
    realm: str
    addresses: tuple[IPAddress, ...]


def lay_link(draft: Draft, link: Link) -> list[Edge]:
    """Wire a routed link; nothing for one without addresses, which only stretches VLANs."""
    if not link.addresses:
        return []
    mine, theirs = link.addresses[0::2], link.addresses[1::2]
    ends = []
    for device, port, addresses in ((link.a_device, link.a_port, mine), (link.b_device, link.b_port, theirs)):
        where = draft.namespace(switch_namespace(device, link.realm), "switch", device, link.realm)
        ends.append(End(where, ifname(port, link.place)))
        for address in addresses:
            length = prefix_length(address, link.networks)
            if length is None:
                raise refuse("link address without a prefix", f"{address} is in no network of the link.", link.place)
            draft.address(where, ends[-1].name, address, length)
    draft.wire(*ends)
    a, b = (end.name for end in ends)
    return [
        Edge(link.a_device, a, link.b_device, b, link.realm, theirs),
        Edge(link.b_device, b, link.a_device, a, link.realm, mine),
    ]


def _short(port: str, vlan: int | None, place: Place) -> str:
    """A port's name in one VLAN, as EOS shortens it: Ethernet55 in 120 is ``Et55.120``."""
    return ifname(f"{port[:2]}{port.lstrip(ascii_letters + '-')}.{vlan}", place)


def _stretch(inventory: Inventory, devices: list[str]) -> list[tuple[str, str, str, str]]:
    """A tree of wires that joins the devices of a VLAN: (device, port, device, port), over written links first."""
    ports = {}
    for link in inventory.links:
        if not link.addresses:
            ports[link.a_device, link.b_device] = (link.a_port, link.b_port)
            ports[link.b_device, link.a_device] = (link.b_port, link.a_port)
    joined, tree = devices[:1], []
    for device in devices[1:]:
        near = next((d for d in joined if (d, device) in ports), joined[0])
        a, b = ports.get((near, device), (f"Vxlan{devices.index(device)}", f"Vxlan{devices.index(near)}"))
        tree.append((near, a, device, b))
        joined.append(device)
    return tree


def _members(segment: Segment, attachments: list[Attachment]) -> list[str]:
    """The devices that hold a VLAN: its gateways, then whoever else has a port in it."""
    on = segment.gateways.on if segment.gateways else ()
    return list(dict.fromkeys([*on, *(a.device for a in attachments if a.segment == segment.name)]))


def _gateway(draft: Draft, segment: Segment, where: str, device: str) -> None:
    """The segment's gateway addresses on one device."""
    if segment.gateways is None or device not in segment.gateways.on:
        return
    for address in segment.gateways.virtual:
        length = prefix_length(address, segment.prefixes)
        if length is None:
            raise refuse("gateway outside its segment", f"{address} is not in {segment.name}.", segment.gateways.place)
        draft.address(where, svi(segment), address, length)


def _tell(draft: Draft, segment: Segment, tree: list[tuple[str, str, str, str]], ways: list[Attachment]) -> None:
    """Tell each device behind which wire the others' hosts are, as members of a pair tell each other."""
    paths = {(a, b): p for a, p, b, _ in tree} | {(b, a): p for a, _, b, p in tree}
    for way in ways:
        reached, front = {way.device}, [way.device]
        while front:
            near = front.pop()
            for (device, toward), port in paths.items():
                if toward == near and device not in reached:
                    where = switch_namespace(device, segment.realm)
                    name = _short(port, segment.vlan, segment.place)
                    draft.forwarding.append(Forwarding(where, name, way.mac))
                    reached.add(device)
                    front.append(device)


def lay_segment(draft: Draft, inventory: Inventory, segment: Segment, attachments: list[Attachment]) -> None:
    """A VLAN on all its devices: bridges, gateway addresses, the wires between them, what they know of its hosts."""
    ways = [a for a in attachments if a.segment == segment.name]
    members = _members(segment, attachments)
    for device in members:
        where = draft.namespace(switch_namespace(device, segment.realm), "switch", device, segment.realm)
        gateway = segment.gateways is not None and device in segment.gateways.on
        draft.bridge(where, svi(segment), VIRTUAL_MAC if gateway else None)
        _gateway(draft, segment, where, device)
    tree = _stretch(inventory, members)
    for a, a_port, b, b_port in tree:
        ends = (
            End(
                switch_namespace(d, segment.realm), _short(p, segment.vlan, segment.place), svi(segment), learning=False
            )
            for d, p in ((a, a_port), (b, b_port))
        )
        draft.wire(*ends)
    _tell(draft, segment, tree, ways)
    _know(draft, inventory, segment, ways)


def _know(draft: Draft, inventory: Inventory, segment: Segment, ways: list[Attachment]) -> None:
    """Gateways know the hosts' MACs: an answer to a resolution would reach only the nearest of them."""
    macs = {w.host: w.mac for w in ways}
    for workload in inventory.workloads:
        if workload.segment == segment.name and segment.gateways:
            for device in segment.gateways.on:
                where = switch_namespace(device, segment.realm)
                for address in workload.addresses:
                    draft.neighbours.append(Neighbour(where, svi(segment), address, macs[workload.host]))


def neighbour_addresses(external: External) -> tuple[IPAddress, ...]:
    """The addresses of an external's own router in the lab: one in the first prefix of each family."""
    out: list[IPAddress] = []
    for version in (4, 6):
        prefix = next((p for p in external.prefixes if p.version == version), None)
        if prefix is not None:
            out.append(prefix[min(_NEIGHBOUR_NUMBER, max(prefix.num_addresses - 2, 0))])
    return tuple(out)


def port_addresses(external: External, number: int) -> tuple[tuple[IPAddress, int], ...]:
    """The addresses and lengths of the ``number``-th entering port: those written, then the first free ones."""
    out: list[tuple[IPAddress, int]] = []
    for version in (4, 6):
        written = [a for a in external.addresses if a.version == version]
        prefix = next((p for p in external.prefixes if p.version == version), None)
        if number < len(written):
            address = written[number]
            out.append((address, prefix_length(address, external.prefixes) or (31 if version == 4 else 127)))
        elif prefix is not None:
            taken = {*external.addresses, *neighbour_addresses(external)}
            free = (a for a in prefix.hosts() if a not in taken)
            found = next(islice(free, number - len(written), None), None)
            if found is None:
                raise refuse(
                    "no address left for the entering port",
                    f"{prefix} of {external.name} is too small for the lab to give our port an address in it. Write "
                    "the port's own under addresses.",
                    external.place,
                )
            out.append((found, prefix.prefixlen))
    return tuple(out)


def _other(address: IPAddress, length: int) -> IPAddress:
    """The other address of a /31 or /127."""
    return type(address)(int(address) ^ 1) if length in (31, 127) else address


def _join(draft: Draft, external: External, number: int, device: str, port: str) -> list[Hop]:
    """Wire an external to one entering port; the external's next hops towards us."""
    where = draft.namespace(switch_namespace(device, external.realm), "switch", device, external.realm)
    port = ifname(port, external.place)
    draft.wire(End(where, port), End(external.name, f"p{number}", bridge=_LAN))
    own = {a.version: a for a in neighbour_addresses(external)}
    back: list[Hop] = []
    for address, length in port_addresses(external, number):
        draft.address(where, port, address, length)
        via = own.get(address.version, address)
        if prefix_length(address, external.prefixes) is None:
            via = type(address)(int(address) ^ 1)
            draft.address(external.name, _LAN, via, length)
        for prefix in external.prefixes:
            if prefix.version == address.version and address not in prefix:
                draft.routes.append(Route(where, prefix, (Hop(via, port),)))
        back.append(Hop(address, _LAN))
    return back


def lay_external(draft: Draft, external: External) -> None:
    """Somebody else's network: a namespace with one host of theirs, joined to every port where they enter."""
    draft.namespace(external.name, "external", external.name, external.realm)
    draft.bridge(external.name, _LAN)
    for address in neighbour_addresses(external):
        length = prefix_length(address, external.prefixes)
        draft.address(external.name, _LAN, address, length or address.max_prefixlen)
    back = [
        hop
        for number, (device, port) in enumerate(external.enters)
        for hop in _join(draft, external, number, device, port)
    ]
    for version in (4, 6):
        hops = tuple(h for h in back if h.via and h.via.version == version)
        if hops:
            draft.routes.append(Route(external.name, default_route(version), hops))
