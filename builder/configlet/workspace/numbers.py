"""Addresses: each belongs to one thing, lies where it says, and can be used by a machine."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, ip_network
from typing import NamedTuple

from configlet.model.inventory import Inventory, Segment
from configlet.model.net import IPAddress, IPNetwork, family_of, span_of
from configlet.model.problem import Place, Problem
from configlet.workspace.names import Site
from configlet.workspace.strict import Node
from configlet.workspace.validate import node_at

_NOT_UNICAST = tuple(map(ip_network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")))
_UNICAST = tuple(map(ip_network, ("2000::/3", "fc00::/7")))
_GROUPS = {4: ip_network("224.0.0.0/4"), 6: ip_network("ff00::/8")}
_LOCAL_GROUPS = {4: (ip_network("224.0.0.0/24"),), 6: (ip_network("ff01::/16"), ip_network("ff02::/16"))}


class _Prefix(NamedTuple):
    realm: str
    family: int
    low: int
    high: int
    network: IPNetwork
    owner: str
    place: Place


def check(site: Site) -> Iterator[Problem]:
    """Everything that is wrong with prefixes and addresses."""
    yield from _kinds(site)
    yield from _overlaps(_prefixes(site))
    yield from _duplicates(site)
    by_name = {segment.name: segment for segment in site.inventory.segments}
    for work in site.inventory.workloads:
        at = ("hosts", work.host, "workloads", work.name, "addresses")
        if work.segment in by_name:
            yield from _inside(site, by_name[work.segment], work.addresses, at)
    for segment in site.inventory.segments:
        if segment.gateways and _has(site, "segments", segment.name, "gateways", "addresses"):
            yield from _inside(
                site, segment, segment.gateways.virtual, ("segments", segment.name, "gateways", "addresses")
            )
    yield from _management(site)


def _has(site: Site, *path: str) -> bool:
    node: Node | None = site.root
    for step in path:
        node = node.members.get(step) if node is not None and isinstance(node.members, dict) else None
    return node is not None


def _usable(network: IPNetwork) -> bool:
    if isinstance(network, IPv4Network):
        return not any(network.overlaps(each) for each in _NOT_UNICAST)
    return any(network.overlaps(each) and network.prefixlen >= each.prefixlen for each in _UNICAST)


def _kinds(site: Site) -> Iterator[Problem]:
    """Segments, externals and sets hold unicast that is routed; multicast sets hold groups that are routed."""
    lists = [("segments", s.name, "prefixes", s.prefixes) for s in site.inventory.segments]
    lists += [("externals", e.name, "prefixes", e.prefixes) for e in site.inventory.externals]
    for kind, name, key, networks in lists:
        for i, network in enumerate(networks):
            if not _usable(network):
                detail = f"{network} is not routable unicast, so no machine of a segment has such an address."
                yield Problem("Not unicast", detail, site.place(kind, name, key, i))
    for group in site.inventory.multicast:
        for i, network in enumerate(group.groups):
            family = family_of(network)
            if not network.subnet_of(_GROUPS[family]):  # type: ignore[arg-type]
                detail = f"{network} is not multicast. Groups are in {_GROUPS[family]}."
                yield Problem("Not multicast", detail, site.place("multicast", group.name, "groups", i))
            elif any(network.overlaps(local) for local in _LOCAL_GROUPS[family]):
                detail = f"{network} meets groups that are never routed; infrastructure rules decide those."
                yield Problem("Link-local group", detail, site.place("multicast", group.name, "groups", i))


def _prefixes(site: Site) -> Iterator[_Prefix]:
    for segment in site.inventory.segments:
        for i, network in enumerate(segment.prefixes):
            place = site.place("segments", segment.name, "prefixes", i)
            yield _prefix(segment.realm, network, f"segment {segment.name}", place)
    for external in site.inventory.externals:
        for i, network in enumerate(external.prefixes):
            place = site.place("externals", external.name, "prefixes", i)
            yield _prefix(external.realm, network, f"external {external.name}", place)
    for link in site.inventory.links:
        name = f"{link.a_device}/{link.a_port}"
        for i, network in enumerate(link.networks):
            yield _prefix(link.realm, network, f"link {name}", site.place("links", name, "addresses", 2 * i))


def _prefix(realm: str, network: IPNetwork, owner: str, place: Place) -> _Prefix:
    return _Prefix(realm, network.version, *span_of(network), network, owner, place)


def _overlaps(prefixes: Iterator[_Prefix]) -> Iterator[Problem]:
    widest: _Prefix | None = None
    for each in sorted(prefixes, key=lambda p: (p.realm, p.family, p.low, -p.high, p.place)):
        if widest and widest[:2] == each[:2] and each.low <= widest.high:
            first, second = sorted((widest, each), key=lambda p: p.place)
            detail = (
                f"{second.network} of {second.owner} overlaps {first.network} of {first.owner} in realm {each.realm}, "
                "so that an address would belong to both. Change one, or put it into another realm."
            )
            yield Problem("Overlapping prefixes", detail, second.place, (first.place,))
        else:
            widest = each


def _owned(site: Site) -> Iterator[tuple[str, IPAddress, str, Place]]:
    """Every address with its realm, the thing that has it, and its place. Loopbacks count in every realm ("")."""
    inventory: Inventory = site.inventory
    realms = {segment.name: segment.realm for segment in inventory.segments}
    for device in inventory.devices:
        for i, address in enumerate(device.addresses):
            yield "", address, f"device {device.name}", site.place("devices", device.name, "addresses", i)
    for link in inventory.links:
        name = f"{link.a_device}/{link.a_port}"
        for i, address in enumerate(link.addresses):
            yield link.realm, address, f"link {name}", site.place("links", name, "addresses", i)
    for segment in inventory.segments:
        for i, address in enumerate(segment.gateways.virtual if segment.gateways else ()):
            place = site.place("segments", segment.name, "gateways", "addresses", i)
            yield segment.realm, address, f"the gateway of {segment.name}", place
    for external in inventory.externals:
        for i, address in enumerate(external.addresses):
            yield (
                external.realm,
                address,
                f"external {external.name}",
                site.place("externals", external.name, "addresses", i),
            )
    for work in inventory.workloads:
        at = ("hosts", work.host, "workloads", work.name, "addresses")
        for i, address in enumerate(work.addresses):
            yield realms.get(work.segment, ""), address, f"workload {work.name}", site.place(*at, i)
    for i, address in enumerate(inventory.controller):
        yield inventory.controller_realm, address, "the controller", site.place("site", "controller", i)
    for kind, owners in (("devices", inventory.devices), ("hosts", inventory.hosts)):
        for one in owners:
            if one.management:
                place = site.place(kind, one.name, "management", "address")
                yield inventory.controller_realm, one.management.address, f"the management of {one.name}", place


def _duplicates(site: Site) -> Iterator[Problem]:
    seen: dict[IPAddress, list[tuple[str, str, Place]]] = {}
    for realm, address, owner, place in _owned(site):
        before = next((b for b in seen.get(address, ()) if not b[0] or not realm or b[0] == realm), None)
        if before:
            detail = f"{address} belongs to {before[1]} and to {owner}. Change one; packets would reach either."
            yield Problem("Duplicate address", detail, place, (before[2],))
        seen.setdefault(address, []).append((realm, owner, place))


def _inside(site: Site, segment: Segment, addresses: tuple[IPAddress, ...], at: tuple[str, ...]) -> Iterator[Problem]:
    for i, address in enumerate(addresses):
        network = next((net for net in segment.prefixes if address in net), None)
        if network is None:
            held = ", ".join(map(str, segment.prefixes))
            detail = f"{address} lies outside {segment.name} ({held}), so no rule about the segment would meet it."
            yield Problem("Address outside its segment", detail, site.place(*at, i), (segment.place,))
        elif network.max_prefixlen - network.prefixlen > 1:
            if address == network.network_address:
                yield Problem(
                    "Network address", f"{address} names {network} itself. Choose another.", site.place(*at, i)
                )
            elif address.version == 4 and address == network.broadcast_address:
                yield Problem("Broadcast address", f"{address} is the broadcast of {network}.", site.place(*at, i))


def _management(site: Site) -> Iterator[Problem]:
    inventory = site.inventory
    held = [net for s in inventory.segments if s.realm == inventory.controller_realm for net in s.prefixes]
    where = [(("devices", d.name, "management", "address"), d.management) for d in inventory.devices]
    where += [(("hosts", h.name, "management", "address"), h.management) for h in inventory.hosts]
    if not held:
        return
    for path, management in where:
        if management and not any(management.address in net for net in held):
            detail = (
                f"{management.address} lies in no segment of realm {inventory.controller_realm}, "
                "so that no failsafe rule would keep the way to it open. Widen the segment, or correct the address."
            )
            yield Problem("Management outside every segment", detail, node_at(site.root, path).value_place)
