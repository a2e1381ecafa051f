"""A table in a NIC is shown, proven and counted; a plan that would compare it with what its host shows is a problem."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli_run import DAY, configlet
from tests.lab.desk import SITE, accept, cure, workspace


def test_a_plan_with_a_table_in_a_nic_cannot_be_pushed_and_says_why(tmp_path: Path) -> None:
    site = workspace(tmp_path)
    accept(site)
    cure(site)
    assert configlet("render", SITE, "--at", DAY, "--out", "out", cwd=tmp_path).returncode == 0
    ended = configlet("plan", SITE, "--from", "out", "--at", DAY, "--json", cwd=tmp_path)
    problems = json.loads(ended.stdout)["plan"]["problems"]
    assert [p for p in problems if p.startswith("me1/simnic: ") and "its table is in a NIC" in p], problems
    assert ended.returncode == 3, ended.stderr


@pytest.mark.parametrize(
    ("platform", "why"), [("onload-firewall", "drops nothing: it is no gate"), ("tcflower", "and not tcflower")]
)
def test_a_table_that_drops_nothing_or_that_the_card_has_not_is_refused_with_its_place(
    tmp_path: Path, platform: str, why: str
) -> None:
    site = workspace(tmp_path)
    accept(site)
    cure(site)
    site.write_text(site.read_text().replace("filter_table: simnic", f"filter_table: {platform}"))
    ended = configlet("check", SITE, "--at", DAY, cwd=tmp_path)
    assert ended.returncode not in (0, 70)
    assert why in ended.stdout + ended.stderr and "site.yaml:" in ended.stdout + ended.stderr, ended.stdout + ended.stderr
