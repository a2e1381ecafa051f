"""Simulated `ethtool` and `tc` as programs of a host: what they are told is answered by simulated NICs in this process."""

from __future__ import annotations

import json
import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from configlet.lab.nic.flower import FlowerNic
from configlet.lab.nic.ntuple import NtupleNic, Refusal

CLIENT = """#!{python} -SE
import json, socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect({path!r})
text = sys.stdin.read() if "-batch" in sys.argv else ""
line.sendall(json.dumps([{tool!r}, sys.argv[1:], text]).encode())
line.shutdown(socket.SHUT_WR)
refused, out = json.loads(line.makefile().read())
(sys.stderr if refused else sys.stdout).write(out)
# The real ethtool leaves with 0 when the kernel refuses a rule.
sys.exit(refused and not ({tool!r} == "ethtool" and "flow-type" in sys.argv))
"""


@dataclass
class Tools:
    """The NICs of a host by name. ``broken`` is said by every command that changes one, once it is set."""

    folder: Path
    nics: dict[str, NtupleNic | FlowerNic] = field(default_factory=dict)
    broken: str = ""
    after: int = 0
    """How many more lines are taken before it breaks."""
    said: list[str] = field(default_factory=list)
    seen: Any = None
    """Called after every line that changed something."""

    def answer(self, tool: str, words: list[str], text: str) -> str:
        return self._ethtool(words) if tool == "ethtool" else self._tc(words, text)

    def _ethtool(self, words: list[str]) -> str:
        option, name, *rest = words
        nic = self.nics.get(name)
        if not isinstance(nic, NtupleNic):
            raise Refusal(f"netlink error: no device matches name {name}")
        if option == "-n":
            return nic.listing()
        return self._changed(lambda: nic.command(" ".join(rest)), words)

    def _tc(self, words: list[str], text: str) -> str:
        if words[:2] == ["qdisc", "show"]:
            return "qdisc noqueue 0: root refcnt 2\nqdisc ingress ffff: parent ffff:fff1 ----------------\n"
        shows = [word for word in words if word != "-s"]
        if shows[:3] == ["filter", "show", "dev"] and shows[4:] == ["ingress"]:
            return self._flower(shows[3]).listing(statistics="-s" in words)
        if words != ["-batch", "-"]:
            raise Refusal(f"a word that is not known: {words}")
        for line in text.splitlines():
            self._changed(lambda line=line: self._flower(line.split()[3]).command(line), line.split())
        return ""

    def _flower(self, name: str) -> FlowerNic:
        nic = self.nics.get(name)
        if not isinstance(nic, FlowerNic):
            raise Refusal(f'Cannot find device "{name}"')
        return nic

    def _changed(self, act: Any, words: list[str]) -> str:
        if self.broken and not self.after:
            raise Refusal(self.broken)
        self.after = max(0, self.after - 1)
        out = act()
        self.said.append(" ".join(words))
        if self.seen:
            self.seen()
        return out or ""


@contextmanager
def tools(folder: Path, **nics: NtupleNic | FlowerNic) -> Iterator[Tools]:
    """Both programs in a folder, for as long as somebody answers them."""
    found = Tools(folder, dict(nics))
    folder.mkdir()

    class Door(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                answer = [0, found.answer(*json.loads(self.rfile.read()))]
            except Refusal as refusal:
                answer = [1, f"{refusal}\n"]
            self.wfile.write(json.dumps(answer).encode())

    with socketserver.UnixStreamServer(str(folder / "door"), Door) as server:
        for tool in ("ethtool", "tc"):
            path = folder / tool
            path.write_text(CLIENT.format(python=sys.executable, path=str(folder / "door"), tool=tool))
            path.chmod(0o755)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield found
        server.shutdown()
