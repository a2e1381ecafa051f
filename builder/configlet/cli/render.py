"""``configlet render SITE [--out DIR]``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from configlet.cli import limits, options, progress, say, sites, statuses
from configlet.model.problem import Refused

if TYPE_CHECKING:
    from configlet.model.gate import Artifact
    from configlet.pipeline import Site, Store


@click.command("render")
@options.site()
@click.option("--out", "folder", type=click.Path(file_okay=False, path_type=Path), help="Write one file each in DIR.")
@options.limit
@options.jobs
@options.cache
@options.workspace
def command(
    site: str,
    folder: Path | None,
    limit: Sequence[str],
    jobs: int | None,
    use_cache: bool,
    workspace: Path | None,
    at: date | None,
    as_json: bool,
) -> int:
    """The artifacts of a site: what its devices and hosts would be told. Same input, same bytes."""
    from configlet import pipeline
    from configlet.cli import planned

    root, today = sites.root_of(workspace), sites.day(at)
    opened = pipeline.open_site(root, sites.named(root, site), today)
    chosen = limits.owners(opened.inventory, limit)
    if folder:
        return _write(opened, today, chosen, folder, planned.store(root, use_cache), jobs, as_json)
    artifacts = pipeline.artifacts_of(opened, chosen)
    status = statuses.OK if artifacts else statuses.NOTHING
    if as_json:
        say.data(status, {"command": "render", "site": site, "artifacts": [_data(a) for a in artifacts]})
    else:
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


def _write(
    opened: Site,
    today: date,
    chosen: frozenset[str] | None,
    folder: Path,
    store: Store | None,
    jobs: int | None,
    as_json: bool,
) -> int:
    from configlet.pipeline import written

    new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    files: list[str] = []
    try:
        with progress.counting("render") as tell, TemporaryDirectory(dir=folder, prefix=".render-") as aside:
            for artifact in written.rendered(opened, today, chosen, store, tell, jobs):
                (Path(aside) / artifact.file).write_text(artifact.text, encoding="utf-8")
                files.append(artifact.file)
            for file in files:
                (Path(aside) / file).replace(folder / file)
    except Refused:
        if new:
            folder.rmdir()
        raise
    others = sorted({p.name for p in folder.iterdir()} - set(files))
    if as_json:
        status = statuses.OK if files else statuses.NOTHING
        say.data(status, {"command": "render", "site": opened.name, "folder": str(folder), "files": sorted(files)})
    say.note(f"render: {len(files)} files in {folder}")
    if others:
        say.note(f"render: {len(others)} other files were there and are left alone, such as {others[0]}")
    return statuses.OK if files else statuses.NOTHING
