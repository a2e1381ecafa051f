"""The generations of XDP tables that this host's kernel holds, and the interfaces that they judge.

Carried to hosts together with ``xdp.py``. One dispatcher is on every interface; which generation it calls is one slot
of a pinned table, so that all interfaces change at once.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import socket
import time
from contextlib import suppress
from pathlib import Path

if __package__:
    from configlet.hostside import bpf
    from configlet.hostside.xdp_tables import SHARED, Generation, dump, parse, text_of
else:
    import bpf  # type: ignore[import-not-found,no-redef,unused-ignore]
    from xdp_tables import (  # type: ignore[import-not-found,no-redef,unused-ignore]
        SHARED, Generation, dump, parse, text_of,
    )  # fmt: skip

HERE = Path(__file__).resolve().parent


def _pins() -> Path:
    """Where the kernel's objects are pinned: one place a host, and one a rehearsed host."""
    state = os.environ.get("CONFIGLET_STATE_DIR", "")
    own = "-" + hashlib.sha256(state.encode()).hexdigest()[:12] if state else ""
    return Path(os.environ.get("CONFIGLET_BPF_DIR") or f"/sys/fs/bpf/configlet{own}")


PINS = _pins()


class Host:
    """This host's generations: those that are pinned, and the one in force."""

    def __init__(self) -> None:
        self.library = bpf.Library()
        _mounted(PINS)

    def slot(self) -> int:
        """The number that the kernel gave the program in force; 0 when there is none."""
        try:
            fd = self.pinned(PINS / "generation")
        except bpf.Trouble:
            return 0
        found, key = ctypes.c_uint32(), ctypes.c_uint32(0)
        failed = self.library.lib.bpf_map_lookup_elem(fd, ctypes.byref(key), ctypes.byref(found))
        os.close(fd)
        return 0 if failed else found.value

    def pinned(self, path: Path) -> int:
        """A descriptor of something that is pinned."""
        return self.library.call("bpf_obj_get", str(path).encode())

    def pin(self, fd: int, path: Path) -> None:
        """Keep something beyond this process."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.library.call("bpf_obj_pin", fd, str(path).encode())

    def generations(self) -> dict[int, int]:
        """Generations by their count, with the number of their program."""
        found = {}
        for folder in PINS.glob("g[0-9]*"):
            fd = self.pinned(folder / "filter")
            found[int(folder.name[1:])] = bpf.ProgramInfo(self.library, fd).id
            os.close(fd)
        return dict(sorted(found.items()))

    def current(self) -> int:
        """The generation in force; 0 when there is none."""
        slot = self.slot()
        return next((count for count, number in self.generations().items() if number == slot), 0)

    def attached(self) -> list[str]:
        """The interfaces that have our dispatcher."""
        return sorted(path.name for path in (PINS / "links").glob("*"))

    def running(self) -> str:
        """The tables in force as text; "" when none are, or nothing is attached."""
        current = self.current()
        if not current or not self.attached():
            return ""
        fd = self.pinned(PINS / f"g{current}" / "filter")
        try:
            tables = dump(self.library, fd)
        finally:
            os.close(fd)
        tables.attach = self.attached()
        return text_of(tables)

    def base(self) -> dict[str, int]:
        """The maps that outlive generations and the dispatcher; made at the first call."""
        if not (PINS / "dispatch").exists():
            object_ = bpf.Object(self.library, str(HERE / "xdp.bpf.o"))
            object_.only("dispatch", "dispatch_leaving")
            object_.load()
            for name in SHARED:
                self.pin(object_.map_fd(name), PINS / name)
            for name in ("dispatch_leaving", "dispatch"):
                self.pin(object_.program_fd(name), PINS / name)
            object_.close()
        return {name: self.pinned(PINS / name) for name in SHARED}

    def stage(self, text: str) -> int:
        """Load a generation beside the one in force, and answer its count."""
        shared = self.base()
        made = Generation(self.library, str(HERE / "xdp.bpf.o"), parse(text), shared)
        count = max(self.generations(), default=0) + 1
        if made.record is not None:
            self.pin(made.record, PINS / f"g{count}" / "record")
        self.pin(made.filter, PINS / f"g{count}" / "filter")
        made.close()
        for fd in shared.values():
            os.close(fd)
        return count

    def enforce(self, count: int) -> float:
        """Put a generation in force on all interfaces at once; seconds that the swap took."""
        program, slot = self.pinned(PINS / f"g{count}" / "filter"), self.pinned(PINS / "generation")
        if (PINS / f"g{count}" / "record").exists():
            record, leaving = self.pinned(PINS / f"g{count}" / "record"), self.pinned(PINS / "generation_leaving")
            self._fill(leaving, record)
            os.close(record)
            os.close(leaving)
        began = time.perf_counter()
        self._fill(slot, program)
        took = time.perf_counter() - began
        os.close(program)
        os.close(slot)
        return took

    def _fill(self, slot: int, program: int) -> None:
        key, value = ctypes.c_uint32(0), ctypes.c_uint32(program)
        self.library.call("bpf_map_update_elem", slot, ctypes.byref(key), ctypes.byref(value), ctypes.c_uint64(0))

    def attach(self, names: list[str]) -> None:
        """Have the dispatcher on exactly these interfaces; new ones first, so that no packet is unguarded."""
        for name in names:
            if name not in self.attached():
                self._attach(name)
        for name in self.attached():
            if name not in names:
                (PINS / "links" / name).unlink()
                self._leaving(name, attach=False)

    def _attach(self, name: str) -> None:
        try:
            index = socket.if_nametoindex(name)
        except OSError:
            raise bpf.Trouble(f"there is no interface {name} on this host") from None
        program = self.pinned(PINS / "dispatch")
        why = ""
        for mode, word in ((bpf.DRIVER_MODE, "native"), (bpf.GENERIC_MODE, "generic")):
            options = (ctypes.c_uint64 * 8)(64, mode)
            try:
                link = self.library.call("bpf_link_create", program, index, bpf.XDP, ctypes.byref(options))
            except bpf.Trouble as trouble:
                why = str(trouble)
                continue
            self.pin(link, PINS / "links" / name)
            os.close(link)
            print(f"{name}: attached, {word} mode")
            break
        os.close(program)
        if not (PINS / "links" / name).exists():
            raise bpf.Trouble(f"{name} takes no XDP program, or has another one already ({why})")
        self._leaving(name, attach=True)

    def _leaving(self, name: str, *, attach: bool) -> None:
        """The program that remembers connections, on what leaves an interface; only where a generation has one."""
        if attach and not list(PINS.glob("g*/record")):
            return
        hook = (ctypes.c_uint64 * 4)(32, socket.if_nametoindex(name) | bpf.TC_EGRESS << 32)
        if attach:
            self.library.lib.bpf_tc_hook_create(ctypes.byref(hook))
            program = self.pinned(PINS / "dispatch_leaving")
            options = (ctypes.c_uint32 * 8)(32, 0, program, 1, 0, 1, 1)
            self.library.call("bpf_tc_attach", ctypes.byref(hook), ctypes.byref(options))
            os.close(program)
        else:
            options = (ctypes.c_uint32 * 8)(32, 0, 0, 0, 0, 1, 1)
            self.library.lib.bpf_tc_detach(ctypes.byref(hook), ctypes.byref(options))

    def forget(self, keep: set[int]) -> None:
        """Let go of generations that nobody will go back to."""
        for count in self.generations():
            if count not in keep:
                shutil.rmtree(PINS / f"g{count}")

    def detach(self) -> None:
        """Take everything away: every packet passes this filter again."""
        self.attach([])
        if PINS.is_dir():
            for path in PINS.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            with suppress(OSError):  # it may be where the file system is mounted
                PINS.rmdir()


def _mounted(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    libc = ctypes.CDLL(None, use_errno=True)
    said = (ctypes.c_long * 32)()
    if libc.statfs(str(folder).encode(), ctypes.byref(said)) == 0 and said[0] == 0xCAFE4A11:
        return
    if libc.mount(b"bpf", str(folder).encode(), b"bpf", 0, None):
        raise bpf.Trouble(f"no BPF file system can be mounted at {folder}: {os.strerror(ctypes.get_errno())}")
