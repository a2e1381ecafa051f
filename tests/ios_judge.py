"""IOS-XE access lists judged packet by packet, word by word: shares nothing with the reader, the prover or the lab."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from configlet.model.policy import Packet

PROTOS = {4: {"tcp": 6, "udp": 17, "icmp": 1}, 6: {"tcp": 6, "udp": 17, "icmp": 58}}

OPERATORS = ("eq", "neq", "gt", "lt", "range")


def judged(text: str, binding: str, direction: str, packet: Packet) -> bool:
    """Whether the interface lets the packet pass; an interface without a list, or with an empty one, passes everything."""
    word = "ip access-group" if packet.family == 4 else "ipv6 traffic-filter"
    bound = [
        line for line in _under(text, f"interface {binding}") if line.startswith(word) and line.endswith(direction)
    ]
    head = "ip access-list extended" if packet.family == 4 else "ipv6 access-list"
    entries = [
        words
        for line in (_under(text, f"{head} {bound[0].split()[2]}") if bound else [])
        if "remark" not in (words := _without_number(line.split()))[:1]
    ]
    return next((words[0] == "permit" for words in entries if _hits(words, packet)), not entries)


def _under(text: str, header: str) -> list[str]:
    found: list[str] = []
    here = False
    for line in text.splitlines():
        if line[:1] not in (" ", "!"):
            here = line == header
        elif here and line.startswith(" "):
            found.append(line.strip())
    return found


def _without_number(words: list[str]) -> list[str]:
    words = words[1:] if words[0] == "sequence" else words
    return words[1:] if words[0].isdigit() else words


def _hits(words: list[str], packet: Packet) -> bool:
    action, proto, *rest = words
    every = "ip" if packet.family == 4 else "ipv6"
    number = PROTOS[packet.family].get(proto, -1)
    if proto != every and packet.proto != (number if number >= 0 else int(proto)):
        return False
    ported = any(word in OPERATORS for word in words)
    source = _address(rest, packet.src, packet.family)
    sport = _port(rest, packet.sport)
    destination = _address(rest, packet.dst, packet.family)
    dport = _port(rest, packet.dport)
    established, fragments = "established" in rest, "fragments" in rest
    types = [int(word) for word in rest if word.isdigit()]
    if not (source and destination):
        return False
    if packet.fragment:
        by_address = ported and not established and action == "permit" and packet.family == 4
        return fragments or by_address or not (types or established or ported)
    if fragments:
        return False
    kind, code = divmod(packet.dport, 256)
    return sport and dport and types in ([], [kind], [kind, code]) and (packet.established or not established)


def _address(rest: list[str], value: int, family: int) -> bool:
    """Take one address off the front, and say whether the value is in it, bit by bit."""
    first = rest.pop(0)
    if first == "any":
        return True
    if first == "host":
        return int((IPv4Address if family == 4 else IPv6Address)(rest.pop(0))) == value
    if family == 4:
        free = int(IPv4Address(rest.pop(0)))
        return (int(IPv4Address(first)) | free) == (value | free)
    base, length = first.split("/")
    shift = 128 - int(length)
    return int(IPv6Address(base)) >> shift == value >> shift


def _port(rest: list[str], value: int) -> bool:
    """Take a port clause off the front, if there is one."""
    if not rest or rest[0] not in OPERATORS:
        return True
    word = rest.pop(0)
    ports = []
    while rest and rest[0].isdigit():
        ports.append(int(rest.pop(0)))
    return {
        "eq": value in ports,
        "neq": value not in ports,
        "gt": value > ports[0],
        "lt": value < ports[0],
        "range": ports[0] <= value <= ports[-1],
    }[word]
