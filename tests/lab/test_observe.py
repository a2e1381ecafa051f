"""A segment that observes, on the lab's hosts: what no rule allows arrives and is counted, and with `full` it does not."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from configlet.lab.enter import run_in
from configlet.lab.state import state_of
from tests.cli_run import DAY, configlet
from tests.lab.push_bench import needs_namespaces
from tests.laws.test_blind import HOST, WORKLOAD
from tests.laws.test_observe import ALLOW, DENIED, watched

pytestmark = needs_namespaces
HOSTS = "".join(
    HOST.format(name=name, n=n, managed="true", platform="nftables") + WORKLOAD.format(name=f"{name}1", n=n, stack="kernel")
    for name, n in (("one", 11), ("two", 21))
)
ACCEPT = """accept:
  - {what: observed, from: floor, to: floor, reason: a week of looking, until: 2026-12-01}
  - {what: unguarded, from: floor, to: floor, reason: other addresses of the floor, until: 2026-12-01}
"""
# The ear stays open until all have come: a closed port answers with ICMP errors, which the same rule rightly counts.
EAR = """
import pathlib, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.1.30.21", int(sys.argv[1])))
s.settimeout(4)
pathlib.Path(sys.argv[2]).touch()
try:
    print({s.recv(9).decode() for _ in range(3)}.pop())
except TimeoutError:
    print("nothing")
"""
MOUTH = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(3):
    try:
        s.sendto(b"hello", ("10.1.30.21", int(sys.argv[1])))
    except PermissionError:
        pass
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("observe")
    watched(root, HOSTS, ALLOW + DENIED + ACCEPT)
    up = configlet("lab", "up", "desk", "--at", DAY, cwd=root)
    assert up.returncode == 0, up.stdout + up.stderr
    try:
        yield root
    finally:
        configlet("lab", "down", "desk", cwd=root)


def push(root: Path) -> None:
    ended = configlet("push", "desk", "--lab", "--yes", "--at", DAY, cwd=root)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def sent(root: Path, port: int) -> str:
    """What arrives of a datagram from one to two."""
    from threading import Thread

    state, heard, ready = state_of(root, "desk").path, [], root / "ready"
    hear = [sys.executable, "-c", EAR, str(port), str(ready)]
    ear = Thread(target=lambda: heard.append(run_in(state, "two", hear, timeout=20)))
    ear.start()
    while ear.is_alive() and not ready.exists():
        ear.join(0.02)
    ready.unlink()
    run_in(state, "one", [sys.executable, "-c", MOUTH, str(port)], timeout=20)
    ear.join()
    return str(heard[0].stdout).split()[-1]


def told(root: Path, status: int = 0) -> dict[tuple[str, str], int]:
    ended = configlet("would-drop", "desk", "--lab", "--json", "--at", DAY, cwd=root)
    assert ended.returncode == status, ended.stdout + ended.stderr
    said = json.loads(ended.stdout)
    return {(one["gate"], one["rule"]): one["packets"] for one in said["found"]}


def test_what_no_rule_allows_arrives_is_counted_and_stops_with_full(lab: Path) -> None:
    push(lab)
    assert (sent(lab, 9001), told(lab)) == ("hello", {})
    assert sent(lab, 4444) == "hello"
    rule = "observed: floor to floor, anything else"
    assert told(lab) == {("one/nftables", rule): 3, ("two/nftables", rule): 3}
    path = lab / "inventory" / "desk" / "site.yaml"
    text = path.read_text().replace("enforcement: observe", "enforcement: full")
    path.write_text("\n".join(line for line in text.splitlines() if "what: observed" not in line) + "\n")
    push(lab)
    assert sent(lab, 4444) == "nothing"
    assert sent(lab, 9001) == "hello"
    assert told(lab, status=8) == {}
