"""Pretended NICs under the real, unmodified `ethtool`: pretended.c is built here and preloaded by a wrapper of that name.

The wrapper sets two variables and execs the binary of the host. What a NIC holds at each moment is replayed from the
library's log into `NtupleNic`, which judges frames.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from tempfile import mkdtemp

from configlet.lab.nic.ntuple import NtupleNic

_DEVICE = struct.Struct("=16sIIii")
_SPEC = struct.Struct("=I52s20s52s20s4xQI4x")
_CHANGE = struct.Struct(f"=I4x{_SPEC.size}s")
_SLOT = _CHANGE
ROOM = {"sfc": 16384, "efct": 512, "mlx5": 1024, "ixgbe": 2048, "i40e": 8192, "ice": 512, "virtio_net": 0}
"""Slots by profile; of efct, ixgbe, i40e and ice a number of ours, as theirs comes from the hardware or is not stated."""
_WRAPPER = "#!/bin/sh\nLD_PRELOAD={library} PRETENDED_NICS={nics} exec {ethtool} \"$@\"\n"
_KINDS = {1: ("tcp4", "4s4sHH"), 2: ("udp4", "4s4sHH"), 13: ("ip4", "4s4s6xB"), 5: ("tcp6", "16s16sHH"),
          6: ("udp6", "16s16sHH"), 14: ("ip6", "16s16s5xB"), 18: ("ether", "6s6sH")}  # fmt: skip


@cache
def compiler() -> str:
    """The C compiler of this host; "" when there is none."""
    return next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), "")


@cache
def real() -> str:
    """The real ethtool; "" when it is not installed."""
    return shutil.which("ethtool", path="/usr/sbin:/sbin:/usr/bin:/bin") or ""


def impossible() -> str:
    """Why nothing of this can run here; "" when it can."""
    if not compiler():
        return "no C compiler, which builds what is preloaded under ethtool (Debian: apt-get install gcc libc6-dev)"
    return "" if real() else "ethtool is not installed (Debian: apt-get install ethtool)"


@cache
def library() -> Path:
    """The built library, once in this process."""
    made = Path(mkdtemp(prefix="pretended-")) / "pretended.so"
    source = Path(__file__).with_suffix(".c")
    subprocess.run([compiler(), "-Wall", "-Werror", "-O2", "-shared", "-fPIC", "-o", made, source, "-ldl"], check=True)
    return made


@dataclass(frozen=True, slots=True)
class Card:
    """One pretended NIC."""

    path: Path

    def refuse_after(self, rules: int, error: int) -> None:
        """Take so many more rules, then answer that errno; a negative number: take all."""
        with self.path.open("r+b") as file:
            head = _DEVICE.unpack(file.read(_DEVICE.size))
            file.seek(0)
            file.write(_DEVICE.pack(*head[:3], rules, error))

    def resize(self, room: int) -> None:
        """Have so many slots, none more than it was made with."""
        with self.path.open("r+b") as file:
            head = _DEVICE.unpack(file.read(_DEVICE.size))
            file.seek(0)
            file.write(_DEVICE.pack(head[0], room, *head[2:]))

    def reset(self) -> None:
        """Forget every rule and what was before, as a NIC does at a reset."""
        with self.path.open("r+b") as file:
            size = file.seek(0, 2)
            file.truncate(_DEVICE.size)
            file.truncate(size)
        self._log().unlink(missing_ok=True)

    def moments(self) -> Iterator[NtupleNic]:
        """What the NIC held after each change since it was made or reset, as one that judges frames."""
        nic, places = NtupleNic(), dict[int, str]()
        log = self._log().read_bytes() if self._log().is_file() else b""
        for at in range(0, len(log), _CHANGE.size):
            inserted, spec = _CHANGE.unpack_from(log, at)
            place, words = _words(spec)
            if place in places:
                nic.command(f"delete {places.pop(place)}")
            if inserted:
                places[place] = nic.command(words).split()[-1]
            yield nic

    def _log(self) -> Path:
        return self.path.with_name(self.path.name + ".log")


def card(folder: Path, name: str, profile: str = "sfc", room: int = 0, rings: int = 4) -> Card:
    """A new NIC in a folder of NICs."""
    slots = room or ROOM[profile]
    path = folder / name
    path.write_bytes(_DEVICE.pack(profile.encode(), slots, rings, -1, 0))
    with path.open("r+b") as file:
        file.truncate(_DEVICE.size + slots * _SLOT.size)
    return Card(path)


def tool(folder: Path, nics: Path) -> Path:
    """The wrapper ``ethtool`` in a folder of programs, for the NICs of another folder."""
    folder.mkdir(parents=True, exist_ok=True)
    nics.mkdir(parents=True, exist_ok=True)
    path = folder / "ethtool"
    path.write_text(_WRAPPER.format(library=library(), nics=nics, ethtool=real()))
    path.chmod(0o755)
    return path


def run(path: Path, line: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of ``ethtool`` with these arguments."""
    done = subprocess.run([str(path), *line.split()], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def _words(spec: bytes) -> tuple[int, str]:
    """A kernel's rule as its place and the arguments that make it."""
    kind, value, _, mask, _, cookie, place = _SPEC.unpack(spec)
    name, form = _KINDS[kind]
    form = ">" + form
    fields = struct.unpack_from(form, value), struct.unpack_from(form, mask)
    titles = ("src-mac", "dst-mac", "proto") if name == "ether" else ("src-ip", "dst-ip", *(
        ("l4proto",) if name.startswith("ip") else ("src-port", "dst-port")))  # fmt: skip
    said = ""
    for title, field, looked in zip(titles, *fields, strict=True):
        if any(looked) if isinstance(looked, bytes) else looked:
            said += f" {title} {ip_address(field) if isinstance(field, bytes) else field}"
    with suppress(struct.error):
        cookie = struct.unpack("=q", struct.pack("=Q", cookie))[0]
    return place, f"flow-type {name}{said} action {cookie}"
