"""Hostile inputs as data: a small change to a copy of dc1, the exact place of the first complaint, and its words.

``§`` in the new text marks the place that the complaint must name; it is taken out before the file is written. A case
without it names its place by ``at``, a file and a text in it. An empty ``old`` replaces the whole file (or makes one).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MARK = "§"
STOCK = Path(__file__).resolve().parents[3] / "inventory" / "dc1"
NICS = frozenset(("solarflare-x2-serverlock", "solarflare-x2", "mellanox-connectx6", "intel-e810", "virtio"))


@dataclass(frozen=True, slots=True)
class Case:
    """One hostile input."""

    name: str
    file: str
    old: str
    new: str
    summary: str
    word: str = ""
    nature: Literal["invalid", "red"] = "invalid"
    at: tuple[str, str] = ("", "")


def plant(case: Case, root: Path) -> str:
    """Copy dc1 below ``root`` with the case in it; the place that the first complaint must name."""
    site = root / "inventory" / "dc1"
    shutil.copytree(STOCK, site)
    path = site / case.file
    new = case.new
    if case.old:
        before = path.read_text()
        assert before.count(case.old) >= 1, f"{case.file} no longer holds {case.old!r}"
        new = before.replace(case.old, case.new, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(new.replace(MARK, "").encode("utf-8", "surrogateescape"))
    if MARK in new:
        return _place(case.file, new, new.index(MARK))
    file, text = case.at
    content = (site / file).read_text()
    return _place(file, content, content.index(text))


def _place(file: str, text: str, at: int) -> str:
    head = text[:at]
    return f"inventory/dc1/{file}:{head.count(chr(10)) + 1}:{len(head) - head.rfind(chr(10))}"
