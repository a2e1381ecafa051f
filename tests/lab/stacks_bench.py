"""Two hosts on one cable: a table at the one, and workloads of several stacks there that receive and send.

The receiver is ``near``; its nftables drops everything on input, output and forward. ``far`` sends, and listens by
AF_PACKET for what leaves.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from configlet.hostside import bpf
from configlet.lab.enter import inside
from configlet.lab.wire import make_namespace, run

NEAR, FAR, VLAN_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03"
DROP_ALL = """table inet gate {
  chain i { type filter hook input priority 0; policy drop; }
  chain o { type filter hook output priority 0; policy drop; }
  chain f { type filter hook forward priority 0; policy drop; }
}
"""
PORT = 9001
IPV4 = 0x0800
_SOL_XDP, _AF_XDP = 283, 44
_MMAP, _RX, _UMEM, _FILL, _COMPLETION = 1, 2, 4, 5, 6
_FRAMES, _SIZE = 64, 2048
_FILL_AT = 0x100000000
_NEW_ONLY, _GENERIC = 1, 2
"""XDP_FLAGS_UPDATE_IF_NOEXIST and XDP_FLAGS_SKB_MODE (linux/if_link.h)."""


@dataclass(frozen=True)
class Cable:
    """Two hosts, as descriptors of their namespaces; ``held`` is a container with a macvlan on near's NIC."""

    near: int
    far: int
    held: int

    def send(self, to: str, mac: str, tag: bytes) -> None:
        """A UDP packet from far, whatever near's ARP would say."""
        frame = udp(bytes.fromhex(FAR.replace(":", "")), bytes.fromhex(mac.replace(":", "")), "10.9.9.2", to, tag)
        inside(self.far, lambda: _put("far0", frame))


def udp(src: bytes, dst: bytes, source: str, target: str, data: bytes) -> bytes:
    """A whole frame. The UDP checksum is left out, which IPv4 allows."""
    ends = socket.inet_aton(source) + socket.inet_aton(target)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 28 + len(data), 1, 0, 64, 17, 0) + ends
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    head = head[:10] + struct.pack("!H", ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF) + head[12:]
    return dst + src + struct.pack("!H", IPV4) + head + struct.pack("!HHHH", 40000, PORT, 8 + len(data), 0) + data


def _put(interface: str, frame: bytes) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as one:
        one.bind((interface, 0))
        one.send(frame)


@contextmanager
def cable() -> Iterator[Cable]:
    """Two hosts and a container, wired; near drops all that its IP hooks meet."""
    near, far, held = (make_namespace("host") for _ in range(3))
    try:
        link = f"link add ens1 address {NEAR} type veth peer name far0 address {FAR} netns /proc/self/fd/{far}\n"
        rest = f"link add mv0 link ens1 netns /proc/self/fd/{held} address {VLAN_MAC} type macvlan mode bridge\n"
        up = "link set ens1 up\naddr add 10.9.9.1/24 dev ens1\n"
        run(near, ["ip", "-batch", "-"], link + up + rest, keep=(far, held))
        run(far, ["ip", "-batch", "-"], "link set far0 up\naddr add 10.9.9.2/24 dev far0\n")
        run(held, ["ip", "-batch", "-"], "link set mv0 up\naddr add 10.9.9.3/24 dev mv0\n")
        run(near, ["nft", "-f", "-"], DROP_ALL)
        yield Cable(near, far, held)
    finally:
        for one in (near, far, held):
            os.close(one)


def kernel_ear(namespace: int, address: str) -> socket.socket:
    """A socket as any application has it."""

    def made() -> socket.socket:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind((address, PORT))
        return one

    return inside(namespace, made)


def packet_ear(namespace: int, interface: str) -> socket.socket:
    """A packet socket, for frames of IPv4."""

    def made() -> socket.socket:
        one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(IPV4))
        one.bind((interface, IPV4))
        return one

    return inside(namespace, made)


def hears(one: socket.socket, tag: bytes, seconds: float = 0.3) -> bool:
    """Whether a socket receives a packet with this tag in time."""
    one.settimeout(seconds)
    try:
        while True:
            if tag in one.recv(2048):
                return True
    except TimeoutError:
        return False


