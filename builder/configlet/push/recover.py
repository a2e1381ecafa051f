"""After a run was cut off: ask the devices, not the journal, and bring each to before or after."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from configlet.drivers.base import Canonical, Make, Target
from configlet.journal import Journal, Run, unfinished
from configlet.journal import Step as Stepped
from configlet.model.plan import Change, Outcome
from configlet.push import device
from configlet.push.device import Standing
from configlet.push.means import MARGIN, Clock, Means, Progress, Takes, at_once, each, no_probe, quiet


def recover(
    targets: Mapping[str, Target],
    make: Make,
    journal: Journal,
    *,
    canonical: Canonical,
    progress: Progress = quiet,
    clock: Clock | None = None,
    margin: float = MARGIN,
    takes: Takes = at_once,
) -> tuple[Outcome, ...]:
    """One outcome for each device of each unfinished run; none when no run was left unfinished.

    A change that was verified and on its way to be confirmed is confirmed, any other that is pending is taken back.
    A device that does not answer stays ``Unknown``, and its run unfinished.
    """
    means = Means(targets, make, canonical, no_probe, journal, 0, progress, clock or Clock(), margin, takes)
    found: list[Outcome] = []
    for run in unfinished(journal.records):
        outcomes = each(partial(_settle, run), [Change(**data) for data in run.plan["changes"]], means)
        found += [outcome for outcome in outcomes if outcome is not None]
        journal.write("end", about=run.id)
    return tuple(found)


def _settle(run: Run, change: Change, means: Means) -> Outcome | None:
    step = run.steps.get(change.owner, Stepped(change.owner))
    if not step.open:
        return None
    outcome = _asked(run, step, change, means)
    means.progress(outcome.owner, "done", f"{outcome.result}: {outcome.reason}")
    means.journal.write("outcome", outcome.owner, about=run.id, result=outcome.result, reason=outcome.reason)
    return outcome


def _asked(run: Run, step: Stepped, change: Change, means: Means) -> Outcome:
    if not step.token:
        return Outcome(change.owner, "Untouched", f"run {run.id} ended before anything was sent to it")
    if change.owner not in means.targets:
        return Outcome(change.owner, "Unknown", "no management address is known for it any more")
    red = f"run {run.id} was cut off"
    outcome = device.ask(Standing(change, step.token, step.deadline, red, run.id, step.seconds), means, adopt=step.confirming)
    if outcome.result == "Reverted" and not step.committed:
        return Outcome(change.owner, "Untouched", f"{red} before it was committed; it shows what ran before")
    return outcome
