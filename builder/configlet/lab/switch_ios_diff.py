"""``show archive config ...`` of a simulated IOS-XE switch: what two configurations differ in."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

UNCHANGED = "!No changes were found\n"


def flat(lines: Sequence[str]) -> list[tuple[str, str]]:
    """(section header, line) of a configuration text; a header is its own line."""
    found: list[tuple[str, str]] = []
    header = ""
    for line in lines:
        word = line.strip()
        if not word or word.startswith("!") or word == "end":
            continue
        if not line.startswith(" "):
            header = word
        found.append((header, word))
    return found


def differences(old: Sequence[str], new: Sequence[str]) -> str:
    """``show archive config differences OLD NEW``."""
    before, after = flat(old), flat(new)
    out: list[str] = []
    shown = ""
    for op, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if op == "equal":
            continue
        for sign, part in (("-", before[a:b]), ("+", after[c:d])):
            for header, line in part:
                if header not in (line, shown):
                    out.append(header if (header, header) in after else f"-{header}")
                out.append(f"{sign}{line}" if header == line else f" {sign}{line}")
                shown = header
    if not out:
        return UNCHANGED
    return "\n".join(["!Contextual Config Diffs:", *out, ""])


def incremental(running: Sequence[str], lines: Sequence[str]) -> str:
    """``show archive config incremental-diffs``: the lines of a file that would be entered."""
    have = set(flat(running))
    out: list[str] = []
    shown = ""
    for header, line in flat(lines):
        if (header, line) in have:
            continue
        if header not in (line, shown, *out[-1:]):
            out.append(header)
        out.append(line if header == line else f" {line}")
        shown = header
    tail = UNCHANGED if not out else ""
    return "\n".join(["!List of Commands:", *out, "end", tail])


def filtered(text: str, verb: str, pattern: str) -> str:
    """The output of a command through ``| include``, ``exclude``, ``begin`` or ``section``."""
    import re

    wanted = re.compile(pattern)
    lines = text.splitlines()
    if verb == "include":
        kept = [line for line in lines if wanted.search(line)]
    elif verb == "exclude":
        kept = [line for line in lines if not wanted.search(line)]
    elif verb == "begin":
        first = next((n for n, line in enumerate(lines) if wanted.search(line)), len(lines))
        kept = lines[first:]
    else:
        kept, inside = [], False
        for line in lines:
            inside = bool(wanted.search(line)) or (inside and line.startswith(" "))
            kept += [line] * inside
    return "".join(f"{line}\n" for line in kept)
