"""Texts that are written only when they are proven."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from configlet.model.gate import Proof
from configlet.pipeline.artifacts import each_artifact, proven
from configlet.pipeline.site import open_site


def write_proven(root: Path, site: str, today: date, folder: Path) -> tuple[tuple[Proof, ...], int]:
    """The proof of each gate, and how many files were written: all texts when every gate is proven, else none.

    The texts wait aside, one owner after the other, so that no more than one is held at a time.
    """
    opened = open_site(root, site, today, digested=False)
    found: dict[tuple[str, str, str], tuple[Proof, ...]] = {}
    with _folder(folder), TemporaryDirectory(dir=folder, prefix=".proven-") as aside:
        for artifact in each_artifact(opened):
            found[artifact.owner, artifact.platform, artifact.kind] = proven(opened, artifact).proofs
            (Path(aside) / artifact.file).write_text(artifact.text, encoding="utf-8")
            del artifact  # before the next one is made
        proofs = tuple(proof for _, of_one in sorted(found.items()) for proof in of_one)
        written = sorted(Path(aside).iterdir()) if all(proof.verdict == "PROVED" for proof in proofs) else []
        for path in written:
            path.replace(folder / path.name)
    return proofs, len(written)


@contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """A folder that is there, and is gone again when it was made here and nothing came into it."""
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        if made and not any(folder.iterdir()):
            folder.rmdir()
