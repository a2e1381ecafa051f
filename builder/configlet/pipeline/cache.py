"""What was found before, kept under the sha256 of all that it was found from: below ``.configlet/cache/found``.

An entry is JSON with a seal (HMAC) made with a key that only this user has, so that an entry that was damaged, cut off,
moved to another name, or made by anybody else is as if it were not there. Nothing fails because it cannot be kept.

An entry can have parts, of which each is only understood when it is asked for: behind the first line, which says where
each stands, and under the same seal.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

LIMIT = 512 * 1024 * 1024
"""Bytes that the entries of a workspace may take; the oldest go first."""
_SEAL = 64
_ENCODER = json.JSONEncoder(separators=(",", ":"), default=str)


class Parts:
    """The parts of one entry, by name."""

    def __init__(self, held: bytes, spans: Mapping[str, tuple[int, int]]) -> None:
        self._held, self._spans = held, spans

    def content(self, name: str) -> bytes:
        """The JSON of a part. Raises KeyError."""
        start, stop = self._spans[name]
        return self._held[start:stop]

    def value(self, name: str) -> Any:
        """What a part says. Raises KeyError."""
        return json.loads(self.content(name))


class Store:
    """The entries of one workspace. Without a key of this user's (no home, a full disk) nothing is kept or found."""

    def __init__(self, root: Path, key: bytes | None = None) -> None:
        self.folder = root / ".configlet" / "cache" / "found"
        self._key = key or _key()

    def get(self, name: str) -> Any | None:
        """What was kept under a name, unless it is lost or not ours."""
        found = self.opened(name)
        return found[0] if found else None

    def opened(self, name: str) -> tuple[Any, Parts] | None:
        """The same with its parts."""
        path = self.folder / f"{name}.json"
        try:
            kept = path.read_bytes()
        except OSError:
            return None
        seal, content = kept[:_SEAL], kept[_SEAL:]
        if self._key is None or not hmac.compare_digest(seal, self._sealed(name, content)):
            with suppress(OSError):
                path.unlink()
            return None
        with suppress(OSError):
            os.utime(path)
        head, line, held = content.partition(b"\n")
        if not line:
            return None  # of an earlier form
        value, spans = json.loads(head)
        return value, Parts(held, spans)

    def put(self, name: str, value: Any, parts: Mapping[str, Any] | None = None) -> None:
        """Keep a value, so that nobody ever reads half of it."""
        if self._key is None:
            return
        bodies = {part: _json(said) for part, said in (parts or {}).items()}
        ends = list(accumulate(map(len, bodies.values())))
        spans = dict(zip(bodies, pairwise([0, *ends]), strict=True))
        content = b"".join((_json([value, spans]), b"\n", *bodies.values()))
        with suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, part = tempfile.mkstemp(dir=self.folder, prefix=".")
            with os.fdopen(handle, "wb") as file:
                file.write(self._sealed(name, content))
                file.write(content)
            Path(part).replace(self.folder / f"{name}.json")
            self._forget()

    def _sealed(self, name: str, content: bytes) -> bytes:
        assert self._key is not None
        seal = hmac.new(self._key, name.encode() + b"\n", hashlib.sha256)
        seal.update(content)
        return seal.hexdigest().encode()

    def _forget(self) -> None:
        found = [(entry.stat().st_mtime_ns, entry.stat().st_size, entry.path) for entry in os.scandir(self.folder)]
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= LIMIT:
                return
            Path(path).unlink(missing_ok=True)
            total -= size


def _json(value: Any) -> bytes:
    return _ENCODER.encode(value).encode()


def _key() -> bytes | None:
    """This user's key for seals: made once, readable by nobody else."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    path = Path(base) / "configlet" / "cache.key"
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
