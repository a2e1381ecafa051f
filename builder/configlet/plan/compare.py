"""From what runs and what shall run to a plan, and from a plan that was pushed to the plan that takes it back."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Literal

from configlet.model.frozen import dataclass
from configlet.model.gate import Artifact, Reading
from configlet.model.plan import Change, Flow, Plan, digest_of
from configlet.model.platform import Kind
from configlet.plan.candidate import candidate_text
from configlet.plan.flows import Flows, together
from configlet.plan.recipes import way
from configlet.plan.texts import load_text


@dataclass(frozen=True, slots=True)
class Item:
    """One device: the artifact with its reading, and what runs in the sections that we own, with its reading.

    ``text`` is what the device shows of those sections ("" when it has none). ``running`` None means that it could
    not be read or understood, and ``doubt`` says why; such a device makes the plan a problem.
    """

    artifact: Artifact
    desired: Reading
    text: str
    running: Reading | None
    doubt: str = ""
    kind: Kind | None = None
    """The platform's kind: how it says that a text in force is replaced. None: as one, like everything staged."""
    own: str = ""
    """Whose change it is, when that is not the artifact's owner but the tables in its NICs."""

    @property
    def owner(self) -> str:
        """Whose change it is."""
        return self.own or self.artifact.owner


MENDED = "not bound: "
"""A note of a reading that the change itself puts right: a list of ours that lost its binding."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What is said of one device: its change when anything differs, what that opens and closes at each gate, and what
    stands against it."""

    owner: str
    kind: str
    change: Change | None
    flows: tuple[Flow, ...]
    problems: tuple[str, ...]


def compared(items: Iterable[Item]) -> tuple[Compared, ...]:
    """Each of these devices by itself. Only those whose canonical text differs have a change."""
    held, flows = tuple(items), Flows()
    return tuple(_compared(item, flows) for item in held)


def _compared(item: Item, flows: Flows) -> Compared:
    artifact, running, problems = item.artifact, item.running, tuple(_problems(item))
    if running is None or running.canonical == item.desired.canonical:
        return Compared(item.owner, artifact.kind, None, (), problems)
    opened = tuple(flows.of(artifact, running, item.desired))
    return Compared(item.owner, artifact.kind, _change(item, running), opened, problems)


def plan_of(
    devices: Iterable[Compared],
    *,
    site: str,
    target: Literal["site", "lab"],
    date: str,
    version: str,
    inventory: str,
    problems: Sequence[str] = (),
    risks: Sequence[str] = (),
) -> Plan:
    """The plan for these devices.

    ``problems`` and ``risks`` are what earlier stages found; a foreign filter on a binding of ours and a device that
    could not be read are added to the problems.
    """
    ordered = sorted(devices, key=lambda one: (one.owner, one.kind))
    plan = Plan(
        site,
        target,
        date,
        version,
        inventory,
        tuple(one.change for one in ordered if one.change is not None),
        together(flow for one in ordered for flow in one.flows),
        tuple(risks),
        (*problems, *(problem for one in ordered for problem in one.problems)),
    )
    return replace(plan, digest=digest_of(plan))


def back(plan: Plan, kept: Collection[str], *, date: str, version: str) -> Plan:
    """The plan that takes the changes of ``kept`` devices back; what runs must still be what ``plan`` brought."""
    changes = tuple(_turned(change) for change in plan.changes if change.owner in kept)
    turned = tuple(replace(flow, opened=not flow.opened) for flow in plan.flows)
    found = replace(
        plan,
        date=date,
        version=version,
        changes=changes,
        flows=tuple(sorted(turned, key=_opened_first)),
        problems=(),
    )
    return replace(found, digest=digest_of(found))


def _opened_first(flow: Flow) -> bool:
    return not flow.opened


def _problems(item: Item) -> Iterable[str]:
    owner = item.owner
    if item.running is None:
        yield f"{owner}: what it runs is not known: {item.doubt or 'it was not read'}"
        return
    yield from (f"{owner}: {note}" for note in item.running.notes if not note.startswith(MENDED))


def _change(item: Item, running: Reading) -> Change:
    artifact, desired = item.artifact, item.desired
    load, undo = _ways(item, running)
    return Change(
        item.owner,
        artifact.platform,
        artifact.kind,
        running.canonical,
        desired.canonical,
        load,
        undo,
        _diff(item.owner, running.canonical, desired.canonical),
    )


def _ways(item: Item, running: Reading) -> tuple[str, str]:
    """What is sent there and back: as one, or by the steps of a recipe where the platform names one.

    Of a configuration in braces the parts that differ are sent, as they were written or shown. Of tables that are not
    text the whole is sent; what ran before is its own way back, and "" takes them away.
    """
    if item.kind is not None and "units" in item.kind.change:
        parts, texts = item.kind.change["units"], (item.text, item.artifact.text)
        old, new = running.canonical, item.desired.canonical
        return candidate_text(parts, old, new, texts), candidate_text(parts, new, old, texts[::-1])
    if item.kind is not None and "commands" in item.kind.change:
        found = way(item.kind, running, item.desired)
        return found.load, found.undo
    if item.kind is not None and item.kind.encoder:
        return item.artifact.text, running.canonical
    kind, old, new = item.artifact.kind, running.canonical, item.desired.canonical
    return load_text(kind, old, new, item.artifact.text), load_text(kind, new, old, old)


def _turned(change: Change) -> Change:
    return replace(
        change,
        before=change.after,
        after=change.before,
        load=change.undo,
        undo=change.load,
        diff=_diff(change.owner, change.after, change.before),
    )


def _diff(owner: str, before: str, after: str) -> str:
    differing = _differing(before, after)
    return "\n".join((f"--- {owner} runs", f"+++ {owner} planned", *differing)) if differing else ""


@lru_cache(maxsize=4)
def _differing(before: str, after: str) -> tuple[str, ...]:
    """What differs between two texts, without the names of the two: both of a pair often have the same."""
    return tuple(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm=""))[2:]
