"""A simulated Onload firewall: lines written to firewall_add, and firewall_rules read back.

As the driver does, a write reports success whatever happens: what it does not understand goes to the kernel's log and is
not there when the rules are read back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_ADDRESS, _PORT = r"(?:\d{1,3}\.){3}\d{1,3}(?:/\d+)?", r"\d+(?:[-:]\d+)?"
_LINE = re.compile(
    rf"if=(\S+) protocol=(?:tcp|udp|ip|6|17)(?=.*_(?:ip|port)=)(?: local_ip={_ADDRESS})?(?: remote_ip={_ADDRESS})?"
    rf"(?: local_port={_PORT})?(?: remote_port={_PORT})? action=(?:ACCELERATE|DECELERATE)"
)
LONGEST = 1024


class OnloadFirewall:
    """The tables of one network namespace."""

    def __init__(self, interfaces: Sequence[str]) -> None:
        self._rules: dict[str, list[str]] = {name: [] for name in interfaces}
        self.log: list[str] = []

    def write(self, text: str) -> None:
        """One write to ``firewall_add``. It never fails; parsing stops at the first bad rule."""
        whole, _, cut = text[:LONGEST].rpartition("\n")
        if cut or len(text) > LONGEST:
            self.log.append("onload firewall: a rule was cut in two")
        for line in whole.splitlines():
            found = _LINE.fullmatch(line)
            if not found:
                self.log.append(f"onload firewall: cannot parse: {line}")
                return
            self._rules.setdefault(found[1], []).append(line)

    def delete(self, words: str) -> None:
        """One write to ``firewall_del``: ``ens1 all``, or ``ens1 2``."""
        name, which = words.split()
        if which == "all":
            self._rules[name] = []
        else:
            del self._rules[name][int(which)]

    def rules(self, interface: str) -> str:
        """``/proc/driver/sfc_resource/IF/firewall_rules``: the same grammar back."""
        return "".join(f"{rule}\n" for rule in self._rules.get(interface, ()))
