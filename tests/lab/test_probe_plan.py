"""What the probe of dc1 sends is decided by the policy alone, and is enough to miss no gate."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import cache
from ipaddress import ip_address
from pathlib import Path

import pytest

from configlet.lab.probe_judge import judge
from configlet.lab.probe_plan import plan_probes
from configlet.lab.probe_values import Probe, ProbePlan
from configlet.lab.traffic_book import open_book
from configlet.lab.traffic_values import Heard
from configlet.pipeline.site import Site, open_site
from tests.oracle.brute import Oracle

ROOT = Path(__file__).parents[2]


@cache
def site() -> Site:
    return open_site(ROOT, "dc1", date(2026, 11, 24))


@cache
def plan() -> ProbePlan:
    return plan_probes(site())


def ideal(probe: Probe) -> Heard:
    """The fate of a probe in a lab without fault."""
    ears = range(len(probe.shot.ears) - probe.shot.silent) if probe.expected else ()
    return Heard(probe.shot.number, tuple(ears), probe.expected)


def test_the_same_site_gives_the_same_plan() -> None:
    assert plan_probes(open_site(ROOT, "dc1", date(2026, 11, 24))) == plan()


def test_no_two_packets_of_the_plan_look_alike() -> None:
    assert len(open_book([p.shot for p in plan().probes]).by_key) == len(plan().probes)


def test_the_plan_expects_what_an_oracle_that_shares_no_code_says() -> None:
    oracle = Oracle(site().inventory)
    gate_words = ("fragment", "spoofed")
    for probe in plan().probes:
        if probe.about not in gate_words:
            assert oracle.judge(probe.shot.packet).allow == probe.expected, probe


def test_every_ordered_pair_of_workloads_on_different_hosts_is_probed_in_every_family_they_share() -> None:
    sent = Counter((p.source, p.target, p.shot.packet.family) for p in plan().probes if p.kind == "pair")
    for a in site().inventory.workloads:
        for b in site().inventory.workloads:
            for family in (4, 6):
                both = all(any(x.version == family for x in w.addresses) for w in (a, b))
                if both and a.host != b.host:
                    assert sent[a.name, b.name, family] >= 3, (a.name, b.name, family)


def test_every_gate_has_a_denied_packet_for_it_alone_and_an_allowed_one_or_a_sentence_why_not() -> None:
    probes = [p for p in plan().probes if p.kind == "gate"]
    denied = {p.gate for p in probes if not p.expected}
    allowed = {p.gate for p in probes if p.expected}
    for gate in site().placement.gates:
        assert gate.name in denied, gate.name
        assert gate.name in allowed or any(gate.name in sentence for sentence in plan().untested), gate.name


def test_a_plan_with_a_cap_keeps_every_gate() -> None:
    small = plan_probes(site(), cap=300)
    assert {p.gate for p in small.probes} == {p.gate for p in plan().probes}
    assert len(small.probes) < len(plan().probes)


def test_a_faultless_lab_is_judged_faultless() -> None:
    result = judge("dc1", plan(), map(ideal, plan().probes), 1.0)
    assert (result.status, result.differences) == (0, ())


def test_every_single_fault_is_a_difference_and_a_leak_comes_first() -> None:
    heard = {p.shot.number: ideal(p) for p in plan().probes}
    counted = [p for p in plan().probes if not p.gap]
    lost = next(p for p in counted if p.expected)
    mute = next(p for p in counted if p.expected and p.shot.answer and p is not lost)
    leak = next(p for p in reversed(counted) if not p.expected)
    unsent = next(p for p in counted if not p.expected)
    heard[lost.shot.number] = Heard(lost.shot.number, (), False)
    heard[mute.shot.number] = Heard(mute.shot.number, (0,), False)
    heard[leak.shot.number] = Heard(leak.shot.number, (0,), False)
    heard[unsent.shot.number] = Heard(unsent.shot.number, (), False, "Network is unreachable")
    result = judge("dc1", plan(), heard.values(), 1.0)
    assert [d.probe for d in result.differences] == [leak, lost, mute, unsent]
    assert (result.status, result.sent - result.as_policy) == (1, 4)


def test_a_probe_that_the_agent_does_not_report_differs() -> None:
    result = judge("dc1", plan(), (), 1.0)
    assert result.as_policy == 0


def test_a_bystander_that_hears_multicast_is_a_leak() -> None:
    probe = next(p for p in plan().probes if p.shot.silent)
    everybody = Heard(probe.shot.number, tuple(range(len(probe.shot.ears))), False)
    heard = [everybody if p is probe else ideal(p) for p in plan().probes]
    assert [d.fault for d in judge("dc1", plan(), heard, 1.0).differences] == ["arrived although denied"]


SMALL = """
site: {name: small, lab: only, controller: [192.0.2.10]}
devices:
  sw1: {platform: eos, model: 7280R, role: leaf, pair: sw2, addresses: [10.0.0.1]}
  sw2: {platform: eos, model: 7280R, role: leaf, pair: sw1, addresses: [10.0.0.2]}
