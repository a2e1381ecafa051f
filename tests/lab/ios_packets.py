"""Packets through a simulated IOS-XE switch while its access list is replaced. Run inside a network namespace of its own.

Standard input is JSON, ``{"way": "driver" or "naive", "entries": N, "times": N}``. A process beside this one sends 1,000
packets a second that both lists permit and 1,000 that both deny, in by ``Vlan110`` and out by ``Vlan120``, as long as
the list is being replaced. Standard output is JSON: how many of each were sent and in how many seconds, the longest time
without a packet, and how many came through.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.lab.eos_bench import PASSWORD, USER
from tests.lab.eos_packets import NFT, wire

RATE = 1000
OFTEN = 20
"""Packets of a kind after which it is heard what came through, also when sending is late: a buffer is finite."""
ALLOWED, FORBIDDEN = 53, 54
HEAD = bytes.fromhex("020000000111" + "020000000002" + "0800")
NAME = "cfglt-Vlan110-in-v4"
DELTA, SWAP = 12, 90
"""Entries that differ from one list to the next: few enough for a delta, and too many, by turns."""


def frame(port: int) -> bytes:
    """UDP from 10.1.10.2 to 10.1.20.2, the header's checksum computed and the packet's own left out."""
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 36, 0, 0, 64, 17, 0, bytes([10, 1, 10, 2]), bytes([10, 1, 20, 2]))
    total = sum(struct.unpack("!10H", ip))
    check = ~(total + (total >> 16)) & 0xFFFF
    return HEAD + ip[:10] + struct.pack("!H", check) + ip[12:] + struct.pack("!HHHH", 40000, port, 16, 0) + b"12345678"


def send(rate: int = RATE) -> None:
    """Be the traffic until a line comes on standard input; then say what was sent and what came through."""
    wires = {name: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) for name in ("far110", "far120")}
    for name, wired in wires.items():
        wired.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
        wired.bind((name, 3))
        wired.setblocking(False)
    frames = {port: frame(port) for port in (ALLOWED, FORBIDDEN)}
    sent, seen = 0, {ALLOWED: 0, FORBIDDEN: 0}
    start = last = time.monotonic()
    end = longest = 0.0
    say("ready")
    while not end or time.monotonic() < end:
        if not end and sent < (time.monotonic() - start) * rate:
            for data in frames.values():
                wires["far110"].send(data)
            sent += 1
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
            if sent % OFTEN:
                continue
        hear(wires["far120"], seen)
        if not end and select.select([sys.stdin], [], [], 0.0005)[0]:
            end = time.monotonic() + 1.0
    counts = {"sent": sent, "allowed": seen[ALLOWED], "forbidden": seen[FORBIDDEN]}
    say(json.dumps({**counts, "seconds": last - start, "longest": longest}))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def hear(wired: socket.socket, seen: dict[int, int]) -> None:
    while True:
        try:
            data, address = wired.recvfrom(2048)
        except BlockingIOError:
            return
        if address[2] != socket.PACKET_OUTGOING and data[12:14] == b"\x08\x00" and data[23] == 17:
            seen[struct.unpack("!H", data[36:38])[0]] += 1


def list_text(entries: int, version: int) -> str:
    """A list of so many entries that permits ALLOWED and denies the rest; each version differs from the one before."""
    turns = [version if n < DELTA else version // 2 if n < SWAP else 0 for n in range(entries - 2)]
    said = [f"permit tcp host 10.1.10.{n % 250 + 2} any eq {10000 + n + 1000 * turn}" for n, turn in enumerate(turns)]
    rows = [f" {10 * n} {text}\n" for n, text in enumerate((*said, "permit udp any any eq 53", "deny ip any any"), 1)]
    return f"ip access-list extended {NAME}\n{''.join(rows)}interface Vlan110\n ip access-group {NAME} in\n"


def plane(namespace: str, text: str) -> None:
    subprocess.run([NFT, "-f", "-"], input=text, text=True, check=True)


def replace_by_driver(bench: Any, entries: int, times: int) -> list[str]:
    """The way of a push: staged, under the timer, confirmed over a new connection; the recipe of each time."""
    from dataclasses import replace

    from configlet import drivers
    from tests.lab.ios_bench import change
    from tests.lab.platform_bench import canonical

    recipes = []
    for version in range(1, times + 1):
        wanted = change("leaf1", bench.switch.running_text(), list_text(entries, version))
        recipes.append("swap" if "access-group" in wanted.load else "delta")
        target = replace(bench.target, run=f"r{version}")
        driver = drivers.opener(canonical)(target)
        driver.load(wanted)
        token = driver.commit(300)
        driver.close()
        driver = drivers.opener(canonical)(target)
        driver.confirm(token)
        driver.close()
        assert bench.runs == wanted.after, "the list was not replaced"
    return recipes


def replace_naively(bench: Any, entries: int, times: int) -> list[str]:
    """What everybody's template does: `no ip access-list`, then the list."""
    from tests.lab.cli_bench import netmiko
    from tests.lab.ios_bench import reading

    connection = netmiko((bench.target.port, bench.root / "known_hosts"), "cisco_xe")
    for version in range(1, times + 1):
        text = list_text(entries, version)
        connection.send_config_set([f"no ip access-list extended {NAME}", *text.splitlines()], cmd_verify=False)
        assert bench.runs == reading(text).canonical, "the list was not replaced"
    connection.disconnect()
    return ["naive"] * times


def main() -> None:
    from tests.lab.ios_bench import ios_switch

    order = json.load(sys.stdin)
    os.environ |= {"BENCH_USERNAME": USER, "BENCH_PASSWORD": PASSWORD}
    wire()
    with tempfile.TemporaryDirectory() as place, ios_switch(Path(place), 1.0, plane) as bench:
        bench.switch.terminal(USER)
        shell = bench.switch.terminal(USER)
        for line in ("configure terminal", *list_text(order["entries"], 0).splitlines(), "end"):
            assert "%" not in shell.line(line, True), line
        shell.line("", False)
        # A login of its own must not count in what is measured; the traffic is a process, so that nothing waits for it.
        argv = [sys.executable, "-m", "tests.lab.ios_packets", "--send"]
        traffic = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert traffic.stdout is not None and traffic.stdout.readline() == "ready\n"
        way = replace_by_driver if order["way"] == "driver" else replace_naively
        try:
            recipes = way(bench, order["entries"], order["times"])
        finally:
            said, _ = traffic.communicate("stop\n")
    json.dump({**json.loads(said.splitlines()[-1]), "recipes": recipes}, sys.stdout)


if __name__ == "__main__":
    send(*map(int, sys.argv[2:])) if "--send" in sys.argv else main()
