"""What a simulated IOS-XR router shows of the inventory: the wiring of the lab in the words of IOS-XR."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_interface

from configlet.lab import switch_baseline
from configlet.lab.parsers.iosxr import IOSXR
from configlet.lab.switch_config import Baseline
from configlet.model.inventory import Device, Inventory

FAMILIES = ("address-family ipv4 unicast", "address-family ipv6 unicast")
FIXED = (("ssh server v2", ()), ("xml agent tty", ("iteration off",)))


def baseline(device: Device, inventory: Inventory) -> Baseline:
    """The fixed configuration of one device: the same interfaces and realms as for any platform."""
    plain = switch_baseline.baseline(device, inventory)
    found = [section for header, lines in plain.sections for section in _section(header, lines)]
    return Baseline(plain.device, device.model, (*found, *FIXED), plain.routed, plain.realms)


def _section(header: str, lines: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    words = header.split()
    if words[:2] == ["vrf", "instance"]:
        yield f"vrf {words[2]}", FAMILIES
    elif header == "interface Management1":
        yield "interface MgmtEth0/RP0/CPU0/0", tuple(_interface(lines))
    elif words[0] == "interface":
        yield f"interface {IOSXR.named(words[1])}", tuple(_interface(lines))


def _interface(lines: Iterable[str]) -> Iterator[str]:
    """The lines of an interface. A line that this does not know would be a wrong picture of the wiring: an error."""
    for line in lines:
        match line.split():
            case ["vrf", _] | ["description", *_]:
                yield line
            case ["ip", "address", "virtual", address] | ["ip", "address", address]:
                found = ip_interface(address)
                yield f"ipv4 address {found.ip} {found.netmask}"
            case ["ipv6", "address", "virtual", address] | ["ipv6", "address", address]:
                yield f"ipv6 address {address}"
            case ["switchport", *_]:
                yield "l2transport"
            case ["no", "switchport"]:
                pass
            case _:
                raise ValueError(f"no IOS-XR form for the interface line {line!r}")
