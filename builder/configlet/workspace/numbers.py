"""Addresses: each belongs to one thing, lies where it says, and can be used by a machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network, ip_network
from itertools import pairwise
from typing import NamedTuple

from configlet.model.inventory import Inventory, Segment
from configlet.model.net import FAMILIES, IPAddress, IPNetwork, Span, covers, family_of, merge, span_of
from configlet.model.problem import Place, Problem
from configlet.workspace.document import Path
from configlet.workspace.names import Site

_NOT_UNICAST = tuple(span_of(ip_network(text)) for text in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"))
_UNICAST = tuple(span_of(ip_network(text)) for text in ("2000::/3", "fc00::/7"))
_GROUPS = {4: ip_network("224.0.0.0/4"), 6: ip_network("ff00::/8")}
_LOCAL_GROUPS = {4: (ip_network("224.0.0.0/24"),), 6: (ip_network("ff01::/16"), ip_network("ff02::/16"))}


_ALONE = "address"
"""Where an address stands that is in no list."""


class _Prefix(NamedTuple):
    realm: str
    family: int
    low: int
    high: int
    network: IPNetwork
    owner: str
    path: Path


def check(site: Site) -> Iterator[Problem]:
    """Everything that is wrong with prefixes and addresses."""
    yield from _kinds(site)
    yield from _overlaps(site)
    yield from _duplicates(site)
    yield from _outside(site)
    yield from _management(site)


def _usable(network: IPNetwork) -> bool:
    low, high = span_of(network)
    if isinstance(network, IPv4Network):
        return not any(low <= last and first <= high for first, last in _NOT_UNICAST)
    return any(first <= low and high <= last for first, last in _UNICAST)


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
            path = ("segments", segment.name, "prefixes", i)
            yield _prefix(segment.realm, network, f"segment {segment.name}", path)
    for external in site.inventory.externals:
        for i, network in enumerate(external.prefixes):
            path = ("externals", external.name, "prefixes", i)
            yield _prefix(external.realm, network, f"external {external.name}", path)
    for link in site.inventory.links:
        name = f"{link.a_device}/{link.a_port}"
        for i, network in enumerate(link.networks):
            yield _prefix(link.realm, network, f"link {name}", ("links", name, "addresses", 2 * i))


def _prefix(realm: str, network: IPNetwork, owner: str, path: Path) -> _Prefix:
    return _Prefix(realm, network.version, *span_of(network), network, owner, path)


def _overlaps(site: Site) -> Iterator[Problem]:
    found = sorted(_prefixes(site), key=lambda p: (p.realm, p.family, p.low, -p.high))
    if all(a[:2] != b[:2] or a.high < b.low for a, b in pairwise(found)):
        return
    placed = [(each, site.place(*each.path)) for each in found]
    widest: tuple[_Prefix, Place] | None = None
    for each in sorted(placed, key=lambda p: (*p[0][:3], -p[0].high, p[1])):
        if widest and widest[0][:2] == each[0][:2] and each[0].low <= widest[0].high:
            (first, at), (second, place) = sorted((widest, each), key=lambda p: p[1])
            detail = (
                f"{second.network} of {second.owner} overlaps {first.network} of {first.owner} in realm "
                f"{second.realm}, so that an address would belong to both. Change one, or put it into another realm."
            )
            yield Problem("Overlapping prefixes", detail, place, (at,))
        else:
            widest = each


def _owned(inventory: Inventory) -> Iterator[tuple[str, tuple[IPAddress, ...], Path]]:
    """Every list of addresses with its realm and its path. Loopbacks count in every realm ("")."""
    realms = {segment.name: segment.realm for segment in inventory.segments}
    for device in inventory.devices:
        yield "", device.addresses, ("devices", device.name, "addresses")
    for link in inventory.links:
        yield link.realm, link.addresses, ("links", f"{link.a_device}/{link.a_port}", "addresses")
    for segment in inventory.segments:
        if segment.gateways:
            yield segment.realm, segment.gateways.virtual, ("segments", segment.name, "gateways", "addresses")
    for external in inventory.externals:
        yield external.realm, external.addresses, ("externals", external.name, "addresses")
    for work in inventory.workloads:
        yield realms.get(work.segment, ""), work.addresses, ("hosts", work.host, "workloads", work.name, "addresses")
    yield inventory.controller_realm, inventory.controller, ("site", "controller")
    for kind, owners in (("devices", inventory.devices), ("hosts", inventory.hosts)):
        for one in owners:
            if one.management:
                yield inventory.controller_realm, (one.management.address,), (kind, one.name, "management", _ALONE)


def _owner(path: Path) -> str:
    """The thing that has the address at a path."""
    kind, name = path[:2]
    if kind == "site":
        return "the controller"
    if path[2] == "workloads":
        return f"workload {path[3]}"
    inner = {"management": "the management of", "gateways": "the gateway of"}
    return f"{inner.get(str(path[2])) or str(kind).removesuffix('s')} {name}"


def _duplicates(site: Site) -> Iterator[Problem]:
    owned = [*_owned(site.inventory)]
    numbers = [int(address) for _, addresses, _ in owned for address in addresses]
    if len(set(numbers)) == len(numbers):
        return
    seen: dict[IPAddress, list[tuple[str, Path]]] = {}
    for realm, address, path in _each(owned):
        found = seen.setdefault(address, [])
        before = next((b for b in found if not b[0] or not realm or b[0] == realm), None)
        if before:
            detail = f"{address} belongs to {_owner(before[1])} and to {_owner(path)}. Change one; packets would reach either."
            yield Problem("Duplicate address", detail, site.place(*path), (site.place(*before[1]),))
        found.append((realm, path))


def _each(owned: Iterable[tuple[str, tuple[IPAddress, ...], Path]]) -> Iterator[tuple[str, IPAddress, Path]]:
    for realm, addresses, path in owned:
        for i, address in enumerate(addresses):
            yield realm, address, path if path[-1] == _ALONE else (*path, i)


def _outside(site: Site) -> Iterator[Problem]:
    by_name = {segment.name: (segment, _spans(segment.prefixes)) for segment in site.inventory.segments}
    sure = {name: _sure(spans) for name, (_, spans) in by_name.items()}
    at: tuple[str, ...]
    for work in site.inventory.workloads:
        inside = sure.get(work.segment, {})
        doubtful = [a for a in work.addresses if not ((span := inside.get(family_of(a))) and span[0] <= int(a) <= span[1])]
        if doubtful and work.segment in by_name:
            at = ("hosts", work.host, "workloads", work.name, "addresses")
            yield from _inside(site, *by_name[work.segment], work.addresses, at)
    said = site.document.get("segments", {})
    for segment, spans in by_name.values():
        if segment.gateways and "addresses" in said[segment.name]["gateways"]:
            at = ("segments", segment.name, "gateways", "addresses")
            yield from _inside(site, segment, spans, segment.gateways.virtual, at)


def _spans(prefixes: tuple[IPNetwork, ...]) -> list[tuple[int, Span, IPNetwork]]:
    return [(network.version, span_of(network), network) for network in prefixes]


def _sure(spans: list[tuple[int, Span, IPNetwork]]) -> dict[int, Span]:
    """Addresses that surely are a machine's, by family: inside of the only prefix of a segment, and at no end of it."""
    found = {family: (low + 1, high - 1) if high - low > 1 else (low, high) for family, (low, high), _ in spans}
    return found if len(found) == len(spans) else {}


