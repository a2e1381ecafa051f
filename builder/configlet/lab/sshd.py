"""The SSH server of a simulated host: shells and commands that run in the host's namespace with the real ``nft``."""

from __future__ import annotations

import asyncio
import fcntl
import hmac
import os
import signal
import socket
import struct
import subprocess
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from configlet.lab.host import LabHost, Streams

if TYPE_CHECKING:
    import asyncssh

KEY_EXCHANGES = (
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group14-sha256",
)
"""What paramiko 5 and OpenSSH both offer; paramiko lacks plain ``curve25519-sha256``."""
_LINGER = 1.0


async def _ready(descriptor: int, add: Callable[..., Any], remove: Callable[[int], Any]) -> None:
    """Wait until a descriptor can be read or written."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()
    add(descriptor, lambda: None if waiter.done() else waiter.set_result(None))
    try:
        await waiter
    finally:
        remove(descriptor)


async def _chunks(descriptor: int) -> AsyncIterator[bytes]:
    """What comes out of a pipe or terminal until it ends (a terminal without a process says EIO)."""
    loop = asyncio.get_running_loop()
    os.set_blocking(descriptor, False)
    while True:
        try:
            data = os.read(descriptor, 65536)
        except BlockingIOError:
            await _ready(descriptor, loop.add_reader, loop.remove_reader)
            continue
        except OSError:
            return
        if not data:
            return
        yield data


async def _pour(descriptor: int, data: bytes) -> None:
    """Write all of the data, waiting as often as the reader makes us."""
    loop = asyncio.get_running_loop()
    os.set_blocking(descriptor, False)
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            await _ready(descriptor, loop.add_writer, loop.remove_writer)


async def _outward(descriptor: int, writer: asyncssh.SSHWriter[bytes]) -> None:
    """From the command to the client; what a client that went away would have read is thrown away."""
    import asyncssh

    lost = False
    async for data in _chunks(descriptor):
        if not lost:
            try:
                writer.write(data)
                await writer.drain()
            except (asyncssh.Error, OSError):
                lost = True
    os.close(descriptor)


async def _inward(process: asyncssh.SSHServerProcess[bytes], descriptor: int, child: subprocess.Popen[bytes]) -> None:
    """From the client to the command: data, window sizes, signals, the end of the input."""
    import asyncssh

    try:
        while True:
            try:
                data = await process.stdin.read(65536)
            except asyncssh.TerminalSizeChanged as change:
                _resize(descriptor, change.width, change.height)
                continue
            except asyncssh.SignalReceived as received:
                _signal(child, received.signal)
                continue
            except asyncssh.BreakReceived:
                continue
            if not data:
                return
            await _pour(descriptor, data)
    except (asyncssh.Error, OSError):
        return  # the client or the command went away; the other side notices by itself
    finally:
        os.close(descriptor)


def _resize(terminal: int, width: int, height: int) -> None:
    with suppress(OSError):
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


def _signal(child: subprocess.Popen[bytes], name: str) -> None:
    number = getattr(signal, f"SIG{name}", None)
    if number is not None and child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, number)


async def _ended(child: subprocess.Popen[bytes]) -> int:
    """The command's exit status, or 128 and the signal."""
    loop = asyncio.get_running_loop()
    descriptor = os.pidfd_open(child.pid)
    try:
        await _ready(descriptor, loop.add_reader, loop.remove_reader)
    finally:
        os.close(descriptor)
    status = child.wait()
    return status if status >= 0 else 128 - status


def _start(host: LabHost, process: asyncssh.SSHServerProcess[bytes], user: str) -> tuple[Any, list[int], int]:
    """Start what the client asked for: the child, the descriptors that it writes to, the one that it reads from."""
    argv = ["/bin/sh", "-c", process.command] if process.command else ["bash", "--norc", "--noprofile"]
    environment = host.environment(user)
    if process.term_type:
        outer, inner = os.openpty()
        width, height, *_ = process.term_size
        _resize(outer, width or 80, height or 24)
        environment["TERM"] = process.term_type
        child = host.start(argv, Streams(inner, inner, inner), environment, terminal=True)
        return child, [outer], os.dup(outer)
    (in_r, in_w), (out_r, out_w), (err_r, err_w) = os.pipe(), os.pipe(), os.pipe()
    child = host.start(argv, Streams(in_r, out_w, err_w), environment)
    return child, [out_r, err_r], in_w


async def _serve_process(host: LabHost, process: asyncssh.SSHServerProcess[bytes]) -> None:
    """One shell or command from start to exit status.

    As with any SSH server, a command outlives a connection that is lost: it only sees the end of its input.
    """
    user = str(process.get_extra_info("username"))
    child, outputs, inlet = await asyncio.to_thread(_start, host, process, user)
    writers = (process.stdout, process.stderr)
    pumps = [asyncio.create_task(_outward(d, w)) for d, w in zip(outputs, writers, strict=False)]
    reader = asyncio.create_task(_inward(process, inlet, child))
    status = await _ended(child)
    await asyncio.wait(pumps, timeout=_LINGER)  # something detached may still hold the pipes
    reader.cancel()
    dark = host.dark(process.command or "")
    if dark:
        await asyncio.to_thread(host.link, "down")
        process.channel.get_connection().abort()
        asyncio.get_running_loop().call_later(dark, host.link, "up")
        return
    process.exit(status)


async def serve(host: LabHost, sock: socket.socket, key: Any, username: str, password: str) -> asyncssh.SSHAcceptor:
    """Serve a host on a socket that is bound already. ``key`` is its asyncssh private key."""
    import asyncssh

    class Login(asyncssh.SSHServer):
        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username_: str, password_: str) -> bool:
            same = hmac.compare_digest(username_.encode(), username.encode())
            return hmac.compare_digest(password_.encode(), password.encode()) and same

    async def handle(process: asyncssh.SSHServerProcess[bytes]) -> None:
        await _serve_process(host, process)

    return await asyncssh.listen(
        sock=sock,
        server_factory=Login,
        server_host_keys=[key],
        kex_algs=KEY_EXCHANGES,
        process_factory=handle,
        sftp_factory=True,
        encoding=None,
        line_editor=False,
        login_timeout=60,
    )
