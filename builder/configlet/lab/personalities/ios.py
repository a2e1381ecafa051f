"""The management of a simulated IOS-XE switch: its command line and its SCP server over SSH, on port 22."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from configlet.lab import switch_cli
from configlet.lab.switch_doors import Doorway
from configlet.lab.switch_ios import IosSwitch
from configlet.model.inventory import Device, Inventory

if TYPE_CHECKING:
    import asyncssh

SSH = 22
PORTS = (SSH,)


def make(device: Device, inventory: Inventory, apply: Callable[[str, str], None], speed: float) -> IosSwitch:
    """The switch of a device."""
    return IosSwitch(device, inventory, apply, speed)


async def serve(switch: IosSwitch, sock: socket.socket, key: Any, username: str, password: str) -> asyncssh.SSHAcceptor:
    """Serve a switch on a socket that is bound already. ``key`` is its asyncssh private key."""
    return await switch_cli.serve(switch.front(password), sock, key, username, password)


async def open_doors(switch: IosSwitch, door: Doorway) -> list[Any]:
    """Serve a switch at every port of this platform; what has to be kept."""
    return [await serve(switch, door.listen(SSH), door.key, door.username, door.password)]
