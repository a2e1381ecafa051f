"""The joined document as an Inventory. It is valid by the schema when it comes here; names are not yet looked up."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any

from configlet.model.inventory import (
    Acceptance,
    Device,
    External,
    Gateways,
    Host,
    Interface,
    Inventory,
    Link,
    Management,
    Multicast,
    Nic,
    PolicyTest,
    RuleLine,
    Segment,
    Selector,
    Service,
    Term,
    Wide,
    Workload,
)
from configlet.model.net import IPAddress, IPNetwork, Span
from configlet.workspace import forms, services
from configlet.workspace.strict import Node

EPHEMERAL: Span = (1024, 65535)


def inventory(root: Node, site: str) -> Inventory:
    """Everything of the document; items are in the order of DESIGN 4."""
    head = root.value.get("site", {})
    ephemeral = forms.span(head["ephemeral"]) if "ephemeral" in head else EPHEMERAL
    named = {name: service(node, name, ephemeral) for name, node in _sorted(root, "services")}
    segments = tuple(_segment(name, node, head) for name, node in _sorted(root, "segments"))
    controller = tuple(map(ip_address, head.get("controller", ())))
    multicast = tuple(_multicast(name, node, segments) for name, node in _sorted(root, "multicast"))
    return Inventory(
        site=site,
        lab_only=head.get("lab") == "only",
        controller=controller,
        controller_realm=head.get("controller_realm") or _realm_of(controller, segments),
        ephemeral=ephemeral,
        icmp_errors_from=_selectors(_member(root, "site"), "icmp_errors_from", site),
        failsafe=_rules(root, "failsafe", named, ephemeral, site),
        infrastructure=_rules(root, "infrastructure", named, ephemeral, site),
        externals=tuple(_external(name, node) for name, node in _sorted(root, "externals")),
        devices=tuple(_device(name, node) for name, node in _sorted(root, "devices")),
        links=tuple(_link(name, node) for name, node in _sorted(root, "links")),
        segments=segments,
        multicast=multicast,
        hosts=tuple(_host(name, node) for name, node in _sorted(root, "hosts")),
        addresses=tuple((name, _networks(node.value), node.place) for name, node in _sorted(root, "addresses")),
        services=tuple(named.values()),
        policy=_rules(root, "policy", named, ephemeral, site),
        accept=tuple(_acceptance(node, site) for node in _items(root, "accept")),
        tests=tuple(_test(node, named, ephemeral, site) for node in _items(root, "tests")),
        digest=digest(root.value),
        severity=_pairs(head.get("severity")),
        wide=Wide(**head.get("wide", {})),
    )


def digest(document: Any) -> str:
    """sha256 of the content as canonical JSON: the same for any order of maps and any splitting into files."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _member(node: Node, key: str) -> Node | None:
    return node.members.get(key) if isinstance(node.members, dict) else None


def _sorted(root: Node, key: str) -> list[tuple[str, Node]]:
    node = _member(root, key)
    return sorted(node.members.items()) if node is not None and isinstance(node.members, dict) else []


def _items(root: Node, key: str) -> list[Node]:
    node = _member(root, key)
    return node.members if node is not None and isinstance(node.members, list) else []


def _networks(values: list[str]) -> tuple[IPNetwork, ...]:
    return tuple(map(ip_network, values))


def _addresses(values: list[str]) -> tuple[IPAddress, ...]:
    return tuple(map(ip_address, values))


def split_port(text: str) -> tuple[str, str]:
    """``leaf1/Ethernet49`` as device and port."""
    device, _, port = text.partition("/")
    return device, port


def _ports(values: list[str]) -> tuple[tuple[str, str], ...]:
    return tuple(map(split_port, values))


def _pairs(value: dict[str, Any] | None) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted((value or {}).items()))


def _realm_of(controller: tuple[IPAddress, ...], segments: tuple[Segment, ...]) -> str:
    found = (s.realm for s in segments for net in s.prefixes for a in controller if a in net)
    return next(found, "")


def _management(node: Node) -> Management | None:
    inner = _member(node, "management")
    if inner is None:
        return None
    return Management(ip_address(inner.value["address"]), inner.value["credentials"], inner.place)


def _external(name: str, node: Node) -> External:
    v = node.value
    own = tuple(ip_interface(text).ip for text in v.get("addresses", ()))
    return External(name, v["realm"], _networks(v["prefixes"]), _ports(v["enters"]), node.place, own)


def _device(name: str, node: Node) -> Device:
    v = node.value
    own = _addresses(v.get("addresses", ()))
    managed = v.get("managed", True)
    return Device(
        name, v["platform"], v["model"], v["role"], node.place, v.get("pair"), managed, own, _management(node)
    )


def _link(name: str, node: Node) -> Link:
    v = node.value
    ends = [ip_interface(text) for text in v.get("addresses", ())]
    networks = tuple(dict.fromkeys(end.network for end in ends))
    near, far = split_port(name), split_port(v["to"])
    return Link(*near, *far, v.get("realm", ""), v.get("name"), tuple(e.ip for e in ends), networks, node.place)


