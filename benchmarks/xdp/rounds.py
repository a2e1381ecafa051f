"""Passes of each table in turns: what is measured of one is spread over the whole run, and not taken in one fifth of a second.

A pass is 65,536 packets, some milliseconds, of the kernel's test run. Whatever else the machine does (its memory and its last
cache are shared with others) disturbs some seconds at a time and slows each pass in them, so that all passes of a table in a
row can fall into such a time. Here a round makes a few passes of every part of every table, and there are many rounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from benchmarks.xdp import ground, truth
from configlet.encoders.xdp_layout import Encoded
from configlet.hostside import bpf
from configlet.model.policy import Entry

WAYS: Mapping[str, Mapping[str, str]] = {
    "one a run": {"empty": "bench_empty", "copy": "bench_copy", "hit": "bench", "miss": "bench"},
    "bursts": {"empty": "burst_empty", "copy": "burst_copy", "hit": "burst", "miss": "burst"},
}
"""Of each way to run packets, the program of each part. What is no trace of its own takes that of hits."""


@dataclass(slots=True)
class Subject:
    """Tables in the kernel, what they are called, their traces, and nanoseconds a packet of each pass by (part, way)."""

    name: str
    size: int
    mode: str
    library: bpf.Library
    generation: ground.Measured
    traces: Mapping[str, bytes]
    found: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def passes(self, many: int) -> None:
        """So many passes of the traces in bursts; a quarter of them one a run, and of what says what the method takes.

        The kernel waits for itself before and behind each, several times as long as it lasts.
        """
        for trace, data in self.traces.items():
            ground.lay(self.library, self.generation, data)
            for way, parts in WAYS.items():
                for part in ("empty", "copy", "hit") if trace == "hit" else (trace,):
                    fd = self.generation.object.program_fd(parts[part])
                    judged = way == "bursts" and part == trace
                    taken = ground.passes(
                        self.library, fd, many if judged else many // 4, ground.BURST if way == "bursts" else 1
                    )
                    self.found.setdefault((part, way), []).extend(taken)

    def least(self) -> dict[str, float]:
        """The least of all passes: `hit, bursts`."""
        return {f"{part}, {way}": min(taken) for (part, way), taken in self.found.items()}

    def words(self) -> Iterator[str]:
        """Least and median of each part, a line for each way."""
        for way in WAYS:
            parts = {part: taken for (part, at), taken in self.found.items() if at == way}
            said = "  ".join(f"{part} {min(taken):.0f}/{median(taken):.0f}" for part, taken in parts.items())
            yield f"  {self.mode:<14} {way:<10} {said}"


@contextmanager
def subject(
    library: bpf.Library,
    name: str,
    mode: str,
    encoded: Encoded,
    entries: Sequence[Entry],
    packets: Mapping[str, ground.Packets],
    traces: Mapping[str, bytes],
) -> Iterator[Subject]:
    """Tables in the kernel as long as the block runs; their verdicts are compared before anything is measured.

    ``traces`` are the ``packets`` as they lie in memory.
    """
    with ground.measured(library, ground.built(), encoded) as generation:
        for trace, data in traces.items():
            ground.lay(library, generation, data)
            if wrong := truth.differing(library, generation, packets[trace], entries):
                raise SystemExit(f"bench_xdp: {wrong} verdicts differ, so nothing that was measured means anything")
        yield Subject(name, len(entries), mode, library, generation, traces)
