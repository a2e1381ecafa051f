"""Texts that somebody else wrote, as they stand in their files."""

from __future__ import annotations

import re
from pathlib import Path

from configlet.model.problem import Place, refuse


def foreign(file: Path) -> str:
    """A text that somebody else wrote, line by line as it stands: only a mark of its encoding at the very start is left
    out, and a carriage return stays one, as devices end no line at it.

    Raises Refused, with line and column, for bytes that are not UTF-8, and for what cannot be read.
    """
    try:
        raw = file.read_bytes()
    except OSError as error:
        detail = f"{error.strerror}, when it was read. Nothing is known of what it says."
        raise refuse("File that cannot be read", detail, Place(str(file))) from error
    try:
        return re.sub(r"\r+\n", "\n", raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        detail = (
            f"Byte 0x{raw[error.start]:02x} is not UTF-8, so what the device would understand is in doubt. Save the file "
            "as UTF-8; of an old device it may be Latin-1: iconv -f latin1 -t utf-8."
        )
        place = Place(str(file), before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise refuse("Not a text", detail, place) from error
