"""Boxes of packets: what they share, what is left of them, and one plausible packet inside."""

from __future__ import annotations

from collections.abc import Iterable

from configlet.model.net import TOP, Family, Span, address_text, prefixes
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC, Box, Packet

TCP, UDP, SCTP = 6, 17, 132
ICMP: dict[Family, int] = {4: 1, 6: 58}
"""The ICMP that belongs to a family; the other number is an ordinary protocol there."""

_PORTED = {TCP: "tcp", UDP: "udp", SCTP: "sctp"}
_WIDE = 1 << 24
_TELLING = (DST, SRC, DPORT, PROTO, SPORT, FRAG, FLAG)
"""Dimensions in the order in which two boxes of a policy most often differ."""
_EXAMPLE: dict[Family, int] = {4: 0xCB007107, 6: 0x20010DB8FFFF00000000000000000007}
_ECHO: dict[Family, int] = {4: 8 << 8, 6: 128 << 8}


def full(family: Family) -> Box:
    """All packets of one family."""
    anywhere = (0, TOP[family])
    return (ANY_PROTO, anywhere, anywhere, ANY_PORT, ANY_PORT, ANY_BIT, ANY_BIT)


def meet(a: Box, b: Box) -> Box | None:
    """The packets that are in both boxes; None when there are none."""
    for level in _TELLING:
        (lo, hi), (x, y) = a[level], b[level]
        if lo > y or x > hi:
            return None
    return tuple(  # type: ignore[return-value]
        (lo if lo > x else x, hi if hi < y else y) for (lo, hi), (x, y) in zip(a, b, strict=True)
    )


def change(box: Box, level: int, span: Span) -> Box:
    """The box with another interval in one dimension."""
    new = (*box[:level], span, *box[level + 1 :])
    return (new[0], new[1], new[2], new[3], new[4], new[5], new[6])


def minus(a: Box, b: Box) -> tuple[Box, ...]:
    """What is left of ``a`` without ``b``, in disjoint boxes (at most two for each dimension)."""
    common = meet(a, b)
    return (a,) if common is None else around(a, common)


def around(box: Box, inner: Box) -> tuple[Box, ...]:
    """The same of a box without one that lies in it."""
    out: list[Box] = []
    rest = box
    for level, span in enumerate(inner):
        if rest[level] == span:
            continue
        (low, high), (lo, hi) = rest[level], span
        if low < lo:
            out.append(change(rest, level, (low, lo - 1)))
        if hi < high:
            out.append(change(rest, level, (hi + 1, high)))
        rest = change(rest, level, span)
    return tuple(out)


def minus_all(box: Box, boxes: Iterable[Box]) -> tuple[Box, ...]:
    """What is left of ``box`` without any of ``boxes``, in disjoint boxes."""
    rest: tuple[Box, ...] = (box,)
    for other in boxes:
        rest = tuple(piece for part in rest for piece in minus(part, other))
    return rest


def point(packet: Packet) -> tuple[int, ...]:
    """The packet as a point of packet space, one number for each interval of a box."""
    return (
        packet.proto,
        packet.dst,
        packet.src,
        packet.dport,
        packet.sport,
        int(packet.established),
        int(packet.fragment),
    )


def packet_of(family: Family, realm: str, box: Box) -> Packet:
    """A plausible member of a box: a known protocol, host addresses, an ephemeral source port, no fragment."""
    fragment = box[FRAG][0]
    proto = _pick(box[PROTO], TCP, UDP, ICMP[family])
    ported, icmp = proto in _PORTED and not fragment, proto == ICMP[family] and not fragment
    source, target = _ports(box) if ported else (_pick(box[SPORT], 0), _pick(box[DPORT], _ECHO[family] if icmp else 0))
    ends = _host(family, box[SRC]), _host(family, box[DST])
    return Packet(realm, family, proto, *ends, source, target, bool(box[FLAG][0]), bool(fragment))


