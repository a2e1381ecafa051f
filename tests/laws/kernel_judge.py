"""What Linux does with one packet that meets a filter table, rule by rule: a second opinion on what the reader says.

It knows the forms that ``made.tables`` and ``test_reading_thin`` write, and nothing of the reader. A rule that it does not know
raises ValueError. From nft(8) and net/netfilter/nf_tables_core.c: a verdict map ends nothing when no element has the key;
``goto`` from a chain goes on behind the last ``jump``, or at the hook's policy; a field that a packet does not have
matches nothing, also with ``!=``; ``ct`` knows no addresses of what it does not track.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from configlet.model.policy import Box

DEEP = 60
_MAP = re.compile(r"\tmap (\w+) \{\n\t\ttype .* : verdict\n(?:\t\t.*\n)*?\t\telements = \{\n((?:\t\t\t.*\n)*)\t\t\}")
_ELEMENT = re.compile(r'\t\t\t(\S+(?: \. \S+)*)(?: counter(?: packets \d+ bytes \d+)?)?(?: comment "[^"]*")? : (.*),\n')
_CHAIN = re.compile(r"\tchain (\w+) \{\n((?:\t\t.*\n)*)\t\}")
_SELECTOR = (
    r"(?:(?:ct original )?ip6? [sd]addr|ct original proto-(?:dst|src)|ct protocol|meta l4proto|icmp(?:v6)? (?:type|code)"
    r"|(?:tcp|udp|th) [sd]port)"
)
_LOOKUP = re.compile(rf"({_SELECTOR}(?: \. {_SELECTOR})*) vmap @(\w+)$")
_MATCH = re.compile(rf"({_SELECTOR}) (!= )?(\{{[^}}]*\}}|\S+) ?")
_FRAGMENT = re.compile(r"(?:ip frag-off & \S+ != 0|frag frag-off != 0) ?")
_STATE = re.compile(r"ct state (\S+) ?")
_ASIDE = re.compile(r'(?:counter(?: packets \d+ bytes \d+)?|log prefix "[^"]*" group \d+|comment "[^"]*") ?')
_VERDICT = re.compile(r'(accept|drop|(?:jump|goto) \w+)(?: comment ".*")?$')
_ICMP = {4: 1, 6: 58}
_REQUESTS = {4: (8, 13, 15, 17), 6: (128, 139)}
_UNTRACKED = (130, 131, 132, 133, 134, 135, 136, 143)
"""What conntrack leaves out of IPv6: neighbour discovery and multicast listeners (nf_conntrack_proto_icmpv6.c)."""
_SOME = {
    4: ("10.1.0.1", "10.1.2.3", "10.9.0.1", "10.9.3.7", "10.3.0.5", "224.0.0.1", "10.2.0.9", "10.4.0.1", "10.4.1.1", "1.1.1.1"),
    6: ("::1", "fe80::1", "ff02::1", "2001:db8::1"),
}


class Packet(NamedTuple):
    """An unfragmented packet of no connection that was there before it; ``kind`` is type and code of ICMP."""

    family: int
    protocol: int
    source: int
    destination: int
    ports: tuple[int, int]
    """Source and destination; of ICMP the first is its identifier."""
    kind: tuple[int, int]

    @property
    def icmp(self) -> bool:
        """Whether it is ICMP of its family."""
        return self.protocol == _ICMP[self.family]

    @property
    def state(self) -> str:
        """What conntrack takes it for."""
        if not self.icmp or self.kind[0] in _REQUESTS[self.family]:
            return "new"
        return "untracked" if self.family == 6 and self.kind[0] in _UNTRACKED else "invalid"

    def inside(self, box: Box) -> bool:
        """Whether it is one of the packets of a box."""
        to = self.kind[0] * 256 + self.kind[1] if self.icmp else self.ports[1]
        at = (self.protocol, self.destination, self.source, to, self.ports[0], 0, 0)
        return all(low <= value <= high for value, (low, high) in zip(at, box, strict=True))


def packets(dice: random.Random, count: int) -> Iterator[Packet]:
    """Packets, many of which such tables have a word for."""
    for _ in range(count):
        family = dice.choice((4, 4, 4, 6))
        kinds = (0, 3, 5, 8, 11, 12, 13, 15, 17, 18) if family == 4 else (1, 4, 128, 129, 133, 136, 139, 143)
        yield Packet(
            family,
            dice.choice((_ICMP[family], _ICMP[family], 6, 17)),
            int(ip_address(dice.choice(_SOME[family]))),
            int(ip_address(dice.choice(_SOME[family]))),
            (dice.choice((0, 22, 80, 53, 1023, 60000)), dice.choice((7, 22, 53, 80, 443, 65535))),
            (dice.choice(kinds), dice.choice((0, 1, 4))),
        )


class Kernel:
    """A table as the kernel would hold it."""

    def __init__(self, text: str) -> None:
        text = re.sub(r"\n\s*\n", "\n", re.sub(r" +", " ", text))
        self.maps = {name: [_element(*found) for found in _ELEMENT.findall(body)] for name, body in _MAP.findall(text)}
        self.chains = {name: _rules(body) for name, body in _CHAIN.findall(text)}
        self.policies = {
            name: found[1] == "accept"
            for name, body in _CHAIN.findall(text)
            if (found := re.search(r"type filter hook .* policy (\w+);", body))
        }

    def passes(self, hook: str, packet: Packet) -> bool:
        """Whether a packet that comes to a hook goes on. Raises ValueError for rules that are not known here."""
        behind: list[tuple[str, int]] = []
        chain, at = hook, 0
        for _ in range(10_000):
            if at >= len(self.chains[chain]):
                if not behind:
                    return self.policies[hook]
                chain, at = behind.pop()
                continue
            verdict = self._verdict(self.chains[chain][at], packet)
            at += 1
            if verdict in ("accept", "drop"):
                return verdict == "accept"
            if verdict:
                how, to = verdict.split()
                if how == "jump":
                    behind.append((chain, at))
                chain, at = to, 0
            if len(behind) > DEEP:
                break
        raise ValueError("chains that never end")

    def _verdict(self, rule: str, packet: Packet) -> str | None:
        while rule:
            if found := _LOOKUP.match(rule):
                return self._found(found[2], [_field(packet, selector) for selector in found[1].split(" . ")])
            met = _met(rule, packet)
            if met is not None:
                matches, rule = met
                if not matches:
                    return None
            elif found := _VERDICT.match(rule):
                return found[1]
            else:
                raise ValueError(rule)
        return None

    def _found(self, name: str, key: list[int | None]) -> str | None:
        if None in key:
            return None
        for spans, verdict in self.maps[name]:
            if all(low <= value <= high for value, (low, high) in zip(key, spans, strict=True) if value is not None):
                return verdict
        return None


def _met(rule: str, packet: Packet) -> tuple[bool, str] | None:
    """Whether a packet meets the first condition of a rule, and what of the rule is behind it; None: it is none."""
    if found := _ASIDE.match(rule):
        return True, rule[found.end() :]
    if found := _FRAGMENT.match(rule):
        return False, ""
    if found := _STATE.match(rule):
        return packet.state in found[1].split(","), rule[found.end() :]
    if (found := _MATCH.match(rule)) is None:
        return None
    value = _field(packet, found[1])
    if value is None:
        return False, ""
    spans = [_span(one.strip()) for one in found[3].strip("{}").split(",")]
    return any(low <= value <= high for low, high in spans) != bool(found[2]), rule[found.end() :]


def _field(packet: Packet, selector: str) -> int | None:
    if selector.startswith("ct ") and packet.state in ("invalid", "untracked"):
        return None
    words = selector.removeprefix("ct original ").removeprefix("ct ").split()
    fields: dict[str, Callable[[], int | None]] = {
        "ip": lambda: _address(packet, words[1]) if packet.family == 4 else None,
        "ip6": lambda: _address(packet, words[1]) if packet.family == 6 else None,
        "meta": lambda: packet.protocol,
        "protocol": lambda: packet.protocol,
        "proto-dst": lambda: packet.kind[0] * 256 + packet.kind[1] if packet.icmp else packet.ports[1],
        "proto-src": lambda: packet.ports[0],
        "icmp": lambda: _kind(packet, words[1]) if packet.family == 4 and packet.icmp else None,
        "icmpv6": lambda: _kind(packet, words[1]) if packet.family == 6 and packet.icmp else None,
        "tcp": lambda: packet.ports[words[1] == "dport"] if packet.protocol == 6 else None,
        "udp": lambda: packet.ports[words[1] == "dport"] if packet.protocol == 17 else None,
        "th": lambda: None if packet.icmp else packet.ports[words[1] == "dport"],
    }
    return fields[words[0]]()


def _address(packet: Packet, which: str) -> int:
    return packet.source if which == "saddr" else packet.destination


def _kind(packet: Packet, which: str) -> int:
    return packet.kind[which == "code"]


def _element(key: str, verdict: str) -> tuple[list[tuple[int, int]], str]:
    return [_span(part) for part in key.split(" . ")], verdict


def _rules(body: str) -> list[str]:
    lines = [line.strip() for line in body.splitlines() if line.strip()]
    return [line for line in lines if not line.startswith("type filter hook")]


def _span(text: str) -> tuple[int, int]:
    """First and last of a number, an address, a range or a prefix."""
    if "/" in text:
        network = ip_network(text)
        return int(network[0]), int(network[-1])
    low, _, high = text.partition("-")
    return _number(low), _number(high or low)


def _number(text: str) -> int:
    if text in ("tcp", "udp"):
        return {"tcp": 6, "udp": 17}[text]
    return int(ip_address(text)) if "." in text or ":" in text else int(text)
