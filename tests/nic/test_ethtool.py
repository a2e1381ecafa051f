"""ntuple under the real, unmodified `ethtool`: what each imitated driver refuses, and our driver over SSH on top of it."""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path

import pytest

from configlet.drivers.base import Rejected, TakenBack
from configlet.hostside import nic as hostside
from configlet.hostside.changes import TAKEN_BACK, Stop
from configlet.model.net import FAMILIES
from configlet.model.problem import Refused
from configlet.render import render
from tests.builders import platform
from tests.lab.push_bench import Bench, bench, host, needs_namespaces, wait_until
from tests.nic import flow_laws, pretended
from tests.nic.ground import tables, verdicts
from tests.nic.test_hosts import HERE, change, kept, looked, meaning, syn, text

__all__ = ["bench"]
NAME = "ntuple"
pytestmark = pytest.mark.skipif(bool(pretended.impossible()), reason=pretended.impossible())

NO, INVALID = "Operation not supported", "Invalid argument"
TUPLE = "tcp4 src-ip 10.0.0.1 dst-ip 192.0.2.11 src-port 7 dst-port 22"
ALL = ("sfc", "efct", "mlx5", "ixgbe", "i40e", "ice")
REFUSED: dict[str, dict[str, str]] = {
    f"{TUPLE} action 0": {},
    f"{TUPLE} action -1": {},
    f"{TUPLE} action 4": dict.fromkeys(ALL, INVALID),
    f"{TUPLE} tos 4 action 0": dict.fromkeys(ALL, INVALID),
    "tcp4 src-ip 10.0.0.0 m 0.0.0.255 dst-port 22 action 0": dict.fromkeys(("sfc", "efct", "ixgbe", "i40e", "ice"), INVALID),
    "tcp4 dst-port 16 m 0xf action 0": dict.fromkeys(("sfc", "efct", "ixgbe", "i40e", "ice"), INVALID),
    "tcp4 src-ip 10.0.0.1 dst-port 22 action 0": {"efct": "Protocol not supported"},
    "tcp4 dst-ip 192.0.2.11 dst-port 22 action 0": {},
    "tcp6 dst-ip 2001:db8::1 dst-port 22 action 0": {"ixgbe": NO},
    "ip4 src-ip 10.0.0.1 action 0": {"efct": "Protocol not supported"},
    "ip4 l4proto 89 action 0": {"i40e": INVALID, "ice": INVALID},
    "ip6 l4proto 89 action 0": {"i40e": INVALID, "ice": INVALID, "ixgbe": NO},
    "ether proto 0x0800 action -1": {"ixgbe": NO, "i40e": NO},
    "ether dst 01:00:00:00:00:00 m fe:ff:ff:ff:ff:ff action -1": {
        "efct": INVALID, "mlx5": INVALID, "ixgbe": NO, "i40e": NO, "ice": INVALID},
    "tcp4 dst-port 22 vlan 5 m 0xf000 action 0": {"efct": "Protocol not supported"},
    "tcp4 dst-ip 192.0.2.11 dst-port 22 vlan 5 action 0": dict.fromkeys(ALL, INVALID),
    "sctp4 dst-ip 192.0.2.11 dst-port 22 action 0": {"sfc": INVALID, "efct": INVALID, "mlx5": NO},
    f"{TUPLE} action 0 loc 5": {"sfc": INVALID, "efct": INVALID},
    f"{TUPLE} action 0 loc 99999": {
        **dict.fromkeys(("sfc", "efct"), INVALID), **dict.fromkeys(("mlx5", "ixgbe", "i40e", "ice"), "No space left on device")},
}  # fmt: skip
"""Rules, and which imitated driver refuses each of them with which words; it stands for all others."""


def bare(folder: Path, profile: str, room: int = 0) -> tuple[Path, pretended.Card]:
    """A wrapper for one NIC ens1 of a profile."""
    tool = pretended.tool(folder / "tools", folder / "nics")
    return tool, pretended.card(folder / "nics", "ens1", profile, room)


@pytest.mark.parametrize("profile", ALL)
def test_a_driver_takes_what_it_takes_and_ethtool_says_0_when_it_refuses(tmp_path: Path, profile: str) -> None:
    for rule, refusals in REFUSED.items():
        tool, _ = bare(tmp_path, profile)
        status, _, said = pretended.run(tool, f"-N ens1 flow-type {rule}")
        listed = pretended.run(tool, "-n ens1")[1].count("Filter: ")
        assert status == 0, rule  # refused or not
        assert listed == (profile not in refusals), (rule, said)
        assert said == (f"rmgr: Cannot insert RX class rule: {refusals[profile]}\n" if profile in refusals else ""), rule


def test_slots_are_given_from_above_overwritten_without_a_word_and_run_out(tmp_path: Path) -> None:
    tool, _ = bare(tmp_path, "mlx5", 2)
    assert pretended.run(tool, "-N ens1 flow-type tcp4 dst-port 1 action 0")[1] == "Added rule with ID 1\n"
    assert pretended.run(tool, "-N ens1 flow-type tcp4 dst-port 2 action 0 loc 1") == (0, "", "")
    assert "Dest port: 2" in (shown := pretended.run(tool, "-u ens1")[1])
    assert "Dest port: 1" not in shown
    pretended.run(tool, "-N ens1 flow-type tcp4 dst-port 3 action 0")
    status, _, said = pretended.run(tool, "-N ens1 flow-type tcp4 dst-port 4 action 0")
    assert status == 1
    assert "appropriate slot" in said
    assert pretended.run(tool, "-N ens1 delete 0")[0] == 0
    assert pretended.run(tool, "-N ens1 delete 0")[0] == 1
    tool, _ = bare(tmp_path, "sfc", 1)
    for _ in range(2):  # what looks at the same replaces it
        assert pretended.run(tool, "-N ens1 flow-type tcp4 dst-port 1 action 0")[1] == "Added rule with ID 0\n"
    assert "Device or resource busy" in pretended.run(tool, "-N ens1 flow-type tcp4 dst-port 2 action 0")[2]


