"""Where packets begin and end: workloads, segments and externals as classes that meet the same gates."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from configlet.model.frozen import dataclass
from configlet.model.inventory import Device, External, Host, Inventory, Segment, Workload
from configlet.model.net import Family, Spans, family_of, merge, span_of, subtract


@dataclass(frozen=True, slots=True)
class End:
    """One end of a flow: addresses of one realm and family, and what stands there.

    An end without workload is a segment's unlisted rest, an external, or the way to what it ``manages``.
    """

    realm: str
    family: Family
    spans: Spans
    segment: Segment | None
    external: External | None
    workload: Workload | None
    manages: str = ""
    """The host or device whose management this is."""

    @property
    def name(self) -> str:
        """How people call it."""
        if self.manages:
            return f"management of {self.manages}"
        thing = self.workload or self.segment or self.external
        return thing.name if thing else "outside"

    @property
    def place(self) -> str:
        """The segment or external that it is in."""
        return (self.segment or self.external).name if self.segment or self.external else "outside"  # type: ignore[union-attr]


def _any(_: object) -> bool:
    return True


def ends_of(
    inventory: Inventory, realm: str, family: Family, wanted: Callable[[Workload], bool] = _any
) -> tuple[End, ...]:
    """All ends of a realm and family: each workload that is ``wanted``, each segment's rest, each external."""
    out: list[End] = []
    inside: dict[str, list[Workload]] = {}
    for host in inventory.hosts:
        for workload in host.workloads:
            inside.setdefault(workload.segment, []).append(workload)
    for segment in inventory.segments:
        if segment.realm == realm:
            out += _segment_ends(inventory, segment, family, inside.get(segment.name, ()), wanted)
    for external in inventory.externals:
        if external.realm == realm:
            spans = merge(span_of(n) for n in external.prefixes if family_of(n) == family)
            if spans:
                out.append(End(realm, family, spans, None, external, None))
    return tuple(out)


def managements_of(
    inventory: Inventory, realm: str, family: Family, wanted: Callable[[str], bool] = _any
) -> tuple[End, ...]:
    """The management of every host and device that is ``wanted``, each in the segment or external that has its address."""
    if realm != inventory.controller_realm:
        return ()
    things: list[Segment | External] = [*inventory.segments, *inventory.externals]
    near = [(span_of(n), t) for t in things if t.realm == realm for n in t.prefixes if family_of(n) == family]
    out: list[End] = []
    owners: list[Host | Device] = [*inventory.hosts, *inventory.devices]
    for one in owners:
        way = one.management
        if way and family_of(way.address) == family and wanted(one.name):
            at = int(way.address)
            thing = next((t for (low, high), t in near if low <= at <= high), None)
            segment = thing if isinstance(thing, Segment) else None
            external = thing if isinstance(thing, External) else None
            out.append(End(realm, family, ((at, at),), segment, external, None, one.name))
    return tuple(out)


def _segment_ends(
    inventory: Inventory, segment: Segment, family: Family, inside: Iterable[Workload], wanted: Callable[[Workload], bool]
) -> list[End]:
    out: list[End] = []
    taken = _management(inventory, segment, family)
    for workload in inside:
        spans = [(int(a),) * 2 for a in workload.addresses if family_of(a) == family]
        taken += spans
        if spans and wanted(workload):
            out.append(End(segment.realm, family, merge(spans), segment, None, workload))
    rest = subtract([span_of(n) for n in segment.prefixes if family_of(n) == family], taken)
    if rest:
        out.append(End(segment.realm, family, rest, segment, None, None))
    return out


def _management(inventory: Inventory, segment: Segment, family: Family) -> list[tuple[int, int]]:
    if segment.realm != inventory.controller_realm:
        return []
    ways = [h.management for h in inventory.hosts] + [d.management for d in inventory.devices]
    found = [way.address for way in ways if way]
    return [(int(a), int(a)) for a in found if family_of(a) == family]
