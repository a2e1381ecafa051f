"""The XDP filter table beside nftables, iptables, ipset and rte_acl, on the same filters. Root; it prints, it judges nothing.

    bench_xdp.py                 everything: the curve, the peers, what a replacement costs (some twenty minutes)
    bench_xdp.py curve|peers|load [SIZE ...]

Nanoseconds a packet, least / median of many passes over 65,536 distinct packets, in the kernel's test run of the program
alone, base included: nothing is subtracted, and `empty` and `copy` say what of it is the method. `one a run` has one packet
in each run, and so the kernel's own work around a run; `bursts` has 64 in each, with a call and a return for each of them, as
a driver's loop over its ring has (docs/decisions/0074). Both have the same verdicts, packet by packet, or nothing is printed
but that. All tables stand in the kernel at once and take their passes in rounds (`rounds.py`); `curve` of all sizes, some
eight minutes, draws docs/xdp-curve.svg. Of peers, what a verdict adds to a packet's way into the stack, where the same last
chain drops every packet that they accept.
"""

from __future__ import annotations

import gc
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "builder"), str(Path(__file__).resolve().parents[2])]

from benchmarks.xdp import ground, peers, plot, rounds  # noqa: E402
from configlet.encoders.xdp import Per, encode  # noqa: E402
from configlet.encoders.xdp_text import text  # noqa: E402
from configlet.hostside import bpf  # noqa: E402
from configlet.hostside.xdp_tables import Generation, parse  # noqa: E402
from configlet.model.policy import Entry  # noqa: E402
from tests.xdp import rule_sets  # noqa: E402
from tests.xdp.kernel import OBJECT  # noqa: E402

SIZES = (10, 100, 1_000, 5_000, 20_000, 100_000)
ROUNDS, PASSES = 40, 8
Point = tuple[int, float]
Packets = ground.Packets
MODES = {"plain": ground.PLAIN, "everything on": ground.EVERYTHING}
TITLE = "XDP table: nanoseconds a packet (least, in bursts of 64, base included) by filters"
PICTURE = ground.ROOT / "docs" / "xdp-curve.svg"
DRAWN = {
    "XDP segment, plain, hit, bursts": "segment policy, hit",
    "XDP segment, plain, miss, bursts": "segment policy, miss",
    "XDP segment, everything on, hit, bursts": "segment policy, everything on, hit",
    "XDP random verdicts, plain, hit, bursts": "random five-tuples, hit, two results",
    "XDP random, plain, hit, bursts": "random five-tuples, hit, a result each",
    "method (copy, bursts)": "of each: the copy and the method",
}
"""What the picture shows of the curve, and what it is called there."""


def segment(size: int) -> list[Entry]:
    return rule_sets.segment(random.Random(1), size)


def scattered(size: int) -> list[Entry]:
    return rule_sets.scattered(random.Random(1), size)


SETS: dict[str, tuple[Callable[[int], list[Entry]], Per]] = {
    "segment": (segment, "rule"), "random": (scattered, "rule"), "random verdicts": (scattered, "verdict"),
}  # fmt: skip
"""Filters by name, and what the tables tell apart (every random filter is a rule of its own)."""


def curve(sizes: Sequence[int] = SIZES, draw: bool = False, many: int = ROUNDS) -> dict[str, list[Point]]:
    """The program alone, over sizes: plain and with everything on, hits and misses, one packet a run and in bursts.

    All tables stand in the kernel at once, and take their passes in turns. ``draw`` keeps the picture as it grows.
    """
    library = bpf.Library()
    with ExitStack() as stack:
        subjects = [stack.enter_context(one) for name in SETS for size in sizes for one in _subjects(library, name, size)]
        for number in range(many):
            for one in subjects:
                one.passes(PASSES)
            if draw:
                _draw(_points(subjects))
            print(f"round {number + 1} of {many}, of {PASSES} passes each", end="\r", file=sys.stderr, flush=True)
        for name in SETS:
            for size in sizes:
                print(f"{name} {size:,}: least/median of {many * PASSES} passes over {ground.PACKETS:,} distinct packets")
                for one in subjects:
                    if (one.name, one.size) == (name, size):
                        print(*one.words(), sep="\n", flush=True)
        return _points(subjects)


