"""How long one ntuple rule takes: the real `ethtool` over a pretended NIC, called as `hostside/nic.py` calls it.

    python benchmarks/bench_ntuple.py [RULES]

A NIC's own firmware is not in it. The simulated `ethtool` of the lab is a Python program and takes some five times as long.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from configlet.hostside import nic
from tests.nic import pretended

RULE = "ethtool -N ens1 flow-type tcp4 src-ip 10.0.{}.{} dst-ip 192.0.2.11 dst-port 22 action 0\n"
HEAD = "# configlet ntuple 1\n"


def seconds(act: Callable[[], None]) -> tuple[float, float]:
    """By the clock, and of the processors for what was called."""
    wall, before = time.perf_counter(), os.times()
    act()
    after = os.times()
    return time.perf_counter() - wall, sum(after[2:4]) - sum(before[2:4])


def main(rules: int) -> None:
    """A table into a NIC and out of it, for a driver that gives places itself and for one that does not."""
    text = HEAD + "".join(RULE.format(n // 256, n % 256) for n in range(rules))
    for profile in ("sfc", "mlx5"):
        with tempfile.TemporaryDirectory() as folder:
            tool = pretended.tool(Path(folder) / "tools", Path(folder) / "nics")
            pretended.card(Path(folder) / "nics", "ens1", profile, room=rules)
            os.environ |= {"CONFIGLET_STATE_DIR": folder, "PATH": f"{tool.parent}:/usr/sbin:/usr/bin:/bin"}
            here = nic.Host("ntuple")
            here.folder.mkdir()
            for words, new, old in (("loaded", text, ""), ("taken away", HEAD, text)):
                wall, cpu = seconds(partial(here.replace, new, old))
                print(f"{profile:<5} {rules} rules {words:<10} {1e3 * wall / rules:.2f} ms each, {1e3 * cpu / rules:.2f} of CPU")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
