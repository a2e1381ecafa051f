"""What a command is aimed at: the site's devices, or the lab's; how to get there and what runs there."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from configlet.cli import progress, say
from configlet.model.frozen import dataclass
from configlet.model.plan import host_of
from configlet.model.problem import Refused, refuse

if TYPE_CHECKING:
    from configlet.drivers.base import Canonical, Driver, Make, Target
    from configlet.model.inventory import Inventory
    from configlet.model.plan import Change
    from configlet.model.platform import Platform
    from configlet.pipeline import Site

AT_ONCE = 16
_OF_A_NIC = re.compile(rb'"owner": ?"[^"/]+/')


@dataclass(frozen=True, slots=True)
class Aim:
    """A site that is open, and how to reach each device and host of it that is managed."""

    site: Site
    target: Literal["site", "lab"]
    targets: Mapping[str, Target]
    left: Mapping[str, str] = field(default_factory=dict)
    """Tables in NICs that an earlier push has brought and that the inventory has no more, with their platforms."""

    @property
    def pairs(self) -> dict[str, str]:
        """The other member of a pair, by name."""
        return {d.name: d.pair for d in self.site.inventory.devices if d.pair}

    @property
    def folder(self) -> Path:
        """Where the journal and the lock are."""
        from configlet import journal

        return journal.folder(self.site.root, self.site.name, self.target)

    @property
    def words(self) -> str:
        """The site and the option that a next command needs."""
        return self.site.name + (" --lab" if self.target == "lab" else "")


def aim(root: Path, site: str, today: date, lab: bool) -> Aim:
    """Open a site for a command that meets devices; with ``lab``, from inside the lab.

    Does not return when the lab must be entered first: the same command starts again there. Raises Refused for a site
    that is for the lab only, and for a lab that is not up.
    """
    from configlet import pipeline

    if lab:
        _enter(root, site)
    elif os.environ.get("CONFIGLET_LAB"):
        detail = "This shell is inside a lab, where the site's addresses are the lab's. Add --lab, or leave it."
        raise refuse("Inside the lab without --lab", detail)
    opened = pipeline.open_site(root, site, today)
    if opened.inventory.lab_only and not lab:
        detail = f"{site} says `lab: only`: no command touches its management addresses. Add --lab."
        raise refuse("Site is for the lab only", detail)
    trust = Path(os.environ.get("CONFIGLET_TRUST") or root / "trust" / site)
    left = _left(root, opened, "lab" if lab else "site")
    opened = pipeline.with_platforms(opened, left.values())
    return Aim(opened, "lab" if lab else "site", targets(opened.inventory, trust, opened.platforms, left), left)


def _left(root: Path, site: Site, target: Literal["site", "lab"]) -> dict[str, str]:
    """Tables in NICs of managed hosts that the journal says we brought, and that the inventory has no more."""
    from configlet import journal

    file = journal.folder(root, site.name, target) / "journal.jsonl"
    if not file.is_file() or not _OF_A_NIC.search(file.read_bytes()):
        return {}
    hosts = {host.name: host for host in site.inventory.hosts if host.managed}
    held = journal.held(journal.read(file)).items()
    return {
        owner: platform
        for owner, platform in held
        if owner != host_of(owner) and (host := hosts.get(host_of(owner))) and platform not in host.filter_tables
    }


def _enter(root: Path, site: str) -> None:
    from configlet.lab import enter, state

    wanted = state.state_of(root, site).path
    inside = os.environ.get("CONFIGLET_LAB")
    if inside is None:
        given: list[str] = click.get_current_context().obj
        command = [sys.executable, "-P", "-m", "configlet", *given]
        enter.enter(wanted, "controller", command)
    if Path(inside).resolve() != wanted:
        detail = f"This shell is inside the lab {inside}, not that of {site}. Leave it first."
        raise refuse("Inside another lab", detail)


def targets(
    inventory: Inventory, trust: Path, platforms: Mapping[str, Platform], left: Mapping[str, str] | None = None
) -> dict[str, Target]:
    """Where each managed device and host is that has a management address; the tables in a host's NICs beside it.

    ``left`` are such tables that the inventory has no more, by ``HOST/PLATFORM``, with their platforms.
    """
    from configlet.drivers.base import Target

    managed = [(d.name, d.platform, d.management) for d in inventory.devices if d.managed]
    managed += [(h.name, h.platform, h.management) for h in inventory.hosts if h.managed]
    for host in (h for h in inventory.hosts if h.managed):
        ways = {"management": host.management, "manager": host.manager}
        gone = (platform for owner, platform in (left or {}).items() if host_of(owner) == host.name)
        managed += [(f"{host.name}/{name}", name, ways[platforms[name].through]) for name in (*host.filter_tables, *gone)]
    return {
        name: Target(name, platform, str(way.address), 0, way.credentials, trust)
        for name, platform, way in managed
        if way is not None
    }


def canonical(site: Site) -> Canonical:
    """What a device shows of our sections, in the one form in which texts are compared."""
    from configlet import readers
    from configlet.readers import sections

    def of(platform: str, kind: str, text: str) -> str:
        known = site.platforms[platform]
        return readers.read(known, kind, sections.owned(known, kind, text), f"{platform} {kind}").canonical

    return of


def maker(site: Site) -> Make:
    """A function that connects to a target."""
    from configlet import drivers

    connect = drivers.opener(canonical(site))

    def make(target: Target) -> Driver:
        known = site.platforms[target.platform]
        if known.driver == "none":
            detail = (
                f"{target.owner} runs {known.title}, for which nothing of ours changes a device yet. Its text is rendered "
                f"and proven (`configlet render {site.name}`); take it there by your own means."
            )
            raise refuse("Platform without a driver", detail)
        return connect(replace(target, driver=known.driver))

    return make


def takes(site: Site) -> Callable[[Change], float]:
    """Seconds that a device of the site may need to load a change, or to take it back."""
    from configlet import drivers

    def of(change: Change) -> float:
        known = site.platforms.get(change.platform)
        return drivers.takes(known.driver, change) if known else 0.0

    return of


@dataclass(frozen=True, slots=True)
class Shown:
    """What devices and hosts show: what runs, and under which token a timer runs that may take it back; by owner."""

    running: dict[str, str] = field(default_factory=dict)
    timers: dict[str, str] = field(default_factory=dict)


def read(aimed: Aim, owners: frozenset[str], *, timers: bool = True) -> Shown:
    """What each of these shows, read side by side. One that cannot be read is said and left out."""
    from configlet import drivers
    from configlet.drivers.base import Trouble

    make = maker(aimed.site)
    wanted = [t for name, t in sorted(aimed.targets.items()) if host_of(name) in owners]
    # Tables in NICs that nothing of ours reaches: the plan says so.
    wanted = [t for t in wanted if t.owner in owners or aimed.site.platforms[t.platform].driver in drivers.names()]
    found = Shown()
    with progress.following("reading", len(wanted)) as tell:

        def one(target: Target) -> None:
            try:
                driver = make(target)
                try:
                    running, timer = driver.running(), driver.pending() if timers else None
                finally:
                    driver.close()
                found.running[target.owner] = running
                if timer is not None:
                    found.timers[target.owner] = timer
                if progress.on_terminal():
                    tell(target.owner, "done", "read")
            except (Trouble, Refused) as trouble:
                tell(target.owner, "done", f"not read: {trouble}")

        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            list(pool.map(one, wanted))
    say.note(f"read {len(found.running)} of {len(wanted)} devices and hosts")
    return found
