"""A plan made for a command, and how it is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from configlet.cli import aim, limits, progress, say
from configlet.model.plan import host_of
from configlet.model.problem import refuse

if TYPE_CHECKING:
    from pathlib import Path

    from configlet.cli.aim import Aim
    from configlet.model.plan import Change, Flow, Plan
    from configlet.pipeline import Store

GATES_SHOWN = 3
RISKS_SHOWN = 3
SAND = "may go back by itself, or be confirmed"


def make(
    aimed: Aim, today: date, limit: Sequence[str], use_cache: bool = True, jobs: int | None = None
) -> Plan:
    """Read what runs and say what would change."""
    from configlet import pipeline

    site = aimed.site
    chosen = limits.owners(site.inventory, limit)
    owners = frozenset(gate.owner for gate in site.placement.gates)
    meant = owners if chosen is None else owners & chosen
    if not meant:
        raise refuse("Nothing is meant", "None of the devices and hosts that --limit names holds a gate.")
    shown = aim.read(aimed, meant)
    left = {owner: platform for owner, platform in aimed.left.items() if chosen is None or host_of(owner) in chosen}
    with progress.counting(f"plan {site.name}") as tell:
        made = pipeline.plan(
            site.root, site.name, today, shown.running, aimed.target, meant, store(site.root, use_cache), tell, left, jobs
        )
    return signed(replace(made, problems=(*_unfinished(aimed, shown.timers), *made.problems)))


def _unfinished(aimed: Aim, timers: Mapping[str, str]) -> Iterator[str]:
    """Why a plan from what runs now would be made on sand: a timer, or another push, may still change it."""
    from configlet import journal

    ids = [run.id for run in journal.unfinished(journal.read(aimed.folder / "journal.jsonl"))]
    if ids:
        yield (
            f"an earlier run is not finished ({', '.join(ids)}): what its devices run now {SAND}. Wait until it has ended, "
            f"or run `configlet recover {aimed.words}`"
        )
    for owner, token in sorted(timers.items()):
        if not any(f"-{run}-" in token for run in ids):
            yield (
                f"{owner}: a timer runs there ({token}) that no run of this workspace began: what it runs now {SAND}. Wait "
                "until it has ended, or have it ended by whoever began it"
            )


def against(
    root: Path, site: str, today: date, folder: Path, limit: Sequence[str], use_cache: bool, jobs: int | None = None
) -> Plan:
    """What would change where the files of a folder, as `render --out` writes them, say what runs."""
    from configlet import pipeline
    from configlet.pipeline.written import Folder

    kept = store(root, use_cache)
    running = Folder(folder, kept)
    chosen = limits.owners(pipeline.open_site(root, site, today).inventory, limit) if limit else None
    with progress.counting(f"plan {site}") as tell:
        made = pipeline.plan(root, site, today, running, "site", chosen, kept, tell, None, jobs)
    running.keep()
    return signed(made)


def store(root: Path, use_cache: bool) -> Store | None:
    """Where is kept what was found before; None for `--no-cache`."""
    from configlet.pipeline import Store

    return Store(root) if use_cache else None


def signed(plan: Plan) -> Plan:
    """The plan with the name of who has it made."""
    from configlet.journal import who
    from configlet.model.plan import digest_of

    found = replace(plan, author=str(who()["user"]), digest="")
    return replace(found, digest=digest_of(found))


def show(plan: Plan, diff: bool) -> None:
    """The plan for people: flows first, then devices, then what stands against it, then the text."""
    say.out(f"plan {plan.site} for the {plan.target}, as of {plan.date}, digest {plan.digest[:12]}")
    _flows("opens ", "+", "good", [f for f in plan.flows if f.opened])
    _flows("closes", "-", "bad", [f for f in plan.flows if not f.opened])
    say.out(f"  changes  {say.count(len(plan.changes), 'device or host', 'devices and hosts')}")
    for change in plan.changes:
        say.out(f"    {change.owner:<10} {change.platform:<10} {change.kind:<13} {_size(change)}")
    _said("risk    ", plan.risks[:RISKS_SHOWN], "warn")
    if len(plan.risks) > RISKS_SHOWN:
        say.out(f"           and {len(plan.risks) - RISKS_SHOWN} more risks (--json has all)")
    _said("problem ", plan.problems, "bad")
    if diff:
        for change in plan.changes:
            say.out()
            say.out(change.diff)


def _flows(word: str, sign: str, kind: str, flows: Sequence[Flow]) -> None:
    say.out(f"  {word}   {say.count(len(flows), 'kind')} of flow")
    for flow in flows:
        more = len(flow.gates) - GATES_SHOWN
        at = ", ".join(flow.gates[:GATES_SHOWN]) + (f" and {more} more gates" if more > 0 else "")
        say.out(say.tint(f"    {sign} {flow.rule}", kind) + (f"  ({flow.place})" if flow.place else ""))
        say.out(f"        such as {flow.example}")
        say.out(f"        at {at}")


def _size(change: Change) -> str:
    signs = Counter(line[0] for line in change.diff.splitlines()[2:] if line)
    return f"+{signs['+']} -{signs['-']} lines"


def _said(word: str, lines: Iterable[str], kind: str) -> None:
    for line in lines:
        say.out(f"  {say.tint(word, kind)} {line}")
