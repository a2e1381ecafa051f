"""What each command costs before and while it works: CPU seconds of whole processes, the least of several runs.

Budgets: `--version` 0.1 s, `check dc1` 0.6 s. This prints; it judges nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = (
    ("(bare interpreter)", ["-c", "pass"], 10),
    ("--version", ["-P", "-m", "configlet", "--version"], 10),
    ("--help", ["-P", "-m", "configlet", "--help"], 10),
    ("completion bash", ["-P", "-m", "configlet", "completion", "bash"], 5),
    ("check dc1 --no-cache", ["-P", "-m", "configlet", "check", "dc1", "--no-cache"], 7),
    ("check dc1, again", ["-P", "-m", "configlet", "check", "dc1"], 7),
    ("why dc1 client1 ogw1 fix", ["-P", "-m", "configlet", "why", "dc1", "client1", "ogw1", "fix"], 5),
    ("render dc1", ["-P", "-m", "configlet", "render", "dc1"], 5),
)


def cost(arguments: list[str]) -> tuple[float, int]:
    """CPU seconds (user and system) of one run, and its exit status."""
    child = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime, child.returncode


def main() -> None:
    """One line for each command."""
    for name, arguments, times in COMMANDS:
        runs = [cost(arguments) for _ in range(times)]
        least = min(seconds for seconds, _ in runs)
        print(f"{name:<28} {least:6.3f} s CPU, least of {times}   exit status {runs[0][1]}")


if __name__ == "__main__":
    main()
