"""The management of a simulated EOS switch: eAPI on port 443, and its command line over SSH on port 22.

eAPI is JSON-RPC over HTTPS as unmodified NAPALM and pyeapi speak it. HTTP/1.1, ``POST /command-api``,
Basic authentication; the shape of the answers is that of EOS 4.33.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from configlet.lab import switch_cli
from configlet.lab.switch import CommandFailed, Failure, Switch
from configlet.lab.switch_doors import Doorway
from configlet.model.inventory import Device, Inventory

SSH, HTTPS = 22, 443
PORTS = (HTTPS, SSH)
MOST_BODY = 16 * 1024 * 1024
MOST_HEADERS = 64
PATIENCE = 60.0
"""Seconds that a client may take for its handshake, and for one request."""
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed"}


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


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
    token = base64.b64encode(f"{username}:{password}".encode()).decode()
    # Commands wait for the kernel and for stalls, and must not hold up other connections. The threads belong to this
    # server: kept by the module, they would be missing in a process that was forked after their first use.
    workers = ThreadPoolExecutor(32, thread_name_prefix="eapi")

    async def run(body: bytes, user: str) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(workers, answer, switch, body, user)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if switch.reachable:
                await writer.start_tls(ssl_context, ssl_handshake_timeout=PATIENCE)
                await _converse(switch, run, reader, writer, username, f"Basic {token}")
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
            pass  # a client that went away, or that speaks no HTTP; there is nobody to tell
        finally:
            writer.transport.abort()

    return await asyncio.start_server(connected, sock=sock, backlog=128)


async def _converse(
    switch: Switch,
    run: Callable[[bytes, str], Awaitable[bytes]],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    username: str,
    expected: str,
) -> None:
    while request := await asyncio.wait_for(_read(reader), PATIENCE):
        status, body = _refusal(request, expected)
        if status == 200:
            body = await run(request.body, username)
        if not switch.reachable:
            return
        writer.write(_response(status, body))
        await asyncio.wait_for(writer.drain(), PATIENCE)
        if request.headers.get("connection", "").lower() == "close":
            writer.close()
            await asyncio.wait_for(writer.wait_closed(), PATIENCE)
            return


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """The next request, or None when the client is done. Raises ValueError for what is not HTTP."""
    first = await reader.readline()
    if not first:
        return None
    method, path, _ = first.decode("ascii").split()
    headers: dict[str, str] = {}
    while line := (await reader.readline()).strip():
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or len(headers) >= MOST_HEADERS:
            raise ValueError("not an HTTP header")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= MOST_BODY:
        raise ValueError("too long a request")
    return Request(method, path, headers, await reader.readexactly(length))


def _refusal(request: Request, expected: str) -> tuple[int, bytes]:
    """The status that the request deserves before it is looked into; 200 goes on."""
    if request.path.rstrip("/") != "/command-api":
        return 404, b"Not Found"
    if not hmac.compare_digest(request.headers.get("authorization", "").encode(), expected.encode()):
        return 401, b"Unable to authenticate user: Bad username/password combination"
    if request.method != "POST":
        return 405, b"Method Not Allowed"
    return 200, b""


def _response(status: int, body: bytes) -> bytes:
    kind = "application/json" if status == 200 else "text/plain"
    head = [f"HTTP/1.1 {status} {REASONS[status]}", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    head += ['WWW-Authenticate: Basic realm="COMMAND_API_AUTH"'] * (status == 401)
    return "\r\n".join([*head, "", ""]).encode() + body


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
