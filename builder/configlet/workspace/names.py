"""Names: what exists, one name for one thing, and nothing that speaks of what does not exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from configlet.model.inventory import Inventory, Selector
from configlet.model.problem import Place, Problem
from configlet.workspace import services
from configlet.workspace.strict import Node
from configlet.workspace.suggest import did_you_mean
from configlet.workspace.validate import node_at

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
Names = dict[str, dict[str, Place]]


class Site(NamedTuple):
    """What the checks look at: the inventory, the document it was built from, and every name that was written."""

    inventory: Inventory
    root: Node
    names: Names

    def place(self, *path: str | int) -> Place:
        """Where the value at a path begins."""
        return node_at(self.root, path).value_place


def written(root: Node) -> tuple[Names, tuple[Problem, ...]]:
    """Every name of the document by kind, and the names that stand for two things."""
    names: Names = {kind: {name: node.place for name, node in _members(root, kind)} for kind in _PLAIN}
    names["workloads"], names["links"] = {}, {}
    problems: list[Problem] = []
    for host, node in _members(root, "hosts"):
        for name, workload in _members(node, "workloads"):
            first = names["workloads"].setdefault(name, workload.place)
            other = names["hosts"].get(name) if name != host else None
            if first != workload.place or other:
                problems.append(_twice(name, workload.place, other or first))
    for _, node in _members(root, "links"):
        named = node.members.get("name") if isinstance(node.members, dict) else None
        if named is not None and isinstance(named.value, str):
            names["links"].setdefault(named.value, named.value_place)
    return names, (*problems, *_collisions(names))


def _members(node: Node, key: str) -> list[tuple[str, Node]]:
    inner = node.members.get(key) if isinstance(node.members, dict) else None
    return list(inner.members.items()) if inner is not None and isinstance(inner.members, dict) else []


def _twice(name: str, place: Place, first: Place) -> Problem:
    detail = f"`{name}` already names something else, so that a rule could mean either. Rename one."
    return Problem("Name used twice", detail, place, (first,))


def _collisions(names: Names) -> Iterator[Problem]:
    seen: dict[str, tuple[str, Place]] = {}
    for kind in (*_SELECTABLE, *_OWN):
        for name, place in names[kind].items():
            if name in BUILTIN:
                detail = f"`{name}` has a meaning of its own. Choose another name."
                yield Problem("Reserved name", detail, place)
            before = seen.setdefault(name, (kind, place))
            if before[0] != kind and {before[0], kind} != {"hosts", "workloads"}:
                yield _twice(name, *sorted((place, before[1]), reverse=True))
    for name in (*services.PROTOCOLS, "any"):
        if name in names["services"]:
            yield Problem("Reserved name", f"`{name}` has a meaning of its own. Rename it.", names["services"][name])


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
    for selector, own in _selectors(site.inventory):
        yield from _selector(site, selector, own, labels)
    yield from _services(site)
    yield from _acceptances(site)


def _want(site: Site, kind: str, name: str, *path: str | int) -> Iterator[Problem]:
    if name not in site.names[kind]:
        yield unknown(_WORD[kind], name, site.place(*path), site.names[kind])


def _want_device(site: Site, port: str, place: Place) -> Iterator[Problem]:
    device = port.partition("/")[0]
    if device not in site.names["devices"]:
        yield unknown("device", device, place, site.names["devices"])


def _fabric(site: Site) -> Iterator[Problem]:
    for device in site.inventory.devices:
        if device.pair:
            yield from _want(site, "devices", device.pair, "devices", device.name, "pair")
    for name, node in _members(site.root, "links"):
        yield from _want_device(site, name, node.place)
        yield from _want_device(site, node.value["to"], node_at(node, ("to",)).value_place)
    for external in site.inventory.externals:
        for i, (entered, _) in enumerate(external.enters):
            yield from _want(site, "devices", entered, "externals", external.name, "enters", i)
    for segment in site.inventory.segments:
        for i, gateway in enumerate(segment.gateways.on if segment.gateways else ()):
            yield from _want(site, "devices", gateway, "segments", segment.name, "gateways", "on", i)


def _hosts(site: Site, nic_models: frozenset[str] | None) -> Iterator[Problem]:
    for host in site.inventory.hosts:
        at = ("hosts", host.name)
        for nic in host.nics:
            if nic_models is not None and nic.model not in nic_models:
                yield unknown("NIC model", nic.model, site.place(*at, "nics", nic.name, "model"), nic_models)
            for i, (device, _) in enumerate(nic.attached):
                yield from _want(site, "devices", device, *at, "nics", nic.name, "attached", i)
        nics = {nic.name for nic in host.nics}
        for one in host.interfaces:
            for i, member in enumerate(one.members):
                if member not in nics:
                    yield unknown("NIC", member, site.place(*at, "interfaces", one.name, "members", i), nics)
        carriers = nics | {one.name for one in host.interfaces}
        for work in host.workloads:
            inside = (*at, "workloads", work.name)
            yield from _want(site, "segments", work.segment, *inside, "segment")
            for i, name in enumerate(work.on):
                if name not in carriers:
                    yield unknown("interface", name, site.place(*inside, "on", i), carriers)
            for name, _ in work.also:
                if name not in site.names["services"] and not services.is_literal(name):
                    place = node_at(site.root, (*inside, "also", name)).place
                    yield unknown("service", name, place, site.names["services"])


def _groups(site: Site) -> Iterator[Problem]:
    senders = ("segments", "workloads", "hosts", "externals")
    known = [name for kind in senders for name in site.names[kind]]
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


def _label_sets(inventory: Inventory) -> list[frozenset[tuple[str, str]]]:
    of_segment = {segment.name: dict(segment.labels) for segment in inventory.segments}
    of_work = [{**of_segment.get(work.segment, {}), **dict(work.labels)} for work in inventory.workloads]
    return [frozenset(labels.items()) for labels in (*of_segment.values(), *of_work)]


def _selectors(inventory: Inventory) -> Iterator[tuple[Selector, bool]]:
    """Every selector, and whether it may speak of infrastructure."""
    for rules, own in ((inventory.failsafe, True), (inventory.infrastructure, True), (inventory.policy, False)):
        for rule in rules:
            for each in (*rule.sources, *rule.destinations):
                yield each, own
    for each in inventory.icmp_errors_from:
        yield each, True
    for test in inventory.tests:
        yield test.source, False
        yield test.destination, False
    for accepted in inventory.accept:
        yield from ((each, True) for each in (accepted.source, accepted.destination) if each is not None)


def _selector(site: Site, one: Selector, own: bool, labels: list[frozenset[tuple[str, str]]]) -> Iterator[Problem]:
    if one.name is None:
        if not any(labels_of >= set(one.labels) for labels_of in labels):
            known = sorted({f"{key}: {value}" for labels_of in labels for key, value in labels_of})
            guess = did_you_mean(", ".join(f"{key}: {value}" for key, value in one.labels), known)
            detail = f"No segment and no workload has the labels {one}, so the rule would select nothing.{guess}"
            yield Problem("Unknown label", detail, one.place)
        return
    infra = one.name == "controller" or any(one.name in site.names[kind] for kind in _OWN)
    if ":" in one.name:
        detail = (
            f"`{one.name}` is of another site; rules across sites are not built yet. Use an external or address set."
        )
        yield Problem("Another site", detail, one.place)
    elif any(one.name in site.names[kind] for kind in _SELECTABLE) or one.name in ("any", "outside"):
        return
    elif infra and not own:
        detail = f"`{one.name}` is infrastructure: only `failsafe` and `infrastructure` rules may name it. Move the rule there."
        yield Problem("Infrastructure in the policy", detail, one.place)
    elif not infra:
        kinds = (*_SELECTABLE, *_OWN) if own else _SELECTABLE
        known = [*BUILTIN[: 3 if own else 2], *(name for kind in kinds for name in site.names[kind])]
        yield unknown("name", one.name, one.place, known)


def _services(site: Site) -> Iterator[Problem]:
    for key in ("failsafe", "infrastructure", "policy"):
        rules: Any = getattr(site.inventory, key)
        for i, rule in enumerate(rules):
            for j, service in enumerate(rule.services):
                yield from _service(site, service.name, key, i, "service", j)
    for i, test in enumerate(site.inventory.tests):
        yield from _service(site, test.service.name, "tests", i, "service")


def _service(site: Site, name: str, *path: str | int) -> Iterator[Problem]:
    if name != "any" and not services.is_literal(name):
        yield from _want(site, "services", name, *path)


def _acceptances(site: Site) -> Iterator[Problem]:
    owners = {**site.names["devices"], **site.names["hosts"]}
    for i, accepted in enumerate(site.inventory.accept):
        if accepted.workload:
            yield from _want(site, "workloads", accepted.workload, "accept", i, "workload")
        owner = accepted.gate.partition("/")[0] if accepted.gate else None
        if owner and owner not in owners:
            yield unknown("device or host", owner, site.place("accept", i, "gate"), owners)
