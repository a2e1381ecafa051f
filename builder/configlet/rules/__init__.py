"""From what was written to ordered rules over addresses. Pure."""

from configlet.rules.expand import expand
from configlet.rules.infrastructure import own_addresses
from configlet.rules.select import select

__all__ = ["expand", "own_addresses", "select"]
