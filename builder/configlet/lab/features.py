"""What this machine can do for the lab: each feature is tried, never guessed from a version."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from configlet.lab.enter import CLONE_NEWNET, CLONE_NEWNS, SEARCH, new_world, privileged

_MRT_INIT = 200
_UNTRIED = "could not be tried"
_TOOLS = {
    "ip": "iproute2 (apt install iproute2)",
    "bridge": "iproute2 (apt install iproute2)",
    "nft": "nftables (apt install nftables)",
    "nsenter": "util-linux (apt install util-linux)",
    "setsid": "util-linux (apt install util-linux)",
    "bash": "bash (apt install bash)",
}


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that the lab needs. ``remedy`` says how to get it, ``detail`` what was found."""

    name: str
    ok: bool
    detail: str
    remedy: str


def probe() -> tuple[Feature, ...]:
    """Try everything that the lab needs; takes some 50 ms and leaves nothing behind."""
    tools = tuple(_tool(name, remedy) for name, remedy in _TOOLS.items())
    return (_python(), *tools, *_kernel())


def missing() -> tuple[Feature, ...]:
    """What the lab lacks here; without namespaces the rest could not even be tried, and is left out."""
    return tuple(feature for feature in probe() if not feature.ok and feature.detail != _UNTRIED)


def _python() -> Feature:
    version = ".".join(map(str, sys.version_info[:3]))
    return Feature("python", sys.version_info >= (3, 11), version, "Python 3.11 or newer")


def _tool(name: str, remedy: str) -> Feature:
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SEARCH}")
    return Feature(name, path is not None, path or "not found", remedy)


def _try_veth() -> None:
    _ip("link", "add", "probe0", "type", "veth", "peer", "name", "probe1")


def _try_bridge() -> None:
    _ip("link", "add", "probe2", "type", "bridge", "mcast_snooping", "0")


def _ip(*words: str) -> None:
    _command("ip", *words)


def _command(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env={"PATH": SEARCH})
    if done.returncode:
        raise OSError(done.stderr.strip() or done.stdout.strip())


def _try_nft() -> None:
    _command("nft", "add table inet probe; add chain inet probe c { type filter hook input priority 0; }")


def _try_packet() -> None:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()


def _try_multicast() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP) as router:
        router.setsockopt(socket.IPPROTO_IP, _MRT_INIT, struct.pack("i", 1))


def _try_forwarding() -> None:
    for family in ("ipv4", "ipv6"):
        Path(f"/proc/sys/net/{family}/conf/all/forwarding").write_text("1")


_KERNEL: tuple[tuple[str, Callable[[], None], str], ...] = (
    ("veth links", _try_veth, "a kernel with CONFIG_VETH (modprobe veth)"),
    ("bridges", _try_bridge, "a kernel with CONFIG_BRIDGE (modprobe bridge)"),
    ("nftables rules", _try_nft, "a kernel with CONFIG_NF_TABLES_INET (modprobe nf_tables)"),
    ("packet sockets", _try_packet, "a kernel with CONFIG_PACKET"),
    ("multicast routing", _try_multicast, "a kernel with CONFIG_IP_MROUTE"),
    ("forwarding", _try_forwarding, "a writable /proc/sys/net, IPv6 not disabled (a container may forbid it)"),
)


def _kernel() -> tuple[Feature, ...]:
    """Try the kernel's features in namespaces of a child that then ends."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            _report(writer)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as file:
        lines = file.read().splitlines()
    os.waitpid(child, 0)
    said = dict(line.split("\t", 1) for line in lines)
    names = [(_namespace_name(), _namespace_remedy()), *((name, remedy) for name, _, remedy in _KERNEL)]
    return tuple(Feature(name, said.get(name) == "works", said.get(name, _UNTRIED), remedy) for name, remedy in names)


def _namespace_name() -> str:
    return "network namespaces" if privileged() else "user namespaces"


def _namespace_remedy() -> str:
    if privileged():
        return "CAP_SYS_ADMIN and CAP_NET_ADMIN"
    return (
        "root, or unprivileged user namespaces (sysctl user.max_user_namespaces above 0; on Debian "
        "kernel.unprivileged_userns_clone=1, on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0)"
    )


def _report(writer: int) -> None:
    """Say for each feature on one line whether it works; the process becomes useless for anything else."""
    os.environ["PATH"] = SEARCH
    name = _namespace_name()
    if not _attempt(writer, name, partial(new_world, CLONE_NEWNET | CLONE_NEWNS)):
        return
    for feature, work, _ in _KERNEL:
        _attempt(writer, feature, work)


def _attempt(writer: int, name: str, work: Callable[[], None]) -> bool:
    try:
        work()
    except OSError as problem:
        os.write(writer, f"{name}\t{' '.join(str(problem).split())}\n".encode())
        return False
    os.write(writer, f"{name}\tworks\n".encode())
    return True
