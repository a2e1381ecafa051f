"""The management of a simulated EOS switch: eAPI on port 443, and its command line over SSH on port 22.

eAPI is JSON-RPC over HTTPS as unmodified NAPALM and pyeapi speak it. HTTP/1.1, ``POST /command-api``,
Basic authentication; the shape of the answers is that of EOS 4.33.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any

from configlet.lab import switch_cli, switch_https
from configlet.lab.switch import CommandFailed, Failure, Switch
from configlet.lab.switch_doors import Doorway
from configlet.lab.switch_https import Service
from configlet.model.inventory import Device, Inventory

SSH, HTTPS = 22, 443
PORTS = (HTTPS, SSH)


def make(device: Device, inventory: Inventory, apply: Callable[[str, str], None], speed: float) -> Switch:
    """The switch of a device."""
    return Switch(device, inventory, apply, speed)


async def open_doors(switch: Switch, door: Doorway) -> list[Any]:
    """Serve a switch at every port of this platform; what has to be kept."""
    return [
        await serve(switch, door.listen(HTTPS), door.context, door.username, door.password),
        await switch_cli.serve(switch.front(), door.listen(SSH), door.key, door.username, door.password),
    ]


async def serve(
    switch: Switch, sock: socket.socket, ssl_context: ssl.SSLContext, username: str, password: str
) -> asyncio.Server:
    """Serve a switch on a socket that is bound already. Close the server to end it."""
    service = Service("/command-api", "COMMAND_API_AUTH", partial(answer, switch))
    return await switch_https.serve(switch, sock, ssl_context, service, username, password)


def answer(switch: Switch, body: bytes, username: str) -> bytes:
    """The JSON-RPC answer to one request body."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return _error(None, -32700, "Parse error")
    ident = message.get("id") if isinstance(message, dict) else None
    problem = _invalid(message)
    if problem is not None:
        return _error(ident, *problem)
    params = message["params"]
    try:
        result = switch.run(params["cmds"], params.get("format", "json"), username)
    except CommandFailed as failed:
        return _failure(ident, failed.failure, len(params["cmds"]), params.get("format", "json"))
    return json.dumps({"jsonrpc": "2.0", "id": ident, "result": result}).encode()


def _invalid(message: Any) -> tuple[int, str] | None:
    """Why a message is not a request that eAPI takes."""
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        return -32600, "Invalid request"
    if message.get("method") != "runCmds":
        return -32601, f"Method not found: {message.get('method')}"
    params = message.get("params")
    if not isinstance(params, dict) or params.get("version") not in (1, "latest"):
        return -32602, "Invalid params: version must be 1 or latest"
    unknown = set(params) - {"version", "cmds", "format", "timestamps", "autoComplete", "expandAliases"}
    if unknown:
        return -32602, f"Invalid params: unexpected keyword argument '{min(unknown)}'"
    if params.get("format", "json") not in ("json", "text"):
        return -32602, "Invalid params: format must be json or text"
    cmds = params.get("cmds")
    if not isinstance(cmds, list) or not all(isinstance(c, str | dict) for c in cmds):
        return -32602, "Invalid params: cmds must be a list of commands"
    return None


def _failure(ident: Any, failed: Failure, total: int, encoding: str) -> bytes:
    done = [reply.data if encoding == "json" else {"output": reply.text} for reply in failed.done]
    text = f"CLI command {failed.index} of {total} '{failed.command}' failed: {failed.kind}"
    return _error(ident, failed.code, text, [*done, {"errors": [failed.error]}])


def _error(ident: Any, code: int, text: str, data: list[Any] | None = None) -> bytes:
    error: dict[str, Any] = {"code": code, "message": text}
    if data is not None:
        error["data"] = data
    return json.dumps({"jsonrpc": "2.0", "id": ident, "error": error}).encode()
