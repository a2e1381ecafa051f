"""The simulated IOS-XE switch behind unmodified NAPALM and netmiko, over SSH on the loopback."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from napalm.base.exceptions import (
    CommandErrorException,
    CommitConfirmException,
    MergeConfigException,
    ReplaceConfigException,
)
from netmiko.exceptions import NetmikoAuthenticationException, NetmikoTimeoutException

from configlet.lab.switch_ios import IosSwitch
from tests.lab.cli_bench import Open, Served, make_ios, napalm_ios, netmiko, served, shell
from tests.lab.eos_bench import PASSWORD, Planes

ACL = "ip access-list extended web\n 10 permit tcp any any eq 443\n 20 deny ip any any\n"
BOUND = ACL + "interface Vlan110\n ip access-group web in\n"
LINE = "ip access-group web in"


@pytest.fixture
def planes() -> Planes:
    return Planes()


@pytest.fixture
def switch(planes: Planes) -> IosSwitch:
    return make_ios(speed=60, planes=planes)


@pytest.fixture
def at(switch: IosSwitch, tmp_path: Path) -> Iterator[Served]:
    with served(switch, switch.front(PASSWORD), tmp_path) as found:
        yield found


@pytest.fixture
def connect(at: Served) -> Iterator[Open]:
    """Opens a new NAPALM driver."""
    made: list[Any] = []

    def opened(**more: Any) -> Any:
        device = napalm_ios(at, **more)
        made.append(device)
        device.open()
        return device

    yield opened
    for device in made:
        if device.device is not None and device.is_alive()["is_alive"]:
            device.prompt_quiet_changed = False
            device.close()


def until(true: Callable[[], bool]) -> bool:
    """Wait for something that must happen soon."""
    deadline = time.monotonic() + 20
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    return true()


def test_a_merge_is_loaded_compared_committed_with_a_timer_confirmed_and_saved(
    switch: IosSwitch, connect: Open, planes: Planes
) -> None:
    device = connect()
    device.load_merge_candidate(config=BOUND)
    assert device.compare_config().splitlines() == [f"+{line}" for line in BOUND.splitlines()]
    assert (LINE in switch.running_text(), planes.given) == (False, [])
    device.commit_config(revert_in=3600)
    assert device._get_pending_commits()["user"] == "admin"
    assert device._get_pending_commits()["timer"] == "60 min"
    assert LINE in switch.running_text()
    assert LINE not in switch.startup_text()
    assert "tcp dport 443 accept" in planes.given[-1][1]
    device.confirm_commit()
    assert not device.has_pending_commit()
    device.close()
    assert LINE in switch.running_text()
    assert LINE in switch.startup_text()


def test_the_timer_survives_the_session_and_restores_configuration_and_data_plane(
    switch: IosSwitch, connect: Open, planes: Planes
) -> None:
    device = connect(auto_file_prompt=False)
    device.load_merge_candidate(config=BOUND)
    device.commit_config(revert_in=120)
    assert "jump" in planes.given[-1][1]
    device.close()
    assert until(lambda: LINE not in switch.running_text())
    assert "jump" not in planes.given[-1][1]
    other = connect()
    assert not other.has_pending_commit()
    with pytest.raises(CommitConfirmException, match="No pending"):
        other.confirm_commit()


def test_a_pending_change_is_taken_back_at_once_by_another_session(switch: IosSwitch, connect: Open) -> None:
    device = connect(auto_file_prompt=False)
    device.load_merge_candidate(config=BOUND)
    device.commit_config(revert_in=7200)
    other = connect(auto_file_prompt=False)
    with pytest.raises(CommandErrorException, match="already in progress"):
        other.commit_config(revert_in=60)
    other.rollback()
    assert LINE not in switch.running_text()
    assert not device.has_pending_commit()


def test_a_whole_configuration_is_replaced_under_the_timer_and_rolled_back(
    switch: IosSwitch, connect: Open, planes: Planes
) -> None:
    device = connect(auto_file_prompt=False)
    device.load_merge_candidate(config=BOUND)
    device.commit_config()
    full = device.get_config(retrieve="running")["running"]
    device.load_replace_candidate(config=full)
    assert device.compare_config() == ""
    device.load_replace_candidate(config=full.replace(" 20 deny ip any any\n", " 20 permit udp any any\n"))
    assert device.compare_config().splitlines() == [
        "ip access-list extended web", " -20 deny ip any any", " +20 permit udp any any",
    ]  # fmt: skip
    before = len(planes.given)
    device.commit_config(revert_in=7200)
    assert len(planes.given) == before + 1
    assert "20 permit udp" in switch.running_text()
    assert "20 permit udp" not in switch.startup_text()
    device.rollback()
    assert "20 permit udp" not in switch.running_text()


def test_a_replace_without_a_way_back_gives_up_in_the_middle_and_says_so(switch: IosSwitch, connect: Open) -> None:
    device = connect(auto_file_prompt=False, auto_rollback_on_error=False)
    device.load_replace_candidate(config=device.get_config()["running"].replace("ip routing", "router bgp 65000"))
    with pytest.raises(ReplaceConfigException, match=r"router bgp 65000[\s\S]*Rollback aborted after 5 passes"):
        device.commit_config()


def test_a_refused_line_of_a_merge_is_reported_with_its_marker_and_the_rest_goes_in(
    switch: IosSwitch, connect: Open
) -> None:
    """As on a real device a merge is no transaction: NAPALM then puts its own copy back, and saves."""
    device = connect(auto_file_prompt=False)
    device.load_merge_candidate(config="ip access-list extended web\n 10 permit bogus any any\n 20 deny ip any any\n")
    with pytest.raises(
        MergeConfigException, match=r"10 permit bogus any any\s+\^\s+% Invalid input detected at '\^' marker"
    ):
        device.commit_config()
    assert "web" not in switch.running_text()
    device.load_merge_candidate(config=ACL + " 10 permit udp any any\n")
    device.commit_config()
    assert "10 permit tcp" in switch.running_text()


def test_a_refused_line_under_a_timer_is_taken_back_by_the_device(switch: IosSwitch, connect: Open) -> None:
    device = connect(auto_file_prompt=False)
    device.load_merge_candidate(config=BOUND + "router bgp 65000\n")
    with pytest.raises(MergeConfigException):
        device.commit_config(revert_in=7200)
    assert LINE not in switch.running_text()
    assert not device.has_pending_commit()


def test_without_an_archive_no_timer_and_without_scp_no_file(switch: IosSwitch, connect: Open) -> None:
    device = connect(auto_file_prompt=False)
    device.load_merge_candidate(config=BOUND)
    shell(switch, "configure terminal", "no archive", "no ip scp server enable", "end")
    with pytest.raises(CommitConfirmException, match="archive"):
        device.commit_config(revert_in=60)
    with pytest.raises(CommandErrorException, match="SCP file transfers are not enabled"):
        device.load_merge_candidate(config=ACL)
    assert shell(switch, "configure terminal revert timer 5") == [
        "%Please turn config archive on before using this command\n"
    ]


def test_the_same_file_is_not_sent_twice_and_discarding_empties_it(switch: IosSwitch, connect: Open) -> None:
    device = connect(auto_file_prompt=False)
    device.load_merge_candidate(config=ACL)
    device.load_merge_candidate(config=ACL)
    assert shell(switch, "more flash:merge_config.txt") == [ACL]
    device.discard_config()
    assert shell(switch, "more flash:merge_config.txt") == [""]
    assert "hostname leaf1" in shell(switch, "more flash:candidate_config.txt")[0]


def test_netmiko_sees_prompts_modes_pages_and_answers(switch: IosSwitch, at: Served) -> None:
    with netmiko(at, "cisco_xe") as link:
        assert link.find_prompt() == "leaf1#"
        said = link.send_config_set(
            ["ip access-list extended web", "10 permit bogus any any", "10 permit tcp any any eq www"]
        )
        assert (
            "leaf1(config-ext-nacl)#10 permit bogus any any\n                                 ^\n% Invalid input"
            in said
        )
        assert "[OK]" in link.save_config()
        assert (
            link.send_command("show ip access-lists") == "Extended IP access list web\n    10 permit tcp any any eq www"
        )
        assert link.send_command("show running-config | inc access-list") == "ip access-list extended web"
        with pytest.raises(Exception, match="Invalid input"):
            link.send_config_set(["bogus"], error_pattern="% Invalid")
    assert "10 permit tcp any any eq www" in switch.startup_text()


def test_a_long_host_name_is_cut_in_configuration_prompts_only(switch: IosSwitch, at: Served) -> None:
    name = "leaf-with-a-name-of-thirty-one-c"
    shell(switch, "configure terminal", f"hostname {name}", "end")
    with netmiko(at, "cisco_xe") as link:
        assert link.find_prompt() == f"{name}#"
        assert link.send_config_set(["interface Vlan110"]).splitlines()[-2] == f"{name[:20]}(config-if)#end"


def test_enable_asks_for_the_password_where_logins_are_not_privileged(switch: IosSwitch, at: Served) -> None:
    switch.fault("ask-enable")
    with netmiko(at, "cisco_xe", secret=PASSWORD) as link:
        assert link.find_prompt() == "leaf1>"
        assert "Invalid input" in link.send_command("show running-config")
        link.enable()
        assert link.find_prompt() == "leaf1#"
        assert PASSWORD not in link.send_command("show privilege")


def test_wrong_passwords_and_unknown_host_keys_are_turned_away(at: Served, tmp_path: Path) -> None:
    with pytest.raises(NetmikoAuthenticationException):
        netmiko(at, "cisco_xe", password="wrong")
    other = tmp_path / "other"
    other.write_text("")
    with pytest.raises(NetmikoTimeoutException, match="not found in known_hosts"):
        netmiko((at[0], other), "cisco_xe")


def test_files_are_listed_verified_and_deleted_with_questions_unless_quiet(switch: IosSwitch, at: Served) -> None:
    quiet = shell(
        switch, "copy running-config flash:a", "dir flash:", "verify /md5 flash:a", "delete flash:a", "dir flash:a"
    )
    assert "bytes copied" in quiet[0]
    assert "Directory of flash:/" in quiet[1]
    assert quiet[2].startswith(".MD5 of flash:/a Done!\nverify /md5 (flash:/a) = ")
    assert quiet[3:] == ["", "%Error opening flash:/a (No such file or directory)\n"]
    shell(switch, "configure terminal", "no file prompt quiet", "end")
    terminal = switch.terminal("admin")
    assert (terminal.line("copy running-config flash:", False), terminal.prompt) == (
        "",
        "Destination filename [running-config]? ",
    )
    assert "bytes copied" in terminal.line("b", False)
    terminal.line("delete flash:b", False)
    assert terminal.prompt == "Delete filename [b]? "
    terminal.line("", False)
    assert terminal.prompt == "Delete flash:/b? [confirm]"
    terminal.line("n", False)
    assert "Directory of flash:/b" in terminal.line("dir flash:/b", False)


def test_the_archive_keeps_what_ran_before_each_timer_and_forgets_the_oldest(switch: IosSwitch) -> None:
    for _ in range(12):
        shell(switch, "configure terminal revert timer 5", "end", "configure confirm")
    said = shell(switch, "show archive", "dir flash:")
    assert "There are currently 10 archive configurations saved." in said[0]
    assert "flash:archive-12 <- Most Recent" in said[0]
    assert ("archive-3\n" in said[1], "archive-2\n" in said[1]) == (True, False)


def test_a_timer_can_be_started_anew_and_a_second_one_is_refused(switch: IosSwitch) -> None:
    said = shell(switch, "configure terminal revert timer 5", "end", "configure terminal revert timer 5",
                 "configure revert timer 120", "show archive config rollback timer", "configure revert now",
                 "configure revert now", "configure confirm", "show archive config rollback timer")  # fmt: skip
    assert said[0].startswith("Rollback Confirmed Change: Backing up current running config to flash:archive-1\n")
    assert said[2].startswith("%Rollback Confirmed Change is already pending, started by user admin")
    assert "Timer value: 120 min\nUser: admin" in said[4]
    assert "Rollback Done" in said[5]
    assert said[6:] == ["%No Rollback Confirmed Change pending\n"] * 3
