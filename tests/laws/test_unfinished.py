"""While a run is unfinished no plan says that all is as it should be: a device's timer may take back what runs now."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from configlet import drivers, journal, pipeline
from configlet.cli import aim, planned
from configlet.drivers.base import Unreachable
from configlet.model.plan import Change, Plan
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
