"""A push to a simulated switch through unmodified NAPALM: what becomes of it, and what the outcome says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from configlet import drivers
from configlet.drivers.base import Driver, Rejected, Target, Unreachable, Untrusted
from configlet.journal import Locked, folder, opened, read, runs, unfinished
from configlet.lab.switch import Switch
from configlet.model.plan import Change
from configlet.model.problem import Refused
from configlet.push import exit_status, push, recover
from tests.lab.eos_bench import authority, make, served
from tests.lab.push_bench import Bench, acl, bench, canonical, change, plan_of, wait_until

__all__ = ["bench"]

OPEN = ""
OLD = acl("permit tcp 10.1.10.0/24 10.1.20.0/24 eq 22")
NEW = acl("permit tcp 10.1.10.0/24 10.1.20.0/24 range 9001 9016")


@pytest.fixture
def switch(bench: Bench) -> Iterator[Switch]:
    found = make(speed=20)
    with served(found, authority(bench.root)[0]) as port:
        bench.add("leaf1", "eos", port)
        yield found


def runs_now(switch: Switch) -> str:
    return canonical("eos", "acl", switch.running_text())


def startup(switch: Switch) -> str:
    return canonical("eos", "acl", switch.startup_text())


def test_a_push_is_kept_saved_and_recorded(bench: Bench, switch: Switch) -> None:
    outcomes = bench.push(change("leaf1", OPEN, OLD))
    assert outcomes["leaf1"].result == "Kept"
    assert runs_now(switch) == startup(switch) == canonical("eos", "acl", OLD)
    assert bench.steps("leaf1") == ["check", "stage", "commit", "probe", "confirm", "done"]
    records = read(folder(bench.root, "test") / "journal.jsonl")
    assert [r.event for r in records] == ["begin", "stage", "commit", "verified", "confirm", "outcome", "end"]
    assert not unfinished(records)


def test_a_push_and_its_opposite_restore_the_switch(bench: Bench, switch: Switch) -> None:
    first = switch.running_text()
    for before, after in ((OPEN, OLD), (OLD, NEW), (NEW, OLD), (OLD, OPEN)):
        assert bench.push(change("leaf1", before, after))["leaf1"].result == "Kept"
        assert runs_now(switch) == canonical("eos", "acl", after)
    assert switch.running_text() == first


def test_a_connection_that_dies_after_the_commit_is_reverted_by_the_switch_itself(bench: Bench, switch: Switch) -> None:
    switch.fault("drop-after-commit", "60")
    outcome = bench.push(change("leaf1", OPEN, OLD), seconds=40)["leaf1"]
    assert outcome.result == "Reverted"
    assert "its own timer" in outcome.reason
    assert runs_now(switch) == startup(switch) == OPEN
    assert exit_status([outcome]) == 4


def test_a_switch_that_stays_away_is_unknown_until_recover_asks_it(bench: Bench, switch: Switch) -> None:
    switch.fault("drop-after-commit", "3600")
    outcome = bench.push(change("leaf1", OPEN, OLD), seconds=1, margin=1)["leaf1"]
    assert outcome.result == "Unknown"
    assert exit_status([outcome]) == 7
    with pytest.raises(Refused, match="recover"):
        bench.push(change("leaf1", OPEN, OLD))
    switch.fault("clear")
    assert [o.result for o in recovered(bench)] == ["Reverted"]
    assert runs_now(switch) == OPEN
    assert bench.push(change("leaf1", OPEN, OLD))["leaf1"].result == "Kept"


def test_a_rejected_line_leaves_the_switch_untouched(bench: Bench, switch: Switch) -> None:
    switch.fault("reject-line", r"\b9001\b")
    outcome = bench.push(change("leaf1", OPEN, NEW))["leaf1"]
    assert outcome.result == "Untouched"
    assert "9001" in outcome.reason
    assert runs_now(switch) == OPEN
    assert exit_status([outcome]) == 1


def test_a_commit_that_the_hardware_refuses_leaves_the_switch_untouched(bench: Bench, switch: Switch) -> None:
    switch.fault("refuse-commit")
    outcome = bench.push(change("leaf1", OPEN, NEW))["leaf1"]
    assert (outcome.result, runs_now(switch)) == ("Untouched", OPEN)
    assert "could not program" in outcome.reason
    switch.fault("clear")
    assert bench.push(change("leaf1", OPEN, NEW))["leaf1"].result == "Kept"


def test_a_stale_plan_touches_nothing(bench: Bench, switch: Switch) -> None:
    bench.push(change("leaf1", OPEN, OLD))
    outcome = bench.push(change("leaf1", OPEN, NEW))["leaf1"]
    assert outcome.result == "Untouched"
    assert "stale" in outcome.reason
    assert runs_now(switch) == canonical("eos", "acl", OLD)


def test_a_change_by_somebody_else_between_staging_and_commit_is_not_overwritten(bench: Bench, switch: Switch) -> None:
    driver = bench.connect("leaf1")
    driver.load(change("leaf1", OPEN, OLD))
    switch.run(["enable", "configure", "hostname other", "end"], "text")
    with pytest.raises(Rejected, match="somebody"):
        driver.commit(100)
    assert "hostname other" in switch.running_text()
    assert runs_now(switch) == OPEN
    assert driver.pending() is None


def test_a_session_that_would_change_what_is_not_ours_is_dropped(bench: Bench, switch: Switch) -> None:
    driver = bench.connect("leaf1")
    wrong = replace(change("leaf1", OPEN, OLD), load=change("leaf1", OPEN, OLD).load + "hostname other\n")
    with pytest.raises(Rejected, match="not ours"):
        driver.load(wrong)
    assert "pending" not in str(switch.run(["enable", "show configuration sessions"])[1])


def test_a_text_that_does_not_give_what_was_planned_is_dropped(bench: Bench, switch: Switch) -> None:
    wrong = replace(change("leaf1", OPEN, OLD), load=change("leaf1", OPEN, NEW).load)
    outcome = bench.push(wrong)["leaf1"]
    assert outcome.result == "Untouched"
    assert "not what was planned" in outcome.reason
    assert runs_now(switch) == OPEN


def test_a_probe_that_fails_takes_the_change_back_at_once(bench: Bench, switch: Switch) -> None:
    def probe(target: Target, change: Change, driver: Driver) -> None:
        assert runs_now(switch) == change.after
        raise Rejected("no packet came through")

    outcome = bench.push(change("leaf1", OPEN, OLD), probe=probe)["leaf1"]
    assert outcome.result == "Reverted"
    assert "no packet came through" in outcome.reason
    assert runs_now(switch) == startup(switch) == OPEN


def test_closing_the_connection_leaves_the_timer_running_and_another_connection_confirms(
    bench: Bench, switch: Switch
) -> None:
    first = bench.connect("leaf1")
    first.load(change("leaf1", OPEN, OLD))
    token = first.commit(2000)
    first.close()
    del first
    second = bench.connect("leaf1")
    assert second.pending() == token
    second.confirm(token)
    assert second.pending() is None
    assert startup(switch) == canonical("eos", "acl", OLD)
    with pytest.raises(Rejected):
        second.confirm(token)


def test_of_two_pushers_one_is_told_who_holds_the_site(bench: Bench, switch: Switch) -> None:
    with opened(folder(bench.root, "test"), "test") as first:
        with pytest.raises(Locked, match=first.run) as refused:
            bench.push(change("leaf1", OPEN, OLD))
        assert refused.value.holder["pid"] == os.getpid()
    assert bench.push(change("leaf1", OPEN, OLD))["leaf1"].result == "Kept"


def test_a_pending_change_of_somebody_else_is_not_disturbed(bench: Bench, switch: Switch) -> None:
    driver = bench.connect("leaf1")
    driver.load(change("leaf1", OPEN, OLD))
    token = driver.commit(2000)
    outcome = bench.push(change("leaf1", OLD, NEW))["leaf1"]
    assert outcome.result == "Untouched"
    assert token in outcome.reason
    assert driver.pending() == token


KILLED = """
import os, sys
from pathlib import Path
from configlet import drivers
from tests.lab.push_bench import Bench, acl, canonical, change

