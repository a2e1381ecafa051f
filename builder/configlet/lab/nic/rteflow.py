"""A simulated DPDK port behind a testpmd-style console: `flow create` in, rules kept by number.

testpmd's own `flow list` shows items without values, so what a rule matches can be read back from the application alone;
the console's `flow shown`, which no testpmd has, stands for that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from configlet.lab.nic.ntuple import Refusal

_ITEM = r"(?: (?:src|dst|proto) (?:is|spec|mask|prefix) \S+)*"
_LINE = re.compile(
    rf"flow create (\S+) priority (\d+) ingress pattern eth / ipv[46]{_ITEM}(?: / (?:tcp|udp){_ITEM})? / end "
    r"actions (queue index \d+|drop) / end"
)


@dataclass(slots=True)
class Console:
    """One port. ``room`` is what its driver takes."""

    room: int = 100_000
    rules: dict[int, str] = field(default_factory=dict)
    _next: int = 0

    def ask(self, line: str) -> str:
        """What the console prints. Raises Refusal for what testpmd would not take."""
        if found := re.fullmatch(r"flow destroy (\S+) rule (\d+)", line):
            if self.rules.pop(int(found[2]), None) is None:
                raise Refusal(f"Flow rule #{found[2]} not found")
            return f"Flow rule #{found[2]} destroyed"
        if re.fullmatch(r"flow flush \S+", line):
            self.rules.clear()
            return ""
        if re.fullmatch(r"flow shown \S+", line):
            return "".join(f"{rule}\n" for rule in self.rules.values())
        if not _LINE.fullmatch(line):
            raise Refusal("Bad arguments")
        if len(self.rules) >= self.room:
            raise Refusal("port_flow_complain(): Caught PMD error type 1 (cause unspecified): No space left on device")
        number, self._next = self._next, self._next + 1
        self.rules[number] = line
        return f"Flow rule #{number} created"
