"""A simulated NIC that takes tc flower rules into its hardware: batches for `tc` in, `tc filter show` out, frames judged.

Strict: only the words that this product writes, with skip_sw. A kernel with cls_flower was not at hand to compare with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from configlet.lab.nic.ntuple import ARP, Refusal
from configlet.lab.nic.packets import seen

_LINE = re.compile(r"filter add dev \S+ ingress prio (\d+) protocol (ip|ipv6) flower skip_sw((?: \S+ \S+)*) action (pass|drop)")
_WORDS = ("ip_proto", "src_ip", "dst_ip", "src_port", "dst_port", "type", "code", "tcp_flags", "ip_flags")
_PROTOS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}
_SHOWN = {"type": "icmp_type", "code": "icmp_code"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One filter in hardware."""

    prio: int
    protocol: str
    said: tuple[tuple[str, str], ...]
    passes: bool


@dataclass(slots=True)
class FlowerNic:
    """The ingress filters of one NIC. ``room`` is what the hardware takes before it says no.

    A driver that lies takes more than ``hardware`` rules and lists those beyond as ``not_in_hw``.
    """

    room: int = 100_000
    hardware: int = 100_000
    rules: list[Rule] = field(default_factory=list)

    def command(self, line: str) -> None:
        """One line of a batch. Raises Refusal."""
        if gone := re.fullmatch(r"filter del dev \S+ ingress prio (\d+)", line):
            if not any(rule.prio == int(gone[1]) for rule in self.rules):
                raise Refusal("Error: Filter with specified priority/protocol not found.")
            self.rules = [rule for rule in self.rules if rule.prio != int(gone[1])]
            return
        found = _LINE.fullmatch(line)
        if not found:
            raise Refusal('Error: Illegal "action"')
        pairs = iter(found[3].split())
        said = tuple(zip(pairs, pairs, strict=True))
        if len({name for name, _ in said}) != len(said) or any(name not in _WORDS for name, _ in said):
            raise Refusal("Error: Illegal argument")
        if any(rule.prio == int(found[1]) and rule.protocol != found[2] for rule in self.rules):
            raise Refusal("Error: Filter with specified priority/protocol not found.")
        if any(rule.prio == int(found[1]) and rule.said == said for rule in self.rules):
            raise Refusal("RTNETLINK answers: File exists")
        if len(self.rules) >= self.room:
            raise Refusal("Error: mlx5_core: Failed to offload: No space left on device")
        self.rules.append(Rule(int(found[1]), found[2], said, found[4] == "pass"))

    def listing(self, *, statistics: bool = False) -> str:
        """What ``tc [-s] filter show dev NIC ingress`` prints."""
        out = []
        for number, rule in enumerate(sorted(self.rules, key=lambda r: r.prio), 1):
            out.append(f"filter protocol {rule.protocol} pref {rule.prio} flower chain 0 handle {number:#x} ")
            out.append(f"  eth_type {'ipv4' if rule.protocol == 'ip' else 'ipv6'}")
            out += [f"  {_SHOWN.get(name, name)} {value}" for name, value in rule.said]
            hardware = "in_hw in_hw_count 1" if number <= self.hardware else "not_in_hw"
            out += ["  skip_sw", f"  {hardware}", f"\taction order 1: gact action {'pass' if rule.passes else 'drop'}",
                    "\t random type none pass val 0", f"\t index {number} ref 1 bind 1"]  # fmt: skip
            out += ["\tAction statistics:", "\tSent 120 bytes 2 pkt (dropped 0, overlimits 0 requeues 0) "] if statistics else []
            out.append("")
        return "".join(f"{line}\n" for line in out)

    def passes(self, frame: bytes) -> bool:
        """The verdict on a received frame: the first rule by priority, else it is delivered."""
        packet = seen(frame)
        if packet is None or packet.ether == ARP:
            return packet is not None
        protocol = {0x0800: "ip", 0x86DD: "ipv6"}.get(packet.ether)
        for rule in sorted(self.rules, key=lambda r: r.prio):
            if rule.protocol == protocol and all(_matches(name, value, packet, frame) for name, value in rule.said):
                return rule.passes
        return True


def _matches(name: str, value: str, packet: object, frame: bytes) -> bool:
    from configlet.lab.nic.packets import Seen, bits

    assert isinstance(packet, Seen)
    found = bits(frame)
    if name == "ip_proto":
        return packet.proto == (_PROTOS[value] if value in _PROTOS else int(value))
    if name in ("src_ip", "dst_ip"):
        return ip_address(packet.src if name == "src_ip" else packet.dst) in ip_network(value)
    if name in ("src_port", "dst_port"):
        port, (low, _, mask) = packet.sport if name == "src_port" else packet.dport, value.partition("/")
        return not found.later and port & int(mask or "0xffff", 0) == int(low)
    if name == "ip_flags":
        return value == "frag/nofirstfrag" and found.later
    if found.later:
        return False
    if name == "tcp_flags":
        wanted, _, mask = value.partition("/")
        return found.flags & int(mask, 0) == int(wanted, 0)
    return (found.kind if name == "type" else found.code) == int(value)
