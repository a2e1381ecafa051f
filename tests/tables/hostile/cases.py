"""All hostile inputs, and what it takes to plant them."""

from __future__ import annotations

from tests.tables.hostile import between, beyond, doubt, numbers, shape, text
from tests.tables.hostile.case import MARK, NICS, STOCK, Case, plant

__all__ = ["BEYOND", "CASES", "MARK", "NICS", "STOCK", "Case", "plant"]

CASES = (*text.CASES, *shape.CASES, *numbers.CASES, *between.CASES, *doubt.CASES)

BEYOND = beyond.CASES
"""Refused by the commands, not yet by the loader."""
