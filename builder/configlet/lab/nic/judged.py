"""What a simulated NIC holds as the rules of an nftables bridge chain, so that the lab's packets meet it.

Made of the NIC's own rules, in the order in which it tries them; what none matches is delivered. A later fragment has no
ports to nftables, where a NIC takes its data for them: it meets only rules that look at addresses.
"""

from __future__ import annotations

from collections.abc import Iterator

from configlet.lab.nic.flower import FlowerNic
from configlet.lab.nic.flower import Rule as Flow
from configlet.lab.nic.ntuple import NtupleNic
from configlet.lab.nic.rteflow import Console
from configlet.lab.nic.rteflow import Flow as Typed
from configlet.model.net import FAMILIES, Family, address_text

_ETHER: dict[Family, int] = {4: 0x0800, 6: 0x86DD}
_WORD: dict[Family, str] = {4: "ip", 6: "ip6"}
_PROTO = {"tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58"}
_LATER: dict[Family, tuple[str, str]] = {
    4: ("ip frag-off & 0x1fff != 0", "ip frag-off & 0x1fff == 0"), 6: ("exthdr frag exists", "exthdr frag missing"),
}  # fmt: skip


def rules(nic: NtupleNic | FlowerNic | Console) -> tuple[str, ...]:
    """One line a rule, the first that matches decides."""
    if isinstance(nic, Console):
        return tuple(map(_flow, nic.flows()))
    return tuple(_ntuple(nic) if isinstance(nic, NtupleNic) else _flower(nic))


def _ntuple(nic: NtupleNic) -> Iterator[str]:
    for made in sorted(nic.filters.values(), key=lambda made: -len(made.key())):
        for family in FAMILIES:
            said = dict(made.key())
            if said.pop("ether") == _ETHER[family]:
                yield " ".join([*_fields(said, family), "counter", "drop" if made.action < 0 else "accept"])


def _fields(said: dict[str, int], family: Family) -> Iterator[str]:
    yield f"meta protocol {_WORD[family]}"
    for name, value in sorted(said.items()):
        if name in ("src-ip", "dst-ip"):
            yield f"{_WORD[family]} {name[0]}addr {address_text(family, value)}"
        else:
            yield f"meta l4proto {value}" if name == "l4proto" else f"th {name[0]}port {value}"


def _flower(nic: FlowerNic) -> Iterator[str]:
    for rule in sorted(nic.rules, key=lambda rule: rule.prio):
        family: Family = 4 if rule.protocol == "ip" else 6
        yield " ".join([*_words(rule, family), "counter", "accept" if rule.passes else "drop"])


def _words(rule: Flow, family: Family) -> Iterator[str]:
    yield f"meta protocol {_WORD[family]}"
    for name, value in rule.said:
        low, _, mask = value.partition("/")
        if name == "ip_proto":
            yield f"meta l4proto {_PROTO.get(value, value)}"
        elif name in ("src_ip", "dst_ip"):
            yield f"{_WORD[family]} {name[0]}addr {value}"
        elif name in ("src_port", "dst_port"):
            yield f"th {name[0]}port & {mask} == {int(low, 0)}" if mask else f"th {name[0]}port {low}"
        elif name == "tcp_flags":
            yield f"tcp flags & {mask} == {low}"
        elif name == "ip_flags":
            yield _LATER[family][value != "frag/nofirstfrag"]
        else:
            yield f"@th,{0 if name == 'type' else 8},8 {value}"


def _flow(rule: Typed) -> str:
    family: Family = 4 if rule.version == 4 else 6
    words = [f"meta protocol {_WORD[family]}", *([f"meta l4proto {rule.proto}"] if rule.proto is not None else [])]
    for end, (span, (value, mask)) in zip("sd", rule.ends, strict=True):
        if span:
            words.append(f"{_WORD[family]} {end}addr {'-'.join(address_text(family, at) for at in dict.fromkeys(span))}")
        if mask:
            words.append(f"th {end}port & {mask} == {value & mask}")
    return " ".join([*words, "counter", "accept" if rule.passes else "drop"])
