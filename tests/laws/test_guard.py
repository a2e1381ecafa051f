"""Gaps are found without looking at all pairs of ends, and they are the gaps that looking at all pairs finds."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from benchmarks.sites import Size, write
from configlet.model.inventory import Segment
from configlet.model.net import FAMILIES, Family, Span, span_of, subtract
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DST, SRC, Box
from configlet.packets.boxes import meet
from configlet.packets.entries import permits_only, split
from configlet.packets.index import Cells, Index, Spans
from configlet.packets.reply import reply_list
from configlet.pipeline.site import Site, open_site
from configlet.place import End, ends_of, guard, paths
from configlet.place.beyond import Beyond
from configlet.place.ends import workloads_of
from configlet.place.guard import bare, gaps
from configlet.place.local import guards_at, inside

ROOT = Path(__file__).resolve().parents[2]
DAY = date(2026, 11, 24)
NEIGHBOURS = """  - name: two of one segment
    from: [h00001]
    to: [h00002]
    service: [any]
    action: allow
    reason: one pair of a segment is sound, and others are not
"""
Found = set[tuple[str, str, str, str, str]]


def loosened(root: Path, seed: int) -> Site:
    """A small random site with stacks that bypass the kernel, gateways that filter one way, and crossing denies."""
    write(root, Size(switches=7, hosts=14, rules=40, six=50, seed=seed, name="small"))
    dice = random.Random(seed)
    folder = root / "inventory" / "small"
    for path in folder.rglob("*.yaml"):
        text = path.read_text()
        text = re.sub("stack: (kernel|container)", lambda m: f"stack: {dice.choice(['onload', 'dpdk', m[1]])}", text)
        text = re.sub(
            r"filter: \[in, out\]", lambda _: f"filter: [{dice.choice(['in', 'out', 'in, out'])}]", text
        )
        text = re.sub("action: allow", lambda _: f"action: {dice.choice(['allow', 'allow', 'deny'])}", text)
        path.write_text(text)
    last = folder / "policy" / "app000.yaml"
    last.write_text(last.read_text() + NEIGHBOURS)
    return open_site(root, "small", DAY)


def every_pair(site: Site) -> Found:
    """The same law asked of each pair by itself."""
    return {
        found
        for realm in site.policy.realms
        for family in FAMILIES
        for ends in [ends_of(site.inventory, realm, family)]
        for found in _of_pairs(site, realm, family, [e for e in ends if bare(site.placement, e)])
    }


def _of_pairs(site: Site, realm: str, family: Family, ends: list[End]) -> Iterator[tuple[str, str, str, str, str]]:
    entries = site.entries(realm, family)
    replies = permits_only(reply_list(entries, family))
    for source in ends:
        for target in ends:
            if source is target or not (source.workload or target.workload):
                continue
            guards = () if source.place == target.place else _guards(site, source, target)
            for box in _region(source, target):
                if guards == ():
                    for _, entry in split(entries, box):
                        if entry is None or not (entry.permit or entry.rule.origin == "infrastructure"):
                            yield "unguarded", source.name, target.name, "", ""
                elif guards:
                    yield from (
                        ("reply-exposure", source.name, target.name, entry.rule.name, reply.rule.name)
                        for reply in replies
                        for both in [meet(reply.box, box)]
                        if both
                        for _, entry in split(entries, both)
                        if entry and not entry.permit and entry.rule.origin == "policy"
                    )


def _guards(site: Site, source: End, target: End) -> tuple[str, ...] | None:
    ways = [tuple(g.name for g in way.guards if g.kind == "acl") for way in paths(site.placement, source, target)]
    return None if not ways else ways[0] if all(ways) else ()


def _region(source: End, target: End) -> Iterator[Box]:
    for s in source.spans:
        for t in target.spans:
            yield ANY_PROTO, t, s, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)


@pytest.mark.parametrize("seed", range(4))
def test_the_gaps_of_a_random_site_are_those_of_all_its_pairs(tmp_path: Path, seed: int) -> None:
    site = loosened(tmp_path, seed)
    found = {
        (
            gap.what,
            gap.source.name,
            gap.target.name,
            *((gap.rule.name, gap.reply_of.name) if gap.rule and gap.reply_of else ("", "")),
        )
        for gap in gaps(site.placement, site.policy.realms, site.index, site.laws.towards)
    }
    assert found == every_pair(site)
    assert {what for what, *_ in found} == {"unguarded", "reply-exposure"}


def test_what_an_index_finds_is_what_looking_through_the_list_finds() -> None:
    dice = random.Random(3)

    def span() -> Span:
        low = dice.choice([0, dice.randrange(1 << 16), dice.randrange(1 << 32)])
        return low, min((1 << 32) - 1, low + dice.choice([0, 1, 255, 1 << 16, 1 << 31]))

    for _ in range(60):
        spans = [span() for _ in range(30)]
        low, high = span()
        assert sorted(Spans(set(spans)).meeting(low, high)) == sorted(
            {(a, b) for a, b in spans if a <= high and low <= b}
        )
        cells = Cells(spans)
        one, other = (dice.choice([a for pair in spans for a in pair]) + dice.choice([-1, 0, 1]) for _ in range(2))
        around = [[(s, s[0] == a, s[1] == a) for s in sorted(set(spans)) if s[0] <= a <= s[1]] for a in (one, other)]
        assert (cells.of(one) == cells.of(other)) == (around[0] == around[1])


def test_an_index_gives_rows_in_their_order(tmp_path: Path) -> None:
    write(tmp_path, Size(switches=5, hosts=6, rules=30, name="small"))
    site = open_site(tmp_path, "small", DAY)
    rows = site.entries("prod", 4)
    index = Index(rows)
    segments: list[Segment] = [s for s in site.inventory.segments if s.realm == "prod"]
    for a in segments:
        for b in segments:
            ends = [(int(n[0]), int(n[-1])) for n in (a.prefixes[0], b.prefixes[0])]
            assert index.between(ends[:1], ends[1:]) == tuple(
                row
                for row in rows
                if all(row.box[d][0] <= hi and lo <= row.box[d][1] for d, (lo, hi) in zip((SRC, DST), ends, strict=True))
            )


def test_the_rest_of_a_segment_is_what_no_workload_and_no_management_has(tmp_path: Path) -> None:
    write(tmp_path, Size(switches=5, hosts=6, rules=30, six=50, name="small"))
    inventory = open_site(tmp_path, "small", DAY).inventory
    realm, (host, *others) = inventory.controller_realm, inventory.hosts
    segments = [s for s in inventory.segments if s.realm == realm]
    last = segments[0].prefixes[0][-1]
    assert host.management
    moved = replace(host, management=replace(host.management, address=last))
    inventory = replace(inventory, hosts=(moved, *others))
    managed = {way.address for one in (*inventory.hosts, *inventory.devices) if (way := one.management)}
    rest = 0
    for segment in inventory.segments:
        taken = {a for work in inventory.workloads if work.segment == segment.name for a in work.addresses}
        taken |= managed if segment.realm == realm else set()
        for family in FAMILIES:
            nets = [net for net in segment.prefixes if net.version == family]
            left = subtract([span_of(net) for net in nets], [(int(a), int(a)) for a in taken if a.version == family])
            of = [end for end in ends_of(inventory, segment.realm, family) if end.segment is segment and not end.workload]
            assert [end.spans for end in of] == ([left] if left else [])
            rest += len(left)
    assert last in managed and rest > 15


def test_the_gates_at_an_end_are_those_that_are_found_for_each_pair_anew(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "inventory" / "dc1", tmp_path / "inventory" / "dc1")
    hosts = tmp_path / "inventory" / "dc1" / "hosts.yaml"
    also = "      risk3:\n        addresses: [10.1.50.13]\n        on: [ens1]\n        segment: risk\n        stack: kernel\n"
    text = hosts.read_text().replace("  risk2:\n    manage", "  risk2:\n    platform: xdp\n    manage")
    hosts.write_text(text.replace("      risk2:\n", f"{also}      risk2:\n"))
    site = open_site(tmp_path, "dc1", DAY)
    beyond, everybody = Beyond(site.laws.towards), frozenset(work.name for work in site.inventory.workloads)
    index, inside_of = site.index("trading", 4), workloads_of(site.inventory)
    realm = guard._Realm(site.placement, "trading", 4, index, beyond, everybody, inside_of)
    seen: dict[tuple[str, bool], set[str]] = {}
    for one, source in enumerate(realm.ends):
        for other, target in enumerate(realm.ends):
            received = guards_at(site.placement, target, "receives", source)
            assert realm.at(one, other) == (*guards_at(site.placement, source, "sends", target), *received)
            seen.setdefault((target.name, inside(source, target)), set()).update(gate.name for gate in received)
    assert any(seen[name, True] != gates for (name, stays), gates in seen.items() if not stays and (name, True) in seen)
