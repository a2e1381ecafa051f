"""A workload that changes its stack: the plan says which gate closes first, when the application moves, what goes last."""

from __future__ import annotations

from pathlib import Path

from configlet import pipeline
from configlet.model.plan import Plan
from configlet.pipeline import Store
from configlet.pipeline.written import Folder
from tests.laws.test_blind import STRANGER, TODAY, host, site
from tests.nic.flow_laws import held

RULE = "  - {name: orders, from: [you], to: [me1], service: [orders], action: allow, reason: the one desk}\n"
GAPS = "".join(
    f"  - {{what: {what}, from: {a}, to: {b}, reason: a test, until: 2027-01-01}}\n"
    for what in ("unguarded", "reply-exposure", "blindness")
    for a, b in (("floor", "floor"),)
)
CARD = ("model: virtio,", "model: solarflare-x2-serverlock, filter_table: serverlock,")


def moved(root: Path, before: str, after: str, stack: str, then: str) -> Plan:
    """The plan after a workload's stack, or its NIC, has changed in the inventory; what runs is the text of before."""
    site(root, before + STRANGER, policy=f"{RULE}accept:\n{GAPS}")
    out = root / "out"
    out.mkdir()
    for artifact in pipeline.render(root, "desk", TODAY):
        (out / artifact.file).write_text(artifact.text)
    path = root / "inventory" / "desk" / "site.yaml"
    path.write_text(path.read_text().replace(before, after.replace(f"stack: {stack}", f"stack: {then}")))
    return pipeline.plan(root, "desk", TODAY, Folder(out, Store(root)), "site")


def of_move(plan: Plan) -> list[str]:
    return [risk for risk in plan.risks if risk.startswith("me1 ")]


def test_a_workload_that_leaves_the_kernel_is_closed_in_its_nic_first(tmp_path: Path) -> None:
    kernel = host("nftables", "kernel")
    plan = moved(tmp_path, kernel, kernel.replace(*CARD), "kernel", "onload")
    (said,) = of_move(plan)
    steps = ("closes me/ens1/in, me/ens1/out first", "then me/nftables", "then move the application")
    assert sorted(steps, key=said.index) == list(steps)
    assert [p for p in plan.problems if p.startswith("me/serverlock: what it runs is not known")], plan.problems


def test_without_a_gate_that_sees_it_the_plan_says_so(tmp_path: Path) -> None:
    kernel = host("nftables", "kernel")
    (said,) = of_move(moved(tmp_path, kernel, kernel, "kernel", "onload"))
    assert "there is none, and it will be unguarded" in said


def test_a_workload_that_comes_back_is_taken_up_before_it_moves(tmp_path: Path) -> None:
    past = host("nftables", "onload").replace(*CARD)
    (said,) = of_move(moved(tmp_path, past, past, "onload", "kernel"))
    assert said.index("push this first") < said.index("move the application") < said.index("out of me/ens1/in")


def test_a_plan_that_moves_nobody_says_nothing_of_it(tmp_path: Path) -> None:
    kernel = host("nftables", "kernel")
    assert of_move(moved(tmp_path, kernel, kernel, "kernel", "container")) == []


def test_a_first_push_of_a_host_and_of_its_nic_moves_nobody(tmp_path: Path) -> None:
    site(tmp_path, host("nftables", "kernel").replace("model: virtio,", "model: solarflare-x2, filter_table: ntuple,") + STRANGER,
         policy=f"{RULE}accept:\n{GAPS}")  # fmt: skip
    texts = {a.platform: a.text for a in pipeline.render(tmp_path, "desk", TODAY)}
    assert of_move(pipeline.plan(tmp_path, "desk", TODAY, {"me": "", "me/ntuple": ""}, "site", {"me"})) == []
    running = {"me": "", "me/ntuple": held("ntuple", texts["ntuple"])}
    (said,) = of_move(pipeline.plan(tmp_path, "desk", TODAY, running, "site", {"me"}))
    assert said.startswith("me1 comes to me/nftables")
