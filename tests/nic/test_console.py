"""The port of a DPDK application through its console: the simulated one, and the real testpmd where it can."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from configlet import drivers
from configlet.hostside import console
from configlet.hostside import nic as hostside
from configlet.hostside.changes import REFUSED, TAKEN_BACK, Stop
from configlet.journal import folder, opened
from configlet.lab.nic.rteflow import Console
from configlet.push import recover
from tests.cli_run import ROOT
from tests.lab.push_bench import Bench, bench, host, needs_namespaces, wait_until
from tests.nic import testpmd
from tests.nic.test_hosts import HERE, canonical, change, looked, meaning, pushed, syn, text
from tests.nic.testpmd import App, application

__all__ = ["bench"]
NAME = "rteflow"


def permits(first: int, count: int = 3) -> str:
    return text(NAME, *(f"permit tcp 10.0.0.{first + n} {HERE} to 22" for n in range(count)))


FIRST, SECOND = permits(1), permits(3)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.setenv("CONFIGLET_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(console, "PATIENCE", 0.5)
    with application(tmp_path, tmp_path / "state") as found:
        yield found


def here() -> hostside.Host:
    return hostside.Host(NAME)


def wider(app: App) -> list[str]:
    """The commands after which a packet passed that neither table lets in, once the first table was there."""
    out, closed = [], False
    for line, moment in zip(app.typed(), app.moments(), strict=True):
        closed = closed or len(moment.rules) >= 5
        if closed and moment.passes(syn(9)):
            out.append(line)
    return out


def test_a_table_is_exchanged_rule_by_rule_and_what_is_denied_never_passes(app: App) -> None:
    host = here()
    assert host.running() == ""
    host.replace(FIRST, "")
    assert meaning(NAME, host.running()) == meaning(NAME, FIRST)
    host.replace(SECOND, FIRST)
    assert meaning(NAME, here().running()) == meaning(NAME, SECOND)
    assert not wider(app)
    *_, last = app.moments()
    assert [last.passes(syn(n)) for n in (1, 3, 5, 9)] == [False, True, True, False]
    made = [line for line in app.typed() if line.startswith("flow create")]
    assert all(line.endswith("actions drop / end") for line in made[:2])  # closed before anything is opened
    before = len(list(app.moments()))
    host.replace("", SECOND)
    assert host.running() == ""
    assert all(moment.passes(syn(3)) for moment in list(app.moments())[before:])  # what passes before and after always does
    assert not any("flush" in line for line in app.typed())


def test_rules_of_somebody_else_are_never_touched_and_those_of_another_process_never_believed(app: App) -> None:
    stranger = "flow create 0 priority 0 ingress pattern eth / ipv4 / tcp dst is 80 / end actions queue index 1 / end"
    app.ask(stranger)
    for act in (lambda: here().tool.shown("ens1"), lambda: here().replace(FIRST, "")):
        with pytest.raises(Stop, match="not configlet's") as stop:
            act()
        assert stop.value.status == REFUSED
    assert sum(line.startswith("flow create") for line in app.typed()) == 1
    app.stop()
    app.start()
    here().replace(FIRST, "")
    shapes = app.ask("flow list 0")
    app.stop()
    app.start()
    assert here().running() == ""  # its rules went with the process
    for line in sorted(FIRST.splitlines()[1:], key=lambda x: not x.endswith("drop / end")):
        app.ask(re.sub("ens1", "0", line).replace("10.0.0.", "10.9.9."))
    assert app.ask("flow list 0") == shapes
    with pytest.raises(Stop, match="started anew since"):
        here().running()


def test_an_application_that_begins_anew_is_given_its_table_or_closed(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    here().replace(FIRST, "")
    hostside.do_save(here())
    for refused in (2, 99):
        app.stop()
        app.start()
        app.faults(refuse=refused)
        if refused == 2:  # what closes is made, and then no more
            with pytest.raises(Stop, match="Operation not supported"):
                hostside.do_boot(here())
        else:
            hostside.do_boot(here())
        *_, last = app.moments()
        assert [last.passes(syn(n)) for n in (1, 9)] == [refused == 99, False]
    with pytest.raises(Stop, match=r"ExecStartPost=.* rteflow boot"):
        hostside.do_unit(here())


@pytest.mark.parametrize(("fault", "afters"), [("refuse", (0, 1, 2)), ("mute", (0, 1, 3)), ("hang", (1,)), ("die", (0, 3))])
def test_whatever_fails_in_the_middle_leaves_the_old_table_or_ends_with_it(
    app: App, fault: str, afters: tuple[int, ...]
) -> None:
    for after in afters:
        if after:
            app.stop()
            app.start()
        (app.state / NAME / "held").unlink(missing_ok=True)
        here().replace(FIRST, "")
        app.faults(**{fault: after})
        host = here()
        with pytest.raises(Stop) as stop:
            host.replace(SECOND, FIRST)
        if after == 0 and fault == "refuse":
            assert stop.value.status == TAKEN_BACK
        assert not wider(app)
        if fault in ("hang", "die"):
            app.stop()
            app.start()
        app.faults()
        (host.folder / "pending").mkdir(exist_ok=True)
        for name, said in (("load", SECOND), ("undo", FIRST), ("token", "t")):
            (host.folder / "pending" / name).write_text(said)
        here().restore()
        assert meaning(NAME, here().running()) == meaning(NAME, FIRST)
        assert not host.changes.token()


def test_a_script_that_is_killed_between_two_steps_knows_afterwards_which_rule_it_made(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    here().replace(FIRST, "")
    whole, left = console.Made.note, [0]

    def note(self: console.Made, *words: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        whole(self, *words)

    for steps in range(6):
        left[0] = steps
        monkeypatch.setattr(console.Made, "note", note)
        with pytest.raises(Killed):
            here().replace(SECOND, FIRST)
        monkeypatch.setattr(console.Made, "note", whole)
        here().running()
        here()._apply("ens1", FIRST)
        assert meaning(NAME, here().running()) == meaning(NAME, FIRST), steps
        assert app.ask("flow list 0").count("\n") == 6
    assert not wider(app)


def test_a_port_with_room_for_one_table_is_emptied_first_and_closed_meanwhile(tmp_path: Path) -> None:
    class Judged(Console):
        def ask(self, line: str) -> str:
            said = super().ask(line)
            passed.append(self.passes(syn(9)))
            return said

    passed: list[bool] = []
    tool = testpmd.direct(tmp_path, Judged(room=5))
    for said in (FIRST, permits(4), permits(12)):
        tool.apply("ens1", said.splitlines()[1:])
        assert meaning(NAME, f"# configlet rteflow 1\n{tool.shown('ens1')}") == meaning(NAME, said)
    assert not any(passed[4:])
    with pytest.raises(Stop, match="No space left"):
        tool.apply("ens1", permits(1, 4).splitlines()[1:])


def test_a_nic_of_which_nobody_said_where_it_is_and_one_that_does_not_answer(app: App) -> None:
    with pytest.raises(Stop, match="add a line `ens2 SOCKET DEVICE`"):
        here().tool.shown("ens2")
    (app.state / NAME / "ports").write_text(f"ens1 {app.socket} 0000:00:00.9\n")
    with pytest.raises(Stop, match="has no port 0000:00"):
        here().tool.shown("ens1")
    app.stop()
    with pytest.raises(Stop, match="does not answer"):
        here().replace(FIRST, "")


def cases() -> Iterator[str]:
    for path in sorted((ROOT / "configlets" / NAME / "cases").glob("*.yaml")):
        yield from yaml.safe_load(path.read_text())["text"].splitlines()[1:]


ASKED = (
    "flow list 0", "flow list 3", "flow list net_tap0", "flow destroy 0 rule 7", "flow destroy 0", "flow creat 0 x", "bla",
    "flow create net_tap0 priority 1 ingress pattern eth / ipv4 / end actions drop / end",
    "flow create 7 priority 1 ingress pattern eth / ipv4 / end actions drop / end",
    "flow validate 0 priority 1 ingress pattern eth / ipv4 dst is 300.1.1.1 / end actions drop / end",
    "flow validate 0 priority 1 ingress pattern eth / ipv4 dst is 2001:db8::1 / end actions drop / end",
    "flow validate 0 priority 1 ingress pattern eth / ipv4 / tcp dst is 66000 / end actions drop / end",
    "flow validate 0 priority 1 ingress pattern eth / ipv4 / end actions queue index 9 / end",
    "flow query 0 0 count", "flow list 0",
)  # fmt: skip


@pytest.mark.skipif(bool(testpmd.impossible()), reason=testpmd.impossible())
def test_the_real_testpmd_takes_what_we_type_and_the_simulated_one_answers_like_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFIGLET_STATE_DIR", str(tmp_path / "state"))
    name, simulated = f"cl{os.getpid()}", Console(device="net_tap0", queues=1)
    command = testpmd.REAL.format(name=name).split()
    with application(tmp_path, tmp_path / "state", *command, device="net_tap0") as app:
        for line in cases():
            typed = line.replace("flow create ens1", "flow validate 0")
            assert app.ask(typed) == "Flow rule validated\n" == simulated.ask(typed), line
        for line in ASKED:
            real, ours = app.ask(line), simulated.ask(line)
            assert re.sub(r"\): (?!No such device).*", ")", real) == re.sub(r"\): (?!No such device).*", ")", ours), line
        summary = r"^(\d+) +([0-9A-F:]{17}) (net_tap0) .*"
        assert re.search(summary, app.ask("show port summary all"), re.M)[1] == "0"  # type: ignore[index]
        with pytest.raises(Stop, match="Caught PMD error") as stop:  # net_tap makes no rule without the kernel's flower
            here().replace(FIRST, "")
        assert stop.value.status == TAKEN_BACK
        assert here().running() == ""


@needs_namespaces
def test_a_push_over_ssh_is_kept_taken_back_and_recovered_and_says_what_it_does_not_know(bench: Bench) -> None:
    with application(bench.root, bench.root / "state") as app, host(bench.root, 20) as me1:
        bench.add("me1", NAME, me1.port)
        outcome = pushed(bench, change(NAME, "", FIRST))
        assert outcome.result == "Kept", outcome
        assert "no proof of what the NIC holds" in outcome.reason
        driver = looked(bench)
        driver.load(change(NAME, FIRST, SECOND))
        driver.commit(20)
        assert meaning(NAME, driver.running()) == meaning(NAME, SECOND)
        wait_until(lambda: not (me1.state / NAME / "pending").exists())
        assert meaning(NAME, driver.running()) == meaning(NAME, FIRST)
        app.stop()  # the application ends, and begins again without its table
        app.start()
        assert driver.running() == ""
        me1.run(f"CONFIGLET_STATE_DIR={me1.state} python3 -S {me1.state}/{NAME}/nic.py {NAME} boot")
        assert meaning(NAME, driver.running()) == meaning(NAME, FIRST)
        app.faults(die=1)  # it dies in the middle of a change; started again, the host's timer or `recover` ends it
        outcome = pushed(bench, change(NAME, FIRST, SECOND), seconds=1)
        assert outcome.result == "Unknown", outcome
        app.stop()
        app.start()
        with opened(folder(bench.root, "test"), "test") as log:
            found = recover(bench.targets, drivers.opener(canonical), log, canonical=canonical, margin=3)
        assert [o.result for o in found] in ([], ["Reverted"]), found
        assert meaning(NAME, driver.running()) == meaning(NAME, FIRST)
        assert driver.pending() is None
