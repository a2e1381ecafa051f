"""The SCP server of a simulated switch: one file to or from its flash."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncssh

MOST = 64 * 1024 * 1024


class Refuses(Exception):  # noqa: N818 - the device's own words
    """The device does not take or give the file; the text says why."""


@dataclass(frozen=True, slots=True)
class Flash:
    """How files come and go. Both raise Refuses."""

    read: Callable[[str], bytes]
    write: Callable[[str, bytes], None]


async def serve_scp(flash: Flash, process: asyncssh.SSHServerProcess[bytes], command: str) -> int:
    """Carry out ``scp -t PATH`` or ``scp -f PATH``; its exit status."""
    words = shlex.split(command)
    options, path = "".join(w for w in words[1:-1] if w.startswith("-")), words[-1]
    try:
        if "t" in options:
            await _sink(flash, process, path)
        elif "f" in options:
            await _source(flash, process, path)
        else:
            raise Refuses("only -t and -f are served")
    except Refuses as why:
        process.stdout.write(f"\x02{why}\n".encode())
        return 1
    return 0


async def _sink(flash: Flash, process: asyncssh.SSHServerProcess[bytes], path: str) -> None:
    """Receive files; each is written when the client has sent it whole."""
    process.stdout.write(b"\0")
    while line := await process.stdin.readline():
        kind, rest = line[:1], line[1:].split()
        if kind == b"T":
            process.stdout.write(b"\0")
            continue
        if kind != b"C" or len(rest) < 3 or not rest[1].isdigit() or int(rest[1]) > MOST:
            raise Refuses("protocol error")
        process.stdout.write(b"\0")
        data = await process.stdin.readexactly(int(rest[1]) + 1)
        flash.write(path, data[:-1])
        process.stdout.write(b"\0")


async def _source(flash: Flash, process: asyncssh.SSHServerProcess[bytes], path: str) -> None:
    data = flash.read(path)
    await process.stdin.readexactly(1)
    process.stdout.write(f"C0644 {len(data)} {path.rpartition('/')[2].rpartition(':')[2]}\n".encode())
    await process.stdin.readexactly(1)
    process.stdout.write(data + b"\0")
    await process.stdin.readexactly(1)


def _no_read(path: str) -> bytes:
    raise Refuses(f"{path}: this device serves no files over SCP")


def _no_write(path: str, _: bytes) -> None:
    raise Refuses(f"{path}: this device takes no files over SCP")


NO_FLASH = Flash(_no_read, _no_write)
"""For a device that serves no files."""
