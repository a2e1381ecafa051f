"""`check` with a memory: the whole answer when nothing changed, the touched part of it when rules did.

The whole report is kept under the digest of everything that it depends on. Beside it stands a map of the site, if all
was well: when nothing but rules changed since, what they touch is looked at alone (``pipeline.partly``). Whatever is
red, or in doubt, is looked at whole. Stages are imported when they are needed: a kept answer needs none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from configlet.model.frozen import dataclass
from configlet.pipeline import report as reports
from configlet.pipeline.cache import Store
from configlet.pipeline.inputs import Inputs, inputs
from configlet.pipeline.report import Report

if TYPE_CHECKING:
    from configlet.pipeline.site import Site
    from configlet.pipeline.sitemap import Map

Tell = Callable[[int, int], None]
"""Told how many of how many groups are done."""


@dataclass(frozen=True, slots=True)
class Before:
    """What was known of a site when it was last looked at whole, and all was well."""

    key: str
    digests: dict[str, str]
    report: Report
    map: Map


def check(
    root: Path, site: str, today: date, store: Store | None = None, tell: Tell | None = None, jobs: int | None = None
) -> Report:
    """The report of a site. ``store`` None: everything is computed; ``jobs`` processes, None: as many as are worth it.

    Raises Refused where a stage cannot go on.
    """
    started = time.perf_counter()
    given = inputs(root, site, today) if store else None
    if store is None or given is None:
        return _whole(root, site, today, started, tell, jobs)[1]
    known = kept(store, given, started)
    if known is not None:
        return known
    from configlet.pipeline.partly import part_of

    before = before_of(store, given)
    part = part_of(root, site, today, given, before, started) if before else None
    if part is not None:
        store.put(f"report-{given.key}", reports.to_dict(part.report))
        return part.report
    opened, report = _whole(root, site, today, started, tell, jobs, given.files)
    if inputs(root, site, today, given) == given:
        keep(store, given, opened, report)
    return report


def _whole(
    root: Path, site: str, today: date, started: float, tell: Tell | None, jobs: int | None,
    given: Mapping[str, bytes] | None = None,
) -> tuple[Site, Report]:
    from configlet.pipeline.check import check_site
    from configlet.pipeline.site import open_site

    opened = open_site(root, site, today, digested=False, given=given)
    return opened, check_site(opened, started, tell, jobs)


def keep(store: Store, given: Inputs, site: Site, report: Report) -> None:
    """Keep a report, and what later changes can be compared with."""
    from configlet.pipeline import sitemap

    store.put(f"report-{given.key}", reports.to_dict(report))
    known = sitemap.map_of(site, given) if report.status == 0 else None
    if known is not None:
        said, parts = sitemap.to_dict(known)
        store.put(f"state-{given.place}", {"key": given.key, "digests": dict(given.digests), "map": said}, parts)


def kept(store: Store, given: Inputs, started: float) -> Report | None:
    """The report of exactly these inputs, if it was kept."""
    found = store.get(f"report-{given.key}")
    try:
        return None if found is None else reports.from_dict(found, time.perf_counter() - started)
    except (KeyError, TypeError, ValueError):
        return None


def before_of(store: Store, given: Inputs) -> Before | None:
    """What this site was when it was last looked at whole, on the same day and with the same code and configlets."""
    from configlet.pipeline import sitemap

    found = store.opened(f"state-{given.place}")
    try:
        report = store.get(f"report-{found[0]['key']}") if found else None
        if found is None or report is None:
            return None
        state, parts = found
        return Before(state["key"], state["digests"], reports.from_dict(report, 0), sitemap.from_dict(state["map"], parts))
    except (KeyError, TypeError, ValueError):
        return None


