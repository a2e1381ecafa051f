"""The very first step: the version is said before anything is imported."""

from __future__ import annotations

import gc
import sys

from configlet import __version__


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status (DESIGN 9). ``arguments`` default to the process's own."""
    given = sys.argv[1:] if arguments is None else arguments
    if given in (["--version"], ["-V"]):
        sys.stdout.write(f"configlet {__version__}\n")
        return 0
    # A command makes many small values that live until its end; looking for dead ones among them is wasted.
    gc.set_threshold(1_000_000, 50, 50)
    from configlet.cli.app import run

    status = run(given)
    if arguments is None:
        gc.freeze()  # nor is it looked through when the process ends
    return status
