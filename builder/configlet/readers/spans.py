"""Addresses and numbers of a text as intervals, read in bits."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address

Span = tuple[int, int]

BITS = {4: 32, 6: 128}
_DIGITS = 20
MOST = 4096
"""The most intervals that a wildcard with holes may stand for."""


class Unreadable(Exception):  # noqa: N818 - it is said of a value
    """A value that the device would refuse, or that we do not understand; the text says why."""


def address(text: str, family: int) -> int:
    """One address as a number. Raises Unreadable, also for the other family's."""
    try:
        if family == 4:
            head, _, last = text.rpartition(".")
            return _head(head) | _OCTET[last]
        return int(IPv6Address(text))
    except (AddressValueError, ValueError, KeyError):
        raise Unreadable(f"This is no IPv{family} address") from None


@lru_cache(maxsize=4096)
def _head(text: str) -> int:
    """The first three octets of an address, which many addresses of one text share."""
    a, b, c = text.split(".")
    return _OCTET[a] << 24 | _OCTET[b] << 16 | _OCTET[c] << 8


_OCTET = {str(value): value for value in range(256)}
_OCTETS = tuple(_OCTET)


def number(text: str, highest: int) -> int:
    """A number from 0 to ``highest``. Raises Unreadable, also for one that begins with 0: nft takes that for an octal one."""
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS and (value := int(text)) <= highest:
        if text != str(value):
            raise Unreadable("This number begins with 0, and is another one for whoever takes it for octal")
        return value
    if text[:1].isalpha():
        raise Unreadable("This name is not known")
    raise Unreadable(f"This is no number from 0 to {highest}")


def prefix(text: str, family: int) -> Span:
    """``address/length`` without host bits. Raises Unreadable."""
    left, _, right = text.partition("/")
    low = address(left, family)
    bits = BITS[family]
    length = _OCTET.get(right, 256)
    size = bits - (length if length <= bits else number(right, bits))
    if low & ((1 << size) - 1):
        raise Unreadable("This prefix has host bits set")
    return low, low + (1 << size) - 1


def addresses(text: str, family: int) -> Span:
    """An address, a prefix, or the first and last of a range. Raises Unreadable."""
    if "/" in text:
        return prefix(text, family)
    low, _, high = text.partition("-")
    first = address(low, family)
    last = address(high, family) if high else first
    if first > last:
        raise Unreadable("This range is reversed")
    return first, last


known_addresses = lru_cache(maxsize=4096)(addresses)
"""The same, remembered: what rules of a table ask for, many tables have in common."""


def wildcard(base: str, mask: str) -> tuple[Span, ...]:
    """An IPv4 address and the bits of it that do not matter, holes allowed. Raises Unreadable."""
    low, free = address(base, 4), address(mask, 4)
    low &= ~free
    if not free & (free + 1):
        return ((low, low + free),)
    size = (free ^ (free + 1)).bit_length() - 1
    holes = [bit for bit in range(size, 32) if free >> bit & 1]
    if 1 << len(holes) > MOST:
        raise Unreadable("This wildcard has too many holes")
    starts = [low]
    for bit in holes:
        starts += [start | 1 << bit for start in starts]
    return tuple((start, start + (1 << size) - 1) for start in sorted(starts))


def address_text(family: int, value: int) -> str:
    """An address as people write it."""
    if family == 4:
        return _head_text(value >> 8) + _OCTETS[value & 255]
    return str(IPv6Address(value))


@lru_cache(maxsize=4096)
def _head_text(head: int) -> str:
    return f"{head >> 16}.{head >> 8 & 255}.{head & 255}."


def shared(text: str) -> Span | None:
    """The addresses of ``host A.B.C.D``, ``A.B.C.D``, ``A.B.C.D/24`` to ``/31`` and ``A.B.C.D 0.0.0.255``, in few looks, as
    the first octets and wildcards of a text are those of many; None for all else, which may have addresses too."""
    first, _, rest = text.partition(" ")
    head, _, last = (rest if first == "host" else first).rpartition(".")
    start, within = _start(head), _LAST.get(last)
    if start is None or within is None:
        return None
    low, high = start + within[0], start + within[1]
    if first == "host" or not rest:
        return (low, high) if low == high or not rest else None
    free = _FREE.get(rest)
    return None if free is None or low != high else (low & ~free, low | free)


@lru_cache(maxsize=4096)
def _start(head: str) -> int | None:
    """The first of the addresses that begin with three octets."""
    try:
        return address(f"{head}.0", 4)
    except Unreadable:
        return None


_LAST: dict[str, Span] = {str(octet): (octet, octet) for octet in range(256)} | {
    f"{octet}/{length}": (octet, octet + (1 << 32 - length) - 1)
    for length in range(24, 32)
    for octet in range(0, 256, 1 << 32 - length)
}
"""The end of an address, or of a prefix without host bits, as numbers in its last octet."""
_FREE = {address_text(4, (1 << size) - 1): (1 << size) - 1 for size in range(33)}
"""Wildcards without holes."""


def netmask(base: str, mask: str) -> Span:
    """An IPv4 address and the bits of it that matter: ones, then zeros, and no host bits. Raises Unreadable."""
    low, kept = address(base, 4), address(mask, 4)
    size = kept ^ ((1 << 32) - 1)
    if size & (size + 1):
        raise Unreadable("This is no netmask")
    if low & size:
        raise Unreadable("This network has host bits set")
    return low, low + size


def complement(spans: list[Span], highest: int) -> list[Span]:
    """The numbers from 0 to ``highest`` that are in none of the spans."""
    out, at = [], 0
    for low, high in sorted(spans):
        if at < low:
            out.append((at, low - 1))
        at = max(at, high + 1)
    return [*out, (at, highest)] if at <= highest else out


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Sorted and disjoint, what touches joined."""
    out: list[Span] = []
    for low, high in sorted(spans):
        if out and low <= out[-1][1] + 1:
            out[-1] = out[-1][0], max(out[-1][1], high)
        else:
            out.append((low, high))
    return tuple(out)
