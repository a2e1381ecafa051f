"""Network namespaces that one thread walks through; sockets stay where they were made."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType

from configlet.lab.enter import CLONE_NEWNET, SEARCH, setns
from configlet.lab.traffic_values import Shot
from configlet.model.net import address_text
from configlet.model.problem import refuse

ALL_PROTOCOLS = 3
"""ETH_P_ALL (linux/if_ether.h)."""
OUTGOING = 4
"""PACKET_OUTGOING (linux/if_packet.h)."""
NOBODY = "02:00:5e:00:53:02"
"""A MAC that no interface has."""
_PACKET_STATISTICS = 6
_SOL_PACKET = 263
_BUFFER = 4 << 20


class Nets:
    """Namespaces by name, from descriptors. The calling thread moves; ``close`` brings it back home."""

    def __init__(self, descriptors: Mapping[str, int]) -> None:
        self._descriptors = dict(descriptors)
        self._home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self._here = ""

    def __enter__(self) -> Nets:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        setns(self._home, CLONE_NEWNET)
        os.close(self._home)

    def go(self, namespace: str) -> None:
        """Move this thread into a namespace. Raises Refused for one that does not exist."""
        if namespace == self._here:
            return
        if namespace not in self._descriptors:
            known = ", ".join(sorted(self._descriptors))
            raise refuse("unknown namespace", f"The lab has no namespace {namespace}. It has: {known}.")
        setns(self._descriptors[namespace], CLONE_NEWNET)
        self._here = namespace

    def sniffer(self, namespace: str, interface: str) -> socket.socket:
        """An AF_PACKET socket that reads an interface, or all of them when it is empty."""
        self.go(namespace)
        protocol = 0 if interface else socket.htons(ALL_PROTOCOLS)
        sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
        sniffer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        if interface:
            _bind(sniffer, namespace, interface, ALL_PROTOCOLS)
        return sniffer

    def injector(self, namespace: str, interface: str) -> socket.socket:
        """An AF_PACKET socket that only sends, on one interface."""
        self.go(namespace)
        injector = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        injector.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        _bind(injector, namespace, interface, 0)
        return injector

    def make(self, namespace: str, family: int, kind: int, proto: int = 0) -> socket.socket:
        """A nonblocking Internet socket."""
        self.go(namespace)
        domain = socket.AF_INET if family == 4 else socket.AF_INET6
        return socket.socket(domain, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, proto)

    def index(self, namespace: str, interface: str) -> int:
        """The index of an interface."""
        self.go(namespace)
        return socket.if_nametoindex(interface)


def _bind(packet: socket.socket, namespace: str, interface: str, protocol: int) -> None:
    try:
        packet.bind((interface, protocol))
    except OSError as problem:
        packet.close()
        raise refuse(
            "interface missing in the lab",
            f"{namespace} has no interface {interface} that can be read ({problem.strerror}). The lab was changed by "
            "hand or is of another inventory: take it down and up again.",
        ) from problem


@contextmanager
def neighbours(nets: Nets, shots: Iterable[Shot]) -> Iterator[None]:
    """Let routers take the targets that ask for it for present, and forget them afterwards."""
    told = {
        (s.ears[0].namespace, s.neighbour, address_text(s.packet.family, s.packet.dst)) for s in shots if s.neighbour
    }
    for namespace, interface, address in sorted(told):
        _neighbour(nets, namespace, "replace", address, "lladdr", NOBODY, "nud", "permanent", "dev", interface)
    try:
        yield
    finally:
        for namespace, interface, address in sorted(told):
            _neighbour(nets, namespace, "del", address, "dev", interface)


def _neighbour(nets: Nets, namespace: str, *words: str) -> None:
    nets.go(namespace)
    around = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{SEARCH}"}
    done = subprocess.run(["ip", "neigh", *words], env=around, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise refuse("neighbour not taken", f"ip neigh {' '.join(words)} in {namespace}: {done.stderr.strip()}")


def overflowed(sniffer: socket.socket) -> int:
    """How many frames a sniffer lost for lack of room since it was last asked (packet(7), PACKET_STATISTICS)."""
    return int.from_bytes(sniffer.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)[4:], "little")


def many_files() -> None:
    """Let this process hold as many sockets as the machine allows it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
