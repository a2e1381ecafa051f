"""From policy and placement to each gate's law and the rows that its platform can hold. Pure."""

from configlet.fit.alike import alike
from configlet.fit.budget import cost
from configlet.fit.law import Laws
from configlet.fit.tables import counted, tables

__all__ = ["Laws", "alike", "cost", "counted", "tables"]
