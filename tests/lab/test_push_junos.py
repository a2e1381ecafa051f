"""Pushes to a simulated Junos switch by the real driver: what is sent, what is noticed, what packets see of it."""

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

from configlet.drivers.base import Lost, Rejected, Unreachable, Untrusted
from configlet.lab.switch_junos_tree import Load
from tests.lab import junos_faults
from tests.lab.eos_bench import PASSWORD, USER
from tests.lab.junos_bench import NEW, OLD, JunosBench, change, junos_switch, napalm_junos, reading
from tests.lab.platform_bench import lines
from tests.lab.push_bench import needs_namespaces, wait_until

ROOT = Path(__file__).parents[2]
FULL = os.environ.get("CONFIGLET_TEST_FULL") == "1"


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JunosBench]:
    monkeypatch.setenv("BENCH_USERNAME", USER)
    monkeypatch.setenv("BENCH_PASSWORD", PASSWORD)
    with junos_switch(tmp_path / "bench") as found:
        yield found


def through(way: str, times: int, entries: int) -> dict[str, Any]:
    """How many packets were sent, a thousand a second of each kind, and came through, while so many terms were replaced."""
    env = {**os.environ, "PYTHONPATH": f"{ROOT / 'builder'}:{ROOT}"}
    done = subprocess.run(
        ["unshare", "-Urn", sys.executable, "-m", "tests.lab.junos_packets"],
        input=json.dumps({"way": way, "entries": entries, "times": times}),
        text=True, capture_output=True, cwd=ROOT, env=env,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@needs_namespaces
def test_no_allowed_packet_is_lost_and_no_forbidden_one_leaks_while_a_filter_is_replaced() -> None:
    found = through("driver", 10 if FULL else 1, 500 if FULL else 60)
    assert found["sent"] > 100  # a thousand a second; how long a change takes is the machine's
    assert (found["sent"] - found["allowed"], found["forbidden"]) == (0, 0)


@needs_namespaces
@pytest.mark.skipif(not FULL, reason="the eyes are those that see the naive way on IOS-XE")
def test_two_commits_instead_of_one_leak_before_the_same_eyes() -> None:
    found = through("naive", 1, 20)
    assert found["forbidden"] > 0
    assert found["allowed"] > 0, "the permitted traffic never flowed"


@pytest.mark.parametrize(("fault", "arg", "step"), junos_faults.SMALL if FULL else junos_faults.SMALL[1::9])
def test_what_a_push_says_under_a_fault_is_what_the_switch_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, arg: str, step: str
) -> None:
    monkeypatch.setenv("BENCH_USERNAME", USER)
    monkeypatch.setenv("BENCH_PASSWORD", PASSWORD)
    seen = junos_faults.one(tmp_path / "bench", fault, arg, step)
    assert not seen.false, seen


def test_there_and_back_leaves_nothing_but_the_change_and_keeps_the_remarks(bench: JunosBench) -> None:
    first = bench.switch.running_text()
    bench.start(OLD)
    wanted = change("leaf1", bench.switch.running_text(), NEW)
    assert wanted.load.count("replace: filter") == 2 and "interfaces" not in wanted.load
    assert bench.push(wanted).result == "Kept"
    assert (bench.runs, bench.traces) == (wanted.after, [])
    assert "/* port 8443 */" in bench.switch.running_text()
    turned = replace(wanted, before=wanted.after, after=wanted.before, load=wanted.undo, undo=wanted.load)
    assert bench.push(turned).result == "Kept"
    assert (bench.runs, bench.traces) == (wanted.before, [])
    assert "/* port 22 */" in bench.switch.running_text()
    gone = change("leaf1", bench.switch.running_text(), "")
    assert gone.load.count("delete: filter") == 2 and gone.load.count("delete: input") == 2
    assert bench.push(gone).result == "Kept"
    assert lines(bench.switch.running_text()) == lines(first)


def test_the_timer_is_the_device_s_and_is_ended_only_for_the_change_that_waits(bench: JunosBench) -> None:
    bench.start(OLD)
    wanted = change("leaf1", bench.switch.running_text(), NEW)
    driver = bench.connect("r1")
    driver.load(wanted)
    token = driver.commit(61)
    assert driver.pending() == token == "cfglt-r1-leaf1"
    assert bench.switch._state.history[0].comment == "commit confirmed, rollback in 2mins"
    for verb in (driver.confirm, driver.revert):
        with pytest.raises(Rejected, match="is pending"):
            verb("cfglt-r0-leaf1")
    with pytest.raises(Rejected, match="nothing is permanent"):
        driver.save()
    with pytest.raises(Rejected, match="pending on the device already"):
        driver.load(change("leaf1", bench.switch.running_text(), OLD))
    driver.close()
    assert bench.runs == wanted.after and not bench.switch._state.owner
    waits = bench.switch._state.pending
    assert waits is not None
    waits.thread.function()  # its time is up
    assert bench.runs == wanted.before
    driver = bench.connect("r1")
    assert driver.pending() is None
    with pytest.raises(Rejected, match="is pending"):
        driver.confirm(token)
    driver.load(wanted)
    driver.commit(300)
    driver.revert(token)
    driver.save()
    driver.close()
    assert (bench.runs, bench.traces) == (wanted.before, [])


