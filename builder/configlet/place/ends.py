"""Where packets begin and end: workloads, segments and externals as classes that meet the same gates."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence

from configlet.model.frozen import dataclass
from configlet.model.inventory import Device, External, Host, Inventory, Segment, Workload
from configlet.model.net import Family, Span, Spans, family_of, merge, span_of, subtract

Inside = Mapping[str, Sequence[tuple[Workload, Mapping[int, Sequence[Span]]]]]
"""The workloads of each segment, each with its addresses of an IP version."""


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


def workloads_of(inventory: Inventory) -> Inside:
    """The workloads of each segment, and what addresses each has of a family."""
    inside: dict[str, list[tuple[Workload, dict[int, list[Span]]]]] = {}
    for host in inventory.hosts:
        for workload in host.workloads:
            spans: dict[int, list[Span]] = {}
            for address in workload.addresses:
                value = int(address)
                spans.setdefault(address.version, []).append((value, value))
            inside.setdefault(workload.segment, []).append((workload, spans))
    return inside


def ends_of(
    inventory: Inventory,
    realm: str,
    family: Family,
    wanted: Callable[[Workload], bool] = _any,
    inside: Inside | None = None,
) -> tuple[End, ...]:
    """All ends of a realm and family: each workload that is ``wanted``, each segment's rest, each external. ``inside``: the
    workloads of the inventory, where they are known."""
    out: list[End] = []
    inside = workloads_of(inventory) if inside is None else inside
    managed = _management(inventory, realm, family)
    for segment in inventory.segments:
        if segment.realm == realm:
            out += _segment_ends(segment, family, inside.get(segment.name, ()), wanted, managed)
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
        if way and way.address.version == family and wanted(one.name):
            at = int(way.address)
            thing = next((t for (low, high), t in near if low <= at <= high), None)
            segment = thing if isinstance(thing, Segment) else None
            external = thing if isinstance(thing, External) else None
            out.append(End(realm, family, ((at, at),), segment, external, None, one.name))
    return tuple(out)


def _segment_ends(
    segment: Segment,
    family: Family,
    inside: Iterable[tuple[Workload, Mapping[int, Sequence[Span]]]],
    wanted: Callable[[Workload], bool],
    managed: list[Span],
) -> list[End]:
    out: list[End] = []
    prefixes = [span_of(n) for n in segment.prefixes if family_of(n) == family]
    taken = [one for low, high in prefixes for one in managed[bisect_left(managed, (low,)) : bisect_left(managed, (high + 1,))]]
    for workload, of in inside:
        spans = of.get(family, ())
        taken += spans
        if spans and wanted(workload):
            out.append(End(segment.realm, family, merge(spans), segment, None, workload))
    rest = subtract(prefixes, taken)
    if rest:
        out.append(End(segment.realm, family, rest, segment, None, None))
    return out


def _management(inventory: Inventory, realm: str, family: Family) -> list[Span]:
    """The management addresses of a realm, in order."""
    if realm != inventory.controller_realm:
        return []
    ways = [h.management for h in inventory.hosts] + [d.management for d in inventory.devices]
    found = sorted([int(way.address) for way in ways if way and way.address.version == family])
    return [(value, value) for value in found]
