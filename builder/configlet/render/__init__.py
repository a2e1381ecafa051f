"""From fitted tables to the text of one device, by its platform's template. Pure: same input, same bytes."""

from __future__ import annotations

from collections.abc import Sequence

from configlet import encoders
from configlet.model.gate import Artifact, Table
from configlet.model.platform import Platform
from configlet.render.engine import fill
from configlet.render.operands import values

__all__ = ["render"]


def render(owner: str, platform: Platform, kind: str, tables: Sequence[Table]) -> Artifact:
    """The artifact of one device or host, over all its tables of this kind. Raises Refused."""
    said = platform.kinds[kind]
    if said.encoder:
        text = encoders.find(said.encoder)(said.operands, tables)
    else:
        operands = {**said.operands, "refusals": platform.refusals}
        text = fill(platform.search, said.template, values(owner, kind, operands, tables), said)
    return Artifact(owner, platform.name, kind, text, tuple(tables), f"{owner}.{platform.name}.{kind}")
