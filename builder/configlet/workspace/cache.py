"""Files that were read and judged before, kept by the sha256 of their bytes: only an accelerator.

An entry is text with its own sha256 in front. What is missing, foreign, spoiled, or of another version of ours is as if
it were not there, and nothing fails because it cannot be kept.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import Protocol

from configlet import __version__

LEAST = 64 * 1024
"""Bytes of a file below which reading it again costs less than looking it up."""
ENTRIES = 512
"""More than so many are not kept; the oldest go."""


class Cache(Protocol):
    """Whatever remembers bytes by bytes."""

    def get(self, key: bytes, /) -> bytes | None:
        """What was put under a key, unless it is lost."""

    def put(self, key: bytes, content: bytes, /) -> None:
        """Remember, if it can be done."""


class _Nothing:
    def get(self, _: bytes) -> bytes | None:
        return None

    def put(self, _: bytes, __: bytes) -> None:
        return None


NOTHING: Cache = _Nothing()


class FileCache:
    """Entries as files of one folder, which is made when the first is put; keys shorter than ``least`` have none."""

    def __init__(self, folder: Path, least: int = LEAST) -> None:
        self.folder, self.least = folder, least

    def get(self, key: bytes) -> bytes | None:
        """The content of an entry that is whole."""
        if len(key) < self.least or not self.folder.is_dir():
            return None
        try:
            kept = (self.folder / _name(key)).read_bytes()
        except OSError:
            return None
        digest, content = kept[:65], kept[65:]
        return content if digest == _digest(content) else None

    def put(self, key: bytes, content: bytes) -> None:
        """Write an entry so that nobody ever reads half of it."""
        if len(key) < self.least:
            return
        import tempfile

        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.folder)
            with os.fdopen(handle, "wb") as file:
                file.write(_digest(content) + content)
            Path(name).replace(self.folder / _name(key))
            self._forget()
        except OSError:
            return

    def _forget(self) -> None:
        with os.scandir(self.folder) as entries:
            if sum(1 for _ in entries) <= ENTRIES:
                return
        for path in sorted(self.folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)[:-ENTRIES]:
            path.unlink(missing_ok=True)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode() + b"\n"


def _name(key: bytes) -> str:
    return hashlib.sha256(ours() + key).hexdigest()


@cache
def ours() -> bytes:
    """What an entry depends on besides its key: our version, and the modules that read and judge."""
    found = hashlib.sha256(__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.name.encode() + b"\n" + hashlib.sha256(path.read_bytes()).digest())
    return found.digest()
