"""Carrying a plan to its devices: consent, the push itself, and what became of each."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from configlet.cli import aim, progress, say, statuses

if TYPE_CHECKING:
    from configlet.cli.aim import Aim
    from configlet.journal import Journal
    from configlet.model.plan import Outcome, Plan

_KINDS = {"Kept": "good", "Reverted": "warn", "Untouched": "faint", "Unknown": "bad"}


def can_ask() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def nobody(command: str) -> int:
    """No prompt without a terminal: say which flag answers."""
    say.note(f"{command}: there is no terminal to ask on, so nothing was done. --yes is the consent of a script.")
    return statuses.NO_CONSENT


def agreed(plan: Plan, command: str) -> bool:
    """Ask the person who watches."""
    question = f"{command} {len(plan.changes)} changes to the {plan.target} {plan.site}?"
    if click.confirm(question, default=False, err=True):
        return True
    say.note(f"{command}: not agreed, so nothing was done")
    return False


def carry(plan: Plan, aimed: Aim, journal: Journal, seconds: int, consent: Mapping[str, str]) -> tuple[Outcome, ...]:
    """Push under the devices' own timers. An interruption leaves them to their timers, and says so.

    ``consent`` is kept in the journal beside who acts: its ``way``, and who approved when somebody did.
    """
    from configlet import push
    from configlet.journal import who

    journal.write("consent", **who(), **consent)
    try:
        with progress.following(f"{plan.site} {plan.target}", len(plan.changes)) as tell:
            return push.push(
                plan,
                aimed.targets,
                aim.maker(aimed.site),
                journal,
                canonical=aim.canonical(aimed.site),
                pairs=aimed.pairs,
                seconds=seconds,
                progress=tell,
                takes=aim.takes(aimed.site),
            )
    except KeyboardInterrupt:
        say.note("what was not confirmed goes back by the devices' own timers.")
        say.note(f"Next: configlet recover {aimed.words}")
        raise


def pushed(command: str, outcomes: Sequence[Outcome], aimed: Aim, journal: Journal, as_json: bool) -> int:
    """What became of each device of a push, and what next. Returns the exit status."""
    from configlet import push

    status = push.exit_status(outcomes)
    if as_json:
        say.data(status, {"command": command, **to_data(outcomes, aimed, journal)})
    else:
        show(command, status, outcomes, aimed, journal)
    return status


def to_data(outcomes: Sequence[Outcome], aimed: Aim, journal: Journal) -> dict[str, object]:
    """The outcomes for machines."""
    found = [asdict(outcome) for outcome in outcomes]
    return {
        "site": aimed.site.name,
        "target": aimed.target,
        "run": journal.run,
        "outcomes": found,
        "journal": journal.head,
    }


def show(command: str, status: int, outcomes: Sequence[Outcome], aimed: Aim, journal: Journal) -> None:
    """The outcomes for people."""
    for outcome in outcomes:
        result = say.tint(f"{outcome.result:<9}", _KINDS[outcome.result])
        say.out(f"  {outcome.owner:<10} {result} {outcome.seconds:6.1f} s  {outcome.reason}")
    counts = Counter(outcome.result for outcome in outcomes)
    said = ", ".join(f"{number} {result}" for result, number in sorted(counts.items()))
    say.out(say.tint(f"{command}: {said}", "good" if status == statuses.OK else "bad"))
    say.out(f"run {journal.run}, journal head {journal.head[:12]}")
    for line in _next(status, outcomes, aimed, journal):
        say.out(line)


def _next(status: int, outcomes: Sequence[Outcome], aimed: Aim, journal: Journal) -> Sequence[str]:
    site, *option = aimed.words.split()
    back = " ".join(("configlet rollback", site, journal.run, *option))
    if status == statuses.UNKNOWN_STATE:
        return (f"Next: configlet recover {aimed.words}",)
    if status == statuses.PARTIAL:
        return (f"Next: see why above, then push again; or take back what was kept: {back}",)
    return (f"The way back: {back}",) if status == statuses.OK and any(o.result == "Kept" for o in outcomes) else ()
