"""What the analysis of a policy finds: rules that do nothing, that cross, that are wide, and names that nothing uses."""

from __future__ import annotations

from typing import Literal

from configlet.model.frozen import dataclass
from configlet.model.inventory import Action, Level
from configlet.model.problem import Place

Kind = Literal[
    "fully-shadowed",
    "contradicting",
    "partly-shadowed",
    "redundant",
    "too-wide",
    "unused-name",
    "expiring",
    "undecided",
    "guard",
]
KINDS: tuple[Kind, ...] = (
    "fully-shadowed",
    "contradicting",
    "partly-shadowed",
    "redundant",
    "too-wide",
    "unused-name",
    "expiring",
    "undecided",
    "guard",
)
"""In the order in which they are shown; what each means is in `docs/commands.md`."""


@dataclass(frozen=True, slots=True)
class Party:
    """A rule that a finding speaks of. Without a place it is derived from the inventory."""

    name: str
    action: Action
    place: Place | None

    def __str__(self) -> str:
        return f'{self.place or "derived"} {self.action} "{self.name}"'


@dataclass(frozen=True, slots=True)
class Shown:
    """A packet in words, and the rule that decides it as the policy is; None is the default deny."""

    packet: str
    by: Party | None
    otherwise: Party | None = None
    """Without the rule of the finding, this one would decide; only of what is redundant."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is worth knowing of a rule or a name."""

    kind: Kind
    level: Level
    name: str
    place: Place | None
    says: str
    """What it is and what to do, in whole sentences."""
    action: Action | None = None
    others: tuple[Party, ...] = ()
    """The rules that make it so, in the order of the policy. Of shadowing and redundancy: none can be left out."""
    packets: tuple[Shown, ...] = ()


@dataclass(frozen=True, slots=True)
class Analysis:
    """All findings of a site, most severe first, then by kind and place."""

    site: str
    rules: int
    """All that were looked at, derived ones too."""
    written: int
    """Those that somebody wrote."""
    findings: tuple[Finding, ...]
