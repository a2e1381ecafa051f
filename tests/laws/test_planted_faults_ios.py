"""Every fault planted into IOS-XE's lists is refuted, with a packet on which a switch that reads word by word errs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from configlet.model.gate import Artifact, Proof, Table
from configlet.model.policy import DPORT, DST, FLAG, SPORT, SRC, Packet
from configlet.model.problem import Refused
from configlet.packets.boxes import packet_of
from configlet.prove import prove
from configlet.readers import read
from configlet.render import render
from tests.builders import platform, span
from tests.ios_judge import judged
from tests.planted import (
    Change,
    Fault,
    drop,
    each,
    exchange,
    law_passes,
    ports_turned,
    put,
    rows_of,
    swap,
    tables,
    turned,
)

ENDS = "{{ source }}{{ sport }} {{ destination }}{{ dport }}"
NET20, NET10 = "10.1.20.0 0.0.0.255", "10.1.10.0 0.0.0.255"
SIX20, SIX10 = "2001:db8:1:20::/64", "2001:db8:1:10::/64"

GROUP = "object-group network cfglt-a\n 10.1.10.0 255.255.254.0\n"


def ios(name: str, **form: object) -> Fault:
    return Fault(name, "ios", **form)  # type: ignore[arg-type]


def within(name: str, change: Change) -> Change:
    """A change of one list's text only."""

    def change_(text: str) -> str:
        start = text.index(f"cfglt-{name}\n")
        end = text.index("!\n", start)
        return text[:start] + change(text[start:end]) + text[end:]

    return change_


TEMPLATE = [
    ios("swapped ends", template=swap(ENDS, "{{ destination }}{{ sport }} {{ source }}{{ dport }}")),
    ios("swapped ports", template=swap(ENDS, "{{ source }}{{ dport }} {{ destination }}{{ sport }}")),
    ios("lost established", template=swap("{{ established }}", "")),
    ios("lost icmp types", template=swap("{{ icmp }}", "")),
    ios("lost icmp codes", template=swap("{{ icmp }}", '{{ icmp.split(" ")[:2] | join(" ") }}')),
    ios("lost source ports", template=swap("{{ sport }}", "")),
    ios("lost destination ports", template=swap("{{ dport }}", "")),
    ios("tcp hard-wired", template=swap("{{ proto }}", '{{ "tcp" if proto == "udp" else proto }}')),
    ios("permit hard-wired", template=swap("{{ action }}", "permit")),
    ios("deny hard-wired", template=swap("{{ action }}", "deny")),
    ios("a fragment word on no line", template=swap("{{ fragments }}", "")),
    ios(
        "v6 half lost",
        template=swap("{% for list in lists %}", '{% for list in lists if list.command == "ip" %}', 1),
        text=drop("ipv6 traffic-filter"),
    ),
    ios("nothing bound", template=swap("{% for interface in interfaces %}", "{% for interface in () %}")),
]

BINDINGS = [
    ios("v6 not bound", text=drop("ipv6 traffic-filter")),
    ios("v4 not bound", text=drop(" ip access-group")),
    ios("outward list not bound", text=drop("cfglt-Vlan120-out-v4 out")),
    ios("outward v6 list not bound", text=drop("cfglt-Vlan120-out-v6 out")),
    ios("directions exchanged", text=lambda t: swap("in-v4 in", "in-v4 out")(swap("20-out-v4 out", "20-out-v4 in")(t))),
    ios("v6 directions exchanged", text=lambda t: swap("in-v6 in", "in-v6 out")(swap("out-v6 out", "out-v6 in")(t))),
    ios("bound to the neighbour's interface", text=swap("interface Vlan120", "interface Vlan121")),
    ios("lists of two directions exchanged", text=exchange("group cfglt-Vlan120-in-v4", "group cfglt-Vlan120-out-v4")),
    ios(
        "v6 lists of two directions exchanged",
        text=exchange("filter cfglt-Vlan120-in-v6", "filter cfglt-Vlan120-out-v6"),
    ),
    ios("the list of another interface", text=swap("group cfglt-Vlan120-in-v4", "group cfglt-Ethernet1-in-v4")),
]

