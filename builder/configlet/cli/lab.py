"""``configlet lab up|down|status|probe|fault SITE``."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from configlet.cli import options, say, sites, statuses


@click.group("lab")
def command() -> None:
    """The site on this machine: simulated switches, real hosts' nftables, real packets. With root or without."""


@command.command("up")
@options.site()
@click.option("--speed", type=click.FloatRange(0.1, 1000), default=1.0, show_default=True, help="Timers run so fast.")
@options.workspace
def up(site: str, speed: float, workspace: Path | None, at: date | None, as_json: bool) -> int:
    """Build the site's lab and leave it running. It starts open: without a filter anywhere."""
    from configlet import pipeline
    from configlet.lab import daemon

    root = sites.root_of(workspace)
    opened = pipeline.open_site(root, sites.named(root, site), sites.day(at))
    daemon.up(opened.inventory, root, speed, say.note)
    if as_json:
        say.data(statuses.OK, {"command": "lab up", "lab": daemon.status(root, site)})
    else:
        say.out(f"lab: {site} is up. Its switches are simulated. Next: configlet push {site} --lab")
    return statuses.OK


@command.command("down")
@options.site()
@options.workspace
def down(site: str, workspace: Path | None, at: date | None, as_json: bool) -> int:  # noqa: ARG001 - one set of options
    """End the lab and all that is in it."""
    from configlet.lab import daemon

    daemon.down(sites.root_of(workspace), site)
    if as_json:
        say.data(statuses.OK, {"command": "lab down", "site": site})
    else:
        say.out(f"lab: {site} is down")
    return statuses.OK


@command.command("status")
@options.site()
@options.workspace
def status(site: str, workspace: Path | None, at: date | None, as_json: bool) -> int:  # noqa: ARG001
    """What runs, and in what it differs from the site that it stands for."""
    from configlet.lab import daemon

    found = daemon.status(sites.root_of(workspace), site)
    if as_json:
        say.data(statuses.OK, {"command": "lab status", "lab": found})
        return statuses.OK
    for line in _lines(found, ""):
        say.out(line)
    return statuses.OK


def _lines(value: object, indent: str) -> list[str]:
    if isinstance(value, dict):
        found: list[str] = []
        for key, part in value.items():
            if isinstance(part, dict | list):
                found += [f"{indent}{key}", *_lines(part, indent + "  ")]
            else:
                found.append(f"{indent}{key:<18} {part}")
        return found
    if isinstance(value, list):
        return [line for part in value for line in _lines(part, indent)]
    return [f"{indent}{value}"]


@command.command("fault")
@options.site()
@click.argument("device")
@click.argument("kind")
@click.argument("argument", required=False, default="")
@options.workspace
def fault(
    site: str,
    device: str,
    kind: str,
    argument: str,
    workspace: Path | None,
    at: date | None,  # noqa: ARG001
    as_json: bool,
) -> int:
    """Make something go wrong: `fault dc1 leaf1 drop-after-commit 20`, `fault dc1 me1 flush`."""
    from configlet.lab import daemon

    daemon.fault(sites.root_of(workspace), site, device, kind, argument)
    if as_json:
        say.data(statuses.OK, {"command": "lab fault", "device": device, "kind": kind, "argument": argument})
    else:
        say.out(f"lab: {device} has the fault {kind} {argument}".rstrip())
    return statuses.OK
