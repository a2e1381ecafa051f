"""Names: what exists, one name for one thing, and nothing that speaks of what does not exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

from configlet.model.inventory import Inventory, RuleLine, Selector
from configlet.model.problem import Place, Problem
from configlet.workspace import services
from configlet.workspace.document import Document, Path
from configlet.workspace.suggest import did_you_mean

BUILTIN = ("any", "outside", "controller")
_PLAIN = ("segments", "externals", "addresses", "multicast", "hosts", "devices", "services")
_SELECTABLE = ("segments", "workloads", "hosts", "externals", "addresses", "multicast")
_OWN = ("devices", "links")
_WORD = {
    "segments": "segment",
    "externals": "external",
    "addresses": "address set",
    "multicast": "multicast set",
    "hosts": "host",
    "workloads": "workload",
    "devices": "device",
    "links": "link name",
    "services": "service",
}
_SOURCES, _DESTINATIONS, _SERVICES = (attrgetter(name) for name in ("sources", "destinations", "services"))
_TERMS = attrgetter("terms")
Names = Mapping[str, Mapping[str, Path]]


class Site(NamedTuple):
    """What the checks look at: the inventory, the document it was built from, and every name that was written."""

    inventory: Inventory
    document: Document
    names: Names

    def place(self, *path: str | int) -> Place:
        """Where the value at a path begins."""
        return self.document.node(path).value_place

    def key_place(self, *path: str | int) -> Place:
        """Where what stands at a path begins: its key, in a map."""
        return self.document.node(path).place


def written(document: Document, inventory: Inventory | None) -> tuple[Names, tuple[Problem, ...]]:
    """Every name of the document by kind, each with its path, and the names that stand for two things. ``inventory`` is
    what all of the document became, where nothing of it is wrong."""
    names: dict[str, dict[str, Path]] = {kind: {name: (kind, name) for name in document.names(kind)} for kind in _PLAIN}
    works: dict[str, Path] = {}
    problems: list[Problem] = []
    hosts = names["hosts"]
    if inventory:
        every = inventory.workloads
        works = {work.name: ("hosts", work.host, "workloads", work.name) for work in every}
        sure = len(works) == len(every) and all(works[name][1] == name for name in works.keys() & hosts.keys())
    if not inventory or not sure:
        works, problems = _works(document, hosts)
    links: dict[str, Path] = {}
    for link, value in _map(document, "links").items():
        named = value.get("name") if isinstance(value, dict) else None
        if isinstance(named, str):
            links.setdefault(named, ("links", link, "name"))
    names.update(workloads=works, links=links)
    return names, (*problems, *_collisions(document, names))


def _works(document: Document, hosts: Mapping[str, Path]) -> tuple[dict[str, Path], list[Problem]]:
    works: dict[str, Path] = {}
    problems: list[Problem] = []
    for host, value in _map(document, "hosts").items():
        for name in _map(value, "workloads"):
            path = ("hosts", host, "workloads", name)
            first = works.setdefault(name, path)
            other = hosts.get(name) if name != host else None
            if first is not path or other:
                problems.append(_twice(name, document.node(path).place, document.node(other or first).place))
    return works, problems


def _map(value: Any, key: str) -> dict[str, Any]:
    inner = value.get(key) if isinstance(value, (dict, Document)) else None
    return inner if isinstance(inner, dict) else {}


def _twice(name: str, place: Place, first: Place) -> Problem:
    detail = f"`{name}` already names something else, so that a rule could mean either. Rename one."
    return Problem("Name used twice", detail, place, (first,))


def _collisions(document: Document, names: Names) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for kind in (*_SELECTABLE, *_OWN):
        for name in BUILTIN:
            if name in names[kind]:
                detail = f"`{name}` has a meaning of its own. Choose another name."
                yield Problem("Reserved name", detail, _named_at(document, names, kind, name))
        if seen.keys().isdisjoint(names[kind]):
            seen.update(dict.fromkeys(names[kind], kind))
        else:
            yield from _colliding(document, names, kind, seen)
    for name in (*services.PROTOCOLS, "any"):
        if name in names["services"]:
            place = document.node(("services", name)).place
            yield Problem("Reserved name", f"`{name}` has a meaning of its own. Rename it.", place)


def _colliding(document: Document, names: Names, kind: str, seen: dict[str, str]) -> Iterator[Problem]:
    for name in names[kind]:
        before = seen.setdefault(name, kind)
        if before != kind and {before, kind} != {"hosts", "workloads"}:
            places = (_named_at(document, names, each, name) for each in (kind, before))
            yield _twice(name, *sorted(places, reverse=True))


def _named_at(document: Document, names: Names, kind: str, name: str) -> Place:
    node = document.node(names[kind][name])
    return node.value_place if kind == "links" else node.place


def unknown(kind: str, name: str, place: Place, known: Iterable[str]) -> Problem:
    """The complaint about a name that nothing has."""
    detail = f"There is no {kind} `{name}` in this site.{did_you_mean(name, known)}"
    return Problem(f"Unknown {kind}", detail, place)


def check(site: Site, nic_models: frozenset[str] | None) -> Iterator[Problem]:
    """Everything that is named and does not exist."""
    yield from _fabric(site)
    yield from _hosts(site, nic_models)
    yield from _groups(site)
    yield from _realms(site)
    labels = _label_sets(site.inventory)
    known = {"any", "outside"}.union(*(site.names[kind] for kind in _SELECTABLE))
    for selector, own, path in _selectors(site.inventory, known):
        yield from _selector(site, selector, own, labels, path)
    yield from _services(site)
    yield from _acceptances(site)


def _want(site: Site, kind: str, name: str, *path: str | int) -> Iterator[Problem]:
    if name not in site.names[kind]:
        yield unknown(_WORD[kind], name, site.place(*path), site.names[kind])


def _fabric(site: Site) -> Iterator[Problem]:
    for device in site.inventory.devices:
        if device.pair:
            yield from _want(site, "devices", device.pair, "devices", device.name, "pair")
    devices = site.names["devices"]
    for link in site.inventory.links:
        name = f"{link.a_device}/{link.a_port}"
        if link.a_device not in devices:
            yield unknown("device", link.a_device, site.key_place("links", name), devices)
        if link.b_device not in devices:
            yield unknown("device", link.b_device, site.place("links", name, "to"), devices)
    for external in site.inventory.externals:
        for i, (entered, _) in enumerate(external.enters):
            yield from _want(site, "devices", entered, "externals", external.name, "enters", i)
    for segment in site.inventory.segments:
        for i, gateway in enumerate(segment.gateways.on if segment.gateways else ()):
            yield from _want(site, "devices", gateway, "segments", segment.name, "gateways", "on", i)


def _hosts(site: Site, nic_models: frozenset[str] | None) -> Iterator[Problem]:
    devices, segments, named = site.names["devices"], site.names["segments"], site.names["services"]
    for host in site.inventory.hosts:
        at = ("hosts", host.name)
        for nic in host.nics:
            if nic_models is not None and nic.model not in nic_models:
                yield unknown("NIC model", nic.model, site.place(*at, "nics", nic.name, "model"), nic_models)
            for i, (device, _) in enumerate(nic.attached):
                if device not in devices:
                    yield unknown("device", device, site.place(*at, "nics", nic.name, "attached", i), devices)
        nics = {nic.name for nic in host.nics}
        for one in host.interfaces:
            for i, member in enumerate(one.members):
                if member not in nics:
                    yield unknown("NIC", member, site.place(*at, "interfaces", one.name, "members", i), nics)
        carriers = nics | {one.name for one in host.interfaces} if host.interfaces else nics
        for work in host.workloads:
            if work.segment not in segments:
                yield unknown("segment", work.segment, site.place(*at, "workloads", work.name, "segment"), segments)
            if not carriers.issuperset(work.on):
                for i, name in enumerate(work.on):
                    if name not in carriers:
                        yield unknown("interface", name, site.place(*at, "workloads", work.name, "on", i), carriers)
            for name, _ in work.also:
                if name not in named and not services.is_literal(name):
                    yield unknown("service", name, site.key_place(*at, "workloads", work.name, "also", name), named)


def _groups(site: Site) -> Iterator[Problem]:
    senders = ("segments", "workloads", "hosts", "externals")
    known = {name: None for kind in senders for name in site.names[kind]}
    for group in site.inventory.multicast:
        for i, name in enumerate(group.sources):
            if name not in known:
                yield unknown("source", name, site.place("multicast", group.name, "sources", i), known)
        for i, name in enumerate(group.receivers):
            yield from _want(site, "segments", name, "multicast", group.name, "receivers", i)


def _realms(site: Site) -> Iterator[Problem]:
    """A realm that no segment is in is most often misspelt, and would be an address space of its own."""
    of_segment = {segment.name: segment.realm for segment in site.inventory.segments}
    realms = set(of_segment.values())
    senders = _senders(site.inventory, of_segment) if site.inventory.multicast else {}
    for external in site.inventory.externals:
        if external.realm not in realms:
            yield unknown("realm", external.realm, site.place("externals", external.name, "realm"), realms)
    for link in site.inventory.links:
        if link.realm and link.realm not in realms:
            place = site.place("links", f"{link.a_device}/{link.a_port}", "realm")
            yield unknown("realm", link.realm, place, realms)
    for group in site.inventory.multicast:
        for i, name in enumerate(group.receivers):
            if of_segment.get(name, group.realm) != group.realm:
                detail = (
                    f"{name} is in realm {of_segment[name]}, other receivers in {group.realm}; make a set for each."
                )
                yield Problem(
                    "Receivers in several realms", detail, site.place("multicast", group.name, "receivers", i)
                )
        for i, name in enumerate(group.sources):
            there = senders.get(name, {group.realm})
            if group.realm and group.realm not in there and there <= realms:
                detail = (
                    f"{name} is in realm {sorted(there)[0]} and the receivers in {group.realm}; what it sends stays in its "
                    "own realm. Name a sender there, or correct the realm."
                )
                yield Problem("Sender in another realm", detail, site.place("multicast", group.name, "sources", i))


def _senders(inventory: Inventory, of_segment: Mapping[str, str]) -> dict[str, set[str]]:
    """The realms in which whoever may send to a group has addresses."""
    found = {name: {realm} for name, realm in of_segment.items()}
    found |= {external.name: {external.realm} for external in inventory.externals}
    for work in inventory.workloads:
        for name in {work.name, work.host}:
            found.setdefault(name, set()).add(of_segment.get(work.segment, ""))
    return found


def _label_sets(inventory: Inventory) -> list[frozenset[tuple[str, str]]]:
    of_segment = {segment.name: dict(segment.labels) for segment in inventory.segments}
    kinds = {(work.segment, work.labels) for work in inventory.workloads}
    of_work = [{**of_segment.get(segment, {}), **dict(labels)} for segment, labels in kinds]
    return list({frozenset(labels.items()) for labels in (*of_segment.values(), *of_work)})


def _selectors(inventory: Inventory, known: set[str]) -> Iterator[tuple[Selector, bool, Path]]:
    """Every selector with no known name, whether it may speak of infrastructure, and where it stands."""
    for key, own in (("failsafe", True), ("infrastructure", True), ("policy", False)):
        rules: tuple[RuleLine, ...] = getattr(inventory, key)
        lists = [*map(_SOURCES, rules), *map(_DESTINATIONS, rules)]
        if known.issuperset([each.name for ends in dict(zip(map(id, lists), lists, strict=True)).values() for each in ends]):
            continue
        for i, rule in enumerate(rules):
            for side, ends in (("from", rule.sources), ("to", rule.destinations)):
                for j, each in enumerate(ends):
                    if each.name not in known:
                        yield each, own, (key, i, side, j)
    for j, each in enumerate(inventory.icmp_errors_from):
        yield each, True, ("site", "icmp_errors_from", j)
    for i, test in enumerate(inventory.tests):
        yield test.source, False, ("tests", i, "from")
        yield test.destination, False, ("tests", i, "to")
    for i, accepted in enumerate(inventory.accept):
        for side, end in (("from", accepted.source), ("to", accepted.destination)):
            if end is not None:
                yield end, True, ("accept", i, side)


def _selector(
    site: Site, one: Selector, own: bool, labels: list[frozenset[tuple[str, str]]], path: Path
) -> Iterator[Problem]:
    if one.name is None:
        if not any(labels_of >= set(one.labels) for labels_of in labels):
            known = sorted({f"{key}: {value}" for labels_of in labels for key, value in labels_of})
            guess = did_you_mean(", ".join(f"{key}: {value}" for key, value in one.labels), known)
            detail = f"No segment and no workload has the labels {one}, so the rule would select nothing.{guess}"
            yield Problem("Unknown label", detail, site.key_place(*path))
        return
    infra = one.name == "controller" or any(one.name in site.names[kind] for kind in _OWN)
    if ":" in one.name:
        detail = (
            f"`{one.name}` is of another site; rules across sites are not built yet. Use an external or address set."
        )
        yield Problem("Another site", detail, site.place(*path))
    elif any(one.name in site.names[kind] for kind in _SELECTABLE) or one.name in ("any", "outside"):
        return
    elif infra and not own:
        detail = f"`{one.name}` is infrastructure: only `failsafe` and `infrastructure` rules may name it. Move the rule there."
        yield Problem("Infrastructure in the policy", detail, site.place(*path))
    elif not infra:
        kinds = (*_SELECTABLE, *_OWN) if own else _SELECTABLE
        known = [*BUILTIN[: 3 if own else 2], *(name for kind in kinds for name in site.names[kind])]
        yield unknown("name", one.name, site.place(*path), known)


def _services(site: Site) -> Iterator[Problem]:
    known = site.names["services"]
    for key in ("failsafe", "infrastructure", "policy"):
        rules: tuple[RuleLine, ...] = getattr(site.inventory, key)
        if all(map(_TERMS, chain.from_iterable(map(_SERVICES, rules)))):
            continue  # a name that nothing has means nothing
        for i, rule in enumerate(rules):
            for j, service in enumerate(rule.services):
                if service.name not in known:
                    yield from _service(site, service.name, key, i, "service", j)
    for i, test in enumerate(site.inventory.tests):
        yield from _service(site, test.service.name, "tests", i, "service")


def _is_term(name: str) -> bool:
    return name == "any" or services.is_literal(name)


def _service(site: Site, name: str, *path: str | int) -> Iterator[Problem]:
    if not _is_term(name):
        yield from _want(site, "services", name, *path)


def _acceptances(site: Site) -> Iterator[Problem]:
    owners = {**site.names["devices"], **site.names["hosts"]}
    for i, accepted in enumerate(site.inventory.accept):
        if accepted.workload:
            yield from _want(site, "workloads", accepted.workload, "accept", i, "workload")
        owner = accepted.gate.partition("/")[0] if accepted.gate else None
        if owner and owner not in owners:
            yield unknown("device or host", owner, site.place("accept", i, "gate"), owners)
