"""The gates of a site, from its inventory and what its platforms can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import cast

from configlet.model.frozen import dataclass
from configlet.model.gate import Capability, Direction, Gate
from configlet.model.inventory import Device, External, Host, Inventory, Nic, Segment, Workload
from configlet.model.net import FAMILIES, Family, IPNetwork, Span, family_of, span_of
from configlet.model.problem import Place, Problem, Refused
from configlet.place.stacks import IN_NIC, cell

Capabilities = Mapping[tuple[str, str], Capability]
"""(platform, kind) to its capability record."""
End = tuple[Family, Span]
Received = Mapping[str, Sequence[End]]
OfCard = Callable[[Nic, Capability], Capability]
"""The record of a table in a NIC as its card holds it. Raises Refused where the card holds no such table."""


@dataclass(frozen=True, slots=True)
class Placement:
    """The gates of a site in a fixed order."""

    inventory: Inventory
    gates: tuple[Gate, ...]
    owners: Mapping[str, tuple[Gate, ...]]
    """The gates of each device and host that holds any, in the order of the gates."""
    hosts: Mapping[str, Host]
    """The hosts by name, as one is asked for with every pair of ends."""

    def of_owner(self, owner: str) -> tuple[Gate, ...]:
        """The gates on one device or host."""
        return self.owners.get(owner, ())


def place(inventory: Inventory, capabilities: Capabilities, of_card: OfCard) -> Placement:
    """Every gate that the inventory asks for. Raises Refused where a platform or a card cannot hold one."""
    problems = list(_impossible(inventory, capabilities))
    cards: dict[Nic, Capability] = {}
    for nic in _tables(inventory, capabilities):
        try:
            cards[nic] = of_card(nic, capabilities[nic.filter_table, "filter-table"])
        except Refused as refused:
            problems += [replace(problem, place=nic.place) for problem in refused.problems]
    if problems:
        raise Refused(problems)
    gates = (*_gateways(inventory, capabilities), *_borders(inventory, capabilities), *_hosts(inventory, capabilities, cards))
    ordered = tuple(sorted(gates, key=attrgetter("name")))
    owners: dict[str, tuple[Gate, ...]] = {}
    for gate in ordered:
        owners[gate.owner] = (*owners.get(gate.owner, ()), gate)
    return Placement(inventory, ordered, owners, {host.name: host for host in inventory.hosts})


def in_nic(gate: Gate) -> bool:
    """Whether a gate is in a NIC of its host, and not the host's own table."""
    return gate.kind == "filter-table" and gate.name != f"{gate.owner}/{gate.platform}"


def table_sees(host: Host, workload: Workload) -> bool:
    """Whether the host's own table meets anything that this workload receives: by its stack, or by a service beside it."""
    if cell(workload.stack, host.platform).rx:
        return True
    return any(cell(stack, host.platform).rx for _, stack in workload.also)


def _impossible(inventory: Inventory, capabilities: Capabilities) -> Iterator[Problem]:
    needed = {(d.platform, "acl") for d in inventory.devices if d.managed}
    needed |= {(h.platform, "filter-table") for h in inventory.hosts if h.managed}
    owners: list[tuple[str, str, str, Place]] = []
    if not needed <= capabilities.keys():
        owners += [(d.name, d.platform, "acl", d.place) for d in inventory.devices if d.managed]
        owners += [(h.name, h.platform, "filter-table", h.place) for h in inventory.hosts if h.managed]
    for name, platform, kind, where in owners:
        if (platform, kind) not in capabilities:
            known = ", ".join(sorted(p for p, k in capabilities if k == kind)) or "none"
            detail = f'"{name}" is of platform "{platform}", which has no configlet of kind {kind}. Those that have: {known}.'
            yield Problem("Platform that cannot hold the gate", detail, where)
    yield from _no_nic_tables(inventory, capabilities)


def _no_nic_tables(inventory: Inventory, capabilities: Capabilities) -> Iterator[Problem]:
    known = {p: c.mechanism or p for (p, kind), c in capabilities.items() if kind == "filter-table"}
    for host, nic in ((h, n) for h in inventory.hosts for n in h.nics if n.filter_table):
        if not host.managed:
            detail = f'"{host.name}" is not managed, so nobody would keep this table. Manage it, or remove `filter_table`.'
            yield Problem("Platform that cannot hold the gate", detail, nic.place)
        elif known.get(nic.filter_table) not in IN_NIC:
            names = ", ".join(sorted(p for p, m in known.items() if m in IN_NIC)) or "none"
            detail = f'"{nic.filter_table}" is no platform of a filter table in a NIC. Those that are: {names}.'
            yield Problem("Platform that cannot hold the gate", detail, nic.place)
        elif not capabilities[nic.filter_table, "filter-table"].drops:
            detail = f'"{nic.filter_table}" hands what it refuses to the kernel and drops nothing: it is no gate. Name another.'
            yield Problem("Platform that cannot hold the gate", detail, nic.place)


