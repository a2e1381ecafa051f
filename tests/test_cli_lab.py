"""The whole way by the command line, on the lab: push, packets, sabotage, a change, its consent and its way back."""

import json
import re
import subprocess
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from configlet.lab.traffic_hold import hold
from tests.cli_run import DAY, configlet

SENT = re.compile(r"^probe: (\d+) packets sent, (\d+) as the policy says", re.MULTILINE)
EXTRA = """
  - name: order gateways read the books
    from: [order-gateways]
    to: [databases]
    service: [postgres]
    action: allow
    reason: a change for a test
    owner: trading
"""


class Lab:
    """A workspace whose lab is up; commands are run in it as an operator would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.policy = folder / "inventory" / "dc1" / "policy.yaml"

    def run(self, *words: str, status: int = 0) -> CompletedProcess[str]:
        at = () if words[:2] in (("lab", "down"), ("lab", "fault")) else ("--at", DAY)
        ended = configlet(*words, *at, cwd=self.folder)
        assert ended.returncode == status, (words, ended.stdout[-3000:], ended.stderr[-3000:])
        return ended

    def probe(self, status: int = 0) -> tuple[int, int, str]:
        said = self.run("lab", "probe", "dc1", status=status).stdout
        found = SENT.search(said)
        assert found
        return int(found[1]), int(found[2]), said


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("way") / "workspace"
    assert configlet("init", str(folder)).returncode == 0
    made = Lab(folder)
    made.run("lab", "up", "dc1", "--speed", "10")
    try:
        yield made
    finally:
        configlet("lab", "down", "dc1", cwd=folder)


@pytest.fixture(scope="module")
def pushed(lab: Lab) -> Lab:
    """The lab with the policy on it; a test that disturbs it mends it."""
    lab.run("push", "dc1", "--lab", "--yes")
    return lab


def test_a_pushed_policy_is_what_packets_meet(pushed: Lab) -> None:
    sent, right, said = pushed.probe()
    assert sent == right >= 500
    counts = dict(re.findall(r"(\d+) ([\w ]+?)(?:,|$)", next(x for x in said.splitlines() if x.startswith("sent "))))
    kinds = set(counts.values())
    assert {"IPv4", "IPv6", "tcp", "udp", "icmp", "icmpv6", "multicast", "allowed", "denied"} <= kinds


def test_a_second_push_has_nothing_to_do(pushed: Lab) -> None:
    assert "nothing to do" in pushed.run("push", "dc1", "--lab", "--yes").stdout
    found = json.loads(pushed.run("plan", "dc1", "--lab", "--json", "--exit-code").stdout)
    assert found["plan"]["changes"] == []


def test_a_host_whose_rules_are_flushed_lets_nobody_in_and_the_probe_says_so(pushed: Lab) -> None:
    pushed.run("lab", "fault", "dc1", "me1", "flush")
    sent, right, said = pushed.probe(status=1)
    assert right < sent and "me1" in said
    pushed.run("lab", "fault", "dc1", "me1", "open")
    pushed.run("push", "dc1", "--lab", "--yes")
    pushed.probe()


@pytest.mark.parametrize("fault", [("ogw2", "open"), ("leaf3", "unbind", "Vlan130 in")])
def test_sabotage_is_noticed_by_packets_and_mended_by_a_push(pushed: Lab, fault: tuple[str, ...]) -> None:
    pushed.run("lab", "fault", "dc1", *fault)
    sent, right, said = pushed.probe(status=1)
    assert right < sent
    assert any(fault[0] in line for line in said.splitlines() if line.startswith("DIFFERS"))
    plan = json.loads(pushed.run("plan", "dc1", "--lab", "--json", "--exit-code", status=2).stdout)["plan"]
    assert [change["owner"] for change in plan["changes"]] == [fault[0]]
    assert any(not flow["opened"] for flow in plan["flows"])
    pushed.run("push", "dc1", "--lab", "--yes")
    pushed.probe()


def test_a_change_opens_what_the_plan_says_and_a_rollback_closes_it(pushed: Lab) -> None:
    before = pushed.policy.read_text()
    assert "DENY" in pushed.run("why", "dc1", "ogw2", "db2", "postgres").stdout.splitlines()[0]
    try:
        pushed.policy.write_text(before + EXTRA)
        plan = json.loads(pushed.run("plan", "dc1", "--lab", "--json").stdout)["plan"]
        assert [f["rule"] for f in plan["flows"] if f["opened"]] == ["order gateways read the books"]
        assert not [f for f in plan["flows"] if not f["opened"]]
        pushed.run("push", "dc1", "--lab", "--yes")
        pushed.probe()
        assert "ALLOW" in pushed.run("why", "dc1", "ogw2", "db2", "postgres").stdout.splitlines()[0]
        pushed.run("rollback", "dc1", "--lab", "--yes")
        pushed.probe(status=1)
    finally:
        pushed.policy.write_text(before)
    pushed.probe()


def test_a_living_connection_that_a_push_forbids_is_dead_after_it_and_another_lives_on(pushed: Lab) -> None:
    """Both ends are in one segment, so no switch's gate sees the connection: it is the host's own table that ends it."""
    before = pushed.policy.read_text()
    rule = EXTRA.replace("[order-gateways]", "[risk2]").replace("[databases]", "[risk1]")
    other = rule.replace("the books", "the state").replace("[postgres]", "[engine-state]")
    state = pushed.folder / ".configlet" / "lab" / "dc1"
    ends = ("risk2", ip_address("10.1.50.12")), ("risk1", ip_address("10.1.50.11"))
    try:
        pushed.policy.write_text(before + rule + other)
        pushed.run("push", "dc1", "--lab", "--yes")
        with hold(state, *ends, 5432) as forbidden, hold(state, *ends, 7200) as allowed:
            assert forbidden.alive() and allowed.alive()
            pushed.policy.write_text(before + other)
            pushed.run("push", "dc1", "--lab", "--yes")
            assert not forbidden.alive()
            assert allowed.alive()
    finally:
        pushed.policy.write_text(before)
    pushed.run("push", "dc1", "--lab", "--yes")


def test_a_plan_file_is_consent_to_that_plan_only(pushed: Lab) -> None:
    before = pushed.policy.read_text()
    file = str(pushed.folder / "tonight.plan")
    try:
        pushed.policy.write_text(before + EXTRA)
        pushed.run("plan", "dc1", "--lab", "--out", file)
        pushed.policy.write_text(before + EXTRA.replace("postgres", "ssh"))
        refused = pushed.run("push", "dc1", "--lab", "--plan", file, status=6)
        assert "make the plan anew" in refused.stderr
        pushed.policy.write_text(before + EXTRA)
        pushed.run("push", "dc1", "--lab", "--plan", file)
        pushed.run("push", "dc1", "--lab", "--plan", file, status=6)
        pushed.run("rollback", "dc1", "--lab", "--yes")
    finally:
        pushed.policy.write_text(before)
    assert "nothing to do" in pushed.run("push", "dc1", "--lab", "--yes").stdout


def test_a_limit_changes_the_meant_devices_only(pushed: Lab) -> None:
    pushed.run("lab", "fault", "dc1", "me1", "open")
    pushed.run("lab", "fault", "dc1", "me2", "open")
    pushed.run("push", "dc1", "--lab", "--yes", "--limit", "me1")
    left = json.loads(pushed.run("plan", "dc1", "--lab", "--json").stdout)["plan"]["changes"]
    assert [change["owner"] for change in left] == ["me2"]
    pushed.run("push", "dc1", "--lab", "--yes")


def test_a_run_that_is_not_in_the_journal_cannot_be_taken_back(pushed: Lab) -> None:
    ended = pushed.run("rollback", "dc1", "20200101-000000-beef", "--lab", "--yes", status=65)
    assert "20200101-000000-beef" in ended.stderr


def test_recover_says_that_nothing_is_unfinished_also_when_python_is_started_anew_in_the_lab(pushed: Lab) -> None:
    assert "no unfinished run" in pushed.run("recover", "dc1", "--lab").stdout
    anew = configlet("recover", "dc1", "--lab", "--at", DAY, cwd=pushed.folder, PYTHONUNBUFFERED="1")
    assert anew.returncode == 0 and "no unfinished run" in anew.stdout


def test_a_second_lab_of_the_same_site_is_refused(lab: Lab) -> None:
    assert "already up" in lab.run("lab", "up", "dc1", status=65).stderr


def test_an_approved_plan_is_pushed_once_and_the_log_says_who_agreed(pushed: Lab, tmp_path: Path) -> None:
    before = pushed.policy.read_text()
    key, approvers = tmp_path / "bob", pushed.folder / "approvers"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    plan = ("push", "dc1", "--lab", "--plan", "plan.json")
    try:
        approvers.write_text(f"bob@example.net {key.with_suffix('.pub').read_text()}")
        pushed.policy.write_text(before + EXTRA)
        said = pushed.run("plan", "dc1", "--lab", "--out", "plan.json").stdout
        assert "Next: configlet approve plan.json" in said
        assert "there is no approval" in pushed.run(*plan, status=6).stderr
        bob = ("--as", "bob@example.net", "--key", str(key), "--yes")
        ended = configlet("approve", "plan.json", *bob, cwd=pushed.folder)
        assert ended.returncode == 0 and "+ order gateways read the books" in ended.stdout
        pushed.run(*plan)
        pushed.probe()
        runs = json.loads(configlet("log", "dc1", "--lab", "--json", cwd=pushed.folder).stdout)["runs"]
        digest = json.loads((pushed.folder / "plan.json").read_text())["plan"]["digest"]
        by = runs[0]["by"]
        assert (by["way"], by["approved_by"], by["plan"]) == ("--plan", "bob@example.net", digest)
        assert {device["result"] for device in runs[0]["devices"]} == {"Kept"}
        assert "not what would be planned now" in pushed.run(*plan, status=6).stderr, "consent is used up"
    finally:
        approvers.unlink()
        pushed.policy.write_text(before)
        pushed.run("push", "dc1", "--lab", "--yes")
