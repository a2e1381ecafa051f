"""A configuration in braces, one statement a line, walked with the path of each line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from configlet.model.frozen import dataclass

_AFTER = re.compile(r"(?<=[;{}])\s*##[^\"]*$")


@dataclass(frozen=True, slots=True)
class Part:
    """One line. ``path`` are the headers that it stands in; that of a header or a leaf ends with itself."""

    text: str
    path: tuple[str, ...]
    kind: Literal["open", "leaf", "close", "note"]

    @property
    def name(self) -> str:
        """The path in one line."""
        return " ".join(self.path)


def parts(text: str) -> Iterator[Part]:
    """The lines that are not blank. Raises ValueError, with the line, for a text that is not of this form."""
    stack: list[str] = []
    remark = False
    for line in text.replace("\r\n", "\n").split("\n"):
        said = (_AFTER.sub("", line) if "##" in line else line).strip()
        if remark or said.startswith("/*"):
            remark = not said.endswith("*/")
            yield Part(line, tuple(stack), "note")
        elif not said or said.startswith("#"):
            continue
        elif said == "}":
            if not stack:
                raise ValueError(line)
            yield Part(line, tuple(stack), "close")
            stack.pop()
        elif said.endswith("{"):
            stack.append(said[:-1].strip())
            yield Part(line, tuple(stack), "open")
        elif said.endswith(";"):
            yield Part(line, (*stack, said[:-1]), "leaf")
        else:
            raise ValueError(line)
    if stack or remark:
        raise ValueError(stack[-1] if stack else "/*")
