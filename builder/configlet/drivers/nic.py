"""The filter tables in a host's NICs, through the kernel's own tools; what runs there is ``hostside/nic.py``.

Whether a rule of tc stands in hardware (``in_hw``) is read back on the host before a change counts as made, and again by
whoever verifies it.
"""

from __future__ import annotations

from configlet.drivers.carried import CarriedDriver
from configlet.model.plan import Change

EACH = {"ethtool": 0.1, "filter": 0.02, "flow": 0.05}
"""Seconds for one line at the most, by its first word. The real ethtool needs a tenth of that for a rule
(`benchmarks/bench_ntuple.py`); of tc's and a console's nobody has measured a NIC."""


class NicDriver(CarriedDriver):
    """The NICs of one host that hold tables of one platform: ``ntuple``, ``tcflower``. The login must be root."""

    parts = ("nic.py", "changes.py", "nic_tools.py", "console.py")
    what = "tables of the NICs"
    patience = 120.0
    """Seconds beside those that the change itself takes. The host gives up a tool that hangs sooner."""

    @staticmethod
    def takes(change: Change) -> float:
        """ethtool is called for each rule that comes or goes; tc and a console may get all of them again."""
        old, new = (set(text.splitlines()[1:]) for text in (change.undo, change.load))
        lines = [*(old ^ new), *(line for line in old & new if not line.startswith("ethtool "))]
        return sum(EACH.get(line.partition(" ")[0], 0.0) for line in lines)

    def _texts(self, change: Change) -> dict[str, str]:
        return {"load": change.load, "undo": change.undo}

    def _words(self) -> list[str]:
        return [self._name()]


class RteflowDriver(NicDriver):
    """The ports of a DPDK application on one host, through its console (``hostside/console.py``)."""

    what = "rules of the application"
    knows = (
        "The console of a DPDK application lists no values. What is read back is configlet's own record of what it typed, "
        "as long as that same process lists rules of these numbers, priorities, items and actions: no proof of what the "
        "NIC holds, and none that the application does not change its rules behind its console"
    )
