"""``configlet capacity SITE``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configlet.cli import options, progress, say, sites, statuses

if TYPE_CHECKING:
    from configlet.pipeline.capacity import Use


@click.command("capacity")
@options.site()
@click.option("--from", "source", metavar="S", help="What one more rule would cost: who begins.")
@click.option("--to", "target", metavar="T", help="Whom they reach.")
@click.option("--service", metavar="SERVICE", help="A service of the site, or a literal such as tcp/22; any unless said.")
@click.option("--all", "whole", is_flag=True, help="Of alike owners each, and every unit of hardware.")
@options.jobs
@options.workspace
def command(
    site: str, source: str | None, target: str | None, service: str | None, whole: bool, jobs: int | None, workspace: Path | None,
    at: date | None, as_json: bool,
) -> int:  # fmt: skip
    """How full each gate is: used of how many, what costs most, and what one more rule would cost.

    With --from and --to the rule that is asked about is counted exactly, at every gate that it would touch, and nothing
    is written. Without, a rule costs what those that are there cost on average. Exit status 3 when a gate has no room, 8
    when the site has no gate.
    """
    from configlet.pipeline.capacity import Asked, capacity

    if (source is None) != (target is None):
        raise click.UsageError("--from and --to go together: a rule has two ends.")
    if service is not None and source is None:
        raise click.UsageError("--service is of a rule that is asked about: say --from and --to.")
    root, today = sites.root_of(workspace), sites.day(at)
    asked = Asked(source, target, service or "any") if source is not None and target is not None else None
    name = sites.named(root, site)
    with progress.counting(f"capacity {name}") as tell:
        found = capacity(root, name, today, asked, tell, jobs)
    status = statuses.NOTHING if not found else statuses.RED if any(use.full for use in found) else statuses.OK
    if as_json:
        say.data(status, {"command": "capacity", "site": site, "gates": [_data(use) for use in found]})
    else:
        for line in lines(found, whole=whole):
            say.out(line)
        say.out(_verdict(found, status))
    return status


def _data(use: Use) -> dict[str, object]:
    units = {unit: {"used": used, "of": most or None} for unit, (used, most) in use.units.items()}
    return {**asdict(use), "units": units, "average": round(use.mean, 2), "full": use.full}


def lines(found: Sequence[Use], *, whole: bool) -> Iterator[str]:
    """Fullest first. A gate that the asked rule does not touch is counted at the end."""
    untouched = [use for use in found if use.more is not None and not any(use.more.values())]
    shown = [use for use in found if whole or use not in untouched]
    width = max((len(use.gate) for use in shown), default=4)
    for use in sorted(shown, key=lambda use: (-_share(use), use.gate)):
        yield from _use(use, width, whole=whole)
    if len(shown) < len(found):
        yield f"  {sum(1 + len(use.like) for use in untouched):,} gates are not touched by that rule"


def _share(use: Use) -> float:
    return max((used / most for used, most in use.units.values() if most), default=0.0)


def _use(use: Use, width: int, *, whole: bool) -> Iterator[str]:
    name = use.gate
    for unit, (used, most) in use.units.items():
        if whole or unit == use.unit or (most and used / most > 0.5):
            room = f"of {most:,}  {used / most:6.1%}" if most else "of an unstated number"
            line = f"  {name:<{width}}  {used:>7,} {room}  {unit}"
            yield say.tint(line, "bad") if most and used > most else line
            name = ""
    if use.like:
        yield f"  {'':<{width}}  the same: {', '.join(use.like) if whole else say.count(len(use.like), 'more gate')}"
    if use.dearest:
        dear = (f'"{one.name}" {one.count:,}' + (f" ({one.place})" if one.place else "") for one in use.dearest)
        yield f"  {'':<{width}}  costs most: {'; '.join(dear)}"
    yield f"  {'':<{width}}  one more rule: {_more(use)}"


def _more(use: Use) -> str:
    if use.more is not None:
        return "this one costs " + (", ".join(f"{n:+,} {unit}" for unit, n in use.more.items() if n) or "nothing here")
    used, most = use.units[use.unit]
    if not use.rules:
        return "nothing is there to compare with"
    room = f", room for about {max(0, int((most - used) / use.mean)):,} such" if most else ""
    return f"costs {use.mean:,.1f} {use.unit} on average{room}"


def _verdict(found: Sequence[Use], status: int) -> str:
    if status == statuses.NOTHING:
        return say.tint("capacity: the site has no gate", "bad")
    full = [use.gate for use in found if use.full]
    if full:
        return say.tint(f"capacity: RED, no room at {', '.join(full)}", "bad")
    return say.tint(f"capacity: ok, {say.count(sum(1 + len(use.like) for use in found), 'gate')}", "good")
