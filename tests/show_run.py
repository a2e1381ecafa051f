"""What the lines of every issue's show have in common: clean clones, a demo in one, a pushed lab, tests that passed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli_run import ROOT, configlet

Shown = tuple[int, int, str]
DEMO_SECONDS = 180
LEAST_PACKETS = 500
NOBODY = 65534


@contextmanager
def clean_clone(owner: int | None = None) -> Iterator[Path]:
    """A clone of what is committed, in a folder of its own, perhaps owned by somebody else."""
    with tempfile.TemporaryDirectory(prefix="configlet-show-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        if owner is not None:
            Path(folder).chmod(0o755)
            for path in (Path(folder), clone, *clone.rglob("*")):
                os.chown(path, owner, owner, follow_symlinks=False)
        yield clone


def demo_in(clone: Path, *before: str, **env: str) -> tuple[bool, str]:
    """Whether `make demo` kept its promises there, and its last line. Downloads are made before the clock starts."""
    # A make inside a make says where it is, and that would be the last line.
    around = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")} | env
    subprocess.run([*before, "make", "setup"], cwd=clone, env=around, check=True, stdout=subprocess.DEVNULL)
    started = time.monotonic()
    ended = subprocess.run(
        [*before, "make", "demo"], cwd=clone, env=around, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - started
    last = (ended.stdout.strip().splitlines() or [""])[-1]
    counts = re.fullmatch(r"demo: (\d+) packets sent, (\d+) as the policy says", last)
    good = (
        ended.returncode == 0
        and counts is not None
        and int(counts[1]) >= LEAST_PACKETS
        and counts[1] == counts[2]
        and seconds < DEMO_SECONDS
    )
    if not good:
        sys.stderr.write((ended.stdout + ended.stderr)[-6000:])
    return good, f"{last}, after {seconds:.0f} s"


@contextmanager
def pushed_lab() -> Iterator[Path]:
    """A workspace of its own whose lab is up and has the policy."""
    with tempfile.TemporaryDirectory(prefix="configlet-show-") as folder:
        workspace = Path(folder) / "workspace"
        for words in (("init", str(workspace)), ("lab", "up", "dc1"), ("push", "dc1", "--lab", "--yes")):
            ended = configlet(*words, cwd=ROOT if words[0] == "init" else workspace)
            assert ended.returncode == 0, (words, ended.stdout, ended.stderr)
        try:
            yield workspace
        finally:
            configlet("lab", "down", "dc1", cwd=workspace)


def passed(*arguments: str, **env: str) -> int:
    """How many tests passed; none when any failed. With ``-vv`` each is said as it ends."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    said: list[str] = []
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            said.append(line)
            if "-vv" in arguments and (" PASSED " in line or " FAILED " in line):
                sys.stderr.write(line)
    whole = "".join(said)
    found = re.search(r"(\d+) passed", whole)
    if running.returncode or not found:
        sys.stderr.write(whole[-4000:])
        return 0
    return int(found[1])