def _ports(box: Box) -> Span:
    """Source and destination port: the client's end is ephemeral, and it is the source unless only a reply fits."""
    source, low, high = _pick(box[SPORT], 49152), *box[DPORT]
    answer = source != 49152 and low <= 49152 <= high
    return source, 49152 if answer else _pick(box[DPORT], *((443, 1) if low == 0 else ()))


def _pick(span: Span, *liked: int) -> int:
    return next((value for value in liked if span[0] <= value <= span[1]), span[0])


def _host(family: Family, span: Span) -> int:
    low, high = span
    if high - low >= _WIDE and low <= _EXAMPLE[family] <= high:
        return _EXAMPLE[family]
    return low + 1 if high - low > 1 else low


def packet_text(packet: Packet) -> str:
    """One packet in words: ``tcp 198.51.100.7:49152 -> 192.0.2.11:9001, new connection``."""
    src, dst = (address_text(packet.family, value) for value in (packet.src, packet.dst))
    name = "icmp" if packet.proto == 1 else "icmpv6" if packet.proto == 58 else f"protocol {packet.proto}"
    name = _PORTED.get(packet.proto, name)
    if packet.fragment:
        return f"{name} {src} -> {dst}, non-first fragment"
    if packet.proto in _PORTED:
        ends = f"{_end(packet.family, src, packet.sport)} -> {_end(packet.family, dst, packet.dport)}"
        return f"{name} {ends}{_state(packet)}"
    if packet.proto == ICMP[packet.family]:
        return f"{name} {src} -> {dst} type {packet.dport >> 8} code {packet.dport & 255}"
    return f"{name} {src} -> {dst}"


def _end(family: Family, address: str, port: int) -> str:
    return f"{address}:{port}" if family == 4 else f"[{address}]:{port}"


def _state(packet: Packet) -> str:
    if packet.proto != TCP:
        return ""
    return ", established" if packet.established else ", new connection"


def box_text(family: Family, box: Box) -> str:
    """A whole box in words: ``198.51.100.0/24 -> 192.0.2.11, tcp 9001-9016``."""
    words = [f"{_ends(family, box[SRC])} -> {_ends(family, box[DST])}", _service(family, box)]
    if box[SPORT] != ANY_PORT:
        words.append(f"source port {_range(box[SPORT])}")
    if box[FLAG] != ANY_BIT:
        words.append("established" if box[FLAG][0] else "new connections")
    if box[FRAG] == (1, 1):
        words.append("non-first fragments")
    return ", ".join(words)


def _service(family: Family, box: Box) -> str:
    low, high = box[PROTO]
    if box[PROTO] == ANY_PROTO:
        name = "any protocol"
    elif low != high:
        name = f"protocols {low}-{high}"
    else:
        name = {**_PORTED, 1: "icmp", 58: "icmpv6"}.get(low, f"protocol {low}")
    if box[DPORT] == ANY_PORT:
        return name
    if (low, high) == (ICMP[family],) * 2:
        types = (box[DPORT][0] >> 8, box[DPORT][1] >> 8)
        exact = box[DPORT] == (types[0] << 8, types[1] << 8 | 255)
        return f"{name} type {_range(types)}" if exact else f"{name} type and code {_codes(box[DPORT])}"
    return f"{name} {_range(box[DPORT])}"


def _codes(span: Span) -> str:
    low, high = (f"{value >> 8}.{value & 255}" for value in span)
    return low if low == high else f"{low}-{high}"


def _range(span: Span) -> str:
    return str(span[0]) if span[0] == span[1] else f"{span[0]}-{span[1]}"


def _ends(family: Family, span: Span) -> str:
    if span == (0, TOP[family]):
        return "any"
    first, last = (address_text(family, value) for value in span)
    parts = prefixes(family, span)
    if first == last:
        return first
    return f"{first}/{parts[0][1]}" if len(parts) == 1 else f"{first}-{last}"
