"""Law: the same YAML in any order of maps and any splitting into files renders to the same bytes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from configlet import pipeline
from tests.laws.yaml_order.variants import variant

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 24)


def rendered(root: Path) -> dict[str, bytes]:
    return {artifact.file: artifact.text.encode() for artifact in pipeline.render(root, "dc1", TODAY)}


@pytest.mark.parametrize("seed", range(8))
def test_any_order_and_splitting_renders_the_same_bytes(seed: int, tmp_path: Path) -> None:
    variant(ROOT, "dc1", seed, tmp_path)
    assert rendered(tmp_path) == rendered(ROOT)


def test_another_rule_is_seen_in_the_bytes(tmp_path: Path) -> None:
    variant(ROOT, "dc1", 0, tmp_path)
    for path in tmp_path.rglob("*.yaml"):
        path.write_text(path.read_text().replace("tcp/9001-9016", "tcp/9001-9017"))
    assert rendered(tmp_path) != rendered(ROOT)
