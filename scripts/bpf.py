#!/usr/bin/env python3
"""Builds builder/bpf/*.bpf.c into the package, where clang is. Standard library only: the wheel's build runs it too."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "builder" / "bpf"
TARGET = ROOT / "builder" / "configlet" / "hostside"
NEEDS = "clang and libbpf's headers (Debian: apt-get install --no-install-recommends clang libbpf-dev linux-libc-dev)"


def command(source: Path, target: Path) -> list[str]:
    """How one object is made. Debian keeps <asm/types.h> in a folder of the machine's own."""
    asm = f"/usr/include/{platform.machine()}-linux-gnu"
    flags = ["-O2", "-g", "-Wall", "-Werror", "-mcpu=v3", "-target", "bpf", f"-I{SOURCES}", "-idirafter", asm]
    return [shutil.which("clang") or "clang", *flags, "-c", str(source), "-o", str(target)]


def build(source: Path, target: Path) -> str:
    """Makes one object; answers "" or why not."""
    if not shutil.which("clang"):
        return f"clang is not here: the XDP object was not built. It needs {NEEDS}."
    target.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command(source, target), capture_output=True, text=True, check=False)
    if done.returncode:
        return f"{source.name} was not built. It needs {NEEDS}.\n{done.stderr}"
    return ""


def fresh(target: Path) -> bool:
    """Whether an object is newer than every source."""
    newest = max(path.stat().st_mtime for path in (*SOURCES.iterdir(), Path(__file__)))
    return target.is_file() and target.stat().st_mtime >= newest


def main() -> int:
    """Builds what is not fresh; exit status 1, with a sentence, when it cannot."""
    failed = 0
    for source in sorted(SOURCES.glob("*.bpf.c")):
        target = TARGET / source.name.replace(".c", ".o")
        if not fresh(target):
            if why := build(source, target):
                print(f"bpf: {why}", file=sys.stderr)
                failed = 1
            else:
                print(f"bpf: built {target.relative_to(ROOT)}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
