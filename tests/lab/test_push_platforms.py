"""Pushes to a simulated switch of every platform that the lab has, by its own driver and by its own way.

With ``CONFIGLET_TEST_FULL=1`` everything for all of them (so ``make show`` runs it); else little, and only for those that
have no tests of pushes of their own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from configlet.drivers.base import Rejected, Unreachable, Untrusted
from tests.lab.eos_bench import PASSWORD, USER
from tests.lab.platform_bench import NEW, OLD, PlatformBench, artifact, bench_of, names
from tests.lab.push_bench import needs_namespaces, wait_until

ROOT = Path(__file__).parents[2]
FULL = os.environ.get("CONFIGLET_TEST_FULL") == "1"
CHOSEN = names() if FULL else ("iosxr", "nxos")
full = pytest.mark.skipif(not FULL, reason="runs with CONFIGLET_TEST_FULL=1, as make show does")


@pytest.fixture(params=CHOSEN)
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlatformBench]:
    monkeypatch.setenv("BENCH_USERNAME", USER)
    monkeypatch.setenv("BENCH_PASSWORD", PASSWORD)
    with bench_of(request.param, tmp_path / "bench") as found:
        yield found


def test_there_and_back_leaves_nothing_but_the_change(bench: PlatformBench) -> None:
    first = bench.lines
    assert bench.bring(OLD).result == "Kept"
    wanted = bench.change(artifact(bench.name, NEW))
    assert bench.push(wanted).result == "Kept"
    assert (bench.runs, bench.starts) == (wanted.after, wanted.after)
    if not FULL:
        return
    turned = replace(wanted, before=wanted.after, after=wanted.before, load=wanted.undo, undo=wanted.load)
    assert bench.push(turned).result == "Kept"
    assert bench.runs == wanted.before
    assert bench.push(bench.change(None)).result == "Kept"
    assert bench.lines == first


@full
def test_nothing_is_saved_before_the_confirmation_and_the_device_s_timer_takes_it_back(bench: PlatformBench) -> None:
    assert bench.bring(OLD).result == "Kept"
    first, wanted = bench.lines, bench.change(artifact(bench.name, NEW))
    driver = bench.connect("r1")
    driver.load(wanted)
    token = driver.commit(60)
    assert driver.pending() == token == "cfglt-r1-leaf1"
    assert bench.runs == wanted.after
    driver.close()
    wait_until(lambda: bench.runs == wanted.before)
    driver = bench.connect("r1")
    assert driver.pending() is None
    with pytest.raises(Rejected):
        driver.confirm(token)
    driver.close()
    assert bench.bring(NEW).result == "Kept"
    assert bench.bring(OLD).result == "Kept"
    assert bench.lines == first


@full
def test_what_is_pending_is_taken_back_over_another_connection(bench: PlatformBench) -> None:
    first, wanted = bench.lines, bench.change(artifact(bench.name, OLD))
    driver = bench.connect("r1")
    driver.load(wanted)
    token = driver.commit(600)
    driver.close()
    driver = bench.connect("r1")
    driver.revert(token)
    assert driver.pending() is None
    with pytest.raises(Rejected):
        driver.revert(token)
    driver.close()
    assert bench.lines == first


def test_what_was_staged_and_not_committed_is_gone_after_the_connection(bench: PlatformBench) -> None:
    first, wanted = bench.lines, bench.change(artifact(bench.name, OLD))
    driver = bench.connect("r1")
    diff = driver.load(wanted)
    assert "443" in diff or "https" in diff
    driver.close()
    assert bench.lines == first
    if FULL:
        assert bench.bring(OLD).result == "Kept"


def test_a_stale_plan_and_one_that_does_not_lead_there_are_refused(bench: PlatformBench) -> None:
    first, wanted = bench.lines, bench.change(artifact(bench.name, OLD))
    other = bench.change(artifact(bench.name, NEW))
    driver = bench.connect("r1")
    for wrong in (replace(wanted, before=wanted.after), replace(wanted, load=other.load)):
        with pytest.raises(Rejected):
            driver.load(wrong)
    driver.close()
    assert bench.lines == first


FAULTS = (
    ("drop-after-commit", "200", "commit"), ("drop-session", "12", "stage"), ("reject-line", "(443)", "stage"),
    ("refuse-commit", "", "check"), ("hold-lock", "", "check"), ("reboot", "1", "probe"), ("unbind", "Vlan120 in", "probe"),
)  # fmt: skip


@full
@pytest.mark.parametrize(("fault", "arg", "step"), FAULTS)
def test_what_a_push_says_under_a_fault_is_what_the_switch_runs(
    bench: PlatformBench, fault: str, arg: str, step: str
) -> None:
    assert bench.bring(OLD).result == "Kept"
    wanted, seen = bench.change(artifact(bench.name, NEW)), []

    def at(now: str) -> None:
        if now == step and not seen:
            seen.append(now)
            bench.switch.fault(fault, arg)

    outcome = bench.push(wanted, seconds=600, at=at)
    left = bench.left
    bench.switch.fault("clear")
    if outcome.result == "Unknown":
        assert left or fault == "unbind"
    if outcome.result in ("Reverted", "Untouched") and fault != "unbind":
        assert (bench.runs, bench.starts) == (wanted.before, wanted.before)
    if outcome.result == "Kept":
        assert (bench.runs, bench.starts) == (wanted.after, wanted.after)
    later = bench.recover() if left else ()
    if fault == "reboot":
        # Where a commit is what the device starts with, a restart ends the timer and keeps the change: nobody knows, and it
        # is said. Everywhere else it takes the change back, and that is seen.
        stays = (bench.runs, bench.starts) == (wanted.after, wanted.after)
        assert {answer.result for answer in later or (outcome,)} == {"Unknown" if stays else "Reverted"}
    else:
        assert all(answer.result in ("Reverted", "Kept") for answer in later) or fault == "unbind"
    assert bench.runs in (wanted.before, wanted.after) or fault == "unbind"
    if fault in ("refuse-commit", "hold-lock", "reject-line"):
        assert outcome.result in ("Untouched", "Reverted"), outcome


@full
def test_a_key_that_is_not_known_gets_no_password_and_a_wrong_password_is_said(
    bench: PlatformBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in ("known_hosts", "ca.pem"):
        kept = (bench.root / file).read_text()
        (bench.root / file).write_text("")
        failed = bench.target.port
        try:
            bench.connect().close()
        except Untrusted:
            failed = 0
        (bench.root / file).write_text(kept)
        if not failed:
            break
    assert not failed, "no trust is asked for"
    monkeypatch.setenv("BENCH_PASSWORD", "canary-7f3")
    with pytest.raises(Unreachable) as wrong:
        bench.connect()
    assert "canary" not in str(wrong.value)


@needs_namespaces
@pytest.mark.parametrize("way", ["driver", "unbind"])
@pytest.mark.parametrize("name", names() if FULL else ("nxos",))
def test_no_packet_is_lost_or_leaks_while_a_list_is_replaced_and_a_leak_would_be_seen(name: str, way: str) -> None:
    if way == "unbind" and not FULL:
        return
    order = {"platform": name, "entries": 500 if FULL else 60, "times": 1, "rate": 5000 if FULL else 1000, "way": way}
    found = subprocess.run(
        ["unshare", "-Urn", sys.executable, "-m", "tests.lab.platform_packets"],
        input=json.dumps(order), text=True, capture_output=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'builder'}:{ROOT}"}, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr[-2000:]
    seen = json.loads(found.stdout)
    assert seen["sent"] > 0 and seen["sent"] == seen["allowed"], seen
    assert (seen["forbidden"] > 0) == (way == "unbind"), seen
