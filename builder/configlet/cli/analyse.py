"""``configlet analyse SITE``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import groupby
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from configlet.cli import options, say, sites, statuses

if TYPE_CHECKING:
    from configlet.model.finding import Analysis, Finding, Party, Shown

WIDTH = 110
MOST = 12
HEADS = {
    "fully-shadowed": "never match: rules before them decide every packet of theirs",
    "contradicting": "contradict earlier rules: only the order decides who is right",
    "partly-shadowed": "have exceptions before them: earlier rules inside them, of the other action",
    "redundant": "nobody would miss: later rules give every packet the same verdict",
    "too-wide": "allow more than the site's `wide`",
    "unused-name": "names that nothing uses",
    "expiring": "end within a week",
    "undecided": "UNKNOWN: the budget ended before an answer was found",
    "guard": "denies that stand guard: the default denies the same",
}
TINTS = {"error": "bad", "warning": "warn", "ignore": "faint"}


@click.command("analyse")
@options.site()
@click.option("--all", "whole", is_flag=True, help="Show what the site ignores, too.")
@options.workspace
def command(site: str, whole: bool, workspace: Path | None, at: date | None, as_json: bool) -> int:
    """Rules that do nothing, contradict each other or are too wide; names that nothing uses; what expires.

    Exact over all packets: each finding is shown with the rules that make it so and a packet that a linear first match
    has confirmed. How severe a kind is, the site says (`severity` in site.yaml: error, warning, ignore). Exit status 3
    when a finding is an error, or when something could not be decided.
    """
    from configlet.pipeline import analysis

    root, today = sites.root_of(workspace), sites.day(at)
    found = analysis(root, sites.named(root, site), today)
    status = status_of(found)
    if as_json:
        say.data(status, {"command": "analyse", **to_data(found)})
    else:
        for line in lines(found, today, whole):
            say.out(line)
        say.out(_verdict(found, status))
    return status


def status_of(found: Analysis) -> int:
    """3 for an error and for what is not known, 8 for a site without rules of its own."""
    if any(finding.level == "error" or finding.kind == "undecided" for finding in found.findings):
        return statuses.RED
    return statuses.OK if found.written else statuses.NOTHING


def to_data(found: Analysis) -> dict[str, Any]:
    """The findings for machines, what is ignored among them."""
    return {
        "site": found.site,
        "rules": found.written,
        "counts": dict(Counter(finding.kind for finding in found.findings)),
        "findings": [
            {
                "kind": finding.kind,
                "severity": finding.level,
                "rule" if finding.action else "name": finding.name,
                "action": finding.action,
                "place": _place(finding),
                "says": finding.says,
                "others": [_party(other) for other in finding.others],
                "packets": [_packet(shown) for shown in finding.packets],
            }
            for finding in found.findings
        ],
    }


def _place(thing: Finding | Party) -> str | None:
    return str(thing.place) if thing.place else None


def _party(party: Party | None) -> dict[str, Any] | None:
    return None if party is None else {"name": party.name, "action": party.action, "place": _place(party)}


def _packet(shown: Shown) -> dict[str, Any]:
    return {"packet": shown.packet, "decided_by": _party(shown.by), "without_it": _party(shown.otherwise)}


def lines(found: Analysis, today: date, whole: bool) -> Iterator[str]:
    """The findings for people, kind by kind, most severe first."""
    yield f"{found.site} as of {today}   rules {found.written:,}"
    shown = [finding for finding in found.findings if whole or finding.level != "ignore"]
    for (level, kind), group in groupby(shown, key=lambda finding: (finding.level, finding.kind)):
        findings = list(group)
        yield ""
        yield say.tint(f"{level.upper()}  {kind}  {len(findings):,}  {HEADS[kind]}", TINTS[level])
        for finding in findings:
            yield from _finding(finding)


def _finding(finding: Finding) -> Iterator[str]:
    name = f'{finding.action} "{finding.name}"' if finding.action else finding.name
    yield f"  {finding.place}  {name}"
    yield from wrap(finding.says, WIDTH - 6, initial_indent="      ", subsequent_indent="      ")
    word = {"redundant": "then", "fully-shadowed": "by"}.get(finding.kind, "with")
    for other in finding.others[:MOST]:
        yield f"      {word:<7} {other}"
    if len(finding.others) > MOST:
        yield f"      {'':<7} and {len(finding.others) - MOST:,} more: --json has them all"
    for shown in finding.packets:
        yield f"      {'packet':<7} {shown.packet}"
        yield f"      {'':<7} is decided by {shown.by or 'the default deny'}"
        if shown.otherwise:
            yield f"      {'':<7} without it by {shown.otherwise}"


def _verdict(found: Analysis, status: int) -> str:
    if status == statuses.NOTHING:
        return say.tint("analyse: the site has no rule of its own, so nothing was analysed", "bad")
    counts = Counter(finding.level for finding in found.findings)
    undecided = sum(finding.kind == "undecided" for finding in found.findings)
    parts = [say.count(counts["error"], "error"), say.count(counts["warning"], "warning"), f"{counts['ignore']} ignored"]
    if undecided:
        parts.append(f"{undecided} UNKNOWN")
    word = "RED" if status else "ok"
    return say.tint(f"analyse: {word} ({', '.join(parts)})", "bad" if status else "good")
