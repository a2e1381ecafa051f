"""Multicast probes: every receiver hears the group, nobody else does, and nothing but the allowed ports arrives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from configlet.lab.probe_law import Law
from configlet.lab.probe_members import Member
from configlet.lab.probe_values import Numbers, Probe, reason
from configlet.lab.topology_multicast import groups
from configlet.lab.traffic_frames import UDP, group_mac
from configlet.lab.traffic_values import Ear, Shot
from configlet.model.inventory import Multicast
from configlet.model.policy import ANY_PORT, DPORT, DST, PROTO, SRC


def multicast_probes(
    group_set: Multicast, members: Sequence[Member], law: Law, numbers: Numbers
) -> Iterator[Probe | str]:
    """Datagrams of each sender to each group that the lab carries (IPv4)."""
    if any(network.version == 6 for network in group_set.groups):
        yield f"{group_set.name}: the lab carries no IPv6 multicast."
    receivers = [m for m in members if m.spot in group_set.receivers and m.address(4) is not None]
    senders = [m for m in members if group_set.sources and m.workload is None and m.name in group_set.sources]
    for name in group_set.sources:
        if name not in {m.name for m in senders}:
            yield f"{group_set.name}: the lab has no router of {name} that could send to it."
    for sender in senders:
        for group in groups(group_set):
            yield from _group(group_set, sender, receivers, _bystanders(group_set, members), int(group), law, numbers)


def _bystanders(group_set: Multicast, members: Sequence[Member]) -> list[Member]:
    """One workload of every other segment of the realm."""
    found: dict[str, Member] = {}
    for member in members:
        if member.workload and member.realm == group_set.realm and member.spot not in group_set.receivers:
            found.setdefault(member.spot, member)
    return list(found.values())


def _group(
    group_set: Multicast,
    sender: Member,
    receivers: Sequence[Member],
    bystanders: Sequence[Member],
    group: int,
    law: Law,
    numbers: Numbers,
) -> Iterator[Probe]:
    src = sender.address(4) or 0
    for port in _ports(law, src, group):
        packet = law.packet(UDP, src, group, port, numbers.tag())
        entry = law.decide(packet)
        allowed = entry is not None and entry.permit
        ears = [Ear(m.namespace, m.interface, m.receives(packet)) for m in receivers]
        silent = [Ear(m.namespace, m.interface, "frame") for m in bystanders] if allowed else []
        rule, place = reason(entry)
        shot = Shot(
            numbers.next(), packet, "frame", sender.namespace, sender.interface, (*ears, *silent), allowed, False,
            sender.mac, group_mac(4, group), len(silent),
        )  # fmt: skip
        yield Probe(shot, "multicast", sender.name, group_set.name, allowed, rule, place)


def _ports(law: Law, src: int, group: int) -> tuple[int, ...]:
    """First and last port that a rule names for this sender and group, those just outside, one that nobody named."""
    out: list[int] = []
    for entry in law.entries:
        box = entry.box
        if box[PROTO] == (UDP, UDP) and box[DPORT] != ANY_PORT:
            if box[SRC][0] <= src <= box[SRC][1] and box[DST][0] <= group <= box[DST][1]:
                lo, hi = box[DPORT]
                out += [p for p in (lo, hi, lo - 1, hi + 1) if 0 < p < 65536]
    return tuple(dict.fromkeys((*out, law.never)))
