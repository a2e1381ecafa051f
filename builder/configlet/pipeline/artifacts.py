"""Tables to texts, and texts to proofs. Equal tables are rendered, read and proven once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

from configlet import readers
from configlet import render as rendering
from configlet.fit import tables
from configlet.model.gate import Artifact, Proof, Reading, Table
from configlet.model.problem import Problem, Refused, refuse
from configlet.pipeline.site import Site, open_site
from configlet.prove import prove as prove_artifact


def render(root: Path, site: str, today: date) -> tuple[Artifact, ...]:
    """The artifacts of a site, one for each device and host that holds gates."""
    return artifacts_of(open_site(root, site, today))


def prove(root: Path, site: str, today: date) -> tuple[tuple[Artifact, ...], tuple[Proof, ...]]:
    """The artifacts, and the proof of each of their gates."""
    opened = open_site(root, site, today)
    found = artifacts_of(opened)
    return found, proofs_of(opened, found)[0]


def prove_file(root: Path, site: str, today: date, file: Path, platform: str, gate: str) -> tuple[Proof, ...]:
    """The proofs of a foreign text against the law of one gate, one for each family that the gate judges."""
    opened = open_site(root, site, today)
    artifact = next((a for a in artifacts_of(opened) if any(t.gate.name == gate for t in a.tables)), None)
    if artifact is None or platform not in opened.platforms:
        names = ", ".join(g.name for g in opened.placement.gates[:8])
        raise refuse(
            "Unknown gate or platform", f'There is no gate "{gate}" of platform "{platform}". Gates: {names} ...'
        )
    text = file.read_text(encoding="utf-8")
    reading = readers.read(opened.platforms[platform], artifact.kind, text, str(file))
    proofs = prove_artifact(replace(artifact, text=text, file=str(file)), reading)
    return tuple(p for p in proofs if p.gate == gate or p.gate.startswith(f"{gate}/"))


def artifacts_of(site: Site) -> tuple[Artifact, ...]:
    """Every owner's artifact, in the order of the owners' names."""
    by_owner: dict[tuple[str, str, str], list[Table]] = {}
    for table in tables(site.inventory, site.policy, site.placement.gates):
        by_owner.setdefault((table.gate.owner, table.gate.platform, table.gate.kind), []).append(table)
    made: dict[object, Artifact] = {}
    out: list[Artifact] = []
    for (owner, platform, kind), found in sorted(by_owner.items()):
        key = (
            platform,
            kind,
            tuple((t.gate.binding, t.gate.direction, t.gate.segments, t.family, id(t.rows)) for t in found),
        )
        if key not in made:
            made[key] = rendering.render(owner, site.platforms[platform], kind, found)
        file = f"{owner}.{platform}.{kind}"
        out.append(replace(made[key], owner=owner, tables=tuple(found), file=file))
    return tuple(out)


def proofs_of(site: Site, found: Iterable[Artifact]) -> tuple[tuple[Proof, ...], dict[str, Reading]]:
    """The proof of every gate, and what was read from each owner's text. A text that cannot be read is UNKNOWN."""
    texts: dict[tuple[str, str, str], Reading] = {}
    proofs: list[Proof] = []
    readings: dict[str, Reading] = {}
    for artifact in found:
        key = (artifact.platform, artifact.kind, artifact.text)
        try:
            if key not in texts:
                texts[key] = readers.read(
                    site.platforms[artifact.platform], artifact.kind, artifact.text, artifact.file
                )
        except Refused as refused:
            lines = artifact.text.count("\n")
            reason = str(refused)
            proofs += [
                Proof(g, "UNKNOWN", 0, lines, (), reason) for g in sorted({t.gate.name for t in artifact.tables})
            ]
            continue
        readings[artifact.owner] = texts[key]
        proofs += prove_artifact(artifact, texts[key])
    return tuple(proofs), readings


def unproven(proofs: Iterable[Proof]) -> Iterable[Problem]:
    """What must not be pushed, as problems."""
    from configlet.prove import show

    for proof in proofs:
        if proof.verdict != "PROVED":
            yield Problem(f"Gate not proved ({proof.verdict})", show(proof), nature="red")
