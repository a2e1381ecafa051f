"""Of a whole running configuration, the sections that concern us."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from configlet.model.braces import parts
from configlet.model.platform import Platform
from configlet.readers.grammar import load


def owned(platform: Platform, kind: str, text: str) -> str:
    """The lists or tables that are ours and the lines that bind any list, foreign ones too, as they stand.

    What is left out is no filter of ours; it is not understood here and need not be. An interface keeps only its
    binding lines, and only if it has one.
    """
    rules = load(platform.kinds[kind].reader)["owned"]
    if "path" in rules[0]:
        return _braced(text, [rule["path"] for rule in rules])
    kept = [line for stanza in _stanzas(text) for line in _kept(stanza, rules)]
    return "\n".join(kept) + "\n" if kept else ""


@dataclass(slots=True)
class _Header:
    """A header that is open: its line, whether all in it is wanted, whether it was written."""

    line: str
    wanted: bool
    written: bool = False


def _braced(text: str, patterns: list[str]) -> str:
    """Of a configuration in braces the statements whose path is wanted, in their braces.

    A text of another form is handed on whole: the reader says what is wrong with it.
    """
    open_: list[_Header] = []
    out: list[str] = []
    note: list[str] = []
    try:
        for part in parts(text):
            inside = bool(open_) and open_[-1].wanted
            if part.kind == "close":
                out += [part.text] if open_.pop().written else []
            elif part.kind == "note" and not inside:
                note.append(part.text)
                continue
            elif inside or any(_compiled(pattern).fullmatch(part.name) for pattern in patterns):
                out += [*_headers(open_), *note, part.text]
                open_ += [_Header(part.text, True, True)] if part.kind == "open" else []
            elif part.kind == "open":
                open_.append(_Header(part.text, False))
            note = []
    except ValueError:
        return text
    return "\n".join(out) + "\n" if out else ""


def _headers(open_: list[_Header]) -> Iterator[str]:
    """The headers around what is kept that were not written yet."""
    for header in open_:
        if not header.written:
            header.written = True
            yield header.line


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
