"""A folder of artifacts, as `render --out` writes it and `plan --from` compares with it.

Ten thousand files are not read again to learn that nobody touched them: beside its digest each is remembered with its
size, inode and times. A file of which any of these differs, or that was younger than a moment when it was remembered,
is read.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from configlet.model.gate import Artifact
from configlet.pipeline.artifacts import each_artifact
from configlet.pipeline.cache import Store
from configlet.pipeline.inputs import inputs
from configlet.pipeline.site import Site

_MOMENT = 2_000_000_000
"""Nanoseconds within which two changes of a file may have one time."""


def digest_of(text: str) -> str:
    """sha256 of a text, as everything here names it."""
    return hashlib.sha256(text.encode()).hexdigest()


def rendered(site: Site, today: date, owners: Collection[str] | None, store: Store | None) -> Iterator[Artifact]:
    """The artifacts one by one; what each owner shall run is remembered when all were made from unchanged files."""
    given = inputs(site.root, site.name, today) if store else None
    texts: dict[str, list[str]] = {}
    for artifact in each_artifact(site, owners):
        texts.setdefault(artifact.owner, []).append(digest_of(artifact.text))
        yield artifact
    if store and given and owners is None and inputs(site.root, site.name, today) == given:
        store.put(f"texts-{given.key}", texts)


class Folder(Mapping[str, str]):
    """What a folder's files say that each owner runs, read when it is asked for."""

    def __init__(self, folder: Path, store: Store | None) -> None:
        self._store, self._name = store, f"folder-{digest_of(str(folder.resolve()))}"
        self._now = {e.name.rsplit(".", 2)[0]: e for e in os.scandir(folder) if not e.name.startswith(".")}
        self._before: dict[str, list[Any]] = (store.get(self._name) if store else None) or {}
        self._seen: dict[str, list[Any]] = {}

    def __getitem__(self, owner: str) -> str:
        return Path(self._now[owner].path).read_text(encoding="utf-8")

    def __contains__(self, owner: object) -> bool:
        return owner in self._now

    def __iter__(self) -> Iterator[str]:
        return iter(self._now)

    def __len__(self) -> int:
        return len(self._now)

    def digest(self, owner: str) -> str:
        """The digest of an owner's text."""
        entry = self._now[owner]
        status = entry.stat()
        sign = [entry.name, status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns]
        before = self._before.get(owner)
        if before is not None and before[:-1] == sign:
            self._seen[owner] = before
            return str(before[-1])
        found = hashlib.sha256(Path(entry.path).read_bytes()).hexdigest()
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _MOMENT:
            self._seen[owner] = [*sign, found]
        return found

    def keep(self) -> None:
        """Remember what was read, for the next time."""
        if self._store and self._seen != self._before:
            self._store.put(self._name, {**self._before, **self._seen})


def same(running: Mapping[str, str], owner: str, known: Mapping[str, list[str]]) -> bool:
    """Whether an owner runs one of the texts that are known to be what it shall run."""
    if owner not in running or owner not in known:
        return False
    said = running.digest(owner) if isinstance(running, Folder) else digest_of(running[owner])
    return said in known[owner]
