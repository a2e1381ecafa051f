"""A plan, its changes, and what became of each device."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Literal

from configlet.model.frozen import dataclass

Result = Literal["Kept", "Reverted", "Untouched", "Unknown"]
SLOW = 10.0
"""Seconds; what takes longer to load has waves of its own, as a wave is confirmed when the last of it stands."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A kind of packet that a change opens or closes, with an example and the gates where it happens."""

    opened: bool
    rule: str
    place: str
    example: str
    gates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One device: what runs now (canonical, our sections only), what shall run, and the text that takes it back.

    ``owner`` is the device or host by its name; where it is the tables in a host's NICs, ``HOST/PLATFORM``.
    """

    owner: str
    platform: str
    kind: str
    before: str
    after: str
    load: str
    """What is sent to the device to go from before to after."""
    undo: str
    """What is sent to go back."""
    diff: str


def host_of(owner: str) -> str:
    """The device or host on which an owner of changes is."""
    return owner.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Plan:
    """What would change on a site, as a value. ``problems`` not empty means that it cannot be pushed."""

    site: str
    target: Literal["site", "lab"]
    date: str
    version: str
    inventory: str
    changes: tuple[Change, ...]
    flows: tuple[Flow, ...]
    risks: tuple[str, ...]
    problems: tuple[str, ...]
    digest: str = ""
    author: str = ""
    """Who had it made, as his machine says; "" when nobody said."""


def digest_of(plan: Plan) -> str:
    """sha256 over the canonical JSON of everything but the digest itself."""
    content = {key: value for key, value in asdict(plan).items() if key != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one device, and why."""

    owner: str
    result: Result
    reason: str
    seconds: float = 0.0