def _segment(name: str, node: Node, site: dict[str, Any]) -> Segment:
    v = node.value
    prefixes = _networks(v["prefixes"])
    return Segment(
        name=name,
        realm=v["realm"],
        vlan=v.get("vlan"),
        prefixes=prefixes,
        intra=v["intra"],
        fragments=v.get("fragments", "drop"),
        encap=v.get("encap", "none"),
        gateways=_gateways(_member(node, "gateways"), prefixes),
        labels=_pairs(v.get("labels")),
        depth=tuple(v.get("depth", site.get("depth", ()))),
        place=node.place,
    )


def _gateways(node: Node | None, prefixes: tuple[IPNetwork, ...]) -> Gateways | None:
    if node is None:
        return None
    v = node.value
    given = (
        _addresses(v["addresses"])
        if "addresses" in v
        else tuple(net[min(1, net.num_addresses // 3)] for net in prefixes)
    )
    filtered = tuple(way for way in ("in", "out") if way in v.get("filter", ("in", "out")))
    return Gateways(tuple(v["on"]), v["mode"], v["irb"], filtered, given, node.place)  # type: ignore[arg-type]


def _multicast(name: str, node: Node, segments: tuple[Segment, ...]) -> Multicast:
    v = node.value
    realm = next((s.realm for s in segments if s.name in v["receivers"]), "")
    return Multicast(name, realm, _networks(v["groups"]), tuple(v["sources"]), tuple(v["receivers"]), node.place)


def _host(name: str, node: Node) -> Host:
    v = node.value
    return Host(
        name=name,
        platform=v.get("platform", "nftables"),
        nics=tuple(Nic(n, x.value["model"], _ports(x.value["attached"]), x.place) for n, x in _sorted(node, "nics")),
        interfaces=tuple(_interface(n, x) for n, x in _sorted(node, "interfaces")),
        workloads=tuple(_workload(n, name, x) for n, x in _sorted(node, "workloads")),
        management=_management(node),
        managed=v.get("managed", True),
        place=node.place,
    )


def _interface(name: str, node: Node) -> Interface:
    v = node.value
    return Interface(name, tuple(v["members"]), v.get("mode", ""), v.get("vlan"), node.place)


def _workload(name: str, host: str, node: Node) -> Workload:
    v = node.value
    return Workload(
        name=name,
        host=host,
        addresses=_addresses(v["addresses"]),
        on=tuple(v["on"]),
        segment=v["segment"],
        stack=v["stack"],
        also=_pairs(v.get("also")),
        labels=_pairs(v.get("labels")),
        place=node.place,
    )


def service(node: Node, name: str, ephemeral: Span) -> Service:
    """A named service."""
    return Service(name, tuple(services.term(item, ephemeral) for item in node.value), node.place)


def _service(node: Node, named: dict[str, Service], ephemeral: Span) -> Service:
    word = node.value
    if word in named:
        return named[word]
    if word == "any":
        return Service("any", (Term(None),), None)
    terms = (services.term(word, ephemeral),) if services.is_literal(word) else ()
    return Service(word, terms, node.place)


def selector(node: Node, site: str) -> Selector:
    """A selector; the site's own name before a colon is dropped."""
    if isinstance(node.value, dict):
        return Selector(None, _pairs(node.value), node.place)
    return Selector(node.value.removeprefix(f"{site}:"), (), node.value_place)


def _selectors(node: Node | None, key: str, site: str) -> tuple[Selector, ...]:
    return tuple(selector(item, site) for item in _items(node, key)) if node is not None else ()


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


def _rules(root: Node, key: str, named: dict[str, Service], ephemeral: Span, site: str) -> tuple[RuleLine, ...]:
    return tuple(_rule(node, named, ephemeral, site) for node in _items(root, key))


def _rule(node: Node, named: dict[str, Service], ephemeral: Span, site: str) -> RuleLine:
    v = node.value
    return RuleLine(
        name=v["name"],
        sources=_selectors(node, "from", site),
        destinations=_selectors(node, "to", site),
        services=tuple(_service(item, named, ephemeral) for item in _items(node, "service")),
        action=v.get("action", "allow"),
        reason=v.get("reason", ""),
        place=node.place,
        log=v.get("log", False),
        owner=v.get("owner"),
        ticket=v.get("ticket"),
        expires=_day(v.get("expires")),
    )


def _acceptance(node: Node, site: str) -> Acceptance:
    v = node.value
    source, destination = _member(node, "from"), _member(node, "to")
    return Acceptance(
        what=v["what"],
        reason=v["reason"],
        until=date.fromisoformat(v["until"]),
        place=node.place,
        gate=v.get("gate"),
        workload=v.get("workload"),
        source=selector(source, site) if source else None,
        destination=selector(destination, site) if destination else None,
    )


def _test(node: Node, named: dict[str, Service], ephemeral: Span, site: str) -> PolicyTest:
    members: Any = node.members
    return PolicyTest(
        source=selector(members["from"], site),
        destination=selector(members["to"], site),
        service=_service(members["service"], named, ephemeral),
        expect=node.value["expect"],
        place=node.place,
    )
