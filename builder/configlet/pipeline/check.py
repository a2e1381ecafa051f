"""Everything that can be said of a site without touching a device."""

from __future__ import annotations

import gc
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache, partial

from configlet.model.inventory import Acceptance
from configlet.model.net import IPAddress, Span, family_of
from configlet.model.policy import ANY_PORT, DST, SRC, Box, Entry
from configlet.model.problem import Problem
from configlet.packets.boxes import full, meet, packet_of, packet_text
from configlet.packets.entries import split
from configlet.pipeline.analysis import policy_problems
from configlet.pipeline.artifacts import Proven, each_artifact, groups, proven, unproven
from configlet.pipeline.cores import each_group
from configlet.pipeline.expected import run_tests
from configlet.pipeline.known import Tell
from configlet.pipeline.report import AcceptedGap, GroupSaid, Report, TestSaid, counted
from configlet.pipeline.site import Site
from configlet.place import Placement
from configlet.place.beyond import WORDS, hidden
from configlet.place.cures import Offered, cheapest, guarded_end, reasons
from configlet.place.guard import Gap, accepted, gaps
from configlet.place.local import inside
from configlet.platforms import content
from configlet.platforms.nics import mechanisms


def check_site(site: Site, started: float, tell: Tell | None = None, jobs: int | None = None) -> Report:
    """Fit, render, prove and judge a site that is open, in ``jobs`` processes (None: as many as are worth it).

    Raises Refused where a stage cannot go on.
    """
    said = tuple(group_reports(site, tell, jobs))
    gc.freeze()  # what gates were compared by is remembered, and nothing of it is dead
    tests = run_tests(site, site.inventory.tests)
    open_gaps, closed = split_gaps(site)
    findings = (
        *site.warnings,
        *failed(tests),
        *gap_problems(site, open_gaps),
        *_unused(site, closed),
        *locked_out(site),
        *unproven(proof for group in said for proof in group.proofs),
        *policy_problems(site.inventory, site.policy),
    )
    accepted = tuple(accepted_gap(gap, by) for gap, by in closed)
    counts = {**_counts(site), **counted(said), "tests": len(tests)}
    return Report(site.name, counts, findings, said, tests, accepted, time.perf_counter() - started)


def group_reports(site: Site, tell: Tell | None = None, jobs: int | None = None) -> Iterator[GroupSaid]:
    """One owner of each group rendered, read and proven. Raises Refused with every table that is too large."""
    return each_group(partial(_looked_at, site), groups(site), len(site.inventory.policy), tell, jobs)


def _looked_at(site: Site, group: tuple[str, ...]) -> GroupSaid:
    return group_said(group, [proven(site, artifact) for artifact in each_artifact(site, group[:1], (group,))])


def group_said(group: tuple[str, ...], made: Sequence[Proven]) -> GroupSaid:
    """What is said of a group, from the texts of one of it."""
    return GroupSaid(
        group,
        tuple(proof for one in made for proof in one.proofs),
        sum(len(table.rows) for one in made for table in one.artifact.tables),
        sum(one.artifact.text.count("\n") for one in made),
    )


def _counts(site: Site) -> dict[str, int]:
    inventory = site.inventory
    return {
        "devices": len(inventory.devices),
        "hosts": len(inventory.hosts),
        "workloads": len(inventory.workloads),
        "segments": len(inventory.segments),
        "rules": len(inventory.policy),
        "gates": len(site.placement.gates),
    }


def accepted_gap(gap: Gap, by: Acceptance) -> AcceptedGap:
    """A gap with the acceptance that speaks of it."""
    whom = str(by.workload or by.gate or by.source or "")
    places = gap.source.place, gap.target.place
    return AcceptedGap(gap.what, gap.source.name, gap.target.name, places, whom, str(by.until), by.reason, by.place)


def failed(tests: Iterable[TestSaid]) -> Iterator[Problem]:
    """The tests that are red, as problems."""
    for test in tests:
        if not test.ok:
            asked = f"{test.source} to {test.destination}, {test.service}: expected {test.expect}."
            yield Problem("Policy test is red", f"{asked}\n{test.detail}", test.place, nature="red")


def split_gaps(
    site: Site, places: Collection[str] | None = None
) -> tuple[list[Gap], tuple[tuple[Gap, Acceptance], ...]]:
    """The gaps that nobody accepted, and those that somebody did, with the acceptance; ``places``: only those there."""
    known = gaps(site.placement, site.policy.realms, site.index, site.laws.towards)
    if places is not None:
        known = tuple(gap for gap in known if gap.source.place in places or gap.target.place in places)
    found = [(gap, accepted(gap, site.inventory.accept)) for gap in known]
    return [gap for gap, by in found if by is None], tuple((gap, by) for gap, by in found if by is not None)


