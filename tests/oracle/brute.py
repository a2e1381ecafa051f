"""What an inventory says of one packet, read naively from DESIGN section 5 with ``ipaddress``.

Slow and plain on purpose. It takes the inventory's values and nothing else of the product: no boxes, no spans, no
expanded rules. When it and the product disagree, one of them reads the design wrongly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_network, summarize_address_range
from typing import Literal

from configlet.model.inventory import External, Inventory, RuleLine, Segment, Selector, Term
from configlet.model.net import IPAddress, IPNetwork
from configlet.model.policy import Packet

Where = tuple[str | None, IPNetwork]
"""A prefix in a realm; None is every realm."""
Level = Literal["failsafe", "infrastructure", "closed", "policy", "intra", "default"]

SPECIAL = [
    ip_network(text)
    for text in (
        "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/24", "240.0.0.0/4",
        "::/128", "::1/128", "fe80::/10", "ff00::/16", "ff01::/16", "ff02::/16",
    )
]  # fmt: skip
UNICAST = [ip_network(text) for text in ("0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3", "2000::/3", "fc00::/7")]
GROUPS = [ip_network("224.0.0.0/4"), ip_network("ff00::/8")]
ERRORS = {1: (3, 11, 12), 58: (1, 2, 3, 4)}
ANSWERS = {(1, 8): 0, (1, 0): 8, (1, 13): 14, (1, 14): 13, (58, 128): 129, (58, 129): 128}


@dataclass(frozen=True)
class Statement:
    """One step of the order: who to whom, with what."""

    level: Level
    name: str
    allow: bool
    sources: tuple[Where, ...]
    destinations: tuple[Where, ...]
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class Answer:
    """The verdict, at which step of the order it fell, and the name of what decided."""

    allow: bool
    level: Level
    name: str


DEFAULT = Answer(False, "default", "default deny")
ANYTHING = (Term(None),)


def address(packet_family: int, value: int) -> IPAddress:
    return IPv4Address(value) if packet_family == 4 else IPv6Address(value)


def within(realm: str, end: IPAddress, places: tuple[Where, ...]) -> bool:
    return any(r in (None, realm) and end.version == net.version and end in net for r, net in places)


def says(packet: Packet, term: Term, *, ports: bool = True) -> bool:
    """Whether a term speaks of the packet; without ``ports`` by family and protocol alone."""
    if term.family not in (None, packet.family):
        return False
    if term.proto is None:
        return True
    if term.proto != packet.proto:
        return False
    return not ports or (
        term.sport[0] <= packet.sport <= term.sport[1] and term.dport[0] <= packet.dport <= term.dport[1]
    )


class Oracle:
    """One inventory, its order written out."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.realm = {segment.name: segment.realm for segment in inventory.segments}
        self.order = tuple(self._order())

    def judge(self, packet: Packet) -> Answer:
        """Whether a whole packet may start a connection (DESIGN 5.1)."""
        return self._first(packet, lambda statement: any(says(packet, term) for term in statement.terms))

    def judge_fragment(self, packet: Packet) -> Answer:
        """``fragments: match``: by addresses and protocol of something allowed; a deny with ports cannot see them."""

        def speaks(statement: Statement) -> bool:
            blind = [t for t in statement.terms if statement.allow or (t.dport, t.sport) == ((0, 65535),) * 2]
            return any(says(packet, term, ports=False) for term in blind)

        return self._first(packet, speaks)

    def _first(self, packet: Packet, speaks: Callable[[Statement], bool]) -> Answer:
        source, target = address(packet.family, packet.src), address(packet.family, packet.dst)
        for step in self.order:
            if (
                speaks(step)
                and within(packet.realm, source, step.sources)
                and within(packet.realm, target, step.destinations)
            ):
                return Answer(step.allow, step.level, step.name)
        return DEFAULT

    def _order(self) -> Iterator[Statement]:
        inventory = self.inventory
        everything: tuple[Where, ...] = ((None, ip_network("0.0.0.0/0")), (None, ip_network("::/0")))
        yield from (self._written("failsafe", line) for line in inventory.failsafe)
        yield from (self._written("infrastructure", line) for line in inventory.infrastructure)
        yield from self._derived()
        own = tuple(self.own())
        yield Statement("closed", "infrastructure addresses", False, everything, own, ANYTHING)
        yield Statement("closed", "infrastructure addresses", False, own, everything, ANYTHING)
        yield from (self._written("policy", line) for line in inventory.policy)
        for segment in inventory.segments:
            if segment.intra == "open":
                inside = self._prefixes(segment)
                yield Statement("intra", f"intra of {segment.name}", True, inside, inside, ANYTHING)

    def _written(self, level: Level, line: RuleLine) -> Statement:
        sources = tuple(w for s in line.sources for w in self.places(s, source=True))
        destinations = tuple(w for s in line.destinations for w in self.places(s, source=False))
        terms = tuple(term for service in line.services for term in service.terms)
        return Statement(level, line.name, line.action == "allow", sources, destinations, terms)

    def own(self) -> Iterator[Where]:
        """Infrastructure addresses: the network's own, and those that are nobody's (DESIGN 4)."""
        inventory = self.inventory
        yield from ((None, net) for net in SPECIAL)
        for device in inventory.devices:
            yield from ((None, ip_network(a)) for a in device.addresses)
            if device.management:
                yield inventory.controller_realm, ip_network(device.management.address)
        for link in inventory.links:
            yield from ((link.realm, ip_network(a)) for a in link.addresses)
        for external in inventory.externals:
            yield from ((external.realm, ip_network(a)) for a in external.addresses)
        for segment in inventory.segments:
            if segment.gateways:
                yield from ((segment.realm, ip_network(a)) for a in segment.gateways.virtual)

    def _prefixes(self, thing: Segment | External) -> tuple[Where, ...]:
        return tuple((thing.realm, net) for net in thing.prefixes)

    def places(self, selector: Selector, *, source: bool) -> list[Where]:
        """The prefixes that a selector names (DESIGN 4)."""
        inventory, name = self.inventory, selector.name
        if name is None:
            return list(self._labelled(dict(selector.labels)))
        if name == "any":
            return [(None, net) for net in ([ip_network("0.0.0.0/0"), ip_network("::/0")] if source else UNICAST)]
        if name == "outside":
            return list(self._outside())
        if name == "controller" and name not in self.realm:
            return [(inventory.controller_realm, ip_network(a)) for a in inventory.controller]
        return list(self._named(name))

    def _labelled(self, labels: dict[str, str]) -> Iterator[Where]:
        own = {segment.name: dict(segment.labels) for segment in self.inventory.segments}
        for segment in self.inventory.segments:
            if labels.items() <= own[segment.name].items():
                yield from self._prefixes(segment)
        for workload in self.inventory.workloads:
            if labels.items() <= (own[workload.segment] | dict(workload.labels)).items():
                yield from ((self.realm[workload.segment], ip_network(a)) for a in workload.addresses)

    def _named(self, name: str) -> Iterator[Where]:
        inventory = self.inventory
        for thing in (*inventory.segments, *inventory.externals):
            if thing.name == name:
                yield from self._prefixes(thing)
        for group in inventory.multicast:
            if group.name == name:
                yield from ((group.realm, net) for net in group.groups)
        for known, spans, _ in inventory.addresses:
            for family, (low, high) in spans if known == name else ():
                kind = IPv4Address if family == 4 else IPv6Address
                yield from ((None, net) for net in summarize_address_range(kind(low), kind(high)))
        single = any(workload.name == name for workload in inventory.workloads)
        for workload in inventory.workloads:
            if name == (workload.name if single else workload.host):
                yield from ((self.realm[workload.segment], ip_network(a)) for a in workload.addresses)
        yield from self._devices(name)

    def _devices(self, name: str) -> Iterator[Where]:
        """A device's own addresses and those of its ports; its gateways are a pair's, its management is a segment's."""
        inventory = self.inventory
        for link in inventory.links:
            if link.name == name:
                yield from ((link.realm, ip_network(a)) for a in link.addresses)
            for device, end in ((link.a_device, 0), (link.b_device, 1)):
                if device == name:
                    yield from ((link.realm, ip_network(a)) for a in link.addresses[end::2])
        for device in inventory.devices:
            if device.name == name:
                yield from ((None, ip_network(a)) for a in device.addresses)
        for external in inventory.externals:
            if any(device == name for device, _ in external.enters):
                yield from ((external.realm, ip_network(a)) for a in external.addresses)

    def _outside(self) -> Iterator[Where]:
        things = (*self.inventory.segments, *self.inventory.externals)
        for realm in sorted({thing.realm for thing in things} | {self.inventory.controller_realm}):
            rest = list(UNICAST)
            for taken in (net for thing in things if thing.realm == realm for net in thing.prefixes):
                rest = [piece for net in rest for piece in without(net, taken)]
            yield from ((realm, net) for net in rest)

    def _derived(self) -> Iterator[Statement]:
        """What the network itself needs beyond one link (DESIGN 5.4, 5.8, 5.9): addresses, errors, groups."""
        segments = {segment.name: segment for segment in self.inventory.segments}
        yield infra("address assignment", ["0.0.0.0/32"], ["255.255.255.255/32"], [Term(17, (68, 68), (67, 67), 4)])
        yield infra("address assignment", ["fe80::/10"], ["ff02::1:2/128"], [Term(17, (546, 546), (547, 547), 6)])
        routers = tuple(w for s in self.inventory.icmp_errors_from for w in self.places(s, source=True))
        everyone = tuple(w for segment in segments.values() for w in self._prefixes(segment))
        errors = [icmp(proto, kind) for proto, kinds in ERRORS.items() for kind in kinds]
        yield Statement("infrastructure", "icmp errors of routers", True, routers, everyone, tuple(errors))
        for segment in segments.values():
            if segment.gateways and segment.gateways.mode == "vrrp":
                groups = in_realm(segment.realm, "224.0.0.18/32", "ff02::12/128")
                name = f"vrrp of {segment.name}"
                speakers = (*self._prefixes(segment), *in_realm(segment.realm, "fe80::/10"))
                yield Statement("infrastructure", name, True, speakers, groups, (Term(112),))
        for group in self.inventory.multicast:
            wanted = (*((group.realm, net) for net in group.groups), *in_realm(group.realm, "224.0.0.0/24"))
            for name in group.receivers:
                members, said = tuple((group.realm, net) for net in segments[name].prefixes), (Term(2, family=4),)
                yield Statement("infrastructure", f"group membership of {name}", True, members, wanted, said)
            for external in self.inventory.externals:
                if external.name in group.sources:
                    routers = in_realm(group.realm, "224.0.0.13/32", "ff02::d/128")
                    name = f"pim with {external.name}"
                    yield Statement("infrastructure", name, True, self._prefixes(external), routers, (Term(103),))


