"""Policies of any size, as plain data, and the same policy as a workspace of ours.

Shape ``u``: N terms; each has its own source object of one /28, its own destination object of one /32, and one of 200
TCP services. Shape ``o``: 1,000 host objects and 100 rules, each from 100 of them to 10 of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SERVICES = 200
DESKS, SERVERS = IPv4Network("10.0.0.0/8"), IPv4Network("172.16.0.0/12")
GUARDED = 16
"""How many addresses the host of an nftables site has."""
ROOM = 1_000_000
"""The capacity that a benchmark's platforms are given; what ships is a careful limit for a switch's TCAM."""


@dataclass(frozen=True, slots=True)
class Term:
    """One allow: names of address objects and of a service."""

    name: str
    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    service: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Objects by name, and terms in order; what no term allows is denied."""

    name: str
    objects: dict[str, tuple[IPv4Network, ...]]
    services: dict[str, int]
    terms: tuple[Term, ...]


def _services() -> dict[str, int]:
    return {f"svc-{k}": 10_000 + k for k in range(SERVICES)}


def unique(count: int, destinations: int | None = None) -> Policy:
    """Shape ``u``. ``destinations``: how many distinct addresses the destination objects have; each its own unless said."""
    distinct = destinations or count
    objects: dict[str, tuple[IPv4Network, ...]] = {}
    terms: list[Term] = []
    for i in range(count):
        objects[f"src-{i}"] = (IPv4Network((int(DESKS[0]) + (i + 16) * 16, 28)),)
        objects[f"dst-{i}"] = (IPv4Network((int(SERVERS[0]) + 1 + i % distinct, 32)),)
        terms.append(Term(f"term-{i}", (f"src-{i}",), (f"dst-{i}",), f"svc-{i % SERVICES}"))
    return Policy(f"u-{count}" + (f"-{distinct}" if destinations else ""), objects, _services(), tuple(terms))


def grouped(rules: int = 100, sources: int = 100, destinations: int = 10, hosts: int = 1000) -> Policy:
    """Shape ``o``: half of the hosts are sources, the other half destinations; every rule takes some of each."""
    half = hosts // 2
    objects: dict[str, tuple[IPv4Network, ...]] = {}
    for i in range(half):  # every second address, so that neither tool can merge hosts into prefixes
        objects[f"src-{i}"] = (IPv4Network((int(DESKS[0]) + 256 + 2 * i, 32)),)
        objects[f"dst-{i}"] = (IPv4Network((int(SERVERS[0]) + 1 + 2 * i, 32)),)
    terms = tuple(
        Term(
            f"term-{i}",
            tuple(f"src-{(i * 7 + 3 * k) % half}" for k in range(sources)),
            tuple(f"dst-{(i * 11 + 17 * k) % half}" for k in range(destinations)),
            f"svc-{i % SERVICES}",
        )
        for i in range(rules)
    )
    return Policy(f"o-{rules}x{sources}x{destinations}", objects, _services(), terms)


def workspace(
    policy: Policy, platforms: Sequence[str], root: Path, site: str = "bench", room: int | None = ROOM
) -> Path:
    """A workspace with one site: a leaf for each switch platform, a host for nftables; returns its root.

    ``room`` is how many entries each platform may hold there; None leaves what ships.

    The desks' segment holds all sources and is filtered where it enters its leaf, so that each term of shape ``u`` is
    one line of that gate. The host has the destinations of its own and judges what arrives.
    """
    folder = root / "inventory" / site
    folder.mkdir(parents=True)
    switches = [p for p in platforms if p != "nftables"]
    (folder / "site.yaml").write_text(_site(site))
    (folder / "devices.yaml").write_text(_devices(switches))
    (folder / "segments.yaml").write_text(_segments(len(switches)))
    if "nftables" in platforms:
        (folder / "hosts.yaml").write_text(_host(bool(switches)))
    (folder / "addresses.yaml").write_text(_addresses(policy))
    (folder / "services.yaml").write_text(
        "services:\n" + "".join(f"  {name}: [tcp/{port}]\n" for name, port in policy.services.items())
    )
    (folder / "policy.yaml").write_text("policy:\n" + "".join(map(_rule, policy.terms)))
    for platform in platforms if room is not None else ():
        _roomy(platform, room, root / "configlets" / platform)
    return root


