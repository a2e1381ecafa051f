"""The laws of the XDP program, in any number: the verdict is the model's, and what is malformed is dropped and counted."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from configlet.hostside.xdp_tables import dump, text_of
from configlet.model.net import FAMILIES
from configlet.model.policy import Packet
from configlet.model.problem import Refused
from configlet.packets.verdict import first
from configlet.packets.walk import differ
from configlet.readers import read
from tests.builders import platform
from tests.xdp.broken_frames import COUNTED, WAYS
from tests.xdp.frames import frame, packet_near
from tests.xdp.kernel import DROP, PASS, counted, library, loaded, verdict
from tests.xdp.rule_sets import ANY_PROTO, LOCAL4, LOCAL6, each, entry, rule


@dataclass
class Tally:
    """What became of the packets of one kind of rule set."""

    kind: str
    packets: int = 0
    passed: int = 0
    wrong: tuple[Packet, ...] = ()


def verdicts(packets: int, seeds: int) -> Iterator[Tally]:
    """For each kind of rule set so many packets, over both families, both ways of counting and so many sets."""
    tallies: dict[str, Tally] = {}
    share = -(-packets // (6 * seeds))
    for seed in range(seeds):
        for family in FAMILIES:
            for kind, entries in each(seed, family):
                tally = tallies.setdefault(kind, Tally(kind))
                for per in ("verdict", "rule", "row"):
                    dice = random.Random(f"{seed} {kind} {family} {per}")
                    with loaded({("towards", family): entries}, per=per) as generation:
                        for _ in range(share):
                            packet = packet_near(dice, entries, family)
                            hit = first(entries, packet)
                            passes = verdict(generation, frame(packet, dice)) == PASS
                            tally.packets += 1
                            tally.passed += passes
                            if passes != (hit is not None and hit.permit):
                                tally.wrong += (packet,)
    yield from tallies.values()


def proved(tables: int) -> tuple[int, int]:
    """Of so many random tables, how many are proved after they were read out of the kernel, and how many were refused."""
    good, refused, seed = 0, 0, 100
    while tables:
        for family in FAMILIES:
            for _, entries in list(each(seed, family))[:tables]:
                tables -= 1
                try:
                    with loaded({("towards", family): entries}) as generation:
                        held = dump(library(), generation.filter)
                except Refused:
                    refused += 1
                    continue
                held.attach = ["ens1"]
                reading = read(platform("xdp"), "filter-table", text_of(held), "kernel")
                good += differ(family, [entries], reading.lists["ens1", "in", family], budget=20_000_000) is None
        seed += 1
    return good, refused


def malformed(packets: int) -> tuple[int, dict[str, int]]:
    """How many of so many broken frames were not dropped, and what was counted, where everything good would pass."""
    dice, open_ = random.Random(7), rule("everything")
    lists = {
        ("towards", family): [entry(open_, ANY_PROTO, (local, local), (0, 2 ** (32 if family == 4 else 128) - 1))]
        for family, local in ((FAMILIES[0], LOCAL4), (FAMILIES[1], LOCAL6))
    }
    with loaded(lists) as generation:  # type: ignore[arg-type]
        escaped = sum(verdict(generation, dice.choice(WAYS)(dice)) != DROP for _ in range(packets))
        return escaped, counted(generation)


__all__ = ["COUNTED", "Tally", "malformed", "proved", "verdicts"]
