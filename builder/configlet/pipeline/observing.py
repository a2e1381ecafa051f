"""What a site that observes has counted and would have dropped, from what its hosts show (DESIGN 5.11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from configlet.fit import counted
from configlet.model.block import items
from configlet.model.gate import Gate
from configlet.packets.blocks import rule_of
from configlet.pipeline.site import Site
from configlet.place.local import keeps
from configlet.readers.counts import counts
from configlet.render.values import label


@dataclass(frozen=True, slots=True)
class Would:
    """What one gate let pass that only the default deny is against. ``place`` is where the segment says `observe`."""

    gate: str
    rule: str
    packets: int
    bytes: int
    place: str


@dataclass(frozen=True, slots=True)
class Watched:
    """All counts; ``unread``: gates of which nothing is known, with the reason; ``unseen``: workloads nobody counts for."""

    found: tuple[Would, ...]
    gates: tuple[str, ...]
    unread: tuple[tuple[str, str], ...]
    unseen: tuple[str, ...]


def observing(site: Site) -> dict[str, Gate]:
    """The gates whose law lets pass what is only observed, by owner."""
    found: dict[str, Gate] = {}
    segments = {segment.name for segment in site.inventory.segments if segment.observed}
    for gate in site.placement.gates:
        if gate.capability.observes and segments & {*gate.segments}:
            rules = (rule_of(i) for t in counted(site.laws, (gate,)) for part in t.law.lists for i in items(part))
            if any(rule.origin == "observe" for rule in rules):
                found[gate.owner] = gate
    return found


def would_drop(site: Site, gates: Mapping[str, Gate], running: Mapping[str, str]) -> Watched:
    """What these gates counted, most first. ``running`` is what each owner shows of its table."""
    found: list[Would] = []
    unread: list[tuple[str, str]] = []
    for owner, gate in sorted(gates.items()):
        why = _read(site, gate, running.get(owner), found)
        if why:
            unread.append((gate.name, why))
    found.sort(key=lambda would: (-would.packets, would.rule, would.gate))
    return Watched(tuple(found), tuple(gate.name for gate in gates.values()), tuple(unread), tuple(_unseen(site)))


def _read(site: Site, gate: Gate, text: str | None, found: list[Would]) -> str:
    """Why nothing is known of a gate; "" when it was read."""
    if text is None:
        return "it could not be read"
    platform = site.platforms[gate.platform]
    told = counts(platform, gate.kind, text)
    limits = platform.kinds[gate.kind].operands["text"]
    rules = {label(rule.name, limits): rule for rule in site.policy.rules if rule.origin == "observe"}
    if not rules.keys() & told.keys():
        return "it runs a table that does not observe; `configlet push` brings the one that does"
    for name in rules.keys() & told.keys():
        packets, size = told[name]
        if packets:
            found.append(Would(gate.name, rules[name].name, packets, size, str(rules[name].place or "")))
    return ""


def _unseen(site: Site) -> Iterator[str]:
    segments = {segment.name for segment in site.inventory.segments if segment.observed}
    for workload in site.inventory.workloads:
        if workload.segment in segments and not keeps(site.placement, workload):
            yield workload.name
