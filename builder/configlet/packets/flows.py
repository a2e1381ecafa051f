"""What a change of a list opens, and what it closes."""

from __future__ import annotations

from collections.abc import Sequence

from configlet.model.net import Family
from configlet.model.policy import Box
from configlet.packets.verdict import Row
from configlet.packets.walk import Overrun, more


def opened(before: Sequence[Row], after: Sequence[Row], family: Family) -> Box | Overrun | None:
    """A box of packets that pass after and did not before; None when nothing opened."""
    return more(family, "too open", (before,), after)


def closed(before: Sequence[Row], after: Sequence[Row], family: Family) -> Box | Overrun | None:
    """A box of packets that passed before and do not after; None when nothing closed."""
    return more(family, "too tight", (before,), after)
