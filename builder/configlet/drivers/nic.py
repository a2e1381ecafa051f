"""The filter tables in a host's NICs, through the kernel's own tools; what runs there is ``hostside/nic.py``.

Whether a rule of tc stands in hardware (``in_hw``) is read back on the host before a change counts as made, and again by
whoever verifies it.
"""

from __future__ import annotations

from configlet.drivers.carried import CarriedDriver
from configlet.model.plan import Change


class NicDriver(CarriedDriver):
    """The NICs of one host that hold tables of one platform: ``ntuple``, ``tcflower``. The login must be root."""

    parts = ("nic.py", "changes.py", "nic_tools.py", "console.py")
    what = "tables of the NICs"
    patience = 300.0
    """Seconds: ethtool takes one rule with each call, and a NIC holds thousands."""

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
