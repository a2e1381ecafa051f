"""Everything that an answer about a site depends on, as bytes and digests, read before anything is understood."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from configlet import __version__
from configlet.platforms import content

FORMAT = "found/1"
LIBRARIES = ("jinja2", "markupsafe", "pyyaml", "cerberus")


@dataclass(frozen=True, slots=True)
class Inputs:
    """A site's files by their names below the workspace, their digests, and the ``frame``: code, configlets, day."""

    site: str
    files: Mapping[str, bytes]
    digests: Mapping[str, str]
    frame: str

    @property
    def content(self) -> str:
        """The digest of the site's files alone."""
        return _digest(f"{name}\0{digest}\n".encode() for name, digest in self.digests.items())

    @property
    def place(self) -> str:
        """The digest of everything but the site's files: what is kept of a site for the next time stands here."""
        return _digest([self.frame.encode(), self.site.encode()])

    @property
    def key(self) -> str:
        """The digest of everything."""
        return _digest([self.frame.encode(), self.site.encode() + b"\0", self.content.encode()])


def inputs(root: Path, site: str, today: date) -> Inputs | None:
    """What an answer about a site on a day depends on; None where a site has files that are not plain ones."""
    files: dict[str, bytes] = {}
    try:
        for path in _plain(root / "inventory" / site):
            files[path.relative_to(root).as_posix()] = path.read_bytes()
        digests = {name: hashlib.sha256(raw).hexdigest() for name, raw in files.items()}
        frame = _digest([ours().encode(), *_configlets(root), today.isoformat().encode()])
    except (OSError, ValueError):
        return None
    return Inputs(site, files, digests, frame)


@cache
def ours() -> str:
    """The digest of our own code, the interpreter, and the libraries that have a say in a text or an answer."""
    package = Path(__file__).resolve().parents[1]
    pieces = [FORMAT.encode(), __version__.encode(), sys.version.encode(), *_libraries()]
    for path in sorted(package.rglob("*.py")):
        pieces += [str(path.relative_to(package)).encode(), path.read_bytes()]
    return _digest(pieces)


def _libraries() -> Iterator[bytes]:
    """Name and version of each, from the names of their installed folders."""
    found = find_spec("jinja2")
    if found is None or found.origin is None:
        return
    folder = Path(found.origin).parents[1]
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        if name.endswith(".dist-info") and name.lower().startswith(LIBRARIES):
            yield name.encode()


def _configlets(root: Path) -> Iterator[bytes]:
    """All that the layers of configlets hold, in their order."""
    for layer in content.search(root):
        for path in sorted(layer.rglob("*")):
            if path.suffix in (".yaml", ".j2") and "cases" not in path.parts:
                yield path.relative_to(layer).as_posix().encode()
                yield path.read_bytes()


def _plain(folder: Path) -> Iterator[Path]:
    """Every file, in order. Raises ValueError for what is hidden, linked, no file, or not YAML by its name."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.is_symlink() or entry.name.startswith("."):
            raise ValueError(entry.path)
        if entry.is_dir():
            yield from _plain(Path(entry.path))
        elif entry.is_file() and entry.name.endswith(".yaml"):
            yield Path(entry.path)
        elif not entry.is_file() or entry.name.endswith(".yml"):
            raise ValueError(entry.path)


def _digest(pieces: Iterator[bytes] | list[bytes]) -> str:
    found = hashlib.sha256()
    for piece in pieces:
        found.update(len(piece).to_bytes(8, "big") + piece)
    return found.hexdigest()
