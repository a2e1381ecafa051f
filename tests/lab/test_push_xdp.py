"""A push of XDP tables to a host over real SSH: what the kernel's maps hold, what packets meet, what comes back."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from configlet import drivers, readers
from configlet.drivers.base import Driver, Rejected
from configlet.encoders.xdp import encode
from configlet.encoders.xdp_text import text
from configlet.journal import folder, opened
from configlet.model.plan import Change, Outcome
from configlet.push import push
from configlet.readers.sections import owned
from tests.builders import platform, rows
from tests.lab.push_bench import Bench, Host, bench, host, plan_of, wait_until
from tests.xdp.kernel import impossible

__all__ = ["bench"]
pytestmark = pytest.mark.skipif(bool(impossible()), reason=f"the XDP program cannot be loaded here: {impossible()}")

XDP = platform("xdp")
HERE, THERE = "10.9.0.2", "10.9.0.1"


def tables(*said: str) -> str:
    """The text of a host's tables from rows; none is no text."""
    lists = {("towards", 4): rows(said), ("towards", 6): ()}
    return text(encode(lists, constants={"events": 1024}), ["ens1"]) if said else ""  # type: ignore[arg-type]


def canonical(_: str, kind: str, shown: str) -> str:
    return readers.read(XDP, kind, owned(XDP, kind, shown), "text").canonical


def change(before: str, after: str) -> Change:
    old, new = canonical("xdp", "filter-table", before), canonical("xdp", "filter-table", after)
    return Change("me1", "xdp", "filter-table", old, new, after, old, "diff")


def pushed(bench: Bench, what: Change, seconds: int = 2000) -> Outcome:
    with opened(folder(bench.root, "test"), "test") as log:
        (found,) = push(
            plan_of(what), bench.targets, drivers.opener(canonical), log, canonical=canonical, seconds=seconds, margin=3,
            progress=lambda *words: bench.told.append(words),
        )  # fmt: skip
    return found


@pytest.fixture
def me1(bench: Bench) -> Iterator[Host]:
    """A host with one cable to a neighbour, which is another namespace."""
    with host(bench.root, user=False) as found, neighbour(found):
        bench.add("me1", "xdp", found.port)
        yield found
        found.run(f"CONFIGLET_STATE_DIR={found.state} python3 {found.state}/xdp/xdp.py detach || true")


@contextmanager
def neighbour(found: Host) -> Iterator[None]:
    holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    far = ["nsenter", f"--target={holder.pid}", "--net"]
    found.run("ip link set lo up; ip link add ens1 type veth peer name far0")
    found.run(f"ip link set far0 netns {holder.pid}; ip addr add {HERE}/24 dev ens1; ip link set ens1 up")
    subprocess.run([*far, "sh", "-c", f"ip addr add {THERE}/24 dev far0; ip link set far0 up"], check=True)
    found.far = far  # type: ignore[attr-defined]
    try:
        yield
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


HEAR = """import select, socket, sys
ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ear.bind(('%s', int(sys.argv[1])))
print('ready', flush=True)
select.select([ear, sys.stdin], [], [])  # until something is heard, or everything was said
if select.select([ear], [], [], 1.5)[0]: print(ear.recv(9).decode())"""
SAY = """import socket, sys
for _ in range(3):
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'hello', ('%s', int(sys.argv[1])))"""


def arrives(found: Host, port: int) -> bool:
    """Whether a datagram of the neighbour reaches a socket on the host."""
    command = [*found.enter(), "python3", "-S", "-c", HEAR % HERE, str(port)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as ear:
        assert ear.stdout is not None
        ear.stdout.readline()
        subprocess.run([*found.far, "python3", "-S", "-c", SAY % HERE, str(port)], check=True)
        return ear.communicate()[0].strip() == "hello"


def shown(found: Host) -> str:
    return found.run(f"CONFIGLET_STATE_DIR={found.state} python3 {found.state}/xdp/xdp.py running")


OLD = tables(f"permit udp {THERE} {HERE} to 7000")
NEW = tables(f"permit udp {THERE} {HERE} to 7000-7001", f"permit tcp any {HERE} to 22")


def looked(bench: Bench) -> Driver:
    return drivers.opener(canonical)(replace(bench.targets["me1"], run="look"))


def test_pushes_and_their_opposites_are_kept_and_the_kernel_holds_what_was_meant(bench: Bench, me1: Host) -> None:
    reached = {"": (True, True), OLD: (True, False), NEW: (True, True)}
    for before, after in (("", OLD), (OLD, NEW), (NEW, "")):
        assert pushed(bench, change(before, after)).result == "Kept"
        assert shown(me1) == after
        assert (arrives(me1, 7000), arrives(me1, 7001)) == reached[after]
        if after:
            assert looked(bench).counters()["allow rule 1"][0] >= 1  # type: ignore[attr-defined]


def test_the_host_itself_takes_back_what_nobody_confirms(bench: Bench, me1: Host) -> None:
    driver = looked(bench)
    driver.load(change("", OLD))
    token = driver.commit(120)
    assert shown(me1) == OLD
    driver.close()
    wait_until(lambda: shown(me1) == "", 60)
    again = looked(bench)
    assert again.pending() is None
    with pytest.raises(Rejected):
        again.confirm(token)


def test_what_cannot_be_put_in_force_touches_nothing(bench: Bench, me1: Host) -> None:
    pushed(bench, change("", OLD))
    stale = pushed(bench, change("", NEW))
    elsewhere = pushed(bench, change(OLD, NEW.replace("attach ens1", "attach ens7")))
    assert (stale.result, elsewhere.result) == ("Untouched", "Untouched")
    assert "ens7" in elsewhere.reason
    assert shown(me1) == OLD
    driver = looked(bench)
    driver.load(change(OLD, NEW))
    me1.run(f"CONFIGLET_STATE_DIR={me1.state} python3 {me1.state}/xdp/xdp.py detach")
    with pytest.raises(Rejected, match="changed since"):
        driver.commit(1000)
    assert shown(me1) == ""
