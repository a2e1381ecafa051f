"""HTTPS before a simulated switch: HTTP/1.1 with Basic authentication, one path to which commands are posted."""

from __future__ import annotations

import asyncio
import base64
import hmac
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

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


@dataclass(frozen=True, slots=True)
class Service:
    """What is served: its path, the realm of its passwords, and what answers a posted body for a user."""

    path: str
    realm: str
    answer: Callable[[bytes, str], bytes]


class Reachable(Protocol):
    """What stands behind the door."""

    @property
    def reachable(self) -> bool:
        """Whether the management interface answers at the moment."""


async def serve(
    switch: Reachable, sock: socket.socket, ssl_context: ssl.SSLContext, service: Service, username: str, password: str
) -> asyncio.Server:
    """Serve a switch on a socket that is bound already. Close the server to end it."""
    token = base64.b64encode(f"{username}:{password}".encode()).decode()
    # Commands wait for the kernel and for stalls, and must not hold up other connections. The threads belong to this
    # server: kept by the module, they would be missing in a process that was forked after their first use.
    workers = ThreadPoolExecutor(32, thread_name_prefix="https")

    async def run(body: bytes, user: str) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(workers, service.answer, body, user)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if switch.reachable:
                await writer.start_tls(ssl_context, ssl_handshake_timeout=PATIENCE)
                await _converse(switch, service, run, reader, writer, username, f"Basic {token}")
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
            pass  # a client that went away, or that speaks no HTTP; there is nobody to tell
        finally:
            writer.transport.abort()

    return await asyncio.start_server(connected, sock=sock, backlog=128)


async def _converse(
    switch: Reachable,
    service: Service,
    run: Callable[[bytes, str], Awaitable[bytes]],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    username: str,
    expected: str,
) -> None:
    while request := await asyncio.wait_for(_read(reader), PATIENCE):
        status, body = _refusal(service, request, expected)
        if status == 200:
            body = await run(request.body, username)
        if not switch.reachable:
            return
        writer.write(_response(service, status, body))
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


def _refusal(service: Service, request: Request, expected: str) -> tuple[int, bytes]:
    """The status that the request deserves before it is looked into; 200 goes on."""
    if request.path.rstrip("/") != service.path:
        return 404, b"Not Found"
    if not hmac.compare_digest(request.headers.get("authorization", "").encode(), expected.encode()):
        return 401, b"Unable to authenticate user: Bad username/password combination"
    if request.method != "POST":
        return 405, b"Method Not Allowed"
    return 200, b""


def _response(service: Service, status: int, body: bytes) -> bytes:
    kind = "application/json" if status == 200 else "text/plain"
    head = [f"HTTP/1.1 {status} {REASONS[status]}", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    head += [f'WWW-Authenticate: Basic realm="{service.realm}"'] * (status == 401)
    return "\r\n".join([*head, "", ""]).encode() + body
