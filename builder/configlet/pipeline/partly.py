"""A change of rules looked at alone: the slice of the site that it touches, its texts proven, its part of the report.

No verdict is ever taken over for a text that the change can touch, and nothing is concluded from what is red: then the
whole site is looked at.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

from configlet.fit import alike
from configlet.model.frozen import dataclass
from configlet.model.policy import Rule
from configlet.model.problem import Problem, Refused
from configlet.pipeline.analysis import SUMMARY, policy_problems
from configlet.pipeline.artifacts import Proven, each_artifact, proven, unproven
from configlet.pipeline.check import accepted_gap, failed, gap_problems, group_said, split_gaps
from configlet.pipeline.expected import run_tests
from configlet.pipeline.inputs import Inputs
from configlet.pipeline.known import Before
from configlet.pipeline.report import GroupSaid, Report, counted
from configlet.pipeline.site import Site, open_site
from configlet.pipeline.sitemap import ALL, Map, Where, uses_of
from configlet.pipeline.slices import Change, as_expected, change_of, is_taken, slice_of, touched_by, whole_places

MOST_PLACES = 60
"""A change that touches more places than this is looked at whole."""


@dataclass(frozen=True, slots=True)
class Part:
    """A change looked at alone: the slice, the owners whose gates it touches, the texts that were proven for it."""

    site: Site
    touched: frozenset[str]
    texts: dict[str, tuple[Proven, ...]]
    report: Report


def part_of(
    root: Path,
    site: str,
    today: date,
    given: Inputs,
    before: Before,
    started: float,
    change: Change | None = None,
    owners: Collection[str] = (),
    every: bool = False,
) -> Part | None:
    """The change since, looked at alone, and these owners besides; None when only the whole can answer.

    ``every``: the texts of all that are touched, those that are alike one after the other; else one of each group.
    """
    change = change or change_of(before.map, before.digests, given)
    if change is None or len(change.places) > MOST_PLACES:
        return None
    cut = slice_of(before.map, given, change, owners)
    try:
        opened = _opened(root, site, today, cut.texts)
        narrow = _narrowed(opened, before.map, change) if as_expected(opened.inventory, cut, before.map) else None
        if narrow is None:
            return None
        touched = touched_by(before.map, narrow)
        if not touched <= opened.placement.owners.keys():
            return None
        texts = {group: _texts(opened, group, every) for group in _groups(opened, touched)}
        return _merged(opened, before, narrow, touched, texts, started)
    except Refused:
        return None


def _opened(root: Path, site: str, today: date, texts: dict[str, str]) -> Site:
    with tempfile.TemporaryDirectory(prefix="configlet-slice-") as folder:
        for name, text in texts.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return open_site(root, site, today, Path(folder))


def _narrowed(site: Site, known: Map, change: Change) -> Change | None:
    """The change with the places that its new rules really speak of.

    None when one of them speaks of any other than was thought, or has a name that another rule has.
    """
    where, places, hosts = Where(site.inventory), set(change.left), set(change.lost)
    for rule in site.policy.rules:
        if rule.place is not None and (rule.place.file, rule.place.line - 1) in change.new:
            places.update(where.both(rule.source, rule.destination))
            hosts.update(_hosts(site, rule))
            if is_taken(known, change, rule.name):
                return None
    return replace(change, places=frozenset(places), named=frozenset(hosts)) if places <= change.places else None


def _hosts(site: Site, rule: Rule) -> Iterator[str]:
    """The hosts of which an address or a group can be in a packet of the rule."""
    for host, gates in site.placement.owners.items():
        for gate in gates:
            for family, span in gate.locals:
                ends = [(e, realm) for realm in site.laws.realms_of(gate, family) for e in (rule.source, rule.destination)]
                if any(lo <= span[1] and span[0] <= hi for e, realm in ends for lo, hi in e.of(realm, family)):
                    yield host


def _groups(site: Site, touched: Collection[str]) -> tuple[tuple[str, ...], ...]:
    return alike(site.laws, {owner: gates for owner, gates in site.placement.owners.items() if owner in touched})


def _texts(site: Site, group: tuple[str, ...], every: bool) -> dict[str, tuple[Proven, ...]]:
    found: dict[str, tuple[Proven, ...]] = {}
    for artifact in each_artifact(site, group if every else group[:1], (group,)):
        found[artifact.owner] = (*found.get(artifact.owner, ()), proven(site, artifact))
    return found


def _merged(
    site: Site,
    before: Before,
    change: Change,
    touched: frozenset[str],
    texts: dict[tuple[str, ...], dict[str, tuple[Proven, ...]]],
    started: float,
) -> Part | None:
    """The report of before with what is said of the touched part in its place; None if anything there is red."""
    old = before.report
    proven_texts = {owner: made for of_group in texts.values() for owner, made in of_group.items()}
    tests = {test.place: test for test in run_tests(site, site.inventory.tests)}
    gaps, closed = split_gaps(site, change.places)
    accepted = (
        *(gap for gap in old.accepted if not change.places & set(gap.places)),
        *(accepted_gap(gap, by) for gap, by in closed),
    )
    groups = (*_others(old.groups, touched), *(group_said(group, made[group[0]]) for group, made in texts.items()))
    red = [
        *failed(tests.values()),
        *gap_problems(site, gaps),
        *unproven(proof for made in proven_texts.values() for one in made for proof in one.proofs),
    ]
    if red or {gap.place for gap in accepted} != {gap.place for gap in old.accepted}:
        return None
    if any(_speaks_of(problem, change.now) for problem in old.findings):
        return None
    if _analysed(site, before, change):
        return None
    warned = [p for p in site.warnings if p.place and (p.place.file, p.place.line - 1) in change.new]
    report = Report(
        old.site,
        {**old.counts, "rules": old.counts["rules"] - change.removed + len(change.new), **counted(groups)},
        (*old.findings, *warned),
        groups,
        tuple(tests.get(test.place, test) for test in old.tests),
        accepted,
        time.perf_counter() - started,
    )
    return Part(site, touched, proven_texts, report)


def _speaks_of(problem: Problem, files: Collection[str]) -> bool:
    """Whether a place of it, or one that its sentences name, is in one of these files, of which lines have moved."""
    places = (problem.place, *problem.also)
    return any(place and place.file in files for place in places) or any(f"{file}:" in problem.detail for file in files)


def _analysed(site: Site, before: Before, change: Change) -> bool:
    """Whether the analysis of the policy says something else where the change is, or could not be asked there.

    All that meets a rule with an end inside the slice is in the slice, so its findings there are its findings.
    """
    lines = [line for line in site.inventory.policy if (line.place.file, line.place.line - 1) in change.new]
    used, kept = change.used
    now = kept | {name for line in lines for name in uses_of(line)}
    if not now >= used or (now > used and any(p.summary == SUMMARY["unused-name"] for p in before.report.findings)):
        return True
    where, places = Where(site.inventory), change.places
    full = whole_places(before.map, change)
    for rule in site.policy.rules:
        if rule.origin == "policy":
            one, other = set(where.of(rule.source)), set(where.of(rule.destination))
            touches = ALL in one | other or bool(places & (one | other))
            if touches and not (one <= full or other <= full):
                return True
    meant = {ALL, *places}
    near = {
        (file, item.start + 1)
        for file, cut in before.map.cuts.items()
        if cut.kind == "policy"
        for item in cut.speaking(meant)
    }
    words = set(SUMMARY.values())
    then = {p for p in before.report.findings if p.summary in words and p.place and (p.place.file, p.place.line) in near}
    touched = [r for r in site.policy.rules if places & set(where.both(r.source, r.destination))]
    lines_of = {(r.place.file, r.place.line) for r in touched if r.place}
    said = policy_problems(site.inventory, site.policy)
    return then != {p for p in said if p.place and (p.place.file, p.place.line) in lines_of}


def _others(groups: tuple[GroupSaid, ...], touched: frozenset[str]) -> Iterator[GroupSaid]:
    for group in groups:
        if touched.isdisjoint(group.owners):
            yield group
        elif rest := tuple(owner for owner in group.owners if owner not in touched):
            yield replace(group, owners=rest)
