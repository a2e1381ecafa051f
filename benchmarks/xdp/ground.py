"""Where measurements are made: generations with the benchmark's own programs, traces, and two namespaces with a cable."""

from __future__ import annotations

import ctypes
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "builder"), str(ROOT)]

from configlet.encoders.xdp_layout import Encoded  # noqa: E402
from configlet.encoders.xdp_text import text  # noqa: E402
from configlet.hostside import bpf  # noqa: E402
from configlet.hostside.xdp_tables import Generation, Tables, parse  # noqa: E402
from configlet.model.policy import ANY_PROTO, Entry  # noqa: E402

PACKETS = 65_536
MAC = b"\x02\0\0\0\0\1"
PROGRAMS = (
    "bench_empty", "bench_copy", "bench_parse", "bench", "check", "generate", "hot",
    "burst_empty", "burst_copy", "burst", "burst_check",
)  # fmt: skip
Packets = Sequence[tuple[int, int, int, int, int]]
"""Source, destination, protocol, source port, destination port."""
BURST = 64
"""Packets that one run of a `burst` program takes, as in bench.bpf.c."""
LIBC = ctypes.CDLL(None, use_errno=True)
NEWNET = 0x40000000
LIVE_FRAMES = 2


@cache
def built() -> Path:
    """The benchmark's object, around the product's own headers."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("bpf_build", ROOT / "scripts" / "bpf.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    target = Path(tempfile.gettempdir()) / "configlet-bench.bpf.o"
    if why := module.build(Path(__file__).with_name("bench.bpf.c"), target):
        raise SystemExit(f"bench_xdp: {why}")
    return target


class Measured(Generation):
    """A generation in the benchmark's object."""

    def _size(self, tables: Tables, shared: dict[str, int]) -> None:
        super()._size(tables, shared)
        self.object.resize("trace", PACKETS)
        self.object.resize("answers_", PACKETS)


@contextmanager
def measured(library: bpf.Library, path: Path, encoded: Encoded, only: Sequence[str] = PROGRAMS) -> Iterator[Measured]:
    generation = Measured(library, str(path), parse(text(encoded)), {}, tuple(only))
    try:
        yield generation
    finally:
        generation.close()


def header(src: int, dst: int, proto: int, sport: int, dport: int) -> bytes:
    """64 bytes of a frame, of which 48 are copied: everything that a filter looks at."""
    size = 44 if proto == 6 else 50
    ends = src.to_bytes(4, "big") + dst.to_bytes(4, "big")
    first = struct.pack("!BBHHHBB", 0x45, 0, size, 1, 0, 64, proto)
    total = sum(struct.unpack("!9H", first + ends))
    total = (total & 0xFFFF) + (total >> 16)
    made = MAC + bytes(6) + b"\x08\x00" + first + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + ends
    if proto == 6:
        made += struct.pack("!HHIIBB", sport, dport, 1, 0, 0x50, 0x02)
    elif proto == 17:
        made += struct.pack("!HHHH", sport, dport, 30, 0)
    else:
        made += struct.pack("!BBH", dport >> 8, dport & 255, 0)
    return made.ljust(64, b"\0")


def hits(entries: Sequence[Entry], count: int = PACKETS) -> list[tuple[int, int, int, int, int]]:
    """A header inside a filter that is chosen at random, so many times."""
    dice = random.Random(5)
    out = []
    for _ in range(count):
        proto, dst, src, dport, sport, *_ = dice.choice(entries).box
        number = dice.choice((6, 17)) if proto == ANY_PROTO else proto[0]
        out.append((dice.randint(*src), dice.randint(*dst), number, dice.randint(*sport), dice.randint(*dport)))
    return out


def misses(entries: Sequence[Entry], count: int = PACKETS) -> list[tuple[int, int, int, int, int]]:
    """Random peers and ports to the local addresses: default deny."""
    dice = random.Random(6)
    locals_ = [entry.box[1][0] for entry in entries]
    return [
        (dice.randrange(1 << 32), dice.choice(locals_), dice.choice((6, 17)), dice.randrange(65536), dice.randrange(65536))
        for _ in range(count)
    ]


def frames(packets: Packets) -> bytes:
    """A trace as it lies in memory."""
    return b"".join(header(*packet) for packet in packets)


def lay(library: bpf.Library, generation: Measured, trace: bytes) -> None:
    bpf.write_array(library, generation.object.map_fd("trace"), trace, freeze=False)


def passes(library: bpf.Library, fd: int, many: int, burst: int = 1) -> list[float]:
    """Nanoseconds a packet of so many passes over the trace, by the kernel's clock; a run takes ``burst`` packets."""
    with ahead():
        return [bpf.test_run(library, fd, bytes(64), PACKETS // burst)[1] / burst for _ in range(many)]


@contextmanager
def ahead() -> Iterator[None]:
    """No other process takes this CPU in the middle of a pass: what it would leave in the caches is not measured."""
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, *before)


@contextmanager
def receiver() -> Iterator[None]:
    """A namespace of our own with an interface `rx0`, for this thread as long as the block runs."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    if LIBC.unshare(NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    try:
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "rx0", "address", MAC.hex(":"), "type", "veth", "peer", "name", "tx0")
        run("ip", "link", "set", "rx0", "up")
        run("ip", "link", "set", "tx0", "up")
        yield
    finally:
        enter(home)
        os.close(home)


def enter(namespace: int) -> None:
    if LIBC.setns(namespace, NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def run(*argv: str, text: str | None = None, check: bool = True) -> str:
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise OSError(f"{argv[0]}: {done.stderr.strip()[-300:]}")
    return done.stdout


class _Context(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("data", "data_end", "meta", "ingress", "queue", "egress")]


def into_stack(library: bpf.Library, generation: Measured, packets: int, batches: int) -> float:
    """Nanoseconds a packet, the least of some batches, from the generator through the stack to where it is dropped.

    Frames are handed to the stack in the thread that makes them: there is no queue in which one could be lost.
    """
    fd, least = generation.object.program_fd("generate"), 0.0
    for _ in range(batches):
        began = time.perf_counter()
        _live(library, fd, packets)
        taken = (time.perf_counter() - began) / packets * 1e9
        least = min(least or taken, taken)
    return least


def _live(library: bpf.Library, fd: int, packets: int) -> None:
    data = ctypes.create_string_buffer(header(1, 2, 6, 3, 4), 64)
    context = _Context(data_end=64, ingress=socket.if_nametoindex("rx0"))
    options = bpf._TestRun(sz=ctypes.sizeof(bpf._TestRun), repeat=packets, data_size_in=64, flags=LIVE_FRAMES, batch_size=64)
    options.data_in, options.ctx_in = ctypes.addressof(data), ctypes.addressof(context)
    options.ctx_size_in = ctypes.sizeof(context)
    library.call("bpf_prog_test_run_opts", fd, ctypes.byref(options))


PLAIN: Mapping[str, int] = {"use_counters": 0}
EVERYTHING: Mapping[str, int] = {
    "use_counters": 1, "use_connections": 1, "events": 1024, "ethertype0": 0x88CC, "timeout_tcp": 3600, "timeout_other": 60,
}  # fmt: skip
