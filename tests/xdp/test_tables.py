"""What the tables say: read back exactly, refused when they cannot hold a row, and told truly even when damaged."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from configlet.encoders.xdp import artifact, encode
from configlet.encoders.xdp_layout import SIZES, Encoded
from configlet.encoders.xdp_text import text
from configlet.model.gate import Line
from configlet.model.net import FAMILIES, Family
from configlet.model.policy import ANY_PORT, Entry
from configlet.model.problem import Refused
from configlet.packets.verdict import first
from configlet.packets.walk import differ
from configlet.prove import prove
from configlet.readers import read
from configlet.render import render
from tests.builders import platform, row
from tests.xdp.frames import frame, packet_near
from tests.xdp.kernel import PASS, counted, generation_of, impossible, loaded, verdict
from tests.xdp.rule_sets import LOCAL4, LOCAL6, each, entry, rule
from tests.xdp.towards import table

XDP = platform("xdp")
in_the_kernel = pytest.mark.skipif(bool(impossible()), reason=f"the XDP program cannot be loaded here: {impossible()}")


def lines(encoded: Encoded, family: Family) -> tuple[Line, ...]:
    return read(XDP, "filter-table", text(encoded, ["ens1"]), "tables").lists["ens1", "in", family]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_tables_mean_their_rows_over_the_whole_packet_space(family: Family) -> None:
    for kind, entries in each(0, family):
        encoded = encode({("towards", family): entries})
        assert differ(family, [entries], lines(encoded, family), budget=20_000_000) is None, kind


def test_the_same_rows_give_the_same_bytes_and_every_row_can_be_counted() -> None:
    for _, entries in each(1, 4):
        assert text(encode({("towards", 4): entries})) == text(encode({("towards", 4): list(entries)}))
        assert len(encode({("towards", 4): entries}, per="row").arrays["names"]) == 96 * (len(entries) + 1)


def test_what_shall_be_counted_is_a_word_that_is_known() -> None:
    operands = {**XDP.kinds["filter-table"].operands, "count": "statement"}
    with pytest.raises(Refused, match=r"verdict, rule, row"):
        artifact(operands, [table([row("permit udp any 192.0.2.11 to 53")])])


def test_one_wrong_bit_of_a_cell_is_refuted_with_its_packet() -> None:
    entries = [row("permit tcp 198.51.100.0/24 192.0.2.11 to 9001-9016"), row("permit udp any 192.0.2.11 to 53")]
    good = table(entries)
    made = render("me1", XDP, "filter-table", [good, table([], 6)])
    proofs = prove(made, read(XDP, "filter-table", made.text, "f"))
    assert [proof.verdict for proof in proofs] == ["PROVED", "PROVED"]
    wider = table([*entries, row("permit tcp any 192.0.2.11 to 22")])
    (proof, _) = prove(made, read(XDP, "filter-table", render("me1", XDP, "filter-table", [wider, table([], 6)]).text, "f"))
    assert (proof.verdict, proof.witnesses[0].kind) == ("REFUTED", "too open")
    assert "192.0.2.11:22" in proof.witnesses[0].packet


def test_tables_that_are_on_no_interface_are_no_guard() -> None:
    made = render("me1", XDP, "filter-table", [table([]), table([], 6)])
    loose = made.text.replace("attach ens1\n", "")
    assert {p.verdict for p in prove(made, read(XDP, "filter-table", loose, "f"))} == {"REFUTED"}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("permit 33 any 192.0.2.11 to 5000", "not looked at"),
        ("permit udp any 192.0.2.11 to 53 established", "only TCP has flags"),
        ("permit tcp any 192.0.2.11 to 22 fragments", "has no ports"),
        ("permit icmp any 192.0.2.11 from 7", "no source ports"),
    ],
)
def test_a_row_that_the_program_could_not_judge_is_refused(said: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        encode({("towards", 4): [row(said)]})


@pytest.mark.parametrize(("ports", "steps", "blocks"), [(31, 0, 1), (40, 2, 0), (45, 3, 0), (364, 3, 0), (365, 0, 12)])
def test_a_row_is_a_block_or_lines_of_runs_or_blocks_by_how_much_it_says(ports: int, steps: int, blocks: int) -> None:
    """Single ports, each a class and a run of its own, with other runs between them where they are many."""
    of = [rule(f"r{i}", "deny" if i % 3 else "allow") for i in range(ports)]
    entries = [entry(of[i], (6, 6), (LOCAL4, LOCAL4), (0, 0xFFFFFFFF), (2 * i + 1, 2 * i + 1)) for i in range(ports)]
    gaps = [entry(of[i - 2], (6, 6), (LOCAL4, LOCAL4), (0, 0xFFFFFFFF), (2 * i, 2 * i)) for i in range(ports)]
    entries += gaps if ports > 31 else []
    encoded = encode({("towards", 4): entries})
    assert (encoded.constants["steps"], encoded.facts["blocks"]) == (steps, blocks)
    assert differ(4, [entries], lines(encoded, 4)) is None
    if impossible():
        return
    dice = random.Random(ports)
    with generation_of(encoded) as generation:
        for _ in range(200):
            packet = packet_near(dice, entries, 4)
            hit = first(entries, packet)
            assert (verdict(generation, frame(packet, dice)) == PASS) == (hit is not None and hit.permit), packet


def test_more_pieces_of_source_ports_than_are_looked_up_are_refused() -> None:
    def rows(count: int) -> list[Entry]:
        ports = [(2 * n, 2 * n) for n in range(count)]
        return [entry(rule("s"), (6, 6), (LOCAL4, LOCAL4), (0, 0xFFFFFFFF), ANY_PORT, port) for port in ports]

    entries = rows(364)
    assert differ(4, [entries], lines(encode({("towards", 4): entries}), 4)) is None
    with pytest.raises(Refused, match="pieces"):
        encode({("towards", 4): rows(365)})


@pytest.mark.parametrize(
    "damage",
    ["array svc 512", "lookup h64 16", "constant blocks", "configlet-xdp 1", "array cells 256"],
)
def test_a_text_that_lacks_or_repeats_or_changes_a_line_is_refused_with_its_line(damage: str) -> None:
    good = text(encode({("towards", 4): [row("permit tcp any 192.0.2.11 to 22")]}), ["ens1"])
    whole = next(line for line in good.splitlines() if line.startswith(damage))
    for bad in (good.replace(whole + "\n", ""), good + whole + "\n", good.replace(whole, whole[:-3] + "?"), good + "x\n"):
        with pytest.raises(Refused) as refused:
            read(XDP, "filter-table", bad, "tables")
        assert str(refused.value).startswith("tables:")


@in_the_kernel
def test_what_the_kernel_holds_is_what_was_encoded() -> None:
    from configlet.hostside.xdp_tables import dump, text_of
    from tests.xdp.kernel import library

    for family in FAMILIES:
        for kind, entries in each(2, family):
            encoded = encode({("towards", family): entries})
            with loaded({("towards", family): entries}) as generation:
                assert text_of(dump(library(), generation.filter)) == text(encoded), kind


@in_the_kernel
def test_damaged_tables_pass_what_the_reader_says_and_never_more() -> None:
    dice = random.Random(3)
    names = [name for name in SIZES if name not in ("names", "leaving", "locals")]
    for family in FAMILIES:
        for _, entries in list(each(3, family))[::2]:
            encoded = encode({("towards", family): entries})
            arrays = dict(encoded.arrays)
            for name in names:
                data = bytearray(arrays[name])
                for _ in range(3):
                    data[dice.randrange(len(data)) if name != "svc" else dice.randrange(131072)] ^= 1 << dice.randrange(8)
                arrays[name] = bytes(data)
            broken = replace(encoded, arrays=arrays)
            said = lines(broken, family)
            with generation_of(broken) as generation:
                for _ in range(40):
                    packet = packet_near(dice, entries, family)
                    hit = first(said, packet)
                    assert (verdict(generation, frame(packet, dice)) == PASS) == (hit is not None and hit.permit), packet


@in_the_kernel
def test_each_rule_and_each_row_counts_its_packets_and_the_default_its_own() -> None:
    entries = [
        row("deny tcp 198.51.100.7 192.0.2.11 to 22", name="not from there"),
        row("permit tcp 198.51.100.0/24 192.0.2.11 to 22", name="ssh"),
    ]
    dice = random.Random(0)
    for per, names in (("rule", ("deny not from there", "allow ssh")), ("row", ("deny 0 not from there", "allow 1 ssh"))):
        with loaded({("towards", 4): entries}, per=per) as generation:
            for last, port, times in ((7, 22, 2), (8, 22, 3), (8, 23, 4)):
                packet = replace(packet_near(dice, (), 4), src=0xC6336400 + last, proto=6, dport=port, fragment=False)
                for _ in range(times):
                    verdict(generation, frame(packet, dice))
            assert counted(generation) == {names[0]: 2, names[1]: 3, "deny default deny": 4}


@in_the_kernel
def test_arp_passes_and_other_ethertypes_only_when_they_are_named() -> None:
    lldp, arp = bytes(12) + b"\x88\xcc" + bytes(46), bytes(12) + b"\x08\x06" + bytes(46)
    with loaded({("towards", 4): []}) as closed, loaded({("towards", 4): []}, ethertypes=[0x88CC]) as open_:
        assert [verdict(closed, arp), verdict(closed, lldp), verdict(open_, lldp)] == [PASS, 1, PASS]


def test_a_local_address_of_either_family_is_a_table_of_its_own() -> None:
    four = [entry(rule("a"), (6, 6), (LOCAL4 + n, LOCAL4 + n), (n, n)) for n in range(300)]
    six = [entry(rule("a"), (6, 6), (LOCAL6 + n, LOCAL6 + n), (n, n)) for n in range(300)]
    encoded = encode({("towards", 4): four, ("towards", 6): six})
    assert encoded.facts["tables"] == 600
    for family, entries in ((FAMILIES[0], four), (FAMILIES[1], six)):
        assert differ(family, [entries], lines(encoded, family)) is None
