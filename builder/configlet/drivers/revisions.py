"""A site as it was committed: its files out of git, byte for byte, in a folder of their own.

Blobs are read as they are stored: no filter, attribute or hook of the repository has a say, so that nothing can hide a
file or change it. Only ``git`` itself is started.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

from configlet.model.problem import Place, refuse

SECONDS = 60


@dataclass(frozen=True, slots=True)
class Revision:
    """A workspace with one site as it was, the commit, and the day on which it was committed."""

    root: Path
    commit: str
    day: date


@contextmanager
def revision(root: Path, site: str, name: str) -> Iterator[Revision]:
    """The site at a revision (anything that git knows: a branch, a tag, ``HEAD~3``); the folder goes when it is done.

    Raises Refused when the workspace is in no repository, when there is no such revision or no such site in it, and for
    links and submodules among its files, as what they lead to is not in the revision.
    """
    said = f"{name}^{{commit}}"
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", said).decode().strip()
    if not commit:
        raise refuse(
            "Unknown revision", f'git knows no commit "{name}" in {root}. `git log --oneline` lists what there is.'
        )
    folder = f"inventory/{site}"
    files = list(_files(root, commit, folder))
    if not files:
        raise refuse("Unknown site", f'At {name} ({commit[:12]}) there is no site "{site}": no file in {folder}/.')
    day = date.fromisoformat(_git(root, "show", "--no-patch", "--format=%cs", commit).decode().strip())
    with tempfile.TemporaryDirectory(prefix="configlet-revision-") as scratch:
        for mode, blob, path in files:
            if mode not in ("100644", "100755"):
                detail = f"At {name} it is a link or a submodule, and what it leads to is not in the revision."
                raise refuse("Not a file", detail, Place(f"{name}:{path}"))
            target = Path(scratch) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_git(root, "cat-file", "blob", blob))
        yield Revision(Path(scratch), commit, day)


def _files(root: Path, commit: str, folder: str) -> Iterator[tuple[str, str, str]]:
    """Mode, blob and path of each file below a folder of the workspace, which may itself lie inside the repository."""
    listed = _git(root, "ls-tree", "-r", "-z", "--end-of-options", commit, f"{folder}/")
    for line in listed.decode("utf-8", "surrogateescape").split("\0"):
        if line:
            head, _, path = line.partition("\t")
            mode, _, blob = head.split(" ")
            if ".." not in PurePosixPath(path).parts:
                yield mode, blob, path


def _git(root: Path, *words: str) -> bytes:
    command = ["git", "-C", str(root), "--literal-pathspecs", "--no-replace-objects", *words]
    try:
        ended = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=SECONDS, check=False)
    except FileNotFoundError:
        raise refuse("No git", "A revision is read by git, and there is no `git` here. Install it.") from None
    except subprocess.TimeoutExpired:
        raise refuse("git does not answer", f"`git {words[0]}` took more than {SECONDS} s in {root}.") from None
    if b"not a git repository" in ended.stderr:
        raise refuse("Not in git", f"{root} is in no git repository, so it has no revisions.")
    if ended.returncode and (words[0] != "rev-parse" or ended.stderr.strip()):
        raise refuse("git failed", f"`git {words[0]}` in {root}: {ended.stderr.decode(errors='replace').strip()}")
    return ended.stdout
