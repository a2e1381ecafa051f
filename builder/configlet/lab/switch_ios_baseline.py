"""What a simulated IOS-XE switch shows of the inventory: the wiring of the lab in the words of IOS-XE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_interface

from configlet.lab import switch_baseline
from configlet.lab.switch_config import Baseline
from configlet.model.inventory import Device, Inventory

ROUTERS_MAC = "mac-address 021c.7300.0099"
"""The members of a gateway pair share an address and its MAC on the interface of the VLAN."""


def baseline(device: Device, inventory: Inventory) -> Baseline:
    """The fixed configuration of one device: the same interfaces, VLANs and realms as for any platform."""
    plain = switch_baseline.baseline(device, inventory)
    sections = [section for header, lines in plain.sections for section in _section(header, lines)]
    return Baseline(plain.device, device.model, (*sections, *_fixed()), plain.routed, plain.realms)


def _section(header: str, lines: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    words = header.split()
    if words[:2] == ["vrf", "instance"]:
        families = ("address-family ipv4", "exit-address-family", "address-family ipv6", "exit-address-family")
        yield f"vrf definition {words[2]}", families
    elif header == "interface Management1":
        yield "interface GigabitEthernet0/0", tuple(_interface(lines))
    elif words[0] == "interface":
        yield header, tuple(_interface(lines))
    elif words[0] == "vlan":
        yield header, tuple(lines)
    elif header in ("ip routing", "ipv6 unicast-routing"):
        yield header, ()


def _interface(lines: Iterable[str]) -> Iterator[str]:
    """The lines of an interface. A line that this does not know would be a wrong picture of the wiring: an error."""
    for line in lines:
        match line.split():
            case ["vrf", realm]:
                yield f"vrf forwarding {realm}"
            case ["ip", "address", "virtual", address]:
                yield ROUTERS_MAC
                yield _address(address)
            case ["ipv6", "address", "virtual", address]:
                yield f"ipv6 address {address.upper()}"
            case ["ip", "address", address]:
                yield _address(address)
            case ["ipv6", "address", address]:
                yield f"ipv6 address {address.upper()}"
            case ["description" | "switchport", *_] | ["no", "switchport"]:
                yield line
            case _:
                raise ValueError(f"no IOS-XE form for the interface line {line!r}")


def _address(text: str) -> str:
    address = ip_interface(text)
    return f"ip address {address.ip} {address.netmask}"


def _fixed() -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "ip ssh version 2", ()
    yield "line vty 0 4", ("login local", "transport input ssh")
