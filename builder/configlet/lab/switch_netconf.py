"""NETCONF 1.0 over SSH (RFC 4742, RFC 6241), whatever the vendor: hello, end-of-message framing, one reply a request.

What is behind it is a ``Peer``: it gets the element inside ``rpc`` and gives what stands inside ``rpc-reply``.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from configlet.lab.switch_cli import Dropped, listen
from configlet.lab.switch_management import Management

if TYPE_CHECKING:
    import asyncssh

END = b"]]>]]>"
BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
MOST = 64 * 1024 * 1024
"""Bytes of one request."""


class Refusal(Exception):  # noqa: N818 - the device's own words
    """A request that is answered with an rpc-error."""

    def __init__(self, message: str, tag: str = "operation-failed", bad: str = "", kind: str = "application") -> None:
        self.message, self.tag, self.bad, self.kind = message, tag, bad, kind
        super().__init__(message)


class Peer(Protocol):
    """One session."""

    def answer(self, request: ElementTree.Element) -> str:
        """What stands inside the reply to a request. Raises Refusal, or Dropped when the device hangs up on it."""

    def hang_up(self) -> None:
        """The session has ended, one way or the other."""


@dataclass(frozen=True, slots=True)
class Service:
    """What a personality puts behind NETCONF."""

    management: Management
    capabilities: Sequence[str]
    opened: Callable[[int, str], Peer]
    """A new session, by its number and its user."""
    delay: Callable[[], float]
    """Seconds that the login server takes."""
    attributes: str = ""
    """Further attributes of each reply, such as the vendor's namespace."""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1001))
    """Of the sessions, at whatever port they come in."""


def plain(element: ElementTree.Element) -> ElementTree.Element:
    """The same without namespaces."""
    for one in element.iter():
        one.tag = one.tag.rpartition("}")[2]
    return element


def _parsed(data: bytes) -> ElementTree.Element:
    """A message without namespaces. Raises ValueError; a document type, which alone can make entities, is refused."""
    if b"<!DOCTYPE" in data:
        raise ValueError("a document type")
    return plain(ElementTree.fromstring(data))  # noqa: S314 - no entities


def error(refusal: Refusal, severity: str = "error") -> str:
    """The rpc-error of a refusal."""
    bad = f"<error-info><bad-element>{escape(refusal.bad)}</bad-element></error-info>" if refusal.bad else ""
    return (
        f"<rpc-error><error-type>{refusal.kind}</error-type><error-tag>{refusal.tag}</error-tag>"
        f"<error-severity>{severity}</error-severity><error-message>{escape(refusal.message)}</error-message>{bad}</rpc-error>"
    )


def _hello(service: Service, number: int) -> bytes:
    capabilities = ("urn:ietf:params:netconf:base:1.0", *service.capabilities)
    said = "".join(f"<capability>{escape(one)}</capability>" for one in capabilities)
    text = f'<hello xmlns="{BASE}"><capabilities>{said}</capabilities><session-id>{number}</session-id></hello>'
    return text.encode() + END


def _reply(service: Service, peer: Peer, data: bytes) -> tuple[bytes, bool]:
    """The reply to one message, and whether the session goes on. Raises Dropped; ValueError for what is no request."""
    rpc = _parsed(data)
    if rpc.tag != "rpc":
        raise ValueError(f"no request: {rpc.tag}")
    more = True
    try:
        if len(rpc) != 1:
            raise Refusal("a request holds one operation", "malformed-message", kind="rpc")
        more = rpc[0].tag != "close-session"
        inner = peer.answer(rpc[0]) if more else "<ok/>"
    except Refusal as refusal:
        inner = error(refusal)
    said = "".join(f" {name}={quoteattr(value)}" for name, value in rpc.attrib.items())
    return f'<rpc-reply xmlns="{BASE}" {service.attributes}{said}>{inner}</rpc-reply>'.encode() + END, more


async def _message(reader: asyncssh.SSHReader[bytes], waiting: bytearray) -> bytes:
    """The next message; nothing when the client went away."""
    start = 0
    while (at := waiting.find(END, start)) < 0:
        start = max(0, len(waiting) - len(END))
        data = await reader.read(65536)
        if not data or len(waiting) > MOST:
            return b""
        waiting += data
    found = bytes(waiting[:at])
    del waiting[: at + len(END)]
    return found


async def _converse(
    service: Service, process: asyncssh.SSHServerProcess[bytes], peer: Peer, number: int, workers: Executor
) -> None:
    loop, waiting = asyncio.get_running_loop(), bytearray()
    process.stdout.write(_hello(service, number))
    hello = await _message(process.stdin, waiting)
    if not hello or _parsed(hello).tag != "hello":
        return
    more = True
    while more and (data := await _message(process.stdin, waiting)):
        reply, more = await loop.run_in_executor(workers, _reply, service, peer, data)
        if not service.management.reachable:
            raise Dropped("")
        process.stdout.write(reply)
        await process.stdout.drain()


async def serve(
    service: Service, sock: socket.socket, key: Any, username: str, password: str
) -> asyncssh.SSHAcceptor:
    """Serve the subsystem ``netconf`` on a socket that is bound already. ``key`` is an asyncssh private key."""
    import asyncssh

    loop = asyncio.get_running_loop()
    workers = ThreadPoolExecutor(16, thread_name_prefix="netconf")  # requests wait for the kernel and for stalls

    async def handle(process: asyncssh.SSHServerProcess[bytes]) -> None:
        if process.subsystem != "netconf":
            process.stderr.write(b"error: this simulated device serves the subsystem netconf only\n")
            process.exit(1)
            return
        number = next(service.numbers)
        peer = service.opened(number, str(process.get_extra_info("username")))
        try:
            await _converse(service, process, peer, number, workers)
            process.exit(0)
        except Dropped:
            process.channel.get_connection().abort()
        except (asyncssh.Error, OSError, ValueError, ElementTree.ParseError):
            process.close()  # a client that went away, or that speaks no NETCONF; there is nobody to tell
        finally:
            await loop.run_in_executor(workers, peer.hang_up)

    return await listen(service.management, service.delay, handle, sock, key, (username, password))
