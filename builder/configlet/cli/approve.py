"""``configlet approve FILE``."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configlet.cli import carry, consented, options, say, sites, statuses

if TYPE_CHECKING:
    from configlet.consent import Approval, Signed
    from configlet.model.plan import Plan

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("approve")
@click.argument("file", type=_FILE)
@click.option("--key", type=_FILE, metavar="FILE", help="Sign with this SSH key (or its public half, by the agent).")
@click.option("--as", "name", metavar="NAME", help="Your name in `approvers`; default: as the machine says.")
@click.option("--diff", is_flag=True, help="Show the text of each device as well.")
@options.yes
@options.folder
def command(
    file: Path, key: Path | None, name: str | None, diff: bool, yes: bool, workspace: Path | None, as_json: bool
) -> int:
    """Consent to exactly the plan in FILE, for 24 hours: shows the flows it opens and closes, and writes FILE.approval.

    Where the workspace has a file `approvers` (allowed signers, as ssh-keygen(1) says), `push --plan` asks for the
    approval of one of them who did not make the plan, signed with --key.
    """
    from configlet import consent, journal
    from configlet.cli import planned

    root = sites.root_of(workspace)
    plan = consented.given(file)
    if not as_json:
        planned.show(plan, diff)
        say.out(f"  made by  {plan.author or 'nobody who said so'}")
    if plan.problems:
        return _red(plan, as_json)
    approval = consent.approve(plan, name or str(journal.who()["user"]), datetime.now(UTC))
    no = consent.objection(plan, approval, datetime.now(UTC)) if consented.approvers(root) else None
    if no:
        return consented.none("approve", no, as_json)
    if not yes and not carry.can_ask():
        return carry.nobody("approve")
    if not yes and not _asked(plan, approval.by):
        return statuses.NO_CONSENT
    signed = _signed(approval, key)
    no = _unproven(root, signed)
    if no:
        return consented.none("approve", no, as_json)
    return _keep(signed, file, as_json)


def _red(plan: Plan, as_json: bool) -> int:
    if as_json:
        say.data(statuses.RED, {"command": "approve", "problems": list(plan.problems)})
    else:
        say.out(say.tint(f"approve: refused, the plan has {len(plan.problems)} problems", "bad"))
    return statuses.RED


def _asked(plan: Plan, by: str) -> bool:
    question = f"{by}, do you approve plan {plan.digest[:12]} for the {plan.target} {plan.site}?"
    if click.confirm(question, default=False, err=True):
        return True
    say.note("approve: not approved, so nothing was written")
    return False


def _signed(approval: Approval, key: Path | None) -> Signed:
    from configlet import consent
    from configlet.consent.approval import NAMESPACE
    from configlet.drivers import signatures

    if key is None:
        return consent.Signed(approval)
    return consent.Signed(approval, signatures.sign(consent.message(approval), key, NAMESPACE))


def _unproven(root: Path, signed: Signed) -> str | None:
    """An approval that push would not take is not written."""
    signers = consented.approvers(root)
    return consented.unsigned(signers, signed) if signers else None


def _keep(signed: Signed, file: Path, as_json: bool) -> int:
    from configlet import consent

    path = consent.beside(file)
    # As it is read, so that a name that a file cannot hold is refused now and not at the push.
    content = consent.to_json(signed)
    consent.from_json(content, str(path))
    part = path.with_name(f".{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(content)
    part.replace(path)
    if as_json:
        said = {"file": str(path), "signed": bool(signed.signature), "approval": asdict(signed.approval)}
        say.data(statuses.OK, {"command": "approve", **said})
        return statuses.OK
    kind = "signed" if signed.signature else "not signed"
    say.out(f"approve: {signed.approval.by}, {kind}, until {signed.approval.expires}: {path}")
    words = signed.approval.site + (" --lab" if signed.approval.target == "lab" else "")
    say.out(f"Next: configlet push {words} --plan {file}")
    return statuses.OK
