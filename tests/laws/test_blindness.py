"""What blind gates pass beyond the policy is found, all of it and nothing else: packet by packet against brute force."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import pytest

from configlet.model.gate import Gate
from configlet.model.policy import Entry, Packet, Rule
from configlet.packets.blind import FIELDS, FLAGS, FRAGMENTS, TYPES
from configlet.packets.boxes import point
from configlet.packets.verdict import first, passes
from configlet.pipeline.check import gap_problems, split_gaps
from configlet.pipeline.site import Site
from configlet.place.beyond import Beyond
from configlet.place.ends import End, ends_of
from configlet.place.guard import Gap
from configlet.place.local import guards_at
from tests.laws.test_blind import HOST, SAMPLE, STRANGER, WORKLOAD, site

PORTS, TYPES_OF = (22, 443, 9001, 49152), (0, 8 << 8, 3 << 8)
RULE = "  - {{name: r{n}, from: [{a}], to: [{b}], service: [{s}], action: {act}, reason: of the dice}}\n"
PING = "services:\n  ping: [icmp/echo-request]\n"


def of_dice(root: Path, seed: int) -> Site:
    """Three hosts whose NICs are blind to some fields each, perhaps for what is received alone, and a random policy."""
    dice = random.Random(seed)
    simnic = (SAMPLE / "configlets" / "simnic" / "platform.yaml").read_text()
    hosts = ""
    for n in (1, 2, 3):
        fields = [field for field in FIELDS if dice.random() < 0.7] if n < 3 else list(FIELDS)
        ways = dice.choice(["[in]", "[in, out]"])
        folder = root / "nics" / f"nic{n}"
        shutil.copytree(SAMPLE / "configlets" / "simnic", folder)
        text = simnic.replace("directions: [in]", f"directions: {ways}\n      blind_to: [{', '.join(fields)}]")
        (folder / "platform.yaml").write_text(text)
        said = HOST.format(name=f"me{n}", n=10 + n, managed="true", platform="nftables")
        card = f"model: solarflare-x2-serverlock, filter_table: nic{n},"
        hosts += said.replace("model: virtio,", card) + WORKLOAD.format(name=f"w{n}", n=10 + n, stack="onload")
    ends = ("w1", "w2", "w3", "floor", "you")
    rules = "".join(
        RULE.format(n=n, a=dice.choice(ends), b=dice.choice(ends), s=s, act=dice.choice(["allow", "allow", "deny"]))
        for n, s in enumerate(dice.choices(["ssh", "orders", "ping", "any", "eapi"], k=7))
    )
    fragments = dice.choice(["drop", "match"])
    return site(root, hosts + STRANGER, policy=rules, fragments=fragments, services=PING, folders=root / "nics")


def packets(source: End, target: End) -> Iterator[Packet]:
    """One packet of each kind that the rules can tell apart."""
    src, dst = source.spans[0][0], target.spans[0][0]
    for proto, sport, dport, established in product((6, 17), PORTS, PORTS, (False, True)):
        if proto == 6 or not established:
            yield Packet("trading", 4, proto, src, dst, sport, dport, established)
    yield from (Packet("trading", 4, 1, src, dst, 0, kind) for kind in TYPES_OF)
    yield from (Packet("trading", 4, proto, src, dst, 0, 0, False, True) for proto in (1, 6, 17))


def alike(one: Packet, other: Packet, fields: Sequence[str]) -> bool:
    """Whether a gate that is blind to these fields takes two packets of the same ends for the same."""
    if one.proto != other.proto:
        return False
    if one.fragment != other.fragment:
        return FRAGMENTS in fields
    if one.fragment:
        return True
    ports = (one.sport, one.dport) == (other.sport, other.dport) or (one.proto == 1 and TYPES in fields)
    return ports and (one.established == other.established or FLAGS in fields)


def beyond(opened: Site, gates: Sequence[Gate], source: End, target: End) -> set[Packet]:
    """Looked at packet by packet: all gates take it for something that their law passes, and not every law does."""
    every = list(packets(source, target))
    laws = [(gate.capability.blind_to, opened.laws.towards(gate, 4)) for gate in gates]
    right = [{p for p in every if passes(law, p)[0]} for _, law in laws]
    return {
        p
        for p in every
        if not all(p in good for good in right)
        and all(any(alike(p, q, fields) for q in good) for (fields, _), good in zip(laws, right, strict=True))
    }


@pytest.mark.parametrize("seed", range(10))
def test_the_exposure_of_blind_gates_is_what_brute_force_finds(tmp_path: Path, seed: int) -> None:
    opened = of_dice(tmp_path, seed)
    found = [gap for gap in split_gaps(opened)[0] if gap.what == "blindness"]
    listed, asked = Beyond(opened.laws.towards), 0
    ends = [end for end in ends_of(opened.inventory, "trading", 4) if end.workload]
    for source, target in ((a, b) for a in ends for b in ends if a is not b):
        place = opened.placement
        gates = (*guards_at(place, source, "sends", target), *guards_at(place, target, "receives", source))
        blind = bool(gates) and all(gate.capability.blind_to for gate in gates)
        wanted = beyond(opened, gates, source, target) if blind else set()
        rows = list(listed.between(gates, source, target)) if gates else []
        assert {p for p in packets(source, target) if any(_in(p, row.box) for row in rows)} == wanted
        judged(opened, [gap for gap in found if (gap.source, gap.target) == (source, target)], wanted, rows)
        asked += blind
    assert asked


def judged(opened: Site, gaps: list[Gap], wanted: set[Packet], beyond: Sequence[Entry]) -> None:
    """The gaps of a pair: one for each permit that something looks like, with the written deny that it meets, if any."""
    rows = opened.entries("trading", 4)
    assert {gap.reply_of for gap in gaps} == {row.rule for row in beyond}
    for row in beyond:
        if any(_written(first(rows, p)) for p in wanted if _in(p, row.box)):
            assert any(gap.rule for gap in gaps if gap.reply_of is row.rule)
    for gap in gaps:
        assert gap.rule is _written(first(rows, gap.example))


def _written(hit: Entry | None) -> Rule | None:
    return hit.rule if hit and not hit.permit and hit.rule.origin == "policy" else None


def _in(packet: Packet, box: tuple[tuple[int, int], ...]) -> bool:
    return all(lo <= value <= hi for value, (lo, hi) in zip(point(packet), box, strict=True))


def test_a_table_that_sees_at_the_other_end_closes_what_a_blind_one_passes(tmp_path: Path) -> None:
    me = HOST.format(name="me", n=10, managed="true", platform="nftables") + WORKLOAD.format(name="me1", n=11, stack="onload")
    me = me.replace("model: virtio,", "model: solarflare-x2-serverlock, filter_table: serverlock,")
    rule = RULE.format(n=1, a="you", b="me1", s="ssh", act="allow")
    for number, (you, exposed) in enumerate(((STRANGER, True), (STRANGER.replace("managed: false", "managed: true"), False))):
        opened = site(tmp_path / str(number), me + you, policy=rule)
        found = {(g.source.name, g.target.name) for g in split_gaps(opened)[0] if g.what == "blindness"}
        assert ({("you", "me1"), ("me1", "you")} <= found) == exposed


def test_exposure_is_red_flow_by_flow_until_it_is_accepted_for_a_time(tmp_path: Path) -> None:
    me = HOST.format(name="me", n=10, managed="true", platform="nftables") + WORKLOAD.format(name="me1", n=11, stack="onload")
    me = me.replace("model: virtio,", "model: solarflare-x2-serverlock, filter_table: serverlock,")
    rule = RULE.format(n=1, a="you", b="me1", s="ssh", act="allow")
    opened = site(tmp_path / "open", me + STRANGER, policy=rule)
    told = [p.detail for p in gap_problems(opened, split_gaps(opened)[0]) if "does not see all" in p.summary]
    assert any("does not see TCP flags, ICMP types, fragments" in d and "new connection" in d for d in told), told
    accept = "".join(
        f"  - {{what: blindness, gate: me/ens1/{way}, reason: a NIC, until: 2027-01-31}}\n" for way in ("in", "out")
    )
    accepted = site(tmp_path / "accepted", me + STRANGER, policy=f"{rule}accept:\n{accept}")
    left, closed = split_gaps(accepted)
    assert not [gap for gap in left if gap.what == "blindness"]
    assert {by.gate for gap, by in closed if gap.what == "blindness"} == {"me/ens1/in", "me/ens1/out"}
