"""The text of XDP tables, as what the kernel's maps hold. It knows the layout of ``builder/bpf/tables.h`` and no compiler.

Every line is known or refused; an element that is not what a map could hold is refused with its line.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from dataclasses import dataclass, field

from configlet.model.problem import Place, Refused, refuse

CONSTANTS = (
    "locals_mask", "leaving_mask", "multiplier", "blocks", "steps", "use_sport", "use_counters", "use_connections",
    "events", "ethertype0", "ethertype1", "ethertype2", "ethertype3", "timeout_tcp", "timeout_other",
)  # fmt: skip
ELEMENTS = {
    "locals": "<8I8I", "leaving": "<8I8I", "svc": "<256H", "nodes": "<256I", "lines32": "<4H6I", "lines64": "<8H12I",
    "wides64": "<16I", "overs16": "<2H3I", "rowptr": "<16I", "cells": "<64I", "names": "<96s",
}  # fmt: skip
PAIRS = {
    "dst4": ("<I4s", "<8I"), "dst6": ("<I4s16s", "<2I"), "local6": ("<16s2I", "<2I"), "h64": ("<8s2I", "<4I"),
    "h128": ("<16s2I", "<2I"), "l6": ("<2I8s", "<2I"), "l128": ("<2I8s", "<2I"),
}  # fmt: skip

Numbers = tuple[int, ...]


@dataclass(slots=True)
class Dump:
    """What one text holds: numbers of every element of the arrays, keys and values of the lookups."""

    attach: list[str] = field(default_factory=list)
    constants: dict[str, int] = field(default_factory=dict)
    arrays: dict[str, list[Numbers]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    lookups: dict[str, dict[tuple[int | bytes, ...], Numbers]] = field(default_factory=dict)
    raw: dict[str, str] = field(default_factory=dict)
    """The lines of arrays and lookups with their data in one order and form, by name."""
    total: int = 0


def dump_of(text: str, file: str) -> Dump:
    """A text as numbers. Raises Refused with the line for anything that is not known, or not there."""
    lines = text.splitlines()
    if not lines or lines[0] != "configlet-xdp 1":
        raise _wrong(file, 1, "The first line must be `configlet-xdp 1`")
    found = Dump(total=len(lines))
    for number, line in enumerate(lines[1:], 2):
        try:
            _take(found, line)
        except (ValueError, struct.error, zlib.error, binascii.Error, UnicodeDecodeError) as error:
            raise _wrong(file, number, f"`{line[:60]}` is not understood ({error})") from None
    lacking = [n for names, said in ((CONSTANTS, found.constants), (ELEMENTS, found.arrays), (PAIRS, found.lookups))
               for n in names if n not in said]  # fmt: skip
    if lacking:
        raise _wrong(file, len(lines), f"The text ends before it said {', '.join(lacking)}")
    return found


def _take(found: Dump, line: str) -> None:
    word, *rest = line.split(" ")
    if word.startswith("#"):
        return
    if word == "attach" and len(rest) == 1 and rest[0] not in found.attach:
        found.attach.append(rest[0])
    elif word == "constant" and len(rest) == 2 and rest[0] in CONSTANTS and rest[0] not in found.constants:
        found.constants[rest[0]] = int(rest[1])
    elif word == "array" and len(rest) == 4 and rest[0] in ELEMENTS and rest[0] not in found.arrays:
        _array(found, *rest)
    elif word == "lookup" and len(rest) == 5 and rest[0] in PAIRS and rest[0] not in found.lookups:
        _lookup(found, *rest)
    else:
        raise ValueError("no such line, or one that stands twice")


def _array(found: Dump, name: str, size: str, count: str, data: str) -> None:
    form, raw = struct.Struct(ELEMENTS[name]), _unpacked(data)
    if form.size != int(size) or len(raw) != int(count) * form.size or not raw:
        raise ValueError("another size than an element of this table has")
    if name == "names":
        found.names = [value.split(b"\0")[0].decode() for (value,) in form.iter_unpack(raw)]
        found.arrays[name] = []
    else:
        found.arrays[name] = list(form.iter_unpack(raw))
    found.raw[name] = f"array {name} {size} {count} {_packed(raw)}"


def _lookup(found: Dump, name: str, key: str, value: str, count: str, data: str) -> None:
    keys, values = (struct.Struct(form) for form in PAIRS[name])
    raw, step = _unpacked(data), keys.size + values.size
    if (keys.size, values.size) != (int(key), int(value)) or len(raw) != int(count) * step:
        raise ValueError("another size than an element of this table has")
    parts = sorted(raw[at : at + step] for at in range(0, len(raw), step))
    items = {keys.unpack(part[: keys.size]): values.unpack(part[keys.size :]) for part in parts}
    if len(items) != len(parts):
        raise ValueError("a key stands twice")
    found.lookups[name] = items
    found.raw[name] = f"lookup {name} {key} {value} {count} {_packed(b''.join(parts))}"


def _unpacked(data: str) -> bytes:
    return zlib.decompress(base64.b64decode(data, validate=True))


def _packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 6)).decode()


def _wrong(file: str, line: int, what: str) -> Refused:
    return refuse("Table that cannot be read", f"{what}. Nothing is known of what these tables pass.", Place(file, line))
