"""What a command costs: CPU seconds and peak memory of a fresh process and its children, and what machine it was."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

MIB = 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds (user and system) and the largest resident memory of one process of the tree, in MiB."""

    cpu: float
    peak: float


def once(command: Sequence[str], folder: Path) -> Cost:
    """Run a command to its end. Raises RuntimeError with what it said when it fails.

    A process of its own starts it and waits: a child's peak counts from what its parent held when it was started.
    """
    words = [sys.executable, "-I", __file__, *command]
    ended = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {ended.returncode}:\n{ended.stderr[-2000:]}")
    cpu, peak = ended.stdout.split()[-2:]
    return Cost(float(cpu), float(peak) / MIB)


def _started(command: Sequence[str]) -> int:
    """Start the command here, say what it cost, and end as it ended; what it says goes to stderr."""
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        if child.returncode:
            sys.stderr.write(said.read().decode(errors="replace")[-2000:])
    sys.stdout.write(f"{used.ru_utime + used.ru_stime} {used.ru_maxrss}\n")
    return child.returncode


def middle(costs: Sequence[Cost]) -> Cost:
    """The median of the times, and the worst of the peaks."""
    return Cost(median(cost.cpu for cost in costs), max(cost.peak for cost in costs))


def machine() -> str:
    """The machine in one line."""
    model = "unknown processor"
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    system = f"{platform.system()} {platform.release()}"
    return f"{os.cpu_count()} cores of {model}, {system}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(_started(sys.argv[1:]))
