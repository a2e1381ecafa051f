"""What a command costs: CPU seconds and peak memory of a fresh process and its children, and what machine it was."""

from __future__ import annotations

import os
import platform
import subprocess
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
    """Run a command to its end. Raises RuntimeError with what it said when it fails."""
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            text = said.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}:\n{text}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / MIB)


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
