"""Laws of IOS-XE's texts: rows there and back, whatever they are, and one normal form however the device shows them."""

from __future__ import annotations

import random
import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from configlet import pipeline
from configlet.model.gate import Table
from configlet.model.net import Family
from configlet.model.problem import Refused
from configlet.prove import prove
from configlet.readers import read
from configlet.readers.sections import owned
from configlet.render import render
from tests.builders import acl, platform, row
from tests.ios_judge import judged
from tests.laws.test_render import EDGE_PORTS, EDGES4, EDGES6, LOUD, QUIET, random_rows
from tests.planted import HERE4, HERE6, law_passes, tables

ROOT = Path(__file__).resolve().parents[2]
IOS = platform("ios")
NAMES = {"tcp": {"www": 80, "domain": 53, "bgp": 179, "telnet": 23}, "udp": {"domain": 53, "ntp": 123}}
TYPES = {
    4: {"8": "echo", "0": "echo-reply", "3": "unreachable", "3 4": "packet-too-big"},
    6: {"135": "nd-ns", "128": "echo-request"},
}


def verdicts(made: list[Table]) -> set[str]:
    artifact = render("leaf1", IOS, "acl", made)
    return {proof.verdict for proof in prove(artifact, read(IOS, "acl", artifact.text, artifact.file))}


def some(seed: int) -> list[Table]:
    return [acl(random_rows(seed, 4, "10.1.20.0/24")), acl(random_rows(seed, 6, "2001:db8:1:20::/64"), 6)]


def shown(text: str) -> str:
    """As ``show running-config`` of 17.x prints it: names for numbers, IPv6 in capitals, the rest of the switch around it."""
    out = ["Building configuration...", "", "Current configuration : 1000 bytes", "!", "hostname leaf1", "!"]
    family = 4
    for line in text.splitlines():
        said = line
        family = 6 if line.startswith("ipv6") else 4 if line.startswith("ip ") else family
        if "remark" not in line:
            proto = "tcp" if " tcp " in line else "udp"
            for name, port in NAMES[proto].items():
                said = re.sub(rf" (eq|range \d+) {port}(?= |$)", rf" \1 {name}", said)
            found = re.fullmatch(r"(.* (?:permit|deny) icmp .*?(?:any|\.\d+|::\S*)) (\d+(?: \d+)?)", said)
            if found and found[2] in TYPES[family]:
                said = f"{found[1]} {TYPES[family][found[2]]}"
            said = re.sub(r"[0-9a-f:]*::[0-9a-f]*", lambda m: m[0].upper(), said)
        out.append(said)
    return "\r\n".join([*out, "line vty 0 4", " transport input ssh", "end", ""])


def unnumbered(text: str) -> str:
    """As trains before 17 save it."""
    return re.sub(r"(?m)^ (?:sequence )?\d+ ", " ", text)


@pytest.mark.parametrize("seed", range(60))
def test_any_rows_in_order_become_lists_that_mean_them(seed: int) -> None:
    assert verdicts(some(seed)) == {"PROVED"}


@pytest.mark.parametrize("address", [*EDGES4, *EDGES6])
def test_an_address_of_every_form_comes_back_in_bits(address: str) -> None:
    family: Family = 6 if ":" in address or address == "any" else 4
    here = HERE4 if family == 4 else HERE6
    said = [row(f"permit tcp {address} {here} to 22", family), row(f"permit udp {here} {address} to 53", family)]
    assert verdicts([acl(said, family)]) == {"PROVED"}


@pytest.mark.parametrize("port", EDGE_PORTS)
def test_a_port_at_every_edge_comes_back(port: str) -> None:
    said = [row(f"permit tcp 10.1.0.0/16 {HERE4} to {port}"), row(f"permit udp 10.1.0.0/16 {HERE4} from {port}")]
    assert verdicts([acl(said)]) == {"PROVED"}


@pytest.mark.parametrize("family", [4, 6])
def test_every_icmp_type_and_every_protocol_comes_back(family: Family) -> None:
    icmp, far, here = ("icmp", "10.1.0.0/16", HERE4) if family == 4 else ("icmpv6", "2001:db8::/32", HERE6)
    kinds = [row(f"permit {icmp} {far} {here} type {n}{'/4' if n % 2 else ''}", family) for n in range(256)]
    assert verdicts([acl(kinds, family)]) == {"PROVED"}
    assert verdicts([acl([row(f"permit {n} {far} {here}", family) for n in range(256)], family)]) == {"PROVED"}


@pytest.mark.parametrize("seed", range(20))
def test_the_text_passes_what_the_law_passes_word_by_word(seed: int) -> None:
    """Random packets near the corners, judged by a reading of the words that shares nothing with ours."""
    from configlet.packets.boxes import packet_of

    dice = random.Random(seed)
    made = some(seed)
    text = render("leaf1", IOS, "acl", made).text
    for table in made:
        for entry in table.rows:
            for _ in range(12):
                box = tuple(
                    (min(max(dice.choice(s) + dice.choice((-1, 0, 0, 0, 1)), 0), s[1] + 1),) * 2 for s in entry.box
                )
                top = (255, 2 ** (32 if table.family == 4 else 128) - 1, 2 ** (32 if table.family == 4 else 128) - 1)
                fit = tuple((min(lo, t),) * 2 for (lo, _), t in zip(box, (*top, 65535, 65535, 1, 1), strict=True))
                packet = packet_of(table.family, table.realm, fit)  # type: ignore[arg-type]
                assert judged(text, "Vlan120", "in", packet) == law_passes(table, packet), packet


