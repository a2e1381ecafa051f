"""``configlet rollback SITE [RUN]``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configlet import __version__
from configlet.cli import aim as aiming
from configlet.cli import carry, options, say, sites, statuses
from configlet.cli.push import SECONDS
from configlet.model.problem import refuse

if TYPE_CHECKING:
    from configlet.journal import Journal
    from configlet.model.plan import Plan


@click.command("rollback")
@options.site()
@click.argument("run", required=False)
@click.option("--seconds", type=click.IntRange(1, 82_800), default=SECONDS, show_default=True, help="Device's timer.")
@options.yes
@options.lab
@options.workspace
def command(
    site: str,
    run: str | None,
    seconds: int,
    yes: bool,
    lab: bool,
    workspace: Path | None,
    at: date | None,
    as_json: bool,
) -> int:
    """Take back what a push brought: the last one, or RUN. A push like any other, under the devices' own timers.

    A device that no longer runs what that push brought is not touched.
    """
    from configlet import journal
    from configlet.cli import planned

    if not (yes or carry.can_ask()):
        return carry.nobody("rollback")
    root, today = sites.root_of(workspace), sites.day(at)
    aimed = aiming.aim(root, sites.named(root, site), today, lab)
    with journal.opened(aimed.folder, site) as log:
        plan = _plan(log, run or "", today)
        if plan is None:
            return _nothing(site, as_json)
        if not as_json:
            planned.show(plan, diff=False)
        if not yes and not carry.agreed(plan, "rollback"):
            return statuses.NO_CONSENT
        outcomes = carry.carry(plan, aimed, log, seconds, {"way": "--yes" if yes else "asked"})
        return carry.pushed("rollback", outcomes, aimed, log, as_json)


def _plan(log: Journal, run: str, today: date) -> Plan | None:
    from configlet import journal
    from configlet.cli import planned
    from configlet.plan import back, from_dict

    found = journal.last(log.records, run)
    if found is None:
        if not run:
            return None
        known = ", ".join(r.id for r in journal.runs(log.records)) or "none"
        raise refuse("Unknown run", f'The journal has no run "{run}". It has: {known}.')
    if not found.kept:
        return None
    return planned.signed(back(from_dict(found.plan, str(log.path)), found.kept, date=str(today), version=__version__))


def _nothing(site: str, as_json: bool) -> int:
    if as_json:
        say.data(statuses.NOTHING, {"command": "rollback", "outcomes": []})
    else:
        say.note(f"rollback: nothing that a push brought to {site} is there to take back")
    return statuses.NOTHING
