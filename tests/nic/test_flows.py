"""ntuple, tc flower and rte_flow: what a NIC shows is proved or refused for a reason that holds; its packets agree."""

from __future__ import annotations

import random
from itertools import islice

import pytest

from configlet.fit.kernel import LOOP, kernel_entries
from configlet.lab.nic.flower import FlowerNic
from configlet.lab.nic.ntuple import NtupleNic, Refusal
from configlet.lab.nic.onload import OnloadFirewall
from configlet.lab.nic.rteflow import Console
from configlet.model.net import FAMILIES, TOP
from configlet.model.problem import Refused
from configlet.packets.verdict import passes
from configlet.readers import read
from configlet.render import render
from tests.builders import platform, rows
from tests.nic import flow_laws
from tests.nic.ground import LOCALS, Local, packets, tables, verdicts
from tests.xdp.frames import frame

HERE, MINE = "192.0.2.11", (LOCALS[4], LOCALS[4])
NOTHING = Local(6, (), ())


def made(name: str, *said: str) -> tuple[list, str]:
    of = platform(name)
    found = tables(of, [Local(4, (MINE,), rows(said)), NOTHING], ways=("in",))
    return found, render("me1", of, "filter-table", found).text


@pytest.mark.parametrize("name", flow_laws.NAMES)
def test_random_tables_are_proved_after_read_back_or_refused_for_a_reason(name: str) -> None:
    good, refused = flow_laws.proved(name, 20)
    assert good + refused == 20
    assert good >= 14


@pytest.mark.parametrize("name", ["ntuple", "tcflower", "rteflow"])
def test_the_nic_passes_what_the_model_says(name: str) -> None:
    of, judged = platform(name), 0
    for seed in range(6):
        dice = random.Random(seed)
        policies = [flow_laws.MAKE[name](dice, family) for family in FAMILIES]
        found = tables(of, policies, ways=("in",))
        try:
            text = render("me1", of, "filter-table", found).text
        except Refused:
            continue
        nic = {"ntuple": NtupleNic, "tcflower": FlowerNic, "rteflow": Console}[name]()
        for line in text.splitlines()[1:]:
            if isinstance(nic, Console):
                nic.ask(line.replace(" ens1 ", " 0 "))
            else:
                nic.command(line.removeprefix("ethtool -N ens1 "))
        laws = {table.family: table.law for table in found}
        for packet in islice(packets(dice, policies), 150):
            judged += 1
            assert nic.passes(frame(packet, dice, 0.0)) == passes(laws[packet.family], packet)[0], packet
    assert judged >= 300


def test_a_prefix_is_counted_before_it_is_written_out() -> None:
    with pytest.raises(Refused, match="16,777,218 rules and has room for 16,384"):
        made("ntuple", f"permit tcp 10.0.0.0/8 {HERE} to 22")


def test_what_every_host_needs_of_ipv6_is_rows_that_a_nic_without_prefixes_has_room_for() -> None:
    """Listener reports go to ff00::/8, which is no address; a NIC that sees no ICMP type passes them with discovery."""
    of = platform("ntuple")
    links = tuple(entry for entry in kernel_entries(6, receives=False) if entry.rule is not LOOP)
    four = Local(4, (MINE,), rows([f"permit tcp 10.0.0.1 {HERE} to 22"]))
    found = tables(of, [four, Local(6, ((0, TOP[6]),), links)], ways=("in",))
    text = render("me1", of, "filter-table", found).text
    assert set(verdicts(of, found, text)) == {"PROVED"}


@pytest.mark.parametrize("name", flow_laws.NAMES)
def test_a_table_that_nothing_closes_is_refuted(name: str) -> None:
    found, text = made(name, f"permit tcp 10.0.0.1 {HERE} to 22")
    ends = ("action -1", "drop / end", "flower skip_sw action drop", "DECELERATE")
    closing = [line for line in text.splitlines() if line.endswith(ends)]
    for line in closing:
        assert "REFUTED" in verdicts(platform(name), found, text.replace(line + "\n", ""))


@pytest.mark.parametrize("name", flow_laws.NAMES)
def test_a_word_that_is_not_known_makes_the_text_unreadable(name: str) -> None:
    _, text = made(name, f"permit tcp 10.0.0.1 {HERE} to 22")
    line = next(line for line in text.splitlines() if "10.0.0.1" in line)
    for bad in (line.replace("10.0.0.1", "10.0.0.1 vlan 5"), line.replace("10.0.0.1", "2001:db8::1"), line + " x", "x " + line):
        with pytest.raises(Refused) as refused:
            read(platform(name), "filter-table", text.replace(line, bad), "nic")
        assert str(refused.value).startswith("nic:")


