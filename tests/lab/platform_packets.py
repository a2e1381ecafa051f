"""Packets through a simulated switch of any platform while its access list is replaced. Run in a network namespace of its own.

Standard input is JSON, ``{"platform": NAME, "entries": N, "times": N, "rate": N, "way": "driver" or "unbind"}``. A process
beside this one sends so many packets a second that both lists permit, and as many that both deny, in by ``Vlan110`` and
out by ``Vlan120``, as long as the list is replaced by the platform's driver and in the platform's own way. ``unbind`` is
the fault of that name instead: it shows that these eyes see a leak. Standard output is JSON: how many of each were sent
and in how many seconds, the longest time without a packet, and how many came through.
"""

from __future__ import annotations

import json
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.lab.eos_bench import PASSWORD, USER
from tests.lab.eos_packets import NFT, wire
from tests.lab.ios_packets import ALLOWED, FORBIDDEN, frame, plane, say
from tests.lab.platform_bench import PlatformBench, Rows, artifact, bench_of

CHANGED = 90
"""Entries that differ from one list to the next."""


def send(rate: int) -> None:
    """Be the traffic until a line comes on standard input; then say what was sent."""
    wired = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    wired.bind(("far110", 0))
    frames = [frame(port) for port in (ALLOWED, FORBIDDEN)]
    sent = 0
    start = last = time.monotonic()
    longest = 0.0
    say("ready")
    while True:
        due = min(int((time.monotonic() - start) * rate) - sent, 64)
        for _ in range(due):
            for data in frames:
                wired.send(data)
        if due > 0:
            sent += due
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        if select.select([sys.stdin], [], [], 0.0 if due > 0 else 0.0005)[0]:
            break
    say(json.dumps({"sent": sent, "seconds": last - start, "longest": longest}))


def count() -> None:
    """Let the kernel count what comes through, before anything could lose it."""
    rules = "".join(f"udp dport {port} counter\n" for port in (ALLOWED, FORBIDDEN))
    hook = "type filter hook ingress device far120 priority 0; policy accept;"
    plane("", f"table netdev seen {{ chain far {{ {hook}\n{rules} }}\n}}\n")


def counted() -> dict[str, int]:
    """How many came through so far."""
    said = subprocess.run([NFT, "list", "table", "netdev", "seen"], capture_output=True, text=True, check=True).stdout
    found = {int(port): int(packets) for port, packets in re.findall(r"udp dport (\d+) counter packets (\d+)", said)}
    return {"allowed": found[ALLOWED], "forbidden": found[FORBIDDEN]}


def rows(entries: int, version: int) -> Rows:
    """So many rows that permit ALLOWED; some differ from one version to the next."""
    turns = [version if n < CHANGED else 0 for n in range(entries - 1)]
    said = [f"permit tcp 10.1.10.{n % 250 + 2}/32 any to {10000 + n + 1000 * turn}" for n, turn in enumerate(turns)]
    return {4: (*said, f"permit udp any any to {ALLOWED}")}


def replaced(bench: PlatformBench, entries: int, version: int, seconds: int = 600) -> None:
    """The way of a push: staged, under the device's timer, confirmed over a new connection."""
    wanted = bench.change(artifact(bench.name, rows(entries, version), "Vlan110"))
    driver = bench.connect(f"r{version}")
    driver.load(wanted)
    token = driver.commit(seconds)
    driver.close()
    driver = bench.connect(f"r{version}")
    driver.confirm(token)
    driver.close()
    assert bench.runs == wanted.after, "the list was not replaced"


def main() -> None:
    order = json.load(sys.stdin)
    os.environ |= {"BENCH_USERNAME": USER, "BENCH_PASSWORD": PASSWORD}
    wire()
    count()
    with tempfile.TemporaryDirectory() as place, bench_of(order["platform"], Path(place), 1.0, plane) as bench:
        replaced(bench, order["entries"], 0)
        # The traffic is a process of its own, so that nothing waits for it.
        argv = [sys.executable, "-m", "tests.lab.platform_packets", "--send", str(order["rate"])]
        traffic = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert traffic.stdout is not None and traffic.stdout.readline() == "ready\n"
        try:
            if order["way"] == "unbind":
                bench.switch.fault("unbind", "Vlan110 in")
                time.sleep(0.2)
            else:
                for version in range(1, order["times"] + 1):
                    replaced(bench, order["entries"], version)
        finally:
            said, _ = traffic.communicate("stop\n")
        time.sleep(0.2)
        json.dump(json.loads(said.splitlines()[-1]) | counted(), sys.stdout)


if __name__ == "__main__":
    send(int(sys.argv[2])) if "--send" in sys.argv else main()
