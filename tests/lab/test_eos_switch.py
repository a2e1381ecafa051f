"""The simulated EOS switch behind unmodified NAPALM, over eAPI on the loopback."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from napalm.base.exceptions import CommitError, MergeConfigException, ReplaceConfigException, SessionLockedException
from pyeapi.eapilib import CommandError, ConnectionError

from configlet.lab.switch import Switch
from tests.lab.eos_bench import PASSWORD, Planes, authority, driver, make, served

ACL = "ip access-list web\n   10 permit tcp any any eq 443\n   20 deny ip any any\n"
BOUND = ACL + "interface Vlan110\n   ip access-group web in\n"
LINE = "ip access-group web in"
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return authority(tmp_path_factory.mktemp("trust"))


@pytest.fixture
def planes() -> Planes:
    return Planes()


@pytest.fixture
def switch(planes: Planes) -> Switch:
    return make(speed=100, planes=planes)


@pytest.fixture
def connect(switch: Switch, trust: tuple[ssl.SSLContext, ssl.SSLContext]) -> Iterator[Open]:
    """Opens a new NAPALM driver; the name of a session can be given, as after a crash."""
    made: list[Any] = []
    with served(switch, trust[0]) as port:

        def opened(session: str | None = None, password: str = PASSWORD) -> Any:
            device = driver(port, trust[1], password)
            made.append(device)
            device.open()
            device.config_session = session
            return device

        yield opened
    for device in made:
        device.config_session = None  # else the driver's destructor talks to a server that is gone


def until(true: Callable[[], bool]) -> bool:
    """Wait for something that must happen soon."""
    deadline = time.monotonic() + 20
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    return true()


def test_a_change_is_loaded_compared_committed_and_saved(switch: Switch, connect: Open, planes: Planes) -> None:
    device = connect()
    device.load_merge_candidate(config=BOUND)
    assert device.compare_config().splitlines()[-6:-2] == [
        "+ip access-list web", "+   10 permit tcp any any eq https", "+   20 deny ip any any", " !",
    ]  # fmt: skip
    assert (LINE in switch.running_text(), planes.given) == (False, [])
    device.commit_config()
    device.close()
    assert LINE in switch.running_text()
    assert LINE in switch.startup_text()
    assert [namespace for namespace, _ in planes.given] == ["leaf1.trading"]
    assert "tcp dport 443 accept" in planes.given[0][1]


def test_a_commit_with_timer_survives_a_detached_driver_and_is_confirmed_by_another(
    switch: Switch, connect: Open
) -> None:
    device = connect("cfglt-1")
    device.load_merge_candidate(config=BOUND)
    device.commit_config(revert_in=3000)
    assert 0 < device._get_pending_commits()["cfglt-1"] <= 3000
    device.config_session = None
    device.close()
    other = connect("cfglt-1")
    assert other.has_pending_commit()
    assert LINE not in switch.startup_text()
    other.confirm_commit()
    assert not other.has_pending_commit()
    other.close()
    assert LINE in switch.running_text()
    assert LINE in switch.startup_text()


def test_a_timer_that_nobody_stops_restores_configuration_and_data_plane(
    switch: Switch, connect: Open, planes: Planes
) -> None:
    before = switch.running_text()
    device = connect("cfglt-1")
    device.load_merge_candidate(config=BOUND)
    device.commit_config(revert_in=60)
    assert "jump" in planes.given[-1][1]
    assert until(lambda: switch.running_text() == before)
    assert "jump" not in planes.given[-1][1]
    assert not device.has_pending_commit()
    with pytest.raises(CommitError):
        device.confirm_commit()
    device.config_session = None
    device.close()


def test_an_abort_takes_back_the_commit_whose_timer_runs(switch: Switch, connect: Open) -> None:
    before = switch.running_text()
    device = connect("cfglt-1")
    device.load_merge_candidate(config=BOUND)
    device.commit_config(revert_in=3000)
    assert switch.running_text() != before
    connect("cfglt-1").discard_config()
    assert switch.running_text() == before
    device.config_session = None


def test_closing_the_driver_aborts_its_pending_commit(switch: Switch, connect: Open) -> None:
    before = switch.running_text()
    device = connect()
    device.load_merge_candidate(config=BOUND)
    device.commit_config(revert_in=3000)
    device.close()
    assert switch.running_text() == before


def test_a_discarded_session_leaves_nothing(switch: Switch, connect: Open) -> None:
    before = switch.running_text()
    device = connect()
    device.load_merge_candidate(config=BOUND)
    device.discard_config()
    assert switch.running_text() == before
    assert device.device.run_commands(["show configuration sessions"])[0]["sessions"] == {}


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("ip access-list web\n   10 permit bogus any any", "(at token 2: 'bogus')"),
        ("ip access-list web\n   10 permit tcp any any range 9 5", "(at token 7: '5')"),
        ("ip access-list web\n   10 permit tcp any 2001:db8::/32", "(at token 4: '2001:db8::/32')"),
        ("ip access-list web\n   10 permit tcp any", "Incomplete command (at token 3: 'any')"),
        ("ip access-list web\n   10 permit ip any any\n   10 deny ip any any", "Duplicate sequence number"),
        ("ip access-list web\n   no 10", "Sequence number 10 not found"),
        ("ip access-list web\n   0 permit ip any any", "(at token 0: '0')"),
        ("ip access-list web\n   4294967296 permit ip any any", "(at token 0: '4294967296')"),
        ("ip access-list standard web", "(at token 2: 'standard')"),
        ("interface Vlan110\n   ip access-group web", "Incomplete command (at token 2: 'web')"),
        ("interface Vlan999", "(at token 1: 'Vlan999')"),
        ("interface Vlan110\n   ip access-group web both", "(at token 3: 'both')"),
        ("interface Vlan110\n   ip address 10.9.9.9/24", "(at token 2: '10.9.9.9/24')"),
        ("interface Vlan110\n   no ip address virtual 10.1.10.1/24", "(at token 2: 'address')"),
        ("interface Management1\n   ip access-group web in", "(at token 1: 'access-group')"),
        ("object-group network x", "(at token 0: 'object-group')"),
        ("traffic-policies", "(at token 0: 'traffic-policies')"),
        ("!! a comment\nhostname x", "(at token 0: 'comment')"),
        ("no vrf instance trading", "(at token 1: 'vrf')"),
    ],
)
def test_a_line_that_is_not_known_is_refused_at_its_word(switch: Switch, connect: Open, config: str, said: str) -> None:
    before = switch.running_text()
    device = connect()
    with pytest.raises(MergeConfigException) as refused:
        device.load_merge_candidate(config=config)
    assert said in str(refused.value)
    assert switch.running_text() == before
    assert device.device.run_commands(["show configuration sessions"])[0]["sessions"] == {}


def test_the_position_of_the_failing_command_counts_enable_and_session(connect: Open) -> None:
    with pytest.raises(
        MergeConfigException, match=r"Error \[1002\]: CLI command 4 of 5 '10 permit bogus any any' failed"
    ):
        connect().load_merge_candidate(config="ip access-list web\n10 permit bogus any any")


def test_a_commit_overwrites_what_changed_since_its_session_was_opened(switch: Switch, connect: Open) -> None:
    ours, theirs = connect("ours"), connect("theirs")
    ours.load_merge_candidate(config=ACL)
    theirs.lock_disable = True
    theirs.load_merge_candidate(config="ip access-list emergency\n   10 deny ip any any\n")
    theirs.commit_config()
    assert "emergency" in switch.running_text()
    ours.commit_config()
    assert "emergency" not in switch.running_text()


def test_a_second_commit_is_refused_while_a_timer_runs(switch: Switch, connect: Open) -> None:
    first, second = connect("one"), connect("two")
    first.load_merge_candidate(config=ACL)
    first.commit_config(revert_in=3000)
    second.load_merge_candidate(config="interface Vlan110\n   ip access-group web in\n")
    with pytest.raises(CommitError):
        second.commit_config(revert_in=3000)
    with pytest.raises(CommandError, match="commit timer of session one is running"):
        second.commit_config()
    assert LINE not in switch.running_text()


def test_a_whole_configuration_can_be_replaced_only_by_one_that_the_lab_can_be(switch: Switch, connect: Open) -> None:
    device = connect()
    device.load_merge_candidate(config=BOUND)
    device.commit_config()
    whole = switch.running_text()
    device.load_replace_candidate(config=whole)
    assert device.compare_config() == ""
    device.discard_config()
    device.load_replace_candidate(config=whole.replace("   20 deny ip any any\n", ""))
    assert device.compare_config().count("\n-") == 1
    device.commit_config()
    assert "20 deny" not in switch.running_text()
    device.load_replace_candidate(config="hostname alone")
    with pytest.raises(CommandError, match="cannot be without: interface"):
        device.commit_config()
    with pytest.raises(ReplaceConfigException):
        device.load_replace_candidate(config="hostname alone\nrouter bgp 65000")


def test_a_driver_rollback_restores_the_startup_configuration(switch: Switch, connect: Open) -> None:
    device = connect()
    before = switch.running_text()
    device.load_merge_candidate(config=ACL)
    device.commit_config(revert_in=3000)
    device.device.run_commands(["configure session " + device.config_session + " commit"], encoding="text")
    device.config_session = None
    device.rollback()
    assert switch.running_text() == before


def test_wrong_passwords_and_foreign_authorities_are_turned_away(connect: Open, tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match="Unauthorized"):
        connect(password="wrong")
    device = connect()
    _, foreign = authority(tmp_path)
    device.device.connection.transport._context = foreign
    with pytest.raises(ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        device.device.run_commands(["show version"])


def test_twenty_clients_at_once_are_all_answered(connect: Open) -> None:
    def talk(n: int) -> str:
        device = connect()
        return str(
            device.device.run_commands([f"show ip access-lists n{n}", "show hostname"], encoding="text")[1]["output"]
        )

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(talk, range(20))) == {"Hostname: leaf1\nFQDN:     leaf1\n"}


def test_a_connection_that_dies_after_the_commit_leaves_the_timer_to_the_device(switch: Switch, connect: Open) -> None:
    before = switch.running_text()
    device = connect("cfglt-1")
    device.load_merge_candidate(config=BOUND)
    switch.fault("drop-after-commit", "3000")
    with pytest.raises(ConnectionError):
        device.commit_config(revert_in=60)
    assert "unreachable" in switch.faults()
    with pytest.raises(ConnectionError):
        connect()
    assert until(lambda: switch.running_text() == before)
    switch.fault("clear")
    assert not connect().has_pending_commit()
    device.config_session = None


def test_a_foreign_session_locks_the_device(switch: Switch, connect: Open) -> None:
    switch.fault("hold-lock")
    device = connect()
    with pytest.raises(SessionLockedException):
        device._lock()
    switch.fault("clear", "hold-lock")
    device._lock()


def test_a_refused_commit_changes_nothing(switch: Switch, connect: Open, planes: Planes) -> None:
    switch.fault("refuse-commit")
    before = switch.running_text()
    device = connect()
    device.load_merge_candidate(config=BOUND)
    with pytest.raises(CommandError, match=r"could not run command.*session commit failed"):
        device.commit_config(revert_in=300)
    assert (switch.running_text(), planes.given) == (before, [])
    assert not device.has_pending_commit()


def test_a_data_plane_that_ignores_what_was_accepted_keeps_its_rules_until_cleared(
    switch: Switch, connect: Open, planes: Planes
) -> None:
    switch.fault("ignore-acl")
    device = connect()
    device.load_merge_candidate(config=BOUND)
    device.commit_config()
    assert LINE in switch.running_text()
    assert planes.given == []
    switch.fault("clear", "ignore-acl")
    assert len(planes.given) == 1


def test_a_data_plane_that_fails_makes_the_commit_fail(connect: Open, switch: Switch, planes: Planes) -> None:
    device = connect()
    device.load_merge_candidate(config=BOUND)
    switch._enforcer._apply = lambda *_: 1 / 0
    before = switch.running_text()
    with pytest.raises(CommandError, match="could not program realm trading"):
        device.commit_config()
    assert switch.running_text() == before


def test_lines_that_a_fault_forbids_are_refused_until_it_is_cleared(switch: Switch, connect: Open) -> None:
    switch.fault("reject-line", "access-group")
    device = connect()
    with pytest.raises(MergeConfigException, match=r"command 7 of 8 'ip access-group web in' failed: invalid command"):
        device.load_merge_candidate(config=BOUND)
    switch.fault("clear", "reject-line")
    device.load_merge_candidate(config=BOUND)
    device.commit_config()
    assert LINE in switch.running_text()


def test_a_binding_that_a_colleague_removes_is_gone_from_configuration_and_data_plane(
    switch: Switch, connect: Open, planes: Planes
) -> None:
    device = connect()
    device.load_merge_candidate(config=BOUND + "   ip access-group web out\n")
    device.commit_config()
    switch.fault("unbind", "Vlan110 in")
    assert LINE not in switch.running_text()
    assert "ip access-group web out" in switch.running_text()
    assert "iifname" not in planes.given[-1][1]
    assert "oifname" in planes.given[-1][1]
    switch.fault("unbind", "Vlan110")
    assert "access-group" not in switch.running_text()
    assert "jump" not in planes.given[-1][1]


def test_a_reboot_comes_back_with_startup_and_without_sessions(switch: Switch, connect: Open, planes: Planes) -> None:
    before = switch.running_text()
    device = connect("cfglt-1")
    device.load_merge_candidate(config=BOUND)
    device.commit_config(revert_in=3000)
    switch.fault("reboot", "10")
    assert switch.running_text() == before
    assert "jump" not in planes.given[-1][1]
    assert until(lambda: switch.reachable)
    assert connect().device.run_commands(["show configuration sessions detail"])[0]["sessions"] == {}


def test_a_stalled_device_answers_late_and_not_wrong(switch: Switch, connect: Open) -> None:
    switch.fault("stall", "30")
    assert connect().get_config(retrieve="running")["running"] == switch.running_text()
    assert switch.faults() == {"stall": "30"}
