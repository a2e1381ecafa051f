"""Pushes to a simulated IOS-XE switch by the real driver: what is sent, what is noticed, what packets see of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from configlet.drivers.base import Rejected, Unreachable, Untrusted
from configlet.drivers.cli_session import Refusal
from tests.lab import ios_faults
from tests.lab.eos_bench import PASSWORD, USER
from tests.lab.ios_bench import NEW, OLD, IosBench, change, ios_switch, text_of
from tests.lab.platform_bench import lines
from tests.lab.push_bench import needs_namespaces, wait_until

ROOT = Path(__file__).parents[2]
FULL = os.environ.get("CONFIGLET_TEST_FULL") == "1"
TIMES = 10 if FULL else 2


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[IosBench]:
    monkeypatch.setenv("BENCH_USERNAME", USER)
    monkeypatch.setenv("BENCH_PASSWORD", PASSWORD)
    with ios_switch(tmp_path / "bench") as found:
        yield found


def through(way: str, times: int, entries: int) -> dict[str, Any]:
    """How many packets a second's thousand each were sent, and came through, while so many entries were replaced."""
    env = {**os.environ, "PYTHONPATH": f"{ROOT / 'builder'}:{ROOT}"}
    done = subprocess.run(
        ["unshare", "-Urn", sys.executable, "-m", "tests.lab.ios_packets"],
        input=json.dumps({"way": way, "entries": entries, "times": times}),
        text=True, capture_output=True, cwd=ROOT, env=env,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@needs_namespaces
def test_no_allowed_packet_is_lost_and_no_forbidden_one_leaks_while_a_list_is_replaced_again_and_again() -> None:
    found = through("driver", TIMES, 500 if FULL else 120)
    assert found["recipes"] == ["delta", "swap"] * (TIMES // 2)
    assert found["sent"] > 100 * TIMES  # a thousand a second; how long a change takes is the machine's
    assert (found["sent"] - found["allowed"], found["forbidden"]) == (0, 0)


@needs_namespaces
def test_the_naive_way_loses_or_leaks_before_the_same_eyes() -> None:
    found = through("naive", 1, 60)
    assert found["sent"] > found["allowed"] or found["forbidden"] > 0
    assert found["allowed"] > 0, "the permitted traffic never flowed, so nothing could be lost"


@pytest.mark.parametrize(("fault", "arg", "step"), ios_faults.SMALL)
def test_what_a_push_says_under_a_fault_is_what_the_switch_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, arg: str, step: str
) -> None:
    monkeypatch.setenv("BENCH_USERNAME", USER)
    monkeypatch.setenv("BENCH_PASSWORD", PASSWORD)
    seen = ios_faults.one(tmp_path / "bench", fault, arg, step)
    assert not seen.false, seen
    if fault in ("reject-line", "hold-lock"):
        assert seen.outcome.result == ("Reverted" if fault == "reject-line" else "Untouched"), seen
    if fault == "log-line":
        assert seen.outcome.result == "Kept", seen


def test_there_and_back_by_a_delta_and_a_swap_leaves_nothing_but_the_change(bench: IosBench) -> None:
    first = bench.switch.running_text()
    assert bench.bring(OLD).result == "Kept"
    wanted = change("leaf1", bench.switch.running_text(), NEW)
    assert " no 30\n" in wanted.load or " no 20\n" in wanted.load
    assert "cfglt-Vlan120-in-v6.2" in wanted.load
    assert bench.push(wanted).result == "Kept"
    assert (bench.runs, bench.starts, bench.traces) == (wanted.after, wanted.after, [])
    turned = replace(wanted, before=wanted.after, after=wanted.before, load=wanted.undo, undo=wanted.load)
    assert bench.push(turned).result == "Kept"
    assert (bench.runs, bench.traces) == (wanted.before, [])
    gone = change("leaf1", bench.switch.running_text(), "")
    assert bench.push(gone).result == "Kept"
    assert lines(bench.switch.running_text()) == lines(first)


def test_nothing_is_saved_before_the_confirmation_and_the_timer_takes_it_back(bench: IosBench) -> None:
    bench.start(OLD)
    wanted = change("leaf1", bench.switch.running_text(), NEW)
    driver = bench.connect("r1")
    driver.load(wanted)
    token = driver.commit(61)
    assert driver.pending() == token == "cfglt-r1-leaf1"
    assert bench.switch._state.timer is not None and bench.switch._state.timer.minutes == 2
    assert (bench.runs, bench.starts) == (wanted.after, wanted.before)
    with pytest.raises(Rejected, match="nothing is saved before"):
        driver.save()
    driver.close()
    assert bench.starts == wanted.before
    wait_until(lambda: bench.switch._state.timer is None)
    assert (bench.runs, bench.starts) == (wanted.before, wanted.before)
    driver = bench.connect("r1")
    assert driver.pending() is None
    with pytest.raises(Rejected, match="is pending"):
        driver.confirm(token)
    driver.revert(token)
    with pytest.raises(Rejected, match="is pending"):
        driver.revert(token)
    driver.close()
    assert bench.traces == []


def test_a_timer_without_our_mark_is_never_confirmed(bench: IosBench) -> None:
    """A colleague with the same login began a change of his own while a file of ours lies staged."""
    driver = bench.connect("r1")
    driver.load(change("leaf1", bench.switch.running_text(), NEW))
    shell = bench.switch.terminal(USER)
    for line in ("configure terminal revert timer 100", "alias exec theirs show clock", "end"):
        shell.line(line, False)
    with pytest.raises(Rejected, match="is pending"):
        driver.confirm("cfglt-r1-leaf1")
    with pytest.raises(Rejected, match="somebody changed"):
        driver.commit(300)
    assert bench.switch._state.timer is not None
    driver.close()


def test_what_was_staged_and_not_committed_is_gone_after_the_connection(bench: IosBench) -> None:
    wanted = change("leaf1", bench.switch.running_text(), NEW)
    driver = bench.connect("r1")
    diff = driver.load(wanted)
    assert "+ 20 permit tcp any any eq 8443" in diff
    assert bench.traces == ["cfglt-r1-leaf1.cfg"]
    driver.close()
    assert (bench.traces, bench.runs) == ([], wanted.before)


def test_a_stale_plan_other_numbers_and_a_foreign_change_are_refused_before_the_commit(bench: IosBench) -> None:
    bench.start(OLD)
    wanted = change(
        "leaf1", bench.switch.running_text(), text_of("permit tcp any any eq 443", "permit udp any any eq 53")
    )
    shell = bench.switch.terminal(USER)
    driver = bench.connect("r1")
    with pytest.raises(Rejected, match="stale"):
        driver.load(replace(wanted, before=wanted.after))
    with pytest.raises(Rejected, match="stale"):
        driver.load(replace(wanted, load=wanted.load.replace(" no 20", " no 30")))
    with pytest.raises(Rejected, match="no step of a change of ours"):
        driver.load(replace(wanted, load="no ip routing\n"))
    driver.load(wanted)
    for line in ("configure terminal", "ip access-list resequence cfglt-Vlan120-in-v4 15 10", "end"):
        shell.line(line, False)
    with pytest.raises(Rejected, match="stale"):
        driver.commit(300)
    with pytest.raises(Rejected, match="stale"):
        driver.load(wanted)
    driver.load(change("leaf1", bench.switch.running_text(), NEW))
    for line in ("configure terminal", "alias exec theirs show clock", "end"):
        shell.line(line, False)
    with pytest.raises(Rejected, match="somebody changed"):
        driver.commit(300)
    driver.close()
    assert bench.runs == wanted.before


def test_without_an_archive_the_device_is_not_touched_and_it_is_said_why(bench: IosBench) -> None:
    shell = bench.switch.terminal(USER)
    for line in ("configure terminal", "no archive", "end"):
        shell.line(line, False)
    outcome = bench.bring(OLD)
    assert (outcome.result, "archive" in outcome.reason) == ("Untouched", True)


def test_a_timer_beyond_the_device_s_is_refused(bench: IosBench) -> None:
    driver = bench.connect("r1")
    driver.load(change("leaf1", bench.switch.running_text(), OLD))
    with pytest.raises(Rejected, match="120 minutes"):
        driver.commit(7201)
    driver.close()


def test_no_line_is_sent_when_the_timer_has_little_time_left(bench: IosBench) -> None:
    """What came after the timer ran out would stay for good."""
    driver = bench.connect("r1")
    driver.load(change("leaf1", bench.switch.running_text(), OLD))
    before = lines(bench.switch.running_text())
    driver._cli.ask("configure terminal")
    with pytest.raises(Refusal, match="not sent"):
        driver._cli.enter(["alias exec x show clock"], 1, lambda: True)
    driver._cli.ask("end")
    driver.close()
    assert lines(bench.switch.running_text()) == before


def test_a_key_that_is_not_known_gets_no_password_and_a_wrong_password_is_said(
    bench: IosBench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = bench.target.trust / "known_hosts"
    right = known.read_text()
    with pytest.raises(Untrusted, match="not in"):
        bench.target = replace(bench.target, trust=tmp_path)
        bench.connect()
    bench.target = replace(bench.target, trust=known.parent)
    import asyncssh

    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    known.write_text(f"{right.split()[0]} {other}")
    with pytest.raises(Untrusted, match="another host key"):
        bench.connect()
    known.write_text(right)
    monkeypatch.setenv("BENCH_PASSWORD", "canary-7f3")
    with pytest.raises(Unreachable, match="refused the name or the password") as wrong:
        bench.connect()
    assert "canary" not in str(wrong.value)


def test_a_push_that_was_cut_off_is_settled_by_the_device_s_own_word(bench: IosBench) -> None:
    bench.start(OLD)
    wanted = change("leaf1", bench.switch.running_text(), NEW)

    def away(step: str) -> None:
        if step == "probe":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.push(wanted, at=away)
    assert bench.runs == wanted.after
    (outcome,) = bench.recover()
    assert outcome.result == "Reverted"
    assert (bench.runs, bench.starts, bench.traces) == (wanted.before, wanted.before, [])
