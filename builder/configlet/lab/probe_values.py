"""One probe and what the policy says of it; the plan of all probes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from configlet.lab.traffic_values import Shot
from configlet.model.policy import Entry

Kind = Literal["pair", "gate", "multicast"]
FIRST_TAG, LAST_TAG = 20001, 32000
"""Source ports of probes: below those that Linux gives out by itself (32768 and up)."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A packet, what must become of it, and why.

    ``rule`` and ``place`` name the rule that decides. A ``pair`` goes from end to end. ``gate`` names the one gate that
    a gate probe is for: of all on the way it alone can stop the packet. ``gap`` is the accepted reason why a packet that
    the policy denies may arrive all the same; such a probe is counted apart.
    """

    shot: Shot
    kind: Kind
    source: str
    target: str
    expected: bool
    rule: str
    place: str
    gate: str = ""
    gap: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """What is sent, in order, and in sentences what is not."""

    probes: tuple[Probe, ...]
    untested: tuple[str, ...]


class Numbers:
    """Shot numbers from 1, and tags that no listener uses."""

    def __init__(self, taken: frozenset[int]) -> None:
        self._count = 0
        self._tags = iter(_tags(taken))

    def next(self) -> int:
        """The next shot number."""
        self._count += 1
        return self._count

    def tag(self) -> int:
        """The next tag. Raises StopIteration when there are no more, which a plan's cap prevents."""
        return next(self._tags)


def _tags(taken: frozenset[int]) -> Iterator[int]:
    return (tag for tag in range(FIRST_TAG, LAST_TAG) if tag not in taken)


def reason(entry: Entry | None) -> tuple[str, str]:
    """The name and place of the rule that decides."""
    if entry is None:
        return "default deny", ""
    return entry.rule.name, str(entry.rule.place) if entry.rule.place else ""
