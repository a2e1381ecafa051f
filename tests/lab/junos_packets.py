"""Packets through a simulated Junos switch while its filter is replaced. Run inside a network namespace of its own.

Standard input is JSON, ``{"way": "driver" or "naive", "entries": N, "times": N, "rate": packets a second}``; the traffic
is that of ``ios_packets``, in by ``Vlan110`` and out by ``Vlan120``, and standard output says the same of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from configlet import drivers
from tests.lab.eos_bench import PASSWORD, USER
from tests.lab.eos_packets import wire
from tests.lab.ios_packets import RATE, plane
from tests.lab.junos_bench import change, junos_switch, reading, term
from tests.lab.platform_bench import canonical

NAME = "cfglt-Vlan110-in-v4"


def list_text(entries: int, version: int) -> str:
    """A filter of so many terms that permits UDP 53 and denies the rest; each version differs in every second term."""
    said = [
        term(10 * n, f"rule {n}", f"source-address {{\n10.1.10.{n % 250 + 2}/32;\n}}\nprotocol tcp;\ndestination-port {p};")
        for n in range(1, entries - 1)
        for p in [10000 + n + (1000 * version if n % 2 else 0)]
    ]
    said.append(term(10 * (entries - 1), "names", "protocol udp;\ndestination-port 53;"))
    said.append(term(10 * entries, "default deny", "", "discard"))
    inside = f"family inet {{\nfilter {NAME} {{\n{''.join(said)}}}\n}}\n"
    bound = f"irb {{\nunit 110 {{\nfamily inet {{\nfilter {{\ninput {NAME};\n}}\n}}\n}}\n}}\n"
    fragments = term(5, "fragments", "is-fragment;", "discard")
    return f"firewall {{\n{inside}}}\ninterfaces {{\n{bound}}}\n".replace(f"{NAME} {{\n", f"{NAME} {{\n{fragments}", 1)


def replaced(bench: Any, entries: int, times: int) -> None:
    """The way of a push: staged, under the timer, confirmed over a new connection."""
    for version in range(1, times + 1):
        wanted = change("leaf1", bench.switch.running_text(), list_text(entries, version))
        target = replace(bench.target, run=f"r{version}")
        driver = drivers.opener(canonical)(target)
        driver.load(wanted)
        token = driver.commit(300)
        driver.close()
        driver = drivers.opener(canonical)(target)
        driver.confirm(token)
        driver.close()
        assert bench.runs == wanted.after, "the filter was not replaced"


def naively(bench: Any, entries: int, times: int) -> None:
    """What a hand does that takes the old away first: two commits, and nothing is bound between them."""
    for version in range(1, times + 1):
        wanted = list_text(entries, version)
        for text in (change("leaf1", bench.switch.running_text(), "").load, wanted):
            bench.start(text)
        assert bench.runs == reading(wanted).canonical, "the filter was not replaced"


def main() -> None:
    order = json.load(sys.stdin)
    os.environ |= {"BENCH_USERNAME": USER, "BENCH_PASSWORD": PASSWORD}
    wire()
    with tempfile.TemporaryDirectory() as place, junos_switch(Path(place), 1.0, plane) as bench:
        bench.start(list_text(order["entries"], 0))
        argv = [sys.executable, "-m", "tests.lab.ios_packets", "--send", str(order.get("rate", RATE))]
        traffic = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert traffic.stdout is not None and traffic.stdout.readline() == "ready\n"
        try:
            way = replaced if order["way"] == "driver" else naively
            way(bench, order["entries"], order["times"])
        finally:
            said, _ = traffic.communicate("stop\n")
    json.dump(json.loads(said.splitlines()[-1]), sys.stdout)


if __name__ == "__main__":
    main()
