"""Items of which each line can be YAML in one way alone, whatever harmless words stand in their holes.

An evident line is blanks, perhaps a dash, a short name and its colon, and then a scalar on that line, or a list or map in
brackets that ends there. No scalar of it holds what ends a scalar where it stands, a name is shorter than what the parser
looks back for, and all that decides how lines nest, their first columns, dashes and names, is no hole's. So the parser
makes of two items that differ in words alone the same events with other words in them; what it makes of the first of them
is known. Of a text that is not evident nothing is said.
"""

from __future__ import annotations

import re

FLOW, BLOCK = r"A-Za-z0-9_./@+=()'&-", r"A-Za-z0-9_./@+=()'&,;!%-"
"""What a plain scalar may have inside, in brackets and out of them."""
NO_WORD = r"(?!(?:true|false|null) *[,\]}#\n])"
KEY = r"[A-Za-z][A-Za-z0-9_./-]{0,99}"
TRUTH, NUMBER = "true|false", "0|[1-9][0-9]{0,17}"
QUOTED = (('"', r"[ !#-\[\]-~]*"), ("'", r"[ !#-&(-\[\]-~]*"))


def words_of(inside: str) -> tuple[str, str, str]:
    """Plain scalars that are surely texts: those that begin with a letter, with a number, and those with colons."""
    return (
        rf"{NO_WORD}[A-Za-z][ {inside}]*(?<! )",
        rf"[0-9]+[A-Za-z_./-][ {inside}]*(?<! )",
        rf"[A-Za-z0-9][{inside}]*:[:{inside}]*[{inside}]",
    )


def _scalar(inside: str) -> str:
    quoted = "|".join(f"{quote}{text}{quote}" for quote, text in QUOTED)
    return f"(?:{'|'.join(words_of(inside))}|{TRUTH}|{NUMBER}|{quoted})"


_NAME = re.compile(rf"{KEY}: ")
_OPEN = re.compile(rf" *(?:- )?{KEY}:\n")
_BEGIN = re.compile(rf" *(?:- (?:{KEY}: )?|{KEY}: )")
_WHOLE = re.compile(rf"{_scalar(BLOCK)}\n")
_MEMBER = re.compile(rf"{_scalar(FLOW)}(?=, |[\]}}])")
_CLOSING = {"[": "]", "{": "}"}


def is_evident(text: str) -> bool:
    """Whether each line of an item is evident."""
    return all(map(_is_line, text.splitlines(keepends=True)))


def _is_line(line: str) -> bool:
    begin = _BEGIN.match(line)
    if begin is None:
        return _OPEN.fullmatch(line) is not None
    at = begin.end()
    if line[at] in _CLOSING:
        return line[_behind(line, at) :] == "\n"
    return _WHOLE.fullmatch(line, at) is not None


def _behind(line: str, at: int) -> int:
    """The place behind the member of a list or map that begins at a place; 0 when it is not evident."""
    closing = _CLOSING.get(line[at])
    if closing is None:
        scalar = _MEMBER.match(line, at)
        return scalar.end() if scalar else 0
    while True:
        at += 1
        if closing == "}":
            name = _NAME.match(line, at)
            if name is None:
                return 0
            at = name.end()
        at = _behind(line, at)
        if line[at] == closing:
            return at + 1
        if not at or not line.startswith(", ", at):
            return 0
        at += 1
