"""Every planted fault, in a template, a text or a compile step, is refuted with a packet that shows it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from configlet.model.gate import Artifact, Proof, Table
from configlet.model.policy import DPORT, FLAG, PROTO, SPORT, SRC, Packet
from configlet.packets.boxes import packet_of
from configlet.prove import prove
from configlet.readers import read
from configlet.render import render
from tests.builders import platform, span
from tests.laws.test_render_kernel import BENCH, possible
from tests.planted import (
    HERE4,
    HERE6,
    KIND,
    Fault,
    drop,
    each,
    exchange,
    law_passes,
    ports_turned,
    put,
    rows_of,
    swap,
    switch_passes,
    tables,
    turned,
)

ENTRY4 = "{{ source }}{{ sport }} {{ destination }}{{ dport }}"


def eos(name: str, **form: object) -> Fault:
    return Fault(name, "eos", **form)  # type: ignore[arg-type]


def nft(name: str, **form: object) -> Fault:
    return Fault(name, "nftables", **form)  # type: ignore[arg-type]


EOS = [
    # The template.
    eos("swapped ends", template=swap(ENTRY4, "{{ destination }}{{ sport }} {{ source }}{{ dport }}")),
    eos("swapped ports", template=swap(ENTRY4, "{{ source }}{{ dport }} {{ destination }}{{ sport }}")),
    eos("lost established", template=swap("{{ established }}", "")),
    eos("lost icmp types", template=swap("{{ icmp }}", "")),
    eos("lost icmp codes", template=swap("{{ icmp }}", '{{ icmp.split(" ")[:2] | join(" ") }}')),
    eos("lost source ports", template=swap("{{ sport }}", "")),
    eos("lost destination ports", template=swap("{{ dport }}", "")),
    eos("tcp hard-wired", template=swap("{{ proto }}", '{{ "tcp" if proto == "udp" else proto }}')),
    eos("udp for tcp", template=swap("{{ proto }}", '{{ proto if established else proto | replace("tcp", "udp") }}')),
    eos("permit hard-wired", template=swap("{{ action }}", "permit")),
    eos("deny hard-wired", template=swap("{{ action }}", "deny")),
    eos("a fragment word on no line", template=swap("{{ fragments }}", "")),
    eos(
        "v6 half lost",
        template=swap("{% for list in lists %}", '{% for list in lists if list.command == "ip" %}', 1),
        text=drop("ipv6 access-group"),
    ),
    eos("v6 not bound", text=drop("ipv6 access-group")),
    eos("v4 not bound", text=drop("   ip access-group")),
    eos("nothing bound", template=swap("{% for interface in interfaces %}", "{% for interface in () %}")),
    eos("outward list not bound", text=drop("cfglt-Vlan120-out-v4 out")),
    eos("directions exchanged", text=lambda t: swap("in-v6 in", "in-v6 out")(swap("out-v6 out", "out-v6 in")(t))),
    eos("bound to the neighbour's interface", text=swap("interface Vlan120", "interface Vlan121")),
    eos("lists of two directions exchanged", text=exchange("group cfglt-Vlan120-in-v4", "group cfglt-Vlan120-out-v4")),
    # The text.
    eos("netmask for wildcard", text=swap(" 10.0.0.0/8 ", " 10.0.0.0 255.0.0.0 ")),
    eos("wildcard one bit short", text=swap("udp 10.1.20.0/24", "udp 10.1.20.0 0.0.0.127")),
    eos("wildcard one bit long", text=swap("udp 10.1.20.0/24", "udp 10.1.20.0 0.0.1.255")),
    eos("prefix one bit short", text=swap("udp 10.1.20.0/24 host 10.1.70.5", "udp 10.1.20.0/25 host 10.1.70.5")),
    eos("prefix one bit long", text=swap("tcp 10.1.10.0/24", "tcp 10.1.10.0/23")),
    eos("host read as its network", text=swap("host 10.1.70.5 eq 53", "10.1.70.4/31 eq 53")),
    eos("any for a source", text=swap("udp host 10.1.70.5", "udp any")),
    eos("port one too high", text=swap("eq 53", "eq 54")),
    eos("range one too long", text=swap("range 9001 9016", "range 9001 9017")),
    eos("range one too early", text=swap("range 9001 9016", "range 9000 9016")),
    eos("range one too short", text=swap("range 8000 8099", "range 8000 8098")),
    eos("greater for equal", text=swap("host 10.1.70.5 eq 53", "host 10.1.70.5 gt 53")),
    eos("unequal for equal", text=swap("host 10.1.70.5 eq 53", "host 10.1.70.5 neq 53")),
    eos("echo reply for echo", text=swap("10.1.70.0/24 8", "10.1.70.0/24 0")),
    eos("last deny turned", text=swap("deny ip any any\n!", "permit ip any any\n!")),
    eos("v6 last deny turned", text=swap("deny ipv6 any any\n!", "permit ipv6 any any\n!")),
    eos("fragments passed", text=swap("deny ip any any fragments", "permit ip any any fragments")),
    eos("v6 fragments passed", text=swap("deny ipv6 any any fragments", "permit ipv6 any any fragments")),
    eos("an entry lost", text=drop("permit udp 10.1.20.0/24 host 10.1.70.5")),
    eos("a deny lost", text=drop("deny ip 10.1.20.0/24 10.1.30.0/24")),
    eos("another protocol number", text=swap("permit 89 ", "permit 88 ")),
    eos("established where it is not meant", text=swap("range 9001 9016\n", "range 9001 9016 established\n")),
    # The compile step.
    eos(
        "a reply past a written deny",
        compile=rows_of(
            "monitoring",
            lambda r: [*(e for e in r if e.rule.name == "monitoring"), *(e for e in r if e.rule.name != "monitoring")],
        ),
    ),
    eos(
        "a deny after what it forbids",
        compile=rows_of(
            "nothing reaches the engine", lambda r: [*(e for e in r if e.permit), *(e for e in r if not e.permit)]
        ),
    ),
    eos("deny for permit", compile=each("time", lambda e: replace(e, permit=False))),
    eos("permit for deny", compile=each("nothing reaches the engine", lambda e: replace(e, permit=True))),
    eos("a reply without its flag", compile=each("clients place orders", lambda e: put(FLAG, (0, 1))(e))),
    eos("ends of a rule exchanged", compile=each("web", turned)),
    eos("source port as destination port", compile=each("names", ports_turned)),
    eos("a rule lost", compile=each("ping", lambda e: None)),
    eos("a rule of v6 lost", compile=each("ping", lambda e: None, 6)),
    eos(
        "families crossed in icmp",
        compile=rows_of(
            "ping",
            lambda r: [
                replace(e, box=((58, 58), *e.box[1:3], (0, 65535), *e.box[4:])) if e.rule.name == "ping" else e
                for e in r
            ],
        ),
    ),
    eos("all rows of a family lost", compile=lambda t: replace(t, rows=()) if t.family == 6 else t),
    eos(
        "rows of the other direction",
        compile=lambda t: replace(t, rows=tables("eos")[0].rows) if t.gate.direction == "out" and t.family == 4 else t,
    ),
]

NFT = [
    # The template.
    nft(
        "chains accept at their end", template=lambda t: swap("policy drop", "policy accept")(drop('"default deny"')(t))
    ),
    nft(
        "the default deny passes",
        template=swap('counter drop comment "default deny"', 'counter accept comment "default deny"'),
    ),
    nft("no hook for output", template=swap("for hook in hooks", 'for hook in hooks if hook != "output"')),
    nft("no hook for input", template=swap("for hook in hooks", 'for hook in hooks if hook != "input"')),
    nft(
        "forwarding judged by nobody",
        template=swap("\t\tjump judge", '{% if hook != "forward" %}\n\t\tjump judge\n{% endif %}'),
        text=swap("hook forward priority -10; policy drop", "hook forward priority -10; policy accept"),
    ),
    nft(
        "dispatch by the packet's own header",
        template=swap("ct original {{ side.word }} {{ side.end }}", "{{ side.word }} {{ side.end }}"),
    ),
    nft(
        "lookups by the packet's own header",
        template=swap("ct original {{ local.word }} {{ local.end }}", "{{ local.word }} {{ local.end }}"),
    ),
    nft(
        "living connections pass unasked",
        template=swap("\t\tjump infrastructure", "\t\tct state established accept\n\t\tjump infrastructure"),
    ),
    nft(
        "related packets pass unasked",
        template=swap("\t\tjump infrastructure", "\t\tct state related accept\n\t\tjump infrastructure"),
    ),
    nft("accept before the judge", template=swap("\t\tjump infrastructure", "\t\taccept")),
    nft("loopback lost", template=swap("\t\tjump infrastructure\n", "")),
    nft("stray icmp lost", template=drop("jump stray_icmp")),
    nft(
        "v6 half lost",
        template=swap("{% for side in sides %}\n\t\tct", '{% for side in sides if side.word == "ip" %}\n\t\tct'),
    ),
    nft(
        "outward half lost",
        template=swap("{% for side in sides %}\n\t\tct", '{% for side in sides if side.end == "daddr" %}\n\t\tct'),
    ),
    nft(
        "dispatch by the other end",
        template=swap("{{ side.end }} vmap", '{{ "saddr" if side.end == "daddr" else "daddr" }} vmap'),
    ),
    nft(
        "lookup by the other end",
        template=swap(
            "ct protocol {{ lookup.proto }} ct original {{ local.word }} {{ local.end }}",
            'ct protocol {{ lookup.proto }} ct original {{ local.word }} {{ "daddr" if local.end == "saddr" else "saddr" }}',
        ),
    ),
    nft(
        "source port as destination port",
        template=swap("original proto-dst", 'original proto-{{ "src" if "," in lookup.protocols else "dst" }}'),
    ),
    nft(
        "tcp hard-wired",
        template=swap("{{ lookup.protocols }} ct protocol {{ lookup.proto }}", "{ 1, 6, 58 } ct protocol 6"),
        text=drop("_icmp\n"),
    ),
    nft(
        "udp for tcp",
        template=swap("ct protocol {{ lookup.proto }}", "ct protocol {{ 17 if lookup.proto == 6 else lookup.proto }}"),
        text=lambda t: swap("{ 1, 6 } ct protocol 17", "{ 1, 17 } ct protocol 17")(
            swap("{ 6, 58 } ct protocol 17", "{ 17, 58 } ct protocol 17")(t)
        ),
    ),
    nft("the operator is asked before the network", template=swap("part in local.parts", "part in local.parts | reverse")),
    nft("every rule that logs accepts", template=swap("counter {{ verdict }}", "counter accept")),
    nft("every element accepts", template=swap("{{ key }} {{ comment }}: {{ verdict }}", '{{ key }} {{ comment }}: '
        '{{ verdict if verdict.startswith("jump") else "accept" }}')),
    nft("every element drops", template=swap("{{ key }} {{ comment }}: {{ verdict }}", '{{ key }} {{ comment }}: '
        '{{ verdict if verdict.startswith("jump") else "drop" }}')),
    nft("every statement drops", template=swap("{{ statement.verdict }}", '{{ statement.verdict | replace("accept", "drop") }}')),
    nft("protocols without ports lost", template=drop("ct protocol vmap")),
    # The text.
    nft("fragments judged by addresses", text=drop("frag-off & 0x1fff")),
    nft("v6 fragments passed", text=swap("frag frag-off != 0 counter drop", "frag frag-off != 0 counter accept")),
    nft(
        "fragments passed",
        text=swap("ip frag-off & 0x1fff != 0 counter drop", "ip frag-off & 0x1fff != 0 counter accept"),
    ),
    nft("port one too high", text=swap("10.1.70.5 . 53 ", "10.1.70.5 . 54 ")),
    nft("range one too long", text=swap("10.1.10.0/24 . 9001-9016", "10.1.10.0/24 . 9001-9017")),
    nft("range one too early", text=swap("10.1.10.0/24 . 9001-9016", "10.1.10.0/24 . 9000-9016")),
    nft("prefix one bit short", text=swap("10.1.10.0/24 . 9001", "10.1.10.0/25 . 9001")),
    nft("prefix one bit long", text=swap("10.1.10.0/24 . 9001", "10.1.10.0/23 . 9001")),
    nft("v6 prefix one bit long", text=swap("2001:db8:1:10::/64", "2001:db8:1:10::/63")),
    nft("an element lost", text=drop("10.1.10.0/24 . 9001")),
    nft(
        "an element added",
        text=swap("10.1.10.0/24 . 9001", '203.0.113.0/24 . 9001-9016 comment "ssh" : accept,\n10.1.10.0/24 . 9001'),
    ),
    nft(
        "an accept for a rule that denies and logs",
        text=swap("10.1.10.0/24 . 22 : goto deny_no_desk_has_a_shell", '10.1.10.0/24 . 22 comment "ssh" : accept'),
    ),
    nft(
        "a deny for another rule",
        text=swap('9001-9016 comment "clients place orders" : accept', "9001-9016 : goto deny_no_desk_has_a_shell"),
    ),
    nft("an element's verdict turned", text=swap('"clients place orders" : accept', '"clients place orders" : drop')),
    nft("a closed element opened", text=swap('"infrastructure addresses" : drop', '"infrastructure addresses" : accept')),
    nft("another local address", text=swap(f"{HERE4} : jump in_10", "10.1.20.12 : jump in_10")),
    nft("maps of two directions exchanged", text=exchange("vmap @in4", "vmap @out4")),
    nft("echo reply for echo", text=swap("10.1.70.0/24 . 2048-2303", "10.1.70.0/24 . 3328-3583")),
    nft("neighbour discovery cut", text=swap("icmpv6 type 133-136", "icmpv6 type 133-134")),
    nft("another protocol", text=swap("10.0.1.0/31 . 89", "10.0.1.0/31 . 88")),
    nft("source ports from the other half", text=swap("10.1.70.5 . 1024-65535", "10.1.70.5 . 0-1023")),
    # The compile step.
    nft("a deny lost", compile=each("no desk has a shell", lambda e: None)),
    nft(
        "a deny after what it forbids",
        compile=rows_of("ssh", lambda r: [*(e for e in r if e.permit), *(e for e in r if not e.permit)]),
    ),
    nft("permit for deny", compile=each("no desk has a shell", lambda e: replace(e, permit=True))),
    nft("ends of a rule exchanged", compile=each("clients place orders", turned)),
    nft("v6 ends of a rule exchanged", compile=each("clients place orders", turned, 6)),
    nft("ports exchanged", compile=each("names", ports_turned)),
    nft("udp row as tcp", compile=each("names", put(PROTO, (6, 6)))),
    nft("icmp types lost", compile=each("ping", put(DPORT, (0, 65535)))),
    nft("v6 icmp types lost", compile=each("ping", put(DPORT, (0, 65535)), 6)),
    nft("source ports lost", compile=each("time", put(SPORT, (0, 65535)))),
    nft("everybody for a prefix", compile=each("clients place orders", put(SRC, span("any", 4)))),
    nft("a rule of v6 lost", compile=each("ping", lambda e: None, 6)),
    nft("all rows of a family lost", compile=lambda t: replace(t, rows=t.rows[:2]) if t.family == 6 else t),
]

FAULTS = [*EOS, *NFT]


def proven(fault: Fault, root: Path) -> tuple[Artifact, tuple[Proof, ...]]:
    artifact = fault.artifact(root)
    reading = read(platform(fault.platform), KIND[fault.platform], artifact.text, artifact.file)
    return artifact, prove(artifact, reading)


@pytest.mark.parametrize("name", KIND)
def test_without_a_fault_every_gate_is_proved(name: str) -> None:
    artifact = render("leaf1", platform(name), KIND[name], tables(name))
    proofs = prove(artifact, read(platform(name), KIND[name], artifact.text, artifact.file))
    assert {proof.verdict for proof in proofs} == {"PROVED"}
    assert len(proofs) == len(tables(name))


def test_there_are_forty_faults_and_more_and_each_has_its_name() -> None:
    names = [(fault.platform, fault.name) for fault in FAULTS]
    assert len(names) == len(set(names)) >= 44
    assert all(sum(bool(form) for form in (f.template, f.text, f.compile)) for f in FAULTS)


def witnessed(artifact: Artifact, proofs: tuple[Proof, ...]) -> list[tuple[Table, str, Packet]]:
    """The packets of all refutations with the tables that they are about."""
    found = []
    for table, proof in zip(artifact.tables, proofs, strict=False):
        for witness in proof.witnesses:
            found.append((table, witness.kind, packet_of(table.family, table.realm, witness.box)))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("fault", EOS, ids=[f.name for f in EOS])
def test_a_fault_in_an_access_list_is_refuted_with_a_packet_on_which_a_switch_errs(
    fault: Fault, tmp_path: Path
) -> None:
    artifact, proofs = proven(fault, tmp_path)
    assert "REFUTED" in {proof.verdict for proof in proofs}
    assert "UNKNOWN" not in {proof.verdict for proof in proofs[: len(artifact.tables)]}
    shown = witnessed(artifact, proofs)
    assert shown
    for table, kind, packet in shown:
        assert law_passes(table, packet) == (kind == "too tight"), packet
        assert switch_passes(artifact.text, table, packet) == (kind == "too open"), packet


@pytest.mark.parametrize("fault", NFT, ids=[f.name for f in NFT])
def test_a_fault_in_a_hosts_table_is_refuted_with_a_packet_on_which_the_text_errs(fault: Fault, tmp_path: Path) -> None:
    artifact, proofs = proven(fault, tmp_path)
    assert "REFUTED" in {proof.verdict for proof in proofs}
    assert "UNKNOWN" not in {proof.verdict for proof in proofs[: len(artifact.tables)]}
    shown = witnessed(artifact, proofs)
    assert shown
    for table, kind, packet in shown:
        assert law_passes(table, packet) == (kind == "too tight"), packet


def sendable(packet: Packet) -> bool:
    """A first packet from outside to the host, which the bench can make."""
    here = int.from_bytes(bytes([10, 1, 20, 11]), "big") if packet.family == 4 else span(HERE6, 6)[0]
    low = span("10.0.0.0/8", 4) if packet.family == 4 else span("2000::/3", 6)
    plain = packet.proto in (6, 17, 1 if packet.family == 4 else 58) and not (packet.fragment or packet.established)
    return packet.dst == here and low[0] <= packet.src <= low[1] and plain and packet.src != here


@pytest.mark.skipif(not possible(), reason="needs nft, ip and user namespaces")
def test_the_kernel_errs_on_the_witness_as_the_proof_says(tmp_path: Path) -> None:
    """Of the faults that show in a first packet to the host: it is sent, and the kernel does what the witness says."""
    from ipaddress import ip_address

    sent = 0
    for number, fault in enumerate(f for f in NFT if f.text):
        artifact, proofs = proven(fault, tmp_path / str(number))
        lists = read(platform("nftables"), "filter-table", artifact.text, artifact.file).lists
        first = {phase for _, phase, _ in lists} == {"both"}
        for _, kind, packet in witnessed(artifact, proofs):
            if not (first and sendable(packet)):
                continue
            ends = {"src": str(ip_address(packet.src)), "dst": str(ip_address(packet.dst))}
            said = {"number": 1, "proto": packet.proto, "sport": packet.sport, "dport": packet.dport, **ends}
            request = json.dumps({"table": artifact.text, "packets": [said]})
            argv = ["unshare", "-Urn", sys.executable, str(BENCH)]
            done = subprocess.run(argv, input=request, text=True, capture_output=True, check=True)
            assert (json.loads(done.stdout)["arrived"] == [1]) == (kind == "too open"), (fault.name, packet)
            sent += 1
    assert sent >= 8
