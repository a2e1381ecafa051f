"""Two namespaces and a router between them, made by hand; shots are read from standard input, fates are written.

Run as ``unshare -Urn python -m tests.lab.traffic_bench``: ``{"rules": {namespace: nft text}, "shots": [...]}``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack

from configlet.lab.traffic_run import run
from configlet.lab.traffic_values import from_json

MACS = {("a", "eth0"): "02:00:00:00:00:0a", ("b", "eth0"): "02:00:00:00:00:0b"}
ROUTER = {"to-a": "02:00:00:00:01:0a", "to-b": "02:00:00:00:01:0b"}
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def call(pid: int, *argv: str, text: str | None = None) -> None:
    command = ["nsenter", f"--net=/proc/{pid}/ns/net", "--", *argv]
    subprocess.run(command, input=text, text=True, check=True, env={**os.environ, "PATH": PATH})


def namespace(stack: ExitStack) -> int:
    """A namespace kept by a sleeping child; its pid."""
    child = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo up; exec sleep 60"], stdout=subprocess.PIPE)
    stack.callback(child.wait)
    stack.callback(child.kill)
    assert child.stdout and child.stdout.readline()
    stack.callback(child.stdout.close)
    return child.pid


def lay(pids: dict[str, int]) -> None:
    """10.9.1.2 (a) and 10.9.2.2 (b) and their v6 twins, with .1 on the router."""
    for pid in pids.values():
        call(pid, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.all.accept_dad=0")
    call(pids["r"], "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    for number, name in ((1, "a"), (2, "b")):
        router, port = pids["r"], f"to-{name}"
        call(router, "ip", "link", "add", port, "address", ROUTER[port], "type", "veth", "peer", "name", "eth0",
             "address", MACS[name, "eth0"], "netns", str(pids[name]))  # fmt: skip
        for pid, interface, last in ((router, port, 1), (pids[name], "eth0", 2)):
            call(pid, "ip", "link", "set", "lo", "up")
            call(pid, "ip", "addr", "add", f"10.9.{number}.{last}/24", "dev", interface)
            call(pid, "ip", "addr", "add", f"2001:db8:9:{number}::{last}/64", "dev", interface, "nodad")
            call(pid, "ip", "link", "set", interface, "up")
        call(pids[name], "ip", "route", "add", "default", "via", f"10.9.{number}.1")
        call(pids[name], "ip", "-6", "route", "add", "default", "via", f"2001:db8:9:{number}::1")


def main() -> None:
    order = json.load(sys.stdin)
    with ExitStack() as stack:
        pids = {name: namespace(stack) for name in ("a", "r", "b")}
        lay(pids)
        for name, text in order["rules"].items():
            call(pids[name], "nft", "-f", "-", text=text)
        descriptors = {name: os.open(f"/proc/{pid}/ns/net", os.O_RDONLY) for name, pid in pids.items()}
        heard = run(descriptors, [from_json(value) for value in order["shots"]], 0.4, 0.6)
    json.dump([[h.number, h.ears, h.answered, h.stopped] for h in heard], sys.stdout)


if __name__ == "__main__":
    main()
