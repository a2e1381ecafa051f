"""What a tool lists of its rules, block by block, as the lines with which they are typed: a grammar says which word is which."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from configlet.model.problem import Place, refuse


def listed(shown: Mapping[str, Any], text: str, file: str) -> list[str]:
    """The lines of a text, each listing in it turned into lines. Raises Refused for a line that no pattern knows.

    A listing stands under ``# shown NIC``; everything else stays as it is.
    """
    out: list[str] = []
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        found = re.fullmatch(r"# shown ([\w.-]+)", lines[at])
        if not found:
            out.append(lines[at])
            at += 1
            continue
        end = next((n for n in range(at + 1, len(lines)) if lines[n].startswith("# ")), len(lines))
        out += _rules(shown, found[1], lines[at + 1 : end], (file, at + 2))
        at = end
    return out


def _rules(shown: Mapping[str, Any], nic: str, lines: list[str], at: tuple[str, int]) -> Iterator[str]:
    block: dict[str, list[str]] | None = None
    for number, line in enumerate(lines, at[1]):
        begins = re.fullmatch(shown["begin"], line)
        if begins:
            if block is not None:
                yield _written(shown, nic, block, (at[0], number))
            block = {"begin": [group for group in begins.groups() if group is not None]}
        elif any(re.fullmatch(pattern, line) for pattern in shown["idle"]):
            continue
        elif block is None:
            raise _odd(at[0], number, line)
        else:
            _taken(shown, block, line, (at[0], number))
    if block is not None:
        yield _written(shown, nic, block, at)


def _taken(shown: Mapping[str, Any], block: dict[str, list[str]], line: str, at: tuple[str, int]) -> None:
    for word in shown["lines"]:
        found = re.fullmatch(word["is"], line)
        if found:
            block.setdefault(word["part"], []).append(word.get("as", "").format(*found.groups()))
            return
    raise _odd(*at, line)


def _written(shown: Mapping[str, Any], nic: str, block: Mapping[str, list[str]], at: tuple[str, int]) -> str:
    """The rule as it is typed, its words in the order in which the grammar names their parts."""
    missing = [part for part in shown["needs"] if part not in block]
    if missing:
        raise refuse("Rule that is not where it must be", f"{shown['needs'][missing[0]]}", Place(*at))
    words = "".join(word for part in shown["order"] for word in block.get(part, ()))
    said = {part: "".join(block.get(part, ())) for part in shown["needs"]}
    return str(shown["write"].format(*block["begin"], nic=nic, words=words, **said))


def _odd(file: str, number: int, line: str) -> Exception:
    what = f'"{line.strip()[:80]}" is no line that a listing of its rules has. Nothing is known of what it passes.'
    return refuse("Table of a NIC that cannot be read", what, Place(file, number))
