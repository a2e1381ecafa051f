"""``configlet init DIR``."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from configlet.cli import say, statuses
from configlet.model.problem import refuse

_READMES = {
    "configlets": "Your own configlets. A file here wins over the shipped one of the same path; nothing is merged.",
    "playbooks": "Room for your own playbooks: procedures as data. No command reads this folder yet.",
}


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(folder: Path, as_json: bool) -> int:
    """A new workspace in DIR, which must be empty or not there: the example site dc1, and room for your own."""
    from configlet.platforms.content import stock

    if folder.exists() and any(folder.iterdir()):
        raise refuse("Folder is not empty", f"{folder} has something in it. A workspace starts in an empty folder.")
    example = stock() / "inventory" / "dc1"
    if not example.is_dir():
        raise refuse("Example is missing", f"This installation has no {example}. Install configlet anew.")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copytree(example, folder / "inventory" / "dc1")
    except shutil.Error as error:
        shutil.rmtree(folder / "inventory", ignore_errors=True)
        why = error.args[0][0][2]
        raise click.ClickException(f"{why}. Nothing was made in {folder}. Make room, or name another place.") from error
    for name, text in _READMES.items():
        (folder / name).mkdir()
        (folder / name / "README.md").write_text(text + "\n", encoding="utf-8")
    (folder / ".gitignore").write_text(".configlet/\n", encoding="utf-8")
    if as_json:
        say.data(statuses.OK, {"command": "init", "folder": str(folder), "sites": ["dc1"]})
    else:
        say.out(f"A workspace is in {folder}, with the example site dc1.")
        say.out(f"Next: cd {folder} && configlet check dc1")
    return statuses.OK
