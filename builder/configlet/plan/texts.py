"""The text that takes a device from one state of our sections to another, applied as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

RESET = "table inet configlet\ndelete table inet configlet\n"
"""nftables: adding a table that exists is no error and deleting one that does not is, so this always works."""

_BY_LINE = "interface "


def load_text(kind: str, before: str, after: str, text: str) -> str:
    """What is sent. ``before`` and ``after`` are canonical; ``text`` is what says ``after``, and is sent as it is.

    A table (``filter-table``) is replaced whole. Of a device's sections only those that differ are sent: a list is
    removed and written anew, so that no old line stays; bindings go before the lists that they name.
    """
    if kind == "filter-table":
        return text if text.startswith(RESET) else RESET + text
    old, new, said = _blocks(before), _blocks(after), _blocks(text)
    lines: list[str] = []
    for header, body in new.items():
        if not header.startswith(_BY_LINE) and old.get(header) != body:
            lines += [f"no {header}"] if header in old else []
            lines += [header, *(f"   {line}" for line in said[header])]
    for header in {**old, **new}:
        if header.startswith(_BY_LINE):
            lines += _bindings(header, old.get(header, []), new.get(header, []))
    lines += [f"no {header}" for header in old if not header.startswith(_BY_LINE) and header not in new]
    return "".join(f"{line}\n" for line in lines)


def _bindings(header: str, old: Sequence[str], new: Sequence[str]) -> list[str]:
    gone = [f"   no {line}" for line in old if line not in new]
    come = [f"   {line}" for line in new if line not in old]
    return [header, *gone, *come] if gone or come else []


@lru_cache(maxsize=6)
def _blocks(text: str) -> Mapping[str, Sequence[str]]:
    """Unindented header to its indented lines, comments left out; one header twice is one block.

    The way there and the way back ask for the same texts, and both of a pair do.
    """
    found: dict[str, list[str]] = {}
    body: list[str] = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("!"):
            continue
        if line[0].isspace():
            body.append(line.strip())
        else:
            body = found.setdefault(line.rstrip(), [])
    return found
