"""What ``why`` answers for ends of several prefixes, several workloads and several realms."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from configlet.model.problem import Refused
from configlet.pipeline.why import Why, why, why_lines

SITE = """
site: {name: small, lab: only, controller: [192.0.2.10]}
devices:
  sw1: {platform: eos, model: 7280R, role: leaf, addresses: [10.0.0.1]}
segments:
  desks: {realm: staff, vlan: 10, prefixes: [10.2.0.0/24, 10.9.0.0/24], intra: policy,
          gateways: {on: [sw1], mode: single, irb: symmetric}}
  servers: {realm: staff, vlan: 20, prefixes: [10.3.0.0/24, 10.7.0.0/24], intra: policy,
            gateways: {on: [sw1], mode: single, irb: symmetric}}
  guests: {realm: guest, vlan: 30, prefixes: [10.3.0.0/24], intra: policy,
           gateways: {on: [sw1], mode: single, irb: symmetric}}
  oob: {realm: oob, prefixes: [192.0.2.0/24], intra: policy}
addresses:
  late: [10.7.0.64/26]
hosts:
  box:
    nics: {eth0: {model: virtio, attached: [sw1/Ethernet1]}}
    workloads:
      box: {addresses: [10.3.0.11], on: [eth0], segment: servers, stack: kernel}
      guest: {addresses: [10.3.0.12, 10.7.0.12], on: [eth0], segment: servers, stack: kernel}
policy:
  - {name: late, from: [desks], to: [late], service: [tcp/80], action: allow, reason: r}
  - {name: one, from: [desks], to: [guest], service: [tcp/81], action: allow, reason: r}
  - {name: other, from: [guest], to: [desks], service: [tcp/82], action: allow, reason: r}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("why")
    (folder / "inventory" / "small").mkdir(parents=True)
    (folder / "inventory" / "small" / "site.yaml").write_text(SITE)
    return folder


def asked(root: Path, source: str, target: str, service: str) -> Why:
    return why(root, "small", date(2026, 11, 24), source, target, service)


@pytest.mark.parametrize(("service", "rule"), [("tcp/80", "late"), ("tcp/81", "one")])
def test_a_segment_is_all_its_prefixes_and_its_workloads(root: Path, service: str, rule: str) -> None:
    answer = asked(root, "desks", "servers", service)
    assert (answer.verdict, [leg.rule for leg in answer.legs if leg.verdict == "allow"]) == ("mixed", [rule])


def test_the_packet_of_a_workload_in_a_segment_meets_the_gates_of_its_host(root: Path) -> None:
    [leg] = [leg for leg in asked(root, "desks", "servers", "tcp/81").legs if leg.verdict == "allow"]
    assert all(any(hop.gate.startswith("box/") for hop in hops) for _, hops in leg.ways) and leg.ways


def test_a_name_of_a_workload_and_of_its_host_is_the_workload_as_in_rules(root: Path) -> None:
    assert asked(root, "box", "desks", "tcp/82").verdict == "deny"
    assert asked(root, "guest", "desks", "tcp/82").verdict == "mixed", "no packet to the gateway"


def test_an_address_that_two_realms_have_is_told_for_each(root: Path) -> None:
    answer = asked(root, "10.3.0.12", "10.3.0.77", "tcp/1")
    assert {leg.realm for leg in answer.legs} == {"guest", "staff"}
    assert [line for line in why_lines(answer) if "(realm guest)" in line]


@pytest.mark.parametrize("name", ["198.51.100.7", "224.0.0.5", "192.0.2.999", "2001:db8::1"])
def test_an_address_that_nothing_has_is_refused_as_that(root: Path, name: str) -> None:
    with pytest.raises(Refused) as refused:
        asked(root, name, "box", "tcp/80")
    assert "share no realm" not in str(refused.value)


@pytest.mark.parametrize("end", ["box", "10.3.0.11", "10.3.0.99"])
def test_what_an_address_says_to_itself_never_leaves_the_host_and_passes(root: Path, end: str) -> None:
    answer = asked(root, end, end, "tcp/22")
    assert (answer.verdict, {leg.rule for leg in answer.legs}) == ("allow", {"a host talks to itself"})
    assert all(through == "inside the host" for leg in answer.legs for through, _ in leg.ways)
    assert all(hop.rule == leg.rule for leg in answer.legs for _, hops in leg.ways for hop in hops)
    assert "never leaves the host" in answer.legs[0].reason


def test_of_a_segment_to_itself_no_packet_goes_from_an_address_to_itself(root: Path) -> None:
    answer = asked(root, "servers", "servers", "tcp/22")
    assert answer.verdict == "deny" and "a host talks to itself" not in [leg.rule for leg in answer.legs]
