"""Everything that an answer about a site depends on, as bytes and digests, read before anything is understood."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from configlet import __version__
from configlet.model.frozen import dataclass
from configlet.platforms.content import search

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


def inputs(root: Path, site: str, today: date, before: Inputs | None = None) -> Inputs | None:
    """What an answer about a site on a day depends on; None where a site has files that are not plain ones. ``before``: what
    it was, as a file that has the same bytes has the same digest."""
    files: dict[str, bytes] = {}
    was = before.files if before else {}
    try:
        for path in _plain(f"{root}/inventory/{site}"):
            files[f"inventory/{site}/{path}"] = content(f"{root}/inventory/{site}/{path}")[1]
        digests = {
            name: before.digests[name] if before and was.get(name) == raw else hashlib.sha256(raw).hexdigest()
            for name, raw in files.items()
        }
        frame = _digest([ours().encode(), *_configlets(root), today.isoformat().encode()])
    except (OSError, ValueError):
        return None
    return Inputs(site, files, digests, frame)


@cache
def ours() -> str:
    """The digest of our own code, the interpreter, and the libraries that have a say in a text or an answer."""
    package = Path(__file__).resolve().parents[1]
    pieces = [FORMAT.encode(), __version__.encode(), sys.version.encode(), *_libraries()]
    for name in _below(str(package)):
        if name.endswith(".py"):
            pieces += [name.encode(), content(f"{package}/{name}")[1]]
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
    for layer in search(root):
        for name in _below(str(layer)):
            if name.endswith((".yaml", ".j2")) and "cases" not in name.split("/"):
                yield name.encode()
                yield content(f"{layer}/{name}")[1]


def _below(folder: str, within: str = "", above: tuple[os.stat_result, ...] = ()) -> Iterator[str]:
    """The names of all files below a folder, in order; what is linked counts as what it is, but for a way back up."""
    way = *above, Path(folder).stat()
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if not entry.is_dir():
            yield within + entry.name
        elif entry.name != "__pycache__" and not (entry.is_symlink() and _leads_back(entry, way)):
            yield from _below(entry.path, f"{within}{entry.name}/", way)


def _leads_back(entry: os.DirEntry[str], way: tuple[os.stat_result, ...]) -> bool:
    return any(os.path.samestat(entry.stat(), folder) for folder in way)


def _plain(folder: str, within: str = "") -> Iterator[str]:
    """Every file, in order. Raises ValueError for what is hidden, linked, no file, or has a name that is complained about."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.is_symlink() or entry.name.startswith("."):
            raise ValueError(entry.path)
        if entry.is_dir() and entry.name.isprintable():
            yield from _plain(entry.path, f"{within}{entry.name}/")
        elif entry.is_file() and entry.name.endswith(".yaml") and entry.name.isprintable():
            yield within + entry.name
        elif not entry.is_file() or entry.name.lower().endswith((".yaml", ".yml")):
            raise ValueError(entry.path)


def content(path: str) -> tuple[os.stat_result, bytes]:
    """A file as it is now, and its bytes, in four calls of the kernel: a file object needs nine, of ten thousand files."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        status = os.fstat(file)
        size = status.st_size
        found = os.read(file, size + 1)
        while len(found) != size and (more := os.read(file, 1 << 16)):
            found += more
        return status, found
    finally:
        os.close(file)


def _digest(pieces: Iterator[bytes] | list[bytes]) -> str:
    found = hashlib.sha256()
    for piece in pieces:
        found.update(len(piece).to_bytes(8, "big") + piece)
    return found.hexdigest()
