"""libbpf for the XDP loader, by ctypes: nothing but Python's standard library and ``libbpf.so.1``.

Carried to hosts together with ``xdp.py``; every Linux since 5.9 with iproute2 has the library.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import mmap
import os
import struct
from typing import Any

XDP, TC_EGRESS = 37, 2
DRIVER_MODE, GENERIC_MODE = 1 << 2, 1 << 1
PERCPU_ARRAY, ARRAY, LPM, HASH, PROGRAMS = 6, 2, 11, 1, 3
MAPPABLE = 1 << 10


class Trouble(Exception):
    """What a person on this host is told."""


class _TestRun(ctypes.Structure):
    _fields_ = [
        ("sz", ctypes.c_size_t), ("data_in", ctypes.c_void_p), ("data_out", ctypes.c_void_p),
        ("data_size_in", ctypes.c_uint32), ("data_size_out", ctypes.c_uint32), ("ctx_in", ctypes.c_void_p),
        ("ctx_out", ctypes.c_void_p), ("ctx_size_in", ctypes.c_uint32), ("ctx_size_out", ctypes.c_uint32),
        ("retval", ctypes.c_uint32), ("repeat", ctypes.c_int), ("duration", ctypes.c_uint32),
        ("flags", ctypes.c_uint32), ("cpu", ctypes.c_uint32), ("batch_size", ctypes.c_uint32),
    ]  # fmt: skip


_PRINT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
_QUIET = _PRINT(lambda *_: 0)
"""libbpf calls it for as long as the process lives, so no value of ours may take it along when it goes."""
_POINTERS = (
    "bpf_object__open_file", "bpf_object__find_map_by_name", "bpf_object__find_program_by_name",
    "bpf_map__initial_value", "bpf_object__next_map", "bpf_map__name", "bpf_object__next_program", "bpf_program__name",
)  # fmt: skip


class Library:
    """libbpf, and calls that raise ``Trouble`` with what failed and why."""

    def __init__(self) -> None:
        try:
            self.lib = ctypes.CDLL("libbpf.so.1", use_errno=True)
        except OSError as error:
            raise Trouble(
                "libbpf.so.1 is not on this host, and without it no XDP table can be loaded "
                f"({error}). On Debian: apt-get install libbpf1 (iproute2 brings it)."
            ) from None
        for name in _POINTERS:
            getattr(self.lib, name).restype = ctypes.c_void_p
        self.lib.bpf_map__name.restype = self.lib.bpf_program__name.restype = ctypes.c_char_p
        self.lib.libbpf_set_print(_QUIET)
        if os.geteuid() != 0:
            raise Trouble("XDP tables are loaded by root (CAP_BPF and CAP_NET_ADMIN), and this is not root.")

    def call(self, name: str, *args: Any) -> int:
        """One call that answers below zero, or sets errno, when it fails."""
        ctypes.set_errno(0)
        found = int(getattr(self.lib, name)(*args))
        if found < 0:
            code = ctypes.get_errno() or -found
            raise Trouble(f"{name} failed: {os.strerror(code)}")
        return found

    def pointer(self, name: str, *args: Any) -> int:
        """One call that answers an address; none is a failure."""
        ctypes.set_errno(0)
        found = getattr(self.lib, name)(*args)
        if not found:
            raise Trouble(f"{name}({', '.join(map(repr, args[1:]))}) failed: {os.strerror(ctypes.get_errno())}")
        return int(found)


class Object:
    """A BPF object file, opened; maps can be sized until it is loaded."""

    def __init__(self, library: Library, path: str) -> None:
        self.library, self.lib = library, library.lib
        if not os.path.isfile(path):
            raise Trouble(f"{path} is not there: the BPF object is built with clang, by `make bpf` or with the wheel.")
        self.pointer = ctypes.c_void_p(library.pointer("bpf_object__open_file", path.encode(), None))
        self.brought: dict[str, int] = {}
        """Maps that were made here for sections of data, by the section's name."""

    def map(self, name: str) -> ctypes.c_void_p:
        """A map by its name."""
        return ctypes.c_void_p(
            self.library.pointer("bpf_object__find_map_by_name", self.pointer, name.encode())
        )

    def program(self, name: str) -> ctypes.c_void_p:
        """A program by its name."""
        return ctypes.c_void_p(
            self.library.pointer("bpf_object__find_program_by_name", self.pointer, name.encode())
        )

    def programs(self) -> list[str]:
        """The names of all programs."""
        found: list[str] = []
        last = None
        while True:
            last = self.lib.bpf_object__next_program(self.pointer, ctypes.c_void_p(last))
            if not last:
                return found
            found.append(self.lib.bpf_program__name(ctypes.c_void_p(last)).decode())

    def only(self, *names: str) -> None:
        """Load these programs and no others."""
        for name in self.programs():
            self.library.call("bpf_program__set_autoload", self.program(name), ctypes.c_bool(name in names))

    def resize(self, name: str, entries: int) -> None:
        """The number of elements of a map."""
        self.library.call("bpf_map__set_max_entries", self.map(name), ctypes.c_uint32(max(entries, 1)))

    def reuse(self, name: str, fd: int) -> None:
        """Take an existing map instead of a new one."""
        self.library.call("bpf_map__reuse_fd", self.map(name), fd)

    def bring(self, name: str, size: int) -> None:
        """Make the map of a section of data: one value of this size that can be mapped."""
        self.brought[f".data.{name}"] = self._value(name, size)
        self.reuse(f".data.{name}", self.brought[f".data.{name}"])

    def _value(self, name: str, size: int) -> int:
        options = (ctypes.c_uint32 * 12)()
        options[0], options[7] = ctypes.sizeof(options), MAPPABLE
        size_ = ctypes.c_uint32(size)
        return self.library.call("bpf_map_create", ARRAY, name.encode(), 4, size_, 1, ctypes.byref(options))

    def _return(self) -> None:
        """libbpf would unmap as many bytes of a section as the map has that was brought for it: a page is what it mapped."""
        if self.brought:
            small = self._value("page", 8)
            for name, fd in self.brought.items():
                self.reuse(name, small)
                os.close(fd)
            os.close(small)
            self.brought.clear()

    def constants(self, data: bytes) -> None:
        """Write the one struct of constants, before the load."""
        size = ctypes.c_size_t()
        place = self.library.pointer("bpf_map__initial_value", self.map(".rodata"), ctypes.byref(size))
        if size.value != len(data):
            raise Trouble(f"the BPF object has {size.value} bytes of constants, and these tables bring {len(data)}")
        ctypes.memmove(place, data, len(data))

    def load(self) -> None:
        """Create the maps and have the kernel verify the programs."""
        try:
            self.library.call("bpf_object__load", self.pointer)
        except Trouble as trouble:
            raise Trouble(f"the kernel refused the program or its maps ({trouble})") from None

    def map_fd(self, name: str) -> int:
        """The descriptor of a loaded map; it lives as long as the object."""
        if name in self.brought:
            return self.brought[name]
        return self.library.call("bpf_map__fd", self.map(name))

    def program_fd(self, name: str) -> int:
        """The descriptor of a loaded program; it lives as long as the object."""
        return self.library.call("bpf_program__fd", self.program(name))

    def close(self) -> None:
        """Give up what is not pinned."""
        if self.pointer:
            self._return()
            self.lib.bpf_object__close(self.pointer)
            self.pointer = ctypes.c_void_p()


