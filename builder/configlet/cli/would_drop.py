"""``configlet would-drop SITE``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configlet.cli import options, say, sites, statuses

if TYPE_CHECKING:
    from configlet.pipeline.observing import Watched


@click.command("would-drop")
@options.site()
@click.option("--lab", is_flag=True, help="The lab's hosts instead of the site's.")
@options.workspace
def command(site: str, lab: bool, workspace: Path | None, at: date | None, as_json: bool) -> int:
    """What segments with `enforcement: observe` let pass, and would drop with `full`: by rule, flow and gate.

    The counts are those of the hosts' own tables, from the moment at which the table was loaded, and of every packet of a
    connection that no rule allows. Both ends of a flow count it. Exit status 3 when a gate could not be read, 8 when
    nothing is observed.
    """
    from configlet.cli import aim
    from configlet.pipeline.observing import observing, would_drop

    root, today = sites.root_of(workspace), sites.day(at)
    aimed = aim.aim(root, sites.named(root, site), today, lab)
    gates = observing(aimed.site)
    watched = would_drop(aimed.site, gates, aim.read(aimed, frozenset(gates), timers=False).running if gates else {})
    status = statuses.NOTHING if not gates else statuses.RED if watched.unread else statuses.OK
    if as_json:
        say.data(status, {"command": "would-drop", "site": site, "target": aimed.target, **asdict(watched)})
    elif gates:
        show(watched)
    else:
        say.note(f"would-drop: no gate of {site} observes; a segment says `enforcement: observe`")
    return status


def show(watched: Watched) -> None:
    """The counts for people, most first."""
    for would in watched.found:
        flow = would.rule.removeprefix("observed: ")
        say.out(f"  {would.packets:>9,} packets {would.bytes:>12,} B  {flow:<48} {would.gate}  ({would.place})")
    for gate, why in watched.unread:
        say.out(say.tint(f"  not known  {gate}: {why}", "bad"))
    if watched.unseen:
        say.out(f"  not seen   {', '.join(watched.unseen)}: no table at their hosts counts what they send and receive")
    read = len(watched.gates) - len(watched.unread)
    say.out(f"would-drop: {say.count(len(watched.found), 'flow')} at {read} of {say.count(len(watched.gates), 'gate')}")
