"""A push to ServerLock NICs through the whole of it: plan, SSH to the manager, both phases, probes' place, confirmation."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from configlet import drivers
from configlet.drivers.base import Target, Unreachable
from configlet.journal import folder, opened
from configlet.lab.nic.door import serve
from configlet.lab.nic.manager import Manager
from configlet.lab.nic.serverlock import ServerLockNic
from configlet.model.plan import Change, Outcome
from configlet.push import push
from tests.builders import rows
from tests.lab.eos_bench import PASSWORD, USER
from tests.lab.push_bench import plan_of
from tests.nic import laws
from tests.nic.bench import change
from tests.nic.ground import LOCALS, SERVERLOCK, Local, tables
from tests.nic.shown import NOTHING


def text(*said: str) -> str:
    mine = (LOCALS[4], LOCALS[4])
    return laws.text_of(tables(SERVERLOCK, [Local(4, (mine,), rows(said)), NOTHING], "ens1 ens2"))


BEFORE = text("permit tcp 10.0.0.1 192.0.2.11 to 22")
AFTER = text("permit tcp 10.0.0.2 192.0.2.11 to 22", "permit udp any 192.0.2.11 to 53")


@contextmanager
def door(manager: Manager, root: Path) -> Iterator[Target]:
    import asyncssh

    key = asyncssh.generate_private_key("ssh-ed25519")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(serve({"me1": manager}, key, USER, PASSWORD), loop).result(10)
    public = key.export_public_key().decode().split()
    (root / "known_hosts").write_text(f"[127.0.0.1]:{server.get_port()} {public[0]} {public[1]}\n")
    try:
        yield Target("me1", "serverlock", "127.0.0.1", server.get_port(), "env/BENCH", root)
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.05), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_USERNAME", USER)
    monkeypatch.setenv("BENCH_PASSWORD", PASSWORD)


def pushed(root: Path, target: Target, what: Change) -> Outcome:
    with opened(folder(root, "test"), "test") as log:
        make = drivers.opener(laws.canonical)
        (found,) = push(plan_of(what), {"me1": target}, make, log, canonical=laws.canonical, seconds=600, margin=1)
        return found


def states(manager: Manager) -> set[str]:
    return {laws.state(nic, BEFORE, AFTER) for nic in manager.nics.values()}


@pytest.mark.usefixtures("login")
def test_a_push_over_ssh_changes_both_members_and_keeps_the_change(tmp_path: Path) -> None:
    manager = Manager(laws.loaded(BEFORE, ("ens1", "ens2")))
    with door(manager, tmp_path) as target:
        assert pushed(tmp_path, target, change(BEFORE, AFTER)).result == "Kept"
        assert states(manager) == {"new"}
        assert manager.pending is None
        assert pushed(tmp_path, target, change(BEFORE, AFTER)).result == "Untouched"


@pytest.mark.usefixtures("login")
def test_a_power_loss_while_rules_are_sent_leaves_both_with_the_old_ones(tmp_path: Path) -> None:
    manager = Manager(laws.loaded(BEFORE, ("ens1", "ens2")), faults={"ens2": (6, False)})
    with door(manager, tmp_path) as target:
        outcome = pushed(tmp_path, target, change(BEFORE, AFTER))
        assert outcome.result == "Reverted", outcome
        assert states(manager) == {"old"}


@pytest.mark.usefixtures("login")
def test_what_was_cut_off_is_recovered(tmp_path: Path) -> None:
    manager = Manager(laws.loaded(BEFORE, ("ens1", "ens2")))
    with door(manager, tmp_path) as target:
        make = drivers.opener(laws.canonical)
        driver = make(Target("me1", "serverlock", target.address, target.port, "env/BENCH", tmp_path, run="cut"))
        driver.load(change(BEFORE, AFTER))
        token = driver.commit(600)
        assert states(manager) == {"new"}
        driver.close()
        again = make(Target("me1", "serverlock", target.address, target.port, "env/BENCH", tmp_path, run="cut"))
        again.revert(token)
        assert states(manager) == {"old"}
        assert again.pending() is None


@pytest.mark.usefixtures("login")
def test_a_stranger_is_not_let_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_PASSWORD", "wrong")
    with door(Manager({"ens1": ServerLockNic()}), tmp_path) as target, pytest.raises(Unreachable):
        drivers.opener(laws.canonical)(target)


