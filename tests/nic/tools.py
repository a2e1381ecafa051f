"""The lab's simulated `ethtool` and `tc` with what can go wrong, for a host of a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from configlet.lab.nic.flower import FlowerNic
from configlet.lab.nic.ntuple import NtupleNic, Refusal
from configlet.lab.nic.tools import Nic, serve
from configlet.lab.nic.tools import Tools as Simulated


@dataclass
class Tools(Simulated):
    """``broken`` is said by every command that changes a NIC, once it is set."""

    folder: Path = Path()
    broken: str = ""
    after: int = 0
    """How many more lines are taken before it breaks."""
    said: list[str] = field(default_factory=list)
    seen: Callable[[], object] | None = None
    """Called after every line that changed something."""

    def change(self, name: str, nic: Nic, line: str) -> str:
        if self.broken and not self.after:
            raise Refusal(self.broken)
        self.after = max(0, self.after - 1)
        out = super().change(name, nic, line)
        self.said.append(line)
        if self.seen:
            self.seen()
        return out


@contextmanager
def tools(folder: Path, **nics: NtupleNic | FlowerNic) -> Iterator[Tools]:
    """Both programs in a folder, for as long as somebody answers them."""
    found = Tools(dict(nics), folder=folder)
    server = serve(found, folder)
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
