"""From policy and placement to each gate's law and the rows that its platform can hold. Pure."""

from configlet.fit.tables import tables

__all__ = ["tables"]
