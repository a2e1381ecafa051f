"""``configlet push SITE``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configlet.cli import aim as aiming
from configlet.cli import carry, options, say, sites, statuses

if TYPE_CHECKING:
    from configlet.model.plan import Plan

SECONDS = 300


@click.command("push")
@options.site()
@click.option("--plan", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Exactly this plan.")
@click.option("--seconds", type=click.IntRange(1, 82_800), default=SECONDS, show_default=True, help="Device's timer.")
@click.option("--diff", is_flag=True, help="Show the text of each device as well.")
@options.yes
@options.limit
@options.lab
@options.workspace
def command(
    site: str,
    file: Path | None,
    seconds: int,
    diff: bool,
    yes: bool,
    limit: Sequence[str],
    lab: bool,
    workspace: Path | None,
    at: date | None,
    as_json: bool,
) -> int:
    """Bring every device and host to what the policy says, each under its own timer, so that it can be taken back.

    Without --plan the plan is made, shown and asked about; --yes answers. With --plan exactly that plan is pushed, if
    it is still what would be planned now.
    """
    from configlet import journal
    from configlet.cli import planned

    if not (yes or file or carry.can_ask()):
        return carry.nobody("push")
    root, today = sites.root_of(workspace), sites.day(at)
    wanted = _given(file) if file else None
    aimed = aiming.aim(root, sites.named(root, site), today, lab)
    with journal.opened(aimed.folder, site) as log:
        plan = planned.make(aimed, today, limit)
        if wanted is not None and not _same(plan, wanted):
            return statuses.NO_CONSENT
        if not as_json:
            planned.show(plan, diff)
        if plan.problems:
            return _refused(plan, as_json)
        if not plan.changes:
            return _nothing(as_json)
        if not (yes or wanted is not None) and not carry.agreed(plan, "push"):
            return statuses.NO_CONSENT
        outcomes = carry.carry(plan, aimed, log, seconds)
        return carry.pushed("push", outcomes, aimed, log, as_json)


def _given(file: Path) -> Plan:
    from configlet.plan import from_json

    return from_json(file.read_text(encoding="utf-8", errors="replace"), str(file))


def _same(plan: Plan, wanted: Plan) -> bool:
    """Whether what was consented to is what would be done now. Only the day may have passed."""
    if plan.target != wanted.target:
        say.note(f"push: the plan is for the {wanted.target}, and this push is aimed at the {plan.target}")
        return False
    if replace(plan, date=wanted.date, digest="") == replace(wanted, digest=""):
        return True
    say.note(
        f"push: the plan {wanted.digest[:12]} is not what would be planned now. What runs, the inventory, --limit or "
        "configlet itself has changed since. Nothing was done; make the plan anew and look at it."
    )
    return False


def _refused(plan: Plan, as_json: bool) -> int:
    if as_json:
        say.data(statuses.RED, {"command": "push", "problems": list(plan.problems)})
    else:
        say.out(say.tint(f"push: refused, the plan has {len(plan.problems)} problems; nothing was done", "bad"))
    return statuses.RED


def _nothing(as_json: bool) -> int:
    if as_json:
        say.data(statuses.OK, {"command": "push", "outcomes": []})
    else:
        say.out(say.tint("push: nothing to do, everything runs what the policy says", "good"))
    return statuses.OK
