"""What devices run beside what they shall run: group by group of owners that are alike, on all cores where there are many.

A text that runs to the byte is not read and not proven again: nothing of it would be sent, and `check` proves one of each
group. Each text that would be sent is rendered, read and proven here and now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import field
from functools import partial

from configlet import drivers
from configlet.model.frozen import dataclass
from configlet.model.gate import Artifact, Reading
from configlet.model.problem import Problem, Refused
from configlet.pipeline.artifacts import Proven, each_artifact, groups, proven, read, unproven
from configlet.pipeline.cores import each_group
from configlet.pipeline.known import Tell
from configlet.pipeline.moves import moves
from configlet.pipeline.site import Site
from configlet.pipeline.written import Texts, digest_of, place_in
from configlet.place.gates import in_nic
from configlet.plan import Compared, Item, compared
from configlet.readers.sections import owned

IN_NIC = "its table is in a NIC, and nothing of ours reads or writes {} there; `configlet lab nics` loads it in the lab"
"""What a host shows is its own table: to compare a NIC's with it would be wrong, so such a plan cannot be pushed."""


@dataclass(frozen=True, slots=True)
class Found:
    """Of some owners: what differs or is in doubt, the moves of hosts, what is not proved, and the texts as good as ours."""

    devices: list[Compared] = field(default_factory=list)
    moves: dict[str, tuple[str, ...]] = field(default_factory=dict)
    red: list[Problem] = field(default_factory=list)
    texts: Texts = field(default_factory=dict)

    def add(self, other: Found) -> None:
        """What was found of more owners."""
        self.devices.extend(other.devices)
        self.moves.update(other.moves)
        self.red.extend(other.red)
        self.texts.update(other.texts)


def every(
    site: Site, owners: Collection[str] | None, running: Mapping[str, str], tell: Tell | None, jobs: int | None
) -> Found:
    """All these owners (None: of the site), in ``jobs`` processes (None: as many as are worth it).

    Raises Refused with every table that is too large.
    """
    found = Found()
    meant = groups(site, owners)
    for said in each_group(partial(_group, site, owners, running), meant, len(site.inventory.policy), tell, jobs):
        found.add(said)
    return found


def _group(site: Site, owners: Collection[str] | None, running: Mapping[str, str], group: tuple[str, ...]) -> Found:
    return some(site, each_artifact(site, owners, (group,)), running)


def some(site: Site, made: Iterable[Artifact | Proven], running: Mapping[str, str]) -> Found:
    """Of these texts, of which some may be proven already. Raises Refused with every table that is too large."""
    found, items = Found(), list[Item]()
    for one in made:
        artifact = one.artifact if isinstance(one, Proven) else one
        texts = found.texts.setdefault(artifact.owner, {}).setdefault(artifact.platform, [])
        texts.append(digest_of(artifact.text))
        if isinstance(one, Artifact) and _runs(artifact, running):
            continue
        known = _readable(site, one)
        proofs = known.proofs
        if known.reading is not None:
            item = _item(site, artifact, known.reading, running)
            if _differs(item):
                items.append(item)
                proofs = proofs or proven(site, artifact).proofs
            else:
                texts.append(digest_of(running[place_in(running, artifact.owner, artifact.platform)]))
        found.red.extend(unproven(proofs))
    found.devices.extend(compared(items))
    found.moves.update(moves(site, items))
    return found


def _runs(artifact: Artifact, running: Mapping[str, str]) -> bool:
    """Whether exactly this text is what runs."""
    name = place_in(running, artifact.owner, artifact.platform)
    return not in_nic(artifact.tables[0].gate) and name in running and running[name] == artifact.text


def _readable(site: Site, one: Artifact | Proven) -> Proven:
    """A text with what is read of it, and with its proofs if it has them, or cannot be read."""
    if isinstance(one, Proven):
        return one
    try:
        return Proven(one, (), read(site, one, one.text, one.file))
    except Refused:
        return proven(site, one)


def _differs(item: Item) -> bool:
    return item.running is None or bool(item.running.notes) or item.running.canonical != item.desired.canonical


def _item(site: Site, artifact: Artifact, desired: Reading, running: Mapping[str, str]) -> Item:
    platform = site.platforms[artifact.platform]
    own = f"{artifact.owner}/{artifact.platform}" if in_nic(artifact.tables[0].gate) else ""
    name = own or place_in(running, artifact.owner, artifact.platform)
    if own and platform.driver not in drivers.names():
        return Item(artifact, desired, "", None, IN_NIC.format(platform.name), own=own)
    if name not in running:
        return Item(artifact, desired, "", None, "it could not be read", own=own)
    try:
        shown = owned(platform, artifact.kind, running[name])
        reading = read(site, artifact, shown, f"{name} running")
        return Item(artifact, desired, shown, reading, kind=platform.kinds[artifact.kind], own=own)
    except Refused as refused:
        return Item(artifact, desired, "", None, str(refused), own=own)
