"""What this machine can do for XDP tables. Nothing else needs any of it."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from configlet.lab.features import Feature

OBJECT = "xdp.bpf.o"
_BUILD = "clang and libbpf's headers, then make bpf (apt install clang libbpf-dev linux-libc-dev)"


def probe_xdp() -> tuple[Feature, ...]:
    """The program (built where clang is), libbpf, root, and whether the kernel takes a program."""
    return tuple(_probe())


def _probe() -> Iterator[Feature]:
    built = Path(str(files("configlet.hostside") / OBJECT))
    there = built.is_file()
    yield Feature("XDP program", there, str(built) if there else "was not built", _BUILD)
    library = _library()
    yield Feature("libbpf", not library, library or "libbpf.so.1", "libbpf.so.1 (apt install libbpf1)")
    root = os.geteuid() == 0
    yield Feature("root for XDP", root, "root" if root else "an ordinary user", "root, outside of user namespaces")
    if there and root and not library:
        why = _refused(built)
        remedy = "Linux 5.10 with CONFIG_BPF_SYSCALL"
        yield Feature("XDP in the kernel", not why, why or "the kernel verified the program", remedy)


def _library() -> str:
    try:
        ctypes.CDLL("libbpf.so.1")
    except OSError as error:
        return str(error)
    return ""


def _refused(built: Path) -> str:
    """Why the kernel takes no program of ours; "" when it does."""
    from configlet.hostside import bpf

    try:
        opened = bpf.Object(bpf.Library(), str(built))
        opened.only("dispatch")
        opened.load()
        opened.close()
    except bpf.Trouble as trouble:
        return str(trouble)
    return ""
