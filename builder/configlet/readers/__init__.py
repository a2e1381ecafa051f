"""What a text means by its platform's syntax alone. Pure; shares no table and no code with what writes."""

from __future__ import annotations

from configlet.model.gate import Reading
from configlet.model.platform import Platform
from configlet.model.running import Running
from configlet.readers.engine import reader

__all__ = ["read", "running"]


def read(platform: Platform, kind: str, text: str, file: str) -> Reading:
    """The lists of a text, every line accounted for. ``file`` names the text in places. Raises Refused."""
    of = platform.kinds[kind]
    return reader(of.reader, of).read(text, file)


def running(platform: Platform, kind: str, text: str, file: str) -> Running:
    """The lists of a whole running configuration, each read completely or named with the line that is not understood."""
    return reader(platform.kinds[kind].reader).running(text, file)
