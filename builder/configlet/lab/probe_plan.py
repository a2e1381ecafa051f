"""What to probe: end to end between all members, at every gate alone, and multicast. Pure: the same site, the same plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from configlet.lab.probe_gaps import gaps_of
from configlet.lab.probe_gates import gate_probes
from configlet.lab.probe_ground import Ground
from configlet.lab.probe_hosts import host_probes
from configlet.lab.probe_law import Law
from configlet.lab.probe_members import Member, controller, external, managements, workloads
from configlet.lab.probe_multicast import multicast_probes
from configlet.lab.probe_pairs import GapOf, choose, pairs, probe_of
from configlet.lab.probe_values import FIRST_TAG, LAST_TAG, Numbers, Probe, ProbePlan
from configlet.lab.topology import wiring
from configlet.model.net import FAMILIES, Family
from configlet.model.policy import DPORT
from configlet.pipeline.site import Site

CAP = 1600
"""The most end-to-end probes between workloads and externals."""


def plan_probes(site: Site, cap: int = CAP) -> ProbePlan:
    """All probes of a site. Raises Refused when the lab cannot build it."""
    inventory = site.inventory
    wire = wiring(inventory)
    laws = cache(lambda realm, family: Law(site.entries, realm, family))
    members = (*workloads(inventory, wire), *(external(wire, e) for e in inventory.externals))
    ground = Ground(inventory, wire, members, laws)
    numbers = Numbers(_ports(ground))
    gap_of = gaps_of(site, laws)
    found: list[Probe | str] = [
        *_pairs(ground, members, numbers, gap_of, cap),
        *_management(site, ground, numbers),
        *_gates(site, ground, numbers),
    ]
    for group_set in inventory.multicast:
        found += multicast_probes(group_set, members, laws(group_set.realm, 4), numbers)
    probes = tuple(item for item in found if isinstance(item, Probe))
    return ProbePlan(probes, tuple(item for item in found if isinstance(item, str)))


def _ports(ground: Ground) -> frozenset[int]:
    """Ports among the tags that a rule names, where a listener may stand."""
    realms = {m.realm for m in ground.members} | {ground.inventory.controller_realm}
    entries = (e for realm in sorted(realms) for family in FAMILIES for e in ground.laws(realm, family).entries)
    edges = {p for e in entries for edge in e.box[DPORT] for p in (edge - 1, edge, edge + 1)}
    return frozenset(p for p in edges if FIRST_TAG <= p < LAST_TAG)


def _pairs(
    ground: Ground, members: Sequence[Member], numbers: Numbers, gap_of: GapOf, cap: int
) -> Iterator[Probe | str]:
    found = list(pairs(members, ground.laws))
    for pair, choice in choose(found, cap):
        law = ground.laws(pair.source.realm, pair.family)
        yield probe_of(pair, choice, law, numbers, gap_of)
    hosts: dict[str, list[str]] = {}
    for member in members:
        hosts.setdefault(member.namespace, []).append(member.name)
    for host, names in hosts.items():
        if len(names) > 1:
            yield f"{', '.join(names)} share {host}: what they say to each other never reaches a wire."


def _ways(site: Site, ground: Ground) -> Iterator[tuple[Member, bool]]:
    """The ways to management, and whether a table guards each: one of the whole host, not of some of its NICs."""
    whole = {gate.owner for gate in site.placement.gates if gate.kind != "acl" and gate.stateful}
    for member, guarded in managements(ground.inventory, ground.wiring):
        yield member, guarded and member.namespace in whole


def _management(site: Site, ground: Ground, numbers: Numbers) -> Iterator[Probe | str]:
    """The controller and every way to management, both ways; of a way without a table of ours, what is allowed."""
    here = controller(ground.inventory, ground.wiring)
    tables = {gate.owner: gate.name for gate in site.placement.gates if gate.kind != "acl"}
    for member, guarded in _ways(site, ground):
        if not guarded and member.namespace in tables:
            yield f"{member.name}: it meets no table of ours, as {tables[member.namespace]} stands at NICs of workloads alone."
        families: tuple[Family, ...] = FAMILIES
        for pair in (p for p in pairs((here, member), ground.laws) if p.family in families):
            law = ground.laws(pair.source.realm, pair.family)
            for choice in dict.fromkeys((*pair.own, *pair.other)):
                probe = probe_of(pair, choice, law, numbers, lambda *_: "")
                if guarded or probe.expected:
                    yield probe


def _gates(site: Site, ground: Ground, numbers: Numbers) -> Iterator[Probe | str]:
    ways = [member for member, guarded in _ways(site, ground) if guarded]
    for gate in site.placement.gates:
        if gate.kind == "acl":
            yield from gate_probes(ground, gate, numbers)
        else:
            own = [m for m in (*ground.members, *ways) if m.namespace == gate.owner]
            yield from host_probes(ground, gate, own, numbers)
