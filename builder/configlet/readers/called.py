"""How a platform calls interfaces and directions, and what the inventory calls them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from configlet.readers.grammar import Source

Bind = tuple[str, str, int]
"""Interface, direction and family."""


class Called:
    """``interfaces`` and ``directions`` of a grammar; what they do not name is called the same on both sides.

    Those under ``write`` go the other way: they ``mean`` what the platform calls a thing of the inventory.
    """

    def __init__(self, grammar: Mapping[str, Any]) -> None:
        self.interfaces = [(re.compile(said["said"]), said["means"]) for said in grammar.get("interfaces", ())]
        self.directions: Mapping[str, str] = grammar.get("directions", {})

    def interface(self, said: str) -> str:
        """What the inventory calls an interface."""
        for pattern, means in self.interfaces:
            if found := pattern.fullmatch(said):
                name: str = means.format(*found.groups())
                return name
        return said

    def direction(self, said: str) -> str:
        """``in`` or ``out``."""
        return self.directions.get(said, said)

    def key(self, said: Bind, known: Mapping[Bind, object], line: Source) -> Bind:
        """The inventory's words for where a list is bound. Raises Refused when another list is bound there."""
        interface, direction, family = said
        key = self.interface(interface), self.direction(direction), family
        if key in known:
            line.refuse("Two lists are bound where the platform has room for one")
        return key
