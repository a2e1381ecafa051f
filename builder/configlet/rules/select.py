"""What a selector means in addresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from ipaddress import ip_network

from configlet.model.inventory import Inventory, Link, Segment, Selector, Workload
from configlet.model.net import (
    FAMILIES,
    TOP,
    Addresses,
    Family,
    IPAddress,
    IPNetwork,
    Span,
    addresses,
    family_of,
    merge,
    span_of,
    subtract,
)

Item = tuple[str, Family, Span]

ROUTABLE: dict[Family, tuple[Span, ...]] = {
    4: ((0, int(ip_network("223.0.0.0/8").broadcast_address)),),
    6: (span_of(ip_network("2000::/3")), span_of(ip_network("fc00::/7"))),
}
"""Where a unicast packet can be routed to (RFC 1112, RFC 4291, RFC 4193); special ranges are closed as infrastructure."""


def everything(realm: str) -> Iterator[Item]:
    """Every address of a realm, as a source."""
    for family in (4, 6):
        yield realm, family, (0, TOP[family])


def routable(realm: str) -> Iterator[Item]:
    """Every unicast destination of a realm."""
    for family, spans in ROUTABLE.items():
        for span in spans:
            yield realm, family, span


def of_networks(realm: str, networks: Iterable[IPNetwork]) -> Iterator[Item]:
    """Prefixes in a realm."""
    return ((realm, family_of(n), span_of(n)) for n in networks)


def of_hosts(realm: str, hosts: Iterable[IPAddress]) -> Iterator[Item]:
    """Single addresses in a realm."""
    return ((realm, family_of(a), (int(a), int(a))) for a in hosts)


def realms(inventory: Inventory) -> tuple[str, ...]:
    """All realms of a site, sorted."""
    found = {s.realm for s in inventory.segments} | {e.realm for e in inventory.externals}
    return tuple(sorted(found | {m.realm for m in inventory.multicast} | {inventory.controller_realm}))


def select(inventory: Inventory, selector: Selector, *, source: bool) -> Addresses:
    """The addresses that a selector names. ``any`` as a destination means unicast; ``source`` says which end it is."""
    return meaning(names_of(inventory), selector, source=source)


class Names:
    """Where each name of a site leads. Built once per inventory."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.realms = realms(inventory)
        self.segments = {s.name: s for s in inventory.segments}
        self.externals = {e.name: e for e in inventory.externals}
        self.multicast = {m.name: m for m in inventory.multicast}
        self.sets = {name: spans for name, spans, _ in inventory.addresses}
        self.hosts = {h.name: h.workloads for h in inventory.hosts}
        self.workloads = {w.name: w for w in inventory.workloads}
        self.devices = {d.name: d for d in inventory.devices}
        self.links: dict[str, list[Link]] = {}
        for link in inventory.links:
            for name in {link.name or link.a_device, link.a_device, link.b_device}:
                self.links.setdefault(name, []).append(link)
        self.labelled = _by_label(self)

    @cached_property
    def outside(self) -> Addresses:
        """What is no segment's and no external's, of all that is routed."""
        return _outside(self)


_known: list[Names] = []


def names_of(inventory: Inventory) -> Names:
    """The index of an inventory; the one that was made last is kept."""
    if not _known or _known[0].inventory is not inventory:
        _known[:] = [Names(inventory)]
    return _known[0]


def meaning(names: Names, selector: Selector, *, source: bool) -> Addresses:
    """The same as ``select``, for many questions about one inventory."""
    if selector.name in names.sets:
        return _of_set(names.realms, names.sets[selector.name])
    if selector.name is None:
        return addresses(_labelled(names, selector.labels))
    if selector.name == "any":
        ends = everything if source else routable
        return addresses(item for realm in names.realms for item in ends(realm))
    if selector.name == "outside":
        return names.outside
    return addresses(_named(names, selector.name))


def _by_label(names: Names) -> dict[tuple[str, str], list[Segment | Workload]]:
    """What has a label, of its own or inherited, in the order of the inventory: segments, then workloads."""
    found: dict[tuple[str, str], list[Segment | Workload]] = {}
    for segment in names.inventory.segments:
        for label in segment.labels:
            found.setdefault(label, []).append(segment)
    for workload in names.inventory.workloads:
        inherited = names.segments[workload.segment].labels
        for label in (dict(inherited) | dict(workload.labels)).items() if workload.labels else inherited:
            found.setdefault(label, []).append(workload)
    return found


def _labelled(names: Names, labels: tuple[tuple[str, str], ...]) -> Iterator[Item]:
    found = [names.labelled.get(label, []) for label in labels]
    others = [set(map(id, each)) for each in found[1:]]
    for thing in found[0]:
        if all(id(thing) in other for other in others):
            if isinstance(thing, Segment):
                yield from of_networks(thing.realm, thing.prefixes)
            else:
                yield from _workload(names, thing)


def _workload(names: Names, workload: Workload) -> Iterator[Item]:
    return of_hosts(names.segments[workload.segment].realm, workload.addresses)


def _named(names: Names, name: str) -> Iterator[Item]:
    if name in names.segments:
        return of_networks(names.segments[name].realm, names.segments[name].prefixes)
    if name in names.workloads:
        return _workload(names, names.workloads[name])
    if name in names.hosts:
        return (item for w in names.hosts[name] for item in _workload(names, w))
    if name in names.externals:
        return of_networks(names.externals[name].realm, names.externals[name].prefixes)
    if name in names.multicast:
        return of_networks(names.multicast[name].realm, names.multicast[name].groups)
    return _infrastructure_name(names, name)


def _of_set(realms: tuple[str, ...], prefixes: tuple[tuple[Family, Span], ...]) -> Addresses:
    """The prefixes of a set, in every realm."""
    if len(prefixes) == 1:
        family, span = prefixes[0]
        return Addresses(tuple([(realm, family, (span,)) for realm in realms]))
    spans = {f: merge(span for family, span in prefixes if family == f) for f in FAMILIES}
    return Addresses(tuple((realm, f, spans[f]) for realm in realms for f in FAMILIES if spans[f]))


def _infrastructure_name(names: Names, name: str) -> Iterator[Item]:
    if name == "controller":
        yield from of_hosts(names.inventory.controller_realm, names.inventory.controller)
    for link in names.links.get(name, ()):
        mine = link.addresses if name == link.name else link.addresses[name != link.a_device :: 2]
        yield from of_hosts(link.realm, mine)
    if name in names.devices:
        for realm in names.realms:
            yield from of_hosts(realm, names.devices[name].addresses)
        for external in names.inventory.externals:
            if any(device == name for device, _ in external.enters):
                yield from of_hosts(external.realm, external.addresses)


def _outside(names: Names) -> Addresses:
    used = addresses(
        item
        for group in (names.inventory.segments, names.inventory.externals)
        for thing in group
        for item in of_networks(thing.realm, thing.prefixes)
    )
    return addresses(
        (realm, family, span)
        for realm in names.realms
        for family, spans in ROUTABLE.items()
        for span in subtract(spans, used.of(realm, family))
    )
