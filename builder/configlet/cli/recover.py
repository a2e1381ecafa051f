"""``configlet recover [SITE]``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from configlet.cli import aim as aiming
from configlet.cli import carry, options, progress, say, sites, statuses


@click.command("recover")
@options.site(required=False)
@options.lab
@options.workspace
def command(site: str | None, lab: bool, workspace: Path | None, at: date | None, as_json: bool) -> int:
    """After a push that was cut off: ask the devices, not the journal, and bring each to before or after.

    Without SITE: every site that has a journal here. Exit status 7 while a device's state is still unknown.
    """
    from configlet import journal
    from configlet import workspace as files

    root, today = sites.root_of(workspace), sites.day(at)
    if lab and not site:
        raise click.UsageError("With --lab a SITE is needed: each lab is entered on its own.")
    names = (sites.named(root, site),) if site else files.sites(root)
    begun = [n for n in names if site or (journal.folder(root, n) / "journal.jsonl").exists()]
    answers = [_one(root, name, today, lab, as_json) for name in begun]
    status = statuses.worst(code for code, _ in answers) if answers else statuses.OK
    if as_json:
        say.data(status, {"command": "recover", "sites": [content for _, content in answers]})
    elif not begun:
        say.out("recover: no push was ever begun here, so nothing is unfinished")
    return status


def _one(root: Path, site: str, today: date, lab: bool, as_json: bool) -> tuple[int, dict[str, Any]]:
    from configlet import journal, push

    aimed = aiming.aim(root, site, today, lab)
    with journal.opened(aimed.folder, site) as log:
        total = sum(len(run.plan["changes"]) for run in journal.unfinished(log.records))
        with progress.following(f"recover {site}", total) as tell:
            outcomes = push.recover(
                aimed.targets,
                aiming.maker(aimed.site),
                log,
                canonical=aiming.canonical(aimed.site),
                progress=tell,
                takes=aiming.takes(aimed.site),
            )
        unknown = any(outcome.result == "Unknown" for outcome in outcomes)
        status = statuses.UNKNOWN_STATE if unknown else statuses.OK
        if outcomes and not as_json:
            carry.show("recover", status, outcomes, aimed, log)
        elif not as_json:
            say.out(f"recover: {site} has no unfinished run")
        return status, carry.to_data(outcomes, aimed, log)