def gap_problems(site: Site, found: list[Gap]) -> Iterator[Problem]:
    """Gaps that nobody accepted, as problems."""
    unguarded: dict[str, list[Gap]] = {}
    managed: dict[str, list[Gap]] = {}
    exposed: dict[tuple[str, str], list[Gap]] = {}
    unseen: dict[tuple[str, ...], list[Gap]] = {}
    for gap in found:
        if gap.what == "unguarded" and gap.target.manages:
            managed.setdefault(gap.target.manages, []).append(gap)
        elif gap.what == "unguarded":
            end = guarded_end(site.placement, gap.source, gap.target)
            unguarded.setdefault(end.name, []).append(gap)
        elif gap.what == "blindness":
            unseen.setdefault(gap.gates, []).append(gap)
        elif gap.what == "observed":
            yield _observed(gap)
        else:
            key = (gap.rule.name if gap.rule else "", gap.reply_of.name if gap.reply_of else "")
            exposed.setdefault(key, []).append(gap)
    layers = content.search(site.root)
    there = frozenset(content.folders(layers))
    offered = cache(lambda model: tuple(m for m in mechanisms(layers, model) if m in there))
    yield from (_unguarded(site.placement, gaps_of, offered) for gaps_of in unguarded.values())
    yield from (_managed(site, *each) for each in managed.items())
    yield from (_exposed(*key, gaps_of) for key, gaps_of in exposed.items())
    yield from (_unseen(site.placement, gaps_of) for gaps_of in unseen.values())


def _unguarded(placement: Placement, found: list[Gap], offered: Offered) -> Problem:
    gap = found[0]
    end = guarded_end(placement, gap.source, gap.target)
    workload = end.workload
    if workload is None:
        raise AssertionError("an unguarded flow has a workload at one end")
    other = gap.source if end is gap.target else gap.target
    why = " ".join(reasons(placement, end, "receives" if end is gap.target else "sends", other))
    peers = ", ".join(sorted({g.source.name if g.target.name == end.name else g.target.name for g in found}))
    within = "host" if inside(end, other) else "segment"
    return Problem(
        "Unguarded flow",
        f'No gate decides what passes between "{workload.name}" (stack {workload.stack}, segment {end.place}) and '
        f"{peers}, and the policy denies some of it, for example {packet_text(gap.example)}. {why} "
        f"Inside a {within} no gateway sees it either. The cheapest cure: {cheapest(placement, end, other, offered)}. Or accept "
        f"it for a time: {{what: unguarded, workload: {workload.name}, reason: ..., until: ...}}.",
        workload.place,
        nature="red",
    )


