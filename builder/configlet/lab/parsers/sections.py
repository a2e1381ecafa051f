"""The form of a running configuration of Cisco's kind: lines at the margin, each with its indented ones."""

from __future__ import annotations

from configlet.lab.parsers.eos import Unreadable


def sections(text: str) -> list[tuple[str, list[str]]]:
    """Each line at the margin with the lines below it. Raises Unreadable for an indented line that has none above."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.strip().startswith("!") or not line.strip():
            continue
        if not line.startswith(" "):
            found.append((line.rstrip(), []))
        elif found:
            found[-1][1].append(line.strip())
        else:
            raise Unreadable(line)
    return found
