"""``configlet plan SITE``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configlet.cli import aim as aiming
from configlet.cli import options, say, sites, statuses

if TYPE_CHECKING:
    from configlet.model.plan import Plan

CHANGES = 2


@click.command("plan")
@options.site()
@click.option("--out", "file", type=options.NewFile(), metavar="FILE", help="Write the plan to FILE.")
@click.option("--diff/--no-diff", default=True, help="With or without the text of each device.")
@click.option("--exit-code", is_flag=True, help="Exit status 2 when something would change.")
@click.option(
    "--from",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Compare with the files that `render --out DIR` wrote, and meet no device.",
)
@options.limit
@options.lab
@options.jobs
@options.cache
@options.workspace
def command(
    site: str,
    file: Path | None,
    diff: bool,
    exit_code: bool,
    folder: Path | None,
    limit: Sequence[str],
    lab: bool,
    jobs: int | None,
    use_cache: bool,
    workspace: Path | None,
    at: date | None,
    as_json: bool,
) -> int:
    """What a push would change: flows opened and closed, devices, risks, then the text. Changes nothing."""
    from configlet.cli import consented, planned

    root, today = sites.root_of(workspace), sites.day(at)
    if folder and (lab or file):
        raise click.UsageError("A plan against files is no plan for devices: --from goes with neither --lab nor --out.")
    if folder:
        plan, words = planned.against(root, sites.named(root, site), today, folder, limit, use_cache, jobs), ""
    else:
        aimed = aiming.aim(root, sites.named(root, site), today, lab)
        plan, words = planned.make(aimed, today, limit, use_cache, jobs), aimed.words
    if file:
        _write(plan, file)
    status = statuses.RED if plan.problems else CHANGES if exit_code and plan.changes else statuses.OK
    if as_json:
        say.data(status, {"command": "plan", "plan": asdict(plan)})
    else:
        planned.show(plan, diff)
        say.out()
        say.out(_last(plan, words, file, consented.approvers(root) is not None))
    return status


def _last(plan: Plan, words: str, file: Path | None, asks: bool) -> str:
    if plan.problems:
        return say.tint(f"plan: cannot be pushed ({len(plan.problems)} problems)", "bad")
    if not plan.changes:
        return say.tint("plan: nothing to do, everything runs what the policy says", "good")
    found = f"plan: {say.count(len(plan.changes), 'device or host', 'devices and hosts')} would change"
    if not words:
        return f"{found} against these files"
    found += ". Next: configlet"
    if file is None:
        return f"{found} push {words}"
    return f"{found} approve {file}" if asks else f"{found} push {words} --plan {file}"


def _write(plan: Plan, file: Path) -> None:
    from configlet.plan import to_json

    part = file.with_name(f".{file.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(to_json(plan))
    part.replace(file)
    say.note(f"plan: written to {file}")
