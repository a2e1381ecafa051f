"""``configlet diff SITE[@REV] SITE[@REV] [--through MAP]``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from configlet.cli import options, packets, say, sites, statuses

if TYPE_CHECKING:
    from configlet.pipeline.diff import Change, Diff
    from configlet.pipeline.policies import Policies

CHANGED = 2


class SiteAt(click.ParamType[tuple[str, str]]):
    """A site, perhaps as it was at a revision: ``dc1``, ``dc1@HEAD~1``."""

    name = "site"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """The site's name and the revision, or nothing for the files as they are."""
        if isinstance(value, tuple):
            return value
        site, at, revision = str(value).partition("@")
        if at and (not revision or revision.startswith("-")):
            self.fail(f'"{value}" has no revision behind its @', param, ctx)
        return options.SiteName().convert(site, param, ctx), revision

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        """The sites of the workspace."""
        return options.SiteName().shell_complete(ctx, param, incomplete)


@click.command("diff")
@click.argument("before", metavar="SITE[@REV]", type=SiteAt())
@click.argument("after", metavar="SITE[@REV]", type=SiteAt())
@click.option(
    "--through",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="MAP",
    help="How the first site's addresses and realms are called in the second.",
)
@click.option("--exit-code", is_flag=True, help="Exit status 2 when something differs.")
@options.workspace
def command(
    before: tuple[str, str],
    after: tuple[str, str],
    through: Path | None,
    exit_code: bool,
    workspace: Path | None,
    at: date | None,
    as_json: bool,
) -> int:
    """Exactly the flows that the second policy opens and closes against the first, with the rules on either side.

    A site is read from its files, or with @REV as it was committed; a revision is judged as of the day of its commit
    unless --at is given. Compared is what may begin, over all realms and both families. Exit status 3 when the answer is
    not known in full, which is never "the same".
    """
    from configlet.pipeline.diff import diff
    from configlet.pipeline.through import read_map, renamed

    root = sites.root_of(workspace)
    with ExitStack() as stack:
        one, other = (_opened(stack, root, side, at) for side in (before, after))
    if through is not None:
        one = renamed(one, read_map(through))
    found = diff(one, other)
    status = statuses.RED if found.unknown else CHANGED if exit_code and not found.same else statuses.OK
    if as_json:
        say.data(status, {"command": "diff", **to_data(found, before[1], after[1])})
    else:
        several = len({*one.policy.realms, *other.policy.realms}) > 1
        for line in lines(found, before[1], after[1], several):
            say.out(line)
    return status


def _opened(stack: ExitStack, root: Path, side: tuple[str, str], at: date | None) -> Policies:
    """One side, read whole while its files are there."""
    from configlet.pipeline.policies import policies

    site, name = side
    if not name:
        return policies(root, sites.named(root, site), sites.day(at))
    from configlet.drivers.revisions import revision
    from configlet.model.problem import Refused

    found = stack.enter_context(revision(root, site, name))
    try:
        return policies(found.root, site, at or found.day, f"{site}@{name}")
    except Refused as refused:
        raise Refused(
            replace(p, place=p.place._replace(file=f"{name}:{p.place.file}")) if p.place else p
            for p in refused.problems
        ) from None


def to_data(found: Diff, before: str, after: str) -> dict[str, object]:
    """The comparison for machines."""
    return {
        "before": found.before,
        "after": found.after,
        "same": found.same,
        "changes": [
            {
                "opened": change.opened,
                "before": packets.rule_data(change.before, before),
                "after": packets.rule_data(change.after, after),
                "sets": [packets.set_data(each) for each in change.sets],
            }
            for change in found.changes
        ],
        "unknown": [{"realm": realm, "family": family} for realm, family in found.unknown],
    }


def lines(found: Diff, before: str, after: str, several: bool) -> Iterator[str]:
    """The comparison for people, opened first."""
    opened = sum(change.opened for change in found.changes)
    counts = f"{opened} opened, {len(found.changes) - opened} closed"
    if found.same:
        yield f"{found.before} -> {found.after}: the same, both let exactly the same packets begin"
        return
    yield f"{found.before} -> {found.after}: {counts}{', not known in full' if found.unknown else ''}"
    for change in found.changes:
        yield ""
        yield from _change(change, before, after, several)
    if found.unknown:
        yield ""
        yield f"  {packets.unknown_text(found.unknown)}"


def _change(change: Change, before: str, after: str, several: bool) -> Iterator[str]:
    word = say.tint("OPENED", "bad") if change.opened else say.tint("CLOSED", "warn")
    yield f"  {word}  {change.sets[0].example}"
    for text in packets.set_lines(change.sets, several):
        yield f"    {text}"
    was, now = ("denied", "allowed") if change.opened else ("allowed", "denied")
    yield f"    before: {was} by {packets.rule_text(change.before, before)}"
    yield f"    after:  {now} by {packets.rule_text(change.after, after)}"
