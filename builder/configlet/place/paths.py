"""The paths that a packet can take between two ends, with every member and direction, and what each gate sees."""

from __future__ import annotations

from collections.abc import Iterator

from configlet.model.frozen import dataclass
from configlet.model.gate import Gate
from configlet.place.ends import End
from configlet.place.gates import Placement
from configlet.place.local import Hop, hops_at, inside
from configlet.place.sees import GATEWAY, NOT_ROUTED


@dataclass(frozen=True, slots=True)
class Path:
    """One way from end to end: the gates in order. ``through`` names the devices of this member of the pair."""

    through: tuple[str, ...]
    hops: tuple[Hop, ...]

    @property
    def guards(self) -> tuple[Gate, ...]:
        """The gates that see the packet."""
        return tuple(hop.gate for hop in self.hops if hop.sees)


def paths(placement: Placement, source: End, target: End, service: str = "") -> tuple[Path, ...]:
    """Every path between two ends; ``service`` names it where another stack serves some of a workload's services.

    Empty when nothing connects the two: different realms, or a segment that is not routed.
    """
    if source.realm != target.realm:
        return ()
    first = hops_at(placement, source, "sends", target, service)
    last = hops_at(placement, target, "receives", source, service)
    if inside(source, target) or (source.segment and source.segment == target.segment):
        return (Path((), (*first, *last)),)
    return tuple(Path(through, (*first, *hops, *last)) for through, hops in routes(placement, source, target))


def routes(placement: Placement, source: End, target: End) -> tuple[tuple[tuple[str, ...], tuple[Hop, ...]], ...]:
    """Every way between the places of two ends: the devices, and the gates there."""
    return tuple(
        (tuple(dict.fromkeys((enter, leave))), tuple(_routed(placement, source, target, enter, leave)))
        for enter, leave in _ways(source, target)
    )


def doors(placement: Placement, end: End, direction: str) -> dict[str, bool]:
    """The devices by which an end's packets come ``in`` from it, or go ``out`` to it, and whether a gate guards each."""
    return {
        device: any(
            gate.kind == "acl"
            and gate.direction == direction
            and end.place in gate.segments
            and end.family in gate.families
            for gate in placement.of_owner(device)
        )
        for device in _devices(end)
    }


def not_routed() -> str:
    """Why a gateway does not see traffic inside a segment."""
    return NOT_ROUTED


def _devices(end: End) -> tuple[str, ...]:
    if end.segment:
        return end.segment.gateways.on if end.segment.gateways else ()
    return tuple(dict.fromkeys(device for device, _ in end.external.enters)) if end.external else ()


def _ways(source: End, target: End) -> Iterator[tuple[str, str]]:
    """Ingress and egress device: the same one where it serves both ends (symmetric IRB), else every combination."""
    leaves = _devices(target)
    for enter in _devices(source):
        if enter in leaves:
            yield enter, enter
        else:
            yield from ((enter, leave) for leave in leaves)


def _routed(placement: Placement, source: End, target: End, enter: str, leave: str) -> Iterator[Hop]:
    for end, device, direction in ((source, enter, "in"), (target, leave, "out")):
        for gate in placement.of_owner(device):
            if gate.kind == "acl" and gate.direction == direction and end.place in gate.segments:
                if end.family in gate.families:
                    yield Hop(gate, True, GATEWAY)