def _subjects(library: bpf.Library, name: str, size: int) -> list[AbstractContextManager[rounds.Subject]]:
    make, per = SETS[name]
    entries = make(size)
    began = time.process_time()
    made = encode({("towards", 4): entries}, per=per)
    words = f"{made.size / 1e6:.2f} MB, compiled in {time.process_time() - began:.2f} s of CPU"
    print(f"{name} {size:,}: results by {per}, {words}", flush=True)
    packets = {"hit": ground.hits(entries), "miss": ground.misses(entries)}
    traces = {trace: ground.frames(many) for trace, many in packets.items()}
    modes = {mode: replace(made, constants={**made.constants, **constants}) for mode, constants in MODES.items()}
    return [rounds.subject(library, name, mode, encoded, entries, packets, traces) for mode, encoded in modes.items()]


def _points(subjects: Sequence[rounds.Subject]) -> dict[str, list[Point]]:
    found: dict[str, dict[int, float]] = {}
    for one in subjects:
        for key, least in one.least().items():
            label = f"method ({key})" if key.startswith(("empty", "copy")) else f"XDP {one.name}, {one.mode}, {key}"
            of = found.setdefault(label, {})
            of[one.size] = min(least, of.get(one.size, least))
    return {label: list(of.items()) for label, of in found.items()}


def _draw(found: Mapping[str, list[Point]], peers_: Mapping[str, list[Point]] = {}) -> None:
    """The picture: bursts, what of them is the method, and peers where they were measured."""
    mine = {shown: found[name] for name, shown in DRAWN.items() if name in found}
    PICTURE.write_text(plot.svg({**mine, **peers_}, TITLE))


def beside(sizes: Sequence[int] = (10, 100, 1_000, 5_000, 20_000, 100_000)) -> dict[str, list[Point]]:
    """What a verdict adds on the way over a cable: XDP and its peers."""
    library, path = bpf.Library(), ground.built()
    found: dict[str, list[Point]] = {}
    for size in sizes:
        entries = segment(size)
        traces = {"hit": ground.hits(entries), "miss": ground.misses(entries)}
        encoded = encode({("towards", 4): entries}, constants={"use_counters": 1})
        with ground.measured(library, path, encoded) as generation, ground.receiver():
            for trace, packets in traces.items():
                ground.lay(library, generation, ground.frames(packets))
                floor, whole = (
                    min(ground.passes(library, generation.object.program_fd(part), ROUNDS * PASSES))
                    for part in ("bench_copy", "bench")
                )
                found.setdefault(f"XDP, {trace}", []).append((size, whole - floor))
                words = f"{'XDP':<11} adds {whole - floor:10,.0f} ns   (whole {whole:.0f})"
                print(f"kernel {size:>7,} {trace:<4} {words}", flush=True)
            for form, write in peers.FORMS.items():
                if size > 5_000 and form in ("nft linear", "iptables", "nft sets"):
                    continue
                _peer(library, generation, form, write(entries), traces, size, found)
        for trace, packets in traces.items():
            added, words = rte_acl(entries, packets)
            if added:
                found.setdefault(f"rte_acl, {trace}", []).append((size, added))
            print(f"user   {size:>7,} {trace:<4} {'rte_acl':<11} {words}", flush=True)
    return found


def _peer(
    library: bpf.Library,
    generation: ground.Measured,
    form: str,
    made: tuple[str, int],
    traces: Mapping[str, Packets],
    size: int,
    found: dict[str, list[Point]],
) -> None:
    written, count = made
    for trace, packets in traces.items():
        ground.lay(library, generation, ground.frames(packets))
        peers.load("", "")
        base = ground.into_stack(library, generation, ground.PACKETS, 12)
        try:
            peers.load(form, written)
        except OSError as error:
            print(f"kernel {size:>7,} {trace:<4} {form:<11} was not loaded: {str(error)[-90:]}", flush=True)
            break
        slow = form in ("nft linear", "iptables") and size > 500
        added = ground.into_stack(library, generation, 4096 if slow else ground.PACKETS, 4 if slow else 12) - base
        found.setdefault(f"{form}, {trace}", []).append((size, added))
        words = f"({count:,} entries for {size:,} filters, base {base:.0f})"
        print(f"kernel {size:>7,} {trace:<4} {form:<11} adds {added:10,.0f} ns   {words}", flush=True)
    peers.load("", "")


