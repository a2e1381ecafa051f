"""Cables, pairs, VLANs and interfaces: each port has one cable, and both ends agree."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from configlet.model.inventory import Host, Inventory, Link
from configlet.model.problem import Problem
from configlet.workspace.document import Path
from configlet.workspace.names import Site


def check(site: Site) -> Iterator[Problem]:
    """Everything that is wrong with the wiring."""
    yield from _ports(site)
    yield from _pairs(site)
    pairs = {device.name: device.pair for device in site.inventory.devices}
    for link in site.inventory.links:
        yield from _link(site, link, pairs)
    yield from _gateways(site)
    vlans = {segment.name: segment.vlan for segment in site.inventory.segments}
    for host in site.inventory.hosts:
        if host.interfaces or [nic for nic in host.nics if len(nic.attached) > 1]:
            yield from _interfaces(site, host)
            yield from _carriers(site, host, vlans)


def _used(site: Site) -> Iterator[tuple[tuple[str, str], tuple[str, str], Path]]:
    """Every use of a port: the port, who uses it, and where that is written."""
    inventory: Inventory = site.inventory
    for link in inventory.links:
        name = f"{link.a_device}/{link.a_port}"
        yield (link.a_device, link.a_port), ("the link", name), ("links", name)
        yield (link.b_device, link.b_port), ("the link", name), ("links", name, "to")
    for external in inventory.externals:
        for i, port in enumerate(external.enters):
            yield port, ("the external", external.name), ("externals", external.name, "enters", i)
    for host in inventory.hosts:
        for nic in host.nics:
            user = (f"{host.name}'s", nic.name)
            for i, port in enumerate(nic.attached):
                yield port, user, ("hosts", host.name, "nics", nic.name, "attached", i)


def _ports(site: Site) -> Iterator[Problem]:
    inventory = site.inventory
    taken = [(link.a_device, link.a_port) for link in inventory.links]
    taken += [(link.b_device, link.b_port) for link in inventory.links]
    taken += [port for external in inventory.externals for port in external.enters]
    taken += [port for host in inventory.hosts for nic in host.nics for port in nic.attached]
    if len(set(taken)) == len(taken):
        return
    seen: dict[tuple[str, str], tuple[tuple[str, str], Path]] = {}
    for port, user, path in _used(site):
        if port in seen:
            other, before = seen[port]
            places = sorted(site.key_place(*each) if len(each) == 2 else site.place(*each) for each in (path, before))
            detail = f"{'/'.join(port)} is taken by {' '.join(other)} and by {' '.join(user)}; a port has one cable. Correct one."
            yield Problem("Port used twice", detail, places[1], (places[0],))
        seen.setdefault(port, (user, path))


def _pairs(site: Site) -> Iterator[Problem]:
    pairs = {device.name: device.pair for device in site.inventory.devices}
    for name, pair in pairs.items():
        if pair == name or (pair in pairs and pairs[pair] != name):
            says = "itself" if pair == name else f"{pair}, but {pair} says {pairs[pair] or 'none'}"
            detail = f"{name} says that its pair is {says}. Both members name the other."
            yield Problem("Pair is not mutual", detail, site.place("devices", name, "pair"))


def _link(site: Site, link: Link, pairs: dict[str, str | None]) -> Iterator[Problem]:
    name = f"{link.a_device}/{link.a_port}"
    if link.a_device == link.b_device:
        yield Problem("Link to itself", f"Both ends are on {link.a_device}. Correct one.", link.place)
    if link.addresses and not link.realm:
        yield Problem("Link without realm", "Its addresses belong to a realm (VRF). Add `realm:`.", link.place)
    if not link.addresses and link.b_device in pairs and pairs.get(link.a_device, link.b_device) != link.b_device:
        detail = "A link without addresses is a peer link, and these two are no pair. Add addresses, or `pair:`."
        yield Problem("Peer link without a pair", detail, link.place)
    if len(link.addresses) % 2 or not all(_point_to_point(site, link, i) for i in range(0, len(link.addresses), 2)):
        detail = "Addresses of a link stand in pairs of one /31 or /127, this end first: [10.0.1.0/31, 10.0.1.1/31]."
        yield Problem("Not point to point", detail, site.place("links", name, "addresses"))


def _point_to_point(site: Site, link: Link, at: int) -> bool:
    texts = site.document["links"][f"{link.a_device}/{link.a_port}"]["addresses"][at : at + 2]
    near, far = link.addresses[at : at + 2]
    lengths = {int(text.partition("/")[2]) for text in texts}
    return near.version == far.version and int(near) >> 1 == int(far) >> 1 and lengths == {near.max_prefixlen - 1}


def _gateways(site: Site) -> Iterator[Problem]:
    for segment in site.inventory.segments:
        gateways, at = segment.gateways, ("segments", segment.name)
        if gateways is None:
            continue
        if segment.vlan is None:
            detail = "Gateways sit on a VLAN interface; without `vlan` there is nothing to filter on. Add it."
            yield Problem("Gateways without VLAN", detail, gateways.place)
        if (gateways.mode == "single") != (len(gateways.on) == 1) and gateways.mode != "anycast":
            detail = f"Mode {gateways.mode} does not go with {len(gateways.on)} device(s). Change one of them."
            yield Problem("Gateways and mode disagree", detail, site.place(*at, "gateways", "mode"))
    yield from _vlans(site)


def _vlans(site: Site) -> Iterator[Problem]:
    seen: dict[tuple[str, int | None], str] = {}
    for segment in site.inventory.segments:
        for device in segment.gateways.on if segment.gateways and segment.vlan else ():
            name = seen.setdefault((device, segment.vlan), segment.name)
            if name != segment.name:
                places = sorted(site.place("segments", each, "vlan") for each in (segment.name, name))
                detail = f"VLAN {segment.vlan} on {device} already carries {name}. Choose another."
                yield Problem("VLAN used twice", detail, places[1], (places[0],))
                break


def _interfaces(site: Site, host: Host) -> Iterator[Problem]:
    nics = {nic.name for nic in host.nics}
    for nic in host.nics:
        if len(nic.attached) > 1:
            detail = "A NIC port has one cable. Name each port as a NIC of its own, and join them in `interfaces`."
            yield Problem("NIC attached twice", detail, site.place("hosts", host.name, "nics", nic.name, "attached", 1))
    for one in host.interfaces:
        at = ("hosts", host.name, "interfaces", one.name)
        if one.name in nics:
            yield Problem("Name used twice", f"`{one.name}` is a NIC of {host.name}. Rename it.", one.place)
        if (len(one.members) > 1) != bool(one.mode):
            detail = "Several members need a `mode`, and a single member has none. Correct one of them."
            yield Problem("Members and mode disagree", detail, site.place(*at, "members"))
    for before, after in pairwise(sorted((m, one.name) for one in host.interfaces if one.mode for m in one.members)):
        if before[0] == after[0]:
            detail = f"{before[0]} is a member of {before[1]} and of {after[1]}. A NIC belongs to one bond."
            yield Problem(
                "Member used twice", detail, site.place("hosts", host.name, "interfaces", after[1], "members")
            )


def _carriers(site: Site, host: Host, vlans: dict[str, int | None]) -> Iterator[Problem]:
    tags = {one.name: one.vlan for one in host.interfaces}
    bonded = {member: one.name for one in host.interfaces if one.mode for member in one.members}
    for work in host.workloads:
        for i, name in enumerate(work.on):
            path = ("hosts", host.name, "workloads", work.name, "on", i)
            tag = tags.get(name)
            if name in bonded:
                detail = f"{name} is a member of {bonded[name]}; its packets take either leg. Write {bonded[name]}."
                yield Problem("Member of a bond", detail, site.place(*path))
            if tag is not None and work.segment in vlans and vlans[work.segment] != tag:
                detail = f"{name} carries VLAN {tag}, and {work.segment} is VLAN {vlans[work.segment]}. Correct one."
                yield Problem("Interface on another VLAN", detail, site.place(*path))
