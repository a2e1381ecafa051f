"""Whole Ethernet frames: made as a bypassing application makes them, and read back. Pure.

Layouts: RFC 791, 8200 (IPv4, IPv6 and its fragment header), 793, 768, 792, 4443.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from configlet.lab.traffic_values import Key
from configlet.model.net import Family
from configlet.model.policy import Packet

TCP, UDP = 6, 17
ICMP: dict[Family, int] = {4: 1, 6: 58}
REPLY: dict[int, int] = {8: 0, 128: 129}
FIN, SYN, RST, ACK = 1, 2, 4, 16
_ETHER: dict[Family, int] = {4: 0x0800, 6: 0x86DD}
_WIDTH: dict[Family, int] = {4: 4, 6: 16}
_FRAGMENT_HEADER = 44
_ISN = 0x1000
MARK = b"configlet probe "


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame that was read. For ICMP ``dport`` is type*256+code and ``sport`` the identifier."""

    family: Family
    proto: int
    src: int
    dst: int
    sport: int
    dport: int
    flags: int = 0
    seq: int = 0
    ack: int = 0
    fragment: bool = False
    source_mac: bytes = b""
    target_mac: bytes = b""

    @property
    def key(self) -> Key:
        """What it is recognised by."""
        return self.family, self.proto, self.src, self.dst, self.sport, self.dport, self.fragment

    @property
    def opens(self) -> bool:
        """Whether it may begin something: not a TCP packet other than a plain SYN."""
        return self.proto != TCP or self.fragment or self.flags & (SYN | ACK | RST) == SYN


def mac_bytes(text: str) -> bytes:
    """Six bytes of ``02:00:...``."""
    return bytes.fromhex(text.replace(":", ""))


def group_mac(family: Family, group: int) -> str:
    """The MAC of a multicast group (RFC 1112, RFC 2464)."""
    if family == 4:
        return "01:00:5e:" + (group & 0x7FFFFF).to_bytes(3, "big").hex(":")
    return "33:33:" + (group & 0xFFFFFFFF).to_bytes(4, "big").hex(":")


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame_of(packet: Packet, mac: str, toward: str) -> bytes:
    """A packet as a frame from one MAC to another: SYN (or ACK), datagram, echo request, or non-first fragment."""
    if packet.fragment:
        return _ether(packet.family, mac_bytes(mac), mac_bytes(toward), _fragment(packet))
    flags = ACK if packet.established else SYN
    ends = packet.family, packet.src, packet.dst
    body = _body(ends, packet.proto, packet.sport, packet.dport, flags, _ISN, 1 if packet.established else 0)
    return _ether(packet.family, mac_bytes(mac), mac_bytes(toward), _network(ends, packet.proto, body))


def answer_to(seen: Seen) -> bytes | None:
    """The frame that answers one: SYN-ACK, the same datagram back, echo reply; the last ACK of a handshake. Else None."""
    ends = seen.family, seen.dst, seen.src
    if seen.fragment:
        return None
    if seen.proto == TCP and seen.flags & SYN and not seen.flags & RST:
        flags = ACK if seen.flags & ACK else SYN | ACK
        body = _body(ends, TCP, seen.dport, seen.sport, flags, seen.ack or _ISN, seen.seq + 1)
    elif seen.proto == UDP:
        body = _body(ends, UDP, seen.dport, seen.sport, 0, 0, 0)
    elif seen.proto == ICMP[seen.family] and seen.dport >> 8 in REPLY:
        body = _body(ends, seen.proto, seen.sport, REPLY[seen.dport >> 8] << 8, 0, 0, 0)
    else:
        return None
    return _ether(seen.family, seen.target_mac, seen.source_mac, _network(ends, seen.proto, body))


def _ether(family: Family, mac: bytes, toward: bytes, packet: bytes) -> bytes:
    return toward + mac + struct.pack("!H", _ETHER[family]) + packet


def _network(ends: tuple[Family, int, int], proto: int, body: bytes) -> bytes:
    family, src, dst = ends
    if family == 6:
        return (
            struct.pack("!IHBB", 6 << 28, len(body), proto, 64)
            + src.to_bytes(16, "big")
            + dst.to_bytes(16, "big")
            + body
        )
    return _header4(src, dst, proto, len(body), 0, 0x4000) + body


