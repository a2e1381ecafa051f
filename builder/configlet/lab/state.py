"""The lab's folder: where its pid, socket, keys, credentials and the names of its namespaces are kept.

Layout of ``<workspace>/.configlet/lab/<site>`` (mode 0700)::

    lock  pid  ready.json  control.sock  log  credentials.json (0600)  trust/ca.pem  trust/known_hosts
    tls/<device>.pem (0600)  hosts/<name>/
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configlet.model.problem import refuse

VERSION = 1


@dataclass(frozen=True, slots=True)
class State:
    """One lab's folder."""

    path: Path

    @property
    def trust(self) -> Path:
        """What a client must trust: ``ca.pem`` and ``known_hosts``."""
        return self.path / "trust"

    @property
    def log(self) -> Path:
        """What the daemon said."""
        return self.path / "log"

    def host(self, name: str) -> Path:
        """The state folder of one simulated host."""
        return self.path / "hosts" / name


def state_of(root: Path, site: str) -> State:
    """The folder of a site's lab in a workspace; it need not exist."""
    return State(Path(root).resolve() / ".configlet" / "lab" / site)


def claim(state: State) -> int:
    """Take the lab's lock and return its descriptor.

    The lock belongs to the open file, so the daemon inherits it through ``fork`` and holds it as long as it lives: a
    killed daemon never leaves a lab that looks alive. Raises Refused when a lab is up.
    """
    state.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    state.path.chmod(0o700)
    descriptor = os.open(state.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise refuse(
            "the lab is already up",
            f"The lab of site {state.path.name} runs in this workspace. End it with "
            f"`configlet lab down {state.path.name}` before it is started again.",
        ) from None
    return descriptor


def alive(state: State) -> bool:
    """Whether a daemon holds the lab's lock."""
    try:
        descriptor = os.open(state.path / "lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def clean(state: State) -> None:
    """Empty the folder, except for the lock file that the caller holds."""
    for entry in state.path.iterdir():
        if entry.name == "lock":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    for folder in (state.trust, state.path / "tls", state.path / "hosts"):
        folder.mkdir(mode=0o700)


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    part.replace(path)


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON, privately."""
    write_private(path, json.dumps(value, indent=1, sort_keys=True).encode() + b"\n")


def ready(state: State) -> dict[str, Any]:
    """The ready marker: pids, namespaces, servers. Raises Refused when no lab is up."""
    if not alive(state) or not (state.path / "ready.json").exists():
        raise refuse(
            "the lab is not up",
            f"No lab of site {state.path.name} runs in this workspace. Start it with "
            f"`configlet lab up {state.path.name}`.",
        )
    value: dict[str, Any] = json.loads((state.path / "ready.json").read_text())
    return value


def environment(state: State) -> dict[str, str]:
    """What a command inside the lab finds in its environment: the lab, what to trust, the lab's credentials."""
    found = json.loads((state.path / "credentials.json").read_text())
    out = {"CONFIGLET_LAB": str(state.path), "CONFIGLET_TRUST": str(state.trust)}
    for name, login in found.items():
        out[f"{name}_USERNAME"] = login["username"]
        out[f"{name}_PASSWORD"] = login["password"]
    return out
