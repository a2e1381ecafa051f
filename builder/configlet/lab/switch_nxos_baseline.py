"""What a simulated NX-OS switch shows of the inventory: the wiring of the lab in the words of NX-OS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from configlet.lab import switch_baseline
from configlet.lab.switch_config import Baseline
from configlet.model.inventory import Device, Inventory

FEATURES = ("nxapi", "scheduler", "interface-vlan", "scp-server")


def baseline(device: Device, inventory: Inventory) -> Baseline:
    """The fixed configuration of one device: the same interfaces, VLANs and realms as for any platform."""
    plain = switch_baseline.baseline(device, inventory)
    found = [section for header, lines in plain.sections for section in _section(header, lines)]
    return Baseline(plain.device, device.model, (*_features(), *found), plain.routed, plain.realms)


def _features() -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from ((f"feature {name}", ()) for name in FEATURES)


def _section(header: str, lines: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    words = header.split()
    if words[:2] == ["vrf", "instance"]:
        yield f"vrf context {words[2]}", ()
    elif header == "interface Management1":
        yield "interface mgmt0", ("vrf member management", *_interface(lines))
    elif words[0] == "interface":
        yield header, tuple(_interface(lines))
    elif words[0] == "vlan":
        yield header, tuple(lines)


def _interface(lines: Iterable[str]) -> Iterator[str]:
    """The lines of an interface. A line that this does not know would be a wrong picture of the wiring: an error."""
    for line in lines:
        match line.split():
            case ["vrf", realm]:
                yield f"vrf member {realm}"
            case ["ip", "address", "virtual", address]:
                yield "fabric forwarding mode anycast-gateway"
                yield f"ip address {address}"
            case ["ipv6", "address", "virtual", address]:
                yield f"ipv6 address {address}"
            case [("ip" | "ipv6"), "address", _] | ["description" | "switchport", *_] | ["no", "switchport"]:
                yield line
            case _:
                raise ValueError(f"no NX-OS form for the interface line {line!r}")
