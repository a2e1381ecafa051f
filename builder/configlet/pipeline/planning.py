"""What would change on the devices, from what they run now."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Literal

from configlet import __version__, readers
from configlet.model.plan import Plan
from configlet.model.platform import Platform
from configlet.model.problem import Refused
from configlet.pipeline.artifacts import Proven, each_artifact, proven, unproven
from configlet.pipeline.check import check_site
from configlet.pipeline.report import Report
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
    texts = [proven(opened, artifact) for artifact in each_artifact(opened, owners)]
    items = [_item(opened.platforms[t.artifact.platform], t, running) for t in texts if t.reading is not None]
    red = [*report.findings, *unproven(proof for text in texts for proof in text.proofs)]
    return compare(
        items,
        site=site,
        target=target,
        date=today.isoformat(),
        version=__version__,
        inventory=opened.inventory.digest,
        problems=list(dict.fromkeys(str(p) for p in red if p.severity == "error")),
        risks=list(_risks(report)),
    )


def _item(platform: Platform, text: Proven, running: Mapping[str, str]) -> Item:
    artifact, desired = text.artifact, text.reading
    assert desired is not None
    if artifact.owner not in running:
        return Item(artifact, desired, "", None, "it could not be read")
    try:
        shown = owned(platform, artifact.kind, running[artifact.owner])
        reading = readers.read(platform, artifact.kind, shown, f"{artifact.owner} running")
        return Item(artifact, desired, shown, reading, kind=platform.kinds[artifact.kind])
    except Refused as refused:
        return Item(artifact, desired, "", None, str(refused))


def _risks(report: Report) -> Iterator[str]:
    for gap in {(gap.what, gap.source, gap.target): gap for gap in report.accepted}.values():
        yield f"accepted until {gap.until}: {gap.what} between {gap.source} and {gap.target} ({gap.place})"
