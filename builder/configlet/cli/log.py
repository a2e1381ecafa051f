"""``configlet log SITE``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configlet.cli import options, say, sites, statuses

if TYPE_CHECKING:
    from configlet.journal import Run
    from configlet.journal.runs import Step

SHOWN = 20


@click.command("log")
@options.site()
@click.option("--limit", type=click.IntRange(1), default=SHOWN, show_default=True, help="The last N runs.", metavar="N")
@click.option("--lab", is_flag=True, help="The journal of this site's lab.")
@options.folder
def command(site: str, limit: int, lab: bool, workspace: Path | None, as_json: bool) -> int:
    """The runs of a site: when, who, by what consent, and what became of each device. Newest first.

    The journal's chain of digests is verified first; exit status 3 when it was changed, 8 when there is no run.
    """
    from configlet import journal

    root = sites.root_of(workspace)
    path = journal.folder(root, sites.named(root, site), "lab" if lab else "site") / "journal.jsonl"
    records = journal.read(path)
    found = journal.runs(records)
    head = records[-1].digest if records else journal.FIRST
    status = statuses.OK if found else statuses.NOTHING
    shown = found[::-1][:limit]
    if as_json:
        about = {"site": site, "target": "lab" if lab else "site", "journal": str(path)}
        chain = {"verified": True, "records": len(records), "head": head}
        runs = [_data(run) for run in shown]
        say.data(status, {"command": "log", **about, "chain": chain, "count": len(found), "runs": runs})
    elif not found:
        say.note(f"log: {site} has no run in {path}")
    else:
        _show(shown, len(found), f"{len(records)} records, chain verified, head {head}")
    return status


def _show(shown: Sequence[Run], total: int, chain: str) -> None:
    for run in shown:
        plan = run.plan
        say.out(f"{run.id}  {run.at}  {_who(run)}  for the {plan.get('target')}, plan {str(plan.get('digest'))[:12]}")
        say.out(f"  {_summary(run)}")
        for change in plan["changes"]:
            step = run.steps.get(change["owner"])
            result = step.result if step else None
            say.out(f"    {change['owner']:<10} {result or _far(step):<9}  {step.reason if step else ''}".rstrip())
    if len(shown) < total:
        say.out(f"and {total - len(shown)} earlier runs (--limit {total} shows all)")
    say.out(f"journal: {chain}")


def _who(run: Run) -> str:
    said = run.consent
    by = f"{said.get('user', 'unknown')}@{said.get('host', 'unknown')}"
    approval = said.get("approved_by")
    return f"by {by}" + (f", approved by {approval}" if approval else f" ({said['way']})" if "way" in said else "")


def _summary(run: Run) -> str:
    results = Counter(str(step.result) for step in run.steps.values() if step.result)
    said = ", ".join(f"{number} {result}" for result, number in sorted(results.items())) or "no outcome"
    return said + ("" if run.ended else "; never ended: configlet recover")


def _far(step: Step | None) -> str:
    if step is None:
        return "not begun"
    return "confirming" if step.confirming else "committed" if step.committed else "staged"


def _data(run: Run) -> dict[str, object]:
    devices = [
        {"owner": owner, "result": step.result, "reason": step.reason, "open": step.open}
        for owner, step in run.steps.items()
    ]
    plan = {key: run.plan.get(key) for key in ("target", "digest", "date", "version")}
    return {"run": run.id, "at": run.at, "by": dict(run.consent), "ended": run.ended, "plan": plan, "devices": devices}
