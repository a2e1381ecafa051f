"""What was found before, kept under the sha256 of all that it was found from: below ``.configlet/cache/found``.

An entry is JSON, sealed (`kept.sealed`): what is damaged, moved, or made by anybody else is as if it were not there.

An entry can have parts, of which each is only understood when it is asked for: behind the first line, which says where
each stands, and under the same seal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from configlet.kept import Sealed, key_of_user

_ENCODER = json.JSONEncoder(separators=(",", ":"), default=str, check_circular=False)
"""What is kept holds no value inside itself, and to look for one takes a sixth of the time."""


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
        self._entries = Sealed(root / ".configlet" / "cache" / "found", key or key_of_user())

    @property
    def folder(self) -> Path:
        """Where the entries are."""
        return self._entries.folder

    def get(self, name: str) -> Any | None:
        """What was kept under a name, unless it is lost or not ours."""
        found = self.opened(name)
        return found[0] if found else None

    def opened(self, name: str) -> tuple[Any, Parts] | None:
        """The same with its parts."""
        content = self._entries.read(f"{name}.json")
        head, line, held = (content or b"").partition(b"\n")
        if not line:
            return None  # of an earlier form, or none
        value, spans = json.loads(head)
        return value, Parts(held, spans)

    def put(self, name: str, value: Any, parts: Mapping[str, Any] | None = None) -> None:
        """Keep a value, so that nobody ever reads half of it."""
        bodies = {part: _json(said) for part, said in (parts or {}).items()}
        ends = list(accumulate(map(len, bodies.values())))
        spans = dict(zip(bodies, pairwise([0, *ends]), strict=True))
        self._entries.write(f"{name}.json", b"".join((_json([value, spans]), b"\n", *bodies.values())))


def _json(value: Any) -> bytes:
    return _ENCODER.encode(value).encode()
