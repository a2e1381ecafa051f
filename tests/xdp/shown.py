"""What the sixth issue must show of the XDP table, at full size."""

from __future__ import annotations

import os

from tests.show_run import Shown, passed
from tests.xdp.kernel import impossible

PACKETS, SEEDS, BROKEN = 20_000, 10, 100_000


LIMITS = (
    ("segment, plain, hit", 5_000, 45), ("segment, plain, hit", 100_000, 80), ("segment, plain, miss", 5_000, 40),
    ("segment, plain, miss", 100_000, 40), ("segment, everything on, hit", 5_000, 55),
    ("segment, everything on, hit", 100_000, 95), ("random verdicts, plain, hit", 100_000, 150),
)  # fmt: skip


def line_3() -> Shown:
    """Nanoseconds a packet, base included, beside the best form of nftables; what of it is the method's own floor.

    What is judged are packets in bursts of 64 (docs/decisions/0074); one packet a run stands beside it.
    """
    if impossible():
        return 0, 8, impossible()
    from benchmarks.xdp import bench_xdp, rounds

    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    of = {name: dict(points) for name, points in bench_xdp.curve((5_000, 100_000)).items()}
    beside = bench_xdp.beside((5_000,))
    forms = [points[0][1] for name, points in beside.items() if name.startswith("nft") and name.endswith("hit") and points]
    met = sum(of[f"XDP {name}, bursts"][size] <= limit for name, size, limit in LIMITS)
    ahead = min(forms) / of["XDP segment, plain, hit, one a run"][5_000]
    words = ", ".join(
        f"{name} {size:,}: {of[f'XDP {name}, bursts'][size]:.0f} (at most {limit}; one a run "
        f"{of[f'XDP {name}, one a run'][size]:.0f})"
        for name, size, limit in LIMITS
    )
    method = "; ".join(
        f"{way}: empty {min(of[f'method (empty, {way})'].values()):.0f}, copy {min(of[f'method (copy, {way})'].values()):.0f}"
        for way in rounds.WAYS
    )
    return met + (ahead >= 10), 8, (
        f"judged in bursts of 64 packets a run, base included: {words}; of that the method ({method}); random 100,000 with a "
        f"result for each filter: {of['XDP random, plain, hit, bursts'][100_000]:.0f}; {ahead:.0f} x ahead of the best nftables "
        "form, with one a run"
    )


def line_4() -> Shown:
    """100,000 filters replaced: compile, load, swap; 1,000 swaps under load."""
    if impossible():
        return 0, 4, impossible()
    from benchmarks.xdp import bench_xdp

    cost = bench_xdp.replacing((100_000,))
    met = (cost.compiled < 1) + (cost.loaded < 0.05) + (cost.swapped < 0.001) + (cost.wrong == 0)
    return met, 4, (
        f"compile {cost.compiled:.2f} s, load {cost.loaded * 1e3:.0f} ms, swap {cost.swapped * 1e6:.0f} us in the middle of "
        f"1,000 (worst {cost.worst * 1e6:.0f} us), {cost.wrong} of {cost.packets:,} packets with a mixed verdict"
    )


def line_5() -> Shown:
    """The verdict is the model's; what is malformed is dropped and counted; the verifier has room to spare."""
    if impossible():
        return 0, 3, impossible()
    from tests.xdp.kernel import loaded, verified
    from tests.xdp.laws import COUNTED, malformed, verdicts

    found = list(verdicts(PACKETS, SEEDS))
    packets, wrong = sum(t.packets for t in found), sum(len(t.wrong) for t in found)
    escaped, said = malformed(BROKEN)
    good = escaped == 0 and sum(said.values()) == BROKEN and set(said) == set(COUNTED)
    with loaded({("towards", 4): []}, {"use_connections": 1, "events": 1024}) as generation:
        looked = verified(generation)
    met = (wrong == 0 and packets >= 240_000 and len(found) >= 12) + good + (looked < 100_000)
    return met, 3, (
        f"{packets:,} packets on {len(found)} kinds of rule sets, {wrong} wrong; {BROKEN:,} malformed, {escaped} not dropped, "
        f"counted as {said}; the verifier looked at {looked:,} of 1,000,000 instructions"
    )


def line_6() -> Shown:
    """Random XDP tables, read back out of the kernel and proved over the whole packet space."""
    if impossible():
        return 0, 700, impossible()
    from tests.xdp.laws import proved

    good, refused = proved(1000)
    return good, 1000 - refused, f"xdp: {good} of 1,000 random tables PROVED after read-back, {refused} refused"


def line_8() -> Shown:
    """Without clang, libbpf or root."""
    return passed("tests/xdp/test_without.py"), 3, "no root, no clang, no libbpf: the rest works, and doctor says what is missing"
