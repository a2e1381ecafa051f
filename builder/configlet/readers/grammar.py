"""A reader's grammar: small data that compiles to regular expressions, and places for what it does not know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from configlet.model.problem import Place, refuse

_REFERENCE = re.compile(r"\{([a-z][a-z0-9]*)\}")


class Source(NamedTuple):
    """A line of text with its place: ``number`` from 1, ``column`` where ``text`` begins."""

    file: str
    number: int
    column: int
    text: str

    def refuse(self, why: str, offset: int = 0) -> NoReturn:
        """End here, at the token that begins ``offset`` characters into the text. Raises Refused."""
        token = (self.text[offset:].split() or ["the end of the line"])[0]
        raise refuse(
            "Line that the reader does not know",
            f'{why}, at "{token}" in "{self.text.strip()}". A line that is not understood whole could pass anything, '
            "so nothing of this text counts as proved.",
            Place(self.file, self.number, self.column + offset),
        )


def load(path: Path) -> Mapping[str, Any]:
    """The grammar in a file, read once for each version of it."""
    return _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _load(path: Path, _: int) -> Mapping[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = yaml.load(path.read_text("utf-8"), Loader=loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise refuse("Reader that is no YAML", f"{error}. Correct the grammar.", Place(str(path))) from None
    if not isinstance(data, dict):
        raise refuse("Reader without a grammar", "The file holds no mapping.", Place(str(path)))
    return data


def by_key(said: Any, key: int) -> Any:
    """What a grammar says for one family (or protocol), where it says anything by it; else what it says for all."""
    return said[key] if isinstance(said, Mapping) and key in said else said


def words(names: Iterable[str]) -> str:
    """Alternatives, longest first, so that no name hides a longer one."""
    return "(?:" + "|".join(re.escape(name) for name in sorted(names, key=lambda n: (-len(n), n))) + r")(?![\w-])"


def expand(pattern: str, parts: Mapping[str, str]) -> str:
    """A pattern with ``{part}`` replaced, again and again until nothing is left to replace."""
    while (found := _REFERENCE.search(pattern)) and found[1] in parts:
        pattern = pattern[: found.start()] + parts[found[1]] + pattern[found.end() :]
    return pattern


def steps(clauses: Iterable[Mapping[str, Any]], parts: Mapping[str, str]) -> list[str]:
    """Patterns of an ordered row of clauses down to each of them."""
    grouped = {name: f"(?:{pattern})" for name, pattern in parts.items()}
    out: list[str] = []
    for clause in clauses:
        so_far = out[-1] if out else ""
        piece = f"{' ' if so_far else ''}(?:{expand(clause['pattern'], grouped)})(?= |$)"
        # One of two, of which the second is nothing: to the engine that costs less than what may be repeated.
        out.append(so_far + (f"(?:{piece}|)" if clause.get("optional") else piece))
    return out


class Clauses:
    """An ordered row of clauses as one regular expression; knows the word at which a line goes wrong."""

    def __init__(self, clauses: Iterable[Mapping[str, Any]], parts: Mapping[str, str]) -> None:
        self.steps = steps(clauses, parts)
        self.whole = re.compile(self.steps[-1] + "$")

    def match(self, line: Source) -> re.Match[str]:
        """The line's clauses; blanks are single. Raises Refused at the first word that fits no clause."""
        found = self.whole.match(line.text)
        if found is None:
            ends = [re.match(step, line.text) for step in self.steps]
            reached = max((m.end() for m in ends if m), default=0)
            line.refuse("This word does not fit here", min(reached + 1, len(line.text)) if reached else 0)
        return found
