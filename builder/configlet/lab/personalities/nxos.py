"""The management of a simulated NX-OS switch: its command line and SCP server over SSH, and NX-API on port 443.

NX-API is JSON-RPC over HTTPS as NAPALM's ``nxos`` driver speaks it: ``POST /ins`` with a list of commands, the method
``cli`` for objects and ``cli_ascii`` for text (Cisco Nexus 9000 Programmability Guide, NX-API CLI).
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from configlet.lab import switch_cli, switch_https
from configlet.lab.switch_doors import Doorway
from configlet.lab.switch_https import Service
from configlet.lab.switch_nxos import NxosSwitch, Reply
from configlet.model.inventory import Device, Inventory

if TYPE_CHECKING:
    import asyncio

SSH, HTTPS = 22, 443
PORTS = (SSH, HTTPS)
METHODS = ("cli", "cli_ascii")


def make(device: Device, inventory: Inventory, apply: Callable[[str, str], None], speed: float) -> NxosSwitch:
    """The switch of a device."""
    return NxosSwitch(device, inventory, apply, speed)


async def open_doors(switch: NxosSwitch, door: Doorway) -> list[Any]:
    """Serve a switch at every port of this platform; what has to be kept."""
    return [
        await switch_cli.serve(switch.front(), door.listen(SSH), door.key, door.username, door.password),
        await serve(switch, door.listen(HTTPS), door.context, door.username, door.password),
    ]


async def serve(
    switch: NxosSwitch, sock: socket.socket, ssl_context: ssl.SSLContext, username: str, password: str
) -> asyncio.Server:
    """Serve NX-API on a socket that is bound already. Close the server to end it."""
    service = Service("/ins", "Secure Zone", partial(answer, switch))
    return await switch_https.serve(switch, sock, ssl_context, service, username, password)


def answer(switch: NxosSwitch, body: bytes, username: str) -> bytes:
    """The answer to one request body: a list for several commands, an object for one."""
    try:
        items = json.loads(body)
    except (ValueError, RecursionError):
        return json.dumps(_error(None, -32700, "Parse error", "")).encode()
    items = items if isinstance(items, list) else [items]
    wrong = next((item for item in items if not _valid(item)), None)
    if wrong is not None or not items:
        return json.dumps(_error(None, -32600, "Invalid request", "Invalid Request")).encode()
    replies = switch.request([item["params"]["cmd"] for item in items], username)
    out = [_item(item, reply) for item, reply in zip(items, replies, strict=False)]
    return json.dumps(out[0] if len(out) == 1 else out).encode()


def _valid(item: Any) -> bool:
    if not isinstance(item, dict) or item.get("jsonrpc") != "2.0" or item.get("method") not in METHODS:
        return False
    params: Any = item.get("params")
    known = isinstance(params, dict) and set(params) == {"cmd", "version"}
    return known and isinstance(params["cmd"], str) and params["version"] == 1


def _item(item: Any, reply: Reply) -> dict[str, Any]:
    if reply.error:
        return _error(item["id"], -32602, "Invalid params", reply.error)
    if item["method"] == "cli_ascii":
        return {"jsonrpc": "2.0", "result": {"msg": reply.text}, "id": item["id"]}
    if reply.data is not None:
        return {"jsonrpc": "2.0", "result": {"body": reply.data}, "id": item["id"]}
    if item["params"]["cmd"].split()[:1] == ["show"]:
        return _error(item["id"], -32602, "Invalid params", "structured output unsupported")
    return {"jsonrpc": "2.0", "result": {"msg": reply.text} if reply.text else None, "id": item["id"]}


def _error(ident: Any, code: int, message: str, detail: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": {"code": code, "message": message, "data": {"msg": detail}}, "id": ident}
