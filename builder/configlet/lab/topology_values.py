"""What the lab's wire consists of, as values: namespaces, links, addresses, routes. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from string import ascii_letters
from typing import Literal

from configlet.model.net import IPAddress, IPNetwork
from configlet.model.problem import Place, refuse

Role = Literal["fabric", "controller", "management", "switch", "host", "nic", "external"]
IPInterface = IPv4Interface | IPv6Interface

VIRTUAL_MAC = "02:1c:73:00:00:99"
"""The gateway's MAC on every member of an anycast pair."""
IFNAMSIZ = 15
"""The longest interface name that Linux takes."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A network namespace. ``owner`` is the device, host or external; ``realm`` is empty where there is none."""

    name: str
    role: Role
    owner: str
    realm: str = ""


@dataclass(frozen=True, slots=True)
class End:
    """One end of a link. ``bridge`` is what it is a port of; a port that is not ``learning`` has its MACs told."""

    namespace: str
    name: str
    bridge: str | None = None
    up: bool = True
    learning: bool = True

    @property
    def mac(self) -> str:
        """Its address: the same on every run."""
        return mac_of(self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class Veth:
    """A wire between two ends."""

    a: End
    b: End


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge; on a switch it is the SVI of a VLAN, on a host a bond or VLAN interface."""

    namespace: str
    name: str
    mac: str


@dataclass(frozen=True, slots=True)
class Address:
    """An address with its prefix length on an interface."""

    namespace: str
    interface: str
    address: IPInterface


@dataclass(frozen=True, slots=True)
class Hop:
    """A next hop; without ``via`` the destination is on the link."""

    via: IPAddress | None
    interface: str


@dataclass(frozen=True, slots=True)
class Route:
    """A route; with several hops the kernel shares the flows among them. ``table`` 254 is the main one."""

    namespace: str
    destination: IPNetwork
    hops: tuple[Hop, ...]
    table: int = 254


@dataclass(frozen=True, slots=True)
class SourceRule:
    """Packets from a prefix look into a table of their own."""

    namespace: str
    source: IPNetwork
    table: int


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A known (address, MAC) pair: what a pair of switches tells one another."""

    namespace: str
    interface: str
    address: IPAddress
    mac: str


@dataclass(frozen=True, slots=True)
class Forwarding:
    """A known MAC behind a bridge port."""

    namespace: str
    port: str
    mac: str


@dataclass(frozen=True, slots=True)
class Stream:
    """A multicast forwarding entry: packets of (source, group) that enter by one interface leave by others."""

    namespace: str
    source: IPAddress
    group: IPAddress
    enters: str
    leaves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything that ``wire.apply`` builds. ``notes`` say in sentences what was simplified for this site."""

    namespaces: tuple[Namespace, ...]
    bridges: tuple[Bridge, ...]
    veths: tuple[Veth, ...]
    addresses: tuple[Address, ...]
    routes: tuple[Route, ...]
    rules: tuple[SourceRule, ...]
    neighbours: tuple[Neighbour, ...]
    forwarding: tuple[Forwarding, ...]
    streams: tuple[Stream, ...]
    notes: tuple[str, ...]

    def interface_of(self, namespace: str, address: IPAddress) -> str:
        """The interface that carries an address in a namespace; KeyError when none does."""
        for item in self.addresses:
            if item.namespace == namespace and item.address.ip == address:
                return item.interface
        raise KeyError(f"{namespace} has no address {address}")


@dataclass(slots=True)
class Draft:
    """A wiring in the making."""

    namespaces: dict[str, Namespace] = field(default_factory=dict)
    bridges: dict[tuple[str, str], Bridge] = field(default_factory=dict)
    veths: list[Veth] = field(default_factory=list)
    addresses: list[Address] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    rules: list[SourceRule] = field(default_factory=list)
    neighbours: list[Neighbour] = field(default_factory=list)
    forwarding: list[Forwarding] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def namespace(self, name: str, role: Role, owner: str, realm: str = "") -> str:
        """Ask for a namespace, once or often; its name."""
        here = self.namespaces.setdefault(name, Namespace(name, role, owner, realm))
        if (here.role, here.owner) != (role, owner):
            raise refuse(
                "two things of one name", f"The lab would need the namespace {name} for {here.owner} and {owner}."
            )
        return name

    def bridge(self, namespace: str, name: str, mac: str | None = None) -> str:
        """Ask for a bridge, once or often; its name."""
        self.bridges.setdefault((namespace, name), Bridge(namespace, name, mac or mac_of(namespace, name)))
        return name

    def wire(self, a: End, b: End) -> None:
        """Lay a wire."""
        self.veths.append(Veth(a, b))

    def address(self, namespace: str, interface: str, address: IPAddress, length: int) -> None:
        """Put an address on an interface."""
        self.addresses.append(Address(namespace, interface, ip_interface(f"{address}/{length}")))

    def finish(self) -> Wiring:
        """The finished value, in the order in which it was asked for. Raises Refused for two interfaces of one name."""
        names = Counter((end.namespace, end.name) for wire in self.veths for end in (wire.a, wire.b))
        for (namespace, name), number in names.items():
            if number > 1:
                detail = f"{namespace} would have {number} interfaces {name}: Linux takes no slash and {IFNAMSIZ} characters "
                raise refuse("two interfaces of one name", detail + "in a name. Rehearse with ports of other names.")
        return Wiring(
            tuple(self.namespaces.values()),
            tuple(self.bridges.values()),
            tuple(self.veths),
            tuple(self.addresses),
            tuple(self.routes),
            tuple(self.rules),
            tuple(self.neighbours),
            tuple(self.forwarding),
            tuple(self.streams),
            tuple(self.notes),
        )


def mac_of(namespace: str, interface: str) -> str:
    """A locally administered unicast MAC made from the names."""
    return "02:" + sha256(f"{namespace}/{interface}".encode()).digest()[:5].hex(":")


def switch_namespace(device: str, realm: str) -> str:
    """The namespace in which a device forwards for a realm."""
    return f"{device}.{realm}"


def nic_namespace(host: str, nic: str) -> str:
    """The namespace that a NIC is, of which a workload takes its packets without the kernel."""
    return f"{host}.{nic}"


def ifname(name: str, place: Place | None = None) -> str:
    """What Linux calls an interface of the inventory or of a device: its own name, or one that Linux takes made of it.

    ``Ethernet1/49`` is ``Ethernet1-49``; what is longer than 15 characters keeps two letters, as vendors shorten their
    own: ``GigabitEthernet1/0/49`` is ``Gi1-0-49``. The same wherever it is asked; that two of a namespace differ
    ``Draft.finish`` sees to. Raises Refused for what has no such name.
    """
    made = name.replace("/", "-").replace(":", "-")
    if len(made) > IFNAMSIZ:
        made = made[:2] + made.lstrip(ascii_letters).lstrip("-")
    if len(made) > IFNAMSIZ or not made.strip(".") or any(c.isspace() for c in made):
        raise refuse(
            "interface name cannot be used in the lab",
            f"{name!r} is longer than the {IFNAMSIZ} characters that Linux takes even when it is shortened to {made!r}, or "
            "has a space in it. Rehearse with a port of a shorter name: all but the lab takes this one.",
            place,
        )
    return made


def prefix_length(address: IPAddress, prefixes: tuple[IPNetwork, ...]) -> int | None:
    """The length of the prefix that holds an address; None when none does."""
    return next((p.prefixlen for p in prefixes if p.version == address.version and address in p), None)


def default_route(version: int) -> IPNetwork:
    """0.0.0.0/0 or ::/0."""
    return ip_interface("0.0.0.0/0" if version == 4 else "::/0").network
