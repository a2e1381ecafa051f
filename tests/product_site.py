"""A workspace with one switch and one rule: so many sources, services and destinations, none of which join."""

from __future__ import annotations

from pathlib import Path

from configlet.platforms.content import stock

SITE = """site: {name: dc9, lab: only, controller: [192.0.2.10], ephemeral: 1024-65535}
externals:
  outside-a: {prefixes: [198.51.100.0/24], realm: management, enters: [leaf1/Ethernet1], addresses: [198.51.100.1/24]}
failsafe:
  - {name: controller reaches management, from: [controller], to: [management], service: [ssh, eapi], reason: way in}
devices:
  leaf1:
    platform: PLATFORM
    model: MODEL
    role: leaf
    addresses: [10.0.0.1]
    management: {address: 192.0.2.21, credentials: env/DC9}
segments:
  management: {realm: management, vlan: 10, prefixes: [192.0.2.0/24], intra: policy, fragments: drop, encap: none}
  servers:
    realm: one
    vlan: 20
    prefixes: [10.200.0.0/16]
    intra: open
    fragments: drop
    encap: none
    gateways: {on: [leaf1], mode: anycast, irb: symmetric, filter: [in, out]}
services:
  ssh: [tcp/22]
  eapi: [tcp/443]
"""


def product_site(
    root: Path, platform: str, sources: int, services: int, destinations: int, *, model: str = "any", hardware: int = 0
) -> Path:
    """The workspace, made. ``hardware`` is what the operator says of the entries that this model holds."""
    (root / "pyproject.toml").write_text('[project]\nname = "product"\nversion = "0"\n')
    folder = root / "inventory" / "dc9"
    folder.mkdir(parents=True)
    (folder / "site.yaml").write_text(SITE.replace("PLATFORM", platform).replace("MODEL", model))
    ports = ", ".join(f"tcp/{1000 + 3 * n}" for n in range(services))
    here = ", ".join(f"10.200.{n // 100}.{1 + 2 * (n % 100)}/32" for n in range(destinations))
    there = ", ".join(f"11.{n >> 8}.{n & 255}.0/28" for n in range(sources))
    (folder / "policy.yaml").write_text(
        f"services:\n  many: [{ports}]\naddresses:\n  far: [{there}]\n  near: [{here}]\n"
        "policy:\n  - {name: far to near, from: [far], to: [near], service: [many], action: allow, reason: so many}\n"
    )
    if platform == "nftables":
        _host(folder)
    if hardware:
        _overlay(root, platform, hardware)
    return root


def _host(folder: Path) -> None:
    """The first destination is a host that filters by itself, and there is no gateway before it."""
    site = (folder / "site.yaml").read_text().replace("platform: nftables", "platform: eos")
    (folder / "site.yaml").write_text("\n".join(line for line in site.split("\n") if "gateways:" not in line))
    (folder / "hosts.yaml").write_text(
        "hosts:\n  server1:\n    management: {address: 192.0.2.101, credentials: env/DC9}\n"
        "    nics: {ens1: {model: virtio, attached: [leaf1/Ethernet5]}}\n"
        "    workloads: {server1: {addresses: [10.200.0.1], on: [ens1], segment: servers, stack: kernel}}\n"
    )


def _overlay(root: Path, platform: str, hardware: int) -> None:
    """The operator's own manifest, in which the hardware of the model holds more."""
    said = (stock() / "configlets" / platform / "platform.yaml").read_text()
    path = root / "configlets" / platform / "platform.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(said.replace("hardware: {default: 2000}\n", f"hardware: {{default: {hardware}}}\n"))