@contextmanager
def programs() -> Iterator[tuple[bpf.Library, bpf.Object]]:
    """The two XDP programs of the tests, loaded."""
    source = Path(__file__).with_name("stacks.bpf.c")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "stacks.bpf.o"
        machine = f"/usr/include/{os.uname().machine}-linux-gnu"
        subprocess.run(["clang", "-O2", "-g", "-target", "bpf", "-I", machine, "-c", str(source), "-o", str(out)], check=True)
        library = bpf.Library()
        made = bpf.Object(library, str(out))
        made.load()
        try:
            yield library, made
        finally:
            made.close()


def attach(cable: Cable, library: bpf.Library, program: int) -> None:
    """Put a program on near's NIC. Raises Trouble when one is there already, as for any second program."""

    def body() -> None:
        library.call("bpf_xdp_attach", socket.if_nametoindex("ens1"), program, _NEW_ONLY | _GENERIC, None)

    inside(cable.near, body)


def detach(cable: Cable, library: bpf.Library) -> None:
    """Take the program away."""
    inside(cable.near, lambda: library.call("bpf_xdp_detach", socket.if_nametoindex("ens1"), _GENERIC, None))


class Xsk:
    """An AF_XDP socket on the first queue of near's NIC, in copy mode."""

    def __init__(self, cable: Cable, library: bpf.Library, made: bpf.Object) -> None:
        self.area = mmap.mmap(-1, _FRAMES * _SIZE)
        self.socket: socket.socket = inside(cable.near, lambda: socket.socket(_AF_XDP, socket.SOCK_RAW, 0))
        start = ctypes.addressof(ctypes.c_char.from_buffer(self.area))
        self.socket.setsockopt(_SOL_XDP, _UMEM, struct.pack("<QQIIII", start, _FRAMES * _SIZE, _SIZE, 0, 0, 0))
        for ring in (_FILL, _COMPLETION, _RX):
            self.socket.setsockopt(_SOL_XDP, ring, struct.pack("<i", _FRAMES))
        said = self.socket.getsockopt(_SOL_XDP, _MMAP, 128)
        self.rx, fill = struct.unpack_from("<4Q", said, 0), struct.unpack_from("<4Q", said, 64)
        self.ring = self._map(self.rx[2] + _FRAMES * 16, 0)
        self.free = self._map(fill[2] + _FRAMES * 8, _FILL_AT)
        for n in range(_FRAMES):
            struct.pack_into("<Q", self.free, fill[2] + 8 * n, n * _SIZE)
        struct.pack_into("<I", self.free, fill[0], _FRAMES)
        self._bind(cable)
        key, value = ctypes.c_uint32(0), ctypes.c_uint32(self.socket.fileno())
        library.call("bpf_map_update_elem", made.map_fd("sockets"), ctypes.byref(key), ctypes.byref(value), ctypes.c_uint64(0))

    def _map(self, size: int, at: int) -> mmap.mmap:
        return mmap.mmap(self.socket.fileno(), size, mmap.MAP_SHARED | mmap.MAP_POPULATE, offset=at)

    def _bind(self, cable: Cable) -> None:
        index = inside(cable.near, lambda: socket.if_nametoindex("ens1"))
        address = struct.pack("<HHIII", _AF_XDP, 2, index, 0, 0)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.bind(self.socket.fileno(), address, len(address)):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def taken(self) -> list[bytes]:
        """Every packet that came so far."""
        (count,) = struct.unpack_from("<I", self.ring, self.rx[0])
        found = []
        for n in range(count):
            at, size, _ = struct.unpack_from("<QII", self.ring, self.rx[2] + 16 * (n % _FRAMES))
            found.append(self.area[at : at + size])
        return found


@contextmanager
def opened(*made: socket.socket) -> Iterator[tuple[socket.socket, ...]]:
    """Sockets, closed in the end."""
    with ExitStack() as stack:
        for one in made:
            stack.enter_context(one)
        yield made


Ear = Callable[[], socket.socket]
