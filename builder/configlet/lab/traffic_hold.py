"""A connection that is held open while something else happens, to see whether data still passes afterwards."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from configlet.lab.enter import enter, open_namespaces
from configlet.lab.traffic_nets import Nets
from configlet.model.net import IPAddress
from configlet.model.problem import refuse

_INSIDE = "--inside"
_SECONDS = 2.0
"""How long a line may take from one end to the other; the first retransmissions of TCP fall into it."""


@dataclass(frozen=True, slots=True)
class Held:
    """A TCP connection between two kernels of the lab, kept by a process of its own."""

    process: subprocess.Popen[str]

    def alive(self) -> bool:
        """Send a line from the opener's end now; whether it reached the other end and its answer came back."""
        return _ask(self.process, "pass\n") == "alive"


@contextmanager
def hold(state: Path, source: tuple[str, IPAddress], target: tuple[str, IPAddress], port: int) -> Iterator[Held]:
    """Open a connection from (namespace, address) to (namespace, address) and keep it until the block ends.

    Raises Refused when no lab is up or the connection cannot be made.
    """
    words = [source[0], str(source[1]), target[0], str(target[1]), str(port)]
    argv = [sys.executable, "-m", "configlet.lab.traffic_hold", str(state), *words]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        said = _ask(process, "")
        if said != "open":
            raise refuse(
                "connection refused", f"No connection from {source[1]} to {target[1]} port {port}: {said or 'no word'}"
            )
        yield Held(process)
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
        process.terminate()
        process.wait()


def _ask(process: subprocess.Popen[str], word: str) -> str:
    if process.stdin is None or process.stdout is None:
        raise ValueError("a held connection talks through pipes")
    process.stdin.write(word)
    process.stdin.flush()
    line = process.stdout.readline()
    return str(json.loads(line)) if line else ""


def _say(word: str) -> None:
    sys.stdout.write(json.dumps(word) + "\n")
    sys.stdout.flush()


def main(argv: list[str]) -> int:
    """Go into the lab, open the connection there, and pass a line for every line read."""
    state = Path(argv[0])
    if argv[-1] != _INSIDE:
        enter(state, "controller", [sys.executable, "-m", "configlet.lab.traffic_hold", *argv, _INSIDE])
    descriptors = open_namespaces(state)
    try:
        with Nets(descriptors) as nets:
            return _keep(nets, (argv[1], argv[2]), (argv[3], argv[4]), int(argv[5]))
    finally:
        for descriptor in descriptors.values():
            os.close(descriptor)


def _keep(nets: Nets, source: tuple[str, str], target: tuple[str, str], port: int) -> int:
    (near_namespace, near), (far_namespace, far) = source, target
    kind = socket.AF_INET6 if ":" in far else socket.AF_INET
    nets.go(far_namespace)
    with socket.create_server((far, port), family=kind) as listener:
        listener.settimeout(_SECONDS)
        nets.go(near_namespace)
        try:
            client = socket.create_connection((far, port), _SECONDS, (near, 0))
            server, _ = listener.accept()
        except OSError as problem:
            _say(str(problem))
            return 1
        with client, server:
            server.settimeout(_SECONDS)
            _say("open")
            for number, _ in enumerate(sys.stdin):
                _say("alive" if _passes(client, server, b"line %d\n" % number) else "dead")
    return 0


def _passes(client: socket.socket, server: socket.socket, line: bytes) -> bool:
    """Whether a line goes there and comes back. Late lines of earlier tries are read over."""
    try:
        client.sendall(line)
        if not _reads(server, line):
            return False
        server.sendall(line)
        return _reads(client, line)
    except OSError:
        return False


def _reads(end: socket.socket, line: bytes) -> bool:
    found = b""
    while not found.endswith(line):
        part = end.recv(4096)
        if not part:
            return False
        found += part
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
