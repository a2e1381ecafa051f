"""``configlet render SITE [--out DIR]``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configlet.cli import limits, options, say, sites, statuses

if TYPE_CHECKING:
    from configlet.model.gate import Artifact


@click.command("render")
@options.site()
@click.option("--out", "folder", type=click.Path(file_okay=False, path_type=Path), help="Write one file each in DIR.")
@options.limit
@options.workspace
def command(
    site: str, folder: Path | None, limit: Sequence[str], workspace: Path | None, at: date | None, as_json: bool
) -> int:
    """The artifacts of a site: what its devices and hosts would be told. Same input, same bytes."""
    from configlet import pipeline

    root, today = sites.root_of(workspace), sites.day(at)
    artifacts = pipeline.render(root, sites.named(root, site), today)
    if limit:
        chosen = limits.owners(pipeline.open_site(root, site, today).inventory, limit) or frozenset()
        artifacts = tuple(a for a in artifacts if a.owner in chosen)
    status = statuses.OK if artifacts else statuses.NOTHING
    if folder:
        _write(artifacts, folder)
    if as_json:
        say.data(status, {"command": "render", "site": site, "artifacts": [_data(a) for a in artifacts]})
    elif not folder:
        for artifact in artifacts:
            say.out(f"==> {artifact.file} <==")
            say.out(artifact.text)
    if not artifacts:
        say.note("render: no device or host that is meant holds a gate")
    return status


def _data(artifact: Artifact) -> dict[str, object]:
    gates = sorted({table.gate.name for table in artifact.tables})
    return {
        "owner": artifact.owner,
        "platform": artifact.platform,
        "kind": artifact.kind,
        "file": artifact.file,
        "gates": gates,
        "text": artifact.text,
    }


def _write(artifacts: Sequence[Artifact], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for artifact in artifacts:
        part = folder / f".{artifact.file}.part"
        part.write_text(artifact.text, encoding="utf-8")
        part.replace(folder / artifact.file)
    others = sorted({p.name for p in folder.iterdir()} - {a.file for a in artifacts})
    say.note(f"render: {len(artifacts)} files in {folder}")
    if others:
        say.note(f"render: {len(others)} other files were there and are left alone, such as {others[0]}")
