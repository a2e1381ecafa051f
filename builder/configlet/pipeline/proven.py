"""Texts that are written only when they are proven."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from configlet.model.gate import Proof
from configlet.pipeline.artifacts import artifacts_of, proven
from configlet.pipeline.site import open_site


def write_proven(root: Path, site: str, today: date, folder: Path) -> tuple[tuple[Proof, ...], int]:
    """The proof of each gate, and how many files were written: all texts when every gate is proven, else none."""
    opened = open_site(root, site, today)
    artifacts = artifacts_of(opened)
    proofs = tuple(proof for artifact in artifacts for proof in proven(opened, artifact).proofs)
    if not all(proof.verdict == "PROVED" for proof in proofs):
        return proofs, 0
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".proven-") as aside:
        for artifact in artifacts:
            (Path(aside) / artifact.file).write_text(artifact.text, encoding="utf-8")
        for artifact in artifacts:
            (Path(aside) / artifact.file).replace(folder / artifact.file)
    return proofs, len(artifacts)