@pytest.mark.parametrize(("profile", "why"), [("ixgbe", NO), ("i40e", NO)])
def test_one_field_set_for_all_rules_and_none_where_there_is_no_table(tmp_path: Path, profile: str, why: str) -> None:
    tool, _ = bare(tmp_path, profile)
    assert not pretended.run(tool, "-N ens1 flow-type tcp4 dst-port 22 action 0")[2]
    assert why in pretended.run(tool, "-N ens1 flow-type tcp4 dst-ip 192.0.2.11 action 0")[2]
    pretended.card(tmp_path / "nics", "ens1", "virtio_net")
    assert pretended.run(tool, "-N ens1 flow-type tcp4 dst-port 22 action 0")[0] == 1
    assert pretended.run(tool, "-n ens1")[0] == 1


def test_random_tables_are_proved_from_what_the_real_tool_lists_and_the_simulator_lists_the_same(tmp_path: Path) -> None:
    of, good = platform(NAME), 0
    for seed in range(5):
        dice = random.Random(seed)
        found = tables(of, [flow_laws.exact(dice, family) for family in FAMILIES], ways=("in",))
        try:
            said = render("me1", of, "filter-table", found).text
        except Refused:
            continue
        if (lines := said.splitlines())[150:]:
            continue
        tool, _ = bare(tmp_path / str(seed), "sfc")
        for line in lines[1:]:
            assert "Added" in pretended.run(tool, line.removeprefix("ethtool "))[1]
        shown = f"{lines[0]}\n# shown ens1\n{pretended.run(tool, '-n ens1')[1]}"
        assert shown == flow_laws.held(NAME, said)
        assert verdicts(of, found, shown) == {"PROVED"}
        good += 1
    assert good >= 2


def permits(first: int, count: int = 3, binding: str = "ens1") -> str:
    return text(NAME, *(f"permit tcp 10.0.0.{first + n} {HERE} to 22" for n in range(count)), binding=binding)


def shown(tool: Path) -> str:
    return meaning(NAME, f"# configlet ntuple 1\n# shown ens1\n{pretended.run(tool, '-n ens1')[1]}")


@pytest.mark.parametrize("profile", ["sfc", "mlx5"])
def test_a_rule_that_the_kernel_refuses_is_noticed_wherever_it_stands_and_nothing_else_ever_passes(
    tmp_path: Path, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool, nic = bare(tmp_path, profile)
    monkeypatch.setenv("CONFIGLET_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    here, first, second = hostside.Host(NAME), permits(1), permits(3)
    here.folder.mkdir()
    here.replace(first, "")
    for rules in range(2):
        nic.refuse_after(rules, errno.EOPNOTSUPP)
        with pytest.raises(Stop, match=NO) as stop:
            here.replace(second, first)
        assert stop.value.status == TAKEN_BACK
        nic.refuse_after(-1, 0)
        assert shown(tool) == meaning(NAME, first)
    here.replace(second, first)
    assert shown(tool) == meaning(NAME, second)
    held = [card.passes(syn(9)) for card in nic.moments() if len(card.filters) > 4]
    assert len(held) > 6
    assert not any(held)
    other = pretended.card(nic.path.parent, "ens2", "i40e")  # of two NICs one cannot be closed: neither has the table
    with pytest.raises(Stop, match=NO):
        here.replace(first + permits(1, 1, "ens2").split("\n", 1)[1], second)
    assert [len(card.filters) for card in other.moments()][-1:] in ([], [0])
    assert shown(tool) == meaning(NAME, second)


@needs_namespaces
def test_our_driver_over_the_real_tool(bench: Bench) -> None:
    tool, nic = bare(bench.root, "sfc", 5)
    with host(bench.root, 20) as me1:
        me1.tools = str(tool.parent)
        bench.add("me1", NAME, me1.port)
        driver, first, second = looked(bench), permits(1), permits(4)
        kept(driver, change(NAME, "", first))
        driver.load(change(NAME, first, second))  # there is room for one of the two
        driver.commit(20)
        assert meaning(NAME, driver.running()) == meaning(NAME, second)
        wait_until(lambda: not (me1.state / NAME / "pending").exists())
        assert meaning(NAME, driver.running()) == meaning(NAME, first)
        driver.load(change(NAME, first, permits(4, 4)))
        with pytest.raises(TakenBack, match="resource busy"):
            driver.commit(1000)
        with pytest.raises(Rejected, match="not pending"):
            driver.confirm("cfglt-look-me1")
        assert meaning(NAME, driver.running()) == meaning(NAME, first)
        with pytest.raises(Rejected, match="counts nothing"):
            driver.counters()  # type: ignore[attr-defined]
        nic.reset()  # as a restart does
        assert driver.running() == ""
        boot = f"CONFIGLET_STATE_DIR={me1.state} PATH={me1.tools}:$PATH python3 -S {me1.state}/{NAME}/nic.py {NAME} boot"
        nic.resize(4)
        me1.run(f"{boot} || true")
        *_, last = nic.moments()
        assert not last.passes(syn(1))
        nic.resize(5)
        me1.run(boot)
        assert meaning(NAME, driver.running()) == meaning(NAME, first)
