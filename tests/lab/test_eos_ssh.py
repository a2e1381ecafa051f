"""The simulated EOS switch over SSH, as netmiko and NAPALM's ssh transport use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from napalm.eos import EOSDriver

from configlet.lab.switch import Switch
from configlet.lab.switch_cli import Dropped
from configlet.lab.switch_scp import Refuses
from tests.lab.cli_bench import Served, netmiko, options, served, shell, typed
from tests.lab.eos_bench import PASSWORD, USER, Planes, make

LINE = "ip access-group web in"
LINES = ["configure session ours", "ip access-list web", "10 permit tcp any any eq 443", "interface Vlan110", LINE]


@pytest.fixture
def planes() -> Planes:
    return Planes()


@pytest.fixture
def switch(planes: Planes) -> Switch:
    return make(speed=60, planes=planes)


@pytest.fixture
def at(switch: Switch, tmp_path: Path) -> Iterator[Served]:
    with served(switch, switch.front(), tmp_path) as found:
        yield found


def test_netmiko_edits_a_session_and_commits_it_with_a_timer(switch: Switch, at: Served, planes: Planes) -> None:
    with netmiko(at, "arista_eos") as link:
        said = link.send_config_set(LINES, exit_config_mode=False)
        assert f"leaf1(config-s-ours-if-Vl110)#{LINE}" in said
        assert "+   ip access-group web in" in link.send_command(
            "show session-config named ours diffs", expect_string="#"
        )
        assert planes.given == []
        link.send_command_timing("commit timer 01:00:00")
        assert link.find_prompt() == "leaf1#"
    assert LINE in switch.running_text()
    assert "jump" in planes.given[-1][1]
    with netmiko(at, "arista_eos") as link:
        assert '"commitTimerSessionName": "ours"' in link.send_command("show configuration sessions detail | json")
        link.send_command("configure session ours abort")
    assert LINE not in switch.running_text()


def test_napalm_over_ssh_loads_compares_commits_and_confirms(switch: Switch, at: Served) -> None:
    device = EOSDriver("127.0.0.1", USER, PASSWORD, timeout=20, optional_args={**options(at), "transport": "ssh"})
    device.open()
    device.load_merge_candidate(
        config="ip access-list web\n   10 permit tcp any any eq 443\ninterface Vlan110\n   " + LINE
    )
    assert "+   ip access-group web in" in device.compare_config()
    device.commit_config(revert_in=3000)
    assert device.has_pending_commit()
    assert LINE not in switch.startup_text()
    device.confirm_commit()
    assert not device.has_pending_commit()
    device.config_session = None
    device.close()
    assert LINE in switch.startup_text()


def test_a_refused_line_is_said_and_never_swallowed_by_the_switch(switch: Switch) -> None:
    asked = """configure session s|ip access-list web|10 permit bogus any any|10 permit tcp any|10 permit ip any any
        |10 deny ip any any|end|configure session nobody abort|bogus|show bogus"""
    said = shell(switch, *map(str.strip, asked.split("|")), "show version | bogus x")
    assert said == [
        "", "", "% Invalid input\n", "% Incomplete command\n", "", "% Duplicate sequence number\n", "",
        "% Cannot abort session nobody (no such pending session)\n", "% Invalid input\n", "% Invalid input\n",
        "% Invalid input\n",
    ]  # fmt: skip


def test_answers_come_as_text_or_data_and_through_filters(switch: Switch) -> None:
    data = '{\n    "hostname": "leaf1",\n    "fqdn": "leaf1"\n}\n'
    asked = ("show hostname | json", "show running-config | json", "show running-config | include hostname")
    assert shell(switch, *asked) == [data, "% This is an unconverted command\n", "hostname leaf1\n"]


def test_pages_and_widths_are_answered_as_netmiko_waits_for_it(switch: Switch) -> None:
    terminal = switch.terminal(USER)
    assert terminal.line("terminal width 511", False) == "Width set to 511 columns.\n"
    assert (terminal.line("terminal length 10", False), terminal.page) == ("Pagination set to 10 lines.\n", 10)
    assert (terminal.line("terminal length 0", False), terminal.page) == ("Pagination disabled.\n", 0)


def test_plain_configuration_becomes_active_when_it_is_left_and_not_when_the_line_drops(switch: Switch) -> None:
    shell(switch, "configure", "ip access-list web", "10 permit ip any any")
    assert "web" not in switch.running_text()
    shell(switch, "configure", "ip access-list web", "10 permit ip any any", "end")
    assert "ip access-list web\n   10 permit ip any any" in switch.running_text()


def test_faults_meet_a_login_over_ssh_too(switch: Switch, at: Served) -> None:
    switch.fault("reject-line", "1")
    assert shell(switch, "configure session s", "ip access-list web", "ip access-list web")[1:] == [
        "% Invalid input\n",
        "",
    ]
    link = netmiko(at, "arista_eos")
    switch.fault("drop-session", "1")
    typed(link, ["show version"])
    assert link.remote_conn.closed
    switch.fault("hold-lock")
    assert "maintenance" in shell(switch, "show configuration sessions")[0]
    old = switch.terminal(USER)
    switch.fault("reboot", "30")
    with pytest.raises(Exception, match=r"(?i)banner|connect|reset|unable"):
        netmiko(at, "arista_eos", conn_timeout=0.3, banner_timeout=0.3)
    with pytest.raises(Dropped):
        old.line("show version", False)


def test_files_are_neither_taken_nor_given(switch: Switch) -> None:
    flash = switch.front().flash
    with pytest.raises(Refuses, match="takes no files"):
        flash.write("flash:x", b"")
    with pytest.raises(Refuses, match="serves no files"):
        flash.read("flash:x")
