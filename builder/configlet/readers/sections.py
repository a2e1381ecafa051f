"""Of a whole running configuration, the sections that concern us."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from configlet.model.platform import Platform
from configlet.readers.grammar import load


def owned(platform: Platform, kind: str, text: str) -> str:
    """The lists or tables that are ours and the lines that bind any list, foreign ones too, as they stand.

    What is left out is no filter of ours; it is not understood here and need not be. An interface keeps only its
    binding lines, and only if it has one.
    """
    rules = load(platform.kinds[kind].reader)["owned"]
    kept = [line for stanza in _stanzas(text) for line in _kept(stanza, rules)]
    return "\n".join(kept) + "\n" if kept else ""


def _stanzas(text: str) -> Iterator[list[str]]:
    """A line that begins in the first column, and the indented and closing lines after it."""
    stanza: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line.strip():
            continue
        if stanza and (line[0].isspace() or line[0] == "}"):
            stanza.append(line)
        else:
            if stanza:
                yield stanza
            stanza = [line]
    if stanza:
        yield stanza


def _kept(stanza: list[str], rules: list[dict[str, Any]]) -> list[str]:
    header = stanza[0].rstrip()
    for rule in rules:
        if _compiled(rule["stanza"]).fullmatch(header):
            if "lines" not in rule:
                return stanza
            lines = [line for line in stanza[1:] if _compiled(rule["lines"]).fullmatch(line.strip())]
            return [header, *lines] if lines else []
    return []


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
