"""From policy and placement to each gate's law and the rows that its platform can hold. Pure."""

from configlet.fit.alike import alike
from configlet.fit.law import Laws
from configlet.fit.tables import tables

__all__ = ["Laws", "alike", "tables"]
