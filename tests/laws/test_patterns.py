"""Patterns mean the same in every Python that we run on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from configlet.workspace.shapes import Shapes, quickly

BUILDER = Path(__file__).parents[2] / "builder"
_UNSURE = re.compile(r"(?<!\\)(?<![+*?}])[*+?}]\+(?!\+)|\(\?>")
"""Possessive quantifiers and atomic groups: before Python 3.11.5 what is around them may fail to match
(https://github.com/python/cpython/issues/106052), and Debian 12 has 3.11.2."""


def texts_of(file: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def test_no_pattern_is_possessive() -> None:
    files = sorted(BUILDER.rglob("*.py"))
    assert files
    assert [(str(file), line) for file in files for line, text in texts_of(file) if _UNSURE.search(text)] == []


@pytest.mark.parametrize("pattern", ["(?:a?b)*+", "a++", "a{2}+", "a?+", "(?>ab?)c"])
def test_what_is_possessive_is_found(pattern: str) -> None:
    assert _UNSURE.search(pattern)


@pytest.mark.parametrize("pattern", [r"\++", r"a+", r"[a-z]*\+", "+++ a"])
def test_what_only_looks_like_it_is_not(pattern: str) -> None:
    assert not _UNSURE.search(pattern)


def test_alike_items_are_read_by_their_shape() -> None:
    item = "  h{0}:  # one\n    # and more\n\n    networks: [a, b]\n    services: [ssh, web]  # both\n"
    text = "hosts:\n" + "".join(item.format(i) for i in range(100))
    shapes = Shapes()
    assert quickly(text, shapes) is not None
    assert shapes.made == 1
