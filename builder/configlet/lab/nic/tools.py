"""Simulated `ethtool` and `tc` as programs of a host: what they are told is answered by simulated NICs in this process.

For a NIC that is none of these the programs are the machine's own.
"""

from __future__ import annotations

import json
import os
import socket
import socketserver
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from configlet.lab.nic.flower import FlowerNic
from configlet.lab.nic.ntuple import NtupleNic, Refusal

Nic = NtupleNic | FlowerNic
N = TypeVar("N", NtupleNic, FlowerNic)
_CLIENT = """#!{python} -SE
# Simulated: {tool} of a simulated NIC; of any other, the machine's own.
import json, os, socket, sys
line = socket.socket(socket.AF_UNIX)
here = os.path.dirname(os.path.realpath(__file__))
folder = os.open(here, os.O_PATH)
line.connect("/proc/self/fd/%d/door" % folder)
text = sys.stdin.read() if "-batch" in sys.argv else ""
line.sendall(json.dumps([{tool!r}, sys.argv[1:], text]).encode())
line.shutdown(socket.SHUT_WR)
answer = json.loads(line.makefile().read())
if answer is None:
    paths = [os.path.join(p, {tool!r}) for p in os.environ.get("PATH", "").split(":") if os.path.realpath(p) != here]
    own = next((p for p in paths if os.access(p, os.X_OK)), None)
    if own is None or text:
        sys.exit("{tool}: no simulated NIC of this name, and no {tool} of the machine's own")
    os.execv(own, sys.argv)
refused, out = answer
(sys.stderr if refused else sys.stdout).write(out)
# The real ethtool leaves with 0 when the kernel refuses a rule.
sys.exit(refused and not ({tool!r} == "ethtool" and "flow-type" in sys.argv))
"""
_QDISCS = "qdisc noqueue 0: root refcnt 2\nqdisc ingress ffff: parent ffff:fff1 ----------------\n"


class Unknown(Exception):  # noqa: N818 - not a failure: the machine's own tool is asked
    """No NIC of ours."""


@dataclass
class Tools:
    """The NICs of a host by name; None is one that nobody has told anything, so that it is still of any make."""

    nics: dict[str, Nic | None] = field(default_factory=dict)
    changed: Callable[[str, Nic], None] | None = None
    """Called with a NIC after each line that changed it, or was to."""
    looked: Callable[[str], None] | None = None
    """Called with the name of a NIC before what it holds is listed."""
    idle: Callable[[], None] | None = None
    """Called between two lines, in the same thread."""

    def answer(self, tool: str, words: list[str], text: str) -> str:
        """What a tool prints. Raises Refusal for what it complains of, Unknown for a NIC that is none of ours."""
        return self._ethtool(words) if tool == "ethtool" else self._tc(words, text)

    def change(self, name: str, nic: Nic, line: str) -> str:
        """Tell a NIC one line."""
        try:
            return nic.command(line) or ""
        finally:
            if self.changed:
                self.changed(name, nic)

    def _look(self, name: str) -> None:
        if self.looked:
            self.looked(name)

    def _ethtool(self, words: list[str]) -> str:
        if len(words) < 2 or words[1] not in self.nics:
            raise Unknown
        option, name, *rest = words
        nic = self._of(name, NtupleNic)
        if nic is None:
            raise Refusal("rxclass: Cannot get RX class rule count: Operation not supported")
        if option in ("-n", "-u") and not rest:
            self._look(name)
            return nic.listing()
        if option != "-N":
            raise Refusal("ethtool: bad command line argument(s)")
        return self.change(name, nic, " ".join(rest))

    def _tc(self, words: list[str], text: str) -> str:
        if words[:3] == ["qdisc", "show", "dev"] and words[3] in self.nics:
            return _QDISCS
        shows = [word for word in words if word != "-s"]
        if shows[:3] == ["filter", "show", "dev"] and shows[4:] == ["ingress"]:
            flower = self._flower(shows[3])
            self._look(shows[3])
            return flower.listing(statistics="-s" in words)
        if words != ["-batch", "-"]:
            raise Unknown
        for line in text.splitlines():
            name = (*line.split(), "", "", "", "")[3]
            self.change(name, self._flower(name), line)
        return ""

    def _flower(self, name: str) -> FlowerNic:
        if name not in self.nics:
            raise Unknown
        nic = self._of(name, FlowerNic)
        if nic is None:
            raise Refusal("Error: Operation not supported.")
        return nic

    def _of(self, name: str, make: type[N]) -> N | None:
        """The NIC as one of this make, which it becomes when nobody has told it anything; None when it is of another."""
        if self.nics[name] is None:
            self.nics[name] = make()
        nic = self.nics[name]
        return nic if isinstance(nic, make) else None


def serve(tools: Tools, folder: Path) -> socketserver.BaseServer:
    """Both programs in a folder, answered by a thread until the server is shut down."""
    folder.mkdir(mode=0o700)

    class Door(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            answer: object
            try:
                answer = [0, tools.answer(*json.loads(self.rfile.read()))]
            except Refusal as refusal:
                answer = [1, f"{refusal}\n"]
            except Unknown:
                answer = None
            self.wfile.write(json.dumps(answer).encode())

    at = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    class Server(socketserver.UnixStreamServer):
        def service_actions(self) -> None:
            if tools.idle:
                tools.idle()

    server = Server("", Door, bind_and_activate=False)
    server.socket = socket.socket(socket.AF_UNIX)
    server.socket.bind(f"/proc/self/fd/{at}/door")  # a socket's path is short; a workspace's need not be
    os.close(at)
    server.server_activate()
    for tool in ("ethtool", "tc"):
        path = folder / tool
        path.write_text(_CLIENT.format(python=sys.executable, tool=tool))
        path.chmod(0o755)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server
