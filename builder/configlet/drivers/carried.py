"""Tables of a Linux host that a script of ours changes, over the same SSH as its nftables.

The script and its parts (``hostside/``) are carried with the first verb, when the host does not have this version of
them. They need root and Python there, and say what else is missing.
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

_STATE = '"${CONFIGLET_STATE_DIR:-/var/lib/configlet}"'


class CarriedDriver(NftablesDriver):
    """One host. ``parts`` are files of ``hostside``, the first of them the script."""

    parts: tuple[str, ...] = ()
    what = "tables"
    _carried = False

    def running(self) -> str:
        """What is in force, as the kernel shows it; "" when there is nothing."""
        return self._guard("running")

    def load(self, change: Change) -> str:
        """Lay the change on the host, have it checked there, and return how it differs from what runs."""
        before = self._canonical(change.platform, change.kind, self.running())
        if before != change.before:
            raise Rejected(f"the plan is stale: the {self.what} are no longer those that the plan was made from")
        after = self._canonical(change.platform, change.kind, change.load)
        if after != change.after:
            raise Rejected(f"the {self.what} to be loaded do not mean what was planned")
        token = self._named(self._target.token)
        for name, text in self._texts(change).items():
            self._run(f"umask 077 && cat >{self._folder()}/staged/{shlex.quote(token)}.{name}", text)
        self._staged = token
        there, self._ran = self._guard("check", token).split()
        if there != hashlib.sha256(change.load.encode()).hexdigest():
            raise Rejected("what arrived on the host is not what was sent")
        return "\n".join(difflib.unified_diff(before.splitlines(), after.splitlines(), "runs", "staged", lineterm=""))

    def counters(self) -> dict[str, tuple[int, int]]:
        """Packets and bytes by rule. ``Rejected`` where nothing counts them."""
        found: dict[str, tuple[int, int]] = {}
        for line in self._guard("count").splitlines():
            packets, size, name = line.split(" ", 2)
            found[name] = int(packets), int(size)
        return found

    def _texts(self, change: Change) -> dict[str, str]:
        """What is staged of a change, by the ending of its file."""
        return {"load": change.load}

    def _words(self) -> list[str]:
        """What the script is told before each verb."""
        return []

    def _folder(self) -> str:
        return f"{_STATE}/{shlex.quote(self._name())}"

    def _name(self) -> str:
        return self._target.driver or self._target.platform

    def _guard(self, *words: str) -> str:
        if not self._carried:
            self._carry()
        said = " ".join(map(shlex.quote, (*self._words(), *words)))
        return self._run(f"python3 -S {self._folder()}/{self.parts[0]} {said}", "")

    def _carry(self) -> None:
        """Bring the script, unless this version of it is there."""
        packed, digest = _bundle(self.parts)
        folder = self._folder()
        if self._run(f"cat {folder}/carried 2>/dev/null || true", "").strip() != digest:
            self._run("command -v python3 >/dev/null || { echo 'python3 is not on this host' >&2; exit 2; }", "")
            unpack = f"base64 -d | tar -xzf - -C {folder}"
            self._run(f"umask 077 && mkdir -p {folder}/staged && {unpack} && echo {digest} >{folder}/carried", packed)
        self._carried = True


@cache
def _bundle(parts: tuple[str, ...]) -> tuple[str, str]:
    """The parts as base64 of a tar file, and its digest. ``Rejected`` when one was not built."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for name in parts:
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