bench = Bench(Path(sys.argv[1]))
bench.add("leaf1", "eos", int(sys.argv[2]))
point = sys.argv[3]

class Dies:
    def __init__(self, inner):
        self.inner = inner
    def __getattr__(self, name):
        def verb(*words):
            done = getattr(self.inner, name)(*words) if point != "before " + name else None
            if point.endswith(name):
                os.kill(os.getpid(), 9)
            return done
        return verb

make = drivers.opener(canonical)
import configlet.push.push as module
from configlet.journal import folder, opened
from configlet.push import push
from tests.lab.push_bench import plan_of
with opened(folder(bench.root, "test"), "test") as log:
    push(plan_of(change("leaf1", "", sys.argv[4])), bench.targets, lambda t: Dies(make(t)), log, canonical=canonical,
         seconds=2000)
"""


@pytest.mark.parametrize(
    ("point", "result"),
    [
        ("after load", "Untouched"),
        ("before commit", "Reverted"),
        ("after commit", "Reverted"),
        ("before confirm", "Kept"),
        ("after confirm", "Kept"),
    ],
)
def test_after_kill_9_recover_asks_the_switch_and_brings_it_to_before_or_after(
    bench: Bench, switch: Switch, point: str, result: str
) -> None:
    argv = [sys.executable, "-c", KILLED, str(bench.root), str(bench.targets["leaf1"].port), point, OLD]
    died = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert died.returncode == -signal.SIGKILL, died.stderr
    with pytest.raises(Refused, match="recover"):
        bench.push(change("leaf1", OPEN, OLD))
    assert [o.result for o in recovered(bench)] == [result]
    assert runs_now(switch) == startup(switch) == (canonical("eos", "acl", OLD) if result == "Kept" else OPEN)
    assert recovered(bench) == ()
    assert bench.connect("leaf1").pending() is None
    if result != "Kept":
        assert bench.push(change("leaf1", OPEN, OLD))["leaf1"].result == "Kept"


def recovered(bench: Bench) -> tuple[Any, ...]:
    with opened(folder(bench.root, "test"), "test") as log:
        return recover(bench.targets, drivers.opener(canonical), log, canonical=canonical, margin=3)


def test_a_certificate_of_an_unknown_authority_gets_no_password(bench: Bench, switch: Switch, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    authority(other)
    with pytest.raises(Untrusted, match="No credential was sent"):
        drivers.opener(canonical)(replace(bench.targets["leaf1"], trust=other, run="x"))
    with pytest.raises(Untrusted, match="put the CA"):
        drivers.opener(canonical)(replace(bench.targets["leaf1"], trust=tmp_path / "none", run="x"))


def test_a_wrong_password_and_a_dead_address_are_unreachable_and_nothing_is_shown(
    bench: Bench, switch: Switch, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BENCH_PASSWORD", "canary-7f3")
    with pytest.raises(Unreachable) as wrong:
        bench.connect("leaf1")
    assert "Unauthorized" in str(wrong.value)
    bench.add("leaf2", "eos", 1)
    with pytest.raises(Unreachable):
        bench.connect("leaf2")
    assert "canary" not in str(wrong.value)
    assert capfd.readouterr() == ("", "")


def test_a_plan_with_a_problem_or_a_changed_content_is_refused_before_a_device_is_met(bench: Bench) -> None:
    good = plan_of(change("leaf1", OPEN, OLD))
    with opened(folder(bench.root, "test"), "test") as log:
        for plan, why in (
            (replace(good, problems=("leaf1: a foreign list",)), "foreign"),
            (replace(good, site="other"), "digest"),
            (good, "management"),
        ):
            with pytest.raises(Refused, match=why):
                push(plan, {}, drivers.opener(canonical), log, canonical=canonical)
    assert not runs(read(folder(bench.root, "test") / "journal.jsonl"))


def test_the_timer_that_runs_out_before_the_confirmation_is_told(bench: Bench, switch: Switch) -> None:
    def slow(target: Target, change: Change, driver: Driver) -> None:
        wait_until(lambda: runs_now(switch) == OPEN)

    outcome = bench.push(change("leaf1", OPEN, OLD), probe=slow, seconds=10)["leaf1"]
    assert outcome.result == "Reverted"
    assert runs_now(switch) == startup(switch) == OPEN
