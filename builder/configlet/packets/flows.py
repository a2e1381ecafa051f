"""What a change of a list opens, and what it closes."""

from __future__ import annotations

from collections.abc import Sequence

from configlet.model.block import Boxed
from configlet.model.net import Family
from configlet.model.policy import Box
from configlet.packets.atoms import difference
from configlet.packets.walk import Overrun


def opened(before: Sequence[Boxed], after: Sequence[Boxed], family: Family) -> Box | Overrun | None:
    """A box of packets that pass after and did not before; None when nothing opened."""
    return difference(family, (before,), after, "too open")


def closed(before: Sequence[Boxed], after: Sequence[Boxed], family: Family) -> Box | Overrun | None:
    """A box of packets that passed before and do not after; None when nothing closed."""
    return difference(family, (before,), after, "too tight")
