"""NIC models: what filters a card has, by the files of ``configlets/nics``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from configlet.platforms import content


def mechanisms(layers: Sequence[Path], model: str) -> tuple[str, ...]:
    """The filter mechanisms of a model, spelled as the table of stacks has them; () for a model without a file."""
    import yaml

    path = content.find(layers, f"nics/{model}.yaml")
    said = yaml.safe_load(path.read_text(encoding="utf-8")) if path else {}
    return tuple(name.replace("-", "").replace("onloadfirewall", "onload-firewall") for name in said.get("mechanisms") or {})
