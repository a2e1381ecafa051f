"""The management of a simulated IOS-XR router: its command line, and the XML agent behind it, over SSH on port 22."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from configlet.lab import switch_cli
from configlet.lab.switch_doors import Doorway
from configlet.lab.switch_iosxr import XrSwitch
from configlet.model.inventory import Device, Inventory

SSH = 22
PORTS = (SSH,)


def make(device: Device, inventory: Inventory, apply: Callable[[str, str], None], speed: float) -> XrSwitch:
    """The router of a device."""
    return XrSwitch(device, inventory, apply, speed)


async def open_doors(switch: XrSwitch, door: Doorway) -> list[Any]:
    """Serve a router at every port of this platform; what has to be kept."""
    return [await switch_cli.serve(switch.front(), door.listen(SSH), door.key, door.username, door.password)]
