"""What the traffic agent is asked to send and what it saw, as values that travel as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from configlet.model.policy import Packet

How = Literal["socket", "frame"]
Sense = Literal["socket", "frame", "leaves"]
Key = tuple[int, int, int, int, int, int, bool]
"""family, proto, src, dst, tag (source port, ICMP identifier, fragment identification), dport, fragment."""


@dataclass(frozen=True, slots=True)
class Ear:
    """Where a packet is listened for.

    ``socket``: a real socket bound to its destination in ``namespace``, behind the host's INPUT hook.
    ``frame``: AF_PACKET on ``interface``, as a bypassing application reads; nftables comes later.
    ``leaves``: AF_PACKET on all interfaces (``interface`` empty) or on one, outgoing only: what a gate let through.
    """

    namespace: str
    interface: str
    sense: Sense


@dataclass(frozen=True, slots=True)
class Shot:
    """One packet to send. Its ``sport`` is a tag: no two shots between the same addresses share it.

    ``socket`` sends through the kernel of ``namespace``; ``frame`` puts a whole frame with these MACs on ``interface``.
    A ``wanted`` one that nobody heard is sent once more (a first packet may be lost to address resolution), any other
    never is. ``answer`` asks whether the answer came back. The last ``silent`` ears are there to hear nothing.
    ``neighbour`` is an interface where its target is to be taken for present while the run lasts, in the namespace that
    listens: nobody has the address, and a router asks for it instead of sending.
    """

    number: int
    packet: Packet
    how: How
    namespace: str
    interface: str
    ears: tuple[Ear, ...]
    wanted: bool
    answer: bool
    mac: str = ""
    toward: str = ""
    silent: int = 0
    neighbour: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a shot: the ears (by position) that heard it, whether the answer came back, why it never left."""

    number: int
    ears: tuple[int, ...]
    answered: bool
    stopped: str = ""


def key_of(packet: Packet) -> Key:
    """What a packet is recognised by."""
    dport = 0 if packet.fragment else packet.dport
    return packet.family, packet.proto, packet.src, packet.dst, packet.sport, dport, packet.fragment


def to_json(shot: Shot) -> list[Any]:
    """A shot as JSON values."""
    p = shot.packet
    packet = [p.realm, p.family, p.proto, p.src, p.dst, p.sport, p.dport, p.established, p.fragment]
    ears = [[ear.namespace, ear.interface, ear.sense] for ear in shot.ears]
    head = [shot.number, packet, shot.how, shot.namespace, shot.interface, ears]
    return [*head, shot.wanted, shot.answer, shot.mac, shot.toward, shot.silent, shot.neighbour]


def from_json(value: list[Any]) -> Shot:
    """The shot that ``to_json`` wrote. Raises TypeError or ValueError for anything else."""
    number, packet, how, namespace, interface, ears, *rest = value
    return Shot(number, Packet(*packet), how, namespace, interface, tuple(Ear(*ear) for ear in ears), *rest)
