"""While a run is unfinished no plan says that all is as it should be: a device's timer may take back what runs now."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from configlet import drivers, journal, pipeline
from configlet.cli import aim, planned, statuses
from configlet.drivers.base import Lost, Unreachable
from configlet.model.plan import Change, Plan
from tests.lab import test_push_truth as push_truth
from tests.lab.desk import SITE, TODAY, accept, workspace

WHY = "an earlier run is not finished"


def aimed(root: Path) -> aim.Aim:
    """The site with nothing to reach, so that nothing is asked."""
    accept(workspace(root))
    return aim.Aim(pipeline.open_site(root, SITE, TODAY), "lab", {})


@pytest.mark.parametrize("steps", ["begun", "committed", "unknown", "ended"])
def test_a_plan_made_while_a_run_is_open_has_a_problem_and_so_cannot_be_pushed(tmp_path: Path, steps: str) -> None:
    here = aimed(tmp_path)
    change = Change("me1", "nftables", "filter-table", "", "a", "a", "", "")
    plan = Plan(SITE, "lab", "2026-11-24", "0", "x", (change,), (), (), ())
    with journal.opened(here.folder, SITE) as log:
        log.write("begin", plan=asdict(plan), seconds=9)
        if steps != "begun":
            log.write("commit", "me1", token="t", seconds=9, deadline=1.0, before="", diff="")
        if steps in ("unknown", "ended"):
            log.write("outcome", "me1", result="Unknown" if steps == "unknown" else "Kept", reason="")
            log.write("end")
        run = log.run
    made = planned.make(here, TODAY, ())
    said = [problem for problem in made.problems if problem.startswith(WHY)]
    assert bool(said) == (steps != "ended"), made.problems
    assert all(run in problem and f"configlet recover {SITE} --lab" in problem for problem in said)


class Asked:
    """A device of which a timer is known, or that does not say."""

    def __init__(self, token: str | Exception | None) -> None:
        self.token = token

    def running(self) -> str:
        return ""

    def pending(self) -> str | None:
        if isinstance(self.token, Exception):
            raise self.token
        return self.token

    def close(self) -> None:
        pass


@pytest.mark.parametrize("token", [None, "own", "cfglt-1a2b-me1", Lost("the connection broke off")], ids=str)
def test_a_timer_that_no_run_of_this_workspace_began_is_a_problem_of_every_plan_that_meets_the_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str | Exception | None
) -> None:
    accept(workspace(tmp_path))
    site = pipeline.open_site(tmp_path, SITE, TODAY)
    here = aim.Aim(site, "lab", aim.targets(site.inventory, tmp_path, site.platforms))
    run = ""
    if token == "own":
        with journal.opened(here.folder, SITE) as log:
            log.write("begin", plan=asdict(Plan(SITE, "lab", "2026-11-24", "0", "x", (), (), (), ())), seconds=9)
            run, token = log.run, f"cfglt-{log.run}-me1"
    monkeypatch.setattr(aim, "maker", lambda _: lambda target: Asked(token if target.owner == "me1" else None))
    problems = planned.make(here, TODAY, ()).problems
    said = [problem for problem in problems if problem.startswith("me1: ")]
    if token is None:
        assert not said
    elif run:
        assert not said and any(run in problem for problem in problems)
    elif isinstance(token, str):
        assert any(token in problem and "no run of this workspace" in problem for problem in said)
    else:
        assert any("could not be read" in problem for problem in said)


def test_a_platform_is_reached_by_the_driver_that_its_manifest_names_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"DESK_{name}", "x")
    workspace(tmp_path)
    own = tmp_path / "configlets" / "ours"
    own.mkdir()
    shipped = Path(pipeline.__file__).parents[3] / "configlets" / "nftables"
    for file in shipped.glob("*.*"):
        (own / file.name).write_text(file.read_text())
    at = tmp_path / "inventory" / SITE / "site.yaml"
    at.write_text(at.read_text().replace("  me1:\n", "  me1:\n    platform: ours\n"))
    site = pipeline.open_site(tmp_path, SITE, TODAY)
    assert site.platforms["ours"].driver == "nftables" in drivers.names()
    target = aim.targets(site.inventory, tmp_path, site.platforms)["me1"]
    with pytest.raises(Unreachable):
        aim.maker(site)(replace(target, address="127.0.0.1", port=1))


def full(log: journal.Journal) -> None:
    """From here on the disk of the journal takes nothing."""
    handle = os.open("/dev/full", os.O_WRONLY)
    os.dup2(handle, log._file)
    os.close(handle)


@pytest.mark.parametrize(("event", "status"), [
    ("consent", statuses.FAILED), ("begin", statuses.FAILED), ("stage", statuses.UNKNOWN_STATE),
    ("verified", statuses.UNKNOWN_STATE), ("outcome", statuses.UNKNOWN_STATE),
])  # fmt: skip
def test_a_disk_that_fills_up_is_no_invalid_input_and_in_the_middle_of_a_run_says_to_recover(
    tmp_path: Path, event: str, status: int
) -> None:
    with journal.opened(tmp_path, SITE) as log, pytest.raises(journal.Unwritable) as refused:
        full(log)
        log.write(event, "me1")
    assert statuses.of_refusal(refused.value) == status
    assert ("configlet recover" in str(refused.value)) == (status == statuses.UNKNOWN_STATE)


def test_a_clock_that_was_set_back_since_the_commit_makes_nobody_wait_longer_than_the_timer(tmp_path: Path) -> None:
    found = push_truth.world(tmp_path, {"leaf1": {}})

    def cut(owner: str, step: str, words: str) -> None:
        if step == "probe":
            raise SystemExit

    with pytest.raises(SystemExit):
        found.push(push_truth.plan_of(push_truth.change("leaf1")), progress=cut)
    found.time.now -= 500  # the clock of the first was ahead
    found.devices["leaf1"].timer, found.devices["leaf1"].dark_until = None, 1e9
    began = found.time.now
    assert [outcome.result for outcome in found.recover()] == ["Unknown"]
    assert push_truth.SECONDS <= found.time.now - began < push_truth.SECONDS + 15
