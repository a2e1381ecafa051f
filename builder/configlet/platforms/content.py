"""Where content is: what ships, and the operator's folders that lie over it file by file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from configlet.model.problem import Place, refuse

RESERVED = frozenset({"kinds", "nics", "stock"})
"""Folders of ``configlets/`` that are no platform, and the second name of what ships."""


def stock() -> Path:
    """The folder that holds what ships: inside an installed package, else the root of the checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "_stock"
    return inside if inside.is_dir() else package.parents[1]


def search(root: Path | None) -> tuple[Path, ...]:
    """The ``configlets`` folders, nearest first: the workspace's, then what ships."""
    shipped = (stock() / "configlets").resolve()
    own = None if root is None else (root / "configlets").resolve()
    return (shipped,) if own is None or own == shipped or not own.is_dir() else (own, shipped)


def find(layers: Sequence[Path], name: str) -> Path | None:
    """The nearest file of this name (``eos/acl.j2``); None when no layer has it.

    Raises Refused for one that is no file, such as a link that leads nowhere: what ships is no stand-in for it.
    """
    for path in (layer / name for layer in layers):
        if path.is_file():
            return path
        if os.path.lexists(path):
            detail = "It is a link that leads nowhere, or a folder. Mend it, or remove it to have the one behind it."
            raise refuse("Configlet that is no file", detail, Place(str(path)))
    return None


def folders(layers: Sequence[Path]) -> Iterator[str]:
    """The names of all platforms' folders, sorted."""
    found = {path.name for layer in layers if layer.is_dir() for path in layer.iterdir() if path.is_dir()}
    return iter(sorted(name for name in found - RESERVED if not name.startswith((".", "_"))))


def files(layers: Sequence[Path], folder: str, suffix: str) -> tuple[Path, ...]:
    """The nearest file of each name in a folder, sorted by name."""
    found: dict[str, Path] = {}
    for layer in layers:
        for path in sorted((layer / folder).glob(f"*{suffix}")):
            found.setdefault(path.name, path)
    return tuple(found[name] for name in sorted(found))
