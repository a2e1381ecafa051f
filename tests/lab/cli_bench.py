"""Simulated switches behind SSH on the loopback, and unmodified clients for them."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh

from configlet.lab import switch_cli
from configlet.lab.switch_ios import IosSwitch
from tests.lab.eos_bench import LEAF, PASSWORD, SITE, USER, Planes

IOS_LEAF = replace(LEAF, platform="ios", model="C9500-48Y4C")
Served = tuple[int, Path]
Open = Callable[..., Any]


def make_ios(speed: float = 1.0, planes: Planes | None = None) -> IosSwitch:
    """The switch of the small site as an IOS-XE switch."""
    return IosSwitch(IOS_LEAF, replace(SITE, devices=(IOS_LEAF,)), planes or Planes(), speed)


def shell(switch: Any, *lines: str) -> list[str]:
    """What a new login is told to each line, without SSH in between."""
    terminal = switch.terminal(USER)
    try:
        return [terminal.line(line, False) for line in lines]
    finally:
        terminal.hang_up()


@contextmanager
def served(switch: Any, front: Any, folder: Path, serve: Open = switch_cli.serve) -> Iterator[Served]:
    """The switch behind SSH on a port of 127.0.0.1; the port, and a known_hosts that holds its key.

    ``serve`` puts ``front`` behind SSH: a command line, or the subsystem of another protocol.
    """
    sock = socket.create_server(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    key = asyncssh.generate_private_key("ssh-ed25519")
    known = folder / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {key.export_public_key().decode()}")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(serve(front, sock, key, USER, PASSWORD), loop).result(10)
    try:
        yield port, known
    finally:
        loop.call_soon_threadsafe(server.close)
        switch.management.cut(0)
        left = asyncio.run_coroutine_threadsafe(_ended(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        switch.stop()
    assert not left, f"the switch still serves {left}"


async def _ended() -> set[Any]:
    """What a server that was closed still does after a while."""
    await asyncio.sleep(0.02)
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    return (await asyncio.wait(tasks, timeout=5))[1] if tasks else set()


def typed(link: Any, lines: list[str]) -> str:
    """Everything that comes back for lines that are written at once, until the connection ends or the prompt is back."""
    channel = link.remote_conn
    channel.send("".join(f"{line}\n" for line in lines))
    found = ""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not channel.closed and found.count("#") < len(lines):
        if channel.recv_ready():
            found += channel.recv(65536).decode()
        else:
            time.sleep(0.005)
    return found


def options(at: Served) -> dict[str, Any]:
    """How a client is told to trust the switch, and only it."""
    port, known = at
    return {"port": port, "ssh_strict": True, "alt_host_keys": True, "alt_key_file": str(known)}


def napalm_ios(at: Served, password: str = PASSWORD, **more: Any) -> Any:
    """An unmodified NAPALM ios driver, not opened yet."""
    from napalm.ios import IOSDriver

    return IOSDriver("127.0.0.1", USER, password, timeout=20, optional_args=options(at) | more)


def netmiko(at: Served, kind: str, password: str = PASSWORD, **more: Any) -> Any:
    """An unmodified netmiko connection, open."""
    from netmiko import ConnectHandler

    return ConnectHandler(device_type=kind, host="127.0.0.1", username=USER, password=password, **options(at), **more)
