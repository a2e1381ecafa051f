"""Laws of the lab's wire, on the values alone: no privilege, no namespace."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import pairwise
from pathlib import Path

import pytest

from configlet.lab.enforce import compile_plane
from configlet.lab.parsers.eos import Binding, Filters
from configlet.lab.topology import wiring
from configlet.lab.topology_values import IFNAMSIZ, VIRTUAL_MAC, End, Hop, Wiring, ifname
from configlet.model.inventory import External, Inventory, Segment, Workload
from configlet.model.problem import Place, Refused
from configlet.workspace import load

ROOT = Path(__file__).parents[2]
HERE = Place("test")
Address = IPv4Address | IPv6Address


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    return load(ROOT, "dc1", date(2026, 11, 24)).inventory


@pytest.fixture(scope="module")
def wired(inventory: Inventory) -> Wiring:
    return wiring(inventory)


def ends(wired: Wiring) -> Iterator[End]:
    for veth in wired.veths:
        yield veth.a
        yield veth.b


def domains(wired: Wiring) -> dict[tuple[str, str], int]:
    """(namespace, interface) to the number of its broadcast domain, following wires and bridges that are up."""
    parent: dict[tuple[str, str], tuple[str, str]] = {}

    def top(key: tuple[str, str]) -> tuple[str, str]:
        while parent.setdefault(key, key) != key:
            key = parent[key]
        return key

    for end in ends(wired):
        if end.bridge and end.up:
            parent[top((end.namespace, end.name))] = top((end.namespace, end.bridge))
    for veth in wired.veths:
        if veth.a.up and veth.b.up:
            parent[top((veth.a.namespace, veth.a.name))] = top((veth.b.namespace, veth.b.name))
    tops = {key: top(key) for key in list(parent)}
    numbers = {key: n for n, key in enumerate(sorted(set(tops.values())))}
    return {key: numbers[found] for key, found in tops.items()}


class Walker:
    """Follows the routes of a wiring."""

    def __init__(self, wired: Wiring) -> None:
        self.wired, self.domain = wired, domains(wired)

    def on_link(self, here: str, interface: str, address: Address) -> set[str]:
        """The namespaces that answer for an address in the broadcast domain of an interface."""
        domain = self.domain[here, interface]
        return {
            a.namespace
            for a in self.wired.addresses
            if a.address.ip == address and self.domain.get((a.namespace, a.interface)) == domain and a.namespace != here
        }

    def next(self, here: str, target: Address) -> list[tuple[str, Address]]:
        """The (interface, next hop) pairs of the longest prefix."""
        found: list[tuple[int, tuple[Hop, ...]]] = [
            (a.address.network.prefixlen, (Hop(target, a.interface),))
            for a in self.wired.addresses
            if a.namespace == here and a.address.version == target.version and target in a.address.network
        ]
        found += [
            (r.destination.prefixlen, r.hops)
            for r in self.wired.routes
            if r.namespace == here and r.table == 254 and r.destination.version == target.version and target in r.destination
        ]
        best = max((length for length, _ in found), default=-1)
        return [(h.interface, h.via or target) for length, hops in found if length == best for h in hops]

    def arrives(self, here: str, target: Address, budget: int = 8) -> bool:
        """Whether every way that a packet can take ends where the address is."""
        if any(a.namespace == here and a.address.ip == target for a in self.wired.addresses):
            return True
        steps = [(n, i, v) for i, v in self.next(here, target) for n in (self.on_link(here, i, v) or {""})]
        return bool(steps) and budget > 0 and all(n != "" and self.arrives(n, target, budget - 1) for n, _, _ in steps)


def test_the_wiring_of_a_site_is_the_same_every_time(inventory: Inventory, wired: Wiring) -> None:
    assert wiring(inventory) == wired


def test_every_interface_has_a_name_that_linux_takes_and_that_is_its_own(wired: Wiring) -> None:
    names = [(e.namespace, e.name) for e in ends(wired)] + [(b.namespace, b.name) for b in wired.bridges]
    assert max(Counter(names).values()) == 1
    assert all(0 < len(name) <= 15 for _, name in names)


def test_everything_stands_on_something_that_exists(wired: Wiring) -> None:
    namespaces = {n.name for n in wired.namespaces}
    interfaces = {(e.namespace, e.name) for e in ends(wired)} | {(b.namespace, b.name) for b in wired.bridges}
    interfaces |= {(name, "lo") for name in namespaces}
    used = {(a.namespace, a.interface) for a in wired.addresses}
    used |= {(n.namespace, n.interface) for n in wired.neighbours} | {(f.namespace, f.port) for f in wired.forwarding}
    used |= {(r.namespace, h.interface) for r in wired.routes for h in r.hops}
    used |= {(s.namespace, i) for s in wired.streams for i in (s.enters, *s.leaves)}
    used |= {(e.namespace, e.bridge) for e in ends(wired) if e.bridge}
    assert used <= interfaces


def test_every_workload_has_its_addresses_on_its_own_host(inventory: Inventory, wired: Wiring) -> None:
    for workload in inventory.workloads:
        for address in workload.addresses:
            assert [a.namespace for a in wired.addresses if a.address.ip == address] == [workload.host]


def test_all_members_of_a_pair_have_the_gateway_with_one_mac(inventory: Inventory, wired: Wiring) -> None:
    macs = {(b.namespace, b.name): b.mac for b in wired.bridges}
    for segment in inventory.segments:
        for address in segment.gateways.virtual if segment.gateways else ():
            held = [a for a in wired.addresses if a.address.ip == address]
            assert {a.namespace for a in held} == {f"{d}.{segment.realm}" for d in segment.gateways.on}
            assert {macs[a.namespace, a.interface] for a in held} == {VIRTUAL_MAC}
            assert {a.interface for a in held} == {f"Vlan{segment.vlan}"}


def test_no_broadcast_domain_has_a_loop(wired: Wiring) -> None:
    joints = [e for e in ends(wired) if e.bridge and e.up]
    wires = [v for v in wired.veths if v.a.up and v.b.up]
    nodes = {(e.namespace, e.name) for e in ends(wired)} | {(b.namespace, b.name) for b in wired.bridges}
    loose = {(v.namespace, v.name) for w in wired.veths if w not in wires for v in (w.a, w.b)}
    number = domains(wired)
    joined = [n for n in nodes if n in number and n not in loose]
    assert len(joined) - len(joints) - len(wires) == len({number[n] for n in joined})


def test_no_two_stations_of_a_broadcast_domain_share_a_mac_but_the_gateways(wired: Wiring) -> None:
    number = domains(wired)
    seen: Counter[tuple[int, str]] = Counter()
    stations = {(b.namespace, b.name): b.mac for b in wired.bridges}
    stations |= {(e.namespace, e.name): e.mac for e in ends(wired) if not e.bridge}
    for key, mac in stations.items():
        if mac != VIRTUAL_MAC and key in number:
            seen[number[key], mac] += 1
    assert set(seen.values()) == {1}


def test_every_way_from_every_host_leads_to_every_workload_and_external(inventory: Inventory, wired: Wiring) -> None:
    walker = Walker(wired)
    starts = {w.host for w in inventory.workloads} | {e.name for e in inventory.externals}
    targets = [(w.host, a) for w in inventory.workloads for a in w.addresses]
    own = {name: {a.address.version for a in wired.addresses if a.namespace == name} for name in starts}
    for start in sorted(starts):
        for _, address in targets:
            if address.version in own[start] and not (address.version == 6 and not _speaks_six(wired, start)):
                assert walker.arrives(start, address), f"{start} to {address}"


def _speaks_six(wired: Wiring, namespace: str) -> bool:
    return any(a.namespace == namespace and a.address.version == 6 for a in wired.addresses)


def test_both_members_of_a_pair_carry_what_comes_from_the_core(inventory: Inventory, wired: Wiring) -> None:
    address = next(w.addresses[0] for w in inventory.workloads if w.name == "ogw1")
    assert len(Walker(wired).next("border1.trading", address)) == 2


def test_a_gateway_knows_the_macs_of_its_hosts(inventory: Inventory, wired: Wiring) -> None:
    macs = {(e.namespace, e.name): e.mac for e in ends(wired)} | {(b.namespace, b.name): b.mac for b in wired.bridges}
    known = {(n.namespace, n.address): n.mac for n in wired.neighbours}
    segments = {s.name: s for s in inventory.segments}
    for workload in inventory.workloads:
        for device in segments[workload.segment].gateways.on:
            for address in workload.addresses:
                interface = wired.interface_of(workload.host, address)
                assert known[f"{device}.trading", address] == macs[workload.host, interface]


def test_a_member_of_a_pair_knows_behind_which_port_the_hosts_of_the_other_are(wired: Wiring) -> None:
    told = {e.namespace + "/" + e.name for e in ends(wired) if not e.learning}
    by_mac = {e.mac: e.namespace for e in ends(wired)} | {b.mac: b.namespace for b in wired.bridges}
    found = sorted((f.namespace, f.port, by_mac[f.mac]) for f in wired.forwarding)
    assert ("leaf2.trading", "Et55.120", "ogw1") in found
    assert {n + "/" + p for n, p, _ in found} <= told
    assert Counter(host for _, _, host in found) == Counter(n.name for n in wired.namespaces if n.role == "host")


def test_multicast_reaches_every_receiving_vlan_exactly_once(inventory: Inventory, wired: Wiring) -> None:
    entries = {(s.namespace, s.source, s.group): s for s in wired.streams}
    peer = {(v.a.namespace, v.a.name): v.b for v in wired.veths} | {(v.b.namespace, v.b.name): v.a for v in wired.veths}
    [multicast] = inventory.multicast
    source, group = ip_address("198.51.100.10"), ip_address("239.1.1.1")
    reached: list[str] = []
    front = [entries["border1.trading", source, group]]
    while front:
        for name in (entry := front.pop()).leaves:
            other = peer.get((entry.namespace, name))
            if other is None:
                reached.append(name)
            else:
                following = entries[other.namespace, source, group]
                assert following.enters == other.name
                front.append(following)
    vlans = {f"Vlan{s.vlan}" for s in inventory.segments if s.name in multicast.receivers}
    assert sorted(reached) == sorted(vlans)


def test_of_a_bond_only_the_first_member_carries(wired: Wiring) -> None:
    members = [e for e in ends(wired) if e.namespace == "ogw1" and e.bridge == "bond0"]
    assert [(e.name, e.up) for e in members] == [("ens1", True), ("ens2", False)]


def test_a_host_in_two_segments_answers_through_the_gateway_of_the_address(inventory: Inventory) -> None:
    both = _with_workload(inventory, "client1", "10.1.70.99", "monitoring")
    wired = wiring(both)
    [rule] = wired.rules
    assert (rule.namespace, str(rule.source)) == ("client1", "10.1.70.0/24")
    table = [r for r in wired.routes if r.namespace == "client1" and r.table == rule.table]
    assert {str(r.destination) for r in table} == {"10.1.70.0/24", "0.0.0.0/0"}
    assert wired.interface_of("client1", ip_address("10.1.70.99")) == "ens1_170"


def test_a_host_has_one_way_out_a_family_through_a_gateway_of_its_own_prefix(inventory: Inventory) -> None:
    def more(segment: Segment) -> Segment:
        added = (ip_network("10.9.0.0/24"), ip_network("2001:db8:9::/64"))
        ways = segment.gateways and dataclasses.replace(
            segment.gateways, virtual=(*(net[1] for net in added), *segment.gateways.virtual)
        )
        return dataclasses.replace(segment, prefixes=(*added, *segment.prefixes), gateways=ways)

    site = dataclasses.replace(
        inventory, segments=tuple(more(s) if s.name == "clients" else s for s in inventory.segments)
    )

    def ways(known: Inventory) -> list[str]:
        routes = (r for r in wiring(known).routes if r.namespace == "client1" and r.destination.prefixlen == 0)
        return sorted(str(hop.via) for route in routes for hop in route.hops)

    assert ways(site) == ways(inventory) == ["10.1.10.1", "2001:db8:1:10::1"]
    assert ways(_with_workload(site, "client1", "10.9.0.99", "clients")) == ["10.9.0.1", "2001:db8:1:10::1"]


def _with_workload(inventory: Inventory, name: str, address: str, segment: str) -> Inventory:
    def more(workloads: tuple[Workload, ...]) -> tuple[Workload, ...]:
        extra = dataclasses.replace(workloads[0], name="extra", addresses=(ip_address(address),), segment=segment)
        return (*workloads, extra)

    hosts = tuple(
        dataclasses.replace(h, workloads=more(h.workloads)) if h.name == name else h for h in inventory.hosts
    )
    return dataclasses.replace(inventory, hosts=hosts)


def _external(inventory: Inventory, **changes: object) -> Wiring:
    [external] = inventory.externals
    return wiring(dataclasses.replace(inventory, externals=(dataclasses.replace(external, **changes),)))


def test_an_external_behind_a_transfer_network_is_reached_through_its_router(inventory: Inventory) -> None:
    wired = _external(inventory, addresses=(ip_address("203.0.113.4"),), prefixes=(ip_network("198.51.100.0/24"),))
    assert Walker(wired).arrives("client1", ip_address("198.51.100.10"))
    assert Walker(wired).arrives("exchange-a", ip_address("10.1.10.11"))
    assert wired.interface_of("exchange-a", ip_address("203.0.113.5")) == "eth0"


def test_an_external_that_enters_twice_is_reached_both_ways(inventory: Inventory) -> None:
    [external] = inventory.externals
    wired = _external(inventory, enters=(*external.enters, ("leaf1", "Ethernet2")))
    walker = Walker(wired)
    assert walker.arrives("client1", ip_address("198.51.100.10"))
    assert len([r for r in wired.routes if r.namespace == external.name and r.destination.version == 4]) == 1
    assert len(walker.next(external.name, ip_address("10.1.10.11"))) == 2


def test_a_management_address_outside_every_segment_is_refused(inventory: Inventory) -> None:
    odd = dataclasses.replace(inventory, controller=(ip_address("203.0.113.9"),))
    with pytest.raises(Refused, match="management"):
        wiring(odd)


def test_an_interface_name_that_linux_cannot_have_is_refused(inventory: Inventory) -> None:
    link = next(item for item in inventory.links if item.addresses)
    for port in ("Ethernet 1", "1/1/1/1/1/1/1/1/1"):
        long = dataclasses.replace(link, a_port=port)
        links = tuple(long if item is link else item for item in inventory.links)
        with pytest.raises(Refused, match="interface name"):
            wiring(dataclasses.replace(inventory, links=links))


def test_two_things_of_one_name_are_refused(inventory: Inventory) -> None:
    twin = External("client1", "trading", (ip_network("203.0.113.0/24"),), (("leaf1", "Ethernet2"),), HERE)
    with pytest.raises(Refused, match="one name"):
        wiring(dataclasses.replace(inventory, externals=(*inventory.externals, twin)))


def test_a_stretch_without_a_peer_link_is_wired_all_the_same(inventory: Inventory) -> None:
    bare = dataclasses.replace(inventory, links=tuple(item for item in inventory.links if item.addresses))
    number = domains(wiring(bare))
    for one, other in pairwise(("leaf1.trading", "leaf2.trading")):
        assert number[one, "Vlan120"] == number[other, "Vlan120"]


REAL = {
    "leaf1": r"Ethernet1/\1", "leaf2": r"GigabitEthernet1/0/\1", "leaf3": r"HundredGigE0/0/0/\1", "leaf4": r"et-0/0/\1:0",
    "border1": r"TwentyFiveGigE3/0/\1",
}  # fmt: skip


def test_a_site_with_its_vendors_port_names_is_the_same_wire(tmp_path: Path, wired: Wiring) -> None:
    shutil.copytree(ROOT / "inventory" / "dc1", tmp_path / "inventory" / "dc1")
    for file in (tmp_path / "inventory" / "dc1").glob("*.yaml"):
        text = file.read_text()
        for device, form in REAL.items():
            text = re.sub(rf"\b(?<={device}/)Ethernet(\d+)", form, text)
        file.write_text(text)
    real = wiring(load(tmp_path, "dc1", date(2026, 11, 24)).inventory)
    assert (real.namespaces, real.bridges, len(real.veths)) == (wired.namespaces, wired.bridges, len(wired.veths))
    names = {(old.namespace, old.name): new.name for old, new in zip(ends(wired), ends(real), strict=True)}
    assert sum(name != key[1] for key, name in names.items()) > 30
    assert all(0 < len(name) <= IFNAMSIZ and not {*"/: "} & {*name} for name in names.values())
    assert len({(key[0], name) for key, name in names.items()}) == len(names)
    for old, new in zip(wired.addresses, real.addresses, strict=True):
        assert new == dataclasses.replace(old, interface=names.get((old.namespace, old.interface), old.interface))
    for one, other in zip(wired.routes, real.routes, strict=True):
        hops = tuple(Hop(h.via, names.get((one.namespace, h.interface), h.interface)) for h in one.hops)
        assert other == dataclasses.replace(one, hops=hops)
    here = {(end.namespace, end.name) for end in ends(real)} | {(b.namespace, b.name) for b in real.bridges}
    assert all((s.namespace, name) in here for s in real.streams for name in (s.enters, *s.leaves))


@pytest.mark.parametrize(("name", "made"), [
    ("Ethernet49", "Ethernet49"), ("Ethernet1/49", "Ethernet1-49"), ("GigabitEthernet1/0/49", "Gi1-0-49"),
    ("HundredGigE0/0/0/31", "Hu0-0-0-31"), ("ge-0/0/1", "ge-0-0-1"), ("et-0/0/48:0", "et-0-0-48-0"),
    ("TenGigabitEthernet1/0/49_4094", "Te1-0-49_4094"), ("Vlan120", "Vlan120"),
])  # fmt: skip
def test_a_ports_name_is_legal_to_linux_and_still_read_by_people(name: str, made: str) -> None:
    assert ifname(name) == ifname(made) == made
    (_, ((way, rules), _)) = plane_of(name)
    assert way == "in"
    assert all(f'iifname "{made}" ' in rule for rule in rules)


def plane_of(name: str) -> tuple[object, tuple[tuple[str, tuple[str, ...]], ...]]:
    """What the lab enforces of a list that is bound at a port, as the device calls it."""
    plane = compile_plane(Filters({}, (Binding(name, "trading", 4, "in", "a"),)), "trading")
    return plane.chains, plane.jumps


@pytest.mark.parametrize("name", ["", "a b", "PortChannel123456789012345", "1" * 16, "."])
def test_a_name_that_linux_cannot_be_given_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="cannot be used in the lab"):
        ifname(name)


def test_two_ports_that_would_have_one_name_are_refused(inventory: Inventory) -> None:
    hosts = [h for h in inventory.hosts if h.nics and h.nics[0].attached and h.nics[0].attached[0][0] == "leaf1"][:2]
    moved = {h.name: dataclasses.replace(h, nics=(dataclasses.replace(h.nics[0], attached=(("leaf1", port),)), *h.nics[1:]))
             for h, port in zip(hosts, ("Ethernet1/1", "Ethernet1-1"), strict=True)}  # fmt: skip
    with pytest.raises(Refused, match="would have 2 interfaces Ethernet1-1"):
        wiring(dataclasses.replace(inventory, hosts=tuple(moved.get(h.name, h) for h in inventory.hosts)))
