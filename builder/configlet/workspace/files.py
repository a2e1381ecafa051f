"""The operator's folders: finding the workspace, its sites, and one site's files joined into one document."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from configlet.model.problem import Place, Problem, Refused, refuse
from configlet.workspace.cache import NOTHING, Cache
from configlet.workspace.document import Document, Part, join, quick_part
from configlet.workspace.shapes import Shapes
from configlet.workspace.strict import BYTES, read
from configlet.workspace.suggest import did_you_mean

MANY = 64 * 1024
"""Bytes of a site from which on reading by shapes pays."""


def find_root(start: Path) -> Path:
    """The nearest folder from ``start`` upwards that holds ``inventory/``. Raises Refused when there is none."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / "inventory").is_dir():
            return folder
    raise refuse(
        "No workspace",
        f"Neither {start} nor a folder above it holds `inventory/`. Go to your workspace, or make one: configlet init DIR.",
    )


def sites(root: Path) -> tuple[str, ...]:
    """The names of the sites of a workspace, sorted; empty when there are none. Raises Refused for one that is no text."""
    folder = root / "inventory"
    if not folder.is_dir():
        return ()
    names = sorted(each.name for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))
    for name in names:
        if not name.isprintable():
            raise Refused((_unnameable(f"inventory/{name}"),))
    return tuple(names)


def read_site(
    root: Path, site: str, *, quick: bool = True, cache: Cache = NOTHING, given: Mapping[str, bytes] | None = None
) -> tuple[Document | None, tuple[Problem, ...], tuple[Problem, ...]]:
    """The joined document of a site, its complaints and warnings. Raises Refused when there is no such site.

    ``quick`` lets files of many alike items be read by their shapes, or come from the ``cache``; what is read is the
    same. ``given`` are plain files that were read just now, by their names.
    """
    named = sites(root)
    if site not in named:
        listed = f"Sites here: {', '.join(named)}." if named else "There is no site here."
        raise refuse("Unknown site", f"There is no folder inventory/{site}.{did_you_mean(site, named)} {listed}")
    problems: list[Problem] = []
    warnings: list[Problem] = []
    found = [
        (path.relative_to(root).as_posix(), path) for path in _walk(root / "inventory" / site, root, problems, warnings)
    ]
    known = {file: raw for file, raw in (given or {}).items() if len(raw) <= BYTES}
    all_of = [(file, known[file] if file in known else _bytes(path, file, problems)) for file, path in found]
    raws = [(file, raw) for file, raw in all_of if raw is not None]
    parts = _parts(raws, quick, cache, problems)
    if not parts and not problems:
        problems.append(Problem("Empty site", "The folder holds no *.yaml file.", Place(f"inventory/{site}")))
    if not parts:
        return None, tuple(problems), tuple(warnings)
    document = join(parts, problems)
    return (None if problems else document), tuple(problems), tuple(warnings)


def _parts(raws: list[tuple[str, bytes]], quick: bool, cache: Cache, problems: list[Problem]) -> list[Part]:
    quick = quick and sum(len(raw) for _, raw in raws) >= MANY
    shapes, parts = Shapes(), []
    for file, raw in raws:
        part = quick_part(file, raw, shapes, cache) if quick else None
        if part is None:
            node, wrong = read(raw, file)
            problems += wrong
            part = Part(file, raw, node) if node else None
        parts += [part] if part else []
    return parts


def _walk(folder: Path, root: Path, problems: list[Problem], warnings: list[Problem]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        place = Place(path.relative_to(root).as_posix())
        if path.suffix.lower() not in (".yaml", ".yml") and not path.is_dir() and not _leads_nowhere(path):
            continue
        if not path.name.isprintable():
            problems.append(_unnameable(place.file))
        elif path.name.startswith("."):
            warnings.append(
                Problem("Hidden file", "A name that begins with a dot is not read.", place, severity="warning")
            )
        elif path.is_symlink() and path.is_dir():
            detail = "A link to a folder is not followed, as it can lead anywhere. Put the files here."
            problems.append(Problem("Linked folder", detail, place))
        elif path.is_dir():
            yield from _walk(path, root, problems, warnings)
        elif path.suffix != ".yaml" and not _leads_nowhere(path):
            problems.append(Problem("Wrong suffix", "Only *.yaml files are read. Rename or remove this one.", place))
        else:
            yield path


def _leads_nowhere(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


def _unnameable(file: str) -> Problem:
    """A name with characters that are no text, or that a terminal would obey: shown as their escapes."""
    shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in file)
    detail = "Characters of its name are no text or cannot be seen. Rename it, in plain letters."
    return Problem("Bad file name", detail, Place(shown))


def _bytes(path: Path, file: str, problems: list[Problem]) -> bytes | None:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            problems.append(Problem("Not a file", "Only plain files are read. Remove it.", Place(file)))
        elif status.st_size > BYTES:
            problems.append(Problem("File too large", "A file may have 64 MB at most. Split it.", Place(file)))
        else:
            return path.read_bytes()
    except OSError as error:
        problems.append(Problem("Unreadable file", f"It cannot be read: {error.strerror}.", Place(file)))
    return None


def fingerprint(root: Path, site: str) -> str:
    """sha256 over the names and bytes of everything that ``read_site`` would read. Raises Refused as it does.

    Two sites with one fingerprint give one inventory, so what was made from it can be kept.
    """
    import hashlib

    if site not in sites(root):
        read_site(root, site)
    problems: list[Problem] = []
    found = hashlib.sha256()
    for path in _walk(root / "inventory" / site, root, problems, problems):
        file = path.relative_to(root).as_posix()
        raw = _bytes(path, file, problems)
        for piece in (file.encode(), raw or b""):
            found.update(len(piece).to_bytes(8, "big") + piece)
    found.update("\n".join(map(str, problems)).encode())
    return found.hexdigest()
