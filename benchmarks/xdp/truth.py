"""Whether what is measured is what is judged: each entry point's verdicts, packet by packet, and the model's."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence

from benchmarks.xdp import ground
from configlet.hostside import bpf
from configlet.model.policy import Entry, Packet
from configlet.packets.verdict import first
from tests.xdp.kernel import DROP, PASS


def differing(library: bpf.Library, generation: ground.Measured, packets: ground.Packets, entries: Sequence[Entry]) -> int:
    """How many verdicts of the trace that is laid are not those of the one-packet entry point, or of the model.

    The model is asked about some of the packets only: it looks through every row. The measured burst itself keeps no
    verdicts, and is compared by the sum that it answers.
    """
    one = _verdicts(library, generation, "check", ground.PACKETS)
    many = _verdicts(library, generation, "burst_check", ground.PACKETS // ground.BURST)
    wrong = sum(a != b for a, b in zip(one, many, strict=True))
    _rewind(library, generation)
    answer, _ = bpf.test_run(library, generation.object.program_fd("burst"), bytes(64), ground.PACKETS // ground.BURST)
    wrong += answer != sum(one[-ground.BURST :])
    step = ground.PACKETS // max(20, min(500, 2_000_000 // max(len(entries), 1)))
    for index in range(0, ground.PACKETS, step):
        src, dst, proto, sport, dport = packets[index]
        hit = first(entries, Packet("", 4, proto, src, dst, sport, dport))
        wrong += one[index] != (PASS if hit is not None and hit.permit else DROP)
    return wrong


def _verdicts(library: bpf.Library, generation: ground.Measured, program: str, runs: int) -> list[int]:
    _rewind(library, generation)
    answers = generation.object.map_fd("answers_")
    bpf.write_array(library, answers, bytes(16 * ground.PACKETS), freeze=False)
    bpf.test_run(library, generation.object.program_fd(program), bytes(64), runs)
    return list(struct.unpack(f"<{2 * ground.PACKETS}Q", bpf.read_array(answers, 16 * ground.PACKETS))[::2])


def _rewind(library: bpf.Library, generation: ground.Measured) -> None:
    """The next packet is the first of the trace."""
    key, value = ctypes.c_uint32(0), ctypes.c_uint64(0)
    turn = generation.object.map_fd("turn")
    library.call("bpf_map_update_elem", turn, ctypes.byref(key), ctypes.byref(value), ctypes.c_uint64(0))
