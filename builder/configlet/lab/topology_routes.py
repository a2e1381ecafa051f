"""Static routes: from every switch to every prefix of its realm, over all shortest ways."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from ipaddress import ip_network

from configlet.lab.topology_switch import Edge
from configlet.lab.topology_values import Draft, Hop, Route, switch_namespace
from configlet.model.inventory import Inventory
from configlet.model.net import IPNetwork

Target = tuple[IPNetwork, tuple[str, ...]]


def targets(inventory: Inventory, realm: str) -> list[Target]:
    """The prefixes of a realm with the devices that hold them: segments, externals, links."""
    out: list[Target] = [
        (p, s.gateways.on) for s in inventory.segments if s.realm == realm and s.gateways for p in s.prefixes
    ]
    for external in inventory.externals:
        if external.realm == realm:
            out += [(p, tuple(device for device, _ in external.enters)) for p in external.prefixes]
    for link in inventory.links:
        if link.realm == realm and link.addresses:
            out += [(n, (link.a_device, link.b_device)) for n in dict.fromkeys(link.networks)]
    return out + [(ip_network(address), (d.name,)) for d in inventory.devices for address in d.addresses]


def _distances(edges: Iterable[Edge], owners: tuple[str, ...], version: int) -> dict[str, int]:
    """How many links every device is away from the nearest owner, over links that carry the family."""
    near: dict[str, list[str]] = {}
    for edge in edges:
        if any(a.version == version for a in edge.addresses):
            near.setdefault(edge.peer, []).append(edge.device)
    found = dict.fromkeys(owners, 0)
    queue = deque(owners)
    while queue:
        here = queue.popleft()
        for device in near.get(here, ()):
            if device not in found:
                found[device] = found[here] + 1
                queue.append(device)
    return found


def hops_to(edges: list[Edge], owners: tuple[str, ...], version: int) -> dict[str, tuple[Hop, ...]]:
    """For every device that is not an owner, its next hops towards the owners; absent when there is no way."""
    distance = _distances(edges, owners, version)
    out: dict[str, tuple[Hop, ...]] = {}
    for edge in edges:
        if distance.get(edge.device, 0) and distance.get(edge.peer, len(distance)) < distance[edge.device]:
            via = next((a for a in edge.addresses if a.version == version), None)
            if via is None:
                continue
            out[edge.device] = (*out.get(edge.device, ()), Hop(via, edge.interface))
    return out


def lay_routes(draft: Draft, inventory: Inventory, edges: list[Edge]) -> None:
    """Add the routes of all realms."""
    for realm in dict.fromkeys(e.realm for e in edges):
        ours = [e for e in edges if e.realm == realm]
        for prefix, owners in targets(inventory, realm):
            for device, hops in hops_to(ours, owners, prefix.version).items():
                draft.routes.append(Route(switch_namespace(device, realm), prefix, hops))
