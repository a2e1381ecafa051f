"""``configlet platforms`` and ``configlet platforms check NAME``."""

from __future__ import annotations

from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configlet.cli import options, say, sites, statuses
from configlet.model.problem import refuse

if TYPE_CHECKING:
    from configlet.pipeline.standing import Standing

HEADS = ("platform", "kind", "rendered", "read", "proven", "refuses", "driver", "lab", "seen", "sources", "rests on")


@click.group("platforms", invoke_without_command=True)
@options.folder
@click.pass_context
def command(context: click.Context, workspace: Path | None, as_json: bool) -> int | None:
    """Kinds and platforms as their folders stand: rendered, read back and proven (of their cases), what they refuse, what
    drives them, whether the lab has them, whether they were seen on the real thing, and on what proofs rest unconfirmed.
    """
    if context.invoked_subcommand:
        return None
    from configlet import platforms
    from configlet.pipeline import standing
    from configlet.platforms import content

    found = [one for known in platforms.load(content.search(sites.perhaps(workspace))).values() for one in standing.of(known)]
    if as_json:
        say.data(statuses.OK, {"command": "platforms", "platforms": [asdict(one) for one in found]})
    else:
        _table([HEADS, *(_row(one) for one in found)])
    return statuses.OK


@command.command("check")
@click.argument("name")
@click.option("--fill", is_flag=True, help='Write what the template gives into cases that end in `text: ""`: then read it.')
@options.folder
def check(name: str, fill: bool, workspace: Path | None, as_json: bool) -> int:
    """What is missing in the folder of one platform, sentence by sentence. Exit status 3 while anything is."""
    from configlet import platforms
    from configlet.pipeline import standing
    from configlet.platforms import content

    known = platforms.load(content.search(sites.perhaps(workspace)))
    if name not in known:
        close = get_close_matches(name, known, 1)
        hint = f'Did you mean "{close[0]}"?' if close else f"There are: {', '.join(sorted(known))}."
        raise refuse("Unknown platform", f'No layer has a folder "{name}" with a platform.yaml. {hint}')
    for path in standing.fill(known[name]) if fill else ():
        say.note(f"filled: {path}")
    found = standing.of(known[name])
    missing = any(one.missing for one in found)
    status = statuses.RED if missing else statuses.OK
    if as_json:
        say.data(status, {"command": "platforms check", "platforms": [asdict(one) for one in found]})
        return status
    for one in found:
        _show(one)
    return status


def _row(one: Standing) -> tuple[str, ...]:
    counts = (f"{one.rendered}/{one.cases}", f"{one.read}/{one.cases}", f"{one.proven}/{one.cases}")
    counts = counts if one.kind == "acl" else ("-", "-", "-")
    answers = (one.driver, "yes" if one.personality else "no", "yes" if one.seen else "no")
    return (one.platform, one.kind, *counts, str(one.refusals), *answers, str(one.sources), "; ".join(one.rests) or "-")


def _table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        say.out("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _show(one: Standing) -> None:
    mark = say.tint("MISSING", "bad") if one.missing else say.tint("complete", "good")
    say.out(f"{one.platform}/{one.kind} ({one.title}): {mark}")
    if one.kind == "acl":
        say.out(f"  {one.rendered} of {one.cases} cases rendered, {one.read} read back, {one.proven} proven")
    for sentence in one.missing:
        say.out("  " + sentence.replace("\n", "\n    "))
    for sentence in one.notes:
        say.out(f"  note: {sentence}")
