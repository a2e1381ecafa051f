"""From what was written to ordered rules over addresses, and to the boxes of one realm and family. Pure."""

from configlet.rules.expand import expand
from configlet.rules.select import select

__all__ = ["expand", "select"]
