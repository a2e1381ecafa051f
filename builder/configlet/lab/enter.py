"""Into the lab's namespaces: a thread that works there, a command that runs there, this process that goes there."""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from configlet.lab.state import State, environment, ready
from configlet.model.problem import refuse

T = TypeVar("T")

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x00020000, 0x10000000, 0x20000000, 0x40000000
SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CAP_NET_ADMIN, _CAP_SYS_ADMIN = 12, 21


def _call(name: str, *arguments: Any) -> None:
    """Call a function of the C library (Python 3.11 has neither setns nor unshare); raise OSError when it fails."""
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    if function(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def unshare(flags: int) -> None:
    """Give the calling thread (for user and pid namespaces: process) new namespaces."""
    _call("unshare", ctypes.c_int(flags))


def setns(descriptor: int, kind: int) -> None:
    """Move the calling thread into the namespace behind a descriptor."""
    _call("setns", ctypes.c_int(descriptor), ctypes.c_int(kind))


def mount(source: str, target: str, kind: str, flags: int = 0) -> None:
    """mount(2)."""
    _call("mount", source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), None)


def privileged() -> bool:
    """Whether this process may make network namespaces itself, so that it needs no user namespace."""
    status = Path("/proc/self/status").read_text()
    held = int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), 16)
    return bool(held >> _CAP_SYS_ADMIN & 1) and bool(held >> _CAP_NET_ADMIN & 1)


def new_world(flags: int) -> None:
    """Take this (single-threaded) process into new namespaces, with a user namespace around them when it needs one.

    In that user namespace the process is root and nobody else exists. Raises OSError when the kernel refuses.
    """
    user, group = os.geteuid(), os.getegid()
    if not privileged():
        unshare(CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    unshare(flags)


def in_thread(work: Callable[[], T]) -> T:
    """Run work in a thread of its own that ends with it, and hand on its result or exception."""
    outcome: list[T] = []
    failure: list[BaseException] = []

    def body() -> None:
        try:
            outcome.append(work())
        except BaseException as problem:  # noqa: BLE001 - raised again below, in the caller's thread
            failure.append(problem)

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def inside(descriptor: int, work: Callable[[], T]) -> T:
    """Run work in a network namespace. Sockets made and processes started there stay there."""

    def entered() -> T:
        setns(descriptor, CLONE_NEWNET)
        return work()

    return in_thread(entered)


def open_namespaces(state: Path) -> dict[str, int]:
    """Descriptors of all network namespaces of a lab, by name; for a process that is inside the lab already.

    Raises Refused when no lab is up. The caller closes them.
    """
    marker = ready(State(Path(state)))
    return {name: os.open(entry["path"], os.O_RDONLY | os.O_CLOEXEC) for name, entry in marker["namespaces"].items()}


def _prefix(state: Path, namespace: str) -> list[str]:
    """The nsenter command that leads to a namespace; raises Refused for one that the lab does not have."""
    marker = ready(State(Path(state)))
    entry = marker["namespaces"].get(namespace)
    if entry is None:
        raise refuse(
            "unknown namespace",
            f"The lab has no namespace {namespace}. It has: {', '.join(sorted(marker['namespaces']))}.",
        )
    words = ["nsenter", f"--net={entry['path']}"]
    user = Path(f"/proc/{marker['pid']}/ns/user")
    if marker["user_namespace"] and user.stat().st_ino != Path("/proc/self/ns/user").stat().st_ino:
        words[1:1] = ["--preserve-credentials", f"--user={user}"]
    return [*words, "--"]


def _surroundings(state: Path, extra: Mapping[str, str] | None) -> dict[str, str]:
    here = {**os.environ, **environment(State(Path(state))), **(extra or {})}
    here["PATH"] = f"{here.get('PATH', '')}:{SEARCH}".lstrip(":")
    return here


def enter(state: Path, namespace: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> NoReturn:
    """Replace this process by a command inside the lab (``controller`` is where an operator's commands belong).

    ``state`` is the lab's folder. The working directory stays; the environment is this one with the lab's (see
    ``state.environment``) and then ``env`` over it. Raises Refused when no lab is up or the namespace is unknown.
    """
    command = [*_prefix(state, namespace), *argv]
    around = _surroundings(state, env)
    os.execvpe(command[0], command, around)  # noqa: S606 - the command is the operator's own


def run_in(
    state: Path, namespace: str, argv: Sequence[str], stdin: str | None = None, timeout: float | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in a namespace of the lab and return what it said. Never raises for a non-zero status."""
    return subprocess.run(
        [*_prefix(state, namespace), *argv],
        env=_surroundings(state, None),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