def _managed(site: Site, name: str, found: list[Gap]) -> Problem:
    """Of a host whose tables all stand at NICs of workloads: what reaches its management."""
    host = site.placement.hosts[name]
    gap = found[0]
    tables = ", ".join(gate.name for gate in site.placement.of_owner(name))
    peers = ", ".join(sorted({g.source.name for g in found})[:6])
    return Problem(
        "Unguarded management",
        f'No gate decides what reaches the management address of "{name}" from {peers}, and the policy denies some of it, for '
        f"example {packet_text(gap.example)}. Of its tables ({tables}) all stand at NICs of workloads, and management comes in "
        f"elsewhere. The cheapest cure: `platform: nftables` for {name}, whose table also meets what the host's kernel itself "
        "receives (XDP can stand beside it where a NIC has a table of its own); or an access list at the leaf port that "
        f"management is on. Or accept it for a time: {{what: unguarded, from: {gap.source.place}, to: {gap.target.place}, "
        "reason: ..., until: ...}.",
        host.management.place if host.management else host.place,
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


def _observed(gap: Gap) -> Problem:
    one, other = gap.source.name, gap.target.name
    return Problem(
        "Enforcement that only observes",
        f"From {one} to {other} what no rule allows is counted and passes, for example {packet_text(gap.example)}: no gate "
        "there guards anything but written denies. Write `enforcement: full`, or accept it for a time: "
        f"{{what: observed, from: {one}, to: {other}, reason: ..., until: ...}}.",
        gap.rule.place if gap.rule else None,
        nature="red",
    )


def _unseen(placement: Placement, found: list[Gap]) -> Problem:
    """What gates that are blind to some fields pass beyond the policy, flow by flow; a written deny that is met first."""
    by_deny = sorted(found, key=lambda gap: gap.rule is None)
    gates = [gate for gate in placement.gates if gate.name in found[0].gates]
    fields = ", ".join(dict.fromkeys(WORDS[field] for gate in gates for field in hidden(gate)))
    flows = "".join(
        f'\n"{gap.reply_of.name}" {gap.source.name} to {gap.target.name}: {packet_text(gap.example)}, '
        + (f'which "{gap.rule.name}" denies ({gap.rule.place})' if gap.rule else "which no rule allows")
        for gap in by_deny
        if gap.reply_of
    )
    gap = by_deny[0]
    return Problem(
        "Exposure of a gate that does not see all",
        f"{', '.join(found[0].gates)} does not see {fields}, so it passes beyond the policy what looks like something "
        f"allowed, and no gate on the way sees more. Between routed segments a gateway would. Put a table that sees "
        "these fields at one of the ends, or accept it for a time: "
        f"{{what: blindness, gate: {found[0].gates[0]}, reason: ..., until: ...}}. "
        f"What passes, by the rule that it looks like:{flows}",
        next((rule.place for rule in (gap.rule, gap.reply_of) if rule and rule.place), None),
        nature="red",
    )


def _unused(site: Site, used: tuple[tuple[Gap, Acceptance], ...]) -> Iterator[Problem]:
    spoken = {id(by) for _, by in used}
    for acceptance in site.inventory.accept:
        if id(acceptance) not in spoken:
            detail = "Nothing is there any more that this acceptance speaks of. Remove it."
            yield Problem("Acceptance without a gap", detail, acceptance.place, severity="warning", nature="red")


def locked_out(site: Site) -> Iterator[Problem]:
    """Every managed device and host must stay reachable from the controller, end to end (DESIGN 5.9): by the port of its
    driver, or by some port of TCP where nothing of ours changes it."""
    inventory = site.inventory
    realm = inventory.controller_realm
    from_controllers = cache(partial(_from_controllers, site, realm))
    ways = [(d.name, d.platform, d.management, d.place) for d in inventory.devices if d.managed]
    ways += [(h.name, h.platform, h.management, h.place) for h in inventory.hosts if h.managed]
    by_manager = {p for p, known in site.platforms.items() if known.through == "manager"}
    if by_manager:
        managers = [(h, p) for h in inventory.hosts if h.managed for p in h.filter_tables if p in by_manager]
        ways += [(h.name, p, h.manager, h.place) for h, p in managers]
    for name, platform, management, where in ways:
        if management is None:
            detail = f'"{name}" is managed and has no management address: there is no way in. Give it one, or `managed: false`.'
            if platform in by_manager:
                detail = f'The NICs of "{name}" take {platform} rules from their manager alone. Give the host its `manager`.'
            yield Problem("No way in", detail, where)
            continue
        port, version = site.platforms[platform].port, management.address.version
        controllers, to = from_controllers(version, port), int(management.address)
        if not controllers:
            detail = f'"{name}" is managed at an IPv{version} address, and the site\'s controller has none: there is no way in.'
            yield Problem("No way in", f"{detail} Give one of the two an address of the other's family.", management.place)
        for controller, entries in controllers:
            if _lets_in(entries, to):
                continue
            part, entry = decided(entries, way_in(controller, port, (to, to)))
            if not (entry and entry.permit):
                packet = packet_of(family_of(controller), realm, part)
                by = f'"{entry.rule.name}"' if entry else "the default deny"
                yield Problem(
                    "Way in closed",
                    f"The controller could no longer reach {name}: {packet_text(packet)} is denied by {by}. A push of this "
                    "would lock everybody out. Add a failsafe rule from the controller to management.",
                    management.place,
                    nature="red",
                )


def way_in(controller: IPAddress, port: int | None, to: Span) -> Box:
    """The packets with which a connection from the controller begins."""
    return (6, 6), to, (int(controller),) * 2, (port, port) if port else ANY_PORT, (49152, 49152), (0, 0), (0, 0)


def _from_controllers(site: Site, realm: str, version: int, port: int | None) -> list[tuple[IPAddress, list[Entry]]]:
    """The entries that decide some of them, wherever they go, of each controller of an IP version."""
    out = []
    for controller in site.inventory.controller:
        if controller.version == version:
            family = family_of(controller)
            every = way_in(controller, port, full(family)[DST])
            near = site.index(realm, family).at(SRC, (every[SRC],))
            out.append((controller, [entry for entry in near if meet(entry.box, every)]))
    return out


def _lets_in(entries: Sequence[Entry], to: int) -> bool:
    """Whether the first of such entries that has an address is a permit: then it permits some."""
    for entry in entries:
        low, high = entry.box[DST]
        if low <= to <= high:
            return entry.permit
    return False


def decided(entries: Sequence[Entry], asked: Box) -> tuple[Box, Entry | None]:
    """A part of a box that is permitted and the entry that does it; any part where none is. ``asked`` has one address, and the
    entries decide packets that differ from its at most in the address. Most often the first that has it permits some."""
    first = next((entry for entry in entries if entry.box[DST][0] <= asked[DST][0] <= entry.box[DST][1]), None)
    if first and first.permit:
        return meet(asked, first.box) or asked, first
    parts = split(entries, asked)
    return next((found for found in parts if found[1] and found[1].permit), parts[0])
