"""Which workspace and which site a command means."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from configlet.model.problem import Refused, refuse


def root_of(given: Path | None) -> Path:
    """The workspace: the given folder, which must hold inventory/, or the nearest one above."""
    from configlet import workspace

    if given is None:
        return workspace.find_root(Path.cwd())
    if not (given / "inventory").is_dir():
        detail = f"{given} has no folder inventory/. `configlet init DIR` makes a workspace."
        raise refuse("Not a workspace", detail)
    return given.resolve()


def named(root: Path, site: str) -> str:
    """The site, which must be there: a site that does not exist is an error, never an empty success."""
    from configlet import workspace

    known = workspace.sites(root)
    if site in known:
        return site
    from difflib import get_close_matches

    close = get_close_matches(site, known, 1)
    hint = f'Did you mean "{close[0]}"?' if close else f"Sites: {', '.join(known) or 'none'}."
    raise refuse("Unknown site", f'{root / "inventory"} has no site "{site}". {hint}')


def day(at: date | None) -> date:
    """The one clock: the day that was given, or today."""
    return at or date.today()


def perhaps(given: Path | None) -> Path | None:
    """The workspace, where there is one: for what ships suffices for, but own configlets win. Raises Refused for a folder
    that was named and is none."""
    try:
        return root_of(given)
    except Refused:
        if given is not None:
            raise
        return None
