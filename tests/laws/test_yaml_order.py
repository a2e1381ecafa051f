"""Law: the same YAML in any order of maps and any splitting into files is the same inventory."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from configlet.model.problem import Place, Refused
from configlet.workspace import load
from tests.laws.yaml_order.variants import variant

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 24)
NOWHERE = Place("", 1, 1)


def _placeless(value: Any) -> Any:
    if isinstance(value, Place):
        return NOWHERE
    if isinstance(value, tuple):
        return tuple(_placeless(each) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _placeless(getattr(value, field.name)) for field in fields(value)})
    return value


@pytest.mark.parametrize("seed", range(12))
def test_order_of_maps_and_splitting_into_files_change_nothing(seed: int, tmp_path: Path) -> None:
    variant(ROOT, "dc1", seed, tmp_path)
    before, after = load(ROOT, "dc1", TODAY).inventory, load(tmp_path, "dc1", TODAY).inventory
    assert _placeless(after) == _placeless(before)
    assert after.digest == before.digest


def test_the_variants_really_differ(tmp_path: Path) -> None:
    seen = set()
    for seed in range(12):
        variant(ROOT, "dc1", seed, tmp_path / str(seed))
        found = sorted((tmp_path / str(seed)).rglob("*.yaml"))
        seen.add(tuple(path.read_bytes() for path in found))
    assert len(seen) == 12 and {len(each) for each in seen} >= {1, 2, 3, 4}


def test_the_order_of_rules_is_meaning(tmp_path: Path) -> None:
    variant(ROOT, "dc1", 0, tmp_path)
    path = next(path for path in sorted(tmp_path.rglob("*.yaml")) if "policy:" in path.read_text())
    import yaml

    document = yaml.safe_load(path.read_text())
    document["policy"].reverse()
    path.write_text(yaml.safe_dump(document))
    before, after = load(ROOT, "dc1", TODAY).inventory, load(tmp_path, "dc1", TODAY).inventory
    assert _placeless(after) != _placeless(before)
    assert after.digest != before.digest


def test_a_changed_word_changes_the_digest(tmp_path: Path) -> None:
    variant(ROOT, "dc1", 0, tmp_path)
    for path in sorted(tmp_path.rglob("*.yaml")):
        path.write_text(path.read_text().replace("the order path", "an order path"))
    assert load(tmp_path, "dc1", TODAY).inventory.digest != load(ROOT, "dc1", TODAY).inventory.digest


@pytest.mark.parametrize(("tiers", "summary"), [(("", ""), "No tier"), (("tier: 1\n", "tier: 1\n"), "Same tier")])
def test_lists_in_two_files_need_distinct_tiers(tiers: tuple[str, str], summary: str, tmp_path: Path) -> None:
    variant(ROOT, "dc1", 3, tmp_path)
    site = tmp_path / "inventory" / "dc1"
    for path in sorted(site.rglob("*.yaml")):
        path.unlink()
    for name, tier in zip("ab", tiers, strict=True):
        (site / f"{name}.yaml").write_text(f"{tier}policy: []\n")
    with pytest.raises(Refused, match=summary):
        load(tmp_path, "dc1", TODAY)


@pytest.mark.parametrize("tiers", [("[]", "1"), ("1", "{}"), ("[a]", "[a]"), ("{a: 1}", "{a: 1}"), ("true", "1"), ("x", "x")])
def test_a_tier_that_is_no_number_is_said_to_be_wrong_and_nothing_else(tiers: tuple[str, str], tmp_path: Path) -> None:
    site = tmp_path / "inventory" / "dc1"
    site.mkdir(parents=True)
    for name, tier in zip("ab", tiers, strict=True):
        (site / f"{name}.yaml").write_text(f"tier: {tier}\npolicy: []\n")
    with pytest.raises(Refused) as refused:
        load(tmp_path, "dc1", TODAY)
    assert [p.summary for p in refused.value.problems] == ["Wrong tier"] * sum(tier != "1" for tier in tiers)
