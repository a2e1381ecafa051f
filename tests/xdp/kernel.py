"""The XDP program under the kernel's own test run, for laws and measurements."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from configlet.encoders.xdp import Lists, encode
from configlet.encoders.xdp_layout import Encoded
from configlet.encoders.xdp_text import text
from configlet.hostside import bpf
from configlet.hostside.xdp_tables import SHARED, Generation, counters, parse

ROOT = Path(__file__).resolve().parents[2]
OBJECT = ROOT / "builder/configlet/hostside/xdp.bpf.o"
DROP, PASS = 1, 2


@cache
def impossible() -> str:
    """Why the kernel cannot be asked here; "" when it can."""
    if os.geteuid() != 0:
        return "loading a BPF program takes root"
    done = subprocess.run([sys.executable, ROOT / "scripts/bpf.py"], capture_output=True, text=True, check=False)
    if not OBJECT.is_file():
        return done.stderr.strip()
    try:
        with loaded({("towards", 4): []}) as generation:
            verdict(generation, bytes(64))
    except bpf.Trouble as trouble:
        return str(trouble)
    return ""


@cache
def library() -> bpf.Library:
    return bpf.Library()


@contextmanager
def loaded(lists: Lists, constants: Mapping[str, int] = {}, shared: Mapping[str, int] = {}, **more: Any) -> Iterator[Generation]:
    """A generation of these rows, in the kernel as long as the block runs."""
    with generation_of(encode(lists, constants=constants, **more), shared) as generation:
        yield generation


@contextmanager
def generation_of(encoded: Encoded, shared: Mapping[str, int] = {}) -> Iterator[Generation]:
    """Encoded tables in the kernel, as long as the block runs."""
    generation = Generation(library(), str(OBJECT), parse(text(encoded)), dict(shared))
    try:
        yield generation
    finally:
        generation.close()


def verified(generation: Generation) -> int:
    """How many instructions the verifier looked at, of the million that it would."""
    return bpf.ProgramInfo(library(), generation.filter).verified


def verdict(generation: Generation, frame: bytes) -> int:
    """What the program answers for a frame."""
    return bpf.test_run(library(), generation.filter, frame)[0]


def counted(generation: Generation) -> dict[str, int]:
    """Packets by result and by what else was seen, without those that are none."""
    return {name: packets for name, packets, _ in counters(library(), generation.filter) if packets}


__all__ = ["DROP", "PASS", "SHARED", "counted", "generation_of", "impossible", "library", "loaded", "verdict", "verified"]
