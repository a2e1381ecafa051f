"""The kernel's multicast forwarding cache, filled through a routing socket (ip(7), ``linux/mroute.h``)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from functools import partial

from configlet.lab.enter import inside
from configlet.lab.topology_values import Stream, Wiring

_MRT_INIT, _MRT_ADD_VIF, _MRT_ADD_MFC = 200, 202, 204
_VIFF_USE_IFINDEX = 0x8
_MAXVIFS = 32
_VIF = struct.Struct("=HBBIi4s")
_MFC = struct.Struct(f"=4s4sH{_MAXVIFS}s2xIIIi")


def _open(streams: list[Stream]) -> socket.socket:
    """The routing socket of one switch namespace; the entries live as long as it is open."""
    names = list(dict.fromkeys(i for s in streams for i in (s.enters, *s.leaves)))
    if len(names) > _MAXVIFS:
        raise OSError(f"{streams[0].namespace}: {len(names)} interfaces carry multicast; the kernel takes {_MAXVIFS}")
    router = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
    router.setsockopt(socket.IPPROTO_IP, _MRT_INIT, 1)
    for number, name in enumerate(names):
        vif = _VIF.pack(number, _VIFF_USE_IFINDEX, 1, 0, socket.if_nametoindex(name), bytes(4))
        router.setsockopt(socket.IPPROTO_IP, _MRT_ADD_VIF, vif)
    for stream in streams:
        hops = bytes(1 if name in stream.leaves else 0 for name in names).ljust(_MAXVIFS, b"\0")
        entry = _MFC.pack(stream.source.packed, stream.group.packed, names.index(stream.enters), hops, 0, 0, 0, 0)
        router.setsockopt(socket.IPPROTO_IP, _MRT_ADD_MFC, entry)
    return router


def route_multicast(wiring: Wiring, descriptors: Mapping[str, int]) -> list[socket.socket]:
    """Open a routing socket in every namespace that forwards multicast. Raises OSError."""
    by_namespace: dict[str, list[Stream]] = {}
    for stream in wiring.streams:
        by_namespace.setdefault(stream.namespace, []).append(stream)
    return [inside(descriptors[name], partial(_open, ours)) for name, ours in by_namespace.items()]
