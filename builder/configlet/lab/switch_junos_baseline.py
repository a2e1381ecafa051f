"""What a simulated Junos switch shows of the inventory: the wiring of the lab in the words of Junos."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from configlet.lab import switch_baseline
from configlet.lab.parsers.junos_text import words_of
from configlet.lab.switch_config import Baseline
from configlet.lab.switch_junos_schema import FAMILIES, FIREWALL, HOST_NAME, Known, with_filter
from configlet.lab.switch_junos_tree import Load, Node
from configlet.model.inventory import Device, Inventory

VERSION = "23.4R2.13"
Path = tuple[str, ...]
Shape = dict[str, "Shape"]
"""The fixed statements: key to those in its braces."""
TOP = ("system", "interfaces", "firewall", "routing-instances", "vlans")


def baseline(device: Device, inventory: Inventory) -> tuple[Baseline, Node]:
    """The fixed part of a device: the same interfaces, VLANs and realms as for any platform, and its tree."""
    plain = switch_baseline.baseline(device, inventory)
    shape: Shape = {}
    for path in (*_system(), *(path for header, lines in plain.sections for path in _paths(header, lines))):
        at = shape
        for key in path:
            at = at.setdefault(key, {})
    routed = {unit(port) for port in plain.routed}
    root = Node(Known((), "box", inner=tuple(_top(shape, routed))))
    load = Load(root)
    for path in _leaves(shape):
        load.set([word for key in path for word in words_of(key)])
    load.set(["system", "host-name", device.name])
    if load.complaints:
        raise ValueError(f"no Junos form of the wiring: {load.complaints[0]}")
    return replace(plain, model=device.model), root


def unit(port: str) -> tuple[str, str]:
    """The device's name of an interface of the inventory, and its unit."""
    if vlan := re.fullmatch(r"Vlan(\d+)", port):
        return "irb", vlan[1]
    port = "em0" if port == "Management1" else port
    name, _, number = port.partition(".")
    return name, number or "0"


def _system() -> Iterator[Path]:
    yield "system", "services", "ssh"
    yield "system", "services", "netconf", "ssh"


def _paths(header: str, lines: Iterable[str]) -> Iterator[Path]:
    """The statements that say what a section says. A section that this does not know is an error."""
    match header.split():
        case ["interface", port]:
            yield from _interface(port, lines)
        case ["vlan", number]:
            name = next(line.split()[1] for line in lines if line.startswith("name "))
            yield "vlans", name, f"vlan-id {number}"
            yield "vlans", name, f"l3-interface irb.{number}"
        case ["vrf", "instance", realm]:
            yield "routing-instances", realm, "instance-type virtual-router"
        case ["ip" | "ipv6", *_] | ["management", *_]:
            pass  # Junos routes by itself, and is managed over NETCONF
        case _:
            raise ValueError(f"no Junos form for the section {header!r}")


def _interface(port: str, lines: Iterable[str]) -> Iterator[Path]:
    name, number = unit(port)
    here = ("interfaces", name)
    for line in sorted(lines, key=lambda line: not line.startswith("description")):
        match line.split():
            case ["description", *words]:
                yield (*here, f'description "{" ".join(words)}"' if len(words) > 1 else line)
            case ["no", "switchport"]:
                yield (*here, f"unit {number}")
            case ["switchport", "mode", "trunk"]:
                yield (*here, f"unit {number}", "family ethernet-switching", "interface-mode trunk")
            case ["switchport", "access", "vlan", vlan]:
                yield (*here, f"unit {number}", "family ethernet-switching", "vlan", f"members {vlan}")
            case ["vrf", realm]:
                yield "routing-instances", realm, f"interface {name}.{number}"
            case [("ip" | "ipv6") as word, "address", *_, address]:
                family = "family inet" if word == "ip" else "family inet6"
                yield (*here, f"unit {number}", family, f"address {address}")
            case _:
                raise ValueError(f"no Junos form for the interface line {line!r}")


def _top(shape: Shape, routed: set[tuple[str, str]]) -> Iterator[Known]:
    for word in TOP:
        if word == "firewall":
            yield FIREWALL
        elif word == "interfaces":
            yield Known((word,), "box", inner=tuple(_ports(shape[word], routed)), fixed=True)
        elif word in shape:
            own = (HOST_NAME,) if word == "system" else ()
            yield Known((word,), "box", inner=(*own, *_fixed(shape[word])), fixed=True)


def _ports(shape: Shape, routed: set[tuple[str, str]]) -> Iterator[Known]:
    for name, port in shape.items():
        inner = []
        for known in _fixed(port):
            here = (name, known.words[-1]) in routed and known.words[0] == "unit"
            inner.append(replace(known, kind="box", inner=tuple(_families(known))) if here else known)
        yield Known((name,), "box", inner=tuple(inner), fixed=True)


def _families(unit: Known) -> Iterator[Known]:
    own = {known.words: known for known in unit.inner}
    for family in FAMILIES:
        yield with_filter(own.pop(family.words)) if family.words in own else family
    yield from own.values()


def _fixed(shape: Shape) -> Iterator[Known]:
    for key, inner in shape.items():
        kind = "box" if inner else "flag"
        yield Known(tuple(words_of(key)), kind, inner=tuple(_fixed(inner)), stays=True, fixed=True)  # type: ignore[arg-type]


def _leaves(shape: Shape, path: Path = ()) -> Iterator[Path]:
    for key, inner in shape.items():
        if inner:
            yield from _leaves(inner, (*path, key))
        else:
            yield (*path, key)


def missing(whole: Node, node: Node | None, path: Path = ()) -> Iterator[str]:
    """Fixed statements that are not in a configuration; such a one cannot be made real in the lab's fixed wiring."""
    for key, child in whole.children.items():
        if child.known.fixed:
            there = node.children.get(key) if node else None
            if there is None:
                yield " ".join((*path, key))
            else:
                yield from missing(child, there, (*path, key))
