"""Processes that begin where the imports of a command end: each is a fork of one that has made them and nothing else.

What a command imports takes half a second, with the libraries of the drivers two, and a suite runs hundreds. This file
is run as a program of its own, without other threads; it has never run a command, so that every fork is as new.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import selectors
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

BUILDER = Path(__file__).resolve().parents[1] / "builder"
FOR_ALL = ("configlet.cli.app", "jinja2", "yaml", "json", "subprocess", "threading", "concurrent.futures")
FOR_LABS = ("napalm.eos", "napalm.ios", "napalm.junos", "napalm.nxos_ssh", "netmiko", "pyeapi.eapilib", "asyncssh")


class Source:
    """Where the forks come from; begun when the first is asked for, once for each process that asks."""

    def __init__(self) -> None:
        self.lock, self.owner = threading.Lock(), 0

    def run(self, arguments: Sequence[str], cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """One command in a process of its own, to its end."""
        with self.lock:
            if self.owner != os.getpid():
                self._begin()
            (out, told), (err, complained) = os.pipe(), os.pipe()
            said = json.dumps({"arguments": arguments, "cwd": str(cwd), "env": dict(env)}).encode()
            socket.send_fds(self.link, [len(said).to_bytes(4, "big") + said], [told, complained])
            os.close(told)
            os.close(complained)
            words = _read_both(out, err)
            status = int(self.answers.readline())
        return subprocess.CompletedProcess(list(arguments), status, *words)

    def _begin(self) -> None:
        self.link, theirs = socket.socketpair()
        self.answers = self.link.makefile("r")
        command = [sys.executable, "-P", __file__, str(theirs.fileno())]
        quiet = subprocess.DEVNULL
        env = {**os.environ, "PYTHONPATH": str(BUILDER)}
        self.process = subprocess.Popen(command, stdin=quiet, stdout=quiet, env=env, pass_fds=[theirs.fileno()])
        theirs.close()
        self.owner = os.getpid()
        atexit.register(self._end)

    def _end(self) -> None:
        with contextlib.suppress(OSError):
            self.link.shutdown(socket.SHUT_RDWR)
        self.process.wait()


def _read_both(*ends: int) -> list[str]:
    """What is written to pipes, until nobody holds their other ends."""
    found: dict[int, bytearray] = {end: bytearray() for end in ends}
    with selectors.DefaultSelector() as waiting:
        for end in ends:
            waiting.register(end, selectors.EVENT_READ)
        while waiting.get_map():
            for key, _ in waiting.select():
                if part := os.read(key.fd, 1 << 16):
                    found[key.fd] += part
                else:
                    waiting.unregister(key.fd)
                    os.close(key.fd)
    return [found[end].decode().replace("\r\n", "\n") for end in ends]


def _serve(link: socket.socket) -> None:
    for name in FOR_ALL:
        __import__(name)
    while True:
        head, ends, *_ = socket.recv_fds(link, 4, 2)
        if not head:
            return
        length, said = int.from_bytes(head, "big"), b""
        while len(said) < length:
            said += link.recv(length - len(said))
        order = json.loads(said)
        if "--lab" in order["arguments"]:
            for name in FOR_LABS:
                __import__(name)
        status, instead = _forked(order, ends, link)
        if instead:
            status, _ = _forked({**order, **json.loads(instead)}, ends, link)
        for end in ends:
            os.close(end)
        link.sendall(f"{status}\n".encode())


def _forked(order: Mapping[str, Any], ends: Sequence[int], link: socket.socket) -> tuple[int, bytes]:
    """The exit status of a command, and the order that shall be carried out in its place."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        link.close()
        os.close(read)
        _become(order, ends, write)
    os.close(write)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    said = b""
    os.set_blocking(read, False)  # a process that the command left behind may hold the other end
    with contextlib.suppress(BlockingIOError):
        said = os.read(read, 1 << 16)
    os.close(read)
    return status, said


def _become(order: Mapping[str, Any], ends: Sequence[int], instead: int) -> None:
    """Be the command, and end."""
    from configlet.__main__ import entry
    from configlet.lab.enter import CLONE_NEWNET, setns

    if net := order.get("net"):
        held = os.open(net, os.O_RDONLY)
        setns(held, CLONE_NEWNET)
        os.close(held)
    for number, end in enumerate(ends, 1):
        os.dup2(end, number)
        os.close(end)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    sys.argv = ["configlet", *order["arguments"]]
    os.execvpe = _unless_it_enters_a_lab(instead, os.execvpe)
    entry()


def _unless_it_enters_a_lab(instead: int, execute: Callable[..., NoReturn]) -> Callable[..., NoReturn]:
    """A command that would start itself again in a lab's namespace is forked there; anything else is executed."""

    def go(file: str, words: Sequence[str], env: Mapping[str, str]) -> NoReturn:
        net, rest = words[1].removeprefix("--net="), list(words[2:7])
        if rest != ["--", sys.executable, "-P", "-m", "configlet"]:
            execute(file, words, env)
        os.write(instead, json.dumps({"net": net, "arguments": words[7:], "env": dict(env)}).encode())
        os._exit(0)

    return go


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
