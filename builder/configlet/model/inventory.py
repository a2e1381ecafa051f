"""What the operator wrote, understood: one site's devices, hosts, segments and policy, each with its place."""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

from configlet.model.frozen import dataclass
from configlet.model.net import PORTS, Family, IPAddress, IPNetwork, Span
from configlet.model.problem import Place

Stack = Literal[
    "kernel", "container", "container-bridge", "container-macvlan", "container-ipvlan", "af_packet", "af_xdp", "onload",
    "dpdk", "rdma", "vm", "vm-sriov", "vm-vdpa",
]  # fmt: skip
"""``container`` is behind a veth that the host routes; other attachments have names of their own, as its table is blind."""
Action = Literal["allow", "deny"]
Level = Literal["error", "warning", "ignore"]


@dataclass(frozen=True, slots=True)
class Management:
    """How a device or host is reached: its address, and a reference to credentials (never a secret itself)."""

    address: IPAddress
    credentials: str
    place: Place


@dataclass(frozen=True, slots=True)
class Device:
    """A switch or router. ``addresses`` are its own (loopbacks); links and gateways add more."""

    name: str
    platform: str
    model: str
    role: str
    place: Place
    pair: str | None = None
    managed: bool = True
    addresses: tuple[IPAddress, ...] = ()
    management: Management | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A routed point-to-point link ``a_device/a_port`` to ``b_device/b_port``; addresses alternate a, b, a, b."""

    a_device: str
    a_port: str
    b_device: str
    b_port: str
    realm: str
    name: str | None
    addresses: tuple[IPAddress, ...]
    networks: tuple[IPNetwork, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class External:
    """A network of somebody else, entering at device ports (``border1/Ethernet1``)."""

    name: str
    realm: str
    prefixes: tuple[IPNetwork, ...]
    enters: tuple[tuple[str, str], ...]
    place: Place
    addresses: tuple[IPAddress, ...] = ()
    """Addresses of the entering port itself, towards the external."""


@dataclass(frozen=True, slots=True)
class Gateways:
    """The routed gateways of a segment. ``virtual`` are the gateway addresses; ``filter`` the directions guarded."""

    on: tuple[str, ...]
    mode: Literal["anycast", "vrrp", "single"]
    irb: Literal["symmetric", "asymmetric"]
    filter: tuple[Literal["in", "out"], ...]
    virtual: tuple[IPAddress, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Segment:
    """Addresses that belong together."""

    name: str
    realm: str
    vlan: int | None
    prefixes: tuple[IPNetwork, ...]
    intra: Literal["open", "policy"]
    fragments: Literal["drop", "match"]
    encap: str
    gateways: Gateways | None
    labels: tuple[tuple[str, str], ...]
    depth: tuple[str, ...]
    place: Place
    observed: bool = False
    """``enforcement: observe``: what no rule allows is counted and passes, where both ends observe (DESIGN 5.11)."""


@dataclass(frozen=True, slots=True)
class Multicast:
    """A set of groups, who may send to it and which segments receive it."""

    name: str
    realm: str
    groups: tuple[IPNetwork, ...]
    sources: tuple[str, ...]
    receivers: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Nic:
    """A network card port: its model (a file of ``configlets/nics``) and the device ports it is attached to."""

    name: str
    model: str
    attached: tuple[tuple[str, str], ...]
    place: Place
    filter_table: str = ""
    """The platform of the filter table that configlet keeps in this NIC; "" when it keeps none."""


@dataclass(frozen=True, slots=True)
class Interface:
    """A host interface made of NICs: a bond, or a VLAN on one."""

    name: str
    members: tuple[str, ...]
    mode: str
    vlan: int | None
    place: Place


@dataclass(frozen=True, slots=True)
class Workload:
    """An application at addresses of a host, with its network stack."""

    name: str
    host: str
    addresses: tuple[IPAddress, ...]
    on: tuple[str, ...]
    segment: str
    stack: Stack
    also: tuple[tuple[str, Stack], ...]
    """Services on the same addresses that another stack serves: (service name, stack)."""
    labels: tuple[tuple[str, str], ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Host:
    """A server: its NICs, interfaces, workloads, and the filter platform of its kernel."""

    name: str
    platform: str
    nics: tuple[Nic, ...]
    interfaces: tuple[Interface, ...]
    workloads: tuple[Workload, ...]
    management: Management | None
    managed: bool
    place: Place
    manager: Management | None = None
    """How the manager is reached from which its NICs take their rules; None when they take them on the host."""

    @property
    def filter_tables(self) -> tuple[str, ...]:
        """The platforms of the filter tables in its NICs."""
        return tuple(sorted({nic.filter_table for nic in self.nics if nic.filter_table}))

    def nics_of(self, workload: Workload) -> tuple[Nic, ...]:
        """The NICs that carry a workload's packets, every member of a bond."""
        return tuple(nic for name in workload.on for nic in self._below(name))

    def _below(self, name: str) -> tuple[Nic, ...]:
        made = next((i for i in self.interfaces if i.name == name), None)
        names = (name,) if made is None else made.members
        return tuple(nic for nic in self.nics if nic.name in names)


