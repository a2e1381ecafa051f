"""Files that were read and judged before, kept by the sha256 of their bytes: only an accelerator.

Of a file that shapes read it is kept how many events the C parser has for it, and that it was judged: to read it by shapes
again costs less than to keep what it says. Of others, what they say. Either is sealed (`kept.sealed`), so that nobody else
can have a file taken as judged. What is missing, foreign, spoiled, or of another version of ours is as if it were not
there, and nothing fails because it cannot be kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Protocol

from configlet import __version__
from configlet.kept import Sealed, key_of_user

LEAST = 64 * 1024
"""Bytes of a file below which reading it again costs less than looking it up."""
COUNTS = 16_384
"""Of more files than so many the events are not kept; the first that were put go."""


_COUNTS = "counts"


class Cache(Protocol):
    """Whatever remembers bytes by bytes, and numbers."""

    def get(self, key: bytes, /) -> bytes | None:
        """What was put under a key, unless it is lost."""

    def put(self, key: bytes, content: bytes, /) -> None:
        """Remember, if it can be done."""

    def counted(self, key: bytes, /) -> int | None:
        """The number that was given with a key, unless it is lost."""

    def count(self, found: Iterable[tuple[bytes, int]], /) -> None:
        """Remember numbers of keys, if it can be done."""


class _Nothing:
    def get(self, _: bytes) -> bytes | None:
        return None

    def put(self, _: bytes, __: bytes) -> None:
        return None

    def counted(self, _: bytes) -> int | None:
        return None

    def count(self, _: Iterable[tuple[bytes, int]]) -> None:
        return None


NOTHING: Cache = _Nothing()


class FileCache:
    """Entries as files of one folder, which is made when the first is put; keys shorter than ``least`` have none."""

    def __init__(self, folder: Path, least: int = LEAST) -> None:
        self._entries, self.least = Sealed(folder, key_of_user()), least
        self._counts: dict[str, int] | None = None

    def get(self, key: bytes) -> bytes | None:
        """The content of an entry that is whole."""
        if len(key) < self.least or not self._entries.folder.is_dir():
            return None
        return self._entries.read(_name(key))

    def put(self, key: bytes, content: bytes) -> None:
        """Write an entry so that nobody ever reads half of it."""
        if len(key) >= self.least:
            self._entries.write(_name(key), content)

    def counted(self, key: bytes) -> int | None:
        """The number of a key, however short."""
        known = self._known()
        return known.get(_name(key)) if known else None

    def count(self, found: Iterable[tuple[bytes, int]]) -> None:
        """Write the numbers of keys beside those that are kept; of many the last are left."""
        known = {**self._known(), **{_name(key): number for key, number in found}}
        self._counts = dict([*known.items()][-COUNTS:])
        self._entries.write(_COUNTS, json.dumps(self._counts).encode())

    def _known(self) -> dict[str, int]:
        if self._counts is None:
            self._counts = _counts_in(self._entries.read(_COUNTS) or b"{}")
        return self._counts


def _counts_in(content: bytes) -> dict[str, int]:
    """The numbers by name; none at all when anything else stands there."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    right = type(found) is dict and all(type(number) is int and number > 0 for number in found.values())
    return found if right else {}


def _name(key: bytes) -> str:
    return hashlib.sha256(ours() + key).hexdigest()


@cache
def ours() -> bytes:
    """What an entry depends on besides its key: our version, and the modules that read and judge."""
    found = hashlib.sha256(__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.name.encode() + b"\n" + hashlib.sha256(path.read_bytes()).digest())
    return found.digest()
