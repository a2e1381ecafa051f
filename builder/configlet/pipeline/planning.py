"""What would change on the devices, from what they run now."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Literal

from configlet import __version__, readers
from configlet.model.gate import Artifact, Reading
from configlet.model.plan import Plan
from configlet.model.platform import Platform
from configlet.model.problem import Refused
from configlet.pipeline.artifacts import proofs_of
from configlet.pipeline.check import Report, check_site
from configlet.pipeline.site import open_site
from configlet.plan import Item, compare
from configlet.readers.sections import owned


def plan(
    root: Path,
    site: str,
    today: date,
    running: Mapping[str, str],
    target: Literal["site", "lab"],
    owners: Collection[str] | None = None,
) -> Plan:
    """The plan for these owners (None: all). ``running`` is what each of them shows of its configuration.

    Whatever `check` finds red is a problem of the plan, so that it cannot be pushed.
    """
    opened = open_site(root, site, today)
    report = check_site(opened, time.perf_counter())
    meant = [a for a in report.artifacts if owners is None or a.owner in owners]
    _, readings = proofs_of(opened, meant)
    items = [_item(opened.platforms[a.platform], a, readings[a.owner], running) for a in meant if a.owner in readings]
    return compare(
        items,
        site=site,
        target=target,
        date=today.isoformat(),
        version=__version__,
        inventory=opened.inventory.digest,
        problems=[str(p) for p in report.findings if p.severity == "error"],
        risks=list(_risks(report)),
    )


def _item(platform: Platform, artifact: Artifact, desired: Reading, running: Mapping[str, str]) -> Item:
    if artifact.owner not in running:
        return Item(artifact, desired, "", None, "it could not be read")
    try:
        text = owned(platform, artifact.kind, running[artifact.owner])
        reading = readers.read(platform, artifact.kind, text, f"{artifact.owner} running")
        return Item(artifact, desired, text, reading, kind=platform.kinds[artifact.kind])
    except Refused as refused:
        return Item(artifact, desired, "", None, str(refused))


def _risks(report: Report) -> Iterator[str]:
    for gap, by in {(g.what, g.source.name, g.target.name): (g, a) for g, a in report.accepted}.values():
        yield f"accepted until {by.until}: {gap.what} between {gap.source.name} and {gap.target.name} ({by.place})"
