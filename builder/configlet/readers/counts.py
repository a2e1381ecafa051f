"""What a device has counted, rule by rule, as it shows its own text."""

from __future__ import annotations

import re

from configlet.model.platform import Platform
from configlet.model.problem import refuse
from configlet.readers.grammar import load


def counts(platform: Platform, kind: str, text: str) -> dict[str, tuple[int, int]]:
    """Packets and bytes by the rule's name. Raises Refused for a platform whose grammar does not say how they are shown."""
    pattern = load(platform.kinds[kind].reader).get("counts")
    if not pattern:
        raise refuse("Counts that nobody can read", f"How {platform.title} shows what a rule counted is not known to us.")
    found: dict[str, tuple[int, int]] = {}
    for hit in re.finditer(pattern, text):
        packets, size = found.get(hit["label"], (0, 0))
        found[hit["label"]] = packets + int(hit["packets"]), size + int(hit["bytes"])
    return found
