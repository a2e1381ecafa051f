"""A workload past the kernel receives what its host's nftables denies, and nothing of it once its NIC has a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from configlet.lab.probe_values import Probe
from configlet.pipeline.report import Report
from tests.cli_run import DAY, configlet
from tests.lab.desk import SITE, Desk, accept, cure, desk

Seen = dict[str, list[tuple[Probe, bool]]]


@dataclass(frozen=True)
class Story:
    """With nothing but the host's table, with the NIC's beside it, after that was taken away, and after another's push."""

    before: Report
    host: Seen
    after: Report
    nic: Seen
    gates: tuple[str, ...]
    open: Seen
    push: str
    pushed: Seen
    taken: str
    last: Seen


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    root: Path = tmp_path_factory.mktemp("desk")
    with desk(root) as lab:
        yield told(lab, root / "inventory" / "desk" / "site.yaml")


def told(lab: Desk, site: Path) -> Story:
    before = lab.check()
    accept(site)
    accepted = site.read_text()
    lab.load_host()
    host = lab.towards_me1()
    cure(site)
    after, gates = lab.check(), lab.load_nics()
    nic = lab.towards_me1()
    site.write_text(accepted)
    lab.load_nics()
    away = lab.towards_me1()
    cure(site)
    said = site.read_text().replace("stack: onload", "stack: dpdk").replace("filter_table: simnic", "filter_table: tcflower")
    site.write_text(said.replace("model: solarflare-x2-serverlock", "model: mellanox-connectx6"))
    push = configlet("push", SITE, "--lab", "--yes", "--at", DAY, cwd=lab.root)
    pushed = lab.towards_me1()
    alone = "  - {what: unguarded, workload: me1, reason: its application can remove the table, until: 2027-01-31}\n"
    site.write_text(site.read_text().replace("filter_table: tcflower", "filter_table: rteflow") + alone)
    taken = configlet("push", SITE, "--lab", "--yes", "--at", DAY, cwd=lab.root)
    return Story(before, host, after, nic, gates, away, push.stdout + push.stderr, pushed, taken.stdout + taken.stderr,
                 lab.towards_me1())  # fmt: skip


def test_check_says_unguarded_with_the_sentence_of_each_blind_gate_and_a_cure(story: Story) -> None:
    red = [p for p in story.before.findings if p.summary == "Unguarded flow"]
    assert len(red) == 1 and story.before.status == 3
    assert '"me1" (stack onload' in red[0].detail and "client2" in red[0].detail
    assert "me1/nftables: Onload runs" in red[0].detail and "The cheapest cure: a " in red[0].detail


def test_the_workload_receives_what_the_hosts_table_denies(story: Story) -> None:
    denied = story.host["client2"]
    assert denied and not any(probe.expected for probe, _ in denied)
    assert all(arrived for _, arrived in denied)


def test_with_a_table_in_the_nic_it_receives_nothing_of_it(story: Story) -> None:
    assert story.gates == ("me1/ens1/in",) and story.after.status == 0
    assert story.nic["client2"] and not any(arrived for _, arrived in story.nic["client2"])


def test_what_the_policy_allows_still_arrives(story: Story) -> None:
    assert [arrived for probe, arrived in story.nic["client1"] if probe.expected] == [True]
    assert not any(arrived for probe, arrived in story.nic["client1"] if not probe.expected)


def test_a_nic_whose_table_is_taken_away_is_open_again(story: Story) -> None:
    assert all(arrived for _, arrived in story.open["client2"])


def test_a_push_loads_the_labs_nic_through_its_simulated_tool_and_real_packets_meet_it(story: Story) -> None:
    assert "me1/tcflower Kept" in story.push
    assert story.pushed["client2"] and not any(arrived for _, arrived in story.pushed["client2"])
    assert all(arrived == probe.expected for probe, arrived in story.pushed["client1"])


def test_a_table_goes_last_and_the_plan_says_what_opens_where_a_nic_is_given_another(story: Story) -> None:
    assert "the inventory gives this NIC no table any more" in story.taken
    assert "no filter: everything passes" in story.taken.partition("closes")[0]
    assert story.taken.index("me1/rteflow done") < story.taken.index("me1/tcflower done")
    assert "me1/tcflower Kept" in story.taken
    assert "me1/rteflow Kept" in story.taken and "no proof of what the NIC holds" in story.taken
    assert story.last["client2"] and not any(arrived for _, arrived in story.last["client2"])
    assert all(arrived == probe.expected for probe, arrived in story.last["client1"])
