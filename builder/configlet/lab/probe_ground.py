"""What gate probes stand on: the site, its wire, where frames can be put in, and who is where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from configlet.lab.probe_law import Law, Region
from configlet.lab.probe_members import Member
from configlet.lab.topology_values import End, Wiring
from configlet.model.inventory import External, Inventory, Segment
from configlet.model.net import Family, family_of, merge, span_of


@dataclass(frozen=True, slots=True)
class Ground:
    """The site and the lab's wire. ``members`` are workloads and externals' routers."""

    inventory: Inventory
    wiring: Wiring
    members: tuple[Member, ...]
    laws: Callable[[str, Family], Law]

    def spots(self, realm: str) -> Iterator[Segment | External]:
        """The segments and externals of a realm that packets are routed between."""
        yield from (s for s in self.inventory.segments if s.realm == realm and s.gateways)
        yield from (e for e in self.inventory.externals if e.realm == realm)

    def region(self, things: Iterable[Segment | External], family: Family) -> Region:
        """The addresses of some segments and externals."""
        chosen = tuple(things)
        names = {thing.name for thing in chosen}
        found = (m.address(family) for m in self.members if m.spot in names)
        spans = merge(span_of(n) for thing in chosen for n in thing.prefixes if family_of(n) == family)
        return Region(spans, tuple(a for a in found if a is not None))

    def serves(self, device: str, thing: Segment | External) -> bool:
        """Whether a device has an interface of its own in a segment or external."""
        if isinstance(thing, External):
            return any(name == device for name, _ in thing.enters)
        return thing.gateways is not None and device in thing.gateways.on

    def fragments_pass(self, thing: Segment | External) -> bool:
        """Whether fragments may pass the interface towards a segment or external."""
        judged = (
            [thing] if isinstance(thing, Segment) else [s for s in self.inventory.segments if s.realm == thing.realm]
        )
        return any(s.fragments == "match" for s in judged)

    def outer_ends(self, namespace: str, bridge: str | None, port: str | None = None) -> Iterator[tuple[End, End]]:
        """Wires that end in a namespace on a bridge (or, without one, on a routed port): (far end, near end), both up."""
        for wire in self.wiring.veths:
            for near, far in ((wire.a, wire.b), (wire.b, wire.a)):
                if near.namespace == namespace and near.bridge == bridge and port in (None, near.name):
                    if near.up and far.up:
                        yield far, near

    def switches(self) -> frozenset[str]:
        """The namespaces that forward."""
        return frozenset(n.name for n in self.wiring.namespaces if n.role == "switch")
