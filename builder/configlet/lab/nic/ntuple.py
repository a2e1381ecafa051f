"""A simulated NIC with ethtool's ntuple filters, strict as sfc's driver: `ethtool -N` in, `ethtool -n` out, frames judged.

Written from the driver's source and ethtool's manual. No mask, no place of one's own choice; the rule that looks at more
fields wins; what no rule matches is delivered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address

from configlet.lab.nic.packets import seen

_TYPES = {"tcp4": (0x0800, 6), "udp4": (0x0800, 17), "ip4": (0x0800, None),
          "tcp6": (0x86DD, 6), "udp6": (0x86DD, 17), "ip6": (0x86DD, None)}  # fmt: skip
_TITLES = {"tcp4": "TCP over IPv4", "udp4": "UDP over IPv4", "ip4": "Raw IPv4", "tcp6": "TCP over IPv6",
           "udp6": "UDP over IPv6", "ip6": "Raw IPv6", "ether": "Raw Ethernet"}  # fmt: skip
_WORDS = {"tcp4": "src-ip dst-ip src-port dst-port", "udp4": "src-ip dst-ip src-port dst-port",
          "tcp6": "src-ip dst-ip src-port dst-port", "udp6": "src-ip dst-ip src-port dst-port",
          "ip4": "src-ip dst-ip l4proto", "ip6": "src-ip dst-ip l4proto", "ether": "proto"}  # fmt: skip
ARP = 0x0806


class Refusal(Exception):  # noqa: N818 - what ethtool says
    """What the tool prints, with exit status 1."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One rule: its type, its fields by ethtool's words, and the queue (-1: drop)."""

    kind: str
    said: tuple[tuple[str, int], ...]
    action: int

    def key(self) -> tuple[tuple[str, int], ...]:
        """What it looks at, in the words of a packet."""
        if self.kind == "ether":
            return (("ether", dict(self.said)["proto"]),)
        ether, proto = _TYPES[self.kind]
        fixed = (("ether", ether), *((("l4proto", proto),) if proto else ()))
        return tuple(sorted((*fixed, *self.said)))


@dataclass(slots=True)
class NtupleNic:
    """One NIC's table."""

    room: int = 16384
    queues: int = 4
    filters: dict[int, Filter] = field(default_factory=dict)
    _of: dict[tuple[tuple[str, int], ...], int] = field(default_factory=dict)
    _index: dict[tuple[str, ...], dict[tuple[int, ...], int]] = field(default_factory=dict)

    def command(self, words: str) -> str:
        """The arguments behind ``ethtool -N NIC``, and what it prints. Raises Refusal."""
        self._index.clear()
        if found := re.fullmatch(r"delete (\d+)", words):
            gone = self.filters.pop(int(found[1]), None)
            if gone is None:
                raise Refusal("rmgr: Cannot delete RX class rule: No such file or directory")
            del self._of[gone.key()]
            return ""
        made = _filter(words, self.queues)
        number = self._of.get(made.key(), -1)
        if number < 0 and len(self.filters) >= self.room:
            raise Refusal("rmgr: Cannot insert RX class rule: No space left on device")
        if number < 0:
            number = len(self.filters) if len(self.filters) not in self.filters else self._free()
        self.filters[number] = made
        self._of[made.key()] = number
        return f"Added rule with ID {number}\n"

    def _free(self) -> int:
        return next(n for n in range(self.room) if n not in self.filters)

    def listing(self) -> str:
        """What ``ethtool -n NIC`` prints."""
        head = f"{self.queues} RX rings available\nTotal {len(self.filters)} rules\n\n"
        return head + "".join(f"Filter: {n}\n" + "".join(_shown(f)) + "\n" for n, f in sorted(self.filters.items()))

    def passes(self, frame: bytes) -> bool:
        """The verdict on a received frame."""
        packet = seen(frame)
        if packet is None or packet.ether == ARP:
            return packet is not None
        values = {"ether": packet.ether, "l4proto": packet.proto, "src-ip": int.from_bytes(packet.src, "big"),
                  "dst-ip": int.from_bytes(packet.dst, "big"), "src-port": packet.sport, "dst-port": packet.dport}  # fmt: skip
        if not self._index:
            for made in self.filters.values():
                names, wanted = zip(*made.key(), strict=True)
                self._index.setdefault(names, {})[wanted] = made.action
        for names in sorted(self._index, key=len, reverse=True):
            action = self._index[names].get(tuple(values[name] for name in names))
            if action is not None:
                return action >= 0
        return True


def _filter(words: str, queues: int) -> Filter:
    found = re.fullmatch(r"flow-type (\w+)((?: [a-z0-9-]+ \S+)*) action (-?\d+)", words)
    if not found or found[1] not in _WORDS:
        raise Refusal("ethtool: bad command line argument(s)")
    said: dict[str, int] = {}
    pairs = iter(found[2].split())
    for name, value in zip(pairs, pairs, strict=True):
        if name not in _WORDS[found[1]].split() or name in said:
            raise Refusal("rmgr: Cannot insert RX class rule: Invalid argument")
        said[name] = _value(found[1], name, value)
    if not -1 <= int(found[3]) < queues or (found[1] == "ether" and not said):
        raise Refusal("rmgr: Cannot insert RX class rule: Invalid argument")
    return Filter(found[1], tuple(sorted(said.items())), int(found[3]))


def _value(kind: str, name: str, value: str) -> int:
    try:
        if name in ("src-ip", "dst-ip"):
            address = ip_address(value)
            if address.version != int(kind[-1]):
                raise ValueError
            return int(address)
        number = int(value, 0)
    except ValueError:
        raise Refusal("ethtool: bad command line argument(s)") from None
    if not 0 <= number <= (255 if name == "l4proto" else 65535):
        raise Refusal("ethtool: bad command line argument(s)")
    return number


def _shown(made: Filter) -> Iterator[str]:
    said = dict(made.said)
    yield f"\t{'Flow' if made.kind == 'ether' else 'Rule'} Type: {_TITLES[made.kind]}\n"
    if made.kind == "ether":
        yield from (f"\t{end} MAC addr: 00:00:00:00:00:00 mask: FF:FF:FF:FF:FF:FF\n" for end in ("Src", "Dest"))
        yield f"\tEthertype: 0x{said['proto']:X} mask: 0x0\n"
    else:
        four = made.kind.endswith("4")
        for title, name in (("Src", "src-ip"), ("Dest", "dst-ip")):
            yield f"\t{title} IP addr: {_address(four, said.get(name))}\n"
        yield f"\t{'TOS' if four else 'Traffic Class'}: 0x0 mask: 0xff\n"
        if made.kind.startswith("ip"):
            yield f"\tProtocol: {said.get('l4proto', 0)} mask: {'0x0' if 'l4proto' in said else '0xff'}\n"
            yield "\tL4 bytes: 0x0 mask: 0xffffffff\n"
        else:
            for title, name in (("Src", "src-port"), ("Dest", "dst-port")):
                yield f"\t{title} port: {said.get(name, 0)} mask: {'0x0' if name in said else '0xffff'}\n"
    yield "\tAction: Drop\n" if made.action < 0 else f"\tAction: Direct to queue {made.action}\n"


def _address(four: bool, value: int | None) -> str:
    none, every = (str(IPv4Address(0)), "255.255.255.255") if four else ("::", ":".join(["ffff"] * 8))
    if value is None:
        return f"{none} mask: {every}"
    return f"{IPv4Address(value) if four else IPv6Address(value)} mask: {none}"
