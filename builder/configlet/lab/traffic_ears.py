"""The ears: sockets that applications would have, and AF_PACKET where an application bypasses the kernel."""

from __future__ import annotations

import ctypes
import errno
import selectors
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

from configlet.lab.traffic_book import Book, answered_key
from configlet.lab.traffic_frames import ACK, ICMP, RST, SYN, TCP, UDP, Seen, answer_to, parse
from configlet.lab.traffic_nets import OUTGOING, Nets
from configlet.lab.traffic_values import Ear, Key, Shot
from configlet.model.net import Family, address_text
from configlet.model.policy import Packet
from configlet.model.problem import refuse

Handler = Callable[[], None]
_LINGER = struct.pack("ii", 1, 0)
_BACKLOG = 512
_SO_ATTACH_FILTER = 26
_TAKE_NOTHING = struct.pack("HBBI", 6, 0, 0, 0)
"""The classic BPF program `return 0` (linux/filter.h)."""


class Ears:
    """All listening sockets of one run, opened once each; ``open`` before anything is sent."""

    def __init__(self, nets: Nets, book: Book, selector: selectors.BaseSelector) -> None:
        self.nets, self.book, self.selector = nets, book, selector
        self.sniffers: dict[tuple[str, str], socket.socket] = {}
        self.pings: dict[tuple[str, Family, int], socket.socket] = {}
        self.taken: set[tuple[str, Family, int, int]] = set()
        self._bound: set[tuple[object, ...]] = set()
        self._kept: list[socket.socket] = []

    def open(self, shot: Shot) -> None:
        """Whatever this shot needs to be heard and answered."""
        for ear in shot.ears:
            if ear.sense == "socket":
                self._listen(shot, ear)
                if shot.how == "frame" and shot.packet.proto == TCP:
                    self._sniff(ear.namespace, ear.interface)
            else:
                self._sniff(ear.namespace, ear.interface)
                if ear.sense == "frame" and shot.answer:
                    self._mute(ear.namespace, shot.packet, shot.packet.dst, shot.packet.dport)
        if shot.how == "frame" and shot.answer:
            self._sniff(shot.namespace, shot.interface)
            self._mute(shot.namespace, shot.packet, shot.packet.src, shot.packet.sport)

    def close(self) -> None:
        """Close every socket."""
        for one in (*self._kept, *self.sniffers.values(), *self.pings.values()):
            one.close()

    def watch(self, one: socket.socket, handler: Handler) -> None:
        """Call a handler whenever a socket can be read."""
        self.selector.register(one, selectors.EVENT_READ, handler)

    def ping(self, namespace: str, family: Family, address: int) -> socket.socket:
        """The raw ICMP socket of an address: it sends echo requests, and reads what comes behind the INPUT hook."""
        place = namespace, family, address
        if place not in self.pings:
            raw = self.nets.make(namespace, family, socket.SOCK_RAW, ICMP[family])
            bind(raw, namespace, family, address, 0)
            self.pings[place] = raw
            self.watch(raw, lambda: self._pinged(raw, namespace, family, address))
        return self.pings[place]

    def _listen(self, shot: Shot, ear: Ear) -> None:
        packet = shot.packet
        if packet.proto == ICMP[packet.family]:
            self.ping(ear.namespace, packet.family, packet.dst)
            return
        place = ear.namespace, packet.family, packet.proto, packet.dst, packet.dport
        if place in self._bound:
            return
        self._bound.add(place)
        kind = socket.SOCK_STREAM if packet.proto == TCP else socket.SOCK_DGRAM
        one = self.nets.make(ear.namespace, packet.family, kind)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._kept.append(one)
        if not bind(one, ear.namespace, packet.family, packet.dst, packet.dport):
            self.taken.add((ear.namespace, packet.family, packet.dst, packet.dport))
            return
        end = packet.dst, packet.dport
        if packet.proto == TCP:
            one.listen(_BACKLOG)
            self.watch(one, lambda: self._accept(one, ear.namespace, packet.family, end))
        else:
            self._join(one, ear, packet.family, packet.dst)
            self.watch(one, lambda: self._datagram(one, ear.namespace, packet.family, end))

    def _mute(self, namespace: str, packet: Packet, address: int, port: int) -> None:
        """Keep the kernel from answering for an application that bypasses it: a socket whose filter takes nothing.

        A NIC that steers a port to the application never shows it to the kernel; AF_PACKET only gets a copy.
        """
        place = namespace, packet.family, packet.proto, address, port
        if packet.proto not in (TCP, UDP) or place in self._bound:
            return
        self._bound.add(place)
        kind = socket.SOCK_STREAM if packet.proto == TCP else socket.SOCK_DGRAM
        one = self.nets.make(namespace, packet.family, kind)
        self._kept.append(one)
        code = ctypes.create_string_buffer(_TAKE_NOTHING)
        one.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(code)))
        if bind(one, namespace, packet.family, address, port) and packet.proto == TCP:
            one.listen(1)

    def _join(self, one: socket.socket, ear: Ear, family: Family, group: int) -> None:
        if family == 4 and group >> 28 == 14:
            index = self.nets.index(ear.namespace, ear.interface)
            request = group.to_bytes(4, "big") + bytes(4) + struct.pack("i", index)
            one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
        elif family == 6 and group >> 120 == 0xFF:
            index = self.nets.index(ear.namespace, ear.interface)
            request = group.to_bytes(16, "big") + struct.pack("i", index)
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)

    def _accept(self, listener: socket.socket, namespace: str, family: Family, end: tuple[int, int]) -> None:
        with suppress(BlockingIOError, ConnectionError):
            while True:
                one, peer = listener.accept()
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
                self._kept.append(one)
                self._socket_heard((family, TCP, number(family, peer[0]), end[0], peer[1], end[1], False), namespace)

    def _datagram(self, one: socket.socket, namespace: str, family: Family, end: tuple[int, int]) -> None:
        with suppress(BlockingIOError):
            while True:
                data, peer = one.recvfrom(2048)
                key = family, UDP, number(family, peer[0]), end[0], peer[1], end[1], False
                shot = self._socket_heard(key, namespace)
                if shot and shot.answer:
                    with suppress(OSError):  # a table that forbids the answer shows as an answer that never comes
                        one.sendto(data, peer)

    def _pinged(self, raw: socket.socket, namespace: str, family: Family, address: int) -> None:
        with suppress(BlockingIOError):
            while True:
                data, peer = raw.recvfrom(2048)
                at = (data[0] & 15) * 4 if family == 4 else 0
                dport, _, tag = struct.unpack_from("!HHH", data, at)
                seen = Seen(family, ICMP[family], number(family, peer[0]), address, tag, dport)
                self._socket_heard(seen.key, namespace)
                asked = self.book.by_key.get(answered_key(seen))
                if asked and asked.how == "socket" and asked.namespace == namespace:
                    self.book.answered.add(asked.number)

    def _socket_heard(self, key: Key, namespace: str) -> Shot | None:
        shot = self.book.by_key.get(key)
        for ear in shot.ears if shot else ():
            if shot and ear.namespace == namespace and ear.sense == "socket":
                self.book.hear(shot, namespace, ear.interface, "socket")
        return shot

    def _sniff(self, namespace: str, interface: str) -> None:
        place = namespace, interface
        if place not in self.sniffers:
            sniffer = self.nets.sniffer(namespace, interface)
            self.sniffers[place] = sniffer
            self.watch(sniffer, lambda: self._frames(sniffer, namespace))

    def _frames(self, sniffer: socket.socket, namespace: str) -> None:
        with suppress(BlockingIOError):
            while True:
                frame, source = sniffer.recvfrom(2048)
                if source[2] == OUTGOING:
                    self._left(frame, namespace, source[0])
                else:
                    self._came(sniffer, frame, namespace, source[0])

    def _left(self, frame: bytes, namespace: str, interface: str) -> None:
        seen = parse(frame)
        if seen is None:
            return
        shot = self.book.by_key.get(seen.key)
        if shot:
            self.book.hear(shot, namespace, interface, "leaves")
        elif seen.proto == TCP and seen.flags & (SYN | ACK | RST) == SYN | ACK:
            opened = self.book.by_key.get(answered_key(seen))
            if opened and opened.how == "frame":
                self.book.hear(opened, namespace, interface, "socket")

    def _came(self, sniffer: socket.socket, frame: bytes, namespace: str, interface: str) -> None:
        seen = parse(frame)
        if seen is None:
            return
        shot = self.book.by_key.get(seen.key)
        if shot and seen.opens and self.book.hear(shot, namespace, interface, "frame"):
            reply = answer_to(seen) if shot.answer else None
            if reply:
                sniffer.send(reply)
            return
        asked = self.book.by_key.get(answered_key(seen))
        if asked and asked.how == "frame" and asked.answer and asked.namespace == namespace and not seen.flags & RST:
            self.book.answered.add(asked.number)
            if seen.proto == TCP and seen.flags & SYN:
                sniffer.send(answer_to(seen) or b"")


def number(family: Family, text: str) -> int:
    """An address that the kernel wrote, as a number."""
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    return int.from_bytes(socket.inet_pton(kind, text.partition("%")[0]), "big")


def bind(one: socket.socket, namespace: str, family: Family, address: int, port: int) -> bool:
    """Bind a socket; False when somebody has the port. Raises Refused when the address is not there."""
    text = address_text(family, address)
    try:
        one.bind((text, port))
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            return False
        raise refuse(
            "address missing in the lab",
            f"{namespace} cannot take {text} port {port} ({problem.strerror}). The lab was changed by hand or is of "
            "another inventory: take it down and up again.",
        ) from problem
    return True
