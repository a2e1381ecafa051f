"""What `check` says of a site, as plain values that can be kept and read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from configlet.model.frozen import dataclass
from configlet.model.gate import Proof, Witness
from configlet.model.problem import Place, Problem


@dataclass(frozen=True, slots=True)
class TestSaid:
    """A policy test and how it went; ``detail`` has the witnesses."""

    source: str
    destination: str
    service: str
    expect: str
    ok: bool
    detail: str
    place: Place


@dataclass(frozen=True, slots=True)
class AcceptedGap:
    """A gap that an acceptance speaks of: between which ends, for ``whom`` it was accepted, until when and why."""

    what: str
    source: str
    target: str
    places: tuple[str, str]
    """The segment or external of either end."""
    whom: str
    until: str
    reason: str
    place: Place


@dataclass(frozen=True, slots=True)
class GroupSaid:
    """Owners that are alike, and what was found of the first of them: its proofs, its entries and lines."""

    owners: tuple[str, ...]
    proofs: tuple[Proof, ...]
    entries: int
    lines: int


@dataclass(frozen=True, slots=True)
class Report:
    """What `check` found. ``status`` is the exit status of DESIGN 9. ``cached``: it was read and not computed."""

    site: str
    counts: dict[str, int]
    findings: tuple[Problem, ...]
    groups: tuple[GroupSaid, ...]
    tests: tuple[TestSaid, ...]
    accepted: tuple[AcceptedGap, ...]
    seconds: float
    cached: bool = False

    @property
    def proofs(self) -> tuple[Proof, ...]:
        """The distinct proofs: those of one owner of each group."""
        return tuple(proof for group in self.groups for proof in group.proofs)

    @property
    def status(self) -> int:
        """0 when all is well, 65 invalid, 3 red, 8 nothing to check."""
        errors = [p for p in self.findings if p.severity == "error"]
        if any(p.nature == "invalid" for p in errors):
            return 65
        if errors:
            return 3
        return 0 if any(group.proofs for group in self.groups) else 8


def counted(groups: tuple[GroupSaid, ...]) -> dict[str, int]:
    """Entries, lines and proofs over all owners, and how many of the proofs are distinct."""
    times = [(len(group.owners), group) for group in groups]
    return {
        "entries": sum(n * group.entries for n, group in times),
        "lines": sum(n * group.lines for n, group in times),
        "proofs": sum(n * len(group.proofs) for n, group in times),
        "proved": sum(n * sum(p.verdict == "PROVED" for p in group.proofs) for n, group in times),
        "distinct": sum(len(group.proofs) for _, group in times),
    }


def to_dict(report: Report) -> dict[str, Any]:
    """For a cache. ``asdict`` would copy every proof; what has no witnesses is a short list."""
    return {
        "site": report.site,
        "counts": report.counts,
        "findings": [asdict(problem) for problem in report.findings],
        "groups": [[g.owners, [_proof(p) for p in g.proofs], g.entries, g.lines] for g in report.groups],
        "tests": [asdict(test) for test in report.tests],
        "accepted": [asdict(gap) for gap in report.accepted],
    }


def from_dict(said: Mapping[str, Any], seconds: float) -> Report:
    """The report again. Raises KeyError, TypeError or ValueError for anything that ``to_dict`` did not make."""
    return Report(
        said["site"],
        {str(name): int(count) for name, count in said["counts"].items()},
        tuple(_problem(one) for one in said["findings"]),
        tuple(
            GroupSaid(tuple(owners), tuple(map(_proof_of, proofs)), int(entries), int(lines))
            for owners, proofs, entries, lines in said["groups"]
        ),
        tuple(TestSaid(**{**one, "place": Place(*one["place"])}) for one in said["tests"]),
        tuple(
            AcceptedGap(**{**one, "places": tuple(one["places"]), "place": Place(*one["place"])})
            for one in said["accepted"]
        ),
        seconds,
        cached=True,
    )


def _proof(proof: Proof) -> list[Any]:
    found = [asdict(witness) for witness in proof.witnesses]
    return [proof.gate, proof.verdict, proof.read, proof.total, found, proof.reason]


def _proof_of(said: list[Any]) -> Proof:
    gate, verdict, read, total, witnesses, reason = said
    if verdict not in ("PROVED", "REFUTED", "UNKNOWN"):
        raise ValueError(verdict)
    found = tuple(Witness(**{**one, "box": tuple(map(tuple, one["box"]))}) for one in witnesses)
    return Proof(gate, verdict, int(read), int(total), found, reason)


def _problem(said: Mapping[str, Any]) -> Problem:
    place = Place(*said["place"]) if said["place"] else None
    return Problem(**{**said, "place": place, "also": tuple(Place(*one) for one in said["also"])})
