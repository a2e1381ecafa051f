"""The joined document as an Inventory. It is valid by the schema when it comes here; names are not yet looked up.

Every function that makes something with a place takes the iterator of its file's places, and from it what
``placed.placed`` says: its own, then those of its parts by name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from itertools import repeat
from operator import attrgetter
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
    Segment,
    Selector,
    Service,
    Wide,
    Workload,
)
from configlet.model.net import Family, IPAddress, IPNetwork, Span, family_of, span_of
from configlet.model.problem import Place
from configlet.workspace import forms, services
from configlet.workspace.blanks import Column, columns_in, values_of
from configlet.workspace.document import Document
from configlet.workspace.placed import AROUND
from configlet.workspace.words import Words, rules_of

EPHEMERAL: Span = (1024, 65535)
_AT_ONCE = 1_000
"""Texts that are joined at a time, in memory that was used just now."""
Places = Iterator[Place]


def inventory(document: Document, site: str, *, digested: bool) -> Inventory:
    """Everything of the document; items are in the order of DESIGN 4. ``digested``: whether it says its digest."""
    head = document.get("site", {})
    ephemeral = forms.span(head["ephemeral"]) if "ephemeral" in head else EPHEMERAL
    named = {name: service(v, name, next(at), ephemeral) for name, v, at in document.items("services")}
    segments = _all(document, "segments", lambda name, v, at: _segment(name, v, at, head))
    controller = tuple(map(ip_address, head.get("controller", ())))
    realms = {segment.name: segment.realm for segment in segments}
    words = Words(site, named, ephemeral)
    return Inventory(
        site=site,
        lab_only=head.get("lab") == "only",
        controller=controller,
        controller_realm=head.get("controller_realm") or _realm_of(controller, segments),
        ephemeral=ephemeral,
        icmp_errors_from=_errors_from(document, words),
        failsafe=rules_of(document, "failsafe", words),
        infrastructure=rules_of(document, "infrastructure", words),
        externals=_all(document, "externals", _external),
        devices=_all(document, "devices", _device),
        links=tuple(link for _, link in sorted((n, _link(n, v, next(at))) for n, v, at in document.items("links"))),
        segments=segments,
        multicast=_all(document, "multicast", lambda name, v, at: _multicast(name, v, at, realms)),
        hosts=_hosts(document),
        addresses=tuple(sorted((n, _sets(v), next(at)) for n, v, at in document.items("addresses"))),
        services=tuple(service for _, service in sorted(named.items())),
        policy=rules_of(document, "policy", words),
        accept=tuple(_acceptance(v, next(at), words) for _, v, at in document.items("accept")),
        tests=tuple(_test(v, next(at), words) for _, v, at in document.items("tests")),
        digest=digest(document) if digested else "",
        severity=_pairs(head.get("severity")),
        wide=Wide(**head.get("wide", {})),
    )


def digest(document: Document) -> str:
    """sha256 of the content as canonical JSON: the same for any order of maps and any splitting into files."""
    found = hashlib.sha256()
    for key, parts in sorted(document.parts.items()):
        texts = [text for part in parts for text in part.section(key).texts]
        begin, end = AROUND[parts[0].section(key).kind]
        if begin == "{":
            texts.sort()
        found.update(f'"{key}":{begin}'.encode())
        for at in range(0, len(texts), _AT_ONCE):
            some = ",\n".join(texts[at : at + _AT_ONCE])
            found.update(f",\n{some}".encode() if at else some.encode())
        found.update(f"{end}\n".encode())
    return found.hexdigest()


def _all(document: Document, key: str, make: Callable[[str, Any, Places], Any]) -> tuple[Any, ...]:
    return tuple(sorted((make(name, v, at) for name, v, at in document.items(key)), key=lambda one: one.name))


def _networks(values: list[str]) -> tuple[IPNetwork, ...]:
    return tuple(map(_network, values))


def _network(text: str) -> IPNetwork:
    if ":" in text:
        return IPv6Network(forms.quick_six_prefix(text) or text)
    span, (_, slash, length) = forms.quick_prefix(text), text.partition("/")
    return IPv4Network(text if span is None else (span[0], int(length) if slash else 32))


def _sets(values: list[str]) -> tuple[tuple[Family, Span], ...]:
    return tuple(map(_set, values))


def _set(text: str) -> tuple[Family, Span]:
    span = forms.quick_prefix(text)
    if span is not None:
        return 4, span
    network = _network(text)
    return family_of(network), span_of(network)


def _address(text: str) -> IPAddress:
    if ":" in text:
        number = forms.quick_six(text)
        return IPv6Address(text if number is None else number)
    span = forms.quick_prefix(text)
    return IPv4Address(text if span is None else span[0])


def _socket(text: str) -> tuple[IPAddress, IPNetwork]:
    """An interface's address and the network that it is in."""
    ip, length = _address(text.partition("/")[0]), int(text.partition("/")[2])
    free = ip.max_prefixlen - length
    return ip, (IPv4Network if ip.version == 4 else IPv6Network)((int(ip) >> free << free, length))