def rte_acl(entries: Sequence[Entry], packets: Packets) -> tuple[float, str]:
    """DPDK's classifier in user space, one packet a call and in batches of 256; no parsing, no counters."""
    tool = shutil.which("dpdk-test-acl")
    if not tool:
        return 0.0, "is not here (Debian: apt-get install dpdk-dev)"
    with tempfile.TemporaryDirectory() as folder:
        rules, trace = Path(folder) / "rules", Path(folder) / "trace"
        rules.write_text("".join(_acl_rule(e) for e in entries))
        trace.write_text("".join(f"{s}\t{d}\t{sp}\t{dp}\t{p}\n" for s, d, p, sp, dp in packets))
        words, least = [], 0.0
        for step in (1, 256):
            try:
                said = ground.run(
                    tool, "-l", "1", "--no-huge", "--no-pci", "-m", "3000", f"--file-prefix=b{os.getpid()}", "--",
                    f"--rulesf={rules}", f"--tracef={trace}", f"--tracenum={len(packets)}", f"--rulenum={len(entries) + 1}",
                    "--bldcat=1", "--runcat=1", "--verbose=0", f"--tracestep={step}", "--iter=20",
                )  # fmt: skip
            except OSError as error:
                return 0.0, f"did not run: {str(error)[-100:]}"
            rate = re.search(r"([\d.]+) pkt/sec", said)
            ns = 1e9 / float(rate[1]) if rate else 0.0
            least = least or ns
            words.append(f"{ns:,.0f} ns in batches of {step}")
        return least, ", ".join(words)


def _acl_rule(entry: Entry) -> str:
    proto, dst, src, dport, sport, *_ = entry.box
    return (
        f"@{peers.net(src)}\t{peers.net(dst)}\t{sport[0]} : {sport[1]}\t{dport[0]} : {dport[1]}\t"
        f"{proto[0] if proto[0] == proto[1] else 0:#04x}/{'0xff' if proto[0] == proto[1] else '0x00'}\n"
    )


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of the largest size, and what was seen during swaps."""

    compiled: float
    loaded: float
    swapped: float
    worst: float
    packets: int
    wrong: int


def replacing(sizes: Sequence[int] = (5_000, 100_000)) -> Cost:
    """What it costs to replace a table: compile, load, swap."""
    from tests.xdp.swaps import swapped

    library = bpf.Library()
    for size in sizes:
        entries = segment(size)
        compiled, loads = [], []
        for _ in range(5):
            gc.collect()
            began = time.process_time()
            encoded = encode({("towards", 4): entries})
            compiled.append(time.process_time() - began)
        tables = parse(text(encoded))
        for _ in range(15):
            began, cpu = time.perf_counter(), time.process_time()
            generation = Generation(library, str(OBJECT), tables, {})
            loads.append((time.perf_counter() - began, time.process_time() - cpu))
            verified = bpf.ProgramInfo(library, generation.filter).verified
            generation.close()
        wall, cpu = min(w for w, _ in loads) * 1e3, min(c for _, c in loads) * 1e3
        print(f"replace {size:>7,} filters: compile {min(compiled):.2f} s CPU, create, verify, copy and freeze {wall:.0f} ms "
              f"({cpu:.0f} ms CPU, verifier looked at {verified:,} instructions of 1,000,000)", flush=True)  # fmt: skip
    seen = swapped(1000)
    ordered = sorted(seen.seconds)
    print(f"swap: {ordered[0] * 1e6:.0f} us least, {ordered[500] * 1e6:.0f} median, {ordered[-1] * 1e6:.0f} worst of 1,000 under "
          f"load; {seen.packets:,} packets, {seen.wrong} with a verdict of neither generation", flush=True)  # fmt: skip
    return Cost(min(compiled), wall / 1e3, ordered[500], ordered[-1], seen.packets, seen.wrong)


def main(words: list[str]) -> None:
    if os.geteuid():
        print("bench_xdp: loading programs takes root, so nothing was measured")
        return
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    what, sizes = (words[0] if words else ""), [int(word.replace(",", "")) for word in words[1:]]
    found = curve(sizes or SIZES, draw=not sizes, many=ROUNDS if sizes else 6) if what in ("", "curve") else {}
    added = beside(sizes or (SIZES if what else (10, 1_000, 5_000, 100_000))) if what in ("", "peers") else {}
    if what in ("", "load"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
        replacing(sizes or (5_000, 100_000))
    if found and not sizes:
        _draw(found, added)
        print(f"the curve: {PICTURE}")


if __name__ == "__main__":
    main(sys.argv[1:])