def _header4(src: int, dst: int, proto: int, length: int, identification: int, offset: int) -> bytes:
    fields = [0x45, 0, 20 + length, identification, offset, 64, proto, 0, src, dst]
    fields[7] = checksum(struct.pack("!BBHHHBBHII", *fields))
    return struct.pack("!BBHHHBBHII", *fields)


def _fragment(packet: Packet) -> bytes:
    """The last fragment, at offset 64, of a datagram whose first one never comes."""
    body = MARK * 2
    if packet.family == 4:
        return _header4(packet.src, packet.dst, packet.proto, len(body), packet.sport, 8) + body
    header = struct.pack("!BBHI", packet.proto, 0, 64, packet.sport)
    return _network((6, packet.src, packet.dst), _FRAGMENT_HEADER, header + body)


def _body(ends: tuple[Family, int, int], proto: int, sport: int, dport: int, flags: int, seq: int, ack: int) -> bytes:
    """Transport header with payload and checksum; any other protocol carries the payload alone."""
    if proto == TCP:
        fixed = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 64240, 0, 0)
        return _summed(ends, TCP, fixed, 16)
    if proto == UDP:
        return _summed(ends, UDP, struct.pack("!HHHH", sport, dport, 8 + len(MARK), 0) + MARK, 6)
    if proto == ICMP[ends[0]]:
        fixed = struct.pack("!HHHH", dport, 0, sport, 1) + MARK
        return _summed(ends, proto, fixed, 2)
    return MARK


def _summed(ends: tuple[Family, int, int], proto: int, body: bytes, at: int) -> bytes:
    family, src, dst = ends
    width = _WIDTH[family]
    pseudo = src.to_bytes(width, "big") + dst.to_bytes(width, "big") + struct.pack("!IHBB", len(body), 0, 0, proto)
    total = checksum((b"" if proto == 1 else pseudo) + body)
    return body[:at] + struct.pack("!H", total or (0xFFFF if proto == UDP else 0)) + body[at + 2 :]


def parse(frame: bytes) -> Seen | None:
    """What a frame is; None for anything but IPv4 and IPv6, and for what is cut short."""
    try:
        kind = frame[12] << 8 | frame[13]
        if kind == _ETHER[4]:
            return _parse4(frame)
        return _parse6(frame) if kind == _ETHER[6] else None
    except (IndexError, struct.error):
        return None


def _parse4(frame: bytes) -> Seen:
    size, _, _, identification, offset, _, proto, _, src, dst = struct.unpack_from("!BBHHHBBHII", frame, 14)
    if offset & 0x1FFF:
        return Seen(4, proto, src, dst, identification, 0, fragment=True)
    return _parse_body(frame, 4, proto, src, dst, 14 + (size & 15) * 4)


def _parse6(frame: bytes) -> Seen:
    proto = frame[20]
    src, dst = int.from_bytes(frame[22:38], "big"), int.from_bytes(frame[38:54], "big")
    if proto == _FRAGMENT_HEADER:
        proto, _, offset, identification = struct.unpack_from("!BBHI", frame, 54)
        if offset >> 3:
            return Seen(6, proto, src, dst, identification & 0xFFFF, 0, fragment=True)
        return _parse_body(frame, 6, proto, src, dst, 62)
    return _parse_body(frame, 6, proto, src, dst, 54)


def _parse_body(frame: bytes, family: Family, proto: int, src: int, dst: int, at: int) -> Seen:
    macs = frame[6:12], frame[:6]
    if proto == TCP:
        sport, dport, seq, ack, _, flags = struct.unpack_from("!HHIIBB", frame, at)
        return Seen(family, proto, src, dst, sport, dport, flags, seq, ack, False, *macs)
    if proto == UDP:
        sport, dport = struct.unpack_from("!HH", frame, at)
        return Seen(family, proto, src, dst, sport, dport, 0, 0, 0, False, *macs)
    if proto == ICMP[family]:
        dport, _, sport = struct.unpack_from("!HHH", frame, at)
        return Seen(family, proto, src, dst, sport, dport, 0, 0, 0, False, *macs)
    return Seen(family, proto, src, dst, 0, 0, 0, 0, 0, False, *macs)