TEXT4 = [
    ios("netmask for wildcard", text=swap("10.0.0.0 0.255.255.255", "10.0.0.0 255.0.0.0")),
    ios("wildcard of a host", text=swap(f"udp {NET20}", "udp 10.1.20.0 0.0.0.0")),
    ios("wildcard one bit short", text=swap(f"udp {NET20} range", "udp 10.1.20.0 0.0.0.127 range")),
    ios("wildcard one bit long", text=swap(f"udp {NET20} range", "udp 10.1.20.0 0.0.1.255 range")),
    ios("wildcard with a hole", text=swap(f"tcp {NET10}", "tcp 10.1.10.0 0.0.0.253")),
    ios("wildcard in the wrong octet", text=swap(f"tcp {NET10}", "tcp 10.1.10.0 0.0.255.0")),
    ios("host read as its neighbours", text=swap("host 10.1.70.5 eq 53\n", "10.1.70.4 0.0.0.1 eq 53\n")),
    ios("any for a source", text=swap("udp host 10.1.70.5", "udp any")),
    ios("port one too high", text=swap("host 10.1.70.5 eq 53\n", "host 10.1.70.5 eq 54\n")),
    ios("range one too long", text=swap("range 9001 9016\n", "range 9001 9017\n")),
    ios("range one too early", text=swap("range 8000 8099", "range 7999 8099")),
    ios("greater for equal", text=swap("host 10.1.70.9 eq 123", "host 10.1.70.9 gt 123")),
    ios("less for equal", text=swap("host 10.1.70.9 eq 123", "host 10.1.70.9 lt 123")),
    ios("unequal for equal", text=swap("host 10.1.70.9 eq 123", "host 10.1.70.9 neq 123")),
    ios("echo reply for echo", text=swap("10.1.70.0 0.0.0.255 8", "10.1.70.0 0.0.0.255 0")),
    ios("another icmp code", text=swap("10.1.70.0 0.0.0.255 3 4", "10.1.70.0 0.0.0.255 3 3")),
    ios("last deny turned", text=swap("deny ip any any\n!", "permit ip any any\n!")),
    ios("fragments passed", text=swap("deny ip any any fragments", "permit ip any any fragments")),
    ios("fragments of a line with ports", text=within("Vlan120-out-v4", drop("deny ip any any fragments"))),
    ios(
        "fragments of one protocol passed",
        text=swap("10 deny ip any any fragments", "10 permit udp any any fragments", 1),
    ),
    ios("an entry lost", text=drop(f"permit udp {NET20} host 10.1.70.5")),
    ios("a deny lost", text=drop(f"deny ip {NET20}")),
    ios("everything passes first", text=swap(" 20 remark names", " 15 permit ip any any\n 20 remark names")),
    ios("another protocol number", text=swap("permit 89 ", "permit 88 ")),
    ios("every protocol for one", text=swap(f"permit udp {NET20} range", f"permit tcp {NET20} range")),
    ios("established where it is not meant", text=swap("range 9001 9016\n", "range 9001 9016 established\n", 1)),
    ios("a list cut short", text=within("Vlan120-in-v4", lambda t: t[: t.index(" 70 remark")])),
    ios(
        "addresses of a group too many",
        text=lambda t: GROUP + swap(f"tcp {NET10}", "tcp object-group cfglt-a")(t),
    ),
]

TEXT6 = [
    ios("v6 prefix one bit short", text=swap(f"tcp {SIX10} {SIX20}", f"tcp 2001:db8:1:10::/65 {SIX20}")),
    ios("v6 prefix one bit long", text=swap(f"tcp {SIX10} {SIX20}", f"tcp {SIX10} 2001:db8:1:20::/63")),
    ios("v6 host read as its network", text=swap("host 2001:db8:1:70::5", "2001:db8:1:70::/64")),
    ios("v6 any for a source", text=swap(f"tcp {SIX10} {SIX20}", f"tcp any {SIX20}")),
    ios("v6 port one too low", text=swap("host 2001:db8:1:70::5 eq 53", "host 2001:db8:1:70::5 eq 52")),
    ios("v6 range one too short", text=swap("range 9001 9016\n", "range 9001 9015\n")),
    ios("v6 echo reply for echo", text=swap("2001:db8:1:70::/64 128", "2001:db8:1:70::/64 129")),
    ios("v6 last deny turned", text=swap("deny ipv6 any any\n!", "permit ipv6 any any\n!")),
    ios("v6 fragments passed", text=swap("deny ipv6 any any fragments", "permit ipv6 any any fragments")),
    ios("v6 udp for tcp", text=swap(f"permit tcp {SIX10}", f"permit udp {SIX10}")),
    ios("v6 entry lost", text=drop("host 2001:db8:1:70::5")),
    ios(
        "v6 deny first",
        text=swap(" sequence 20 permit icmp", " sequence 15 deny ipv6 any any\n sequence 20 permit icmp"),
    ),
    ios("v6 established lost", text=within("Vlan120-in-v6", swap(" established", ""))),
    ios("neighbour discovery lost", text=drop("permit icmp any any 135")),
]