def _addresses(values: list[str]) -> tuple[IPAddress, ...]:
    return tuple(map(_address, values))


def split_port(text: str) -> tuple[str, str]:
    """``leaf1/Ethernet49`` as device and port."""
    device, _, port = text.partition("/")
    return device, port


def _ports(values: list[str]) -> tuple[tuple[str, str], ...]:
    return tuple(map(split_port, values))


def _pairs(value: dict[str, Any] | None) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(value.items())) if value else ()


def _realm_of(controller: tuple[IPAddress, ...], segments: tuple[Segment, ...]) -> str:
    found = (s.realm for s in segments for net in s.prefixes for a in controller if a in net)
    return next(found, "")


def _management(value: dict[str, Any], places: Places, name: str = "management") -> Management | None:
    inner = value.get(name)
    return Management(_address(inner["address"]), inner["credentials"], next(places)) if inner else None


def _external(name: str, v: Any, places: Places) -> External:
    own = tuple(_socket(text)[0] for text in v.get("addresses", ()))
    return External(name, v["realm"], _networks(v["prefixes"]), _ports(v["enters"]), next(places), own)


def _device(name: str, v: Any, places: Places) -> Device:
    own = _addresses(v.get("addresses", ()))
    managed, place = v.get("managed", True), next(places)
    management = _management(v, places)
    return Device(name, v["platform"], v["model"], v["role"], place, v.get("pair"), managed, own, management)


def _link(name: str, v: Any, place: Place) -> Link:
    ends = [_socket(text) for text in v.get("addresses", ())]
    networks = tuple(dict.fromkeys(network for _, network in ends))
    near, far = split_port(name), split_port(v["to"])
    return Link(*near, *far, v.get("realm", ""), v.get("name"), tuple(ip for ip, _ in ends), networks, place)


def _segment(name: str, v: Any, places: Places, site: dict[str, Any]) -> Segment:
    prefixes, place = _networks(v["prefixes"]), next(places)
    return Segment(
        name=name,
        realm=v["realm"],
        vlan=v.get("vlan"),
        prefixes=prefixes,
        intra=v["intra"],
        observed=v.get("enforcement") == "observe",
        fragments=v.get("fragments", "drop"),
        encap=v.get("encap", "none"),
        gateways=_gateways(v["gateways"], prefixes, next(places)) if "gateways" in v else None,
        labels=_pairs(v.get("labels")),
        depth=tuple(v.get("depth", site.get("depth", ()))),
        place=place,
    )


