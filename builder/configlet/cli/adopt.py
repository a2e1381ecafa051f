"""``configlet adopt PLATFORM/KIND``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click

from configlet import __version__
from configlet.cli import options, say, sites, statuses
from configlet.cli.which import named
from configlet.model.problem import refuse


@click.command("adopt")
@options.configlet
@options.folder
def command(configlet: tuple[str, str], workspace: Path | None, as_json: bool) -> int:
    """Take a shipped configlet as your own: its files are copied into configlets/, where they win over what ships.

    Each copy begins with a comment that names version and digest, by which `which` tells how far it has drifted. A
    file that is there already is never overwritten; an own platform.yaml stays as it is. To replace one block of a
    template only, write one yourself that begins with {% extends "stock/PLATFORM/KIND.j2" %}.
    """
    from configlet.platforms import adoption, content

    root = sites.root_of(workspace)
    shipped, own = (content.stock() / "configlets").resolve(), (root / "configlets").resolve()
    if own == shipped:
        raise refuse("Nothing to adopt", f"{own} is where the shipped configlets come from. Change them there.")
    platform, kind = named((shipped,), *configlet)
    ship = [name for name in adoption.names(platform, kind) if (shipped / name).is_file()]  # an encoder has no template
    wanted = {own / name: shipped / name for name in ship}
    manifest = own / platform / "platform.yaml"
    if manifest.is_file():  # of another kind that was adopted earlier
        del wanted[manifest]
    _refuse_to_overwrite(own, wanted)
    for target, source in wanted.items():
        _write(target, adoption.copied(target.name, source.read_bytes(), __version__))
    files = [str(path.relative_to(root)) for path in wanted]
    if as_json:
        say.data(statuses.OK, {"command": "adopt", "platform": platform, "kind": kind, "files": files})
        return statuses.OK
    for file in files:
        say.out(f"  {file}")
    say.out(f"{platform}/{kind} is yours. Next: change it, then configlet check; configlet which {platform}/{kind}")
    return statuses.OK


def _refuse_to_overwrite(own: Path, wanted: Mapping[Path, Path]) -> None:
    """All or nothing: one file that is there, or a way out of the workspace, and none is written."""
    there = [path for path in wanted if path.exists() or path.is_symlink()]
    if there:
        detail = f"{', '.join(map(str, there))} is there already. Remove or rename it first; nothing was written."
        raise refuse("File is there already", detail)
    outside = [path for path in wanted if not path.parent.resolve().is_relative_to(own)]
    if outside:
        raise refuse("Linked folder", f"{outside[0].parent} leads out of the workspace. Nothing was written.")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
