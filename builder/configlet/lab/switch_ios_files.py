"""Flash of a simulated IOS-XE switch, and what its command line says about files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from configlet.lab import switch_ios_config as ios_config
from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.switch_ios_state import IosState, stamp
from configlet.lab.switch_match import Said

SIZE = 64 * 1024 * 1024
"""Bytes that flash has room for."""
FLASH = ("flash:", "bootflash:")
RUNNING, STARTUP = "running-config", "startup-config"


@dataclass(frozen=True, slots=True)
class Where:
    """A place that a command names: ``running-config``, ``startup-config``, ``null:`` or a file in flash."""

    kind: str
    name: str = ""

    @property
    def shown(self) -> str:
        """As messages name it."""
        return f"flash:/{self.name}" if self.kind == "flash" else self.kind


def where(text: str, words: Sequence[str]) -> Where:
    """The place behind a name. Raises InvalidInput at its word for what the device does not have."""
    system = text.removeprefix("system:").removeprefix("nvram:").lstrip("/")
    for known in (RUNNING, STARTUP):
        if len(system) > 2 and known.startswith(system):
            return Where(known)
    if text == "null:":
        return Where("null:")
    for flash in FLASH:
        if text.startswith(flash):
            return Where("flash", text.removeprefix(flash).lstrip("/"))
    if ":" not in text and text.isprintable() and words[0] in ("delete", "more", "dir", "verify"):
        return Where("flash", text.lstrip("/"))
    raise InvalidInput(list(words).index(text), text)


def content(state: IosState, place: Where) -> bytes:
    """What a place holds. Raises Said when there is no such file."""
    if place.kind == RUNNING:
        return ios_config.file_text(state.running, state.changed).encode()
    if place.kind == STARTUP:
        return ios_config.file_text(state.startup, state.changed).encode()
    if place.kind == "null:":
        return b""
    if place.name not in state.files:
        raise Said(f"%Error opening {place.shown} (No such file or directory)")
    return state.files[place.name]


def put(state: IosState, name: str, data: bytes) -> None:
    """Write a file. Raises Said when flash is full or the name is none."""
    if not name or "/" in name or not name.isprintable() or len(name) > 127:
        raise Said(f"%Error opening flash:/{name} (Invalid argument)")
    if len(data) > free(state) + len(state.files.get(name, b"")):
        raise Said(f"%Error writing flash:/{name} (No space left on device)")
    state.files[name] = data


def free(state: IosState) -> int:
    """Bytes that are left in flash."""
    return SIZE - sum(len(data) for data in state.files.values())


def listing(state: IosState, place: Where) -> str:
    """What ``dir`` says about flash, or about one file in it."""
    names = sorted(state.files) if not place.name else [place.name]
    if place.name:
        content(state, place)
    rows = [f"{n:5}  -rw-  {len(state.files[f]):15}  {_date()}  {f}" for n, f in enumerate(names, 11)]
    head = f"Directory of {place.shown}"
    return "\n".join(
        [head, "", *(rows or ["No files in directory"]), "", f"{SIZE} bytes total ({free(state)} bytes free)", ""]
    )


def _date() -> str:
    time, _, _, month, day, year = stamp().split()
    return f"{month} {day} {year} {time} +00:00"


def digest(state: IosState, place: Where) -> str:
    """What ``verify /md5`` says about a file."""
    found = hashlib.md5(content(state, place), usedforsecurity=False).hexdigest()
    return f".MD5 of {place.shown} Done!\nverify /md5 ({place.shown}) = {found}\n"


def copied(data: bytes) -> str:
    """The last line of a copy."""
    return f"{len(data)} bytes copied in 0.024 secs ({len(data) * 42} bytes/sec)\n"
