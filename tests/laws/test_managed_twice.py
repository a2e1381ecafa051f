"""Devices that two sites manage: a plan says so, whatever state the other site is in."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from configlet.pipeline.planning import Target, plan
from configlet.pipeline.twofold import managed_twice
from configlet.workspace import load
from tests.product_site import product_site

TODAY = date(2026, 11, 24)
ROOT = Path(__file__).resolve().parents[2]


def copied(folder: Path) -> Path:
    root = product_site(folder, "eos", 1, 1, 1)
    shutil.copytree(root / "inventory" / "dc9", root / "inventory" / "dc8")
    return root


def test_a_plan_names_the_copy_of_a_site_and_a_plan_for_the_lab_does_not(tmp_path: Path) -> None:
    root = copied(tmp_path)

    def told(target: Target) -> list[str]:
        return [risk for risk in plan(root, "dc9", TODAY, {}, target).risks if "the site dc8 has the same" in risk]

    (said,) = told("site")
    assert "inventory/dc8/" in said and told("lab") == []


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("management: {address: 192.0.2.21, credentials: env/X}", True),
        ('management:\n  address: "192.0.2.21"\n', True),
        ('{"management": {"address": "192.0.2.21"}}', True),
        ("management: {'address' : '192.0.2.21'}", True),
        ("management: {address:\n    192.0.2.21}", True),
        ("management: {address: &a !!str 192.0.2.21}", True),
        ("management: {address: }\naddresses: [192.0.2.21]", False),
        ("management: {address: 192.0.2.210}", False),
        ("addresses: [192.0.2.21]", False),
        ("management: {address: 192.0.2", False),
        ("management: {address: 192.0.2.21", True),
    ],
)
def test_of_a_copy_that_is_not_valid_an_address_is_found_as_it_is_written(tmp_path: Path, written: str, told: bool) -> None:
    shutil.copytree(ROOT / "inventory" / "dc1", tmp_path / "inventory" / "dc1")
    folder = tmp_path / "inventory" / "dc2" / "hosts"
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_text(f"# a copy\n{written}")
    found = list(managed_twice(tmp_path, "dc1", TODAY))
    assert bool(found) is told
    place = f"inventory/dc2/hosts/a.yaml:{2 + written.count('  address')}"
    assert all(one.startswith("leaf1:") and place in one for one in found)


@pytest.mark.parametrize(("change", "told"), [("", True), ("\n    managed: false", False)])
def test_of_a_copy_that_is_valid_only_what_it_manages_is_told(tmp_path: Path, change: str, told: bool) -> None:
    root = copied(tmp_path)
    file = root / "inventory" / "dc8" / "site.yaml"
    way = "management: {address: 192.0.2.21, credentials: env/DC9}"
    file.write_text(file.read_text().replace("name: dc9", "name: dc8").replace(way, way + change))
    assert load(root, "dc8", TODAY).inventory.devices[0].managed is not bool(change)
    assert bool(list(managed_twice(root, "dc9", TODAY))) is bool(list(managed_twice(root, "dc8", TODAY))) is told


def test_a_site_that_cannot_be_read_is_told_and_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, reading = copied(tmp_path), Path.read_bytes

    def closed(path: Path) -> bytes:
        if "dc8" in path.parts:
            raise PermissionError(13, "Permission denied", str(path))
        return reading(path)

    monkeypatch.setattr(Path, "read_bytes", closed)
    (said,) = managed_twice(root, "dc9", TODAY)
    assert "dc8 cannot be read" in said and "nobody knows" in said
