"""The texts of dc1 on a simulated switch and on a real nft: planned, pushed, planned again, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from configlet import drivers, pipeline, readers
from configlet.journal import folder, last, opened
from configlet.lab.switch import Switch
from configlet.model.gate import Artifact
from configlet.model.plan import Outcome, Plan
from configlet.pipeline.artifacts import artifacts_of
from configlet.pipeline.site import Site
from configlet.plan import Item, back, compared, from_dict, plan_of
from configlet.push import push
from configlet.readers import sections
from tests.lab.eos_bench import authority, served
from tests.lab.push_bench import Bench, Host, bench, host, needs_namespaces

__all__ = ["bench"]
ROOT, DAY = Path(__file__).parents[2], date(2026, 11, 24)


@cache
def site() -> Site:
    return pipeline.open_site(ROOT, "dc1", DAY)


@cache
def artifact(owner: str) -> Artifact:
    return next(a for a in artifacts_of(site()) if a.owner == owner)


def canonical(platform: str, kind: str, text: str) -> str:
    known = site().platforms[platform]
    return readers.read(known, kind, sections.owned(known, kind, text), "what runs").canonical


@dataclass
class Real:
    """dc1's own plans on a bench."""

    bench: Bench

    def plan(self, owner: str) -> Plan:
        made = artifact(owner)
        platform = site().platforms[made.platform]
        driver = drivers.opener(canonical)(self.bench.targets[owner])
        text = sections.owned(platform, made.kind, driver.running())
        driver.close()
        desired = readers.read(platform, made.kind, made.text, made.file)
        item = Item(made, desired, text, readers.read(platform, made.kind, text, "what runs"))
        return plan_of(compared([item]), site="dc1", target="lab", date=str(DAY), version="0", inventory=site().inventory.digest)

    def push(self, plan: Plan) -> Outcome:
        with opened(folder(self.bench.root, "dc1"), "dc1") as log:
            make = drivers.opener(canonical)
            (outcome,) = push(plan, self.bench.targets, make, log, canonical=canonical, seconds=2000)
        return outcome

    def there_and_back(self, owner: str) -> None:
        plan = self.plan(owner)
        assert plan.problems == ()
        assert {(flow.opened, flow.rule) for flow in plan.flows} == {(False, "no filter: everything passes")}
        assert self.plan(owner) == plan
        assert self.push(plan).result == "Kept"
        assert self.plan(owner).changes == ()
        with opened(folder(self.bench.root, "dc1"), "dc1") as log:
            run = last(log.records)
        assert run is not None
        assert self.push(back(from_dict(run.plan), run.kept, date=str(DAY), version="0")).result == "Kept"
        assert self.plan(owner) == plan


@pytest.fixture
def leaf1(bench: Bench) -> Iterator[Switch]:
    device = next(device for device in site().inventory.devices if device.name == "leaf1")
    found = Switch(device, site().inventory, lambda namespace, text: None, 20)
    with served(found, authority(bench.root)[0]) as port:
        bench.add("leaf1", "eos", port)
        yield found


@pytest.fixture
def ogw1(bench: Bench) -> Iterator[Host]:
    with host(bench.root) as found:
        bench.add("ogw1", "nftables", found.port)
        yield found


def test_a_leaf_of_dc1_there_and_back(bench: Bench, leaf1: Switch) -> None:
    first = leaf1.running_text()
    Real(bench).there_and_back("leaf1")
    assert leaf1.running_text() == first


@needs_namespaces
def test_a_host_of_dc1_there_and_back(bench: Bench, ogw1: Host) -> None:
    Real(bench).there_and_back("ogw1")
    assert ogw1.run("nft list ruleset") == ""


def test_a_foreign_list_on_a_binding_of_ours_is_a_problem_of_the_plan(bench: Bench, leaf1: Switch) -> None:
    lines = ["ip access-list THEIRS", "permit ip any any", "interface Vlan110", "ip access-group THEIRS in", "end"]
    leaf1.run(["enable", "configure", *lines], "text")
    plan = Real(bench).plan("leaf1")
    assert any("THEIRS" in problem for problem in plan.problems), plan.problems
