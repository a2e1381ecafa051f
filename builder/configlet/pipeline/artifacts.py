"""Tables to texts, and texts to proofs, one owner after the other, so that no more than one table is held at a time.

`check` asks for one of each group of owners that are alike (``fit.alike``); whoever shows or sends texts asks for all
that are meant, and each of those is rendered and proven itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

from configlet import platforms, readers
from configlet import render as rendering
from configlet.fit import alike, tables
from configlet.model.frozen import dataclass
from configlet.model.gate import Artifact, Proof, Reading, Table
from configlet.model.problem import Place, Problem, Refused, refuse
from configlet.pipeline.foreign import foreign
from configlet.pipeline.site import Site, open_site
from configlet.platforms import content
from configlet.platforms.own import faults
from configlet.prove import forget as forget_proofs
from configlet.prove import prove as prove_artifact


@dataclass(frozen=True, slots=True)
class Proven:
    """One artifact with its proofs, and what was read of its text (None when it could not be read)."""

    artifact: Artifact
    proofs: tuple[Proof, ...]
    reading: Reading | None


def render(root: Path, site: str, today: date) -> tuple[Artifact, ...]:
    """The artifacts of a site, one for each device and host that holds gates."""
    return artifacts_of(open_site(root, site, today))


def prove(root: Path, site: str, today: date) -> tuple[Proof, ...]:
    """The proof of each gate, each of its own text."""
    opened = open_site(root, site, today, digested=False)
    return tuple(proof for artifact in each_artifact(opened) for proof in proven(opened, artifact).proofs)


def prove_file(
    root: Path, site: str, today: date, file: Path, platform: str, gate: str, name: str = "", *, whole: bool = False
) -> tuple[Proof, ...]:
    """The proofs of a foreign text against the law of one gate, one for each family that the gate judges.

    ``name`` is the list of a running configuration that is meant; without it, what the text binds where the gate is.
    """
    opened = open_site(root, site, today)
    owner = next((g.owner for g in opened.placement.gates if g.name == gate), None)
    known = platforms.load(content.search(root))
    if owner is None or platform not in known:
        names = ", ".join(g.name for g in opened.placement.gates[:8])
        raise refuse(
            "Unknown gate or platform", f'There is no gate "{gate}" of platform "{platform}". Gates: {names} ...'
        )
    artifact = next(a for a in artifacts_of(opened, {owner}) if any(t.gate.name == gate for t in a.tables))
    tables_of_gate = [table for table in artifact.tables if table.gate.name == gate]
    text = foreign(file)
    try:
        if name:
            return _listed(opened, platform, file, tables_of_gate, name, whole=whole)
        if artifact.kind not in known[platform].kinds:
            detail = f"{gate} holds {artifact.kind}, and {platform} writes none. Name a list of the text, with --list."
            raise refuse("Text that is not bound at the gate", detail, Place(str(file)))
        with faults(known[platform]):
            reading = readers.read(known[platform], artifact.kind, text, str(file))
    except Refused as refused:
        found = () if name else _listed(opened, platform, file, tables_of_gate, name, whole=whole)
        if not found:
            raise refused from None
        return found
    proofs = prove_artifact(replace(artifact, text=text, file=str(file)), reading)
    return tuple(p for p in proofs if p.gate == gate or p.gate.startswith(f"{gate}/"))


def _listed(site: Site, platform: str, file: Path, found: Iterable[Table], name: str, *, whole: bool) -> tuple[Proof, ...]:
    """The proofs of lists of a running configuration: of this name, or bound where the gate is."""
    from configlet.pipeline import imported

    said = imported.running(site.root, platform, file)
    lists, problems = imported.chosen(said, [name] if name else [], file)
    if name and problems:
        raise Refused(problems)
    out = []
    for table in found:
        at = table.gate.binding, table.gate.direction
        for one in lists:
            if one.family == table.family and (one.name == name or (not name and at in one.bound)):
                out.append(imported.against_gate(one, table.law, table.gate, whole=whole))
    return tuple(out)


def groups(site: Site, owners: Collection[str] | None = None) -> tuple[tuple[str, ...], ...]:
    """The owners of gates in groups that are alike, with one of these ``owners`` in each (None: every group)."""
    found = alike(site.laws, site.placement.owners)
    return found if owners is None else tuple(group for group in found if not set(group).isdisjoint(owners))


def artifacts_of(site: Site, owners: Collection[str] | None = None) -> tuple[Artifact, ...]:
    """The artifacts of these owners (None: of all), in the order of their names."""
    return tuple(sorted(each_artifact(site, owners), key=lambda a: (a.owner, a.platform, a.kind)))


def each_artifact(
    site: Site, owners: Collection[str] | None = None, among: tuple[tuple[str, ...], ...] | None = None
) -> Iterator[Artifact]:
    """The same one by one, those that are alike together (``among``: the groups, where they are known).

    Raises Refused with every table that is too large, at once.
    """
    problems: list[Problem] = []
    if among is None:
        meant = {o: gates for o, gates in site.placement.owners.items() if owners is None or o in owners}
        among = alike(site.laws, meant)
    for group in among:
        for owner in group if owners is None else [name for name in group if name in owners]:
            try:
                by_kind = _by_kind(tables(site.laws, site.placement.of_owner(owner)))
                if not problems:
                    yield from _rendered(site, owner, by_kind)
            except Refused as refused:
                problems += refused.problems
        _forget(site)
    if problems:
        raise Refused(problems)


def _forget(site: Site) -> None:
    """Let go of what only owners that are alike share, when it is much."""
    site.laws.forget()
    forget_proofs()
    if sum(length for _, _, length in site.readings) > LONG:
        site.readings.clear()


_Kinds = dict[tuple[str, str], list[Table]]


def _by_kind(found: Iterable[Table]) -> _Kinds:
    out: _Kinds = {}
    for table in found:
        out.setdefault((table.gate.platform, table.gate.kind), []).append(table)
    return out


def _rendered(site: Site, owner: str, by_kind: _Kinds) -> Iterator[Artifact]:
    """The artifacts of an owner; a kind's tables leave ``by_kind``, so that nothing holds them longer than it must."""
    for platform, kind in sorted(by_kind):
        try:
            with faults(site.platforms[platform]):
                made = rendering.render(owner, site.platforms[platform], kind, by_kind.pop((platform, kind)))
        except Refused as refused:
            raise Refused(_of(site, owner, platform, refused.problems)) from refused
        yield made


