"""A folder of artifacts, as `render --out` writes it and `plan --from` compares with it.

Ten thousand files are not read again to learn that nobody touched them: beside its digest each is remembered with its
size, inode and times. A file of which any of these differs, or that was younger than a moment when it was remembered,
is read.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

from configlet.model.gate import Artifact
from configlet.pipeline.artifacts import each_artifact, groups
from configlet.pipeline.cache import Store
from configlet.pipeline.cores import each_group
from configlet.pipeline.inputs import content, inputs
from configlet.pipeline.known import Tell
from configlet.pipeline.site import Site

_MOMENT = 2_000_000_000
"""Nanoseconds within which two changes of a file may have one time."""


Texts = dict[str, dict[str, list[str]]]
"""The digests of texts that are as good as ours, by owner and platform."""
TEXTS = "texts2"
FILES, DIGEST = "files", 64
"""Where the digests of a folder's files are remembered, and how many characters one has."""


def digest_of(text: str) -> str:
    """sha256 of a text, as everything here names it."""
    return hashlib.sha256(text.encode()).hexdigest()


def rendered(
    site: Site,
    today: date,
    owners: Collection[str] | None,
    store: Store | None,
    tell: Tell | None = None,
    jobs: int | None = None,
) -> Iterator[Artifact]:
    """The artifacts one by one, without their tables, made in ``jobs`` processes (None: as many as are worth it).

    What each owner shall run is remembered when all were made from unchanged files.
    """
    given = inputs(site.root, site.name, today) if store else None
    texts: Texts = {}
    for made in each_group(partial(_made, site, owners), groups(site, owners), len(site.inventory.policy), tell, jobs):
        for artifact in made:
            texts.setdefault(artifact.owner, {}).setdefault(artifact.platform, []).append(digest_of(artifact.text))
            yield artifact
    if store and given and owners is None and inputs(site.root, site.name, today, given) == given:
        store.put(f"{TEXTS}-{given.key}", texts)


def _made(site: Site, owners: Collection[str] | None, group: tuple[str, ...]) -> list[Artifact]:
    return [replace(artifact, tables=()) for artifact in each_artifact(site, owners, (group,))]


class Folder(Mapping[str, str]):
    """What a folder's files say that each owner runs, read when it is asked for: by owner, and by ``OWNER/PLATFORM``.

    An owner of which there are texts of several platforms is there by the latter alone.
    """

    def __init__(self, folder: Path, store: Store | None) -> None:
        self._store, self._folder, self._name = store, f"{folder}/", f"{FILES}-{digest_of(str(folder.resolve()))}"
        self._now: dict[str, str] = {}
        several: set[str] = set()
        for file in os.listdir(folder):  # noqa: PTH208 - ten thousand names, of which no path is needed
            owner, *rest = file.rsplit(".", 2)
            name = f"{owner}/{rest[0] if rest else ''}"
            if owner in self._now and name not in self._now:
                several.add(owner)
            if not file.startswith("."):
                self._now[owner] = self._now[name] = file
        for owner in several:
            del self._now[owner]
        self._before: dict[str, str] = (store.get(self._name) if store else None) or {}
        self._seen: dict[str, str] = {}

    def __getitem__(self, owner: str) -> str:
        return Path(self._folder + self._now[owner]).read_text(encoding="utf-8")

    def __contains__(self, owner: object) -> bool:
        return owner in self._now

    def __iter__(self) -> Iterator[str]:
        return iter(self._now)

    def __len__(self) -> int:
        return len(self._now)

    def digest(self, owner: str) -> str:
        """The digest of an owner's text. Raises KeyError where there is none."""
        file = self._now[owner]
        path = self._folder + file
        before = self._before.get(file)
        if before is not None and before[:-DIGEST] == _sign(os.stat(path)):  # noqa: PTH116 - of ten thousand files, without a path object each
            self._seen[file] = before
            return before[-DIGEST:]
        status, raw = content(path)
        found = hashlib.sha256(raw).hexdigest()
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _MOMENT:
            self._seen[file] = _sign(status) + found
        return found

    def keep(self) -> None:
        """Remember what was read, for the next time."""
        if self._store and self._seen != self._before:
            self._store.put(self._name, {**self._before, **self._seen})


def _sign(status: os.stat_result) -> str:
    """What tells that a file is the one that was read."""
    return f"{status.st_size} {status.st_ino} {status.st_mtime_ns} {status.st_ctime_ns} "


def place_in(running: Mapping[str, str], owner: str, platform: str) -> str:
    """By which name the text of a platform is found in what runs."""
    return name if (name := f"{owner}/{platform}") in running else owner


def unlike(running: Mapping[str, str], owners: Iterable[str], known: Texts) -> list[str]:
    """Those owners that do not run, of each platform, one of the texts that are known to be what they shall run."""
    digest = running.digest if isinstance(running, Folder) else lambda name: digest_of(running[name])
    found = []
    for owner in owners:
        try:
            for platform, texts in known[owner].items():
                if digest(place_in(running, owner, platform)) not in texts:
                    raise KeyError(owner)
        except KeyError:
            found.append(owner)
    return found
