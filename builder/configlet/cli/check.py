"""``configlet check [SITE]``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from configlet.cli import options, progress, say, sites, statuses
from configlet.model.problem import Refused

if TYPE_CHECKING:
    from configlet.model.gate import Proof
    from configlet.pipeline import Report


@click.command("check")
@options.site(required=False)
@click.option("--paranoid", is_flag=True, help="Take no short way in reading: Cerberus judges everything.")
@options.jobs
@options.cache
@options.workspace
def command(
    site: str | None, paranoid: bool, jobs: int | None, use_cache: bool, workspace: Path | None, at: date | None, as_json: bool
) -> int:
    """Everything that can be said of a site without touching a device.

    Input, policy tests, unguarded flows, exposure, capacity, proofs, lock-out. Without SITE: all sites.
    """
    from configlet import workspace as files

    root, today = sites.root_of(workspace), sites.day(at)
    names = (sites.named(root, site),) if site else files.sites(root)
    kept = use_cache and not paranoid
    answers = [_answer(root, name, today, as_json, paranoid, kept, jobs) for name in names]
    status = statuses.worst(code for code, _ in answers)
    if as_json:
        say.data(status, {"command": "check", "sites": [content for _, content in answers]})
    elif not names:
        say.note(f"check: there is no site in {root / 'inventory'}, so nothing was checked")
    return status


def _answer(
    root: Path, site: str, today: date, as_json: bool, paranoid: bool, kept: bool, jobs: int | None
) -> tuple[int, dict[str, Any]]:
    from configlet import pipeline, workspace

    try:
        if paranoid:
            workspace.every_way(root, site, today)
        with progress.counting(f"check {site}") as tell:
            report = pipeline.check(root, site, today, pipeline.Store(root) if kept else None, tell, jobs)
    except Refused as refused:
        status = statuses.of_refusal(refused)
        if not as_json:
            say.complaints(refused.problems)
            say.out(say.tint(f"check: {site} INVALID ({say.count(len(refused.problems), 'problem')})", "bad"))
        return status, {"site": site, "status": status, "problems": [say.problem_data(p) for p in refused.problems]}
    if not as_json:
        show(report, today)
    return report.status, to_data(report)


def to_data(report: Report) -> dict[str, Any]:
    """The report for machines."""
    return {
        "site": report.site,
        "status": report.status,
        "counts": report.counts,
        "findings": [say.problem_data(p) for p in report.findings],
        "proofs": [_proof(proof) for proof in report.proofs],
        "alike": [group.owners for group in report.groups],
        "tests": [
            {
                "from": t.source,
                "to": t.destination,
                "service": t.service,
                "expect": t.expect,
                "ok": t.ok,
                "detail": t.detail,
                "place": str(t.place),
            }
            for t in report.tests
        ],
        "accepted": [
            {"gap": gap.what, "from": gap.source, "to": gap.target, "until": gap.until, "place": str(gap.place)}
            for gap in report.accepted
        ],
        "cached": report.cached,
        "seconds": round(report.seconds, 3),
    }


def _proof(proof: Proof) -> dict[str, Any]:
    """As ``asdict`` says it, which goes through thousands that have no witness one value after the other."""
    return {
        "gate": proof.gate,
        "verdict": proof.verdict,
        "read": proof.read,
        "total": proof.total,
        "witnesses": tuple(map(asdict, proof.witnesses)),
        "reason": proof.reason,
    }


def show(report: Report, today: date) -> None:
    """The report for people: what was looked at, what is wrong, and the verdict last."""
    say.out(f"{report.site} as of {today}")
    counts = report.counts
    names = ("devices", "hosts", "workloads", "segments", "rules", "gates", "entries", "lines")
    say.out("  " + "   ".join(f"{name} {counts[name]}" for name in names if name in counts))
    passed = sum(test.ok for test in report.tests)
    shared = f", {counts['distinct']} distinct" if counts["distinct"] != counts["proofs"] else ""
    say.out(f"  proofs         {counts['proved']} of {counts['proofs']} PROVED{shared}")
    say.out(f"  policy tests   {passed} of {len(report.tests)} as expected")
    _accepted(report)
    warnings = [p for p in report.findings if p.severity == "warning"]
    errors = [p for p in report.findings if p.severity == "error"]
    say.out(f"  warnings       {len(warnings)}")
    say.complaints((*warnings, *errors))
    _verdict(report, len(errors))


def _accepted(report: Report) -> None:
    by_place = {gap.place: gap for gap in report.accepted}
    flows = len(report.accepted)
    say.out(f"  accepted gaps  {len(by_place)}" + (f" ({say.count(flows, 'flow')})" if flows else ""))
    for place, gap in sorted(by_place.items()):
        say.out(f"    until {gap.until}  {gap.what}  {gap.whom}  {place}")
        say.out(f"      {gap.reason}")


def _verdict(report: Report, errors: int) -> None:
    status = report.status
    if status == statuses.OK:
        say.out(say.tint("check: ok", "good"))
    elif status == statuses.NOTHING:
        say.out(say.tint("check: nothing was there to check", "bad"))
    else:
        word = "INVALID" if status == statuses.INVALID else "RED"
        say.out(say.tint(f"check: {word} ({say.count(errors, 'finding')})", "bad"))
