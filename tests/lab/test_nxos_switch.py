"""The simulated NX-OS switch behind unmodified NAPALM, over NX-API and over SSH on the loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from napalm.base.exceptions import ConnectionException, MergeConfigException, ReplaceConfigException

from configlet.lab.switch_nxos import NxosSwitch
from tests.lab.cli_bench import Served, netmiko, served, shell
from tests.lab.eos_bench import PASSWORD, Planes, authority
from tests.lab.nxos_bench import make_nxos, napalm_api, napalm_ssh, nxapi

BOUND = (
    "ip access-list web\n  10 permit tcp any any eq 443\n  20 deny ip any any\n"
    "interface Vlan110\n  ip access-group web in\n"
)
LINE = "  ip access-group web in"
full = pytest.mark.skipif(os.environ.get("CONFIGLET_TEST_FULL") != "1", reason="runs with CONFIGLET_TEST_FULL=1")


@pytest.fixture
def planes() -> Planes:
    return Planes()


@pytest.fixture
def switch(planes: Planes) -> NxosSwitch:
    return make_nxos(speed=60, planes=planes)


@pytest.fixture
def at(switch: NxosSwitch, tmp_path: Path) -> Iterator[Served]:
    with served(switch, switch.front(PASSWORD), tmp_path) as found:
        yield found


@pytest.fixture
def api(switch: NxosSwitch, tmp_path: Path) -> Iterator[tuple[int, Path]]:
    context, _ = authority(tmp_path)
    with nxapi(switch, context) as port:
        yield port, tmp_path


def merged(device: Any, switch: NxosSwitch, planes: Planes) -> None:
    """Open, load, compare, commit, roll back."""
    device.open()
    device.load_merge_candidate(config=BOUND)
    assert device.compare_config().splitlines() == BOUND.splitlines()
    assert (LINE in switch.running_text(), planes.given) == (False, [])
    device.commit_config()
    assert LINE in switch.running_text() and LINE in switch.startup_text()
    assert "tcp dport 443 accept" in planes.given[-1][1]
    device.rollback()
    assert LINE not in switch.running_text() and LINE not in switch.startup_text()
    assert "jump" not in planes.given[-1][1]


def test_a_merge_over_ssh_is_compared_committed_and_rolled_back(switch: NxosSwitch, at: Served, planes: Planes) -> None:
    device = napalm_ssh(at)
    merged(device, switch, planes)
    device.close()


def test_a_merge_over_nx_api_is_compared_committed_and_rolled_back(
    switch: NxosSwitch, api: tuple[int, Path], planes: Planes
) -> None:
    device = napalm_api(*api)
    merged(device, switch, planes)
    device.close()


def replaced(device: Any, switch: NxosSwitch, planes: Planes, load: Any) -> None:
    """A whole configuration, from a checkpoint of the device with one line more."""
    device.load_merge_candidate(config=BOUND)
    device.commit_config()
    kept = device._get_checkpoint_file()
    load(kept)
    assert device.compare_config() == ""
    load(kept.replace("  20 deny ip any any\n", "  20 permit udp any any\n"))
    patch = ["ip access-list web", "  no 20", "ip access-list web", "  20 permit udp any any"]
    assert device.compare_config().splitlines() == patch
    before = len(planes.given)
    device.commit_config()
    assert len(planes.given) == before + 1
    assert "20 permit udp any any" in switch.running_text()
    device.rollback()
    assert "20 deny ip any any" in switch.running_text()
    load(kept.replace("hostname leaf1", "bogus leaf1"))
    with pytest.raises(ReplaceConfigException, match="Rollback failed"):
        device.commit_config()
    assert "20 deny ip any any" in switch.running_text()


@full
def test_a_whole_configuration_is_replaced_over_ssh(switch: NxosSwitch, at: Served, planes: Planes) -> None:
    device = napalm_ssh(at)
    device.open()
    replaced(device, switch, planes, lambda text: device.load_replace_candidate(config=text))
    device.close()


def test_a_whole_configuration_is_replaced_over_nx_api(
    switch: NxosSwitch, api: tuple[int, Path], planes: Planes
) -> None:
    """The file goes over a side connection that is always to port 22, so here it is put where that would put it."""
    device = napalm_api(*api)
    device.open()

    def load(text: str) -> None:
        switch.state.files[device.candidate_cfg] = text.encode()
        device.replace = device.loaded = True

    device.load_merge_candidate(config=BOUND)
    device.commit_config()
    kept = device._get_checkpoint_file()
    load(kept.replace("  20 deny ip any any\n", "  20 permit udp any any\n"))
    assert "  20 permit udp any any" in device.compare_config()
    device.commit_config()
    assert "20 permit udp any any" in switch.running_text()
    device.rollback()
    assert "20 deny ip any any" in switch.running_text()
    device.close()


def test_a_refused_line_stops_a_merge_and_what_ran_before_is_back(
    switch: NxosSwitch, at: Served, api: tuple[int, Path]
) -> None:
    before = switch.running_text()
    for device in (napalm_ssh(at), napalm_api(*api)):
        device.open()
        device.load_merge_candidate(config=BOUND.replace("443", "bogus"))
        with pytest.raises(MergeConfigException, match="automatic rollback"):
            device.commit_config()
        device.close()
    assert switch.running_text().splitlines()[4:] == before.splitlines()[4:]


def test_there_is_no_timer_and_the_driver_says_so(at: Served) -> None:
    device = napalm_ssh(at)
    device.open()
    device.load_merge_candidate(config=BOUND)
    with pytest.raises(NotImplementedError):
        device.commit_config(revert_in=60)
    device.close()


def test_a_wrong_password_is_turned_away(api: tuple[int, Path]) -> None:
    with pytest.raises(ConnectionException):
        napalm_api(*api, password="wrong").open()


def test_netmiko_edits_a_session_which_takes_effect_at_its_commit(
    switch: NxosSwitch, at: Served, planes: Planes
) -> None:
    with netmiko(at, "cisco_nxos") as link:
        lines = ["ip access-list web", "10 permit tcp any any eq 80", "interface Vlan110", "ip access-group web in"]
        said = link.send_config_set(["configure session ours", *lines, "verify"], enter_config_mode=False, exit_config_mode=False)
        assert "leaf1(config-s-acl)# 10 permit tcp any any eq 80" in said
        assert "Verification Successful" in said
        assert planes.given == []
        assert "0002    10 permit tcp any any eq 80" in link.send_command("show configuration session ours", expect_string="#")
        assert "Commit Successful" in link.send_command("commit", expect_string="leaf1#")
        assert "  10 permit tcp any any eq www" in link.send_command("show running-config")
    assert len(planes.given) == 1
    assert LINE in switch.running_text()


def test_a_session_that_does_not_fit_any_more_and_a_full_table_leave_everything_as_it_was(switch: NxosSwitch) -> None:
    lines = ("configure session ours", "ip access-list web", "no 10", "exit")
    shell(switch, "configure terminal", "ip access-list web", "10 permit ip any any", "end", *lines)
    shell(switch, "configure terminal", "no ip access-list web", "end")
    before = switch.running_text()
    said = shell(switch, "configure session ours", "verify", "commit", "abort")
    assert ["Verification failed at 0002 no 10" in answer for answer in said[1:3]] == [True, True]
    switch.fault("refuse-commit", "TCAM is full")
    said = shell(switch, "configure session more", "ip access-list web", "10 permit ip any any", "commit", "abort")
    assert "Commit failed: TCAM is full" in said[3]
    assert switch.running_text().splitlines()[4:] == before.splitlines()[4:]
    assert switch.state.sessions == {}


JOB = ("configure terminal", "scheduler job name back", "rollback running-config checkpoint kept", "exit",
       "scheduler schedule name back", "job name back", "time start +00:00:02", "end")  # fmt: skip


def test_the_scheduler_rolls_back_to_a_checkpoint_when_its_time_has_come(switch: NxosSwitch, planes: Planes) -> None:
    from tests.lab.push_bench import wait_until

    assert not any("%" in said for said in shell(switch, *JOB, "checkpoint kept"))
    assert "Yet to be executed" in shell(switch, "show scheduler schedule")[0]
    shell(switch, "configure terminal", *BOUND.splitlines(), "end")
    assert LINE in switch.running_text()
    wait_until(lambda: LINE not in switch.running_text())
    said = shell(switch, "show scheduler schedule name back", "show scheduler job")
    assert ("Yet to be executed" in said[0], "Success (0)" in said[0]) == (False, True)
    assert "rollback running-config checkpoint kept" in said[1]
    assert "jump" not in planes.given[-1][1]


def test_a_schedule_that_is_removed_rolls_nothing_back_and_a_reboot_brings_what_was_saved(switch: NxosSwitch) -> None:
    shell(switch, *JOB, "checkpoint kept", "configure terminal", "no scheduler schedule name back", "end")
    assert switch.state.waits == {}
    shell(switch, "configure terminal", *BOUND.splitlines(), "end")
    switch.fault("reboot", "1")
    assert LINE not in switch.running_text()


def test_a_switch_keeps_ten_checkpoints(switch: NxosSwitch) -> None:
    said = shell(switch, *(f"checkpoint c{n}" for n in range(11)), "no checkpoint c0", "checkpoint c10")
    assert [n for n, answer in enumerate(said) if "ERROR" in answer] == [10]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("10 permit tcp any any eq 80 81", "81"),
        ("10 permit tcp any any eq 80 time-range T", "time-range"),
        ("10 permit ip 10.0.0.1/8 any", "10.0.0.1/8"),
        ("10 permit ip addrgroup x any", "addrgroup"),
        ("4294967296 permit ip any any", "4294967296"),
        ("10 permit icmp any any 256", "256"),
        ("10 allow ip any any", "allow"),
        ("10 permit tcp any any established fragments", "fragments"),
    ],
)
def test_a_line_that_is_not_known_is_refused_with_its_mark(switch: NxosSwitch, line: str, word: str) -> None:
    said = shell(switch, "configure terminal", "ip access-list web", line, "show running-config")
    column = len("leaf1(config-acl)# ") + line.index(word)
    assert said[2] == f"{' ' * column}^\n% Invalid command at '^' marker.\n"
    assert line not in said[3]
