"""What would change on the devices, from what they run now.

Where nothing but rules changed since the site was last looked at whole, only what they touch is rendered, and what runs
another text than was wanted then. Either way each text that would be sent is rendered and proven here and now.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date
from math import ceil
from pathlib import Path
from typing import Literal

from configlet import __version__, drivers
from configlet.model.gate import Artifact, Reading
from configlet.model.plan import SLOW, Plan
from configlet.model.plan import digest_of as digest
from configlet.model.problem import Refused
from configlet.pipeline.artifacts import Proven, each_artifact, read
from configlet.pipeline.cache import Store
from configlet.pipeline.check import check_site
from configlet.pipeline.differing import Found, every, some
from configlet.pipeline.inputs import Inputs, inputs
from configlet.pipeline.known import Tell, before_of, keep, kept
from configlet.pipeline.partly import Part, part_of
from configlet.pipeline.report import Report
from configlet.pipeline.site import Site, open_site, with_platforms
from configlet.pipeline.slices import change_of, touched_by
from configlet.pipeline.twofold import managed_twice
from configlet.pipeline.written import TEXTS, Texts, unlike
from configlet.plan import Item, compared, plan_of
from configlet.readers.sections import owned

Target = Literal["site", "lab"]
LEFT = "the inventory gives this NIC no table any more, and the one of an earlier push is still there"
MOST_OFF = 300
"""When more owners than this run something else than was wanted, the whole site is looked at."""


def plan(
    root: Path,
    site: str,
    today: date,
    running: Mapping[str, str],
    target: Target,
    owners: Collection[str] | None = None,
    store: Store | None = None,
    tell: Tell | None = None,
    left: Mapping[str, str] | None = None,
    jobs: int | None = None,
) -> Plan:
    """The plan for these owners (None: all). ``running`` is what each of them shows of its configuration.

    ``left`` are tables in NICs (``HOST/PLATFORM`` to the platform) that were pushed and that the inventory has no more.
    ``jobs`` are the processes for a large site, None: as many as are worth it. Whatever `check` finds red is a problem of
    the plan, so that it cannot be pushed.
    """
    given = inputs(root, site, today)
    made = None
    if store is not None and given is not None:
        made = _partly(root, site, today, running, owners, store, given)
    opened, report, found = made or _whole(root, site, today, running, owners, store, given, tell, jobs)
    problems = [*report.findings, *found.red]
    gone = [item for item in _left(opened, left or {}, running) if item.running is None or item.running.canonical]
    twice = managed_twice(root, site, today) if target == "site" else ()
    moved = [sentence for host in opened.inventory.hosts for sentence in found.moves.get(host.name, ())]
    made_of = plan_of(
        [*found.devices, *compared(gone)],
        site=site,
        target=target,
        date=today.isoformat(),
        version=__version__,
        inventory=given.content if given else opened.inventory.digest,
        problems=list(dict.fromkeys(str(p) for p in problems if p.severity == "error")),
        risks=[*moved, *map(_goes, gone), *_records(opened, owners), *_risks(report), *twice],
    )
    return _timed(with_platforms(opened, (left or {}).values()), made_of)


_Made = tuple[Site, Report, Found]


def _partly(
    root: Path,
    site: str,
    today: date,
    running: Mapping[str, str],
    owners: Collection[str] | None,
    store: Store,
    given: Inputs,
) -> _Made | None:
    """What a change of rules touches, and what runs something else; None: the whole must be asked."""
    before = before_of(store, given)
    known: Texts | None = store.get(f"{TEXTS}-{before.key}") if before else None
    change = change_of(before.map, before.digests, given) if before and known else None
    if before is None or known is None or change is None:
        return None
    meant = set(known) if owners is None else set(owners)
    touched = touched_by(before.map, change)
    off = unlike(running, meant - touched, known)
    if len(off) > MOST_OFF or not meant <= known.keys():
        return None
    part = part_of(root, site, today, given, before, time.perf_counter(), change, off, every=True)
    if part is None or not part.touched <= touched:
        return None
    # What a word of the change could have meant and did not is compared like all the rest.
    off += unlike(running, meant & (touched - part.touched), known)
    return part.site, part.report, some(part.site, _texts(part, meant & {*part.touched, *off}), running)


def _texts(part: Part, owners: Collection[str]) -> Iterator[Artifact | Proven]:
    """The text of each owner; those of what is touched were proven already."""
    for owner in sorted(owners & part.texts.keys()):
        yield from part.texts[owner]
    yield from each_artifact(part.site, owners - part.texts.keys())


def _whole(
    root: Path,
    site: str,
    today: date,
    running: Mapping[str, str],
    owners: Collection[str] | None,
    store: Store | None,
    given: Inputs | None,
    tell: Tell | None,
    jobs: int | None,
) -> _Made:
    opened = open_site(root, site, today)
    report = kept(store, given, time.perf_counter()) if store and given else None
    if report is None:
        report = check_site(opened, time.perf_counter(), tell, jobs)
        if store and given and inputs(root, site, today, given) == given:
            keep(store, given, opened, report)
    found = every(opened, owners, running, tell, jobs)
    if store and given and (owners is None or set(owners) == set(opened.placement.owners)):
        store.put(f"{TEXTS}-{given.key}", found.texts)
    return opened, report, found


def _timed(site: Site, plan: Plan) -> Plan:
    """The plan with what it says of changes that take their time: before all other risks."""
    found = [(change, drivers.takes(site.platforms[change.platform].driver, change)) for change in plan.changes]
    said = [
        f"{change.owner}: its rules go there one by one, so this takes up to {ceil(seconds)} s, and as long to be taken back; "
        "it has a wave of its own, and a timer that is longer by that much"
        for change, seconds in found
        if seconds >= SLOW
    ]
    timed = replace(plan, risks=(*said, *plan.risks), digest="")
    return replace(timed, digest=digest(timed)) if said else plan


def _left(site: Site, left: Mapping[str, str], running: Mapping[str, str]) -> Iterator[Item]:
    """Tables that are to go from NICs, as the inventory has them no more."""
    of, nothing = with_platforms(site, left.values()), Reading({}, 0, 0)
    for owner, platform in left.items():
        artifact = Artifact(owner, platform, "filter-table", "", (), owner)
        try:
            shown = owned(of.platforms[platform], "filter-table", running[owner])
            reading = read(of, artifact, shown, f"{owner} running")
            yield Item(artifact, nothing, shown, reading, kind=of.platforms[platform].kinds["filter-table"])
        except KeyError:
            yield Item(artifact, nothing, "", None, f"{LEFT}, and it could not be read")
        except Refused as refused:
            yield Item(artifact, nothing, "", None, f"{LEFT}, and cannot be understood: {refused}")


def _goes(item: Item) -> str:
    return f"{item.owner}: {LEFT}; it is taken out after everything else has changed, and then that NIC passes everything"


def _records(site: Site, owners: Collection[str] | None) -> Iterator[str]:
    """What is read back of a device that does not show all that it runs, whether it changes or not."""
    for host in (h for h in site.inventory.hosts if h.managed and (owners is None or h.name in owners)):
        for name in host.filter_tables:
            if words := drivers.knows(site.platforms[name].driver):
                yield f"{host.name}/{name}: {words}"


def _risks(report: Report) -> Iterator[str]:
    for gap in {(gap.what, gap.source, gap.target): gap for gap in report.accepted}.values():
        yield f"accepted until {gap.until}: {gap.what} between {gap.source} and {gap.target} ({gap.place})"
