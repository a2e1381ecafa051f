"""``configlet which PLATFORM/KIND``."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configlet.cli import options, say, sites, statuses
from configlet.model.problem import refuse

if TYPE_CHECKING:
    from configlet.platforms.adoption import Found

STATES = {
    "shipped": "as it ships",
    "copy": "own copy, as it ships",
    "changed": "own copy, changed since it was adopted",
    "behind": "own copy, unchanged; what ships has moved on",
    "apart": "own copy, changed; and what ships has moved on",
}


@click.command("which")
@options.configlet
@options.folder
def command(configlet: tuple[str, str], workspace: Path | None, as_json: bool) -> int:
    """Which layer each file of a configlet comes from: the workspace's own, or what ships; and whether a copy drifted."""
    from configlet.platforms import adoption, content

    layers = content.search(sites.root_of(workspace))
    platform, kind = named(layers, *configlet)
    found = adoption.which(layers, platform, kind)
    if as_json:
        files = [_data(each) for each in found]
        say.data(statuses.OK, {"command": "which", "platform": platform, "kind": kind, "files": files})
        return statuses.OK
    say.out(f"{platform}/{kind}, nearest layer first: {', '.join(map(str, layers))}")
    for each in found:
        _show(each)
    return statuses.OK


def named(layers: tuple[Path, ...], platform: str, kind: str) -> tuple[str, str]:
    """A platform and a kind that are there; else refused with what is near, or with all that are."""
    from configlet import platforms

    known = [f"{name}/{each}" for name, found in sorted(platforms.load(layers).items()) for each in found.kinds]
    asked = f"{platform}/{kind}"
    if asked not in known:
        close = get_close_matches(asked, known, 1)
        hint = f'Did you mean "{close[0]}"?' if close else f"There are: {', '.join(known)}."
        raise refuse("Unknown configlet", f'No layer has the configlet "{asked}". {hint}')
    return platform, kind


def _show(found: Found) -> None:
    mark = say.tint("DRIFTED", "warn") if found.drifted else say.tint("ok     ", "good")
    say.out(f"  {mark} {found.name:<32} {found.digest[:12]}  {_state(found)}")
    say.out(f"          {found.path}")
    if found.adopted:
        say.out(f"          adopted from configlet {found.adopted}; what ships is {found.shipped[:12] or 'gone'}")
    for path in found.hidden:
        say.out(f"          lies over {path}")


def _state(found: Found) -> str:
    if found.state != "own":
        return STATES[found.state]
    if not found.shipped:
        return "own, nothing of this name ships"
    return "own, equal to what ships" if found.digest == found.shipped else "own, differs from what ships"


def _data(found: Found) -> dict[str, object]:
    return {
        "name": found.name,
        "path": str(found.path),
        "sha256": found.digest,
        "state": found.state,
        "drifted": found.drifted,
        "shipped": found.shipped or None,
        "adopted": found.adopted or None,
        "hidden": [str(path) for path in found.hidden],
    }
