"""Bootflash of a simulated NX-OS switch, and what its command line says about files."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.switch_match import Said
from configlet.lab.switch_nxos_state import NxosState

SIZE = 64 * 1024 * 1024
"""Bytes that bootflash has room for."""
NONE = "No such file or directory"


def name_of(text: str, token: int) -> str:
    """The name of a file in bootflash. Raises InvalidInput at its word for another file system."""
    system, colon, name = text.rpartition(":")
    if (colon and system != "bootflash") or not name.isprintable():
        raise InvalidInput(token, text)
    return name.lstrip("/")


def content(state: NxosState, name: str) -> bytes:
    """What a file holds. Raises Said when there is none of that name."""
    if name not in state.files:
        raise Said(NONE)
    return state.files[name]


def put(state: NxosState, name: str, data: bytes) -> None:
    """Write a file. Raises Said when bootflash is full or the name is none."""
    if not name or "/" in name or not name.isprintable() or len(name) > 80:
        raise Said(f"{name}: Invalid argument")
    if len(data) > free(state) + len(state.files.get(name, b"")):
        raise Said("No space left on device")
    state.files[name] = data


def free(state: NxosState) -> int:
    """Bytes that are left."""
    return SIZE - sum(len(data) for data in state.files.values())


def listing(state: NxosState, name: str) -> str:
    """What ``dir`` says about bootflash, or about one file in it."""
    if name:
        content(state, name)
    now = datetime.now(UTC)
    rows = [f"{len(state.files[f]):11}    {now:%b %d %H:%M:%S %Y}  {f}" for f in ([name] if name else sorted(state.files))]
    used = SIZE - free(state)
    tail = [f"{used:11} bytes used", f"{free(state):11} bytes free", f"{SIZE:11} bytes total"]
    return "\n".join([*rows, "", "Usage for bootflash://sup-local", *tail, ""])


def digest(state: NxosState, name: str) -> str:
    """What ``show file ... md5sum`` says."""
    return hashlib.md5(content(state, name), usedforsecurity=False).hexdigest() + "\n"
