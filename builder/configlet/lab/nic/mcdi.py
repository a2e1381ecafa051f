"""The simulated NIC's side of MCDI version 2 framing: requests taken apart, answers put together."""

from __future__ import annotations

import struct
from typing import NamedTuple

EPERM, ENOENT, EINVAL, ENOSPC, ENOSYS = 1, 2, 22, 28, 38
_V2, _RESYNC, _ERROR, _RESPONSE = 0x7F, 1 << 7, 1 << 22, 1 << 23
LONGEST = 1020


class Fault(Exception):  # noqa: N818 - an answer of the NIC
    """An error that the NIC answers with."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Request(NamedTuple):
    """One request to the management controller."""

    seq: int
    command: int
    payload: bytes


def request_of(data: bytes) -> Request:
    """Raises ValueError for what is no request: a NIC answers nothing to it."""
    if len(data) < 8:
        raise ValueError("shorter than its header")
    first, second = struct.unpack_from("<II", data)
    length = second >> 16 & 0x3FF
    if first & 0x7F != _V2 or not first & _RESYNC or first & (_ERROR | _RESPONSE) or first >> 8 & 0xFF or first >> 20 & 1:
        raise ValueError("no request of version 2")
    if second >> 28 or second >> 15 & 1 or second >> 26 & 3 or length != len(data) - 8 or length > LONGEST:
        raise ValueError("no message to the management controller, or of another length")
    return Request(first >> 16 & 0xF, second & 0x7FFF, data[8:])


def answer(request: Request, payload: bytes, error: int = 0) -> bytes:
    """The answer to a request; an error carries its number."""
    if error:
        payload = struct.pack("<I", error)
    first = _V2 | _RESYNC | request.seq << 16 | _RESPONSE | (_ERROR if error else 0)
    return struct.pack("<II", first, request.command | len(payload) << 16) + payload
