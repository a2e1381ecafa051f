"""The probe on the real lab of dc1: it sees every leak, every loss, and nothing that is not there.

One lab serves the whole file; what it went through is told in ``story``, and each test reads one chapter.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import pytest

from configlet.lab.probe import Result, lines, to_json
from configlet.lab.traffic_hold import hold
from tests.lab.probe_bench import Lab, raised

CUT = "table inet cut { chain c { type filter hook input priority 0; policy accept; tcp dport 9100 drop; }; }"
LEAK = "arrived although denied"


@dataclass(frozen=True)
class Story:
    """The lab's life: open, with the policy, without one host's table, without one switch's bindings, mended."""

    open: Result
    whole: Result
    flushed: Result
    unbound: Result
    closed: Result
    mended: Result
    alive: tuple[bool, bool, bool]


def held(lab: Lab) -> tuple[bool, bool, bool]:
    """Whether a connection passes data: at first, once more, and after its target's table drops it."""
    source, target = ("mon1", ip_address("10.1.70.11")), ("client1", ip_address("10.1.10.11"))
    with hold(lab.state, source, target, 9100) as connection:
        first, second = connection.alive(), connection.alive()
        lab.inside("client1", "nft", "-f", "-", text=CUT)
        third = connection.alive()
    lab.inside("client1", "nft", "delete", "table", "inet", "cut")
    return first, second, third


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with raised(tmp_path_factory.mktemp("workspace")) as lab:
        empty = lab.probe()
        lab.load()
        whole, alive = lab.probe(), held(lab)
        lab.flush("db2")
        flushed = lab.probe()
        lab.load("db2")
        lab.unbind("leaf4", "Vlan150")
        unbound = lab.probe()
        lab.load("leaf4")
        lab.inside("risk2", "nft", "-f", "-", text=CUT)
        closed = lab.probe()
        lab.inside("risk2", "nft", "delete", "table", "inet", "cut")
        yield Story(empty, whole, flushed, unbound, closed, lab.probe(), alive)


def test_without_any_filter_every_denied_packet_arrives_so_that_none_is_sent_in_vain(story: Story) -> None:
    denied = dict(story.open.counts)["denied"]
    assert [d.fault for d in story.open.differences] == [LEAK] * denied
    assert story.open.status == 1


def test_with_the_policy_loaded_every_packet_goes_as_the_policy_says(story: Story) -> None:
    assert [str(d) for d in story.whole.differences] == []
    assert (story.whole.sent, story.whole.status) == (story.whole.as_policy, 0)


def test_at_least_500_packets_of_both_families_and_all_protocols_are_sent(story: Story) -> None:
    counts = dict(story.whole.counts)
    assert story.whole.sent >= 500
    assert all(counts[name] >= 50 for name in ("IPv4", "IPv6", "tcp", "udp", "icmp", "icmpv6", "allowed", "denied"))
    assert counts["multicast"] >= 4


def test_a_flushed_host_table_is_found_and_named(story: Story) -> None:
    named = {d.probe.gate for d in story.flushed.differences if d.probe.gate}
    assert named == {"db2/nftables"}
    assert {d.fault for d in story.flushed.differences} == {LEAK}
    assert story.flushed.status == 1


def test_a_lost_binding_is_found_and_named_though_other_gates_hide_it_end_to_end(story: Story) -> None:
    gates = {d.probe.gate for d in story.unbound.differences}
    assert gates == {f"leaf4/Vlan150/{way}/v{family}" for way in ("in", "out") for family in (4, 6)}
    assert {d.fault for d in story.unbound.differences} == {LEAK}
    assert story.unbound.status == 1


def test_an_allowed_packet_that_is_dropped_is_found_and_leaks_stay_unclaimed(story: Story) -> None:
    assert {d.fault for d in story.closed.differences} == {"did not arrive although allowed"}
    assert all(d.probe.target == "risk2" for d in story.closed.differences)


def test_a_mended_lab_is_as_the_policy_says_again(story: Story) -> None:
    assert story.mended.status == 0


def test_accepted_gaps_are_sent_too_and_counted_apart(story: Story) -> None:
    assert story.whole.gaps
    assert all(arrived for _, arrived in story.whole.gaps)
    assert {(p.source, p.target) for p, _ in story.whole.gaps} <= {("me1", "me2"), ("me2", "me1")}


def test_a_held_connection_is_alive_until_its_packets_are_dropped(story: Story) -> None:
    assert story.alive == (True, True, False)


def test_the_last_line_says_how_many_packets_went_as_the_policy_says(story: Story) -> None:
    for result in (story.whole, story.flushed):
        last = tuple(lines(result))[-1]
        assert last.startswith(f"probe: {result.sent} packets sent, {result.as_policy} as the policy says")
        said = json.loads(json.dumps(to_json(result)))
        assert len(said["differences"]) == result.sent - result.as_policy


def test_a_second_lab_is_not_needed_to_say_that_none_is_up(tmp_path: Path) -> None:
    from configlet.lab.probe import probe
    from configlet.model.problem import Refused
    from tests.lab.probe_bench import SITE, TODAY

    with pytest.raises(Refused, match="the lab is not up"):
        probe(tmp_path, SITE, TODAY)
