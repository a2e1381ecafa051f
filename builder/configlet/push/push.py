"""The whole push: check every device, then wave after wave; the first red takes its wave back and stops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace

from configlet.drivers.base import Canonical, Make, Target
from configlet.journal import Journal, unfinished
from configlet.model.plan import Change, Outcome, Plan, digest_of
from configlet.model.problem import refuse
from configlet.push import device
from configlet.push.device import Standing
from configlet.push.means import LONGEST, MARGIN, Clock, Means, Probe, Progress, Takes, at_once, each, no_probe, quiet
from configlet.push.waves import waves


def push(
    plan: Plan,
    targets: Mapping[str, Target],
    make: Make,
    journal: Journal,
    *,
    canonical: Canonical,
    probe: Probe = no_probe,
    pairs: Mapping[str, str] | None = None,
    seconds: int = 300,
    progress: Progress = quiet,
    clock: Clock | None = None,
    margin: float = MARGIN,
    takes: Takes = at_once,
) -> tuple[Outcome, ...]:
    """Bring each device of the plan from ``before`` to ``after``; one outcome each, in the plan's order.

    ``journal`` is open, so the site is locked. ``targets`` and ``pairs`` are by owner. ``seconds`` is the device's
    own timer; a change that ``takes`` long has that much more. Raises ``Refused``, before any device is met, when the
    plan cannot be pushed; later only when the journal can no longer be written, and then the devices' timers take back
    what was not confirmed.
    """
    _acceptable(plan, targets, journal, seconds)
    means = Means(targets, make, canonical, probe, journal, seconds, progress, clock or Clock(), margin, takes)
    journal.write("begin", plan=asdict(plan), seconds=seconds)
    stale = {c.owner: why for c, why in zip(plan.changes, each(device.check, plan.changes, means), strict=True) if why}
    found = _untouched(plan, stale) if stale else _roll(plan, pairs or {}, means)
    outcomes = tuple(found[change.owner] for change in plan.changes)
    if stale:
        _record(outcomes, means)
    journal.write("end")
    return outcomes


def exit_status(outcomes: Iterable[Outcome]) -> int:
    """0 all kept, 7 a state is unknown, 4 some were reverted or only some kept, 1 nothing was changed."""
    results = {outcome.result for outcome in outcomes}
    if "Unknown" in results:
        return 7
    if "Reverted" in results or results == {"Kept", "Untouched"}:
        return 4
    return 1 if results == {"Untouched"} else 0


def _acceptable(plan: Plan, targets: Mapping[str, Target], journal: Journal, seconds: int) -> None:
    if plan.problems:
        raise refuse("the plan has problems", "\n".join(plan.problems), nature="red")
    if plan.digest != digest_of(plan):
        raise refuse("the plan was changed", "Its digest does not fit its content. Make the plan anew.", nature="red")
    if not 1 <= seconds <= LONGEST:
        raise refuse("the timer is out of range", f"{seconds} s is not within 1 to {LONGEST} s.")
    owners = [change.owner for change in plan.changes]
    missing = sorted({owner for owner in owners if owner not in targets})
    if missing:
        detail = f"No management address is known for {', '.join(missing)}. Give each `management:` in the inventory."
        raise refuse("no way to reach a device", detail, nature="red")
    if len(set(owners)) != len(owners):
        raise refuse("a device twice in one plan", "A device has one timer, so one change at a time.", nature="red")
    left = unfinished(journal.records)
    if left:
        ids = ", ".join(run.id for run in left)
        raise refuse("an earlier run is not finished", f"{ids}: run `configlet recover` first.", nature="red")


def _untouched(plan: Plan, stale: Mapping[str, str]) -> dict[str, Outcome]:
    others = f"nothing was sent to any device, because of {', '.join(sorted(stale))}"
    return {c.owner: Outcome(c.owner, "Untouched", stale.get(c.owner, others)) for c in plan.changes}


def _roll(plan: Plan, pairs: Mapping[str, str], means: Means) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    red: list[str] = []
    for wave in waves(plan.changes, pairs, means.takes):
        if red:
            why = f"not begun, because of {', '.join(red)}"
            outcomes = tuple(Outcome(change.owner, "Untouched", why) for change in wave)
        else:
            outcomes = _wave(wave, means)
            red = [outcome.owner for outcome in outcomes if outcome.result != "Kept"]
        _record(outcomes, means)
        found.update((outcome.owner, outcome) for outcome in outcomes)
    return found


def _wave(wave: Sequence[Change], means: Means) -> tuple[Outcome, ...]:
    """Confirmed only when every member verified; one red and all of them are taken back."""
    start = means.clock.now()
    means = replace(means, slowest=max(map(means.takes, wave)))
    begun = each(device.begin, wave, means)
    red = [s.owner if isinstance(s, Outcome) else s.change.owner for s in begun if isinstance(s, Outcome) or s.red]

    def finish(standing: Standing | Outcome, means: Means) -> Outcome:
        if isinstance(standing, Outcome):
            outcome = standing
        elif red:
            why = standing.red or f"verified, but its wave was red because of {', '.join(red)}"
            means.progress(standing.change.owner, "revert", why)
            outcome = device.ask(replace(standing, red=why), means, adopt=False)
        else:
            outcome = device.confirm(standing, means)
        return replace(outcome, seconds=round(means.clock.now() - start, 3))

    return each(finish, begun, means)


def _record(outcomes: Iterable[Outcome], means: Means) -> None:
    for outcome in outcomes:
        means.progress(outcome.owner, "done", f"{outcome.result}: {outcome.reason}")
        means.journal.write("outcome", outcome.owner, result=outcome.result, reason=outcome.reason)
