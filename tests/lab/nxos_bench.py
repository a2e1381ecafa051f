"""A simulated NX-OS switch behind NX-API and SSH on the loopback, and unmodified clients for it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from configlet.lab.personalities import nxos
from configlet.lab.switch_nxos import NxosSwitch
from tests.lab.cli_bench import Served, options
from tests.lab.eos_bench import LEAF, PASSWORD, SITE, USER, Planes

NXOS_LEAF = replace(LEAF, platform="nxos", model="N9K-C93180YC-FX")


def make_nxos(speed: float = 1.0, planes: Planes | None = None) -> NxosSwitch:
    """The switch of the small site as an NX-OS switch."""
    return NxosSwitch(NXOS_LEAF, replace(SITE, devices=(NXOS_LEAF,)), planes or Planes(), speed)


@contextmanager
def nxapi(switch: NxosSwitch, context: ssl.SSLContext) -> Iterator[int]:
    """NX-API on a port of 127.0.0.1 while the block runs."""
    sock = socket.create_server(("127.0.0.1", 0))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(nxos.serve(switch, sock, context, USER, PASSWORD), loop).result(10)
    try:
        yield sock.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.05), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def napalm_api(port: int, folder: Path, password: str = PASSWORD) -> Any:
    """An unmodified NAPALM nxos driver that trusts the test CA alone, not opened yet."""
    from napalm.nxos import NXOSDriver

    more = {"port": port, "ssl_verify": str(folder / "ca.pem")}
    return NXOSDriver("127.0.0.1", USER, password, timeout=20, optional_args=more)


def napalm_ssh(at: Served, password: str = PASSWORD) -> Any:
    """An unmodified NAPALM nxos_ssh driver, not opened yet."""
    from napalm.nxos_ssh import NXOSSSHDriver

    return NXOSSSHDriver("127.0.0.1", USER, password, timeout=20, optional_args=options(at))
