"""One generation of XDP tables on a host: from its text into the kernel, and out of the kernel as text.

The text: ``configlet-xdp 1``, then ``attach NAME``, ``constant NAME VALUE``, ``array NAME SIZE COUNT DATA`` and
``lookup NAME KEY VALUE COUNT DATA`` lines, DATA being base64 of zlib. Lines that begin with ``#`` are for people.
Carried to hosts together with ``xdp.py`` and ``bpf.py``.
"""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass, field

if __package__:
    from configlet.hostside import bpf
else:
    import bpf  # type: ignore[import-not-found,no-redef,unused-ignore]

FIRST = "configlet-xdp 1"
CONSTANTS = (
    "locals_mask", "leaving_mask", "multiplier", "blocks", "steps", "use_sport", "use_counters", "use_connections",
    "events", "ethertype0", "ethertype1", "ethertype2", "ethertype3", "timeout_tcp", "timeout_other",
)  # fmt: skip
TABLES = {
    "locals": 64, "leaving": 64, "svc": 512, "nodes": 1024, "lines32": 32, "lines64": 64, "wides64": 64, "overs16": 16,
    "rowptr": 64, "cells": 256,
}  # fmt: skip
"""Bytes of an element of each table that is one value of its map, with ``GAP`` bytes behind the last element."""
GAP = 64
ARRAYS = (*TABLES, "names")
LOOKUPS = ("dst4", "dst6", "local6", "h64", "h128", "l6", "l128")
SEEN = (
    "passed ARP", "passed ethertype", "not IP", "malformed", "truncated", "extension headers", "broken table",
    "passed connection", "not loaded",
)  # fmt: skip
"""What the program counts beside its results, in the order of its table."""
SHARED = ("generation", "generation_leaving", "seen", "flows4", "flows6", "events")
"""Maps that outlive a generation."""


@dataclass
class Tables:
    """What every map of one generation holds."""

    attach: list[str] = field(default_factory=list)
    constants: dict[str, int] = field(default_factory=dict)
    arrays: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """Name to bytes of an element, and the elements."""
    lookups: dict[str, tuple[int, int, dict[bytes, bytes]]] = field(default_factory=dict)
    """Name to bytes of a key and of a value, and the elements."""

    @property
    def results(self) -> int:
        """How many results are counted."""
        size, data = self.arrays["names"]
        return len(data) // size


def parse(text: str) -> Tables:
    """The tables of a text. Raises ``Trouble`` for anything that is not known, and for anything that is missing."""
    lines = text.splitlines()
    if not lines or lines[0] != FIRST:
        raise bpf.Trouble(f"this is no text of XDP tables: its first line is not `{FIRST}`")
    found = Tables()
    for number, line in enumerate(lines[1:], 2):
        try:
            _take(found, line)
        except (ValueError, KeyError, zlib.error) as error:
            raise bpf.Trouble(f"line {number} is not understood: {line[:60]!r} ({error})") from None
    lacking = [n for n in CONSTANTS if n not in found.constants]
    lacking += [n for n in ARRAYS if n not in found.arrays] + [n for n in LOOKUPS if n not in found.lookups]
    if lacking:
        raise bpf.Trouble(f"the text ends before it said {', '.join(lacking)}")
    return found


def _take(found: Tables, line: str) -> None:
    word, _, rest = line.partition(" ")
    if word.startswith("#"):
        return
    if word == "attach":
        found.attach.append(rest)
    elif word == "constant":
        name, value = rest.split(" ")
        found.constants[_known(name, CONSTANTS, found.constants)] = int(value)
    elif word == "array":
        name, size, count, data = rest.split(" ")
        raw = zlib.decompress(base64.b64decode(data, validate=True))
        if len(raw) != int(size) * int(count) or not raw:
            raise ValueError("the data have another length than was said")
        found.arrays[_known(name, ARRAYS, found.arrays)] = (int(size), raw)
    elif word == "lookup":
        name, key, value, count, data = rest.split(" ")
        raw = zlib.decompress(base64.b64decode(data, validate=True))
        step = int(key) + int(value)
        items = {raw[i : i + int(key)]: raw[i + int(key) : i + step] for i in range(0, len(raw), step)}
        if len(raw) != step * int(count) or len(items) != int(count):
            raise ValueError("the data have another length than was said, or a key twice")
        found.lookups[_known(name, LOOKUPS, found.lookups)] = (int(key), int(value), items)
    else:
        raise ValueError("no such word")


def _known(name: str, names: tuple[str, ...], already: object) -> str:
    if name not in names or name in already:  # type: ignore[operator]
        raise KeyError(f"{name} is unknown, or stands twice")
    return name


def text_of(tables: Tables) -> str:
    """Tables as text, in one order."""
    lines = [FIRST, *(f"attach {name}" for name in sorted(tables.attach))]
    lines += [f"constant {name} {tables.constants[name]}" for name in CONSTANTS]
    for name in ARRAYS:
        size, data = tables.arrays[name]
        lines.append(f"array {name} {size} {len(data) // size} {_packed(data)}")
    for name in LOOKUPS:
        key, value, items = tables.lookups[name]
        data = b"".join(k + items[k] for k in sorted(items))
        lines.append(f"lookup {name} {key} {value} {len(items)} {_packed(data)}")
    return "\n".join(lines) + "\n"


def _packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 6)).decode()