def test_what_somebody_left_in_the_candidate_is_never_committed(bench: JunosBench) -> None:
    wanted = change("leaf1", bench.switch.running_text(), OLD)
    theirs = Load(bench.switch._state.candidate)
    theirs.set(["system", "host-name", "theirs"])
    driver = bench.connect("r1")
    with pytest.raises(Rejected, match="configuration database modified"):
        driver.load(wanted)
    driver.close()
    bench.switch._state.candidate = bench.switch._state.running.copy()
    driver = bench.connect("r1")
    driver.load(wanted)
    token = driver.commit(300)
    Load(bench.switch._state.candidate).set(["system", "host-name", "theirs"])
    for verb in (driver.confirm, driver.revert):
        with pytest.raises(Rejected, match="configuration database modified"):
            verb(token)
    driver.close()
    assert "theirs" not in bench.switch.running_text() and bench.switch._state.pending is not None


@pytest.mark.parametrize("verb", ["revert", "confirm"])
def test_a_timer_that_runs_out_in_the_middle_brings_nothing_back_that_was_taken_back(bench: JunosBench, verb: str) -> None:
    """`rollback 1` is then the change itself, and a commit then confirms nothing."""
    bench.start(OLD)
    wanted = change("leaf1", bench.switch.running_text(), NEW)
    driver = bench.connect("r1")
    driver.load(wanted)
    token = driver.commit(300)
    waits, must_wait = bench.switch._state.pending, driver._must_wait
    assert waits is not None

    def late(asked: str) -> None:
        must_wait(asked)
        waits.thread.function()

    driver._must_wait = late
    with pytest.raises((Rejected, Lost), match=r"is pending|ran out"):
        getattr(driver, verb)(token)
    driver.close()
    assert (bench.runs, bench.switch._state.pending) == (wanted.before, None)


def test_a_commit_check_of_somebody_else_confirms_and_it_is_noticed(bench: JunosBench) -> None:
    wanted = change("leaf1", bench.switch.running_text(), OLD)

    def meddle(step: str) -> None:
        if step == "probe":
            api = napalm_junos(bench.at)
            api.open()
            api.device.cu.commit_check()
            api.close()

    outcome = bench.push(wanted, at=meddle)
    assert outcome.result == "Unknown" and "timer" in outcome.reason
    assert bench.runs == wanted.after


def test_what_was_staged_and_not_committed_is_gone_after_the_connection(bench: JunosBench) -> None:
    wanted = change("leaf1", bench.switch.running_text(), NEW)
    driver = bench.connect("r1")
    assert "destination-port 8443;" in driver.load(wanted)
    assert bench.switch._state.owner and bench.switch._state.changed()
    other = bench.connect("r2")
    with pytest.raises(Rejected, match="locked by: admin") as locked:
        other.load(wanted)
    assert "\n" not in str(locked.value)
    other.close()
    driver.close()
    wait_until(lambda: not bench.switch._state.owner)
    assert (bench.traces, bench.runs) == ([], wanted.before)


def test_a_stale_plan_and_a_text_that_is_more_or_less_than_the_change_are_refused(bench: JunosBench) -> None:
    bench.start(OLD)
    wanted = change("leaf1", bench.switch.running_text(), NEW)
    driver = bench.connect("r1")
    for wrong, why in (
        (replace(wanted, before=wanted.after), "stale"),
        (replace(wanted, load=wanted.load.replace("8443", "8444")), "not what was planned"),
        (replace(wanted, load=wanted.load + "system {\n    host-name other;\n}\n"), "not ours"),
        (replace(wanted, load=wanted.load + "frobnicate;\n"), "syntax error"),
    ):
        with pytest.raises(Rejected, match=why):
            driver.load(wrong)
        driver._unlock()
    with pytest.raises(Rejected, match="nothing was staged"):
        driver.commit(300)
    driver.load(wanted)
    with pytest.raises(Rejected, match="65535 minutes"):
        driver.commit(65535 * 60 + 1)
    driver.close()
    assert (bench.runs, bench.traces) == (wanted.before, [])


def test_a_foreign_filter_stays_and_one_on_a_binding_is_seen(bench: JunosBench) -> None:
    bench.start("firewall { family inet { filter theirs { term 1 { then { count x; accept; } } } } }")
    driver = bench.connect("r1")
    driver.load(change("leaf1", bench.switch.running_text(), OLD))
    token = driver.commit(300)
    driver.confirm(token)
    driver.close()
    assert "filter theirs" in bench.switch.running_text()
    assert "theirs" not in change("leaf1", bench.switch.running_text(), "").load
    bench.start("interfaces { irb { unit 110 { family inet { filter { input theirs; } } } } }")
    assert any("foreign" in note and "theirs" in note for note in reading(bench.switch.running_text()).notes)


def test_a_key_that_is_not_known_gets_no_password_and_a_wrong_password_is_said(
    bench: JunosBench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = bench.target.trust / "known_hosts"
    right = known.read_text()
    bench.target = replace(bench.target, trust=tmp_path)
    with pytest.raises(Untrusted, match="is not there"):
        bench.connect()
    bench.target = replace(bench.target, trust=known.parent)
    import asyncssh

    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    for text in (f"{right.split()[0]} {other}", right.replace("127.0.0.1", "127.0.0.2")):
        known.write_text(text)
        with pytest.raises(Untrusted, match="does not vouch for"):
            bench.connect()
    known.write_text(right)
    monkeypatch.setenv("BENCH_PASSWORD", "canary-7f3")
    with pytest.raises(Unreachable, match="refused the name or the password") as wrong:
        bench.connect()
    assert "canary" not in str(wrong.value)


@pytest.mark.skipif(not FULL, reason="a push that was cut off is the same for every driver")
def test_a_push_that_was_cut_off_is_settled_by_the_device_s_own_word(bench: JunosBench) -> None:
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
    assert (bench.runs, bench.traces) == (wanted.before, [])
