"""``python -m configlet`` is the command ``configlet``."""

from __future__ import annotations

import atexit
import os
import sys

from configlet.cli import main


def entry() -> None:
    """Run the command and end the process at once: to take a large site apart value by value would only take time.

    What was registered for the end is done and what was written is sent first. With other threads alive, or a reader of
    the output that is gone, Python ends the process as it always does.
    """
    status = main()
    threads = sys.modules.get("threading")
    if threads is None or threads.active_count() == 1:
        atexit._run_exitfuncs()
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):
            sys.exit(status)
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    entry()
