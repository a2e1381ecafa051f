"""Conditions on the bits of TCP's flags, as predicates of the byte."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from configlet.readers.spans import Unreadable

BITS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32}


def predicate(more: Mapping[str, str], value: str, negated: bool) -> Callable[[int], bool]:
    """``mask`` and value: these bits must be exactly so; without a mask any of the bits must be set. Raises Unreadable."""
    bits = _bits(value)
    if more.get("mask") is not None:
        mask = _bits(more["mask"])
        return lambda byte: ((byte & mask) == bits) != negated
    if negated or not bits:
        raise Unreadable("Flags are asked for in a way that is not modelled")
    return lambda byte: bool(byte & bits)


def _bits(text: str) -> int:
    out = 0
    for word in text.replace("|", ",").replace("(", "").replace(")", "").replace(" ", "").lower().split(","):
        if word in ("all", "none", "0", "0x0", ""):
            out |= 63 if word == "all" else 0
        elif word in BITS:
            out |= BITS[word]
        else:
            raise Unreadable(f'"{word}" is no flag that is modelled')
    return out
