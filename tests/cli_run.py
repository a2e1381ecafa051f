"""The command line as an operator meets it: a process of its own, which need not make its imports anew."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

from tests.cli_fork import Source

ROOT = Path(__file__).resolve().parents[1]
DAY = "2026-11-24"
_SOURCE = Source()
HEAVY = ("napalm", "netmiko", "asyncssh", "rich", "textual", "paramiko", "cryptography", "pyroute2", "ruamel")


def configlet(*arguments: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command; nothing of this process's lab or terminal leaks into it. With ``env`` it is begun from nothing."""
    around = {k: v for k, v in os.environ.items() if not k.startswith("CONFIGLET_")} | {
        "PYTHONPATH": str(ROOT / "builder"),
        **env,
    }
    if not env and hasattr(os, "fork"):
        return _SOURCE.run(arguments, cwd, around)
    return subprocess.run(
        [sys.executable, "-P", "-m", "configlet", *arguments],
        cwd=cwd,
        env=around,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def timed(*arguments: str, cwd: Path = ROOT) -> tuple[subprocess.CompletedProcess[str], float]:
    """The command begun from nothing, and the CPU seconds of its process and of those that it ended."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = configlet(*arguments, cwd=cwd, PYTHONHASHSEED="0")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert seconds > 0, "a fork of another process is no child of this one, and what it takes is not seen"
    return ended, seconds


def modules_of(*arguments: str, cwd: Path = ROOT) -> tuple[int, frozenset[str]]:
    """The exit status of a command, and the top-level modules that it has imported when it ends."""
    code = (
        "import sys\nfrom configlet.cli import main\n"
        f"status = main({list(arguments)!r})\n"
        "print(' '.join(sorted({n.partition('.')[0] for n in sys.modules})), file=sys.stderr)\nsys.exit(status)"
    )
    around = {**os.environ, "PYTHONPATH": str(ROOT / "builder")}
    ended = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=cwd, env=around, capture_output=True, text=True, check=False
    )
    return ended.returncode, frozenset(ended.stderr.split("\n")[-2].split())