class Generation:
    """Tables in the kernel, with the programs that read them. Nothing of it is in force by being loaded."""

    def __init__(
        self, library: bpf.Library, path: str, tables: Tables, shared: dict[str, int], more: tuple[str, ...] = ()
    ) -> None:
        """``shared`` are maps of another generation to take; ``more`` are other programs of the object to load."""
        self.library, self.tables, self.more = library, tables, more
        self.object = bpf.Object(library, path)
        self._size(tables, shared)
        said = [tables.constants[name] for name in CONSTANTS]
        last = [len(tables.arrays[name][1]) // size - 1 for name, size in TABLES.items()]
        self.object.constants(struct.pack(f"<{len(said) + len(last)}I", *said, *last))
        self.object.load()
        self._fill(tables)

    def _size(self, tables: Tables, shared: dict[str, int]) -> None:
        connections = bool(tables.constants["use_connections"])
        self.object.only(*(self.more or ("filter",)), *(("record",) if connections else ()))
        for name, size in TABLES.items():
            given, data = tables.arrays[name]
            if given != size:
                raise bpf.Trouble(f"an element of {name} has {size} bytes, and the text brings {given}")
            self.object.bring(name, len(data) + GAP)
        self.object.resize("names", tables.results)
        for name, (_, _, items) in tables.lookups.items():
            self.object.resize(name, len(items))
        self.object.resize("counters", tables.results)
        for name, fd in shared.items():
            self.object.reuse(name, fd)
        if not connections and "flows4" not in shared:
            self.object.resize("flows4", 1)
            self.object.resize("flows6", 1)

    def _fill(self, tables: Tables) -> None:
        for name, (_, data) in tables.arrays.items():
            bpf.write_array(self.library, self.object.map_fd(f".data.{name}" if name in TABLES else name), data)
        for name, (_, _, items) in tables.lookups.items():
            keys = b"".join(items)
            bpf.write_lookup(self.library, self.object.map_fd(name), keys, b"".join(items.values()), len(items))
        # The program does not read the names; bound to it, they live as long and are found with it (Linux 5.10).
        if not self.more:
            self.library.lib.bpf_prog_bind_map(self.filter, self.object.map_fd("names"), None)

    @property
    def filter(self) -> int:
        """The descriptor of the XDP program."""
        return self.object.program_fd("filter")

    @property
    def record(self) -> int | None:
        """The descriptor of the program that remembers connections, where there is one."""
        return self.object.program_fd("record") if self.tables.constants["use_connections"] else None

    def close(self) -> None:
        """Give up what is neither pinned nor in force."""
        self.object.close()


def maps_of(library: bpf.Library, program: int) -> dict[str, int]:
    """The maps of a loaded program, by name, as descriptors that the caller closes."""
    found = {}
    for number in bpf.ProgramInfo(library, program).maps:
        fd = library.call("bpf_map_get_fd_by_id", number)
        found[bpf.MapInfo(library, fd).name] = fd
    return found


def dump(library: bpf.Library, program: int) -> Tables:
    """The tables that a loaded program reads, out of the kernel."""
    import os

    maps = maps_of(library, program)
    try:
        found = Tables()
        rodata = next(fd for name, fd in maps.items() if name.endswith(".rodata"))
        found.constants, last = _constants(library, rodata)
        for name in ARRAYS:
            found.arrays[name] = _array(library, _there(maps, name), TABLES.get(name), last.get(name))
        for name in LOOKUPS:
            fd = _there(maps, name)
            said = bpf.MapInfo(library, fd)
            found.lookups[name] = (said.key, said.value, bpf.read_lookup(library, fd, said.key, said.value))
        return found
    finally:
        for fd in maps.values():
            os.close(fd)


def _there(maps: dict[str, int], name: str) -> int:
    if name not in maps:
        raise bpf.Trouble(f"the program in force has no map `{name}`: it is not one of ours, or of another version")
    return maps[name]


def _array(library: bpf.Library, fd: int, size: int | None, last: int | None) -> tuple[int, bytes]:
    """Bytes of an element and the elements, as far as the program looks at them."""
    said = bpf.MapInfo(library, fd)
    if size is None or last is None:
        return said.value, bpf.read_array(fd, said.value * said.entries)
    if said.value != (last + 1) * size + GAP:
        raise bpf.Trouble(f"the program in force looks at {last + 1} elements of a map of {said.value} bytes")
    return size, bpf.read_array(fd, said.value)[:-GAP]


def _constants(library: bpf.Library, fd: int) -> tuple[dict[str, int], dict[str, int]]:
    """The constants of the text, and the number of the last element of each table."""
    import ctypes

    said = bpf.MapInfo(library, fd)
    buffer = ctypes.create_string_buffer(said.value)
    library.call("bpf_map_lookup_elem", fd, ctypes.byref(ctypes.c_uint32(0)), buffer)
    many = len(CONSTANTS) + len(TABLES)
    if said.value != 4 * many:
        raise bpf.Trouble("the program in force has other constants: it is of another version")
    numbers = struct.unpack(f"<{many}I", buffer.raw)
    return dict(zip(CONSTANTS, numbers)), dict(zip(TABLES, numbers[len(CONSTANTS) :]))


def counters(library: bpf.Library, program: int) -> list[tuple[str, int, int]]:
    """What each result of a loaded program has counted: its name, packets, bytes; then what else was seen."""
    import os

    maps = maps_of(library, program)
    try:
        said = bpf.MapInfo(library, maps["names"])
        names = bpf.read_array(maps["names"], said.value * said.entries)
        labels = [names[i : i + said.value].split(b"\0")[0].decode("utf-8", "replace") for i in range(0, len(names), said.value)]
        rows = bpf.read_counters(library, maps["counters"], len(labels)) if "counters" in maps else []
        found = [(label, *row) for label, row in zip(labels, rows)]
        beside = bpf.read_counters(library, maps["seen"], len(SEEN))
        return found + [(label, *row) for label, row in zip(SEEN, beside)]
    finally:
        for fd in maps.values():
            os.close(fd)