def page_up(size: int) -> int:
    """A length that can be mapped."""
    return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE


def write_array(library: Library, fd: int, data: bytes, *, freeze: bool = True) -> None:
    """Fill a mappable array and close it for every later change."""
    if len(data):
        with mmap.mmap(fd, page_up(len(data))) as area:
            area[: len(data)] = data
    if freeze:
        library.call("bpf_map_freeze", fd)


def read_array(fd: int, size: int) -> bytes:
    """What a mappable array holds."""
    with mmap.mmap(fd, page_up(size), mmap.MAP_SHARED, mmap.PROT_READ) as area:
        return area[:size]


def write_lookup(library: Library, fd: int, keys: bytes, values: bytes, count: int) -> None:
    """Fill a hash or a trie by one call and close it for every later change."""
    if count:
        number = ctypes.c_uint32(count)
        library.call("bpf_map_update_batch", fd, keys, values, ctypes.byref(number), None)
        if number.value != count:
            raise Trouble(f"only {number.value} of {count} elements were taken")
    library.call("bpf_map_freeze", fd)


def read_lookup(library: Library, fd: int, key_size: int, value_size: int) -> dict[bytes, bytes]:
    """What a hash or a trie holds."""
    found: dict[bytes, bytes] = {}
    key, value = ctypes.create_string_buffer(key_size), ctypes.create_string_buffer(value_size)
    last: Any = None
    while True:
        ctypes.set_errno(0)
        if library.lib.bpf_map_get_next_key(fd, last, key) < 0:
            if ctypes.get_errno() in (0, 2):
                return found
            raise Trouble(f"a table could not be read: {os.strerror(ctypes.get_errno())}")
        library.call("bpf_map_lookup_elem", fd, key, value)
        found[key.raw] = value.raw
        last = ctypes.create_string_buffer(key.raw, key_size)


