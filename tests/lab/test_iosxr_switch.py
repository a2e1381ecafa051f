"""The simulated IOS-XR router behind unmodified NAPALM and netmiko, over SSH on the loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from napalm.base.exceptions import ConnectionException, MergeConfigException
from napalm.pyIOSXR.exceptions import CommitError, LockError, XMLCLIError

from configlet.lab.switch_iosxr import XrSwitch
from tests.lab.cli_bench import Served, netmiko, served, shell
from tests.lab.eos_bench import PASSWORD, Planes
from tests.lab.iosxr_bench import make_iosxr, napalm_iosxr
from tests.lab.push_bench import wait_until

BOUND = (
    "ipv4 access-list web\n 10 permit tcp any any eq 443\n 20 deny ipv4 any any\n!\n"
    "interface BVI110\n ipv4 access-group web ingress\n!\n"
)
LINE = " ipv4 access-group web ingress"
FULL = os.environ.get("CONFIGLET_TEST_FULL") == "1"
full = pytest.mark.skipif(not FULL, reason="runs with CONFIGLET_TEST_FULL=1: a login to the XML agent takes seconds")


@pytest.fixture
def planes() -> Planes:
    return Planes()


@pytest.fixture
def switch(planes: Planes) -> XrSwitch:
    return make_iosxr(speed=60, planes=planes)


@pytest.fixture
def at(switch: XrSwitch, tmp_path: Path) -> Iterator[Served]:
    with served(switch, switch.front(PASSWORD), tmp_path) as found:
        yield found


def closed(device: Any) -> None:
    """End the connection. netmiko waits ten seconds for a prompt that the XML agent does not have, so seldom by itself."""
    if FULL:
        device.close()
    elif device.device.locked:
        device.device.unlock()
    device.device.device.paramiko_cleanup()


def test_a_merge_is_loaded_compared_committed_and_rolled_back(switch: XrSwitch, at: Served, planes: Planes) -> None:
    device = napalm_iosxr(at)
    device.open()
    assert device.is_alive()["is_alive"]
    device.load_merge_candidate(config=BOUND)
    diff = device.compare_config().splitlines()
    assert [line[1:] for line in diff if line[:1] == "+" and line[1:] not in ("!", "++ ")] == [
        "ipv4 access-list web", " 10 permit tcp any any eq 443", " 20 deny ipv4 any any", LINE,
    ]  # fmt: skip
    assert (LINE in switch.running_text(), planes.given) == (False, [])
    device.commit_config(message="a change")
    assert LINE in switch.running_text() and LINE in switch.startup_text()
    assert "tcp dport 443 accept" in planes.given[-1][1]
    assert 'iifname "Vlan110"' in planes.given[-1][1]
    assert switch.state.commits[-1].comment == "a change"
    device.rollback()
    assert LINE not in switch.running_text()
    assert "jump" not in planes.given[-1][1]
    closed(device)
    wait_until(lambda: switch.state.held is None)


@full
def test_a_whole_configuration_is_replaced(switch: XrSwitch, at: Served, planes: Planes) -> None:
    device = napalm_iosxr(at)
    device.open()
    device.load_merge_candidate(config=BOUND)
    device.commit_config()
    kept = device.get_config(retrieve="running")["running"]
    device.load_replace_candidate(config=kept.replace(" 20 deny ipv4 any any\n", " 20 permit udp any any\n"))
    assert [line for line in device.compare_config().splitlines() if line[:1] in "+-"] == [
        "-  20 deny ipv4 any any", "+  20 permit udp any any",
    ]  # fmt: skip
    before = len(planes.given)
    device.commit_config()
    assert len(planes.given) == before + 1
    assert "20 permit udp any any" in switch.running_text()
    device.rollback()
    closed(device)
    assert "20 deny ipv4 any any" in switch.running_text()


@full
def test_what_is_discarded_or_left_alone_is_gone(switch: XrSwitch, at: Served) -> None:
    device = napalm_iosxr(at)
    device.open()
    device.load_merge_candidate(config=BOUND)
    device.discard_config()
    assert device.compare_config() == ""
    device.load_merge_candidate(config=BOUND)
    closed(device)
    assert LINE not in switch.running_text()
    wait_until(lambda: switch.state.held is None)


@full
def test_a_refused_line_refuses_the_load_with_its_mark(switch: XrSwitch, at: Served) -> None:
    device = napalm_iosxr(at)
    device.open()
    with pytest.raises(MergeConfigException, match=r"10 permit tcp any any eq bogus\s+\^\s+% Invalid input detected"):
        device.load_merge_candidate(config=BOUND.replace("443", "bogus"))
    closed(device)
    assert LINE not in switch.running_text()


@full
def test_a_lock_of_somebody_else_an_empty_and_a_refused_commit_are_said(switch: XrSwitch, at: Served) -> None:
    device = napalm_iosxr(at)
    device.open()
    switch.fault("hold-lock")
    with pytest.raises(LockError):
        device.load_merge_candidate(config=BOUND)
    switch.fault("clear")
    with pytest.raises(CommitError, match="empty"):
        device.commit_config()
    device.load_merge_candidate(config=BOUND)
    switch.fault("refuse-commit", "TCAM is full")
    with pytest.raises(XMLCLIError, match=r"Failed to commit one or more[\s\S]*TCAM is full"):
        device.commit_config()
    closed(device)
    assert LINE not in switch.running_text()


@full
def test_a_commit_that_is_not_confirmed_is_taken_back_and_another_commit_keeps_it(
    switch: XrSwitch, at: Served, planes: Planes
) -> None:
    device = napalm_iosxr(at)
    device.open()
    device.load_merge_candidate(config=BOUND)
    device.device.commit_config(confirmed=60)
    assert LINE in switch.running_text() and LINE not in switch.startup_text()
    wait_until(lambda: LINE not in switch.running_text())
    assert "jump" not in planes.given[-1][1]
    device.load_merge_candidate(config=BOUND)
    device.device.commit_config(confirmed=300)
    device.device.commit_config()
    assert switch.state.trial is None
    closed(device)
    assert LINE in switch.startup_text()
    with pytest.raises(NotImplementedError):
        device.commit_config(revert_in=60)


def test_the_command_line_commits_and_asks_before_a_change_is_lost(switch: XrSwitch, at: Served) -> None:
    with netmiko(at, "cisco_xr") as link:
        assert link.find_prompt() == "RP/0/RP0/CPU0:leaf1#"
        said = link.send_config_set([*BOUND.splitlines(), "show configuration"])
        assert "leaf1(config-ipv4-acl)# 10 permit tcp any any eq 443" in said
        link.commit(label="ours", confirm=True, confirm_delay=300)
        assert switch.state.trial is not None
        link.commit()
        assert switch.state.trial is None
        link.exit_config_mode()
        said = link.send_command("show configuration commit list 1 detail")
        assert "Label: ours" in said
        link.send_config_set(["no ipv4 access-list web"])
        link.exit_config_mode()
    assert LINE in switch.running_text()


def test_somebody_else_s_commit_meanwhile_is_said(switch: XrSwitch) -> None:
    terminal = switch.terminal("admin")
    for line in ("configure", "hostname leaf2"):
        terminal.line(line, False)
    shell(switch, "configure", "alias exec x show clock", "commit", "end")
    assert "One or more commits have occurred from other" in terminal.line("commit", False)


def test_a_trial_ends_with_the_next_commit_or_by_itself(switch: XrSwitch) -> None:
    shell(switch, "configure", *BOUND.splitlines(), "commit confirmed 30", "end")
    assert LINE in switch.running_text() and LINE not in switch.startup_text()
    wait_until(lambda: LINE not in switch.running_text())
    shell(switch, "configure", *BOUND.splitlines(), "commit confirmed 300", "hostname leaf9", "commit", "end")
    assert switch.state.trial is None
    assert LINE in switch.startup_text()


def test_a_restart_during_a_trial_brings_back_what_was_committed_for_good(switch: XrSwitch) -> None:
    shell(switch, "configure", *BOUND.splitlines(), "commit confirmed 600", "end")
    assert LINE in switch.running_text()
    switch.fault("reboot", "1")
    assert LINE not in switch.running_text()


def test_a_wrong_password_is_turned_away(at: Served) -> None:
    with pytest.raises(ConnectionException):
        napalm_iosxr(at, password="wrong").open()


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("10 permit tcp any any eq 80 81", "81"),
        ("10 permit ip any any", "ip"),
        ("10 permit ipv4 net-group x any", "net-group"),
        ("2147483645 permit ipv4 any any", "2147483645"),
        ("10 permit tcp any any established fragments", "fragments"),
        ("10 permit ipv4 any any ttl eq 1", "ttl"),
    ],
)
def test_a_line_that_is_not_known_is_refused_with_its_mark(switch: XrSwitch, line: str, word: str) -> None:
    said = shell(switch, "configure", "ipv4 access-list web", line, "show configuration")
    column = len("RP/0/RP0/CPU0:leaf1(config-ipv4-acl)#") + line.index(word)
    assert said[2] == f"{' ' * column}^\n% Invalid input detected at '^' marker.\n"
    assert line not in said[3]
