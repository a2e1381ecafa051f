"""The program as it is where something of XDP's needs is missing: no root, no clang, no libbpf. All else must work there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
TOOLS = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"


def copied(folder: Path) -> Path:
    """A checkout without the BPF object, which anybody may read."""
    for name in ("builder", "configlets", "inventory", "playbooks", "scripts", "tests", "pyproject.toml"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("*.bpf.o", "__pycache__"))
        else:
            shutil.copy(source, folder / name)
    for path in (folder, *folder.parents):
        if path.stat().st_uid == os.geteuid() and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o055)
    return folder


def without_clang(folder: Path) -> str:
    """A search path that has everything but clang."""
    there = folder / "tools"
    there.mkdir()
    for place in TOOLS.split(":"):
        for tool in Path(place).glob("*") if Path(place).is_dir() else ():
            if not tool.name.startswith("clang") and not (there / tool.name).exists():
                (there / tool.name).symlink_to(tool)
    return str(there)


def run(folder: Path, *words: str, path: str = TOOLS, nobody: bool = False, no_libbpf: bool = False) -> tuple[int, str]:
    """A module of the copy; its exit status and all that it said."""
    argv = [sys.executable, "-P", "-m", *words]
    if no_libbpf:
        hidden = "".join(f"mount --bind /dev/null {name}; " for name in Path("/usr/lib").glob("*/libbpf.so.1*"))
        argv = ["unshare", "-m", "sh", "-c", f'{hidden}exec "$@"', "sh", *argv]
    env = {"PATH": path, "PYTHONPATH": f"{folder / 'builder'}:{folder}", "HOME": str(folder), "NO_COLOR": "1",
           "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip
    if nobody:
        # Nothing of root's but that the interpreter may be read wherever it is.
        caps = "-all,+dac_read_search"
        argv = ["setpriv", f"--reuid={NOBODY}", "--clear-groups", f"--inh-caps={caps}", f"--ambient-caps={caps}", *argv]
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr
