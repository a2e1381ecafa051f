"""Which layer each file of a platform's kind comes from, and own copies of what ships.

A copy begins with one comment that names the version and the digest of what was copied, so that it can be told whether
the copy was changed since, and whether what ships has moved on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from configlet.platforms.content import find, stock

State = Literal["shipped", "copy", "changed", "behind", "apart", "own"]
"""``copy`` of what ships; ``changed`` since it was adopted; ``behind``, unchanged while what ships moved on; ``apart``,
both; ``own``, a file that names no version: of its own making, or not shipped at all."""

_HEADER = re.compile(r"(?:# |\{# )adopted from configlet (\S+), sha256 ([0-9a-f]{64})(?: #\})?\n")


@dataclass(frozen=True, slots=True)
class Found:
    """One file: where the winner is, its digest, and how it stands to what ships ("" when nothing ships)."""

    name: str
    path: Path
    digest: str
    state: State
    shipped: str
    adopted: str = ""
    """The version from which it was adopted, when it says so."""
    hidden: tuple[Path, ...] = ()
    """The files of other layers that it lies over."""

    @property
    def drifted(self) -> bool:
        """Whether what wins here is not what ships."""
        return self.state in ("changed", "behind", "apart") or (self.state == "own" and self.shipped != self.digest)


def names(platform: str, kind: str) -> tuple[str, str, str]:
    """The files of a platform's kind, as layers name them."""
    return f"{platform}/platform.yaml", f"{platform}/{kind}.j2", f"{platform}/{kind}.reader.yaml"


def which(layers: Sequence[Path], platform: str, kind: str) -> tuple[Found, ...]:
    """How each of these files stands, for those that any layer has."""
    return tuple(_found(layers, name, path) for name in names(platform, kind) if (path := find(layers, name)))


def _found(layers: Sequence[Path], name: str, path: Path) -> Found:
    shipped_path = (stock() / "configlets").resolve() / name
    shipped = digest(shipped_path.read_bytes()) if shipped_path.is_file() else ""
    hidden = tuple(layer / name for layer in layers if (layer / name).is_file() and layer / name != path)
    content = path.read_bytes()
    if path == shipped_path:
        return Found(name, path, shipped, "shipped", shipped, "", hidden)
    header = _HEADER.match(content.decode("utf-8", "replace"))
    if header is None:
        return Found(name, path, digest(content), "own", shipped, "", hidden)
    body = digest(content[len(header[0].encode()) :])
    return Found(name, path, body, _state(body, header[2], shipped), shipped, header[1], hidden)


def _state(body: str, adopted: str, shipped: str) -> State:
    if body == shipped:
        return "copy"
    if shipped == adopted:
        return "changed"
    return "behind" if body == adopted else "apart"


def copied(name: str, content: bytes, version: str) -> bytes:
    """What an own copy of a shipped file holds. The comment is no part of what a template gives."""
    said = f"adopted from configlet {version}, sha256 {digest(content)}"
    return (f"{{# {said} #}}\n" if name.endswith(".j2") else f"# {said}\n").encode() + content


def digest(content: bytes) -> str:
    """sha256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