def families_of(networks: tuple[IPNetwork, ...]) -> tuple[Family, ...]:
    """The families that a list of prefixes speaks of."""
    return tuple(f for f in FAMILIES if any(family_of(n) == f for n in networks))


def _gateways(inventory: Inventory, capabilities: Capabilities) -> Iterator[Gate]:
    devices = {d.name: d for d in inventory.devices}
    for segment in inventory.segments:
        for name in segment.gateways.on if segment.gateways else ():
            if segment.gateways and devices[name].managed:
                binding = f"Vlan{segment.vlan}"
                for direction in segment.gateways.filter:
                    yield from _acls(devices[name], binding, direction, segment, capabilities)


def _borders(inventory: Inventory, capabilities: Capabilities) -> Iterator[Gate]:
    devices = {d.name: d for d in inventory.devices}
    ports: dict[tuple[str, str], list[External]] = {}
    for external in inventory.externals:
        for way in external.enters:
            ports.setdefault(way, []).append(external)
    both: tuple[Direction, Direction] = ("in", "out")
    for (name, port), externals in ports.items():
        if devices[name].managed:
            for direction in both:
                yield from _acls(devices[name], port, direction, externals[0], capabilities, tuple(externals))


def _acls(
    device: Device,
    binding: str,
    direction: Direction,
    thing: Segment | External,
    capabilities: Capabilities,
    things: tuple[External, ...] = (),
) -> Iterator[Gate]:
    """One gate a family, always both: a v4-only segment must still drop what else arrives on its interface."""
    names = tuple(t.name for t in things) or (thing.name,)
    capability = capabilities[device.platform, "acl"]
    for family in FAMILIES:
        name = f"{device.name}/{binding}/{direction}/v{family}"
        yield Gate(
            name, device.name, device.platform, "acl", binding, direction, (family,), thing.realm, names, capability
        )


def _tables(inventory: Inventory, capabilities: Capabilities) -> Iterator[Nic]:
    """The NICs that are to hold a table of a platform that is known."""
    for nic in (n for host in inventory.hosts if host.managed for n in host.nics):
        if (nic.filter_table, "filter-table") in capabilities:
            yield nic


def _hosts(inventory: Inventory, capabilities: Capabilities, cards: Mapping[Nic, Capability]) -> Iterator[Gate]:
    received = _received(inventory)
    for host in inventory.hosts:
        if host.managed:
            yield _host_gate(received, host, capabilities[host.platform, "filter-table"])
            for nic in host.nics:
                if nic.filter_table:
                    yield from _nic_gates(host, nic, cards[nic])


def _nic_gates(host: Host, nic: Nic, capability: Capability) -> Iterator[Gate]:
    """One gate a direction, of all addresses that the NIC carries; whatever else arrives there it drops."""
    carried = [w for w in host.workloads if nic in host.nics_of(w)]
    segments = tuple(dict.fromkeys(w.segment for w in carried))
    ends = ((family_of(a), (int(a), int(a))) for w in carried for a in w.addresses)
    locals_: tuple[tuple[Family, Span], ...] = tuple(dict.fromkeys(ends))
    for direction in capability.directions if carried else ():
        name = f"{host.name}/{nic.name}/{direction}"
        yield Gate(
            name, host.name, nic.filter_table, "filter-table", nic.name, cast(Direction, direction), capability.families, "",
            segments, capability, locals=locals_,
        )  # fmt: skip


def _host_gate(received: Received, host: Host, capability: Capability) -> Gate:
    seen = [w for w in host.workloads if table_sees(host, w)]
    name = f"{host.name}/{host.platform}"
    segments = tuple(dict.fromkeys([w.segment for w in seen]))
    binding, direction = "inet configlet", "both"
    if capability.directions == ("in",):
        binding, direction = " ".join(sorted(n.name for n in host.nics)), "in"
    return Gate(
        name, host.name, host.platform, "filter-table", binding, cast(Direction, direction), FAMILIES, "", segments,
        capability, locals=_locals(received, host, seen),
    )  # fmt: skip


def host_locals(inventory: Inventory, host: Host) -> tuple[End, ...]:
    """What the host's own table judges as local: addresses that its kernel serves, its management, groups it receives."""
    return _locals(_received(inventory), host, [w for w in host.workloads if table_sees(host, w)])


def _received(inventory: Inventory) -> Received:
    """The groups that each segment receives."""
    found: dict[str, list[End]] = {}
    for group in inventory.multicast:
        for segment in dict.fromkeys(group.receivers):
            found.setdefault(segment, []).extend([(family_of(n), span_of(n)) for n in group.groups])
    return found


def _locals(received: Received, host: Host, seen: Sequence[Workload]) -> tuple[End, ...]:
    singles = [a for w in seen for a in w.addresses]
    if host.management:
        singles.append(host.management.address)
    found: list[End] = [(family_of(a), (int(a),) * 2) for a in singles]
    for work in seen if received else ():
        found += received.get(work.segment, ())
    return tuple(dict.fromkeys(found))