links:
  sw1/Ethernet49: {to: sw2/Ethernet49}
  sw1/Ethernet50: {to: sw2/Ethernet50, realm: staff, addresses: [10.0.1.0/31, 10.0.1.1/31]}
externals:
  world: {prefixes: [203.0.113.0/24], realm: staff, enters: [sw2/Ethernet48], addresses: [203.0.113.2/29]}
segments:
  desks: {realm: staff, vlan: 10, prefixes: [10.2.0.0/24], intra: policy,
          gateways: {on: [sw1, sw2], mode: anycast, irb: symmetric}}
  oob: {realm: oob, prefixes: [192.0.2.0/24], intra: policy}
services:
  ssh: [tcp/22]
  voice: [{udp: 16384-32767, from: 1-65535}]
hosts:
  h1:
    nics: {eth0: {model: virtio, attached: [sw1/Ethernet1]}}
    workloads: {h1: {addresses: [10.2.0.11], on: [eth0], segment: desks, stack: kernel}}
  x1:
    platform: xdp
    management: {address: 192.0.2.21, credentials: env/SMALL}
    nics: {eth0: {model: intel-e810, attached: [sw2/Ethernet1]}}
    workloads: {x1: {addresses: [10.2.0.12], on: [eth0], segment: desks, stack: kernel}}
failsafe:
  - {name: controller, from: [controller], to: [oob], service: [ssh], reason: the way in}
policy:
  - {name: all ports out, from: [desks], to: [world], service: [tcp/1-65535], action: allow, reason: r}
  - {name: voice, from: [desks], to: [world], service: [voice], action: allow, reason: r}
  - {name: voice in, from: [world], to: [desks], service: [voice], action: allow, reason: r}
"""


@pytest.fixture
def small(tmp_path: Path) -> Site:
    (tmp_path / "inventory" / "small").mkdir(parents=True)
    (tmp_path / "inventory" / "small" / "site.yaml").write_text(SMALL)
    return open_site(tmp_path, "small", date(2026, 11, 24))


def test_no_probe_of_a_hosts_table_comes_from_that_host_as_its_kernel_would_drop_it_without_any_table(tmp_path: Path) -> None:
    folder = tmp_path / "inventory" / "small"
    folder.mkdir(parents=True)
    two = "{h1: {addresses: [10.2.0.11], on: [eth0], segment: desks, stack: kernel}, h1b: {addresses: [10.2.0.21], on: [eth0], "
    said = SMALL.replace("{h1: {addresses: [10.2.0.11], on: [eth0], ", two)
    allow = "policy:\n  - {name: first, from: [h1], to: [h1b], service: [tcp/7], action: allow, reason: r}\n"
    way = "  h1:\n    management: {address: 192.0.2.22, credentials: env/SMALL}\n"
    (folder / "site.yaml").write_text(said.replace("policy:\n", allow).replace("  h1:\n", way))
    own, seen = {int(ip_address(a)) for a in ("10.2.0.11", "10.2.0.21")}, 0
    for probe in plan_probes(open_site(tmp_path, "small", date(2026, 11, 24))).probes:
        if probe.kind == "gate" and probe.gate.startswith("h1/"):
            seen += 1
            assert not {probe.shot.packet.src, probe.shot.packet.dst} <= own, probe
    assert seen > 3


def test_what_a_table_at_a_nic_never_meets_is_not_asked_of_it_and_said(small: Site) -> None:
    """XDP sees what its NICs receive: not what the host sends, nor its management, which is no address of those NICs."""
    said = plan_probes(small)
    assert [p for p in said.probes if p.gate == "x1/xdp"]
    assert not [p for p in said.probes if p.gate == "x1/xdp" and (p.about == "denied on output" or "management" in p.target)]
    assert not [p for p in said.probes if p.target == "management of x1" and not p.expected]
    assert [sentence for sentence in said.untested if "management of x1" in sentence and "x1/xdp" in sentence]


def test_rules_that_name_source_ports_or_leave_no_port_unnamed_are_probed_as_the_policy_says(small: Site) -> None:
    oracle, probes = Oracle(small.inventory), plan_probes(small).probes
    for probe in probes:
        if probe.about not in ("fragment", "spoofed"):
            assert oracle.judge(probe.shot.packet).allow == probe.expected, probe
    assert [p for p in probes if p.about == "allowed" and p.gate == "h1/nftables"], "its table lets voice in"