def _inside(
    site: Site,
    segment: Segment,
    spans: list[tuple[int, Span, IPNetwork]],
    addresses: tuple[IPAddress, ...],
    at: tuple[str, ...],
) -> Iterator[Problem]:
    for i, address in enumerate(addresses):
        number, family = int(address), address.version
        found = next((each for each in spans if each[0] == family and each[1][0] <= number <= each[1][1]), None)
        if found is None:
            held = ", ".join(map(str, segment.prefixes))
            detail = f"{address} lies outside {segment.name} ({held}), so no rule about the segment would meet it."
            yield Problem("Address outside its segment", detail, site.place(*at, i), (segment.place,))
            continue
        _, (low, high), network = found
        if high - low > 1 and number == low:
            yield Problem("Network address", f"{address} names {network} itself. Choose another.", site.place(*at, i))
        elif high - low > 1 and family == 4 and number == high:
            yield Problem("Broadcast address", f"{address} is the broadcast of {network}.", site.place(*at, i))


def _in_one(spans: Sequence[Span], numbers: list[int]) -> bool:
    """Whether one span holds all of some addresses."""
    return not numbers or any(low <= min(numbers) and max(numbers) <= high for low, high in spans)


def _management(site: Site) -> Iterator[Problem]:
    inventory = site.inventory
    held = [net for s in inventory.segments if s.realm == inventory.controller_realm for net in s.prefixes]
    spans = {family: merge(span_of(net) for net in held if net.version == family) for family in FAMILIES}
    ways = [device.management.address for device in inventory.devices if device.management]
    ways += [host.management.address for host in inventory.hosts if host.management]
    ways += [host.manager.address for host in inventory.hosts if host.manager]
    numbers = {family: [int(way) for way in ways if family_of(way) == family] for family in FAMILIES}
    if all(_in_one(spans[family], of) for family, of in numbers.items()):
        return
    where = [(("devices", d.name, "management", "address"), d.management) for d in inventory.devices]
    where += [(("hosts", h.name, "management", "address"), h.management) for h in inventory.hosts]
    where += [(("hosts", h.name, "manager", "address"), h.manager) for h in inventory.hosts]
    for path, management in where if held else ():
        if management and not covers(spans[family_of(management.address)], int(management.address)):
            detail = (
                f"{management.address} lies in no segment of realm {inventory.controller_realm}, "
                "so that no failsafe rule would keep the way to it open. Widen the segment, or correct the address."
            )
            yield Problem("Management outside every segment", detail, site.place(*path))
