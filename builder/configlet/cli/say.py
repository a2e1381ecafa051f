"""How the commands speak: data to stdout, all the rest to stderr, colour only on a terminal that wants it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from configlet.model.problem import Place, Problem, Refused

VERSION = 1
"""The version of the JSON that commands print."""

MOST = 20
"""So many complaints of one kind are shown to a person; the others are counted."""
_TINTS = {"good": "32", "bad": "31;1", "warn": "33", "faint": "2"}


def coloured(stream: IO[str]) -> bool:
    """Whether colour may be written there (no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def tint(text: str, kind: str, stream: IO[str] | None = None) -> str:
    """The text in the colour of ``good``, ``bad``, ``warn`` or ``faint``, where colour may be."""
    return f"\033[{_TINTS[kind]}m{text}\033[0m" if coloured(stream or sys.stdout) else text


def out(text: str = "") -> None:
    """One line of data."""
    sys.stdout.write(text + "\n")


def count(number: int, name: str, many: str = "") -> str:
    """A number with its noun."""
    return f"{number} {name if number == 1 else many or name + 's'}"


def note(text: str) -> None:
    """One line for the person; a reader that went away never stops what is being done."""
    with suppress(OSError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def data(status: int, content: Mapping[str, Any]) -> None:
    """The command's answer for machines."""
    out(json.dumps({"version": VERSION, "status": status, **content}, indent=1, default=str))


def problem_data(problem: Problem) -> dict[str, Any]:
    """One complaint for machines."""
    return {
        "severity": problem.severity,
        "nature": problem.nature,
        "summary": problem.summary,
        "detail": problem.detail,
        "place": str(problem.place) if problem.place else None,
        "also": [str(place) for place in problem.also],
    }


def complaints(problems: Iterable[Problem]) -> None:
    """Complaints for people, each with its place first, so that an editor can jump there; of equal ones ``MOST``."""
    groups: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        group = groups.setdefault((problem.severity, problem.summary), [])
        group.append(problem)
        if len(group) <= MOST:
            note(_warned(problem.severity) + str(problem))
    for (severity, summary), group in groups.items():
        if len(group) > MOST:
            note(f"{_warned(severity)}{len(group) - MOST:,} more of: {summary}")
            _places(group[MOST:])
    if any(len(group) > MOST for group in groups.values()):
        note("    --json has them all")


def _warned(severity: str) -> str:
    return tint("warning: ", "warn", sys.stderr) if severity == "warning" else ""


def _places(problems: Iterable[Problem]) -> None:
    """Where complaints that are not shown are, file by file."""
    files: dict[str, list[Place]] = {}
    for problem in problems:
        if problem.place:
            files.setdefault(problem.place.file, []).append(problem.place)
    for file, places in list(files.items())[:MOST]:
        first = min(places)
        note(f"    {file}: {len(places):,}, the first at {first.line}:{first.column}")
    if len(files) > MOST:
        note(f"    and {len(files) - MOST:,} more files")


def refusal(refused: Refused, status: int, as_json: bool) -> None:
    """Why nothing was done."""
    if as_json:
        data(status, {"problems": [problem_data(p) for p in refused.problems]})
        return
    complaints(refused.problems)
    found = count(len(refused.problems), "problem")
    note(tint(f"configlet: refused, {found} (exit status {status})", "bad", sys.stderr))


def crash(trace: str) -> None:
    """The one line of an error that nobody expected; the trace goes to a file."""
    here = Path.cwd()
    root = next((p for p in (here, *here.parents) if (p / "inventory").is_dir()), None)
    note(f"configlet: internal error; nothing more was done. Please report it with {_kept(root, trace)}")


def _kept(root: Path | None, trace: str) -> str:
    import tempfile
    import time

    name = f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    for folder in (root / ".configlet" if root else None, Path(tempfile.gettempdir())):
        with suppress(OSError):
            if folder is not None:
                folder.mkdir(mode=0o700, exist_ok=True)
                path = folder / name
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w") as file:
                    file.write(trace)
                return str(path)
    return f"this:\n{trace}"
