"""A segment that observes: what no rule allows passes and is counted by service, and nothing else changes."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from configlet import pipeline
from configlet.model.policy import Packet
from configlet.model.problem import Refused
from configlet.packets.verdict import first
from configlet.pipeline import Store
from configlet.pipeline.artifacts import artifacts_of, proven, read
from configlet.pipeline.check import gap_problems, split_gaps
from configlet.pipeline.expected import run_test
from configlet.pipeline.site import Site, open_site
from configlet.pipeline.written import Folder
from configlet.prove import prove
from tests.laws.test_blind import DENY, DENY_ALL, HOST, STRANGER, TODAY, UPPER, WORKLOAD, host, site

ALLOW = "  - {name: orders pass, from: [floor], to: [floor], service: [orders], action: allow, reason: they must}\n"
DENIED = "  - {name: no ssh, from: [floor], to: [floor], service: [ssh], action: deny, reason: not even watched}\n"
TWO = host("nftables", "kernel") + HOST.format(name="other", n=20, managed="true", platform="nftables") + WORKLOAD.format(
    name="other1", n=21, stack="kernel"
)
PLAIN = "10.1.30.0/24], intra: policy"


def watched(root: Path, hosts: str = TWO, policy: str = ALLOW + DENIED, more: str = "", stage: str = "observe") -> Site:
    site(root, hosts, more, policy)
    path = root / "inventory" / "desk" / "site.yaml"
    text = path.read_text().replace((DENY_ALL if more else DENY).removeprefix("policy:\n"), "")
    text = text.replace(PLAIN, f"{PLAIN}, enforcement: {stage}").replace("10.1.31.0/24], intra: policy", "10.1.31.0/24], "
        f"intra: policy, enforcement: {stage}")  # fmt: skip
    path.write_text(text)
    return open_site(root, "desk", TODAY)


def any_packet(dice: random.Random) -> Packet:
    ends = [dice.choice([0x0A011E0B, 0x0A011E15, 0x0A011E63, 0x0A000001, 0xC0000201, 0x01010101]) for _ in range(2)]
    proto = dice.choice([1, 6, 17, 47])
    ports = dice.choice([22, 443, 9001, 8 << 8, 80])
    return Packet("trading", 4, proto, *ends, 0 if proto in (1, 47) else 50000, 0 if proto == 47 else ports)


def test_only_the_default_deny_between_segments_that_observe_is_lifted(tmp_path: Path) -> None:
    full, seen = watched(tmp_path / "full", stage="full"), watched(tmp_path / "seen")
    dice, lifted = random.Random(1), 0
    for packet in (any_packet(dice) for _ in range(3000)):
        before, after = (first(s.entries("trading", 4), packet) for s in (full, seen))
        inside = all(a >> 8 == 0x0A011E for a in (packet.src, packet.dst))
        if before is None and inside:
            assert after is not None and after.permit and after.rule.origin == "observe" and after.log
            service = "orders" if (packet.proto, packet.dport) == (17, 9001) else after.rule.name.split(", ")[1]
            assert after.rule.name == f"observed: floor to floor, {service}"
            lifted += 1
        else:
            assert (before and (before.permit, before.rule.name)) == (after and (after.permit, after.rule.name)), packet
    assert lifted > 100


def test_the_text_is_proved_to_count_what_it_lets_pass_and_a_fault_there_is_refuted(tmp_path: Path) -> None:
    opened = watched(tmp_path)
    for artifact in artifacts_of(opened, {"me"}):
        assert {p.verdict for p in proven(opened, artifact).proofs} == {"PROVED"}
        at = artifact.text.index('accept comment "observed: floor to floor, eapi"')
        line = artifact.text.rindex("counter ", 0, at)
        faults = (
            artifact.text[:line] + artifact.text[line + len("counter ") :],
            artifact.text.replace('comment "observed: floor to floor, eapi"', 'comment "orders pass"'),
            artifact.text.replace('comment "orders pass"', 'comment "observed: floor to floor, eapi"'),
        )
        for fault in faults:
            wrong = replace(artifact, text=fault)
            verdicts = {p.verdict for p in prove(wrong, read(opened, wrong, fault, "fault"))}
            assert fault != artifact.text and "REFUTED" in verdicts


def test_an_observing_gate_is_no_guard_until_it_is_accepted_for_a_time(tmp_path: Path) -> None:
    opened = watched(tmp_path / "open", TWO + STRANGER)
    told = [problem.summary for problem in gap_problems(opened, split_gaps(opened)[0])]
    assert "Enforcement that only observes" in told and "Unguarded flow" in told
    text = "{what: observed, from: floor, to: floor, reason: a week of looking, until: 2026-12-01}"
    accepted = watched(tmp_path / "accepted", TWO + STRANGER, f"{ALLOW}accept:\n  - {text}\n")
    left, closed = split_gaps(accepted)
    assert "observed" not in {gap.what for gap in left} and "unguarded" in {gap.what for gap in left}
    assert "observed" in {gap.what for gap, _ in closed}


def test_a_test_of_the_policy_says_that_what_is_observed_passes(tmp_path: Path) -> None:
    watched(tmp_path)
    asked = "tests:\n  - {from: me1, to: other1, service: tcp/443, expect: deny}\n"
    (tmp_path / "inventory" / "desk" / "tests.yaml").write_text(asked)
    opened = open_site(tmp_path, "desk", TODAY)
    said = run_test(opened, opened.inventory.tests[0])
    assert not said.ok and "allowed: " in said.detail and "observed: floor to floor" in said.detail


@pytest.mark.parametrize("platform", ["xdp"])
def test_a_gate_of_which_nobody_reads_the_counts_is_refused_with_its_place(tmp_path: Path, platform: str) -> None:
    opened = watched(tmp_path, host(platform, "kernel"))
    with pytest.raises(Refused, match=f"me/{platform}.*nothing of ours") as refused:
        artifacts_of(opened, {"me"})
    assert refused.value.problems[0].place is not None


def test_a_gateway_between_two_segments_that_observe_is_refused_and_of_one_alone_it_is_not(tmp_path: Path) -> None:
    both = watched(tmp_path / "both", policy=ALLOW.replace("floor", "management"), more=UPPER)
    with pytest.raises(Refused, match="leaf1/Vlan3"):
        artifacts_of(both, {"leaf1"})
    path = tmp_path / "both" / "inventory" / "desk" / "site.yaml"
    upper = "10.1.31.0/24], intra: policy"
    path.write_text(path.read_text().replace(f"{upper}, enforcement: observe", upper))
    alone = open_site(tmp_path / "both", "desk", TODAY)
    assert {p.verdict for a in artifacts_of(alone, {"leaf1"}) for p in proven(alone, a).proofs} == {"PROVED"}


def test_from_observing_to_full_is_a_plan_that_closes_what_was_counted(tmp_path: Path) -> None:
    watched(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    for artifact in pipeline.render(tmp_path, "desk", TODAY):
        (out / artifact.file).write_text(artifact.text)
    path = tmp_path / "inventory" / "desk" / "site.yaml"
    path.write_text(path.read_text().replace("enforcement: observe", "enforcement: full"))
    made = pipeline.plan(tmp_path, "desk", TODAY, Folder(out, Store(tmp_path)), "site")
    assert {flow.opened for flow in made.flows} == {False}
    assert {flow.rule for flow in made.flows} >= {"observed: floor to floor, anything else"}
