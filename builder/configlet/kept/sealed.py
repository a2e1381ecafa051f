"""A folder of entries, each with a seal in front: an HMAC (RFC 2104) with a key that only this user has.

An entry that was damaged, cut off, moved to another name, or made by anybody else is as if it were not there. Nothing
fails because it cannot be kept.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

LIMIT = 512 * 1024 * 1024
"""Bytes that the entries of a folder may take; the oldest go first."""
_SEAL = 64


class Sealed:
    """The entries of one folder, which is made when the first is written.

    Without a ``key`` nothing is kept or found.
    """

    def __init__(self, folder: Path, key: bytes | None) -> None:
        self.folder, self._key = folder, key

    def read(self, name: str) -> bytes | None:
        """The content of an entry that is whole and ours; what is not is removed."""
        path = self.folder / name
        try:
            kept = path.read_bytes() if path.is_file() else b""  # who reads a pipe waits for ever
        except OSError:
            return None
        seal, content = kept[:_SEAL], kept[_SEAL:]
        if self._key is None or not hmac.compare_digest(seal, _seal(self._key, name, content)):
            with suppress(OSError):
                path.unlink()
            return None
        with suppress(OSError):
            os.utime(path)
        return content

    def write(self, name: str, content: bytes) -> None:
        """Keep an entry, so that nobody ever reads half of it."""
        if self._key is None:
            return
        with suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, part = tempfile.mkstemp(dir=self.folder, prefix=".")
            with os.fdopen(handle, "wb") as file:
                file.write(_seal(self._key, name, content))
                file.write(content)
            Path(part).replace(self.folder / name)
            self._forget()

    def _forget(self) -> None:
        files = [entry for entry in os.scandir(self.folder) if entry.is_file()]
        found = [(entry.stat().st_mtime_ns, entry.stat().st_size, entry.path) for entry in files]
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= LIMIT:
                return
            if _is_ours(path):  # a workspace may come with a link in the place of its folder
                Path(path).unlink(missing_ok=True)
                total -= size


def _is_ours(path: str) -> bool:
    """Whether a file begins as entries do; one that was never finished begins with nothing, or does so too."""
    with Path(path).open("rb") as file:
        return not file.read(_SEAL).strip(b"0123456789abcdef")


def _seal(key: bytes, name: str, content: bytes) -> bytes:
    made = hmac.new(key, name.encode() + b"\n", hashlib.sha256)
    made.update(content)
    return made.hexdigest().encode()


def key_of_user() -> bytes | None:
    """This user's key for seals: made once, readable by nobody else; None where none can be kept."""
    try:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    except RuntimeError:  # a user without a home
        return None
    path = base / "configlet" / "cache.key"
    for _ in range(2):
        try:
            status = path.stat()
            if status.st_uid == os.geteuid() and not status.st_mode & 0o077:
                found = path.read_bytes()
                return found if len(found) == 32 else None
            return None
        except FileNotFoundError:
            with suppress(OSError):
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.write(secrets.token_bytes(32))
        except OSError:
            return None
    return None
