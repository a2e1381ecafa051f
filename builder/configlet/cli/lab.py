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
    where = "in a user namespace" if found["user_namespace"] else "as root"
    say.out(f"lab of {site}: up, process {found['pid']} {where}, timers {found['speed']:g} times as fast")
    say.out(f"  {len(found['namespaces'])} namespaces, {len(found['servers'])} devices and hosts that answer:")
    for server in found["servers"]:
        say.out(f"    {server['name']:<10} {server['platform']:<10} {server['address']} port {server['port']}")
    for sentence in found["says"]:
        say.out(f"  note: {sentence}")
    for line in _faults(found["faults"]):
        say.out(f"  {say.tint('fault:', 'warn')} {line}")
    return statuses.OK


def _faults(found: dict[str, dict[str, str]]) -> list[str]:
    return [f"{device} {kind} {arg}".rstrip() for device, kinds in found.items() for kind, arg in kinds.items()]


@command.command("probe")
@options.site()
@options.workspace
def probe(site: str, workspace: Path | None, at: date | None, as_json: bool) -> int:
    """Send real packets between all pairs, and to each gate alone; compare what arrives with what the policy says.

    Exit status 1 when any packet fares differently.
    """
    from configlet.lab import probe as probing

    root = sites.root_of(workspace)
    result = probing.probe(root, sites.named(root, site), sites.day(at))
    if as_json:
        say.data(result.status, {"command": "lab probe", **probing.to_json(result)})
        return result.status
    for line in probing.lines(result):
        bad = line.startswith("DIFFERS") or (result.status and line.startswith("probe:"))
        say.out(say.tint(line, "bad") if bad else line)
    return result.status


@command.command("nics")
@options.site()
@options.workspace
def nics(site: str, workspace: Path | None, at: date | None, as_json: bool) -> int:
    """Put the filter tables of NICs into the lab's NICs (simulated: nftables in the namespace that the NIC is).

    Only proven tables are loaded; a NIC without one becomes open again.
    """
    from configlet.lab import nic_tables

    root = sites.root_of(workspace)
    gates = nic_tables.load(root, sites.named(root, site), sites.day(at))
    if as_json:
        say.data(statuses.OK, {"command": "lab nics", "site": site, "gates": gates})
    else:
        said = ", ".join(gates) or "no NIC has a table"
        say.out(f"lab: {say.count(len(gates), 'gate')} in simulated NICs of {site}: {said}")
    return statuses.OK


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