def _of(site: Site, owner: str, platform: str, problems: Iterable[Problem]) -> Iterator[Problem]:
    """What a text cannot say, with the owner whose text it is; at its place, where no rule of the policy has one."""
    places = {d.name: d.place for d in site.inventory.devices} | {h.name: h.place for h in site.inventory.hosts}
    for one in problems:
        yield replace(one, detail=f"{owner} ({platform}): {one.detail}", place=one.place or places.get(owner))


def proven(site: Site, artifact: Artifact) -> Proven:
    """An artifact with the proof of each of its gates. A text that cannot be read is UNKNOWN."""
    try:
        reading = read(site, artifact, artifact.text, artifact.file)
    except Refused as refused:
        lines, names = artifact.text.count("\n"), sorted({t.gate.name for t in artifact.tables})
        unknown = tuple(Proof(name, "UNKNOWN", 0, lines, (), str(refused)) for name in names)
        return Proven(artifact, unknown, None)
    return Proven(artifact, prove_artifact(artifact, reading), reading)


FEW, LONG = 16, 500_000
"""Readings that are remembered, as both of a pair have one text, and what runs is most often what was wanted; and how
long their texts may be together, to be remembered beyond their group."""


def read(site: Site, artifact: Artifact, text: str, file: str) -> Reading:
    """What the reader of an artifact's platform understands of a text; the same of one that was just read."""
    key, known = (artifact.platform, artifact.kind, len(text)), site.readings
    if key in known and known[key][0] == text:
        return known[key][1]
    known.pop(key, None)
    while len(known) >= FEW:
        del known[next(iter(known))]
    with faults(site.platforms[artifact.platform]):
        found = readers.read(site.platforms[artifact.platform], artifact.kind, text, file)
    known[key] = text, found
    return found


def unproven(proofs: Iterable[Proof]) -> Iterable[Problem]:
    """What must not be pushed, as problems."""
    from configlet.prove import show

    for proof in proofs:
        if proof.verdict != "PROVED":
            yield Problem(f"Gate not proved ({proof.verdict})", show(proof), nature="red")
