"""What a policy says for nothing, twice, or against itself: for `analyse`, and as findings of `check`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

from configlet import rules, workspace
from configlet.analyse import analyse
from configlet.model.finding import Analysis, Finding, Kind
from configlet.model.inventory import Inventory
from configlet.model.policy import Policy
from configlet.model.problem import Problem, Severity

SUMMARY: dict[Kind, str] = {
    "fully-shadowed": "Rule that never matches",
    "contradicting": "Rules that contradict each other",
    "partly-shadowed": "Rule of which exceptions come first",
    "redundant": "Rule that nobody would miss",
    "too-wide": "Wide allow",
    "unused-name": "Name that nothing uses",
    "expiring": "Rule expires soon",
    "undecided": "Rule that the analysis could not decide",
    "guard": "Deny that stands guard",
}
MOST = 6
"""So many other rules are named one by one; the rest are counted."""


def analysis(root: Path, site: str, today: date) -> Analysis:
    """All findings of a site. Raises Refused where it cannot be understood."""
    inventory = workspace.load(root, site, today).inventory
    return analyse(inventory, _enforced(rules.expand(inventory)), today)


def policy_problems(inventory: Inventory, policy: Policy) -> Iterator[Problem]:
    """The findings that the site does not ignore, as `check` says them; what expires was said when days were read."""
    yield from map(_problem, analyse(inventory, _enforced(policy), None, ignored=False).findings)


def _enforced(policy: Policy) -> Policy:
    """The policy as it is when nothing is merely observed: what is written must make sense then."""
    rules = tuple([rule for rule in policy.rules if rule.origin != "observe"])
    return replace(policy, rules=rules) if len(rules) < len(policy.rules) else policy


def _problem(finding: Finding) -> Problem:
    who = f'"{finding.name}": ' if finding.action else ""
    others = [f"{other}" for other in finding.others[:MOST]]
    if len(finding.others) > MOST:
        others.append(f"and {len(finding.others) - MOST} more: configlet analyse")
    packets = [f"{shown.packet}: {shown.by or 'the default deny'}" for shown in finding.packets]
    detail = "\n".join([who + finding.says, *others, *packets])
    also = tuple(other.place for other in finding.others[:MOST] if other.place)
    severity: Severity = "error" if finding.level == "error" else "warning"
    return Problem(SUMMARY[finding.kind], detail, finding.place, also, severity, "red")
