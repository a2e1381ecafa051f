"""What the probes showed: every packet against the policy, what differs (a leak first), and the summary."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from configlet.lab.probe_values import Probe, ProbePlan
from configlet.lab.traffic_values import Ear, Heard
from configlet.packets.boxes import packet_text

Fault = Literal["arrived although denied", "did not arrive although allowed", "no answer came back", "was not sent"]
_ORDER: dict[Fault, int] = {
    "arrived although denied": 0,
    "did not arrive although allowed": 1,
    "no answer came back": 2,
    "was not sent": 3,
}
_OWN_TABLE = os.strerror(errno.EPERM)
"""What a socket says when its own host's table drops on output; anything else is a lab that does not work."""
_PROTOCOLS = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmpv6"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One packet whose fate is not what the policy says, and where it was or was not seen."""

    probe: Probe
    fault: Fault
    seen: str

    def __str__(self) -> str:
        probe = self.probe
        rule = f'"{probe.rule}"' + (f" ({probe.place})" if probe.place else "")
        gate = f"{probe.gate}: " if probe.gate else ""
        ends = f"{probe.source} -> {probe.target}"
        return f"{gate}{packet_text(probe.shot.packet)} {self.fault}: {ends}, {self.seen}; decided by {rule}"


@dataclass(frozen=True, slots=True)
class Result:
    """What one run of the probe showed. ``gaps`` are packets that were sent over accepted gaps; they count in nothing."""

    site: str
    sent: int
    as_policy: int
    differences: tuple[Difference, ...]
    gaps: tuple[tuple[Probe, bool], ...]
    untested: tuple[str, ...]
    counts: tuple[tuple[str, int], ...]
    seconds: float

    @property
    def status(self) -> int:
        """The exit status: 0, or 1 when anything differs (or nothing was sent)."""
        return 1 if self.differences or not self.sent else 0


def judge(site: str, plan: ProbePlan, heard: Iterable[Heard], seconds: float) -> Result:
    """Compare every probe with what was heard of it. A probe without a report is a difference, never left out."""
    fates = {h.number: h for h in heard}
    counted = [p for p in plan.probes if not p.gap]
    found = [d for p in counted if (d := compare(p, fates))]
    found.sort(key=lambda d: (_ORDER[d.fault], d.probe.kind != "gate", d.probe.shot.number))
    gaps = tuple((p, bool(_fate(p, fates).ears)) for p in plan.probes if p.gap)
    counts = tuple(sorted(_counts(counted).items()))
    return Result(site, len(counted), len(counted) - len(found), tuple(found), gaps, plan.untested, counts, seconds)


def _fate(probe: Probe, fates: Mapping[int, Heard]) -> Heard:
    return fates.get(probe.shot.number) or Heard(probe.shot.number, (), False, "the agent did not report it")


def compare(probe: Probe, fates: Mapping[int, Heard]) -> Difference | None:
    """How one probe differs from what the policy says; None when it does not."""
    shot, fate = probe.shot, _fate(probe, fates)
    loud = len(shot.ears) - shot.silent if probe.expected else 0
    leaked = [shot.ears[n] for n in fate.ears if n >= loud]
    lost = [ear for n, ear in enumerate(shot.ears[:loud]) if n not in fate.ears]
    if leaked:
        return Difference(probe, "arrived although denied", f"seen by {_places(leaked)}")
    if fate.stopped and fate.stopped != _OWN_TABLE:
        return Difference(probe, "was not sent", fate.stopped)
    if lost:
        why = f" ({fate.stopped} at the sender)" if fate.stopped else ""
        return Difference(probe, "did not arrive although allowed", f"not seen by {_places(lost)}{why}")
    if probe.expected and shot.answer and not fate.answered:
        return Difference(probe, "no answer came back", f"nothing returned to {shot.namespace}")
    return None


def _places(ears: Iterable[Ear]) -> str:
    words = {"socket": "a socket in", "frame": "the application past the kernel in", "leaves": "the wire of"}
    return ", ".join(f"{words[ear.sense]} {ear.namespace}" for ear in ears)


def _counts(probes: Iterable[Probe]) -> Counter[str]:
    """How many packets of each family, protocol, kind and verdict were sent."""
    counts: Counter[str] = Counter()
    for probe in probes:
        packet = probe.shot.packet
        counts[f"IPv{packet.family}"] += 1
        counts[_PROTOCOLS.get(packet.proto, f"protocol {packet.proto}")] += 1
        counts["allowed" if probe.expected else "denied"] += 1
        counts[{"pair": "end to end", "gate": "at one gate alone", "multicast": "multicast"}[probe.kind]] += 1
    return counts


def lines(result: Result, most: int = 20) -> Iterator[str]:
    """The result in words; the last line says how many packets were sent and how many went as the policy says."""
    for difference in result.differences[:most]:
        yield f"DIFFERS  {difference}"
    if len(result.differences) > most:
        yield f"DIFFERS  and {len(result.differences) - most} more (--json has all)"
    if result.gaps:
        arrived = sum(seen for _, seen in result.gaps)
        yield f"gaps     {len(result.gaps)} packets sent where the operator accepted a gap; {arrived} arrived; not counted"
        for why in dict.fromkeys(probe.gap for probe, _ in result.gaps):
            yield f"         {why}"
    for sentence in result.untested:
        yield f"untested {sentence}"
    yield "sent     " + ", ".join(f"{number} {name}" for name, number in result.counts)
    yield f"probe: {result.sent} packets sent, {result.as_policy} as the policy says ({result.seconds:.1f} s)"


def to_json(result: Result) -> dict[str, Any]:
    """The whole result as JSON values."""
    return {
        "version": 1,
        "site": result.site,
        "sent": result.sent,
        "as_policy": result.as_policy,
        "counts": dict(result.counts),
        "seconds": round(result.seconds, 3),
        "differences": [{**_probe_json(d.probe), "fault": d.fault, "seen": d.seen} for d in result.differences],
        "gaps": [{**_probe_json(probe), "arrived": arrived, "why": probe.gap} for probe, arrived in result.gaps],
        "untested": list(result.untested),
    }


def _probe_json(probe: Probe) -> dict[str, Any]:
    return {
        "kind": probe.kind,
        "gate": probe.gate,
        "about": probe.about,
        "from": probe.source,
        "to": probe.target,
        "packet": packet_text(probe.shot.packet),
        "expected": "allow" if probe.expected else "deny",
        "rule": probe.rule,
        "place": probe.place,
    }
