"""The records of a journal gathered by run: what each one meant to do and how far it came on each device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, get_args

from configlet.journal.log import Record
from configlet.model.frozen import dataclass
from configlet.model.plan import Result


@dataclass(frozen=True, slots=True)
class Step:
    """How far a run came on one device. ``token`` "" until something was staged, ``deadline`` in epoch seconds by
    the clock of who pushed, ``seconds`` what the device's timer was given.

    ``left`` when something that was only staged may still be on the device; ``answered`` when `recover` reached it
    afterwards and no timer of the run was left on it.
    """

    owner: str
    token: str = ""
    committed: bool = False
    confirming: bool = False
    deadline: float = 0.0
    seconds: float = 0.0
    result: Result | None = None
    reason: str = ""
    left: bool = False
    answered: bool = False

    @property
    def open(self) -> bool:
        """Whether the device is still to be asked."""
        return (self.result in (None, "Unknown") or self.left) and not self.answered


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its plan as it was recorded, and the steps by device. ``ended`` when nothing is left to ask.

    ``consent`` says who began it (user, host, pid) and by what ``way``; empty where nobody said.
    """

    id: str
    at: str
    plan: dict[str, Any]
    steps: dict[str, Step]
    ended: bool
    consent: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kept(self) -> tuple[str, ...]:
        """The devices that run what this run brought."""
        return tuple(owner for owner, step in self.steps.items() if step.result == "Kept")


def runs(records: Iterable[Record]) -> tuple[Run, ...]:
    """All runs in the order in which they began."""
    found: dict[str, Run] = {}
    consents: dict[str, dict[str, Any]] = {}
    for record in records:
        if record.event == "consent":
            consents[record.run] = record.data
        elif record.event == "begin":
            consent = consents.get(record.run, {})
            found[record.run] = Run(record.run, record.at, record.data["plan"], {}, False, consent)
        else:
            # `recover` speaks of an earlier run than the one that writes.
            run = str(record.data.get("about", record.run))
            if run in found:
                found[run] = _with(found[run], record)
    return tuple(found.values())


def unfinished(records: Iterable[Record]) -> tuple[Run, ...]:
    """Runs that were cut off, or that left a device of which the state is not known."""
    return tuple(run for run in runs(records) if not run.ended or any(step.open for step in run.steps.values()))


def held(records: Iterable[Record]) -> Mapping[str, str]:
    """What has a text of ours by the last run that was kept there, and of which platform it is."""
    found: dict[str, str] = {}
    for run in runs(records):
        for change in (change for change in run.plan["changes"] if change["owner"] in run.kept):
            found.pop(change["owner"], None)
            if change["after"]:
                found[change["owner"]] = change["platform"]
    return found


def last(records: Sequence[Record], run: str = "") -> Run | None:
    """The run of that id, or the last one that changed something; None when there is none."""
    wanted = [r for r in runs(records) if (r.id == run if run else bool(r.kept))]
    return wanted[-1] if wanted else None


def _with(run: Run, record: Record) -> Run:
    if record.event == "end":
        return replace(run, ended=True)
    step = run.steps.get(record.owner, Step(record.owner))
    data = record.data
    if record.event == "stage":
        step = replace(step, token=data["token"])
    elif record.event == "commit":
        step = replace(step, token=data["token"], committed=True, deadline=float(data["deadline"]))
        step = replace(step, seconds=float(data.get("seconds", "inf")))
    elif record.event == "confirm":
        step = replace(step, confirming=True)
    elif record.event == "left":
        step = replace(step, left=True)
    elif record.event == "answered":
        step = replace(step, answered=True)
    elif record.event == "outcome" and data["result"] in get_args(Result):
        step = replace(step, result=data["result"], reason=data["reason"])
    else:
        return run
    return replace(run, steps={**run.steps, record.owner: step})