COMPILE = [
    ios(
        "a reply past a written deny",
        compile=rows_of("monitoring", lambda r: sorted(r, key=lambda e: e.rule.name != "monitoring")),
    ),
    ios(
        "a deny after what it forbids",
        compile=rows_of("nothing reaches the engine", lambda r: sorted(r, key=lambda e: not e.permit)),
    ),
    ios("deny for permit", compile=each("time", lambda e: replace(e, permit=False))),
    ios("permit for deny", compile=each("nothing reaches the engine", lambda e: replace(e, permit=True))),
    ios("a reply without its flag", compile=each("clients place orders", put(FLAG, (0, 1)))),
    ios("ends of a rule exchanged", compile=each("web", turned)),
    ios("v6 ends of a rule exchanged", compile=each("clients place orders", turned, 6)),
    ios("source port as destination port", compile=each("names", ports_turned)),
    ios("v6 source port as destination port", compile=each("orders", ports_turned, 6)),
    ios("icmp types lost", compile=each("ping", put(DPORT, (0, 65535)))),
    ios("v6 icmp types lost", compile=each("ping", put(DPORT, (0, 65535)), 6)),
    ios("source ports lost", compile=each("time", put(SPORT, (0, 65535)))),
    ios("everybody for a prefix", compile=each("web", put(SRC, span("any", 4)))),
    ios("v6 everywhere for a host", compile=each("names", put(DST, span("any", 6)), 6)),
    ios("a rule lost", compile=each("ping", lambda e: None)),
    ios("a rule of v6 lost", compile=each("ping", lambda e: None, 6)),
    ios("all rows of a family lost", compile=lambda t: replace(t, rows=()) if t.family == 6 else t),
]

FAULTS = [*TEMPLATE, *BINDINGS, *TEXT4, *TEXT6, *COMPILE]


def proven(fault: Fault, root: Path) -> tuple[Artifact, tuple[Proof, ...]]:
    artifact = fault.artifact(root)
    return artifact, prove(artifact, read(platform("ios"), "acl", artifact.text, artifact.file))


def passes(text: str, table: Table, packet: Packet) -> bool:
    return judged(text.replace(GROUP, "").replace("object-group cfglt-a", "10.1.10.0 0.0.1.255"), *place(table), packet)


def place(table: Table) -> tuple[str, str]:
    return table.gate.binding, table.gate.direction


def test_there_are_forty_faults_and_more_of_both_families_and_each_has_its_name() -> None:
    assert len(FAULTS) == len({fault.name for fault in FAULTS}) >= 60
    assert sum("v6" in fault.name for fault in FAULTS) >= 20


def test_the_judge_says_of_a_sound_text_what_the_law_says() -> None:
    """At every corner of every row: the judge that confirms the refutations is itself right."""
    artifact = render("leaf1", platform("ios"), "acl", tables("ios"))
    asked = 0
    for table in tables("ios"):
        for entry in table.rows:
            for bits in range(128):
                box = tuple((span[bits >> at & 1],) * 2 for at, span in enumerate(entry.box))
                packet = packet_of(table.family, table.realm, box)  # type: ignore[arg-type]
                assert judged(artifact.text, *place(table), packet) == law_passes(table, packet), packet
                asked += 1
    assert asked > 2000


@pytest.mark.parametrize("fault", FAULTS, ids=[f.name for f in FAULTS])
def test_a_fault_is_refuted_with_a_packet_on_which_the_switch_errs(fault: Fault, tmp_path: Path) -> None:
    artifact, proofs = proven(fault, tmp_path)
    assert "REFUTED" in {proof.verdict for proof in proofs}
    assert "UNKNOWN" not in {proof.verdict for proof in proofs[: len(artifact.tables)]}
    shown = 0
    for table, proof in zip(artifact.tables, proofs, strict=False):
        for witness in proof.witnesses:
            packet = packet_of(table.family, table.realm, witness.box)  # type: ignore[arg-type]
            assert law_passes(table, packet) == (witness.kind == "too tight"), packet
            assert passes(artifact.text, table, packet) == (witness.kind == "too open"), packet
            shown += 1
    assert shown


DOUBTS = {
    "v6 last deny lost": swap("deny ipv6 any any\n!", "deny tcp any any\n!"),
    "v6 fragments decided by nobody": drop("deny ipv6 any any fragments"),
    "a list lost": within("Vlan120-in-v4", lambda _: "cfglt-other\n 10 permit ip any any\n"),
    "a list emptied": within("Vlan120-in-v4", lambda _: "cfglt-Vlan120-in-v4\n"),
    "an entry twice": swap(" 30 permit udp", " 20 permit udp"),
    "a prefix for a wildcard": swap(f"tcp {NET10}", "tcp 10.1.10.0/24"),
    "a wildcard in a group": lambda t: swap("255.255.254.0", "0.0.1.255")(GROUP) + t,
    "a v6 list bound as v4": swap("ip access-group cfglt-Vlan120-in-v4", "ip access-group cfglt-Vlan120-in-v6"),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_what_leaves_a_doubt_is_refused_with_its_place(name: str) -> None:
    sound = render("leaf1", platform("ios"), "acl", tables("ios"))
    text = DOUBTS[name](sound.text)
    assert text != sound.text
    with pytest.raises(Refused) as refused:
        read(platform("ios"), "acl", text, "leaf1.ios.acl")
    (problem,) = refused.value.problems
    assert problem.place and problem.place.file == "leaf1.ios.acl"
