"""Progress: a bar on a terminal, plain lines without one. Told from several threads."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from configlet.cli import say

Tell = Callable[[str, str, str], None]
"""(device or host, step, words)."""
PATIENCE = 1.0
"""Seconds after which work that is counted is shown."""
QUIET = frozenset({"check", "stage", "probe", "confirm"})
"""Steps that a bar shows in passing and lines leave out: what follows them says how they went."""


def on_terminal() -> bool:
    """Whether a person watches stderr."""
    return say.coloured(sys.stderr)


@contextmanager
def following(what: str, total: int) -> Iterator[Tell]:
    """What to call as things happen; a step ``done`` counts towards the total."""
    if on_terminal() and total:
        with _bar(what, total) as tell:
            yield tell
    else:
        yield _line


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """What to call with how many of how many are done; None where nobody watches. Short work shows nothing."""
    if not on_terminal():
        yield None
        return
    began, shown = time.monotonic(), False

    def tell(done: int, total: int) -> None:
        nonlocal shown
        if time.monotonic() - began > PATIENCE:
            shown = True
            sys.stderr.write(f"\r\033[K{what}: {done} of {total}")
            sys.stderr.flush()

    try:
        yield tell
    finally:
        if shown:
            sys.stderr.write("\r\033[K")


def _line(owner: str, step: str, words: str) -> None:
    if step not in QUIET:
        say.note(f"  {owner:<10} {step:<8} {words}")


@contextmanager
def _bar(what: str, total: int) -> Iterator[Tell]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task: Any = bar.add_task(what, total=total)

        def tell(owner: str, step: str, words: str) -> None:
            if step == "done":
                bar.console.print(escape(f"  {owner:<10} {words}"), highlight=False)
                bar.advance(task)
            else:
                bar.update(task, description=escape(f"{what}: {owner} {step}"))

        yield tell
