"""A trial commit of IOS-XR belongs to the login that made it: what the simulated router does, and a push through it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from configlet.drivers import iosxr
from configlet.drivers.base import Rejected
from configlet.lab.switch_iosxr import XrSwitch
from tests.lab.cli_bench import shell
from tests.lab.eos_bench import PASSWORD, USER
from tests.lab.iosxr_bench import make_iosxr
from tests.lab.platform_bench import NEW, OLD, PlatformBench, artifact, bench_of
from tests.lab.push_bench import wait_until

FULL = os.environ.get("CONFIGLET_TEST_FULL") == "1"
CHANGE = ("configure", "hostname other", "commit confirmed 600 comment cfglt-r9-leaf1")
EXITING = "Do you wish to exit? [no]:"


@pytest.fixture
def switch() -> XrSwitch:
    return make_iosxr(speed=60)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlatformBench]:
    monkeypatch.setenv("BENCH_USERNAME", USER)
    monkeypatch.setenv("BENCH_PASSWORD", PASSWORD)
    with bench_of("iosxr", tmp_path / "bench") as found:
        yield found
    iosxr.HELD.clear()


def named(switch: XrSwitch) -> str:
    return switch.state.running.hostname


def test_only_the_login_that_made_a_trial_confirms_it(switch: XrSwitch) -> None:
    terminal = switch.terminal("admin")
    for line in CHANGE:
        terminal.line(line, False)
    other = shell(switch, "configure", "commit", "hostname third", "commit", "abort", "configure exclusive")
    assert "No configuration changes to commit" in other[1]
    assert "Cannot commit because there is an unexpired trial/rollback session" in other[3]
    assert "Cannot enter exclusive mode. A trial commit is underway in another configuration session." in other[5]
    said = shell(switch, "show configuration sessions detail", "show configuration commit list 1 detail")
    assert "Client: commit-confirm" in said[0]
    assert "Comment:  cfglt-r9-leaf1" in said[1]
    assert "unexpired trial" in shell(switch, "rollback configuration last 1")[0]
    assert "% Confirming commit for trial session." in terminal.line("commit", False)
    assert (named(switch), switch.state.trial) == ("other", None)
    assert "commit-confirm" not in shell(switch, "show configuration sessions detail")[0]


@pytest.mark.parametrize("leave", ["end", "exit", "abort", "\x1a"])
def test_leaving_configuration_mode_asks_and_takes_the_trial_back_at_once(switch: XrSwitch, leave: str) -> None:
    terminal = switch.terminal("admin")
    for line in CHANGE:
        terminal.line(line, False)
    terminal.line(leave, False)
    assert terminal.prompt.endswith(EXITING)
    terminal.line("", False)
    assert (named(switch), "config" in terminal.prompt) == ("other", True)
    terminal.line(leave, False)
    terminal.line("yes", False)
    assert (named(switch), switch.state.trial, "config" in terminal.prompt) == ("leaf1", None, False)
    assert switch.state.commits[-1].client == "Rollback"


def test_a_login_that_is_cut_off_leaves_its_trial_to_the_timer(switch: XrSwitch) -> None:
    shell(switch, "configure", "hostname other", "commit confirmed 60")
    assert named(switch) == "other"
    assert "No configuration changes" in shell(switch, "configure", "commit")[1]
    wait_until(lambda: named(switch) == "leaf1")


def test_commands_are_answered_under_a_line_with_the_time(switch: XrSwitch) -> None:
    first = shell(switch, "show running-config")[0].splitlines()[0]
    assert first.endswith(" UTC") and first.split()[0] in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def committed(bench: PlatformBench, seconds: int = 600) -> str:
    """A change that waits, with its login held."""
    driver = bench.connect("r1")
    driver.load(bench.change(artifact(bench.name, NEW)))
    token = str(driver.commit(seconds))
    driver.close()
    return token


def test_a_change_is_confirmed_by_the_login_that_made_it_and_that_is_let_go(bench: PlatformBench) -> None:
    token = committed(bench)
    assert len(iosxr.HELD) == 1
    driver = bench.connect("r1")
    assert driver.pending() == token
    driver.confirm(token)
    assert (driver.pending(), iosxr.HELD, bench.runs) == (None, {}, bench.starts)
    driver.close()
    assert shell(bench.switch, "show configuration sessions detail")[0].splitlines()[1:] == []


def test_a_change_is_taken_back_at_once_by_the_login_that_made_it(bench: PlatformBench) -> None:
    first = bench.lines
    token = committed(bench)
    driver = bench.connect("r1")
    driver.revert(token)
    assert (driver.pending(), iosxr.HELD, bench.lines) == (None, {}, first)
    driver.close()


def test_without_that_login_nothing_is_confirmed_or_taken_back_and_the_timer_acts(bench: PlatformBench) -> None:
    before = bench.runs
    token = committed(bench, 240 if FULL else 600)
    for held in iosxr.HELD.values():
        held.api.device.paramiko_cleanup()
    iosxr.HELD.clear()  # as in another process
    driver = bench.connect("r1")
    for verb in (driver.confirm, driver.revert):
        with pytest.raises(Rejected, match="login that made it"):
            verb(token)
    assert driver.pending() == token
    if FULL:
        wait_until(lambda: bench.runs == before)
        assert driver.pending() is None
    driver.close()


def test_a_trial_of_somebody_else_is_named_and_left_alone(bench: PlatformBench) -> None:
    terminal = bench.switch.terminal("operator")
    for line in ("configure", "hostname other", "commit confirmed 600"):
        terminal.line(line, False)
    driver = bench.connect("r1")
    assert "somebody else" in str(driver.pending())
    with pytest.raises(Rejected, match="pending on the device already"):
        driver.load(bench.change(artifact(bench.name, OLD)))
    driver.close()
    assert (bench.switch.state.running.hostname, bench.switch.state.trial is None) == ("other", False)
