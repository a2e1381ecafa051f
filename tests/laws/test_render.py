"""Laws of rendering: the text means its rows, the same rows give the same bytes, and no name becomes a line."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from configlet.model.gate import Table
from configlet.model.net import Family
from configlet.model.policy import Entry
from configlet.model.problem import Refused
from configlet.prove import prove
from configlet.readers import read
from configlet.render import render
from tests.builders import acl, host, platform, row, rows
from tests.planted import HERE4, HERE6, KIND, tables

NAMES = ("eos", "nftables")


def text_of(name: str, made: list[Table], root: Path | None = None) -> str:
    return render("owner", platform(name, root), KIND[name], made).text


def verdicts(name: str, made: list[Table]) -> set[str]:
    artifact = render("owner", platform(name), KIND[name], made)
    return {proof.verdict for proof in prove(artifact, read(platform(name), KIND[name], artifact.text, artifact.file))}


@pytest.mark.parametrize("name", NAMES)
def test_the_same_tables_in_any_order_give_the_same_bytes(name: str) -> None:
    right = text_of(name, tables(name))
    for seed in range(8):
        mixed = tables(name)
        random.Random(seed).shuffle(mixed)
        assert text_of(name, mixed) == right


EDGES4 = [f"10.1.64.0/{n}" for n in range(18, 33)] + [
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "10.0.0.1-10.0.0.254",
    "10.0.0.0-10.0.2.255",
]
EDGES6 = [f"2001:db8::/{n}" for n in (32, 33, 47, 48, 63, 64, 65, 127, 128)] + [
    "any",
    "8000::/1",
    "::/1",
    "2001:db8::1-2001:db8::ff",
]
EDGE_PORTS = ("0", "1", "22", "80", "443", "65534", "65535", "0-1", "1-65535", "0-65534", "1024-65535", "65534-65535")


@pytest.mark.parametrize("address", [*EDGES4, *EDGES6])
def test_an_address_of_every_form_comes_back_in_bits(address: str) -> None:
    family: Family = 6 if ":" in address or address == "any" else 4
    here = HERE4 if family == 4 else HERE6
    entries = [row(f"permit tcp {address} {here} to 22", family), row(f"permit udp {here} {address} to 53", family)]
    other: Family = 4 if family == 6 else 6
    assert verdicts("eos", [acl(entries, family)]) == {"PROVED"}
    assert verdicts("nftables", [host(entries, [HERE4, HERE6], family), host((), (), other)]) == {"PROVED"}


@pytest.mark.parametrize("port", EDGE_PORTS)
def test_a_port_at_every_edge_comes_back(port: str) -> None:
    entries = [
        row(f"permit tcp 10.1.0.0/16 {HERE4} to {port}"),
        row(f"permit udp 10.1.0.0/16 {HERE4} from {port}"),
        row(f"permit tcp {HERE4} 10.1.0.0/16 to {port} from 1-2"),
    ]
    assert verdicts("eos", [acl(entries)]) == {"PROVED"}
    assert verdicts("nftables", [host(entries, [HERE4]), host((), (), 6)]) == {"PROVED"}


@pytest.mark.parametrize("family", [4, 6])
def test_every_icmp_type_comes_back_with_and_without_a_code(family: Family) -> None:
    word, here, far = ("icmp", HERE4, "10.1.0.0/16") if family == 4 else ("icmpv6", HERE6, "2001:db8::/32")
    kinds = [*range(45), *range(125, 150), 255]
    entries = [row(f"permit {word} {far} {here} type {n}{'/4' if n % 2 else ''}", family) for n in kinds]
    assert verdicts("eos", [acl(entries, family)]) == {"PROVED"}
    other: Family = 4 if family == 6 else 6
    assert verdicts("nftables", [host(entries, [here], family), host((), (), other)]) == {"PROVED"}


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize(
    "proto", ["igmp", "47", "50", "ospf", "103", "112", "132", "0", "255", "58", "icmp", "tcp", "udp"]
)
def test_every_protocol_comes_back_whole(proto: str, family: Family) -> None:
    here, far = (HERE4, "10.1.0.0/16") if family == 4 else (HERE6, "2001:db8::/32")
    entries = [row(f"permit {proto} {far} {here}", family), row(f"permit {proto} {here} {far}", family)]
    other: Family = 4 if family == 6 else 6
    assert verdicts("eos", [acl(entries, family)]) == {"PROVED"}
    assert verdicts("nftables", [host(entries, [here], family), host((), (), other)]) == {"PROVED"}


def random_row(dice: random.Random, family: Family, here: str) -> str:
    far = dice.choice(
        ["any", "10.1.0.0/16", "10.1.10.0/24", "10.1.10.7", "10.1.10.3-10.1.10.9"]
        if family == 4
        else ["any", "2001:db8::/32", "2001:db8:1:10::/64", "2001:db8:1:10::7"]
    )
    ends = f"{far} {here}" if dice.random() < 0.7 else f"{here} {far}"
    verdict = dice.choice(["permit", "permit", "deny"])
    kind = dice.choice(["tcp", "udp", "icmp", "ip", "ospf", "tcp-all"])
    if kind in ("tcp", "udp"):
        low = dice.choice([1, 22, 53, 80, 1000])
        return (
            f"{verdict} {kind} {ends} to {low}-{low + dice.choice([0, 1, 60])}{dice.choice(['', ' from 1024-65535'])}"
        )
    if kind == "icmp":
        return f"{verdict} {'icmp' if family == 4 else 'icmpv6'} {ends} type {dice.choice([0, 1, 3, 8, 128, 129, 133])}"
    return f"{verdict} {kind.split('-')[0]} {ends}"


def random_rows(seed: int, family: Family, here: str) -> tuple[Entry, ...]:
    dice = random.Random(seed)
    return rows([random_row(dice, family, here) for _ in range(dice.randint(1, 9))], family)


@pytest.mark.parametrize("seed", range(40))
def test_any_rows_in_order_become_a_list_that_means_them(seed: int) -> None:
    assert verdicts(
        "eos", [acl(random_rows(seed, 4, "10.1.20.0/24")), acl(random_rows(seed, 6, "2001:db8:1:20::/64"), 6)]
    ) == {"PROVED"}


@pytest.mark.parametrize("seed", range(40))
def test_any_rows_of_a_host_become_a_table_that_means_them(seed: int) -> None:
    """Or are refused, when they could not be looked up in their order; never is anything else rendered."""
    made = [host(random_rows(seed, 4, HERE4), [HERE4, HERE6]), host(random_rows(seed, 6, HERE6), [HERE4, HERE6], 6)]
    try:
        found = verdicts("nftables", made)
    except Refused as refused:
        assert "looked up first" in str(refused)
        return
    assert found == {"PROVED"}


def test_few_random_hosts_are_refused() -> None:
    refused = 0
    for seed in range(40):
        try:
            text_of("nftables", [host(random_rows(seed, 4, HERE4), [HERE4])])
        except Refused:
            refused += 1
    assert refused <= 10


QUIET = [
    "permit ip any any", "! no", "a; reload", "what?", "#include", "}", "{ }", '"', '" accept', "'", "\\", "\\n", "$x", "${x}",
    "`id`", "| nc", "{{ 7 * 7 }}", "{% raw %}", "%s", "%n", "../../etc", "exit", "end", "remark", "no ip access-list x",
    "flush ruleset", "  blanks  ", "é", "名前", "ß" * 200, "x" * 500, "a,b", "a:b", "@map", "<b>", "&", "^", "~", "*", "-", "0",
]  # fmt: skip
LOUD = [
    "a\nb",
    "a\rb",
    "a\r\nb",
    "a\tb",
    "a\0b",
    "a\x0bb",
    "a\x0cb",
    "a\x1bb",
    "a\x7fb",
    "a\x85b",
    "a\u2028b",
    "a\u2029b",
    "a\u202eb",
]


def one(name: str, rule: str, *, log: bool = False) -> list[Table]:
    entry = row(f"permit tcp 10.1.10.0/24 {HERE4} to 22", name=rule, log=log)
    return [acl([entry])] if name == "eos" else [host([entry], [HERE4]), host((), (), 6)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rule", QUIET)
def test_a_rules_name_is_only_ever_a_remark(name: str, rule: str) -> None:
    plain, text = (text_of(name, one(name, said, log=True)) for said in ("plain", rule))
    assert len(text.splitlines()) == len(plain.splitlines())
    assert text.isascii()
    assert verdicts(name, one(name, rule, log=True)) == {"PROVED"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rule", LOUD)
def test_a_name_with_a_control_character_renders_nothing(name: str, rule: str) -> None:
    with pytest.raises(Refused, match="cannot be written"):
        text_of(name, one(name, rule))


def test_a_binding_or_a_segment_with_a_line_break_renders_nothing() -> None:
    (table,) = one("eos", "plain")
    for gate in (replace(table.gate, binding="Vlan1\nx"), replace(table.gate, segments=("a\nb",))):
        with pytest.raises(Refused, match="cannot be written"):
            text_of("eos", [replace(table, gate=gate)])


SANDBOX = [
    "{{ nothing }}",
    "{{ lists[0].nothing }}",
    "{{ owner.__class__ }}",
    "{{ owner.__class__.__mro__ }}",
    "{{ lists }}",
    "{{ none }}",
    "{{ 1.5 }}",
    "{{ true }}",
    "{{ '\\n' }}",
    "{% include '../../../etc/passwd' %}",
    "{% include '/etc/passwd' %}",
    "{% for x in",
    "{{ lists.append(1) }}",
]


@pytest.mark.parametrize("template", SANDBOX)
def test_a_template_that_reaches_for_what_it_was_not_given_renders_nothing(template: str, tmp_path: Path) -> None:
    path = tmp_path / "configlets" / "eos" / "acl.j2"
    path.parent.mkdir(parents=True)
    path.write_text(template)
    with pytest.raises(Refused):
        text_of("eos", one("eos", "plain"), tmp_path)


UNSAYABLE = {
    "a new connection only": ("permit tcp any 10.1.20.11 to 22", 5, (0, 0)),
    "flags of udp": ("permit udp any 10.1.20.11 to 22", 5, (1, 1)),
    "some protocols": ("permit tcp any 10.1.20.11", 0, (6, 17)),
    "fragments with ports": ("permit tcp any 10.1.20.11 to 22", 6, (1, 1)),
    "ports of a protocol without": ("permit ospf any 10.1.20.11", 3, (5, 5)),
}


@pytest.mark.parametrize("case", UNSAYABLE.values(), ids=UNSAYABLE)
def test_a_row_that_no_line_can_say_is_refused_at_its_rule(case: tuple[str, int, tuple[int, int]]) -> None:
    text, level, interval = case
    entry = row(text, line=31)
    box = (*entry.box[:level], interval, *entry.box[level + 1 :])
    with pytest.raises(Refused) as refused:
        text_of("eos", [acl([replace(entry, box=box)])])  # type: ignore[arg-type]
    assert str(refused.value.problems[0].place) == "policy.yaml:31:3"


def test_a_row_of_a_host_without_a_local_end_is_refused_unless_nothing_answers_it() -> None:
    with pytest.raises(Refused, match="local address"):
        text_of("nftables", [host([row("permit tcp 10.1.10.0/24 10.1.30.0/24 to 22", line=31)], [HERE4])])
    with pytest.raises(Refused, match="local address"):
        text_of("nftables", [host([row("permit tcp 10.1.0.0/24 10.1.30.0/24", origin="infrastructure")], [HERE4])])
    with pytest.raises(Refused, match="TCP flags"):
        text_of("nftables", [host([row(f"permit tcp any {HERE4} to 22 established")], [HERE4])])
    with pytest.raises(Refused, match="judged whole"):
        text_of("nftables", [host([row(f"permit tcp any {HERE4} fragments")], [HERE4])])


def test_two_tables_for_one_place_are_refused() -> None:
    with pytest.raises(Refused, match="Two tables"):
        text_of("eos", [*one("eos", "a"), *one("eos", "b")])


@pytest.mark.parametrize("name", NAMES)
def test_reading_what_was_read_changes_nothing(name: str) -> None:
    said, kind = platform(name), KIND[name]
    text = text_of(name, tables(name))
    reading = read(said, kind, text, "text")
    again = read(said, kind, reading.canonical, "text")
    assert again.canonical == reading.canonical
    meaning = [{key: {(x.permit, x.box) for x in lines} for key, lines in r.lists.items()} for r in (reading, again)]
    assert meaning[0] == meaning[1]
