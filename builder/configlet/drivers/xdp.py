"""A Linux host's XDP tables, over the same SSH as its nftables; what runs there is ``hostside/xdp.py``.

The loader is carried with the first verb, when the host does not have this version of it. The host needs root, Python,
libbpf.so.1 and Linux 5.10; it says which of them is missing.
"""

from __future__ import annotations

import base64
import difflib
import gzip
import hashlib
import io
import shlex
import tarfile
from functools import cache
from importlib.resources import files

from configlet.drivers.base import Rejected
from configlet.drivers.nftables import NftablesDriver
from configlet.model.plan import Change

PARTS = ("bpf.py", "xdp.py", "xdp_host.py", "xdp_tables.py", "xdp.bpf.o")
"""What is carried: the loader, its parts, and the BPF object that clang made of ``builder/bpf``."""
_FOLDER = '"${CONFIGLET_STATE_DIR:-/var/lib/configlet}"/xdp'


class XdpDriver(NftablesDriver):
    """One host. The login must be root, or have CAP_BPF and CAP_NET_ADMIN."""

    _carried = False

    def running(self) -> str:
        """The tables in force, out of the kernel's maps; "" when there are none."""
        return self._guard("running")

    def load(self, change: Change) -> str:
        """Lay the tables on the host, have its kernel verify them, and return how they differ from what runs."""
        before = self._canonical(change.platform, change.kind, self.running())
        if before != change.before:
            raise Rejected("the plan is stale: the host no longer runs what the plan was made from")
        after = self._canonical(change.platform, change.kind, change.load)
        if after != change.after:
            raise Rejected("the tables to be loaded do not mean what was planned")
        token = self._named(self._target.token)
        self._run(f"umask 077 && cat >{_FOLDER}/staged/{shlex.quote(token)}.xdp", change.load)
        self._staged = token
        there, self._ran = self._guard("check", token).split()
        if there != hashlib.sha256(change.load.encode()).hexdigest():
            raise Rejected("what arrived on the host is not what was sent")
        return "\n".join(difflib.unified_diff(before.splitlines(), after.splitlines(), "runs", "staged", lineterm=""))

    def counters(self) -> dict[str, tuple[int, int]]:
        """Packets and bytes by rule, and of what the program refused before any rule."""
        found: dict[str, tuple[int, int]] = {}
        for line in self._guard("count").splitlines():
            packets, size, name = line.split(" ", 2)
            found[name] = int(packets), int(size)
        return found

    def _guard(self, *words: str) -> str:
        if not self._carried:
            self._carry()
        return self._run(f"python3 -S {_FOLDER}/xdp.py " + " ".join(map(shlex.quote, words)), "")

    def _carry(self) -> None:
        """Bring the loader, unless this version of it is there."""
        packed, digest = _bundle()
        if self._run(f"cat {_FOLDER}/carried 2>/dev/null || true", "").strip() != digest:
            self._run("command -v python3 >/dev/null || { echo 'python3 is not on this host' >&2; exit 2; }", "")
            unpack = "base64 -d | tar -xzf - -C"
            self._run(
                f"umask 077 && mkdir -p {_FOLDER}/staged && {unpack} {_FOLDER} && echo {digest} >{_FOLDER}/carried", packed
            )
        self._carried = True


@cache
def _bundle() -> tuple[str, str]:
    """The loader as base64 of a tar file, and its digest. ``Rejected`` when the BPF object was not built."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for name in PARTS:
            part = files("configlet.hostside") / name
            if not part.is_file():
                raise Rejected(
                    f"{name} is not in this installation: it is built from builder/bpf with clang, by `make bpf` or with "
                    "the wheel (Debian: apt-get install clang libbpf-dev)"
                )
            data = part.read_bytes()
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o600
            tar.addfile(member, io.BytesIO(data))
    data = out.getvalue()
    return base64.b64encode(data).decode() + "\n", hashlib.sha256(data).hexdigest()
