"""How the daemon comes to life: detached, in namespaces of its own, with a first process that outlives nothing.

The daemon runs in a pid namespace. When its first process ends, for whatever reason, the kernel ends every process of
the lab with it, detached ones included, and with them the namespaces.
"""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

from configlet.lab.enter import CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, mount, new_world, privileged
from configlet.lab.state import State, write_private
from configlet.model.problem import Refused

_MS_REC, _MS_PRIVATE = 0x4000, 0x40000
READY, FAILED = "ready", "failed "


@dataclass(frozen=True, slots=True)
class Birth:
    """What the daemon is told: where to say how far it is (lines on a pipe), and what pid the machine knows it by."""

    writer: int
    pid: int
    own_proc: bool
    user_namespace: bool

    def say(self, line: str) -> None:
        """One line of progress; nobody may be listening any more."""
        _say(self.writer, line)


def _say(writer: int, line: str) -> None:
    with suppress(OSError):
        os.write(writer, (" ".join(line.split("\n")) + "\n").encode())


def launch(state: State, lock: int, serve: Callable[[Birth], None]) -> int:
    """Start the daemon and return the descriptor on which it says how far it is; the end of it is the daemon's end.

    Its last line is ``ready`` or ``failed`` and why. The caller holds the lab's lock, which the daemon inherits.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            _leave(state, lock, writer, serve)
        except Refused as refused:
            _say(writer, FAILED + str(refused))
        except BaseException as problem:  # noqa: BLE001 - the last frame of a forked process
            traceback.print_exc()
            _say(writer, f"{FAILED}{problem}")
        finally:
            os._exit(1)
    os.close(writer)
    os.waitpid(child, 0)
    return reader


def _leave(state: State, lock: int, writer: int, serve: Callable[[Birth], None]) -> NoReturn:
    """Leave the terminal and the machine's namespaces, and start the first process of the new ones."""
    os.setsid()
    _redirect(state, {lock, writer})
    proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    user_namespace = not privileged()
    new_world(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID)
    mount("none", "/", "", _MS_REC | _MS_PRIVATE)
    first = os.fork()
    if first:
        write_private(state.path / "pid", f"{first}\n".encode())
        os._exit(0)
    _first_process(partial(Birth, writer=writer, user_namespace=user_namespace), proc, serve)


def _redirect(state: State, keep: set[int]) -> None:
    """Let go of every file of the starter's but a few; the numbers stay taken, as objects of its still hold them."""
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers, not paths
        if int(name) > 2 and int(name) not in keep | {nothing}:
            with suppress(OSError):
                os.fstat(int(name))
                os.dup2(nothing, int(name), inheritable=False)
    log = os.open(state.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    for number, target in enumerate((nothing, log, log)):
        os.dup2(target, number)
    os.close(nothing)
    os.close(log)


def _first_process(birth: partial[Birth], proc: int, serve: Callable[[Birth], None]) -> NoReturn:
    """Start the daemon, collect orphans, and end when the daemon ends."""
    if os.getpid() != 1:
        raise OSError("the lab's first process is not the first of a pid namespace; nothing would end with it")
    own_proc = True
    try:
        mount("proc", "/proc", "proc")
    except OSError:
        own_proc = False  # a container hides parts of /proc; the lab then sees the machine's, and its status says so
    daemon = os.fork()
    if daemon == 0:
        _daemon(birth(pid=int(os.readlink("self", dir_fd=proc)), own_proc=own_proc), serve)
    os.close(birth.keywords["writer"])
    signal.signal(signal.SIGTERM, lambda *_: os.kill(daemon, signal.SIGTERM))
    while os.wait()[0] != daemon:
        pass
    os._exit(0)  # the kernel ends what is left in the pid namespace, and only that


def _daemon(birth: Birth, serve: Callable[[Birth], None]) -> NoReturn:
    try:
        serve(birth)
        os._exit(0)
    except Refused as refused:
        birth.say(FAILED + str(refused))
    except BaseException as problem:  # noqa: BLE001 - the last frame of a forked process
        traceback.print_exc()
        birth.say(f"{FAILED}{type(problem).__name__}: {problem}")
    finally:
        os._exit(1)
