"""The same site in other clothes: maps in another order, the whole in other files."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import yaml

from configlet.workspace.files import read_site


def variant(root: Path, site: str, seed: int, to: Path) -> None:
    """Write the site of ``root`` below ``to``: shuffled by ``seed``, in one to six files, some of them in folders."""
    chance = random.Random(seed)
    document, problems, _ = read_site(root, site)
    assert document is not None and not problems
    parts: list[dict[str, Any]] = [{} for _ in range(chance.randint(1, 6))]
    for key, value in document.value.items():
        if isinstance(value, list):
            _split(key, value, parts, chance)
        elif key == "site":
            for name, inner in value.items():
                chance.choice(parts).setdefault(key, {})[name] = inner
        else:
            for name, inner in value.items():
                chance.choice(parts).setdefault(key, {})[name] = inner
    names = ["a", "rack1/b", "rack1/c", "rack2/row/d", "z", "m"]
    chance.shuffle(names)
    tiers = sorted(chance.sample(range(100), len(parts)))
    for name, part, tier in zip(names, parts, tiers, strict=False):
        if part:
            _write(to / "inventory" / site / f"{name}.yaml", {**part, "tier": tier}, chance)


def _split(key: str, items: list[Any], parts: list[dict[str, Any]], chance: random.Random) -> None:
    cuts = sorted(chance.choices(range(len(items) + 1), k=len(parts) - 1))
    for part, low, high in zip(parts, [0, *cuts], [*cuts, len(items)], strict=True):
        if low < high or (not items and part is parts[0]):
            part[key] = items[low:high]


def _write(path: Path, part: dict[str, Any], chance: random.Random) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    flow = chance.choice([True, False, None])
    path.write_text(
        yaml.safe_dump(_shuffled(part, chance), sort_keys=False, default_flow_style=flow, allow_unicode=True)
    )


def _shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: _shuffled(value[key], chance) for key in keys}
    return [_shuffled(item, chance) for item in value] if isinstance(value, list) else value
