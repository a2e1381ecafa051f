"""The management of a simulated Junos switch: NETCONF over SSH, on port 830 and on the port of SSH."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from configlet.lab import switch_netconf
from configlet.lab.switch_doors import Doorway
from configlet.lab.switch_junos import JunosSwitch
from configlet.model.inventory import Device, Inventory

SSH, NETCONF = 22, 830
PORTS = (SSH, NETCONF)


def make(device: Device, inventory: Inventory, apply: Callable[[str, str], None], speed: float) -> JunosSwitch:
    """The switch of a device."""
    return JunosSwitch(device, inventory, apply, speed)


async def open_doors(switch: JunosSwitch, door: Doorway) -> list[Any]:
    """Serve a switch at every port of this platform; what has to be kept."""
    service = switch.service()
    return [
        await switch_netconf.serve(service, door.listen(port), door.key, door.username, door.password)
        for port in PORTS
    ]
