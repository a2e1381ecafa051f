"""What a simulated EOS switch shows of the inventory: its realms, interfaces and addresses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from configlet.lab.switch_config import Baseline
from configlet.model.inventory import Device, Inventory, Segment
from configlet.model.net import IPAddress, IPNetwork

Sections = dict[str, list[str]]
DEFAULT_REALM = "default"


def baseline(device: Device, inventory: Inventory) -> Baseline:
    """The fixed configuration of one device."""
    interfaces: Sections = defaultdict(list)
    realm_of: dict[str, str] = {}
    for port, realm, lines in _routed(device, inventory):
        plain = [line for line in lines if "address" not in line]
        vrf = [f"vrf {realm}"] * (realm != DEFAULT_REALM)
        interfaces[port] += [*plain, *vrf, *(line for line in lines if line not in plain)]
        realm_of[port] = realm
    for port, lines in _access(device, inventory):
        interfaces[port] += [line for line in lines if line not in interfaces[port]]
    realms = tuple(sorted(set(realm_of.values())))
    named = [realm for realm in realms if realm != DEFAULT_REALM]
    sections: list[tuple[str, tuple[str, ...]]]
    sections = [(f"vlan {s.vlan}", (f"name {s.name}",)) for s in _local(device, inventory)]
    sections += [(f"vrf instance {realm}", ()) for realm in named]
    sections += [(f"interface {port}", tuple(interfaces[port])) for port in sorted(interfaces, key=_natural)]
    sections += [("ip routing", ()), *((f"ip routing vrf {realm}", ()) for realm in named)]
    sections += [("ipv6 unicast-routing", ()), *((f"ipv6 unicast-routing vrf {realm}", ()) for realm in named)]
    sections += [("management api http-commands", ("no shutdown",))]
    return Baseline(device.name, f"DCS-{device.model}", tuple(sections), frozenset(realm_of), realms)


def _local(device: Device, inventory: Inventory) -> list[Segment]:
    here = [s for s in inventory.segments if s.vlan is not None and s.gateways and device.name in s.gateways.on]
    return sorted(here, key=lambda s: s.vlan or 0)


def _routed(device: Device, inventory: Inventory) -> Iterator[tuple[str, str, list[str]]]:
    """(interface, realm, lines) of the interfaces that route."""
    for link in inventory.links:
        ends = ((link.a_device, link.a_port, 0, link.b_device), (link.b_device, link.b_port, 1, link.a_device))
        for name, port, side, other in ends:
            if name == device.name and link.addresses:
                own = zip(link.addresses[side::2], link.networks, strict=False)
                lines = [_address(a, n.prefixlen, "") for a, n in own]
                yield port, link.realm, [f"description {other}", "no switchport", *lines]
    for external in inventory.externals:
        for name, port in external.enters:
            if name == device.name:
                lines = [_address(a, _length(a, external.prefixes), "") for a in external.addresses]
                yield port, external.realm, [f"description {external.name}", "no switchport", *lines]
    for segment in _local(device, inventory):
        virtual = segment.gateways.virtual if segment.gateways else ()
        lines = [_address(a, _length(a, segment.prefixes), "virtual ") for a in virtual]
        yield f"Vlan{segment.vlan}", segment.realm, lines


def _access(device: Device, inventory: Inventory) -> Iterator[tuple[str, list[str]]]:
    """(interface, lines) of trunks, of the ports that hosts are attached to, and of the management port."""
    vlans = {segment.name: segment.vlan for segment in inventory.segments}
    for link in inventory.links:
        ends = ((link.a_device, link.a_port, link.b_device), (link.b_device, link.b_port, link.a_device))
        for name, port, other in ends:
            if name == device.name and not link.addresses:
                yield port, [f"description {other}", "switchport mode trunk"]
    for host in inventory.hosts:
        for nic in host.nics:
            for name, port in nic.attached:
                if name == device.name:
                    bonds = {i.name for i in host.interfaces if nic.name in i.members} | {nic.name}
                    used = {vlans.get(w.segment) for w in host.workloads if bonds & set(w.on)}
                    access = [f"switchport access vlan {vlan}" for vlan in used if vlan is not None]
                    yield port, [f"description {host.name} {nic.name}", *(access if len(access) == 1 else [])]
    if device.management is not None:
        address = device.management.address
        prefixes = tuple(p for s in inventory.segments for p in s.prefixes if address in p)
        yield "Management1", [_address(address, _length(address, prefixes), "")]


def _length(address: IPAddress, prefixes: tuple[IPNetwork, ...]) -> int:
    """The length of the first prefix that holds the address; a host route without one."""
    return next((p.prefixlen for p in prefixes if p.version == address.version and address in p), address.max_prefixlen)


def _address(address: IPAddress, length: int, virtual: str) -> str:
    word = "ip" if address.version == 4 else "ipv6"
    return f"{word} address {virtual}{address}/{length}"


def _natural(port: str) -> tuple[str, tuple[int, ...]]:
    name = port.rstrip("0123456789/.")
    return name, tuple(int(n) for n in port[len(name) :].replace(".", "/").split("/") if n)