def _gateways(v: dict[str, Any], prefixes: tuple[IPNetwork, ...], place: Place) -> Gateways:
    given = (
        _addresses(v["addresses"])
        if "addresses" in v
        else tuple(net[min(1, net.num_addresses // 3)] for net in prefixes)
    )
    filtered = tuple(way for way in ("in", "out") if way in v.get("filter", ("in", "out")))
    return Gateways(tuple(v["on"]), v["mode"], v["irb"], filtered, given, place)  # type: ignore[arg-type]


def _multicast(name: str, v: Any, places: Places, realms: dict[str, str]) -> Multicast:
    receivers = set(v["receivers"])
    realm = next((realm for segment, realm in realms.items() if segment in receivers), "")
    return Multicast(name, realm, _networks(v["groups"]), tuple(v["sources"]), tuple(v["receivers"]), next(places))


def _hosts(document: Document) -> tuple[Host, ...]:
    found: list[Host] = []
    for part in document.parts.get("hosts", ()):
        if "hosts" in part.stretches:
            for run in part.runs("hosts"):
                [(name, v)] = run.shape.form.items()
                found += _alike(name, v, run.columns, iter(run.places(part.file)))
        else:
            for name, v, places in part.items("hosts"):
                found += _alike(name, v, (), ([place] for place in places))
    return tuple(sorted(found, key=attrgetter("name")))


def _alike(name: Any, v: dict[str, Any], columns: Sequence[Column], at: Iterator[list[Place]]) -> Iterable[Host]:
    """The hosts of one form, one for each row of its columns; of a value without blanks, a single one. ``at`` are the
    places of what has one, each for all of the hosts."""

    def of(form: Any) -> Iterable[Any]:
        return values_of(form, columns.__getitem__) if columns_in(form) else repeat(form)

    place = next(at)
    interfaces = [
        map(Interface, of(n), map(tuple, of(x["members"])), of(x.get("mode", "")), of(x.get("vlan")), next(at))
        for n, x in sorted(v.get("interfaces", {}).items())
    ]
    management, manager = (
        map(Management, map(_address, of(way["address"])), of(way["credentials"]), next(at)) if way else repeat(None)
        for way in (v.get("management"), v.get("manager"))
    )
    nics = [
        map(Nic, of(n), of(x["model"]), map(_ports, of(x["attached"])), next(at), of(x.get("filter_table", "")))
        for n, x in sorted(v["nics"].items())
    ]
    workloads = [
        map(Workload, of(n), of(name), map(_addresses, of(x["addresses"])), map(tuple, of(x["on"])), of(x["segment"]),
            of(x["stack"]), map(_pairs, of(x.get("also"))), map(_pairs, of(x.get("labels"))), next(at))
        for n, x in sorted(v["workloads"].items())
    ]  # fmt: skip
    parts = (zip(*each, strict=True) if each else repeat(()) for each in (nics, interfaces, workloads))
    return map(
        Host, of(name), of(v.get("platform", "nftables")), *parts, management, of(v.get("managed", True)), place, manager
    )


def service(items: list[Any], name: str, place: Place, ephemeral: Span) -> Service:
    """A named service."""
    return Service(name, tuple(services.term(item, ephemeral) for item in items), place)


def _errors_from(document: Document, words: Words) -> tuple[Selector, ...]:
    found = {name: (value, next(places)) for name, value, places in document.items("site")}
    values, place = found.get("icmp_errors_from", ((), Place("")))
    return words.selectors(values, place)


def _acceptance(v: dict[str, Any], place: Place, words: Words) -> Acceptance:
    return Acceptance(
        what=v["what"],
        reason=v["reason"],
        until=date.fromisoformat(v["until"]),
        place=place,
        gate=v.get("gate"),
        workload=v.get("workload"),
        source=words.selectors([v["from"]], place)[0] if "from" in v else None,
        destination=words.selectors([v["to"]], place)[0] if "to" in v else None,
    )


def _test(v: dict[str, Any], place: Place, words: Words) -> PolicyTest:
    return PolicyTest(
        source=words.selectors([v["from"]], place)[0],
        destination=words.selectors([v["to"]], place)[0],
        service=words.services([v["service"]], place)[0],
        expect=v["expect"],
        place=place,
    )
