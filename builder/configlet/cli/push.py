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
    from configlet.cli.consented import Consent
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
@options.jobs
@options.workspace
def command(
    site: str,
    file: Path | None,
    seconds: int,
    diff: bool,
    yes: bool,
    limit: Sequence[str],
    lab: bool,
    jobs: int | None,
    workspace: Path | None,
    at: date | None,
    as_json: bool,
) -> int:
    """Bring every device and host to what the policy says, each under its own timer, so that it can be taken back.

    Without --plan the plan is made, shown and asked about; --yes answers. With --plan exactly that plan is pushed, if
    it is still what would be planned now. Where the workspace has a file `approvers`, a push to the site's own devices
    needs --plan, and every --plan needs the approval of one of them beside it.
    """
    from configlet import journal
    from configlet.cli import consented, planned

    if not (yes or file or carry.can_ask()):
        return carry.nobody("push")
    root, today = sites.root_of(workspace), sites.day(at)
    wanted = consented.given(file) if file else None
    consent = consented.of(root, file, wanted) if file and wanted else _without_plan(root, lab)
    if consent.no:
        return consented.none("push", consent.no, as_json)
    aimed = aiming.aim(root, sites.named(root, site), today, lab)
    with journal.opened(aimed.folder, site) as log:
        plan = planned.make(aimed, today, limit, jobs=jobs)
        if wanted is not None and (no := _differs(plan, wanted)):
            return consented.none("push", no, as_json)
        if not as_json:
            planned.show(plan, diff)
        if plan.problems:
            return _refused(plan, as_json)
        if not plan.changes:
            return _nothing(as_json)
        if not (yes or wanted is not None) and not carry.agreed(plan, "push"):
            return statuses.NO_CONSENT
        outcomes = carry.carry(plan, aimed, log, seconds, _way(consent, wanted, yes))
        return carry.pushed("push", outcomes, aimed, log, as_json)


def _without_plan(root: Path, lab: bool) -> Consent:
    """Whether a push may go without a plan file: in the lab always, at the site where nobody has to approve."""
    from configlet.cli import consented

    signers = consented.approvers(root)
    if signers is None or lab:
        return consented.Consent("")
    return consented.Consent(f"{signers} says who approves, so a plan file is needed: plan --out, approve, push --plan")


def _differs(plan: Plan, wanted: Plan) -> str:
    """Why what was consented to is not what would be done now; "" when it is. Day and author may be others."""
    if plan.target != wanted.target:
        return f"the plan is for the {wanted.target}, and this push is aimed at the {plan.target}"
    if replace(plan, date=wanted.date, author=wanted.author, digest="") == replace(wanted, digest=""):
        return ""
    return (
        f"the plan {wanted.digest[:12]} is not what would be planned now: what runs, the inventory, --limit or configlet "
        "itself has changed since; make the plan anew and look at it"
    )


def _way(consent: Consent, wanted: Plan | None, yes: bool) -> dict[str, str]:
    """How the consent came about, for the journal."""
    if wanted is None:
        return {"way": "--yes" if yes else "asked"}
    by = {"approved_by": consent.by} if consent.by else {}
    return {"way": "--plan", "plan": wanted.digest, **by}


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