def test_a_rule_that_is_not_in_hardware_is_no_guard() -> None:
    _, text = made("tcflower", f"permit tcp 10.0.0.1 {HERE} to 22")
    shown = flow_laws.held("tcflower", text)
    for gone in ("  in_hw in_hw_count 1\n", "  skip_sw\n"):
        with pytest.raises(Refused, match=r"hardware|kernel"):
            read(platform("tcflower"), "filter-table", shown.replace(gone, "", 1), "nic")


def test_ntuple_permits_and_denies_must_not_depend_on_an_order() -> None:
    found, text = made("ntuple", f"permit tcp 10.0.0.1 {HERE} to 22")
    with pytest.raises(Refused, match="not certain"):
        verdicts(platform("ntuple"), found, text + f"ethtool -N ens1 flow-type tcp4 src-ip 10.0.0.1 dst-ip {HERE} action -1\n"
                 f"ethtool -N ens1 flow-type tcp4 dst-ip {HERE} dst-port 22 action 0\n")  # fmt: skip


def test_a_listing_is_read_line_by_line_or_not_at_all() -> None:
    _, text = made("ntuple", f"permit tcp 10.0.0.1 {HERE} to 22")
    shown = flow_laws.held("ntuple", text)
    for old, new in (("mask: 0.0.0.0", "mask: 0.0.0.255"), ("Action: Drop", "Action: Wake-on-LAN"), ("TCP over", "SCTP over")):
        with pytest.raises(Refused):
            read(platform("ntuple"), "filter-table", shown.replace(old, new, 1), "nic")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("ntuple", "dst-port 22", "dst-port 022"),
        ("ntuple", "l4proto 132", "l4proto 0132"),
        ("tcflower", "dst_port 22", "dst_port 022"),
        ("tcflower", "prio 14", "prio 014"),
        ("tcflower", "10.1.70.0/24", "10.1.70.0/024"),
        ("rteflow", "dst is 22", "dst is 022"),
        ("rteflow", "src prefix 24", "src prefix 024"),
        ("rteflow", "priority 1", "priority 01"),
    ],
)
def test_a_number_that_begins_with_0_is_octal_for_these_tools_and_refused(name: str, old: str, new: str) -> None:
    source = "10.1.70.5" if name == "ntuple" else "10.1.70.0/24"
    _, text = made(name, f"permit tcp {source} {HERE} to 22", f"permit 132 {source} {HERE}")
    read(platform(name), "filter-table", text, "nic")
    assert old in text
    with pytest.raises(Refused, match="begins with 0"):
        read(platform(name), "filter-table", text.replace(old, new, 1), "nic")


def test_the_simulated_ntuple_refuses_as_the_driver_does() -> None:
    nic = NtupleNic(room=1)
    for bad in ("flow-type sctp4 dst-ip 192.0.2.1 action -1", "flow-type tcp4 dst-ip 192.0.2.0/24 action -1",
                "flow-type tcp4 dst-ip 192.0.2.1 loc 4 action -1", "flow-type tcp4 dst-ip 192.0.2.1 action 9"):  # fmt: skip
        with pytest.raises(Refusal):
            nic.command(bad)
    nic.command("flow-type tcp4 dst-ip 192.0.2.1 action -1")
    with pytest.raises(Refusal, match="No space"):
        nic.command("flow-type tcp4 dst-ip 192.0.2.2 action -1")


def test_a_changed_text_is_refused_refuted_or_means_the_same() -> None:
    dice = random.Random(4)
    for name in flow_laws.NAMES:
        found, text = made(name, f"permit tcp 10.0.0.1 {HERE} to 22", f"permit udp 10.0.0.8/30 {HERE} to 53")
        caught = 0
        for _ in range(60):
            at = dice.randrange(len(text))
            bad = text[:at] + dice.choice("0123456789 x") + text[at + 1 :]
            try:
                caught += verdicts(platform(name), found, bad) != {"PROVED"}
            except Refused:
                caught += 1
        assert caught >= 45, name


def test_onload_takes_whatever_is_written_and_only_what_it_shows_counts() -> None:
    firewall = OnloadFirewall(("ens1",))
    firewall.write("if=ens1 protocol=tcp local_port=22 action=DENY\n")
    assert not firewall.rules("ens1")
    assert firewall.log
    with pytest.raises(Refused, match="reversed"):
        head = "# configlet onload-firewall 1\nif=ens1 protocol=tcp local_port=5000-4000 action=DECELERATE\n"
        read(platform("onload-firewall"), "filter-table", head, "nic")
    assert not platform("onload-firewall").kinds["filter-table"].capability.drops
