"""Names that nothing uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from operator import attrgetter, itemgetter
from typing import Any

from configlet.model.inventory import Inventory, RuleLine, Segment, Selector
from configlet.model.problem import Place

_SOURCES, _DESTINATIONS, _SERVICES = map(RuleLine._fields.index, ("sources", "destinations", "services"))
_NAME = attrgetter("name")
_SOME = 4096
"""So many names are looked at before it is asked whether any is left that nobody has said: most are said early."""
Unused = tuple[str, Place, str]
"""Its name, its place, and what is wrong with it."""


def unused(inventory: Inventory) -> Iterator[Unused]:
    """Address sets, services, segments, externals and multicast sets that no rule uses, and nothing else speaks of.

    A segment is used by its name, its labels, a workload or host of it, as a receiver, by being open inside, and as the
    place of the controller or of what is managed. ``outside`` uses every segment and external, as it is what they leave;
    ``any`` uses no name.
    """
    said, labels = _said(inventory)
    idle = _idle(inventory)
    yield from (_plain("address set", name, place) for name, _, place in inventory.addresses if name not in said)
    for service in inventory.services:
        if service.name in idle and service.place:
            yield _plain("service", service.name, service.place)
    if "outside" not in said:
        silent = [segment for segment in inventory.segments if segment.name not in said and segment.intra != "open"]
        used = _segments(inventory, said, labels) if silent else set()
        crowds = Counter(workload.segment for workload in inventory.workloads) if silent else {}
        for segment in silent:
            if segment.name not in used and not _manages(inventory, segment):
                yield _segment(segment, crowds.get(segment.name, 0))
        yield from (_plain("external", one.name, one.place) for one in inventory.externals if one.name not in said)
    yield from (_plain("multicast set", one.name, one.place) for one in inventory.multicast if one.name not in said)


def _plain(what: str, name: str, place: Place) -> Unused:
    return name, place, f"No rule uses this {what}, and nothing else speaks of it. Remove it, or use it."


def _segment(segment: Segment, workloads: int) -> Unused:
    if not workloads:
        return _plain("segment", segment.name, segment.place)
    those = "its workload" if workloads == 1 else f"its {workloads} workloads"
    says = f"No rule names this segment, its labels or {those}: only rules of `any` and whole prefixes meet them. "
    return segment.name, segment.place, says + "Name it in a rule, or remove it with them."


def _manages(inventory: Inventory, segment: Segment) -> bool:
    """Whether the controller or something that is managed has an address in the segment."""
    if segment.realm != inventory.controller_realm:
        return False
    managed = [*(device.management for device in inventory.devices), *(host.management for host in inventory.hosts)]
    here = [*inventory.controller, *(one.address for one in managed if one)]
    return any(address.version == net.version and address in net for net in segment.prefixes for address in here)


def _column(inventory: Inventory, column: int) -> Iterator[tuple[Any, ...]]:
    """What stands in a column of all rules."""
    return map(itemgetter(column), chain(inventory.failsafe, inventory.infrastructure, inventory.policy))


def _distinct(lists: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
    """What is in some lists, each of which counts once: most rules have the ends of others, as one object."""
    said = list(lists)
    return chain.from_iterable(dict(zip(map(id, said), said, strict=True)).values())


def _said(inventory: Inventory) -> tuple[set[str], list[set[tuple[str, str]]]]:
    """Every name that is said somewhere, and every set of labels."""
    selectors: list[Selector | None] = [
        s for column in (_SOURCES, _DESTINATIONS) for s in _distinct(_column(inventory, column))
    ]  # fmt: skip
    selectors += inventory.icmp_errors_from
    selectors += [end for test in inventory.tests for end in (test.source, test.destination)]
    selectors += [end for accepted in inventory.accept for end in (accepted.source, accepted.destination)]
    names = {each.name for each in selectors if each and each.name}
    names |= {accepted.workload for accepted in inventory.accept if accepted.workload}
    names |= {name for group in inventory.multicast for name in (*group.sources, *group.receivers)}
    distinct = dict.fromkeys(each.labels for each in selectors if each and each.name is None)
    return names, [set(labels) for labels in distinct]


def _idle(inventory: Inventory) -> set[str]:
    """The services with a place that nothing asks for."""
    names = {service.name for service in inventory.services if service.place}
    asked = map(_NAME, chain.from_iterable(_column(inventory, _SERVICES)))
    while names and (some := [*islice(asked, _SOME)]):
        names.difference_update(some)
    if names:
        names.difference_update([test.service.name for test in inventory.tests])
        names.difference_update([name for workload in inventory.workloads for name, _ in workload.also])
    return names


def _segments(inventory: Inventory, said: set[str], labels: list[set[tuple[str, str]]]) -> set[str]:
    """Segments that are used by their labels, or through a workload or host."""
    own = {segment.name: dict(segment.labels) for segment in inventory.segments}
    used = {name for name, having in own.items() if any(wanted <= set(having.items()) for wanted in labels)}
    for host in inventory.hosts:
        for workload in host.workloads:
            having = {**own[workload.segment], **dict(workload.labels)}.items()
            if host.name in said or workload.name in said or any(wanted <= set(having) for wanted in labels):
                used.add(workload.segment)
    return used