def cpus() -> int:
    """The number of possible CPUs, as per-CPU maps count them."""
    with open("/sys/devices/system/cpu/possible", encoding="ascii") as file:
        return int(file.read().strip().split("-")[-1]) + 1


def read_counters(library: Library, fd: int, entries: int) -> list[tuple[int, int]]:
    """Packets and bytes of each element, over all CPUs."""
    many = cpus()
    buffer = ctypes.create_string_buffer(16 * many)
    found = []
    for index in range(entries):
        library.call("bpf_map_lookup_elem", fd, ctypes.byref(ctypes.c_uint32(index)), buffer)
        numbers = struct.unpack(f"<{2 * many}Q", buffer.raw)
        found.append((sum(numbers[::2]), sum(numbers[1::2])))
    return found


def info(library: Library, fd: int, size: int = 256) -> bytes:
    """What the kernel says of a map or a program."""
    buffer, length = ctypes.create_string_buffer(size), ctypes.c_uint32(size)
    library.call("bpf_obj_get_info_by_fd", fd, buffer, ctypes.byref(length))
    return buffer.raw[: length.value]


class MapInfo:
    """A map as the kernel describes it."""

    def __init__(self, library: Library, fd: int) -> None:
        said = info(library, fd)
        self.kind, self.id, self.key, self.value, self.entries, self.flags = struct.unpack_from("<6I", said)
        self.name = said[24:40].split(b"\0")[0].decode()


class ProgramInfo:
    """A program as the kernel describes it: its number, its tag, and the maps that it uses."""

    def __init__(self, library: Library, fd: int) -> None:
        ids = (ctypes.c_uint32 * 64)()
        buffer, length = ctypes.create_string_buffer(232), ctypes.c_uint32(232)
        struct.pack_into("<IQ", buffer, 52, 64, ctypes.addressof(ids))
        library.call("bpf_obj_get_info_by_fd", fd, buffer, ctypes.byref(length))
        self.kind, self.id = struct.unpack_from("<2I", buffer.raw)
        self.tag = buffer.raw[8:16].hex()
        (count,) = struct.unpack_from("<I", buffer.raw, 52)
        self.maps = list(ids[:count])
        self.name = buffer.raw[64:80].split(b"\0")[0].decode()
        (self.verified,) = struct.unpack_from("<I", buffer.raw, 216)


def test_run(library: Library, fd: int, packet: bytes, repeat: int = 1, room: int = 0) -> tuple[int, int]:
    """What a program answers for one packet, and nanoseconds for each of ``repeat`` runs."""
    data = ctypes.create_string_buffer(packet, len(packet))
    out = ctypes.create_string_buffer(room or len(packet) + 256)
    options = _TestRun(sz=ctypes.sizeof(_TestRun), repeat=repeat, data_size_in=len(packet), data_size_out=len(out))
    options.data_in, options.data_out = ctypes.addressof(data), ctypes.addressof(out)
    library.call("bpf_prog_test_run_opts", fd, ctypes.byref(options))
    return options.retval, options.duration