def without(net: IPNetwork, taken: IPNetwork) -> list[IPNetwork]:
    if net.version != taken.version or not net.overlaps(taken):
        return [net]
    return list(net.address_exclude(taken)) if taken != net and taken.subnet_of(net) else []  # type: ignore[arg-type]


def in_realm(realm: str, *texts: str) -> tuple[Where, ...]:
    return tuple((realm, ip_network(text)) for text in texts)


def icmp(proto: int, kind: int) -> Term:
    return Term(proto, dport=(kind * 256, kind * 256 + 255), family=4 if proto == 1 else 6)


def infra(name: str, sources: list[str], targets: list[str], terms: list[Term]) -> Statement:
    ends = [tuple((None, ip_network(text)) for text in texts) for texts in (sources, targets)]
    return Statement("infrastructure", name, True, ends[0], ends[1], tuple(terms))


def answered(packet: Packet) -> Packet | None:
    """The initiation that the packet could be the reply of (DESIGN 5.4); None when there is none."""
    source = address(packet.family, packet.src)
    if any(source.version == net.version and source in net for net in GROUPS):
        return None
    back = replace(packet, src=packet.dst, dst=packet.src, established=False)
    if packet.fragment:
        return back
    if packet.proto == (1 if packet.family == 4 else 58):
        kind = ANSWERS.get((packet.proto, packet.dport // 256))
        return None if kind is None else replace(back, dport=kind * 256 + packet.dport % 256)
    if packet.proto == 6 and not packet.established:
        return None
    return replace(back, sport=packet.dport, dport=packet.sport)


@dataclass(frozen=True)
class Routed:
    """A stateless gate of a router: the interface of a segment, or of externals that share a port."""

    direction: Literal["in", "out"]
    things: tuple[Segment | External, ...]


def gate_passes(oracle: Oracle, gate: Routed, packet: Packet) -> bool:
    """Whether the gate passes the packet (DESIGN 5.4 to 5.8): an initiation in its direction, or a reply to the other."""
    match = _fragments(oracle, gate) == "match"
    if _link_needs(oracle, gate, packet):
        return True
    if packet.fragment and not match:
        return False
    other = Routed("out" if gate.direction == "in" else "in", gate.things)
    if _initiates(oracle, gate, packet):
        return True
    back = answered(packet)
    return back is not None and _initiates(oracle, other, back, reply=True)


def _fragments(oracle: Oracle, gate: Routed) -> str:
    realm = gate.things[0].realm
    judged = [t for t in gate.things if isinstance(t, Segment)] or [
        segment for segment in oracle.inventory.segments if segment.realm == realm
    ]
    return "match" if any(segment.fragments == "match" for segment in judged) else "drop"


def _initiates(oracle: Oracle, gate: Routed, packet: Packet, *, reply: bool = False) -> bool:
    """A(p) where p crosses the interface in the gate's direction. Replies come from plain addresses only."""
    if packet.realm != gate.things[0].realm:
        return False
    answer = oracle.judge_fragment(packet) if packet.fragment else oracle.judge(packet)
    network = answer.level == "infrastructure"
    ends = address(packet.family, packet.src), address(packet.family, packet.dst)
    near, far = ends if gate.direction == "in" else (ends[1], ends[0])
    inside = _prefixes(gate)
    if not answer.allow or not _near(oracle, gate, near, network=network, reply=reply):
        return False
    spoofed = any(far.version == net.version and far in net for net in inside) and any(
        near.version == net.version and near in net for net in inside
    )
    return not spoofed or answer.level in ("failsafe", "infrastructure")


def _link_needs(oracle: Oracle, gate: Routed, packet: Packet) -> bool:
    """Neighbour discovery and listener reports on an IPv6 router's link (RFC 4861 4, RFC 3810 5), never fragmented (RFC 6980)."""
    router = [a for t in gate.things for a in _router_addresses(t) if a.version == 6]
    if (packet.family, packet.proto, packet.realm) != (6, 58, gate.things[0].realm) or not router:
        return False
    return not packet.fragment and _link_kind(oracle, gate, packet, router, packet.dport // 256)


def _link_kind(oracle: Oracle, gate: Routed, packet: Packet, router: list[IPAddress], kind: int) -> bool:
    source, target = IPv6Address(packet.src), IPv6Address(packet.dst)
    local, group = source in ip_network("fe80::/10"), target in ip_network("ff02::/16")
    inside = [net for net in _prefixes(gate) if net.version == 6]
    around = group or target in ip_network("fe80::/10") or any(target in net for net in inside)
    if gate.direction == "out":
        return (kind == 134 and local and around) or (kind in (135, 136) and around and (local or source in router))
    known = local or any(source in net for net in inside)
    unborn = packet.src == 0
    receives = any(t.name in g.receivers and h.version == 6 for t in gate.things for g in oracle.inventory.multicast
                   for h in g.groups)  # fmt: skip
    return (
        (kind == 133 and group and (local or unborn))
        or (kind == 135 and ((known and around) or (unborn and group)))
        or (kind == 136 and known and around)
        or (kind in (131, 132, 143) and receives and local and group)
    )


def _router_addresses(thing: Segment | External) -> tuple[IPAddress, ...]:
    if isinstance(thing, External):
        return thing.addresses
    return thing.gateways.virtual if thing.gateways else ()


def _prefixes(gate: Routed) -> list[IPNetwork]:
    return [net for thing in gate.things for net in thing.prefixes]


def _near(oracle: Oracle, gate: Routed, end: IPAddress, *, network: bool, reply: bool) -> bool:
    """The end on the gate's side: inside, a group that is received there, or an address that is not yet one."""
    places = _prefixes(gate)
    names = {thing.name for thing in gate.things}
    if gate.direction == "out" and not reply:
        places += [net for g in oracle.inventory.multicast if names & set(g.receivers) for net in g.groups]
    if gate.direction == "in" and network and not reply:
        places += [ip_network("0.0.0.0/32"), ip_network("::/128"), ip_network("fe80::/10")]
    return any(end.version == net.version and end in net for net in places)
