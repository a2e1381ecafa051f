"""One device on its way through a push: checked, staged, committed under its timer, probed, confirmed or taken back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from configlet.drivers.base import Driver, Rejected, TakenBack, Trouble
from configlet.model.plan import Change, Outcome
from configlet.push.means import Means


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a device stands between commit and confirmation.

    ``red`` says why it must be taken back, "" if not. ``run`` is the run whose commit it is, when another one asks.
    ``deadline`` is of the clock of who committed, ``seconds`` what the device's timer was given.
    """

    change: Change
    token: str
    deadline: float
    red: str = ""
    run: str = ""
    seconds: float = 0.0


def check(change: Change, means: Means) -> str:
    """Why this device must not be touched now, "" when it still runs what the plan says."""
    means.progress(change.owner, "check", "does it still run what the plan was made from?")
    try:
        with means.talk(change) as driver:
            pending = driver.pending()
            shown = means.shown(change, driver)
    except Trouble as trouble:
        return str(trouble)
    if pending is not None:
        return f"a change is pending on it ({pending}). Run `configlet recover`, or wait until its timer has ended"
    if shown != change.before:
        return "the plan is stale: it no longer runs what the plan was made from. Make the plan anew"
    return ""


def begin(change: Change, means: Means) -> Standing | Outcome:
    """Stage, commit under the device's timer, leave, and verify over a new connection."""
    staged = _stage_and_commit(change, means)
    return verify(staged, means) if isinstance(staged, Standing) and not staged.red else staged


def _stage_and_commit(change: Change, means: Means) -> Standing | Outcome:
    means.progress(change.owner, "stage", "loading")
    standing, sent = Standing(change, means.target(change).token, means.clock.now()), False
    means.journal.write("stage", change.owner, token=standing.token)
    try:
        with means.talk(change) as driver:
            diff = driver.load(change)
            if means.interrupted.is_set():
                raise Rejected("interrupted before it was committed")
            seconds = means.timer(change)
            standing = replace(standing, deadline=means.clock.now() + seconds, seconds=seconds)
            _about_to_commit(standing, diff, means)
            sent = True
            driver.commit(seconds)
    except Rejected as trouble:
        return Outcome(change.owner, "Reverted" if isinstance(trouble, TakenBack) else "Untouched", str(trouble))
    except Trouble as trouble:
        if sent:
            return replace(standing, red=str(trouble))
        return Outcome(change.owner, "Untouched", f"{trouble}{_tidied(standing, means)}")
    return standing


def _tidied(standing: Standing, means: Means) -> str:
    """Nothing is active, but something may be staged, and on a switch that keeps the next push out."""
    try:
        with means.talk(standing.change) as driver:
            _forget(driver, standing.token)
    except Trouble:
        means.journal.write("left", standing.change.owner, token=standing.token)
        return ". What was staged may still be there; run `configlet recover`"
    return ""


def _about_to_commit(standing: Standing, diff: str, means: Means) -> None:
    seconds = means.timer(standing.change)
    means.progress(standing.change.owner, "commit", f"under its own timer of {seconds} s")
    means.journal.write(
        "commit",
        standing.change.owner,
        token=standing.token,
        seconds=seconds,
        deadline=standing.deadline,
        before=standing.change.before,
        diff=diff,
    )


def verify(standing: Standing, means: Means) -> Standing:
    """Over a new connection, as an old one outlives a list that lets nobody in: read back, then probe."""
    change = standing.change
    means.progress(change.owner, "probe", "over a new connection")
    try:
        with means.talk(change) as driver:
            if driver.pending() != standing.token:
                raise Rejected("its timer no longer runs, so what it runs now is not ours to confirm")
            if means.shown(change, driver) != change.after:
                raise Rejected("what it runs after the commit is not what was planned")
            means.probe(means.target(change), change, driver)
    except Trouble as trouble:
        return replace(standing, red=str(trouble))
    means.journal.write("verified", change.owner)
    return standing


def confirm(standing: Standing, means: Means) -> Outcome:
    """Make it permanent, save, read back. A connection lost here is followed by asking the device."""
    change = standing.change
    means.progress(change.owner, "confirm", "and save")
    means.journal.write("confirm", change.owner, token=standing.token)
    try:
        with means.talk(change) as driver:
            driver.confirm(standing.token)
            shown, knows = means.shown(change, driver), str(getattr(driver, "knows", ""))
    except Trouble as trouble:
        return ask(replace(standing, red=f"the confirmation did not come through ({trouble})"), means, adopt=True)
    if shown != change.after:
        return Outcome(change.owner, "Unknown", "after it was confirmed and saved it does not show what was planned")
    return Outcome(change.owner, "Kept", "verified over a new connection, confirmed and saved" + (knows and f". {knows}"))


def ask(standing: Standing, means: Means, *, adopt: bool) -> Outcome:
    """Ask the device in which state it is until it answers or its timer and a margin have passed.

    A pending change is confirmed when ``adopt`` (it was verified and the confirmation was on its way), else taken
    back. The outcome is what the device shows, never what was sent.
    """
    owner, now = standing.change.owner, means.clock.now()
    # No timer that still runs has longer to go than it was given, whatever the clock of its commit showed.
    end = min(max(standing.deadline, now), now + standing.seconds) + means.silence(standing.change)
    means.progress(owner, "ask", "in which state is it?")
    while True:
        try:
            with means.talk(standing.change, standing.run) as driver:
                return _answer(driver, standing, means, adopt=adopt)
        except Trouble as trouble:
            silence = str(trouble)
        if means.clock.now() >= end or means.interrupted.is_set():
            why = f"it did not answer in time ({silence}). Run `configlet recover` when it is back"
            return Outcome(owner, "Unknown", f"{standing.red}: {why}" if standing.red else why)
        means.clock.sleep(1.0)


def _answer(driver: Driver, standing: Standing, means: Means, *, adopt: bool) -> Outcome:
    change, token = standing.change, standing.token
    acted = driver.pending() == token
    if acted:
        (driver.confirm if adopt else driver.revert)(token)
    elif not adopt:
        _forget(driver, token)
    shown = means.shown(change, driver)
    if standing.run:
        means.journal.write("answered", change.owner, about=standing.run, shown=shown)
    if shown == change.before:
        if adopt and not acted:
            _forget(driver, token)
        return Outcome(change.owner, "Reverted", _way_back(standing.red, acted=acted))
    if shown != change.after:
        return Outcome(change.owner, "Unknown", "it runs neither what ran before nor what was planned. Look at it")
    if not adopt:
        return Outcome(change.owner, "Unknown", "it runs the change, but no timer of ours stands behind it. Look at it")
    if not acted:
        driver.save()
    return Outcome(change.owner, "Kept", f"{standing.red or 'it was cut off'}: asked again, it was confirmed and saved")


def _forget(driver: Driver, token: str) -> None:
    """End what may be staged under our token, so that a commit still on its way finds nothing."""
    with suppress(Rejected):
        driver.revert(token)


def _way_back(red: str, *, acted: bool) -> str:
    how = "taken back over a new connection" if acted else "taken back by its own timer, if it came to run at all"
    return f"{red or 'it was not confirmed'}: {how}; it shows what ran before"
