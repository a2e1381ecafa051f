"""Everything that can be said of a site without touching a device."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from configlet.model.gate import Artifact, Proof
from configlet.model.inventory import Acceptance, PolicyTest
from configlet.model.net import FAMILIES, subtract
from configlet.model.policy import Entry, Packet
from configlet.model.problem import Problem
from configlet.packets.boxes import packet_of, packet_text
from configlet.packets.entries import box_of, split
from configlet.packets.verdict import first
from configlet.pipeline.analysis import policy_problems
from configlet.pipeline.artifacts import artifacts_of, proofs_of, unproven
from configlet.pipeline.site import Site, open_site
from configlet.place.guard import Gap, accepted, gaps
from configlet.place.sees import CURE, HOST
from configlet.rules import own_addresses, select


@dataclass(frozen=True, slots=True)
class TestResult:
    """A policy test and how it went; ``detail`` has the witnesses when it is red."""

    test: PolicyTest
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """What `check` found. ``status`` is the exit status of DESIGN 9."""

    site: str
    counts: dict[str, int]
    findings: tuple[Problem, ...]
    proofs: tuple[Proof, ...]
    tests: tuple[TestResult, ...]
    accepted: tuple[tuple[Gap, Acceptance], ...]
    artifacts: tuple[Artifact, ...]
    seconds: float

    @property
    def status(self) -> int:
        """0 when all is well, 65 invalid, 3 red, 8 nothing to check."""
        errors = [p for p in self.findings if p.severity == "error"]
        if any(p.nature == "invalid" for p in errors):
            return 65
        if errors:
            return 3
        return 8 if not self.proofs else 0


def check(root: Path, site: str, today: date) -> Report:
    """Read, place, fit, render, prove and judge a site. Raises Refused where a stage cannot go on."""
    started = time.perf_counter()
    return check_site(open_site(root, site, today), started)


def check_site(site: Site, started: float) -> Report:
    """The same for a site that is open."""
    artifacts = artifacts_of(site)
    proofs, _ = proofs_of(site, artifacts)
    tests = tuple(run_test(site, test) for test in site.inventory.tests)
    open_gaps, closed = _gaps(site)
    findings = (
        *site.warnings,
        *_failed(tests),
        *_gap_problems(open_gaps),
        *_unused(site, closed),
        *locked_out(site),
        *unproven(proofs),
        *policy_problems(site.inventory, site.policy),
    )
    seconds = time.perf_counter() - started
    return Report(site.name, _counts(site, artifacts, proofs), findings, proofs, tests, closed, artifacts, seconds)


def _counts(site: Site, artifacts: tuple[Artifact, ...], proofs: tuple[Proof, ...]) -> dict[str, int]:
    inventory = site.inventory
    return {
        "devices": len(inventory.devices),
        "hosts": len(inventory.hosts),
        "workloads": len(inventory.workloads),
        "segments": len(inventory.segments),
        "rules": len(inventory.policy),
        "gates": len(site.placement.gates),
        "entries": sum(len(t.rows) for a in artifacts for t in a.tables),
        "lines": sum(a.text.count("\n") for a in artifacts),
        "proofs": len(proofs),
        "proved": sum(p.verdict == "PROVED" for p in proofs),
        "tests": len(inventory.tests),
    }


def run_test(site: Site, test: PolicyTest) -> TestResult:
    """Allow: every packet of it passes; deny: none does; a mix is red, with a witness of each."""
    witnesses: dict[bool, tuple[Packet, Entry | None]] = {}
    for packet, entry in _decided(site, test):
        witnesses.setdefault(entry is not None and entry.permit, (packet, entry))
    if not witnesses:
        return TestResult(
            test, False, "No packet is like this: the two ends share no realm and family for the service."
        )
    ok = set(witnesses) == {test.expect == "allow"}
    return TestResult(test, ok, "\n".join(_said(allowed, *found) for allowed, found in sorted(witnesses.items())))


def _decided(site: Site, test: PolicyTest) -> Iterator[tuple[Packet, Entry | None]]:
    sources = select(site.inventory, test.source, source=True)
    targets = select(site.inventory, test.destination, source=False)
    own = own_addresses(site.inventory)
    for realm in sorted(sources.realms & targets.realms):
        for family in FAMILIES:
            never = own.of(realm, family)
            boxes = (
                box_of(term, s, t)
                for term in test.service.terms
                if term.family in (None, family)
                for s in subtract(sources.of(realm, family), never)
                for t in subtract(targets.of(realm, family), never)
            )
            for box in boxes:
                for part, entry in split(site.entries(realm, family), box):
                    yield packet_of(family, realm, part), entry


def _said(allowed: bool, packet: Packet, entry: Entry | None) -> str:
    by = (
        f'"{entry.rule.name}"' + (f" ({entry.rule.place})" if entry.rule.place else "") if entry else "the default deny"
    )
    return f"{'allowed' if allowed else 'denied'}: {packet_text(packet)} by {by}"


def _failed(tests: Iterable[TestResult]) -> Iterator[Problem]:
    for result in tests:
        if not result.ok:
            test = result.test
            asked = f"{test.source} to {test.destination}, {test.service.name}: expected {test.expect}."
            yield Problem("Policy test is red", f"{asked}\n{result.detail}", test.place, nature="red")


def _gaps(site: Site) -> tuple[list[Gap], tuple[tuple[Gap, Acceptance], ...]]:
    found = [
        (gap, accepted(gap, site.inventory.accept)) for gap in gaps(site.placement, site.policy.realms, site.entries)
    ]
    return [gap for gap, by in found if by is None], tuple((gap, by) for gap, by in found if by is not None)


def _gap_problems(found: list[Gap]) -> Iterator[Problem]:
    unguarded: dict[str, list[Gap]] = {}
    exposed: dict[tuple[str, str], list[Gap]] = {}
    for gap in found:
        if gap.what == "unguarded":
            end = gap.target if gap.target.workload else gap.source
            unguarded.setdefault(end.name, []).append(gap)
        else:
            key = (gap.rule.name if gap.rule else "", gap.reply_of.name if gap.reply_of else "")
            exposed.setdefault(key, []).append(gap)
    yield from (_unguarded(gaps_of) for gaps_of in unguarded.values())
    yield from (_exposed(*key, gaps_of) for key, gaps_of in exposed.items())


def _unguarded(found: list[Gap]) -> Problem:
    gap = found[0]
    end = gap.target if gap.target.workload else gap.source
    workload = end.workload
    if workload is None:
        raise AssertionError("an unguarded flow has a workload at one end")
    peers = ", ".join(sorted({g.source.name if g.target.name == end.name else g.target.name for g in found}))
    return Problem(
        "Unguarded flow",
        f'No gate decides what passes between "{workload.name}" (stack {workload.stack}, segment {end.place}) and '
        f"{peers}, and the policy denies some of it, for example {packet_text(gap.example)}. {HOST[workload.stack].sentence} "
        f"Inside a segment no gateway sees it either. The cheapest cure: {CURE[workload.stack]}. Or accept it for a time: "
        f"{{what: unguarded, workload: {workload.name}, reason: ..., until: ...}}.",
        workload.place,
        nature="red",
    )


def _exposed(deny: str, allow: str, found: list[Gap]) -> Problem:
    gap = found[0]
    ends = ", ".join(sorted({f"{g.source.name} to {g.target.name}" for g in found})[:6])
    return Problem(
        "Reply exposure that meets a written deny",
        f'"{deny}" denies packets that stateless gates must pass as replies of "{allow}", for example '
        f"{packet_text(gap.example)}. Between {ends} no gate remembers connections: {', '.join(gap.gates[:4])}. "
        "Narrow one of the two rules, put a stateful gate on the way, or accept it for a time: "
        f"{{what: reply-exposure, from: {gap.source.place}, to: {gap.target.place}, reason: ..., until: ...}}.",
        gap.rule.place if gap.rule else None,
        (gap.reply_of.place,) if gap.reply_of and gap.reply_of.place else (),
        nature="red",
    )


def _unused(site: Site, used: tuple[tuple[Gap, Acceptance], ...]) -> Iterator[Problem]:
    spoken = {id(by) for _, by in used}
    for acceptance in site.inventory.accept:
        if id(acceptance) not in spoken:
            detail = "Nothing is there any more that this acceptance speaks of. Remove it."
            yield Problem("Acceptance without a gap", detail, acceptance.place, severity="warning", nature="red")


def locked_out(site: Site) -> Iterator[Problem]:
    """Every managed device and host must stay reachable from the controller, end to end (DESIGN 5.9)."""
    inventory = site.inventory
    realm = inventory.controller_realm
    ways = [(d.name, d.platform, d.management, d.place) for d in inventory.devices if d.managed]
    ways += [(h.name, h.platform, h.management, h.place) for h in inventory.hosts if h.managed]
    for name, platform, management, where in ways:
        if management is None:
            detail = f'"{name}" is managed and has no management address: there is no way in. Give it one, or `managed: false`.'
            yield Problem("No way in", detail, where)
            continue
        port = site.platforms[platform].port
        for controller in inventory.controller:
            if controller.version != management.address.version:
                continue
            packet = Packet(
                realm, 4 if controller.version == 4 else 6, 6, int(controller), int(management.address), 49152, port
            )
            entry = first(site.entries(realm, packet.family), packet)
            if entry is None or not entry.permit:
                by = f'"{entry.rule.name}"' if entry else "the default deny"
                yield Problem(
                    "Way in closed",
                    f"The controller could no longer reach {name}: {packet_text(packet)} is denied by {by}. A push of this "
                    "would lock everybody out. Add a failsafe rule from the controller to management.",
                    management.place,
                    nature="red",
                )
