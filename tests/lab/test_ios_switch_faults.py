"""What can go wrong on a simulated IOS-XE switch on demand, as a client over SSH meets it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from napalm.base.exceptions import CommandErrorException, CommitConfirmException

from configlet.lab.switch_ios import IosSwitch
from tests.lab.cli_bench import Served, make_ios, napalm_ios, netmiko, served, shell, typed
from tests.lab.eos_bench import PASSWORD, Planes

LINES = [
    "configure terminal revert timer 100", "ip access-list extended web", "10 permit tcp any any eq 443",
    "20 deny ip any any", "interface Vlan110", "ip access-group web in", "end",
]  # fmt: skip
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


def until(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    return true()


def test_a_session_that_drops_after_three_lines_leaves_those_and_the_timer(switch: IosSwitch, at: Served) -> None:
    link = netmiko(at, "cisco_xe")
    switch.fault("drop-session", "3")
    typed(link, LINES)
    assert link.remote_conn.closed
    assert "10 permit tcp any any eq 443" in switch.running_text()
    assert "20 deny" not in switch.running_text()
    assert switch.faults() == {}
    with netmiko(at, "cisco_xe") as other:
        assert "User: admin" in other.send_command("show archive config rollback timer")


def test_a_stalled_device_answers_late_and_not_wrong(switch: IosSwitch, at: Served) -> None:
    with netmiko(at, "cisco_xe") as link:
        switch.fault("stall", "12")
        start = time.monotonic()
        assert link.send_command("show privilege") == "Current privilege level is 15"
        assert time.monotonic() - start >= 0.2


def test_the_nth_line_or_lines_of_a_pattern_are_refused_until_it_is_cleared(switch: IosSwitch) -> None:
    switch.fault("reject-line", "2")
    said = shell(switch, *LINES)
    assert ["Invalid input" in text for text in said] == [False, False, True, False, False, False, False]
    shell(switch, "configure revert now")
    switch.fault("reject-line", "access-group")
    said = shell(switch, *LINES)
    assert ["Invalid input" in text for text in said] == [False, False, False, False, False, True, False]
    switch.fault("clear", "reject-line")
    assert shell(switch, "configure terminal", *LINES[4:6])[-1] == ""


def test_a_refused_line_of_a_file_is_reported_too(switch: IosSwitch) -> None:
    switch.front("").flash.write("flash:m", b"ip access-list extended web\n 10 permit ip any any\nend\n")
    switch.fault("reject-line", "permit")
    assert "10 permit ip any any\n^\n% Invalid input" in shell(switch, "copy flash:m running-config")[0]


def test_somebody_elses_timer_or_lock_holds_the_device(switch: IosSwitch, at: Served) -> None:
    device = napalm_ios(at, auto_file_prompt=False)
    device.open()
    device.load_merge_candidate(config="ip access-list extended web\n 10 permit ip any any\n")
    switch.fault("hold-lock")
    assert device._get_pending_commits()["user"] == "operator"
    with pytest.raises(CommandErrorException, match="already in progress"):
        device.commit_config(revert_in=60)
    with pytest.raises(CommitConfirmException, match="not owned by admin"):
        device.confirm_commit()
    switch.fault("clear", "hold-lock")
    assert not device.has_pending_commit()
    device.close()
    switch.fault("hold-lock", "lock")
    said = shell(
        switch, "configure terminal", "configure terminal revert timer 5", "show archive config rollback timer"
    )
    assert said[0] == said[1]
    assert said[0].startswith("Configuration mode locked exclusively by user 'operator'")
    assert said[2] == "%No Rollback Confirmed Change pending\n"
    switch.fault("clear")
    assert shell(switch, "configure terminal lock", "end")[0].startswith("Enter configuration commands")


def test_an_exclusive_lock_ends_with_its_session(switch: IosSwitch) -> None:
    holder, other = switch.terminal("admin"), switch.terminal("admin")
    holder.line("configure terminal lock", False)
    assert other.line("configure terminal", False).startswith("Configuration mode locked exclusively by user 'admin'")
    holder.hang_up()
    assert other.line("configure terminal", False).startswith("Enter")


def test_a_refused_change_is_not_begun(switch: IosSwitch) -> None:
    switch.front("").flash.write("flash:m", b"ip access-list extended web\n 10 permit ip any any\nend\n")
    shell(switch, "copy running-config flash:all")
    before = switch.running_text()
    switch.fault("refuse-commit", "Error: no space")
    said = shell(
        switch, "configure terminal revert timer 5", "copy flash:m running-config", "configure replace flash:all force"
    )
    assert said == ["%Error: no space\n"] * 3
    assert switch.running_text() == before


def test_a_reboot_drops_every_session_and_comes_back_with_startup_and_flash(
    switch: IosSwitch, at: Served, planes: Planes
) -> None:
    link = netmiko(at, "cisco_xe")
    typed(link, LINES)
    shell(switch, "copy running-config flash:kept")
    assert "jump" in planes.given[-1][1]
    switch.fault("reboot", "60")
    assert until(lambda: not link.is_alive())
    assert "unreachable" in switch.faults()
    with pytest.raises(Exception, match=r"(?i)banner|connect|reset|unable"):
        netmiko(at, "cisco_xe", conn_timeout=0.5, banner_timeout=0.5)
    assert "jump" not in planes.given[-1][1]
    assert until(lambda: switch.reachable)
    with netmiko(at, "cisco_xe") as other:
        assert "No Rollback Confirmed" in other.send_command("show archive config rollback timer")
        assert LINE not in other.send_command("show running-config")
        assert LINE in other.send_command("more flash:kept")


def test_a_connection_that_dies_after_the_change_leaves_the_timer_to_the_device(switch: IosSwitch, at: Served) -> None:
    link = netmiko(at, "cisco_xe")
    switch.fault("drop-after-commit", "3")
    said = typed(link, LINES)
    assert "leaf1(config-if)#end" not in said
    assert LINE in switch.running_text()
    assert until(lambda: switch.reachable)
    with netmiko(at, "cisco_xe") as other:
        assert "Timer value: 100 min" in other.send_command("show archive config rollback timer")


def test_a_slow_login_server_is_late_and_does_not_refuse(switch: IosSwitch, at: Served) -> None:
    switch.fault("slow-aaa", "30")
    start = time.monotonic()
    with netmiko(at, "cisco_xe") as link:
        assert link.find_prompt() == "leaf1#"
    assert time.monotonic() - start >= 0.5


def test_a_data_plane_that_ignores_what_was_accepted_keeps_its_rules_until_cleared(
    switch: IosSwitch, planes: Planes
) -> None:
    switch.fault("ignore-acl")
    assert not any("%" in text for text in shell(switch, *LINES))
    assert (LINE in switch.running_text(), planes.given) == (True, [])
    switch.fault("clear", "ignore-acl")
    assert "tcp dport 443" in planes.given[-1][1]


def test_hardware_that_fails_is_no_error_on_the_command_line_and_is_told_by_the_lab(switch: IosSwitch) -> None:
    switch._enforcer._apply = lambda *_: 1 / 0
    assert not any("%" in text for text in shell(switch, *LINES))
    assert "could not program realm trading" in switch.faults()["unprogrammed"]


def test_a_binding_that_a_colleague_removes_is_gone_from_configuration_and_data_plane(
    switch: IosSwitch, planes: Planes
) -> None:
    shell(switch, *LINES, "configure confirm")
    switch.fault("unbind", "Vlan110 in")
    assert LINE not in switch.running_text()
    assert "jump" not in planes.given[-1][1]
    assert "by operator" in switch.running_text()


def test_log_lines_and_banners_full_of_prompts_stand_in_the_stream(switch: IosSwitch, at: Served) -> None:
    with netmiko(at, "cisco_xe") as link:
        switch.fault("log-line", "2")
        said = typed(link, ["show privilege", "show privilege", "show privilege"])
        assert said.count("%SYS-5-CONFIG_I") == 1
        assert link.send_command("show privilege") == "Current privilege level is 15"


def test_a_slow_line_of_one_session_does_not_hold_up_another(switch: IosSwitch) -> None:
    first, second = switch.terminal("admin"), switch.terminal("admin")
    first.line("configure terminal", False)
    first.line("ip access-list extended web", False)
    second.line("configure terminal", False)
    second.line("ip access-list extended web", False)
    assert first.line("10 permit ip any any", False) == ""
    assert second.line("10 deny ip any any", False) == "% Duplicate sequence number\n"
