"""NIC models: what of each mechanism a card has, and a platform's capability record as that card has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from configlet.model.frozen import dataclass
from configlet.model.gate import Capability
from configlet.model.problem import refuse
from configlet.platforms import content
from configlet.platforms.content import files
from configlet.platforms.manifest import document


@dataclass(frozen=True, slots=True)
class Model:
    """One file of ``configlets/nics``: mechanisms by the name of the platform that writes for them."""

    name: str
    title: str
    mechanisms: Mapping[str, Mapping[str, Any]]


def models(layers: Sequence[Path]) -> dict[str, Model]:
    """Every NIC model of the layers. Raises Refused for a file that is none."""
    found = {path.stem: document(path) for path in reversed(files(layers, "nics", ".yaml"))}
    return {name: Model(name, data["title"], data["mechanisms"]) for name, data in sorted(found.items())}


def narrowed(record: Capability, model: Model, platform: str) -> Capability:
    """A platform's record with the capacity of one card. Raises Refused where the card cannot hold such a table."""
    said = model.mechanisms.get(platform)
    if said is None:
        known = ", ".join(sorted(model.mechanisms)) or "no filter table"
        raise refuse("NIC without such a table", f"{model.title} has {known}, and not {platform}.", nature="red")
    if "refused" in said:
        raise refuse("NIC that cannot hold such a table", f"{model.title}: {said['refused']}", nature="red")
    capacity = int(said.get("capacity", {}).get("filters", 0))
    return replace(record, capacity=min(filter(None, (capacity, record.capacity)), default=0))


def mechanisms(layers: Sequence[Path], model: str) -> tuple[str, ...]:
    """The filter mechanisms of a model that can hold a table, spelled as the table of stacks has them; () for a model
    without a file."""
    path = content.find(layers, f"nics/{model}.yaml")
    said = (document(path) if path else {}).get("mechanisms") or {}
    able = (name for name, record in said.items() if "refused" not in record)
    return tuple(name.replace("-", "").replace("onloadfirewall", "onload-firewall") for name in able)