def _site(name: str) -> str:
    return (
        f"site: {{name: {name}, controller: [192.0.2.10], controller_realm: trading}}\n"
        "failsafe:\n  - {name: way in, from: [controller], to: [management], service: [tcp/22, tcp/443]}\n"
    )


def _devices(platforms: Sequence[str]) -> str:
    if not platforms:
        return "devices: {}\n"
    names = [f"leaf{i}" for i in range(1, len(platforms) + 1)]
    lines = ["devices:\n"]
    for i, (name, platform) in enumerate(zip(names, platforms, strict=True), 1):
        pair = f"pair: {names[2 - i]}, " if len(names) == 2 else ""
        lines.append(
            f"  {name}: {{platform: {platform}, model: any, role: leaf, {pair}"
            f"management: {{address: 192.0.2.{20 + i}, credentials: env/BENCH}}}}\n"
        )
    return "".join(lines)


def _segments(switches: int) -> str:
    on = ", ".join(f"leaf{i}" for i in range(1, switches + 1))
    mode = "anycast" if switches > 1 else "single"
    ways = f"    gateways: {{on: [{on}], mode: {mode}, irb: symmetric, filter: [in]}}\n"
    return (
        "segments:\n"
        f"  desks:\n    realm: trading\n    vlan: 100\n    prefixes: [{DESKS}]\n    intra: policy\n"
        f"    fragments: drop\n    encap: none\n{ways if switches else ''}"
        f"  servers:\n    realm: trading\n    vlan: 200\n    prefixes: [{SERVERS}]\n    intra: policy\n"
        "    fragments: drop\n    encap: none\n"
        "  management:\n    realm: trading\n    vlan: 10\n    prefixes: [192.0.2.0/24]\n    intra: policy\n"
        "    fragments: drop\n    encap: none\n"
    )


def _host(cabled: bool) -> str:
    mine = ", ".join(str(IPv4Address(int(SERVERS[0]) + 1 + i)) for i in range(GUARDED))
    port = "leaf1/Ethernet1" if cabled else "access1/Ethernet1"
    other = (
        ""
        if cabled
        else "devices:\n  access1: {platform: eos, model: any, role: leaf, managed: false}\n"
    )
    return (
        "hosts:\n  server1:\n    management: {address: 192.0.2.101, credentials: env/BENCH}\n"
        f"    nics:\n      ens1: {{model: virtio, attached: [{port}]}}\n"
        f"    workloads:\n      server1: {{addresses: [{mine}], on: [ens1], segment: servers, stack: kernel}}\n" + other
    )


def _addresses(policy: Policy) -> str:
    lines = ["addresses:\n"]
    lines += (f"  {name}: [{', '.join(map(str, nets))}]\n" for name, nets in policy.objects.items())
    return "".join(lines)


def _rule(term: Term) -> str:
    return (
        f"  - name: {term.name}\n    from: [{', '.join(term.sources)}]\n    to: [{', '.join(term.destinations)}]\n"
        f"    service: [{term.service}]\n    action: allow\n    reason: a benchmark\n"
    )


def _roomy(platform: str, room: int | None, folder: Path) -> None:
    """The platform as it ships, with room for as many entries."""
    text = (ROOT / "configlets" / platform / "platform.yaml").read_text()
    folder.mkdir(parents=True)
    changed, count = re.subn(r"(?m)^(\s+capacity: )\d+", rf"\g<1>{room}", text)
    if not count:
        raise ValueError(f"{platform} says no capacity")
    changed = re.sub(r"(?m)^(\s+hardware: \{default: )\d+", rf"\g<1>{room}", changed)
    (folder / "platform.yaml").write_text(changed)
