"""Generations swapped under load: every packet is judged by one of them as a whole, and none is lost between."""

from __future__ import annotations

import ctypes
import os
import random
import threading
import time
from dataclasses import dataclass

from configlet.encoders.xdp import encode
from configlet.hostside import bpf
from configlet.hostside.xdp_tables import counters
from configlet.model.policy import Entry, Packet
from tests.xdp.frames import frame
from tests.xdp.kernel import OBJECT, generation_of, library
from tests.xdp.rule_sets import LOCAL4, entry, rule, segment

PEERS, PORTS = (0xC6336405, 0xCB007105), (7001, 9001)
BATCH = 20_000


@dataclass(frozen=True, slots=True)
class Swapped:
    """What was seen: packets through the dispatcher, those whose verdict neither generation gives, seconds by swap."""

    packets: int
    wrong: int
    both: bool
    seconds: tuple[float, ...]


def two(dice: random.Random, size: int) -> tuple[list[Entry], list[Entry]]:
    """Rows that agree on two flows and on what is denied, with classes, rows and lines in another order."""
    local = (LOCAL4, LOCAL4)
    common = [
        entry(rule("first"), (6, 6), local, (PEERS[0], PEERS[0]), (PORTS[0], PORTS[0])),
        entry(rule("second"), (6, 6), local, (PEERS[1], PEERS[1]), (PORTS[1], PORTS[1])),
    ]
    return [*common, *segment(dice, size)], [*common[::-1], *segment(dice, size)[::-1]]


def swapped(count: int, size: int = 2000) -> Swapped:
    """Swap two generations so many times while packets go through the dispatcher on another CPU."""
    dice, lib = random.Random(4), library()
    first, second = (encode({("towards", 4): rows}) for rows in two(dice, size))
    base = bpf.Object(lib, str(OBJECT))
    base.only("dispatch")
    base.load()
    shared = {name: base.map_fd(name) for name in ("generation", "seen")}
    with generation_of(first, shared) as a, generation_of(second, shared) as b:
        _put(lib, shared["generation"], a.filter)
        frames = [(frame(Packet("", 4, 6, PEERS[i], LOCAL4, 40000, PORTS[j], True), dice, dressed=0), i == j)
                  for i in range(2) for j in range(2)]  # fmt: skip
        sent = {True: 0, False: 0}
        done = threading.Event()

        def send() -> None:
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
            while not done.is_set():
                for packet, allowed in frames:
                    bpf.test_run(lib, base.program_fd("dispatch"), packet, BATCH)
                    sent[allowed] += BATCH

        load = threading.Thread(target=send)
        load.start()
        times = []
        for turn in range(count):
            before, began = sum(sent.values()), time.perf_counter()
            _put(lib, shared["generation"], (b, a)[turn % 2].filter)
            times.append(time.perf_counter() - began)
            while load.is_alive() and sum(sent.values()) == before:  # each generation is met, however busy the machine is
                time.sleep(0.001)
        done.set()
        load.join()
        said = [{name: packets for name, packets, _ in counters(lib, g.filter)} for g in (a, b)]
    base.close()
    passed = [found["allow first"] + found["allow second"] for found in said]
    denied = [found["deny default deny"] for found in said]
    wrong = abs(sum(passed) - sent[True]) + abs(sum(denied) - sent[False])
    return Swapped(sum(sent.values()), wrong, min(passed) > 0 and min(denied) > 0, tuple(times))


def _put(lib: bpf.Library, slot: int, program: int) -> None:
    key, value = ctypes.c_uint32(0), ctypes.c_uint32(program)
    lib.call("bpf_map_update_elem", slot, ctypes.byref(key), ctypes.byref(value), ctypes.c_uint64(0))