@pytest.mark.parametrize("seed", range(20))
def test_what_we_write_and_what_the_device_shows_have_one_normal_form(seed: int) -> None:
    text = render("leaf1", IOS, "acl", some(seed)).text
    wanted = read(IOS, "acl", text, "written").canonical
    for said in (shown(text), shown(unnumbered(text)), unnumbered(text), wanted):
        assert read(IOS, "acl", owned(IOS, "acl", said), "shown").canonical == wanted
    assert read(IOS, "acl", read(IOS, "acl", text, "written").numbered, "numbered").canonical == wanted


def test_the_device_really_shows_other_words() -> None:
    text = render("leaf1", IOS, "acl", tables("ios")).text
    said = shown(text)
    assert {"eq domain", "eq ntp", " echo", "packet-too-big", "nd-ns", "2001:DB8:1:20::/64"} <= {
        word
        for word in ("eq domain", "eq ntp", " echo", "packet-too-big", "nd-ns", "2001:DB8:1:20::/64")
        if word in said
    }
    assert read(IOS, "acl", owned(IOS, "acl", said), "shown").canonical == read(IOS, "acl", text, "x").canonical


@pytest.mark.parametrize("rule", QUIET)
@pytest.mark.parametrize("family", [4, 6])
def test_a_rules_name_is_only_ever_a_remark(rule: str, family: Family) -> None:
    ends = f"10.1.10.0/24 {HERE4}" if family == 4 else f"2001:db8::/32 {HERE6}"
    plain, text = (
        render("leaf1", IOS, "acl", [acl([row(f"permit tcp {ends} to 22", family, name=said)], family)]).text
        for said in ("plain", rule)
    )
    assert len(text.splitlines()) == len(plain.splitlines()) and text.isascii()
    assert verdicts([acl([row(f"permit tcp {ends} to 22", family, name=rule)], family)]) == {"PROVED"}


@pytest.mark.parametrize("rule", LOUD)
def test_a_name_that_could_be_a_line_is_refused(rule: str) -> None:
    with pytest.raises(Refused):
        render("leaf1", IOS, "acl", [acl([row(f"permit tcp 10.1.10.0/24 {HERE4} to 22", name=rule)])])


def test_the_same_tables_in_any_order_give_the_same_bytes() -> None:
    right = render("leaf1", IOS, "acl", tables("ios"))
    for seed in range(8):
        mixed = tables("ios")
        random.Random(seed).shuffle(mixed)
        assert render("leaf1", IOS, "acl", mixed).text == right.text


def test_dc1_with_a_leaf_pair_of_ios_is_proved_and_its_switches_would_show_it_as_planned(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "inventory" / "dc1", tmp_path / "inventory" / "dc1")
    path = tmp_path / "inventory" / "dc1" / "devices.yaml"
    said, moved = re.subn(r"(?m)^(  leaf[34]:\n    platform: )\w+", r"\1ios", path.read_text())
    assert moved == 2
    path.write_text(said)
    artifacts = [a for a in pipeline.render(tmp_path, "dc1", date(2026, 11, 24)) if a.platform == "ios"]
    assert [a.owner for a in artifacts] == ["leaf3", "leaf4"]
    for artifact in artifacts:
        reading = read(IOS, "acl", artifact.text, artifact.file)
        proofs = prove(artifact, reading)
        assert {proof.verdict for proof in proofs} == {"PROVED"} and len(proofs) == len(artifact.tables) > 10
        assert read(IOS, "acl", owned(IOS, "acl", shown(artifact.text)), "shown").canonical == reading.canonical
        assert again(artifact.text) == []


def again(text: str) -> list[str]:
    """Entries that a list has twice: the device silently does not take the second."""
    found: list[str] = []
    for part in re.split(r"(?m)^(?=\S)", text):
        said = [re.sub(r"^ (sequence )?\d+ ", "", line) for line in part.splitlines()[1:]]
        entries = [line for line in said if not line.lstrip().startswith("remark")]
        found += [line for at, line in enumerate(entries) if line in entries[:at]]
    return found


def test_no_line_is_written_twice_where_rows_overlap() -> None:
    rows = [row(f"deny tcp 10.1.10.{n}/31 {HERE4} to 22", name=f"rule {n}") for n in (2, 4, 2)]
    rows += [row(f"permit tcp 10.1.10.0/24 {HERE4} to 22")]
    artifact = render("leaf1", IOS, "acl", [acl(rows)])
    assert again(artifact.text) == []
    assert artifact.text.count("deny tcp") == 2
    assert verdicts([acl(rows)]) == {"PROVED"}
