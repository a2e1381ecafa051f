"""All shots in flight together, one wait, one more try for what was wanted and did not come."""

from __future__ import annotations

import selectors
import socket
import struct
import time
from collections.abc import Mapping, Sequence

from configlet.lab.traffic_book import Book, open_book
from configlet.lab.traffic_ears import Ears, bind
from configlet.lab.traffic_frames import ICMP, MARK, TCP, checksum, frame_of
from configlet.lab.traffic_nets import Nets, many_files, neighbours, overflowed
from configlet.lab.traffic_values import Heard, Shot
from configlet.model.net import address_text
from configlet.model.problem import refuse

CHUNK = 24
SETTLE, PATIENCE = 0.8, 1.5
"""Seconds: before what is wanted is sent once more, and the longest wait after that."""


def run(
    descriptors: Mapping[str, int], shots: Sequence[Shot], settle: float = SETTLE, patience: float = PATIENCE
) -> tuple[Heard, ...]:
    """Send everything and say what became of it. Raises Refused when the agent itself lost sight of packets."""
    many_files()
    book = open_book(shots)
    with Nets(descriptors) as nets, selectors.DefaultSelector() as selector:
        ears = Ears(nets, book, selector)
        gun = Gun(nets, book, selector, ears)
        try:
            for shot in shots:
                ears.open(shot)
            with neighbours(nets, shots):
                _volley(selector, gun, shots)
                _wait(selector, settle, None)
                _volley(selector, gun, book.missing())
                _wait(selector, patience, book)
            _sure(ears)
        finally:
            gun.close()
            ears.close()
    return book.report()


def _volley(selector: selectors.BaseSelector, gun: Gun, shots: Sequence[Shot]) -> None:
    for at in range(0, len(shots), CHUNK):
        for shot in shots[at : at + CHUNK]:
            gun.fire(shot)
        _pump(selector, 0)


def _pump(selector: selectors.BaseSelector, seconds: float) -> None:
    for key, _ in selector.select(seconds):
        key.data()


def _wait(selector: selectors.BaseSelector, seconds: float, book: Book | None) -> None:
    """Handle what comes for so long; with a book no longer than something wanted is missing."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and (book is None or book.missing()):
        _pump(selector, min(left, 0.1))


def _sure(ears: Ears) -> None:
    lost = sum(overflowed(sniffer) for sniffer in ears.sniffers.values())
    if lost:
        raise refuse(
            "probe lost sight",
            f"{lost} frames came faster than they could be read, so that a leak might have been missed. Nothing is "
            "concluded. Run the probe again on a quieter machine.",
            nature="red",
        )


class Gun:
    """Sends shots: real sockets bound to the packet's source, or whole frames."""

    def __init__(self, nets: Nets, book: Book, selector: selectors.BaseSelector, ears: Ears) -> None:
        self.nets, self.book, self.selector, self.ears = nets, book, selector, ears
        self._injectors: dict[tuple[str, str], socket.socket] = {}
        self._sockets: dict[int, socket.socket] = {}

    def close(self) -> None:
        """Close what was opened here."""
        for one in (*self._injectors.values(), *self._sockets.values()):
            one.close()

    def fire(self, shot: Shot) -> None:
        """Send one packet, now."""
        if shot.how == "frame":
            self._frame(shot)
        elif shot.packet.proto == TCP:
            self._connect(shot)
        elif shot.packet.proto == ICMP[shot.packet.family]:
            self._ping(shot)
        else:
            self._datagram(shot)

    def _frame(self, shot: Shot) -> None:
        place = shot.namespace, shot.interface
        if place not in self._injectors:
            self._injectors[place] = self.nets.injector(*place)
        self._injectors[place].send(frame_of(shot.packet, shot.mac, shot.toward))

    def _fresh(self, shot: Shot, kind: int) -> socket.socket:
        """A socket bound to the source address and tag. The one of an earlier try goes first."""
        old = self._sockets.pop(shot.number, None)
        if old:
            self._forget(old)
            old.close()
        one = self.nets.make(shot.namespace, shot.packet.family, kind)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sockets[shot.number] = one
        if not bind(one, shot.namespace, shot.packet.family, shot.packet.src, shot.packet.sport):
            raise refuse(
                "port in use", f"Source port {shot.packet.sport} is in use in {shot.namespace}. Run the probe again."
            )
        return one

    def _forget(self, one: socket.socket) -> None:
        if one in self.selector.get_map():
            self.selector.unregister(one)

    def _connect(self, shot: Shot) -> None:
        one = self._fresh(shot, socket.SOCK_STREAM)
        code = one.connect_ex((address_text(shot.packet.family, shot.packet.dst), shot.packet.dport))
        self._stopped(shot, code)
        self.selector.register(one, selectors.EVENT_WRITE, lambda: self._connected(one, shot))

    def _connected(self, one: socket.socket, shot: Shot) -> None:
        self._forget(one)
        if one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            return
        self.book.answered.add(shot.number)
        packet = shot.packet
        for ear in shot.ears:
            if (ear.namespace, packet.family, packet.dst, packet.dport) in self.ears.taken:
                self.book.hear(shot, ear.namespace, ear.interface, "socket")

    def _datagram(self, shot: Shot) -> None:
        one = self._fresh(shot, socket.SOCK_DGRAM)
        self.selector.register(one, selectors.EVENT_READ, lambda: self._answered(one, shot))
        self._send(one, shot, MARK)

    def _answered(self, one: socket.socket, shot: Shot) -> None:
        try:
            data = one.recv(2048)
        except OSError:
            return
        if data == MARK:
            self.book.answered.add(shot.number)

    def _ping(self, shot: Shot) -> None:
        packet = shot.packet
        raw = self.ears.ping(shot.namespace, packet.family, packet.src)
        body = struct.pack("!HHHH", packet.dport, 0, packet.sport, 1) + MARK
        if packet.family == 4:
            body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
        self._send(raw, shot, body)

    def _send(self, one: socket.socket, shot: Shot, data: bytes) -> None:
        text = address_text(shot.packet.family, shot.packet.dst)
        port = 0 if one.type == socket.SOCK_RAW else shot.packet.dport
        try:
            one.sendto(data, (text, port))
        except OSError as problem:
            self._stopped(shot, problem.errno or 0)

    def _stopped(self, shot: Shot, code: int) -> None:
        """Why a packet never left its host: EPERM is its own table's drop on output."""
        import errno
        import os

        if code not in (0, errno.EINPROGRESS):
            self.book.stopped[shot.number] = os.strerror(code)