@dataclass(frozen=True, slots=True)
class Term:
    """One protocol with its ports. ``proto`` None is any. For ICMP ``dport`` is type*256+code (RFC 792, RFC 4443)."""

    proto: int | None
    sport: Span = PORTS
    dport: Span = PORTS
    family: Family | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A named service: its terms."""

    name: str
    terms: tuple[Term, ...]
    place: Place | None


class Selector(NamedTuple):
    """A name (segment, workload, host, external, address set, multicast set, ``any``, ``outside``), a device or link
    where infrastructure is meant, or labels. One that stands in many rules is one object, with the place of the first of
    them."""

    name: str | None
    labels: tuple[tuple[str, str], ...]
    place: Place

    def __str__(self) -> str:
        return self.name or "{" + ", ".join(f"{k}: {v}" for k, v in self.labels) + "}"


class RuleLine(NamedTuple):
    """One rule as written. Made by the ten thousand."""

    name: str
    sources: tuple[Selector, ...]
    destinations: tuple[Selector, ...]
    services: tuple[Service, ...]
    action: Action
    reason: str
    place: Place
    log: bool = False
    owner: str | None = None
    ticket: str | None = None
    expires: date | None = None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A known gap that somebody accepts until a day. ``what``: unguarded, reply-exposure, blindness or observed."""

    what: Literal["unguarded", "reply-exposure", "blindness", "observed"]
    reason: str
    until: date
    place: Place
    gate: str | None = None
    workload: str | None = None
    source: Selector | None = None
    destination: Selector | None = None


@dataclass(frozen=True, slots=True)
class PolicyTest:
    """What the operator expects of the policy."""

    source: Selector
    destination: Selector
    service: Service
    expect: Action
    place: Place


@dataclass(frozen=True, slots=True)
class Wide:
    """Above this an allow is too wide: IPv4 addresses (or IPv6 /64s) at one end, destination ports of one protocol."""

    addresses: int = 65536
    ports: int = 1024


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything of one site. Lists keep the order in which it was written, maps are sorted by name."""

    site: str
    lab_only: bool
    controller: tuple[IPAddress, ...]
    controller_realm: str
    ephemeral: Span
    icmp_errors_from: tuple[Selector, ...]
    failsafe: tuple[RuleLine, ...]
    infrastructure: tuple[RuleLine, ...]
    externals: tuple[External, ...]
    devices: tuple[Device, ...]
    links: tuple[Link, ...]
    segments: tuple[Segment, ...]
    multicast: tuple[Multicast, ...]
    hosts: tuple[Host, ...]
    addresses: tuple[tuple[str, tuple[tuple[Family, Span], ...], Place], ...]
    """Named sets, each with the first and last address of its prefixes."""
    services: tuple[Service, ...]
    policy: tuple[RuleLine, ...]
    accept: tuple[Acceptance, ...]
    tests: tuple[PolicyTest, ...]
    digest: str
    """sha256 over the canonical content, so that plans can name their input; empty where it was read to be looked at."""
    severity: tuple[tuple[str, Level], ...] = ()
    """What the operator chose for a kind of finding of the analysis; `level` answers for those that are not here."""
    wide: Wide = Wide()

    def level(self, finding: str) -> Level:
        """How severe a kind of finding is in this site: a warning unless it was said."""
        return dict(self.severity).get(finding, "warning")

    @property
    def workloads(self) -> tuple[Workload, ...]:
        """All workloads of all hosts."""
        return tuple([w for host in self.hosts for w in host.workloads])
